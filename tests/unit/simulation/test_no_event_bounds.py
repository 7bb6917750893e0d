"""Quiet prices: strictly between them the rules themselves find nothing to do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from steelyard.fund.apply import apply
from steelyard.fund.state import new_state
from steelyard.rules.leverage import leverage_of, nav_of
from steelyard.rules.liquidation import is_liquidated, is_nav_gone
from steelyard.rules.numbers import FLOAT
from steelyard.rules.pool import is_over_capacity, payable, price_gain
from steelyard.rules.reserve import is_suspended, units_left, units_received
from steelyard.rules.series import Costs, Reserve
from steelyard.rules.triggers import Trigger, crossing, first_trigger
from steelyard.simulation.no_event_bounds import QuietPrices
from steelyard.simulation.settlements import Settlements
from support.situations import Situation, situations
from support.tokens import token

PLACES = st.sampled_from([1e-9, 1e-6, 0.01, 0.5, 0.99, 1 - 1e-6, 1 - 1e-9])


@given(situations(most=2), st.floats(0.2, 8.0), st.floats(-0.3, 0.3), st.booleans(), PLACES, PLACES)
def test_nothing_happens_at_a_quiet_price(
    case: Situation, size: float, moved: float, suspended: bool, place: float, other: float
) -> None:
    """No end, no trigger, no change of suspension there, and no crossing between two of them."""
    series = case.series
    # what a trade costs decides no threshold
    terms = replace(series, costs=Costs()).terms(FLOAT)
    rule, venue, pool = terms.rule, terms.venue, series.reserve
    if series.venue.kind == "pool":
        pool = None  # a counterparty moves with the price: see below
    state = new_state(series, FLOAT)
    nav, price = state.cash, 100.0
    state.units = (size if rule.target > 0 else -size) * nav / price
    state.cash = nav - state.units * price
    state.reference = price * (1 + moved)
    state.reserve.suspended = suspended and pool is not None
    low, high = QuietPrices(series, terms).between(state, 0.0, 0.0, within_band=False, asleep=False)
    high = min(high, 1e4)
    assume(low < high)
    here, there = (low + (high - low) * share for share in (place, other))
    assume(low < here < high and low < there < high)
    cash, units, reference = state.cash, state.units, state.reference
    assert not is_liquidated(venue, cash, units, here)
    assert not is_nav_gone(cash, units, here)
    leverage = leverage_of(cash, units, here)
    found = first_trigger(rule, leverage, here, reference, False, False, False, False)
    assert found == Trigger.NONE
    way = crossing(rule, venue, cash, units, reference, here, there, False, 0)
    assert way.trigger == Trigger.NONE
    if pool is not None:
        value, assets = state.reserve.units * here, nav_of(cash, units, here)
        now = is_suspended(
            state.reserve.suspended, value, assets, pool.floor_ratio, pool.resume_ratio
        )
        assert now == state.reserve.suspended


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0002, 0.002, 0.02]),
    st.sampled_from([-1_000.0, 1_000.0, 3_000.0]),
    st.sampled_from([0.5, 0.8, 1.0]),
    st.floats(1.0001, 1.2),
    st.sampled_from([0.0, 0.3, 1.5]),
    st.booleans(),
)
def test_a_counterparty_carries_on_through_quiet_bars(
    seed: int,
    scale: float,
    units: float,
    most: float,
    spare: float,
    floor: float,
    suspended: bool,
) -> None:
    """Up to the first event no settlement breaches the capacity or changes a suspension."""
    generator = np.random.default_rng(seed)
    visits = 100 * np.exp(np.cumsum(generator.normal(0.0, scale, (300, 4)).ravel())).reshape(-1, 4)
    pool = Reserve(floor_ratio=floor, resume_ratio=1.1 * floor)
    settlements = Settlements(list(visits.T), 0, pool, most)
    state = new_state(token(reserve=pool), FLOAT)
    state.units = units
    state.cash = 100_000.0 - units * float(visits[0, -1])
    state.reserve.units = abs(units) / most * spare
    state.reserve.suspended = suspended
    state.settled_price = float(visits[0, -1])
    end = settlements.first_event(state, 1, len(visits), 0.0)
    held, last = state.reserve.units, state.settled_price
    for row in visits[1:end].tolist():
        for visit, price in enumerate(row):
            gain = price_gain(units, last, price)
            assert payable(gain, held * price) == gain
            held = held + units_received(-gain, price)
            if gain > 0:
                assert held == pytest.approx(units_left(held + gain / price, gain, price))
            exposure = units * price
            assert not is_over_capacity(exposure, abs(exposure), held * price, most)
            if visit == 0:
                nav = state.cash + units * price
                ratios = pool.floor_ratio, pool.resume_ratio
                assert is_suspended(suspended, held * price, nav, *ratios) == suspended
            last = price
    column = np.empty(len(visits))
    if end > 1:
        settled = settlements.effect(state, "TEST", column, 1, end, 300)
        apply(state, settled)
        assert settled.paid == pytest.approx(
            units * (last - float(visits[0, -1])), rel=1e-9, abs=1e-9
        )
        assert state.reserve.units == pytest.approx(held, rel=1e-12)
        assert column[end - 1] == state.reserve.units
