"""The WebSocket streams: public marks and best prices, and an account's own for its listen key.

Each socket has its own queue, so a client that reads slowly delays nobody else.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson
from aiohttp import WSMsgType, web

from steelyard.rehearsal import stream_events as events
from steelyard.rehearsal.exchange import Exchange
from steelyard.rehearsal.margin import margin_of
from steelyard.rehearsal.records import Account, Change, Order

__all__ = ["Streams"]

DAY_MS = 86_400_000
MARK_EVERY_MS = 1_000
SLOW_MARK_EVERY_MS = 3_000
CALL_SHARE = Decimal("0.8")
"""A maintenance margin above this share of the margin balance leads to a margin call."""
LONGEST_QUEUE = 10_000


@dataclass(eq=False)
class _Socket:
    """One connection."""

    websocket: web.WebSocketResponse
    opened_ms: int
    is_combined: bool = False
    names: set[str] = field(default_factory=set)
    account: str = ""
    listen_key: str = ""
    queue: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(LONGEST_QUEUE))

    def put(self, name: str, event: dict[str, Any] | list[dict[str, Any]]) -> None:
        """Queue an event; a client that is too far behind is cut off."""
        told = {"stream": name, "data": event} if self.is_combined else event
        self.put_plain(told)

    def put_plain(self, told: object) -> None:
        """Queue a message that is not an event."""
        if self.queue.full():
            self.end()
        else:
            self.queue.put_nowait(orjson.dumps(told))

    def end(self) -> None:
        """Close the socket once its queue has been sent."""
        while self.queue.full():
            self.queue.get_nowait()
        self.queue.put_nowait(None)


class Streams:
    """All sockets."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.silent_until_ms = 0
        """The time, ms, before which nothing is sent, although all sockets stay open."""
        self.opened: Counter[str] = Counter()
        """The sockets opened so far, by the account of their listen key; "" for those without."""
        self._sockets: set[_Socket] = set()
        self._marked: dict[int, int] = {}
        self._called: set[str] = set()

    # -- sockets -------------------------------------------------------------------------------

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one socket until it ends."""
        websocket = web.WebSocketResponse(heartbeat=180.0)
        await websocket.prepare(request)
        is_combined = request.path == "/stream"
        socket = _Socket(websocket, self.exchange.now_ms(), is_combined)
        given = request.query.get("streams", "").split("/")
        given += [request.match_info.get("name", ""), request.query.get("listenKey", "")]
        self._subscribe(socket, given)
        self._sockets.add(socket)
        self.opened[socket.account] += 1
        writer = asyncio.ensure_future(_write(socket))
        try:
            async for message in websocket:
                if message.type is WSMsgType.TEXT:
                    socket.put_plain(self._asked(socket, message.data))
        finally:
            self._sockets.discard(socket)
            writer.cancel()
        return websocket

    def _subscribe(self, socket: _Socket, names: Iterable[str]) -> None:
        for name in names:
            owner = self.exchange.listen_keys.get(name)
            if owner is not None:
                socket.account, socket.listen_key = owner[0], name
            elif "@" in name:
                socket.names.add(name)

    def _asked(self, socket: _Socket, text: str) -> dict[str, Any]:
        """Carry out a request that a client sends through a socket."""
        try:
            asked = orjson.loads(text)
            method, number = asked["method"], asked.get("id")
            names = [str(name) for name in asked.get("params") or ()]
        except (ValueError, KeyError, TypeError, AttributeError):
            return {"code": 3, "msg": "Invalid JSON: unknown request"}
        if method == "SUBSCRIBE":
            self._subscribe(socket, names)
        elif method == "UNSUBSCRIBE":
            socket.names.difference_update(names)
        elif method == "LIST_SUBSCRIPTIONS":
            return {"result": sorted(socket.names), "id": number}
        else:
            return {"code": 2, "msg": f"Invalid request: unknown variant {method}", "id": number}
        return {"result": None, "id": number}

    @property
    def there(self) -> Counter[str]:
        """The sockets that are open now, counted in the same way."""
        return Counter(socket.account for socket in self._sockets)

    def cut(self) -> int:
        """End all sockets, and return their number."""
        there = list(self._sockets)
        for socket in there:
            socket.end()
        return len(there)

    async def close(self) -> None:
        """Close all sockets, and wait until they are closed."""
        closings = (socket.websocket.close() for socket in list(self._sockets))
        await asyncio.gather(*closings, return_exceptions=True)

    # -- messages ------------------------------------------------------------------------------

    def tell(self, changes: Iterable[Change]) -> None:
        """Report changes to the sockets that subscribe to them."""
        now = self.exchange.now_ms()
        if not self._sockets or now < self.silent_until_ms:
            return
        for change in changes:
            record = change.record
            if isinstance(record, Order) and change.event:
                told = events.order_event(record, change.event, change.trade, now)
                self._tell_owner(change.account, told)
            elif isinstance(record, Account) and change.event != "CONFIG":
                told = events.account_event(self.exchange, record, change, now)
                self._tell_owner(change.account, told)

    def _tell_owner(self, account: str, event: dict[str, Any]) -> None:
        for socket in self._sockets:
            if socket.account == account and socket.listen_key in self.exchange.listen_keys:
                socket.put(socket.listen_key, event)

    def tick(self, now: int) -> None:
        """Do what the clock demands: report marks and margin calls, and end keys and sockets."""
        keys = self.exchange.listen_keys
        for key in [key for key, (_, end) in keys.items() if end <= now]:
            del keys[key]
            event = {"e": "listenKeyExpired", "E": now, "listenKey": key}
            for socket in self._sockets:
                if socket.listen_key == key:
                    socket.put(key, event)
        for socket in tuple(self._sockets):
            if now - socket.opened_ms >= DAY_MS:
                socket.end()
        if self._sockets and now >= self.silent_until_ms:
            self._tell_books(now)
            self._tell_marks(now)
            self._call_margins(now)

    def _tell_books(self, now: int) -> None:
        for symbol, market in self.exchange.world.markets.items():
            name = f"{symbol.lower()}@bookTicker"
            hearing = [socket for socket in self._sockets if name in socket.names]
            if hearing:
                event = events.book_event(self.exchange, market, now)
                for socket in hearing:
                    socket.put(name, event)

    def _tell_marks(self, now: int) -> None:
        markets = self.exchange.world.markets
        for every, ending in ((MARK_EVERY_MS, "@markPrice@1s"), (SLOW_MARK_EVERY_MS, "@markPrice")):
            if now // every == self._marked.get(every):
                continue
            self._marked[every] = now // every
            told = {
                f"{symbol.lower()}{ending}": events.mark_event(self.exchange, market, now)
                for symbol, market in markets.items()
            }
            whole = ending.replace("@markPrice", "!markPrice@arr")
            for socket in self._sockets:
                for name, event in told.items():
                    if name in socket.names:
                        socket.put(name, event)
                if whole in socket.names:
                    socket.put(whole, list(told.values()))

    def _call_margins(self, now: int) -> None:
        for name, account in self.exchange.world.accounts.items():
            if not account.holdings:
                self._called.discard(name)
                continue
            margin = margin_of(self.exchange.world, account)
            if margin.maintenance <= margin.balance * CALL_SHARE:
                self._called.discard(name)
            elif name not in self._called:
                self._called.add(name)
                self._tell_owner(name, events.margin_call(self.exchange, account, now))


async def _write(socket: _Socket) -> None:
    """Send the queued messages in order, until the socket ends."""
    while True:
        body = await socket.queue.get()
        if body is None:
            await socket.websocket.close()
            return
        try:
            await socket.websocket.send_str(body.decode())
        except (ConnectionError, RuntimeError):
            return
