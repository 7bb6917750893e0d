"""A reserve as the counterparty: what tokens win it pays, what they lose it gets (SPEC 3)."""

from __future__ import annotations

import pytest
from hypothesis import event, given, settings

from steelyard.errors import InputError
from steelyard.market import Prices
from steelyard.rules.series import Band, Costs, Daily, Execution, Move, Series, Venue
from steelyard.simulate.run import simulate
from support.pools import HOUR_S, balanced, pool_token, pool_tokens, wild_bars
from support.strategies import MODES
from support.tokens import DAY_S, T0, bars, closes


@settings(max_examples=150)
@given(pool_tokens(), wild_bars(), MODES)
def test_token_and_reserve_are_worth_the_same_whatever_happens(
    series: Series, history: Prices, mode: str
) -> None:
    """Settlements, trades, the end: to the last digit, but for the costs that go to others.

    In crashes, wipe-outs and with a reserve that is used up; and after every visited price and
    every trade the exposure is what the reserve can carry.
    """
    replay = balanced(series, history, mode)
    state = replay.state
    event(f"ended: {state.ended.reason if state.ended else None}")
    event(f"exhausted: {state.reserve.units == 0}")
    event(f"deleveraged: {10 in state.totals.by_trigger}")
