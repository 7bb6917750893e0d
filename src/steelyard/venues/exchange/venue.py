"""A real account as the venue protocol: one perpetual, by REST calls that are each sent once.

Before each reading the exchange's clock is read in the same call, so the reading is never older
than its stated time, and that time is signed, since this machine's clock proves nothing. An order
carries the stamp that its sender stored.

Streams decide nothing here. After a streamed mark the mark is requested before it is passed on;
without a stream of marks it is requested every second. A streamed order is a reason to look it up.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from steelyard.errors import InputError, Rejected, Unavailable, VenueError
from steelyard.venues.exchange.binanceusdm import BINANCE_USDM, BinanceUsdm
from steelyard.venues.exchange.binanceusdm_account import (
    AccountSetup,
    read_setup,
    set_cross_margin,
    set_leverage,
    set_one_way,
)
from steelyard.venues.exchange.budget import Budget
from steelyard.venues.exchange.client import Client, open_client
from steelyard.venues.exchange.lists import AccountLists
from steelyard.venues.exchange.parsing import readable
from steelyard.venues.exchange.streams import Listener, load_streams
from steelyard.venues.exchange.support import market_of
from steelyard.venues.protocol import (
    Balance,
    BookLevels,
    Heard,
    Limits,
    Mark,
    Movement,
    OrderRequest,
    OrderState,
    Position,
    Read,
    Trade,
)
from steelyard.venues.secrets import Secrets

__all__ = ["ExchangeVenue", "open_exchange"]

WINDOW_MS = 10_000
"""The window of readings, ms; a reading that arrives later has no effect."""
MARK_EVERY_S = 1.0
MARKS_APART_S = 0.2
"""At least so long between two that are asked for: a stream that floods spends no rate limit."""
STALE_AFTER_MS = 10_000
DRY = "this is a dry run: nothing is sent without --live"


class ExchangeVenue:
    """One account, and one perpetual on it.

    Args:
        client: makes the account's client at the first call.
        market: the exchange's name of the perpetual.
        quote: the account's quote asset.
        name: the venue's name.
        sends: whether orders are sent; if not, each order is refused before anything is sent.
        listener: makes the listener of its streams, given the client and the perpetual's row in
            ``exchangeInfo``; None: there are no streams, and marks are requested.
        stale_after_ms: a mark is requested at most half of this time after the one before.
    """

    def __init__(
        self,
        client: Callable[[], Client],
        market: str,
        quote: str,
        *,
        name: str = "exchange",
        sends: bool = True,
        listener: Callable[[Client, Mapping[str, Any]], Listener] | None = None,
        stale_after_ms: int = STALE_AFTER_MS,
    ) -> None:
        self.name = name
        self._open_listener, self._stale_after_ms = listener, stale_after_ms
        self._listener: Listener | None = None
        self._row: Mapping[str, Any] | None = None
        """The perpetual's row in ``exchangeInfo``, once it was read."""
        self._open, self._market, self._quote, self._sends = client, market, quote, sends
        self._client: Client | None = None
        self._exchange: BinanceUsdm = BINANCE_USDM
        self._lists = AccountLists(BINANCE_USDM, market, quote, self._signed)

    async def warm_up(self) -> None:
        """Open a connection before times are read over it, and check that the perpetual exists.

        An exchange that does not answer is not an error here, since it may answer later.

        Raises:
            InputError: the exchange has no such perpetual.
        """
        if self._open_listener is not None:
            load_streams()
        try:
            await self.limits()
            await self.time()
        except Rejected as error:
            raise InputError(str(error), **error.details) from None
        except VenueError:
            return

    # -- the protocol ------------------------------------------------------------------------

    async def time(self) -> int:
        """The exchange's clock, ms UTC."""
        content = await self._ask("fapiPublicGetTime")
        with readable():
            venue_ms = int(content["serverTime"])
        self._budget.see_clock(venue_ms)
        return venue_ms

    async def limits(self) -> Limits:
        """The exchange's limits for this perpetual.

        Raises:
            Rejected: the exchange has no such linear perpetual, or does not trade it.
        """
        content = await self._ask("fapiPublicGetExchangeInfo")
        with readable():
            limits = self._exchange.limits(self._market, content)
            self._row = self._exchange.row(self._market, content)
        if limits is None:
            message = (
                f"{self.name}: expected a linear perpetual that is traded, found {self._market}, "
                f"which {self._exchange.ID} does not have as one."
            )
            raise Rejected(message, symbol=self._market)
        self._budget.weight_limit = limits.requests_per_minute
        self._budget.order_limit = limits.orders_per_minute
        return limits

    async def mark(self) -> Mark:
        """The mark price now."""
        content = await self._ask("fapiPublicGetPremiumIndex", {"symbol": self._market})
        with readable():
            return self._exchange.mark(content)

    async def book(self) -> BookLevels:
        """The order book now."""
        params = {"symbol": self._market, "limit": 50}
        content = await self._ask("fapiPublicGetDepth", params, is_urgent=False)
        with readable():
            return self._exchange.book(content)

    async def position(self) -> Read[Position]:
        """The position that the account holds."""
        params = {"symbol": self._market}
        found = await self._read("fapiPrivateV3GetPositionRisk", params)
        with readable():
            value = self._exchange.position(self._market, found.value)
        return Read(found.time_ms, value)

    async def balance(self) -> Read[Balance]:
        """The wallet."""
        found = await self._read("fapiPrivateV3GetBalance", {})
        with readable():
            value = self._exchange.balance(self._quote, found.value)
        return Read(found.time_ms, value)

    async def place(self, request: OrderRequest) -> OrderState:
        """Send an order once, with the stamp that it was stored with."""
        if not self._sends:
            raise Unavailable(DRY, code="dry", is_sent=False)
        params = self._exchange.order_params(self._market, request)
        content = await self._ask("fapiPrivatePostOrder", params, is_urgent=request.reduce_only)
        with readable():
            state = self._exchange.order(content)
        if self._listener is not None and state.is_final:
            self._listener.expect(state.client_id)
        return state

    async def look_up(self, client_id: str) -> Read[OrderState | None]:
        """The last order with this id."""
        time_ms = await self.time()
        return Read(time_ms, await self._lists.order({"origClientOrderId": client_id}, time_ms))

    async def trades_since(self, since_ms: int) -> Read[tuple[Trade, ...]]:
        """All visible trades at or after ``since_ms``, as far back as the exchange shows them."""
        time_ms = await self.time()
        return Read(time_ms, await self._lists.trades(since_ms, time_ms))

    async def movements_since(self, since_ms: int) -> Read[tuple[Movement, ...]]:
        """All visible money movements at or after ``since_ms`` in the account's quote."""
        time_ms = await self.time()
        return Read(time_ms, await self._lists.movements(since_ms, time_ms))

    async def stream(self) -> AsyncIterator[Heard]:
        """Report the mark whenever it changes, as requested, and orders as the stream reports them.

        A failed call is a missing mark. Without a stream of marks, one is requested every second.
        """
        price, read_s = None, -math.inf
        while True:
            listener = await self._listening()
            told, orders = None, list[OrderState]()
            if listener is None:
                await asyncio.sleep(0 if read_s < 0 else MARK_EVERY_S)
            else:
                told, orders = await listener.hear(0 if read_s < 0 else MARK_EVERY_S)
            for each in orders:
                yield each
            is_told = listener is not None and listener.tells_marks
            oldest_s = self._stale_after_ms / 2_000 if is_told else MARK_EVERY_S
            is_new = told is not None and told.price != price
            if not is_new and time.monotonic() - read_s < oldest_s:
                continue
            mark = None
            with contextlib.suppress(VenueError):
                mark = await self.mark()
            read_s = time.monotonic()
            if mark is not None:
                price = mark.price
                yield mark
            if listener is not None:
                await asyncio.sleep(MARKS_APART_S)

    async def _listening(self) -> Listener | None:
        """The open streams; None: there are none, or none yet."""
        if self._listener is None and self._open_listener is not None:
            if self._row is None:
                with contextlib.suppress(VenueError):
                    await self.limits()
            if self._row is not None:
                self._listener = self._open_listener(self._opened(), self._row)
                self._listener.start()
        return self._listener

    async def close(self) -> None:
        """Close all connections, including those of streams."""
        listener, self._listener = self._listener, None
        if listener is not None:
            await listener.close()
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def setup(self) -> AccountSetup:
        """Read the setup of the account.

        Raises:
            VenueError: a reading failed.
        """
        return await read_setup(self._opened(), self._market)

    async def set_one_way(self) -> None:
        """Set one-way mode: one position per symbol."""
        await set_one_way(self._opened())

    async def set_cross_margin(self) -> None:
        """Set cross margin: the whole wallet is the margin of the position."""
        await set_cross_margin(self._opened(), self._market)

    async def set_leverage(self, leverage: int) -> None:
        """Set the leverage: the largest multiple of the wallet that the position may have."""
        await set_leverage(self._opened(), self._market, leverage)

    # -- inside ------------------------------------------------------------------------------

    @property
    def _budget(self) -> Budget:
        return self._opened().budget

    def _opened(self) -> Client:
        if self._client is None:
            self._client = self._open()
        return self._client

    async def _ask(
        self, name: str, params: Mapping[str, Any] | None = None, *, is_urgent: bool = True
    ) -> Any:  # noqa: ANN401 (JSON)
        answer = await self._opened().call(name, params or {}, is_urgent=is_urgent)
        return answer.content

    async def _signed(self, name: str, params: Mapping[str, Any], time_ms: int) -> Any:  # noqa: ANN401
        """Make a reading that is signed with the exchange's own time."""
        return await self._ask(name, {**params, "timestamp": time_ms, "recvWindow": WINDOW_MS})

    async def _read(self, name: str, params: Mapping[str, Any]) -> Read[Any]:
        time_ms = await self.time()
        return Read(time_ms, await self._signed(name, params, time_ms))


