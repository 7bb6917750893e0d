"""A real account as the venue protocol: one perpetual, by REST calls that are each sent once.

Each reading is preceded by the exchange's own clock in the same call, so that it is not of an
earlier instant than it says, and its signature carries that time: this machine's clock proves
nothing. An order carries the stamp that its sender stored. Streams are not used: marks are asked
for every second, and nothing else here would be decided by them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from steelyard.errors import InputError, Rejected, Unavailable, Unknown, VenueError
from steelyard.venues.exchange.binanceusdm import (
    BINANCE_USDM,
    NO_SUCH_ORDER,
    BinanceUsdm,
)
from steelyard.venues.exchange.binanceusdm_account import (
    AccountSetup,
    read_setup,
    set_cross_margin,
    set_leverage,
    set_one_way,
)
from steelyard.venues.exchange.budget import Budget
from steelyard.venues.exchange.client import Client, open_client
from steelyard.venues.exchange.parsing import readable
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
"""Of readings: nothing comes of one that arrives late."""
MARK_EVERY_S = 1.0
DAY_MS = 86_400_000
TRADES_SPAN_MS = 7 * DAY_MS
"""One call lists trades of so long at most."""
TRADES_BACK_MS = 180 * DAY_MS
"""Older trades are not shown."""
MOVEMENTS_BACK_MS = 90 * DAY_MS
ORDERS_LATE_MS = 600_000
"""An order may be shown so much later than its trades; one that is not by then is forgotten."""
PAGE = 1_000
FEW = 3
"""So many orders are asked for one by one."""
DRY = "this is a dry run: nothing is sent without --live"


class ExchangeVenue:
    """One account, and one perpetual on it.

    Args:
        client: of the account; made when the first call is.
        market: the exchange's name of the perpetual.
        quote: in which the account is kept.
        name: of the venue.
        sends: orders are sent; without it each is refused before anything goes out.
    """

    def __init__(
        self,
        client: Callable[[], Client],
        market: str,
        quote: str,
        *,
        name: str = "exchange",
        sends: bool = True,
    ) -> None:
        self.name = name
        self._open, self._market, self._quote, self._sends = client, market, quote, sends
        self._client: Client | None = None
        self._exchange: BinanceUsdm = BINANCE_USDM
        self._ids: dict[str, str] = {}
        """The client id of each order that trades were seen of."""

    async def warm_up(self) -> None:
        """Open a connection before times are read over it, and look for the perpetual.

        An exchange that does not answer is no error here: it may, later.

        Raises:
            InputError: it has no such perpetual.
        """
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
        """What it takes of this perpetual.

        Raises:
            Rejected: it has no such linear perpetual, or does not trade it.
        """
        content = await self._ask("fapiPublicGetExchangeInfo")
        with readable():
            limits = self._exchange.limits(self._market, content)
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
        """What is held."""
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
        """Send an order, once, with the stamp that it was stored with."""
        if not self._sends:
            raise Unavailable(DRY, code="dry")
        params = self._exchange.order_params(self._market, request)
        content = await self._ask("fapiPrivatePostOrder", params, is_urgent=request.reduce_only)
        with readable():
            return self._exchange.order(content)

    async def look_up(self, client_id: str) -> Read[OrderState | None]:
        """The last order of this id."""
        params = {"symbol": self._market, "origClientOrderId": client_id}
        time_ms = await self.time()
        content = await self._found("fapiPrivateGetOrder", params, time_ms)
        if content is None:
            return Read(time_ms, None)
        with readable():
            return Read(time_ms, self._exchange.order(content))

    async def trades_since(self, since_ms: int) -> Read[tuple[Trade, ...]]:
        """All visible trades at or after ``since_ms``, as far back as the exchange shows them."""
        time_ms = await self.time()
        start, rows = max(since_ms, time_ms - TRADES_BACK_MS), dict[int, Any]()
        while start <= time_ms:
            end = start + TRADES_SPAN_MS - 1
            params = {"symbol": self._market, "startTime": start, "endTime": end}
            page = await self._page("fapiPrivateGetUserTrades", params, time_ms)
            with readable():
                rows.update({int(row["id"]): row for row in page})
                # a full page ends inside its span: trades of its last instant are asked for again
                after = int(page[-1]["time"]) if len(page) == PAGE else end + 1
            start = after if after > start else start + 1
        with readable():
            listed = [row for _, row in sorted(rows.items()) if int(row["time"]) >= since_ms]
            orders = {int(row["orderId"]): int(row["time"]) for row in listed}
        await self._learn_ids(orders, time_ms)
        with readable():
            trades = [self._trade(row) for row in listed]
        return Read(time_ms, tuple(sorted(trades, key=lambda each: each.time_ms)))

    async def movements_since(self, since_ms: int) -> Read[tuple[Movement, ...]]:
        """All visible money movements at or after ``since_ms``, of the account's quote."""
        time_ms = await self.time()
        start = max(since_ms, time_ms - MOVEMENTS_BACK_MS)
        rows, number = list[Any](), 0
        while len(rows) == number * PAGE:
            number += 1
            params = {"startTime": start, "page": number}
            rows += await self._page("fapiPrivateGetIncome", params, time_ms)
        with readable():
            found = [self._exchange.movement(row) for row in rows]
        kept = {
            each.movement_id: each
            for each in found
            if each.asset == self._quote and each.time_ms >= since_ms
        }
        return Read(time_ms, tuple(sorted(kept.values(), key=lambda each: each.time_ms)))

    async def stream(self) -> AsyncIterator[Heard]:
        """The mark, asked for every second; a call that fails is a mark that is missing."""
        while True:
            mark = None
            with contextlib.suppress(VenueError):
                mark = await self.mark()
            if mark is not None:
                yield mark
            await asyncio.sleep(MARK_EVERY_S)

    async def close(self) -> None:
        """Give the connections back."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def setup(self) -> AccountSetup:
        """How the account is set up.

        Raises:
            VenueError: a reading failed.
        """
        return await read_setup(self._opened(), self._market)

    async def set_one_way(self) -> None:
        """One position a symbol."""
        await set_one_way(self._opened())

    async def set_cross_margin(self) -> None:
        """The whole wallet is the margin."""
        await set_cross_margin(self._opened(), self._market)

    async def set_leverage(self, leverage: int) -> None:
        """The most that the position may be of the wallet."""
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
        """A reading, signed by the exchange's own clock."""
        return await self._ask(name, {**params, "timestamp": time_ms, "recvWindow": WINDOW_MS})

    async def _read(self, name: str, params: Mapping[str, Any]) -> Read[Any]:
        time_ms = await self.time()
        return Read(time_ms, await self._signed(name, params, time_ms))

    async def _found(self, name: str, params: Mapping[str, Any], time_ms: int) -> Any:  # noqa: ANN401
        """A reading of one order; None: the exchange says that there is none."""
        try:
            return await self._signed(name, params, time_ms)
        except Rejected as error:
            if error.details.get("code") == NO_SUCH_ORDER:
                return None
            raise

    async def _page(self, name: str, params: Mapping[str, Any], time_ms: int) -> Sequence[Any]:
        content = await self._signed(name, {**params, "limit": PAGE}, time_ms)
        if not isinstance(content, list):
            raise Unknown("the answer cannot be read (no list)")
        return content

    def _trade(self, row: Mapping[str, Any]) -> Trade:
        return self._exchange.trade(self._quote, self._ids[str(row["orderId"])], row)

    async def _learn_ids(self, orders: Mapping[int, int], time_ms: int) -> None:
        """Trades name the exchange's order: ask for the client ids of those that are new.

        Args:
            orders: the time of a trade of each.
            time_ms: the exchange's clock.

        Raises:
            Unknown: an order is not shown yet. A trade of the order that is followed must not be
                taken for somebody else's meanwhile.
        """
        new = sorted(each for each in orders if str(each) not in self._ids)
        first = new[0] if len(new) > FEW else None
        while first is not None:
            params = {"symbol": self._market, "orderId": first}
            page = await self._page("fapiPrivateGetAllOrders", params, time_ms)
            with readable():
                self._ids.update(map(_ids_of, page))
                last = int(page[-1]["orderId"]) if page else new[-1]
            first = last + 1 if last < new[-1] else None
        for each in new:
            if str(each) in self._ids:
                continue
            params = {"symbol": self._market, "orderId": each}
            found = await self._found("fapiPrivateGetOrder", params, time_ms)
            if found is None and orders[each] > time_ms - ORDERS_LATE_MS:
                raise Unknown(f"the order {each}, of which there is a trade, is not shown yet")
            # an order is forgotten after 90 days, its trades are not
            self._ids[str(each)] = f"order-{each}"
            if found is not None:
                with readable():
                    self._ids.update([_ids_of(found)])


def _ids_of(order: Mapping[str, Any]) -> tuple[str, str]:
    return str(order["orderId"]), str(order["clientOrderId"])


def open_exchange(
    symbol: str,
    quote: str,
    secrets: Secrets,
    *,
    rehearsal: Path | None = None,
    name: str = "exchange",
    sends: bool = True,
) -> ExchangeVenue:
    """The account of a fund at Binance USD-M. Nothing is sent yet.

    Args:
        symbol: as ccxt writes it, ``BTC/USDT:USDT``.
        quote: of the series.
        secrets: key and secret of the account.
        rehearsal: the folder of a rehearsal exchange; None: the real hosts.
        name: of the venue.
        sends: orders are sent.

    Raises:
        InputError: the symbol is no linear perpetual in that quote, or the rehearsal is not there.
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

    return ExchangeVenue(client, market, quote, name=name, sends=sends)
