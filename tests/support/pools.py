"""Tokens against a reserve as their counterparty, watched to the last digit."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from steelyard.errors import InputError
from steelyard.fund.counterparty import over_capacity
from steelyard.fund.effects import Closed, Effect, PriceSettled, Settled
from steelyard.fund.state import State, new_state
from steelyard.market import Prices
from steelyard.rules.numbers import FRACTION
from steelyard.rules.series import Band, Costs, Daily, Execution, Fees, Move, Reserve, Series, Venue
from steelyard.simulation.bar_loop import walk
from steelyard.simulation.reference import Replay, member_of
from steelyard.simulation.schedule import Schedule
from support.tokens import T0, token
from support.watched import Books, Watching

HOUR_S = 3_600
FEW = 40
"""Settlements after which exact numbers are long enough."""


class Enough(Exception):
    """The run has settled FEW times."""


class Balance:
    """Holds a token's books against its reserve's at every effect that moves them."""

    def __init__(self, series: Series) -> None:
        self.is_pool = series.venue.kind == "pool"
        self.pool_fee = FRACTION.of(series.venue.fee_bps if self.is_pool else 0) / 10_000
        self.moves = 0

    def look(self, before: Books, effect: Effect, after: Books) -> None:
        """Token and reserve are worth the same before and after, but for what others got.

        What a reserve holds from before moves with the price; what is settled changes hands at it.
        """
        to_others = 0
        if isinstance(effect, Settled):
            cost = effect.cost
            gross = cost.fee + cost.spread + cost.impact + cost.gas
            brought = sum(each.tokens * each.nav for each in effect.creations)
            # the fee of the order came from creations as well, which are others here
            to_others = gross - abs(effect.sent) * self.pool_fee - brought
        elif isinstance(effect, Closed):
            if not self.is_pool:
                # what a perpetual owes beyond its nav is its exchange's affair
                return
        elif not isinstance(effect, PriceSettled):
            return
        # up to the price at which it has settled; other tokens than a pool's at this one
        price = effect.price if before.settled_price is None else before.settled_price
        worth = before.nav(price) + before.reserve * effect.price
        assert worth == after.nav(effect.price) + after.reserve * effect.price + to_others
        assert after.reserve >= 0
        self.moves += 1


class Balanced(Replay):
    """A replay whose reserve never carries more than it can after a step of all."""

    balances: tuple[Balance, ...] = ()

    def observe(self, time: int, price: Any) -> None:
        """A scheduled observation."""
        super().observe(time, price)
        self.check(price)

    def travel(self, time: int, start: Any, end: Any) -> None:
        """A way inside a bar."""
        super().travel(time, start, end)
        self.check(end)

    def check(self, price: Any) -> None:
        """The net exposure is within every token's share of the reserve's value."""
        assert over_capacity(self.group, price) == []
        if sum(each.moves for each in self.balances) >= FEW:
            raise Enough


def balanced(series: Series, bars: Prices, mode: str, **events: Any) -> Balanced:
    """Run a series and hold every step of it; a launch that finds no room does not count."""
    return _balanced([series], new_states([series]), bars, mode, **events)


def new_states(members: list[Series]) -> list[State]:
    """Funds before their launch, on the reserve of the first."""
    first = new_state(members[0], FRACTION)
    return [first, *(new_state(series, FRACTION, first.reserve) for series in members[1:])]


def _balanced(
    members: list[Series], states: list[State], bars: Prices, mode: str, **events: Any
) -> Balanced:
    schedule = Schedule(FRACTION, **events)
    balances = tuple(map(Balance, members))
    reserves = [states[0].reserve.units]
    told = []
    for series, state, balance in zip(members, states, balances, strict=True):
        member = member_of(series, FRACTION, schedule, state)
        kept = state.copy()
        member.record = Watching(state=kept, look=balance.look, reserves=reserves)
        told.append(member)
    replay = Balanced(told, reserve_name="reserve:shared" if len(told) > 1 else None)
    replay.balances = balances
    try:
        with suppress(Enough):
            walk(replay, bars, mode, FRACTION)
    except InputError:
        assume(all(member.record.trades for member in told))
        raise
    return replay


@st.composite
def pool_tokens(draw: st.DrawFn) -> Series:
    """Tokens on a reserve that is ample, short or nearly empty; costs to it and to others."""
    target = draw(st.sampled_from([-3.0, -1.0, 0.5, 1.0, 2.0, 3.0]))
    size = abs(target)
    daily = draw(st.sampled_from([None, Daily(0), Daily(3 * HOUR_S)]))
    bears = draw(st.sampled_from([(), ("spread",), ("fee", "spread", "gas")]))
    return token(
        target,
        band=draw(st.sampled_from([None, Band(0.8 * size, 1.25 * size)])),
        move=draw(st.sampled_from([None, Move(0.1)])),
        daily=daily,
        emergency_leverage=draw(st.sampled_from([0.0, 2.0 * size])),
        max_trade_notional=draw(st.sampled_from([0.0, 30_000.0])),
        venue=Venue(
            kind="pool",
            max_utilisation=draw(st.sampled_from([0.2, 0.8, 1.0])),
            fee_bps=draw(st.sampled_from([0.0, 20.0])),
        ),
        costs=Costs(
            taker_fee_bps=draw(st.sampled_from([0.0, 5.0])),
            half_spread_bps=draw(st.sampled_from([0.0, 3.0])),
            gas_per_rebalance=draw(st.sampled_from([0.0, 2.0])),
        ),
        execution=Execution(
            lot_units=draw(st.sampled_from([0.0, 7.0])),
            delay_s=draw(st.sampled_from([0, 2 * HOUR_S])),
        ),
        fees=Fees(management_per_year=draw(st.sampled_from([0.0, 0.05]))),
        reserve=Reserve(
            initial_units=draw(st.sampled_from([20.0, 400.0, 1_500.0, 4_000.0, 30_000.0])),
            bears=bears,
            floor_ratio=0.01,
            resume_ratio=0.02,
        ),
    )


@st.composite
def wild_bars(draw: st.DrawFn, *, most: int = 8) -> Prices:
    """Hourly bars of quiet hours, crashes to a tenth, and prices that double."""
    moves = st.sampled_from([1.0, 1.004, 0.99, 1.05, 0.93, 1.3, 0.7, 2.0, 0.4, 0.1])
    count = draw(st.integers(2, most))
    rows, last = [], 100.0
    for _ in range(count):
        visits = [last := round(last * draw(moves), 2) or 0.01 for _ in range(4)]
        rows.append((visits[0], max(visits), min(visits), visits[3]))
    opening, high, low, close = (np.array(column) for column in zip(*rows, strict=True))
    time = T0 + HOUR_S * np.arange(count, dtype=np.int64)
    return Prices(time=time, open=opening, high=high, low=low, close=close, step_s=HOUR_S)


def pool_token(target: float = 3.0, units: float = 10_000.0, **parts: Any) -> Series:
    """A token without costs on a reserve of so many units, which carries 0.8 of its value."""
    venue = parts.pop("venue", Venue(kind="pool"))
    reserve = Reserve(initial_units=units, bears=parts.pop("bears", ()), floor_ratio=0.001)
    reserve = replace(reserve, resume_ratio=0.002)
    return token(target, venue=venue, reserve=reserve, **parts)


def balanced_series(members: list[Series], reserve: Reserve, bars: Prices, mode: str) -> Balanced:
    """Run several series on one reserve and hold every step of each."""
    held = [
        replace(series, symbol=f"T{place}", reserve=reserve) for place, series in enumerate(members)
    ]
    return _balanced(held, new_states(held), bars, mode)
