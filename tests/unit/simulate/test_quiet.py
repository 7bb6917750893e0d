"""Quiet prices: strictly between them the rules themselves find nothing to do."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from steelyard.rules.leverage import leverage_of, nav_of
from steelyard.rules.liquidation import is_liquidated, is_nav_gone
from steelyard.rules.numbers import FLOAT
from steelyard.rules.reserve import is_suspended
from steelyard.rules.triggers import Trigger, crossing, first_trigger
from steelyard.simulate.quiet import QuietPrices
from steelyard.simulate.reference import new_state
from support.situations import Situation, situations

PLACES = st.sampled_from([1e-9, 1e-6, 0.01, 0.5, 0.99, 1 - 1e-6, 1 - 1e-9])


@given(situations(most=2), st.floats(0.2, 8.0), st.floats(-0.3, 0.3), st.booleans(), PLACES, PLACES)
def test_nothing_happens_at_a_quiet_price(
    case: Situation, size: float, moved: float, suspended: bool, place: float, other: float
) -> None:
    """No end, no trigger, no change of suspension there, and no crossing between two of them."""
    series = case.series
    terms = series.terms(FLOAT)
    rule, venue, pool = terms.rule, terms.venue, series.reserve
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
