"""Random lives of live funds: what is observed, and a venue that fills orders as venues do.

Fills come whole, in pieces, in part, better than the mark, for more than was asked, after the end,
for no order at all, or not. A life is drawn in whole figures first, so that the same one can be
lived in any kind of number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any, NamedTuple

from hypothesis import strategies as st

from steelyard.fund.effects import Effect
from steelyard.fund.events import (
    Charges,
    Event,
    Filled,
    Inputs,
    Liquidated,
    MoneyMoved,
    Observed,
    Paused,
    Traded,
)
from steelyard.fund.group import Fund, Group
from steelyard.fund.state import State, new_state
from steelyard.fund.step import step
from steelyard.fund.terms import fund_terms
from steelyard.rules.numbers import Number
from steelyard.rules.series import (
    Band,
    Costs,
    Daily,
    Execution,
    Fees,
    Interval,
    Move,
    Reserve,
    Series,
    Venue,
)
from steelyard.rules.triggers import Trigger
from support.tokens import T0, token

__all__ = ["RESERVE", "Life", "funds", "group_of", "lives", "stopped_and_continued"]

HOUR_S = 3_600
RESERVE = "reserve:shared"

Look = Callable[[Group, Event, list[Effect]], None]


def funds(*kinds: str) -> st.SearchStrategy[list[Series]]:
    """One series, or several on one reserve, each on one of these venues."""
    return st.lists(st.sampled_from(kinds).flatmap(_series), min_size=1, max_size=3).map(_named)


@st.composite
def _series(draw: st.DrawFn, kind: str) -> Series:
    target = draw(st.sampled_from([-2.0, -1.0, 2.0, 3.0]))
    size = abs(target)
    return token(
        target,
        band=draw(st.sampled_from([None, Band(0.9 * size, 1.1 * size)])),
        move=draw(st.sampled_from([None, Move(0.05)])),
        daily=draw(st.sampled_from([None, Daily(0)])),
        interval=draw(st.sampled_from([None, Interval(2 * HOUR_S)])),
        emergency_leverage=draw(st.sampled_from([0.0, 1.5 * size])),
        max_trade_notional=draw(st.sampled_from([0.0, 20_000.0])),
        venue=Venue(kind=kind, basis_per_year=0.1 if kind == "future" else 0.0),
        costs=Costs(
            taker_fee_bps=draw(st.sampled_from([0.0, 5.0])),
            half_spread_bps=draw(st.sampled_from([0.0, 3.0])),
            gas_per_rebalance=draw(st.sampled_from([0.0, 2.0])),
        ),
        execution=Execution(delay_s=draw(st.sampled_from([0, HOUR_S]))),
        fees=Fees(management_per_year=0.02, creation_bps=10.0, redemption_bps=20.0),
        reserve=Reserve(
            initial_units=draw(st.sampled_from([0.0, 5.0, 4_000.0])) if kind != "pool" else 9_000.0,
            bears=draw(st.sampled_from([("spread", "gas"), ("fee", "spread", "impact", "gas")])),
        ),
    )


def _named(series: list[Series]) -> list[Series]:
    """Different symbols, and the reserve of the first that has the most."""
    shared = max((each.reserve for each in series), key=lambda each: each.initial_units)
    return [replace(each, symbol=f"T{place}", reserve=shared) for place, each in enumerate(series)]


def group_of(series: list[Series], number: Number, states: list[State] | None = None) -> Group:
    """Live funds on one reserve, from ``states`` or before their launch."""
    if states is None:
        first = new_state(series[0], number)
        states = [first, *(new_state(each, number, first.reserve) for each in series[1:])]
    held = zip(series, states, strict=True)
    name = RESERVE if len(series) > 1 else None
    return Group([Fund(fund_terms(each, number), state) for each, state in held], None, name)


def copies_of(group: Group) -> list[State]:
    """The states of a group as a store would give them back: their own, on one reserve."""
    states = [fund.state.copy() for fund in group.funds]
    for state in states:
        state.reserve = states[0].reserve
    return states


def stopped_and_continued(group: Group) -> Group:
    """A group that knows nothing but the states of the one that stopped."""
    series = [fund.terms.series for fund in group.funds]
    return group_of(series, group.funds[0].terms.number, copies_of(group))


class Life(NamedTuple):
    """Series, and the chances that make their life; ``live`` may be called again and again."""

    series: list[Series]
    seed: int
    hours: int

    def on(self, kind: str) -> Life:
        """The same life on one venue."""
        reserve = self.series[0].reserve
        if kind == "pool":
            reserve = replace(reserve, initial_units=9_000.0)
        venue = Venue(kind=kind, basis_per_year=0.1 if kind == "future" else 0.0)
        moved = [replace(each, venue=venue, reserve=reserve) for each in self.series]
        return self._replace(series=moved)

    def live(self, number: Number, look: Look | None = None, *, stops: bool = False) -> Group:
        """Live it in a kind of number, and show ``look`` each event with what followed."""
        chance = Random(self.seed)  # noqa: S311 (a life, no secret)
        group = group_of(self.series, number)
        price = 100
        with number.context():
            for hour in range(self.hours):
                price = max(5, price + chance.choice([-12, -5, -1, 0, 1, 4, 9]))
                for told in self._events(group, chance, hour, number.of(price)):
                    event = told(group) if callable(told) else told
                    if event is None:
                        continue
                    effects = step(group, event)
                    if look is not None:
                        look(group, event, effects)
                    if stops:
                        group = stopped_and_continued(group)
        return group

    def _events(self, group: Group, chance: Random, hour: int, price: Any) -> Any:
        """What happens in an hour; the venue sees the orders that are open by then."""
        of, time = group.funds[0].terms.number.of, T0 + HOUR_S * (hour + 1)
        rates = tuple(_inputs(fund, chance, hour, self.hours) for fund in group.funds)
        injections = ((of(500), True),) if chance.random() < 0.1 else ()
        yield Observed(time, price, chance.random() < 0.1, injections, rates)
        places = range(len(group.funds))
        for place in places:
            for _ in range(chance.choice([1, 1, 2, 3])):
                # of the order that is open by then
                yield partial(_fill, place=place, chance=chance, time=time, price=price)
            if chance.random() < 0.06:
                yield partial(_trade, place=place, chance=chance, time=time, price=price)
            if chance.random() < 0.06:
                what, amount = chance.choice(MOVED), of(chance.choice([-7, 3]))
                yield MoneyMoved(time, price, what, amount, place)
            if chance.random() < 0.06:
                yield Paused(time, chance.random() < 0.5, place)
            if hour > 3 and chance.random() < 0.03:
                yield Liquidated(time, price, of(chance.choice([0, 1_000])), place)


def _inputs(fund: Fund, chance: Random, hour: int, hours: int) -> Inputs:
    of = fund.terms.number.of
    flows = [of(chance.choice([-50, -7, 3, 40]))] * chance.choice([0, 0, 0, 1, 2])
    return Inputs(
        funding=(of("0.001"),) if chance.random() < 0.2 else (),
        rates=((of("0.1"), HOUR_S),) if fund.terms.has_interest else (),
        splits=(of(2),) if chance.random() < 0.05 else (),
        flows=tuple(flows),
        ends=hour > hours - 4 and hours % 3 == 0,
    )


MOVED = ("funding", "interest", "liquidation_fee", "other")


def _trade(group: Group, place: int, chance: Random, time: int, price: Any) -> Traded:
    """The venue trades by itself, whatever is open."""
    fund = group.funds[place]
    of = fund.terms.number.of
    units = of(chance.choice([-3, 2]))
    charges = Charges(of(1), of(chance.choice([-1, 0, 2])), of(0), of(0))
    return Traded(time, price, units, units * fund.state.mark * price, charges, place)


def _fill(group: Group, place: int, chance: Random, time: int, price: Any) -> Filled | None:
    fund = group.funds[place]
    state, number = fund.state, fund.terms.number
    intent, of = state.intent, number.of
    if intent is None:
        if chance.random() > 0.05:
            return None
        units = of(chance.choice([-3, 2]))
    else:
        parts = ["1", "1", "1", "0.5", "0.3", "0", "1.2", "-0.1"]
        if intent.trigger == Trigger.ROLL:
            parts = ["1", "0"]
        part = chance.choice(parts)
        units = intent.units if part == "1" else number.amount(intent.units * of(part))
    notional = units * state.mark * price
    size = abs(notional)
    bps = of(chance.choice([-4, 0, 3, 9]))
    charges = Charges(size * bps / 10_000, size * of(2) / 10_000, size * 0, of(1) * (units != 0))
    is_final, goes_on = chance.random() < 0.7, chance.random() < 0.7
    return Filled(time, price, units, notional, charges, place, is_final, goes_on, "rejected")


@st.composite
def lives(draw: st.DrawFn, *kinds: str, hours: int = 14) -> Life:
    """A life of some hours on these venues."""
    kinds = kinds or ("perpetual", "spot", "future", "pool")
    seed = draw(st.integers(0, 2**32 - 1))
    return Life(draw(funds(*kinds)), seed, draw(st.integers(4, hours)))
