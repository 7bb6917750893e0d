"""What a run writes down: rows made of the effects of its steps, a bar, a trade, a flow each."""

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
    """One executed trade; nav per token, units, notional and costs of the whole fund, positive."""

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
    """One creation (tokens > 0) or redemption; quote of the party that came or went."""

    time: int
    tokens: float
    nav: float
    """Per token, before the trade."""
    fee: float
    """The issuer's."""
    notional: float
    """Exposure added or removed, signed."""
    cost: float
    """Of trading it, after what netting with a rebalance saved."""
    saved: float


class BarRow(NamedTuple):
    """The token at a bar's close; sums are since launch, quote, whole fund."""

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
    """What a reserve took in and lost, and when it was suspended (epoch s, quote)."""

    receipts: list[tuple[int, float]] = field(default_factory=list)
    """What came in: fees and trading fees (capital is not income)."""
    losses: list[tuple[int, float]] = field(default_factory=list)
    """What tokens won from it as their counterparty, net."""
    suspensions: list[tuple[int, bool]] = field(default_factory=list)
    """Each instant at which what raises leverage was suspended (true) or resumed."""

    def spans(self, since: int | None, last: int) -> list[tuple[int, int]]:
        """From when to when it was suspended, none of them empty and none touching the next.

        Args:
            since: the start of a suspension that the run began with; None: it began with none.
            last: the last clock observation, which closes a suspension that still holds.
        """
        found: list[tuple[int, int]] = []
        for time, suspended in [*self.suspensions, (last, False)]:
            if suspended:
                # resumed at this very observation, it went on
                since = found.pop()[0] if found and found[-1][1] == time else time
            elif since is not None:
                if since < time:
                    found.append((since, time))
                since = None
        return found


@dataclass
class Record(Generic[Num]):
    """What a run wrote down of one token."""

    bars: list[BarRow] = field(default_factory=list)
    traded: list[Settled[Num] | Rolled[Num]] = field(default_factory=list)
    """What was settled since ``trades`` was last asked for."""
    flows: list[FlowRow] = field(default_factory=list)
    reserve: ReserveRecord = field(default_factory=ReserveRecord)
    """Of its reserve: shared with the records of others on it."""
    _trades: list[RebalanceRow[Num]] = field(default_factory=list)

    @property
    def trades(self) -> list[RebalanceRow[Num]]:
        """One row a trade so far, made when they are asked for: most runs are asked for nav."""
        if self.traded:
            rows = (_row_of(effect) for effect in self.traded)
            self._trades += [row for row in rows if row is not None]
            self.traded.clear()
        return self._trades

    def take(self, effects: Iterable[Effect[Num]]) -> None:
        """Write down what followed from an event, of this token and of its reserve."""
        for effect in effects:
            write = WRITES.get(type(effect))
            if write is not None:
                write(self, effect)

    def mark(self, state: State[Num], price: Num) -> None:
        """Write the bar's row, marked at its close."""
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
    """The row of a trade; None where creations and redemptions cancelled, so that none was made."""
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
    # a future trades in contracts at its mark
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
