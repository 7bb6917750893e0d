"""The reference engine: SPEC 2 as a driver of ``steelyard.fund``, in the order of the text.

It is the oracle for every faster engine, for any kind of number, and for one fund or several that
share a reserve. It decides nothing: it tells the fund, bar by bar, what was observed and which
thresholds were crossed, and records the effects.

Between the path prices of a bar the price is continuous: emergency, band, move and liquidation
act at the exact price at which they first hold, in the order in which these prices are reached,
across all funds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic

from steelyard.fund.effects import Effect
from steelyard.fund.events import Arrived, Crossed, Event, Inputs, Observed, Visited
from steelyard.fund.group import Fund, Group
from steelyard.fund.state import State
from steelyard.fund.step import step
from steelyard.fund.terms import Impact, fund_terms
from steelyard.fund.thresholds import next_crossing
from steelyard.rules.numbers import Num, Number
from steelyard.rules.series import Series
from steelyard.rules.triggers import Crossing, Trigger
from steelyard.simulation.conditions import NO_MARKET, MarketConditions
from steelyard.simulation.fills import ModelFills
from steelyard.simulation.inside_bars import (
    MOST_REBALANCES,
    has_acted,
    is_one_price,
    refuse_endless,
    travel,
)
from steelyard.simulation.record import Record
from steelyard.simulation.schedule import Schedule

if TYPE_CHECKING:
    from steelyard.ledger.recorder import Recorder

__all__ = ["Member", "Replay", "member_of"]


@dataclass(eq=False)
class Member(Generic[Num]):
    """A fund in a replay: its scheduled events, the market it trades on, and its rows."""

    fund: Fund[Num]
    schedule: Schedule[Num]
    market: MarketConditions
    record: Record[Num] = field(default_factory=Record)

    def __post_init__(self) -> None:
        # asked at every bar; most funds pay no interest and have constant impact
        self._is_plain = not self.fund.terms.has_interest and self.market.conditions is None

    @property
    def series(self) -> Series:
        """The token."""
        return self.fund.terms.series

    @property
    def state(self) -> State[Num]:
        """The state of the fund."""
        return self.fund.state

    def inputs(self, time: int, bar: int) -> Inputs[Num]:
        """The inputs that fell due since its last scheduled observation, up to ``time``."""
        since, schedule = self.fund.state.time, self.schedule
        if self._is_plain:
            return schedule.inputs_between(since, time)
        with_rates = self.fund.terms.has_interest
        return schedule.inputs_between(since, time, with_rates, self.impact(bar))

    def impact(self, bar: int) -> Impact[Num] | None:
        """Its impact at a bar; None if its impact does not follow the market."""
        if self.market.conditions is None:
            return None
        of = self.fund.terms.number.of
        coefficient, volume = self.market.conditions.at(bar)
        return of(coefficient), of(volume)


def member_of(
    series: Series,
    number: Number[Num],
    schedule: Schedule[Num],
    state: State[Num],
    market: MarketConditions = NO_MARKET,
) -> Member[Num]:
    """A fund that starts from ``state``, which is changed in place."""
    return Member(Fund(fund_terms(series, number, market.book), state), schedule, market)


class Replay(Generic[Num]):
    """Runs funds through a history together, observation by observation.

    Args:
        members: the funds in the order in which they act; several funds share a reserve.
        injections: the schedule of payments into that reserve; None uses that of the first fund.
        reserve_name: name of a shared reserve.
    """

    def __init__(
        self,
        members: Sequence[Member[Num]],
        injections: Schedule[Num] | None = None,
        reserve_name: str | None = None,
    ) -> None:
        self.members: tuple[Member[Num], ...] = tuple(members)
        funds = [member.fund for member in members]
        self.group: Group[Num] = Group(funds, ModelFills(), reserve_name)
        self.bar = 0
        """The index of the current bar, as the market's conditions count bars."""
        self.recorder: Recorder | None = None
        """The recorder that writes the journal; None if there is no journal."""
        self._injections: Schedule[Num] = injections or members[0].schedule
        self._records: dict[str, Record[Num]] = {
            member.fund.terms.symbol: member.record for member in members
        }
        for member in members:
            member.record.reserve = members[0].record.reserve
        self._records[self.group.name] = members[0].record
        self._only: Record[Num] | None = members[0].record if len(members) == 1 else None

    @property
    def fears_falls(self) -> bool:
        """Whether a fall hurts the funds in total; a bar's low is then visited before its high."""
        return sum(_exposure(member.series) for member in self.members) > 0

    def write_into(self, recorder: Recorder | None) -> None:
        """Record each step, with the fills that it asked for, in a journal."""
        self.recorder = recorder
        if recorder is not None:
            recorder.attach(self.group)

    # -- the two kinds of step -----------------------------------------------------------------

    def observe(self, time: int, price: Num) -> None:
        """Make a scheduled observation, at which everything may act."""
        members, group = self.members, self.group
        first, schedule = members[0], members[0].schedule
        alive = first.fund
        if alive.state.ended is not None:
            living = group.living
            if not living:
                return
            alive = living[0]
        injections: tuple[tuple[Num, bool], ...] = ()
        if group.terms is not None and alive.state.time is not None:
            injections = self._injections.injections_between(alive.state.time, time)
        # inputs of the first fund, which in most replays is the only one
        inputs: tuple[Inputs[Num], ...] = (first.inputs(time, self.bar),)
        if self._only is None:
            inputs += tuple([member.inputs(time, self.bar) for member in members[1:]])
        is_out = schedule.has_outages and schedule.is_out(time)
        self._step(Observed(time, price, is_out, injections, inputs))

    def travel(self, time: int, start: Num, end: Num) -> None:
        """Move the price from ``start`` to ``end`` inside a bar, through all prices in between."""
        if len(self.members) == 1:
            is_out = self.members[0].schedule.is_out(time)
            travel(self.group.funds[0], self._step, is_out, time, start, end)
        else:
            self._travel_together(time, start, end)

    def mark(self, price: Num) -> None:
        """Record the bar's row of each fund, with the figures at its close."""
        for member in self.members:
            member.record.mark(member.fund.state, price)

    # -- price moves inside a bar --------------------------------------------------------------

    def _travel_together(self, time: int, start: Num, end: Num) -> None:
        funds = self.group.funds
        spent = dict.fromkeys(range(len(funds)), 0)
        stood: dict[int, Num] = {}
        rebalances = 0
        while any(fund.state.ended is None for fund in funds):
            due = self._earliest(time, start, end, spent)
            if not due:
                self._step(Arrived(time, end))
                return
            start = due[0][1].price
            self._step(Visited(time, start))
            held = [fund.state.units for fund in funds]
            for place, met in due:
                if spent[place] and is_one_price(stood[place], start):
                    # the same crossing as the one before, which named it and traded nothing
                    spent[place] |= 1 << met.trigger
                    continue
                if funds[place].state.units != held[place]:
                    # another fund's trade made it deleverage here: its crossing must be found again
                    continue
                stood[place] = start
                if self._cross(time, start, place, met.trigger):
                    # a trade changes the books of one fund, and those of all through the reserve
                    spent = dict.fromkeys(spent, 0)
                    rebalances += 1
                else:
                    spent[place] |= 1 << met.trigger
            if rebalances > MOST_REBALANCES:
                refuse_endless(funds[due[0][0]].terms.symbol, due[0][1].trigger)

    def _earliest(
        self, time: int, start: Num, end: Num, spent: dict[int, int]
    ) -> list[tuple[int, Crossing[Num]]]:
        """The crossings at the earliest price among all funds, each with the index of its fund."""
        found: list[tuple[int, Crossing[Num]]] = []
        for place, member in enumerate(self.members):
            if member.fund.state.ended is None:
                is_out = member.schedule.is_out(time)
                met = next_crossing(member.fund, is_out, start, end, spent[place])
                if met.trigger != Trigger.NONE:
                    found.append((place, met))
        if not found:
            return []
        prices = [met.price for _, met in found]
        earliest = min(prices) if end > start else max(prices)
        return [(place, met) for place, met in found if is_one_price(met.price, earliest)]

    def _cross(self, time: int, price: Num, place: int, trigger: int) -> bool:
        """Whether the rule that holds at a crossing ended a fund, traded or sent an order."""
        return has_acted(self._step(Crossed(time, price, place, trigger)))

    def _step(self, event: Event[Num]) -> list[Effect[Num]]:
        """Pass an event to the funds, and record its effects."""
        effects = step(self.group, event)
        if self.recorder is not None:
            self.recorder.step(event, effects)
        self._take(effects)
        return effects

    def _take(self, effects: Sequence[Effect[Num]]) -> None:
        if self._only is not None:
            if effects:
                self._only.take(effects)
            return
        for effect in effects:
            self._records[effect.fund].take((effect,))


def _exposure(series: Series) -> float:
    return series.target_leverage * series.initial_nav * series.initial_tokens
