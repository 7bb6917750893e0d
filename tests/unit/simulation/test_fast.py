"""The fast run against the reference: whatever happens, they tell the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard import InputError
from steelyard.market import read_prices
from steelyard.rules.numbers import DECIMAL
from steelyard.rules.presets import preset, preset_names
from steelyard.rules.series import Daily, Venue
from steelyard.simulation.run import Run, simulate
from support.feeding import fed, others_in
from support.reaching import reaching
from support.same_runs import assert_same_run, assert_same_state, both_ways, joined
from support.situations import Situation, situations
from support.tokens import closes, token

ENGINES = st.sampled_from(["fast", "reference"])


@settings(max_examples=400)
@given(situations())
def test_the_fast_run_tells_what_the_reference_tells(case: Situation) -> None:
    """The same trades, columns, summary and end, for any series over any history."""
    expected, found = both_ways(case.series, case.bars, **case.options)
    assert_same_run(found, expected)


@given(situations())
def test_without_accruals_the_fast_run_gives_the_same_bits(case: Situation) -> None:
    """A perpetual without funding or a management fee: nothing moves between two trades."""
    how = replace(case.series.rebalance, volatility=None)
    fees = replace(case.series.fees, management_per_year=0.0)
    series = replace(case.series, rebalance=how, fees=fees, venue=Venue(maintenance_margin=0.01))
    accrued = ("funding", "rates")
    options = {name: given for name, given in case.options.items() if name not in accrued}
    expected, found = both_ways(series, case.bars, **options)
    for columns in ("nav_columns", "rebalance_columns", "cost_columns"):
        for name, column in getattr(expected, columns).items():
            np.testing.assert_array_equal(getattr(found, columns)[name], column, err_msg=name)
    assert found.summary == expected.summary
    assert found.state == expected.state


@settings(max_examples=200)
@given(situations(), ENGINES, ENGINES, st.data())
def test_a_fast_run_can_be_split_and_joined(
    case: Situation, before: str, after: str, data: st.DataObject
) -> None:
    """Wherever it is cut, and whichever runs either part, the end is that of one run."""
    series, bars, options = case
    at = data.draw(st.integers(1, len(bars) - 1))
    whole, _ = both_ways(series, bars, **options)
    rest = joined(series, bars, at, (before, after), **options)
    fund = series.initial_nav * series.initial_tokens
    assert_same_state(rest.state, whole.state, fund)
    np.testing.assert_allclose(
        rest.nav_columns["nav"], whole.nav_columns["nav"][at:], rtol=1e-12, atol=1e-10
    )


@given(situations(), ENGINES, ENGINES, st.data())
def test_recorded_suspensions_last_as_long_as_was_counted(
    case: Situation, before: str, after: str, data: st.DataObject
) -> None:
    """By either engine, in one run or in two that are joined."""
    series, bars, options = case
    at = data.draw(st.integers(1, len(bars) - 1))
    whole, _ = both_ways(series, bars, **options)
    if series.reserve is None:
        assert not len(whole.suspension_columns["from"])
        return
    first = simulate(
        series,
        fed(bars, reaching(options, bars.slice(0, at)), end=int(bars.time[at])),
        engine=before,
        **others_in(options),
    )
    rest = joined(series, bars, at, (before, after), **options)
    counted = whole.summary["reserve"]["suspended_s"]
    assert _suspended_s(whole) == counted
    assert _suspended_s(first) + _suspended_s(rest) == counted


def _suspended_s(run: Run) -> int:
    ends = run.suspension_columns
    return int((ends["to"] - ends["from"]).astype(int).sum())


@pytest.mark.parametrize("mode", ["close", "path"])
@pytest.mark.parametrize("name", preset_names())
def test_presets_over_real_minutes(name: str, mode: str, history: Callable[[str], Path]) -> None:
    """Each preset over five weeks of minutes with a crash in them."""
    minutes = read_prices(history("prices/BTC-USDT-perp-1m.parquet"))
    weeks = minutes.between("2022-05-15", "2022-06-19")
    series = preset(name)
    options = {"intrabar": mode}
    if series.venue.kind == "perpetual":
        options["funding"] = history("funding/BTC-USDT-perp-binance.parquet")
    expected, found = both_ways(series, weeks, **options)
    assert_same_run(found, expected)


def test_progress_is_told_on_the_way() -> None:
    """The number of bars done, never descending and never past the last."""
    told: list[int] = []
    history = closes(*(100 + 0.01 * np.arange(20_000) % 3), step_s=60)
    simulate(token(daily=Daily(0)), history, progress=told.append)
    assert len(told) > 2
    assert told == sorted(told)
    assert told[-1] <= len(history)


def test_costs_are_worked_out_when_asked_for() -> None:
    """A run that nobody asks for its costs has none; asked, it keeps them."""
    run = simulate(token(daily=Daily(0)), closes(100, 101, 102))
    assert "cost_columns" not in vars(run)
    assert run.cost_columns is run.cost_columns


def test_what_is_the_same_at_every_bar_takes_no_room() -> None:
    """Tokens, and the reserve of a series without one, are one figure each."""
    run = simulate(token(daily=Daily(0)), closes(*range(100, 200)))
    for name in ("tokens", "reserve"):
        assert run.nav_columns[name].strides == (0,)


def test_other_numbers_run_by_the_reference() -> None:
    """On Decimals there is no fast run; the name of the engine changes nothing."""
    history = closes(100, 108, 97, 111)
    one, two = (
        simulate(token(daily=Daily(0)), history, number=DECIMAL, engine=engine)
        for engine in ("fast", "reference")
    )
    assert one.state == two.state


def test_an_engine_that_does_not_exist_is_refused() -> None:
    """The message says which there are."""
    with pytest.raises(InputError, match='expected "fast" or "reference", found "quick"'):
        simulate(token(), closes(100, 101), engine="quick")
