"""The rows that a run records from the effects of its steps: bars, trades and flows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple

from steelyard.fund.effects import (
    Allocated,
    Effect,
    Injected,
    PriceSettled,
    Resumed,
    Rolled,
    Settled,
    Suspended,
)
from steelyard.fund.state import State
from steelyard.rules.costs import TradeCost
from steelyard.rules.flows import is_nothing_sent
from steelyard.rules.leverage import leverage_of, nav_of
from steelyard.rules.numbers import Num
from steelyard.rules.triggers import Trigger

__all__ = ["BarRow", "FlowRow", "RebalanceRow", "Record", "ReserveRecord"]

TRIGGER_NAMES = {int(trigger): trigger.name.lower() for trigger in Trigger}


class RebalanceRow(NamedTuple, Generic[Num]):
    """One executed trade.

    Nav is per token; units, notional and costs are of the whole fund and positive.
    """

    time: int
    trigger: str
    side: str
    units: Num
    price: Num
    notional: Num
    leverage_before: Num
    leverage_after: Num
    nav_before: Num
    nav_after: Num
    fee: Num
    spread: Num
    impact: Num
    gas: Num
    paid_by_reserve: Num


class FlowRow(NamedTuple):
    """One creation (tokens > 0) or redemption; quote amounts are those of its order."""

    time: int
    tokens: float
    nav: float
    """Nav per token before the trade."""
    fee: float
    """The issuer's fee."""
    notional: float
    """The exposure that was added or removed, signed."""
    cost: float
    """The cost of trading that exposure, after what netting with a rebalance saved."""
    saved: float


class BarRow(NamedTuple):
    """The token at a bar's close; sums are since launch, in quote, of the whole fund."""

    nav: float
    leverage: float
    tokens: float
    split: float
    reserve: float
    funding: float
    interest: float
    management: float


@dataclass
class ReserveRecord:
    """What a reserve received and lost, and when it was suspended (epoch seconds, quote)."""

    receipts: list[tuple[int, float]] = field(default_factory=list)
    """Receipts: fees and trading fees; capital is not counted as income."""
    losses: list[tuple[int, float]] = field(default_factory=list)
    """The net amounts that tokens won from the reserve as their counterparty."""
    suspensions: list[tuple[int, bool]] = field(default_factory=list)
    """The instants at which raising leverage was suspended (True) or resumed (False)."""

    def spans(self, since: int | None, last: int) -> list[tuple[int, int]]:
        """The spans in which it was suspended; none is empty, and none touches the next.

        Args:
            since: start of a suspension that was in force when the run began; None if there was
                none.
            last: the last scheduled observation, which closes a suspension that is still in force.
        """
        found: list[tuple[int, int]] = []
        for time, suspended in [*self.suspensions, (last, False)]:
            if suspended:
                # a suspension that ended at this very observation goes on without a break
                since = found.pop()[0] if found and found[-1][1] == time else time
            elif since is not None:
                if since < time:
                    found.append((since, time))
                since = None
        return found


@dataclass
class Record(Generic[Num]):
    """The rows that a run recorded of one token."""

    bars: list[BarRow] = field(default_factory=list)
    traded: list[Settled[Num] | Rolled[Num]] = field(default_factory=list)
    """The trades since ``trades`` was last read."""
    flows: list[FlowRow] = field(default_factory=list)
    reserve: ReserveRecord = field(default_factory=ReserveRecord)
    """The record of its reserve, shared with the other tokens on that reserve."""
    _trades: list[RebalanceRow[Num]] = field(default_factory=list)

    @property
    def trades(self) -> list[RebalanceRow[Num]]:
        """One row per trade so far, made on demand, because most callers only need nav."""
        if self.traded:
            rows = (_row_of(effect) for effect in self.traded)
            self._trades += [row for row in rows if row is not None]
            self.traded.clear()
        return self._trades

    def take(self, effects: Iterable[Effect[Num]]) -> None:
        """Record the effects of an event on this token and its reserve."""
        for effect in effects:
            write = WRITES.get(type(effect))
            if write is not None:
                write(self, effect)

    def mark(self, state: State[Num], price: Num) -> None:
        """Record the bar's row, with the figures at its close."""
        sums = state.totals
        leverage = 0.0
        if state.ended is None:
            leverage = float(leverage_of(state.cash, state.units, price))
        self.bars.append(
            BarRow(
                float(nav_of(state.cash, state.units, price) / state.tokens),
                leverage,
                float(state.tokens),
                float(state.split),
                float(state.reserve.units),
                float(sums.funding),
                float(sums.interest),
                float(sums.management),
            )
        )


def _settled(record: Record[Num], effect: Settled[Num]) -> None:
    if effect.creations:
        record.flows += [FlowRow(each.time, *map(float, each[1:7])) for each in effect.creations]
    if effect.received != 0:
        record.reserve.receipts.append((effect.time, float(effect.received)))
    record.traded.append(effect)


def _rolled(record: Record[Num], effect: Rolled[Num]) -> None:
    record.traded.append(effect)


def _row_of(effect: Settled[Num] | Rolled[Num]) -> RebalanceRow[Num] | None:
    """The row of a trade; None if creations and redemptions cancelled and nothing was traded."""
    if isinstance(effect, Rolled):
        first, second = effect.costs
        both = TradeCost(*(a + b for a, b in zip(first, second, strict=True)))
        return _row(effect, "roll", effect.notional, effect.traded, both)
    sent, sizes = effect.sent, abs(effect.notional)
    for each in effect.creations:
        sizes += abs(each.notional)
    if is_nothing_sent(sent, sizes):
        return None
    return _row(effect, TRIGGER_NAMES[effect.trigger], sent, abs(sent), effect.cost)


def _row(
    effect: Settled[Num] | Rolled[Num],
    trigger: str,
    sent: Num,
    notional: Num,
    cost: TradeCost[Num],
) -> RebalanceRow[Num]:
    # a future is traded in contracts at its mark price
    marked = effect.price * effect.mark
    tokens = effect.tokens
    fee, spread, impact, gas, paid_by_reserve, _ = cost
    return RebalanceRow(
        effect.time,
        trigger,
        "buy" if sent > 0 else "sell",
        abs(sent) / marked,
        marked,
        notional,
        effect.leverage_before,
        effect.leverage_after,
        effect.nav_before / tokens,
        effect.nav_after / tokens,
        fee,
        spread,
        impact,
        gas,
        paid_by_reserve,
    )


def _allocated(record: Record[Num], effect: Allocated[Num]) -> None:
    record.reserve.receipts.append((effect.time, float(effect.quote)))


def _injected(record: Record[Num], effect: Injected[Num]) -> None:
    if not effect.is_capital:
        record.reserve.receipts.append((effect.time, float(effect.quote)))


def _price_settled(record: Record[Num], effect: PriceSettled[Num]) -> None:
    if effect.paid != 0:
        record.reserve.losses.append((effect.time, float(effect.paid)))


def _suspended(record: Record[Num], effect: Suspended[Num]) -> None:
    record.reserve.suspensions.append((effect.time, True))


def _resumed(record: Record[Num], effect: Resumed[Num]) -> None:
    record.reserve.suspensions.append((effect.time, False))


WRITES: dict[type, Callable[[Record[Any], Any], None]] = {
    Settled: _settled,
    Rolled: _rolled,
    Allocated: _allocated,
    Injected: _injected,
    PriceSettled: _price_settled,
    Suspended: _suspended,
    Resumed: _resumed,
}
