"""Tokens against a reserve as their counterparty, watched to the last digit."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from steelyard.errors import InputError
from steelyard.market import Prices
from steelyard.rules.leverage import nav_of
from steelyard.rules.numbers import FRACTION
from steelyard.rules.series import Band, Costs, Daily, Execution, Fees, Move, Reserve, Series, Venue
from steelyard.simulate.reference import Replay, new_state
from steelyard.simulate.reserve import ReserveBooks
from steelyard.simulate.schedule import Schedule
from steelyard.simulate.shelf import Shelf
from steelyard.simulate.state import ReserveState
from steelyard.simulate.walk import walk
from support.tokens import T0, token

if TYPE_CHECKING:
    from collections.abc import Iterator


HOUR_S = 3_600
FEW = 40
"""Settlements after which exact numbers are long enough."""


class Enough(Exception):
    """The run has settled FEW times."""


class Balanced(Replay):
    """A replay that holds its books against its reserve's at everything that moves them."""

    moves = 0

    def settled_nav(self, price: Any) -> Any:
        """Nav at the price up to which it has settled; other tokens than a pool's at this one."""
        state = self.state
        if state.settled_price is not None:
            price = state.settled_price
        return nav_of(state.cash, state.units, price)

    @contextmanager
    def kept(self, price: Any, to_others: Any = 0) -> Iterator[None]:
        """Token and reserve are worth the same before and after, but for what others got.

        What a reserve holds from before moves with the price; what is settled changes hands at it.
        """
        before = self.settled_nav(price) + self.reserve.value(price)
        yield
        after = nav_of(self.state.cash, self.state.units, price) + self.reserve.value(price)
        assert before == after + to_others
        assert self.reserve.state.units >= 0
        self.moves += 1
        if self.moves >= FEW:
            raise Enough

    def settle_price(self, time: int, price: Any) -> None:
        """What the price change won or lost changes hands."""
        with self.kept(price):
            super().settle_price(time, price)

    def _settle(
        self,
        trigger: int,
        notional: Any,
        cost: Any,
        time: int,
        price: Any,
        parties: Any = None,
    ) -> None:
        gross = cost.fee + cost.spread + cost.impact + cost.gas
        paid_in = abs(notional) * self.terms.pool_fee
        if parties is not None:
            sent = notional + parties.net
            # the fee of the order came from the parties as well, who are others here
            paid_in = abs(sent) * self.terms.pool_fee
        with self.kept(price, gross - paid_in):
            super()._settle(trigger, notional, cost, time, price, parties)

    def _close(self, time: int, price: Any, reason: str) -> None:
        if not self.is_pool:
            # what a perpetual owes beyond its nav is its exchange's affair
            super()._close(time, price, reason)
            return
        with self.kept(price):
            super()._close(time, price, reason)

    def after_trades(self, time: int, price: Any) -> None:
        """Nothing that comes after it finds more exposure than the reserve can carry."""
        super().after_trades(time, price)
        check_capacity(self.reserve, price)


def check_capacity(reserve: ReserveBooks[Any], price: Any) -> None:
    """The net exposure is within every token's share of the reserve's value."""
    assert not any(reserve.is_over_capacity(member, price) for member in reserve.members)


def balanced(series: Series, bars: Prices, mode: str, **events: Any) -> Balanced:
    """Run a series and hold every step of it; a launch that finds no room does not count."""
    schedule = Schedule(FRACTION, **events)
    replay = Balanced(series, FRACTION, schedule, new_state(series, FRACTION))
    try:
        with suppress(Enough):
            walk(replay, bars, mode, FRACTION)
    except InputError:
        assume(replay.record.trades)
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


class CheckedShelf(Shelf):
    """A shelf whose reserve never carries more than it can after a step of all."""

    def observe(self, time: int, price: Any) -> None:
        """A clock observation."""
        super().observe(time, price)
        check_capacity(self.reserve, price)

    def travel(self, time: int, start: Any, end: Any) -> None:
        """A way inside a bar."""
        super().travel(time, start, end)
        check_capacity(self.reserve, end)


def balanced_shelf(
    members: list[Series], reserve: Reserve, bars: Prices, mode: str
) -> CheckedShelf:
    """Run several series on one reserve and hold every step of each."""
    pool = ReserveState.of(FRACTION.of(reserve.initial_units))
    schedule = Schedule(FRACTION)
    shared = ReserveBooks(reserve, FRACTION, schedule, pool)
    replays = []
    for place, series in enumerate(members):
        held = replace(series, symbol=f"T{place}", reserve=reserve)
        state = new_state(held, FRACTION, pool)
        replays.append(Balanced(held, FRACTION, schedule, state, shared))
    shelf = CheckedShelf(replays, shared)
    try:
        with suppress(Enough):
            walk(shelf, bars, mode, FRACTION)
    except InputError:
        assume(all(replay.record.trades for replay in replays))
        raise
    return shelf
