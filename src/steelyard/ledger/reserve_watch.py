"""The hourly health of a reserve (SPEC 4), from its payments, receipts and values.

The formulas are those of ``steelyard.rules.reserve``. This module keeps the history that they need:
payments and values of 24 hours, and the net payment of 30 days.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from steelyard.fund.effects import (
    Allocated,
    Effect,
    Injected,
    Passed,
    PriceSettled,
    Rolled,
    Settled,
)
from steelyard.ledger.fold import Books
from steelyard.rules.leverage import nav_of
from steelyard.rules.reserve import health_figures

__all__ = ["RUNWAY_S", "ReserveWatch"]

DAY_S = 86_400
MOVING = frozenset({Settled, Rolled, PriceSettled, Passed, Allocated, Injected})
RUNWAY_S = 30 * DAY_S


class ReserveWatch:
    """The history that the health of one reserve needs."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._paid: deque[tuple[int, Any]] = deque()
        """The costs of rebalances that it paid in 30 days."""
        self._net: deque[tuple[int, Any]] = deque()
        """The same costs, plus the gains of funds and less receipts."""
        self._values: deque[tuple[int, Any]] = deque()
        """The values at each full hour of the last day, after the value at launch."""
        self._launched: int | None = None

    def launch(self, time: int, value: Any) -> None:  # noqa: ANN401 (a kind of number)
        """Record the launch of the reserve with this value (quote)."""
        self._launched = time
        self._values.append((time, value))

    def see_value(self, time: int, value: Any) -> None:  # noqa: ANN401
        """Record the reserve's value (quote) at a full hour."""
        self._values.append((time, value))

    def take(self, effects: Sequence[Effect[Any]]) -> None:
        """Record the reserve's payments and receipts."""
        for effect in effects:
            if type(effect) not in MOVING:
                continue
            time: int = effect.time  # type: ignore[union-attr]  # each of these has one
            paid = lost = received = None
            if isinstance(effect, Settled):
                paid, received = effect.cost.paid_by_reserve, effect.received
            elif isinstance(effect, Rolled):
                paid = effect.costs[0].paid_by_reserve + effect.costs[1].paid_by_reserve
            elif isinstance(effect, PriceSettled):
                lost = effect.paid
            elif isinstance(effect, Passed) and effect.settled is not None:
                lost = effect.settled.paid
            elif isinstance(effect, Allocated) or (
                isinstance(effect, Injected) and not effect.is_capital
            ):
                received = effect.quote
            if paid:
                self._paid.append((time, paid))
            for amount, sign in ((paid, 1), (lost, 1), (received, -1)):
                if amount:
                    self._net.append((time, sign * amount))

    def health(self, time: int, price: Any) -> dict[str, Any]:  # noqa: ANN401
        """The figures at a full hour; its value is recorded for the later hours."""
        books, number = self._books, self._books.number
        held, pool = books.funds[0].state.reserve, books.pool
        assert pool is not None  # noqa: S101 (only reserves are watched)
        value, floor, nav = held.units * price, number.of(pool.floor_ratio), price * 0
        for each in books.funds:
            if each.state.ended is None:
                nav = nav + nav_of(each.state.cash, each.state.units, price)
        nothing, day_ago = price * 0, time - DAY_S
        for kept, since in ((self._paid, day_ago), (self._net, time - RUNWAY_S)):
            while kept and kept[0][0] <= since:
                kept.popleft()
        while len(self._values) > 1 and self._values[1][0] <= day_ago:
            self._values.popleft()
        pools = [each.state for each in books.funds if each.series.venue.kind == "pool"]
        open_units = _sum(((0, state.units) for state in pools), nothing)
        lived = min(time - (self._launched or time), RUNWAY_S)
        net = _sum(self._net, nothing) * DAY_S / lived if lived > 0 else nothing
        figures = health_figures(
            value,
            nav,
            floor,
            _sum(self._paid, nothing),
            self._values[0][1] if self._values else nothing,
            net,
            bool(pools),
            open_units * price,
        )
        self._values.append((time, value))
        return {
            "price": price,
            "units": held.units,
            "value": value,
            "nav": nav,
            **figures._asdict(),
            "suspended": held.suspended,
        }


def _sum(rows: Any, nothing: Any) -> Any:  # noqa: ANN401
    total = nothing
    for _, amount in rows:
        total = total + amount
    return total
