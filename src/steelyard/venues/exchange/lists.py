"""The lists of an account at an exchange: trades, orders and money movements, page by page.

A span of seven days that is over is read once, since nothing is added to it any more. So even the
complete list, which is read repeatedly before a launch, takes only a few calls.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from steelyard.errors import Rejected, Unknown
from steelyard.venues.exchange.binanceusdm import NO_SUCH_ORDER, BinanceUsdm
from steelyard.venues.exchange.parsing import readable
from steelyard.venues.protocol import Movement, OrderState, Trade

__all__ = ["AccountLists"]

DAY_MS = 86_400_000
SPAN_MS = 7 * DAY_MS
"""The longest time whose trades one call lists."""
TRADES_BACK_MS = 180 * DAY_MS
"""The exchange does not list older trades."""
MOVEMENTS_BACK_MS = 90 * DAY_MS
ORDERS_LATE_MS = 600_000
"""An order may appear this much later than its trades; after that it is treated as deleted."""
LATE_MS = 3_600_000
"""A span is treated as over this long after its end."""
PAGE = 1_000
FEW = 3
"""Up to this many orders are looked up one by one."""

Signed = Callable[[str, Mapping[str, Any], int], Awaitable[Any]]
"""Makes a reading: given the endpoint's name, parameters, and the exchange's time to sign, ms."""


class AccountLists:
    """The lists of one account, and of one perpetual on it.

    Args:
        exchange: the traits of the exchange.
        market: the exchange's name of the perpetual.
        quote: the account's quote asset.
        signed: makes a reading.
    """

    def __init__(self, exchange: BinanceUsdm, market: str, quote: str, signed: Signed) -> None:
        self._exchange, self._market, self._quote, self._signed = exchange, market, quote, signed
        self._ids: dict[str, str] = {}
        """The client id of each order whose trades were seen, by the exchange's id."""
        self._past: dict[int, list[Any]] = {}
        """The trades of spans that are over, by the span's number."""

    async def trades(self, since_ms: int, time_ms: int) -> tuple[Trade, ...]:
        """All visible trades at or after ``since_ms``, as far back as the exchange shows them."""
        start, rows = max(since_ms, time_ms - TRADES_BACK_MS), dict[int, Any]()
        for number in range(start // SPAN_MS, time_ms // SPAN_MS + 1):
            begins = number * SPAN_MS
            span = self._past.get(number)
            if span is None:
                span = await self._span(max(start, begins), begins + SPAN_MS - 1, time_ms)
            if start <= begins and begins + SPAN_MS + LATE_MS < time_ms:
                self._past[number] = span
            with readable():
                rows.update({int(row["id"]): row for row in span})
        with readable():
            listed = [row for _, row in sorted(rows.items()) if int(row["time"]) >= since_ms]
            orders = {int(row["orderId"]): int(row["time"]) for row in listed}
        await self._learn_ids(orders, time_ms)
        with readable():
            trades = [self._trade(row) for row in listed]
        return tuple(sorted(trades, key=lambda each: each.time_ms))

    async def _span(self, start: int, end: int, time_ms: int) -> list[Any]:
        """The trades of a span that one call may list."""
        rows = list[Any]()
        while start <= end:
            params = {"symbol": self._market, "startTime": start, "endTime": end}
            page = await self._page("fapiPrivateGetUserTrades", params, time_ms)
            rows += page
            with readable():
                # after a full page, trades of its last instant are requested again
                after = int(page[-1]["time"]) if len(page) == PAGE else end + 1
            if after <= start:
                rows += await self._rest_of(start, page, time_ms)
                after = start + 1
            start = after
        return rows

    async def _rest_of(self, instant: int, page: Sequence[Any], time_ms: int) -> list[Any]:
        """The trades of one instant that a full page of it left out: a large order has as many.

        Raises:
            Unknown: the list does not go on by the ids.
        """
        rows = list[Any]()
        while True:
            with readable():
                last, is_over = int(page[-1]["id"]), int(page[-1]["time"]) > instant
            if is_over:
                return rows
            params = {"symbol": self._market, "fromId": last + 1}
            page = await self._page("fapiPrivateGetUserTrades", params, time_ms)
            with readable():
                rows += [row for row in page if int(row["time"]) == instant]
                if page and int(page[-1]["id"]) <= last:
                    raise Unknown("the list of trades does not go on by their ids")
            if len(page) < PAGE:
                return rows

    async def movements(self, since_ms: int, time_ms: int) -> tuple[Movement, ...]:
        """All visible money movements at or after ``since_ms`` in the account's quote."""
        start = max(since_ms, time_ms - MOVEMENTS_BACK_MS)
        rows, number = list[Any](), 0
        while len(rows) == number * PAGE:
            number += 1
            params = {"startTime": start, "page": number}
            rows += await self._page("fapiPrivateGetIncome", params, time_ms)
        with readable():
            # by the time of the record: funding is dated back to when it was due
            found = [self._exchange.movement(row) for row in rows if int(row["time"]) >= since_ms]
        kept = {each.movement_id: each for each in found if each.asset == self._quote}
        return tuple(sorted(kept.values(), key=lambda each: each.time_ms))

    async def order(self, which: Mapping[str, Any], time_ms: int) -> OrderState | None:
        """One order; None: the exchange states that there is none."""
        content = await self._found(which, time_ms)
        if content is None:
            return None
        with readable():
            return self._exchange.order(content)

    async def _found(self, which: Mapping[str, Any], time_ms: int) -> Any:  # noqa: ANN401 (JSON)
        params = {"symbol": self._market, **which}
        try:
            return await self._signed("fapiPrivateGetOrder", params, time_ms)
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
        """Look up the client ids of orders that are new, since trades have only the exchange's ids.

        Args:
            orders: the time of one trade of each order, ms, by the exchange's id.
            time_ms: the exchange's clock, ms.

        Raises:
            Unknown: an order is not visible yet. Meanwhile a trade of the open order must not be
                taken for a trade of another origin.
        """
        new = sorted(each for each in orders if str(each) not in self._ids)
        first = new[0] if len(new) > FEW else None
        while first is not None:
            params = {"symbol": self._market, "orderId": first}
            page = await self._page("fapiPrivateGetAllOrders", params, time_ms)
            with readable():
                self._ids.update(map(_ids_of, page))
                last = int(page[-1]["orderId"]) if page else new[-1]
            first = last + 1 if first <= last < new[-1] else None
        for each in new:
            if str(each) in self._ids:
                continue
            found = await self._found({"orderId": each}, time_ms)
            if found is None and orders[each] > time_ms - ORDERS_LATE_MS:
                raise Unknown(f"the order {each}, of which there is a trade, is not shown yet")
            # the exchange deletes an order after 90 days, but not its trades
            self._ids[str(each)] = f"order-{each}"
            if found is not None:
                with readable():
                    self._ids.update([_ids_of(found)])


def _ids_of(order: Mapping[str, Any]) -> tuple[str, str]:
    return str(order["orderId"]), str(order["clientOrderId"])
