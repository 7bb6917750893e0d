"""Differential: the simulator and one written apart from it, from SPEC.md alone, tell one story."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

from steelyard.errors import InputError
from steelyard.market import Feed, Prices
from steelyard.rules.series import Reserve, Series
from steelyard.simulation.run import Run, simulate
from steelyard.simulation.run_tables import Columns
from steelyard.simulation.shared_reserve import simulate_several
from support.oracle import Own, Refused
from support.oracle_books import Bar, Flow, Told, Trade
from support.oracle_of_several import tell, tell_several
from support.oracle_reserve import Pot
from support.reaching import reaching
from support.story_cases import ASSETS, cases, delayed_cases, delayed_several_series, several_series
from support.strategies import MODES

SCALES = {
    **dict.fromkeys(("nav", "nav_before", "nav_after", "price", "reserve"), 100.0),
    # a leverage is as uncertain as the nav under it is small
    **dict.fromkeys(("leverage", "leverage_before", "leverage_after"), 100.0),
    **dict.fromkeys(("fee", "spread", "impact", "gas", "paid_by_reserve", "units"), 1_000.0),
    **dict.fromkeys(("tokens", "cost", "saved"), 1_000.0),
    "notional": ASSETS,
}
"""What a figure is about as large as."""
TEXT = ("trigger", "side")
FIGURES = {
    "flows": ("time", "tokens"),
    "splits": ("time", "ratio"),
    "outages": ("from", "to"),
    "injections": ("time", "quote"),
    "funding": ("time", "rate"),
    "rates": ("time", "rate"),
}


def frames(given_events: dict[str, Any]) -> dict[str, Any]:
    """Events as the project reads them."""
    made: dict[str, Any] = {}
    for name, rows in given_events.items():
        made[name] = rows
        if name in FIGURES:
            made[name] = pd.DataFrame(rows, columns=FIGURES[name])
        if name == "injections":
            made[name] = made[name].assign(kind="capital")
    return made


def assert_columns(columns: Columns, rows: list[Trade] | list[Bar] | list[Flow]) -> None:
    """Each column is the rows', text exactly, figures to 1e-9 or to 1e-10 of their scale."""
    kind = Trade if "trigger" in columns else Flow if "saved" in columns else Bar
    for place, name in enumerate(kind._fields):
        told = [row[place] for row in rows]
        if name in TEXT:
            assert columns[name].tolist() == told, name
        elif name == "time":
            assert columns[name].astype(np.int64).tolist() == told
        else:
            tolerance = 1e-10 * SCALES[name]
            np.testing.assert_allclose(columns[name], told, rtol=1e-9, atol=tolerance, err_msg=name)


def assert_told(run: Run, told: Told, pot: Pot) -> None:
    """A run says what the oracle told, and so does its reserve."""
    assert_columns(run.rebalance_columns, told.trades)
    assert_columns(run.flow_columns, told.flows)
    assert_columns(run.nav_columns, told.bars)
    summary, near = run.summary, {"rel": 1e-9, "abs": 1e-10 * ASSETS}
    rebalances = summary["rebalances"]
    assert rebalances["by_trigger"] == told.by_trigger
    assert rebalances["count"] == sum(told.by_trigger.values())
    assert (rebalances["blocked"], rebalances["clips"]) == (told.blocked, told.clips)
    assert rebalances["turnover"] == pytest.approx(told.turnover, **near)
    assert summary["costs"] == pytest.approx(told.costs, **near)
    if pot.terms is not None:
        assert summary["reserve"]["suspended_s"] == pot.suspended_s
        assert summary["reserve"]["received"] == pytest.approx(pot.received, **near)
        assert summary["reserve"]["injected"] == pytest.approx(pot.injected, **near)
    ended = run.state.ended
    assert (ended is None) == (told.wiped_out is None)
    if ended is not None:
        time, price, reason = told.wiped_out
        assert (ended.time, ended.reason) == (time, reason)
        assert ended.price == pytest.approx(price, rel=1e-9)


def assert_one_story(series: Series, bars: Prices, mode: str, given_events: dict[str, Any]) -> None:
    """Run both, and compare all that they say."""
    feed = Feed(bars, **reaching(frames(given_events), bars))
    try:
        told, pot = tell(series, bars, mode, **given_events)
    except Refused:
        with pytest.raises(InputError):
            simulate(series, feed, intrabar=mode)
        return
    assert_told(simulate(series, feed, intrabar=mode), told, pot)


def assert_several_agree(
    case: tuple[list[Series], Prices, Reserve, dict[str, Any], list[dict[str, Any]]], mode: str
) -> None:
    """Run both over several series on one reserve, and compare all that they say."""
    members, bars, reserve, given_events, own = case
    tables = reaching(frames(given_events), bars)
    by_symbol: dict[str, dict[str, Any]] = {"flows": {}, "splits": {}, "wind_down": {}}
    for member, happens in zip(members, own, strict=True):
        for name, source in reaching(frames(happens), bars).items():
            by_symbol[name][member.symbol] = source
    feed = Feed(bars, **tables, **by_symbol)
    each_own = [Own(**happens) for happens in own]
    try:
        told, pot = tell_several(members, bars, mode, reserve, each_own, **given_events)
    except Refused:
        with pytest.raises(InputError):
            simulate_several(members, feed, reserve=reserve, intrabar=mode)
        return
    found = simulate_several(members, feed, reserve=reserve, intrabar=mode)
    for run, each in zip(found.runs, told, strict=True):
        assert_told(run, each, pot)


@settings(max_examples=250)
@given(cases())
def test_close_mode_tells_what_the_oracle_tells(case: tuple) -> None:
    """Every trade, bar, sum and count agrees, whatever the series, where only closes are seen."""
    series, bars, given_events = case
    assert_one_story(series, bars, "close", given_events)


@settings(max_examples=250)
@given(cases())
def test_path_mode_tells_what_the_oracle_tells(case: tuple) -> None:
    """The same inside bars: every crossing is found, at its price, in its order."""
    series, bars, given_events = case
    assert_one_story(series, bars, "path", given_events)


@settings(max_examples=150)
@given(several_series())
def test_close_mode_tells_what_the_oracle_tells_of_several_series(case: tuple) -> None:
    """Several series on one reserve agree as well, where only closes are seen."""
    assert_several_agree(case, "close")


@settings(max_examples=150)
@given(several_series())
def test_path_mode_tells_what_the_oracle_tells_of_several_series(case: tuple) -> None:
    """Several series on one reserve agree inside bars, on the one path that they share."""
    assert_several_agree(case, "path")


@settings(max_examples=150)
@given(delayed_cases(), MODES)
def test_orders_in_flight_tell_what_the_oracle_tells(case: tuple, mode: str) -> None:
    """Orders that fill late, creations in them, and what waits for the next order, agree too."""
    series, bars, given_events = case
    assert_one_story(series, bars, mode, given_events)


@settings(max_examples=100)
@given(delayed_several_series(), MODES)
def test_orders_in_flight_on_a_shared_reserve_tell_what_the_oracle_tells(
    case: tuple, mode: str
) -> None:
    """The same for several series, whose orders take from one reserve once they fill."""
    assert_several_agree(case, mode)
