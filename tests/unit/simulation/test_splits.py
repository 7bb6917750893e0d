"""Splits and merges: more or fewer tokens for the same money."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from steelyard.market import Feed, Prices
from steelyard.rules.series import Daily, Series
from steelyard.simulation.run import simulate
from support.strategies import MODES, histories, tokens
from support.tokens import DAY_S, T0, closes, token


def test_a_split_changes_nav_per_token_and_tokens_and_nothing_else() -> None:
    """Ten for one after the first day; one for two after the second."""
    splits = {"time": [T0 + DAY_S + 1, T0 + 3 * DAY_S], "ratio": [10.0, 0.5]}
    run = simulate(token(daily=Daily(0)), Feed(closes(100, 110, 110), splits=splits))
    assert run.nav.nav.tolist() == pytest.approx([100, 13, 26])
    assert run.nav.tokens.tolist() == [1_000, 10_000, 5_000]
    assert run.splits.tolist() == [1, 10, 5]
    assert run.summary["nav"]["return"] == pytest.approx(0.3)
    assert run.summary["nav"]["final"] == pytest.approx(26)
    assert run.summary["max_drawdown"] == 0


@settings(max_examples=50)
@given(tokens(), histories(), MODES)
def test_a_holder_through_a_split_has_what_he_would_have_had(
    series: Series, history: Prices, mode: str
) -> None:
    """The same trades, sums, returns, drawdown and tracking; per token, a quarter of the nav."""
    middle = len(history) // 2
    splits = {"time": [int(history.time[middle])], "ratio": [4.0]}
    # the fast engine would stop at the split, and sum up anew what accrues
    how = {"intrabar": mode, "engine": "reference"}
    one = simulate(series, history, **how)
    two = simulate(series, Feed(history, splits=splits), **how)
    for name in ("max_drawdown", "tracking", "rebalances", "costs", "reserve", "leverage"):
        assert two.summary[name] == one.summary[name]
    assert two.summary["nav"]["return"] == one.summary["nav"]["return"]
    np.testing.assert_array_equal(two.nav_columns["nav"] * two.splits, one.nav_columns["nav"])
    for name in ("units", "notional", "leverage_after", "fee"):
        np.testing.assert_array_equal(two.rebalance_columns[name], one.rebalance_columns[name])


def test_a_split_comes_before_everything_else_of_its_observation() -> None:
    """Who comes at the same instant comes at the new nav."""
    at = T0 + DAY_S + 1
    run = simulate(
        token(),
        Feed(
            closes(100, 110),
            splits={"time": [at], "ratio": [2.0]},
            flows={"time": [at], "tokens": [100.0]},
        ),
    )
    assert run.flows.nav.tolist() == pytest.approx([65])
    assert run.nav.tokens.tolist() == [1_000, 2_100]


def test_splits_go_on_from_a_state() -> None:
    """A second run knows what one token of the launch has become."""
    history = closes(100, 110, 120)
    splits = {"time": [T0 + DAY_S + 1, T0 + 2 * DAY_S + 1], "ratio": [2.0, 5.0]}
    whole = simulate(token(), Feed(history, splits=splits))
    first = simulate(token(), Feed(history.slice(0, 2), splits=splits))
    second = simulate(token(), Feed(history.slice(2, 3), splits=splits), state=first.state)
    assert second.state == whole.state
    assert second.summary["nav"]["return"] == whole.summary["nav"]["return"]
    assert whole.splits.tolist() == [1, 2, 10]