def open_exchange(
    symbol: str,
    quote: str,
    secrets: Secrets,
    *,
    rehearsal: Path | None = None,
    name: str = "exchange",
    sends: bool = True,
    listens: bool = True,
    stale_after_ms: int = STALE_AFTER_MS,
) -> ExchangeVenue:
    """Open the account of a fund at Binance USD-M. It sends nothing yet.

    Args:
        symbol: the perpetual in ccxt's notation, such as ``BTC/USDT:USDT``.
        quote: the series' quote asset.
        secrets: the key and the secret of the account.
        rehearsal: the folder of a rehearsal exchange; None: the real hosts.
        name: the venue's name.
        sends: whether orders are sent.
        listens: whether ``stream`` opens the exchange's streams; if not, marks are requested.
        stale_after_ms: the silence, ms, after which a stream is replaced.

    Raises:
        InputError: the symbol is not a linear perpetual in that quote, or the rehearsal is missing.
    """
    market = market_of(symbol, quote)
    if market is None:
        message = (
            f"{symbol}: expected a linear perpetual such as BTC/{quote}:{quote}, found a symbol "
            "that is none."
        )
        raise InputError(message, symbol=symbol)
    place = None
    if rehearsal is not None:
        from steelyard.venues.exchange.session import read_rehearsal

        place = read_rehearsal(rehearsal)

    def client() -> Client:
        return open_client(BINANCE_USDM, secrets, place)

    def listener(opened: Client, row: Mapping[str, Any]) -> Listener:
        return Listener(BINANCE_USDM, secrets.key, row, opened, place, stale_after_ms)

    return ExchangeVenue(
        client,
        market,
        quote,
        name=name,
        sends=sends,
        listener=listener if listens else None,
        stale_after_ms=stale_after_ms,
    )
