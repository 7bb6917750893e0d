"""A run made ready to draw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from steelyard.errors import InputError
from steelyard.report.plain_frames import ReportRun
from steelyard.report.view import View, ends_of, figure_of, view_of
from steelyard.rules.series import Daily, Reserve
from steelyard.simulation.report_input import report_run
from steelyard.simulation.run import simulate
from support.random_runs import long_run, random_run
from support.tokens import bars, token


def viewed(run: ReportRun, points: int = 10_000, rows: int = 2_000) -> View:
    """The view with generous limits."""
    return view_of(run, most_points=points, most_rows=rows)


def test_curves_start_at_the_launch() -> None:
    """Launch is 100: what a curve ends on is the return of the summary."""
    run = random_run()
    view = viewed(run)
    for curve, name in ((view.nav, "nav"), (view.asset, "underlying")):
        total = figure_of(run.summary, name, "return")
        assert total is not None
        assert curve[-1] == pytest.approx(100 * (1 + total))
    assert view.ideal[-1] == pytest.approx(100 * (1 + ends_of(run).ideal_return))


def test_cumulative_costs_end_on_the_summary() -> None:
    """With a frame of costs, every kind; without one, the kinds that trades pay."""
    run = random_run(reserve=True)
    view, trades_only = viewed(run), viewed(replace(run, costs=None))
    for kind in ("fee", "spread", "impact", "gas", "management", "paid_by_reserve"):
        total = figure_of(run.summary, "costs", kind)
        assert total
        assert view.costs[kind][-1] == pytest.approx(total)
        if kind != "management":
            assert trades_only.costs[kind][-1] == pytest.approx(total)
    assert "management" not in trades_only.costs
    assert trades_only.accruals_missing


def test_without_a_reserve_there_is_no_level() -> None:
    """A missing column, a column of nothing and a column of zeros mean the same."""
    run = random_run()
    nav = {name: np.asarray(run.nav[name]) for name in ("time", "price", "nav", "leverage")}
    nav["tokens"] = np.full(len(nav["nav"]), 1_000.0)
    for reserve in (None, np.nan, 0.0):
        column = {} if reserve is None else {"reserve": np.full(len(nav["nav"]), reserve)}
        assert viewed(replace(run, nav={**nav, **column})).level is None


def test_suspensions_are_drawn_as_the_run_recorded_them() -> None:
    """Whatever the closes say: a level is also judged at other prices than a bar's close."""
    run = random_run(reserve=True)
    assert viewed(run).suspended == list(run.suspended)
    # at every close the level stands at its floor; at the open of the second day it is below
    series = token(daily=Daily(0), reserve=Reserve(initial_units=110.0, floor_ratio=0.11))
    rows = ((100.0, 100.0, 100.0, 100.0), (110.0, 110.0, 100.0, 100.0), (100.0,) * 4)
    judged = simulate(series, bars(*rows))
    drawn = viewed(report_run(judged)).suspended
    assert sum(b - a for a, b in drawn) == judged.summary["reserve"]["suspended_s"] > 0
    spans = [(120, 240), (360, 420)]
    assert viewed(replace(run, suspended=spans)).suspended == spans


def test_a_long_run_is_thinned_without_losing_an_extreme() -> None:
    """Of 200,000 bars a few thousand are drawn, the highest and lowest of each curve included."""
    run = long_run(200_000)
    view = viewed(run, points=6_000, rows=500)
    assert len(view.time) <= 6_000
    assert view.bars == 200_000
    leverage = np.asarray(run.nav["leverage"])
    assert view.leverage.min() == leverage.min()
    assert view.leverage.max() == leverage.max()
    assert len(view.rows.time) == 500
    assert view.rows.total == 10_000
    assert view.rows.trigger[0] == "launch"
    notional = np.asarray(run.rebalances["notional"])
    assert view.rows.numbers["notional"].max() == notional.max()


def test_a_run_that_cannot_be_drawn_is_refused() -> None:
    """No bars, a missing column, costs of another length: one sentence that names the series."""
    run = random_run()
    empty = {name: np.array([]) for name in ("price", "nav", "leverage", "tokens")}
    with pytest.raises(InputError, match="BTC3L: expected a run with at least one bar"):
        viewed(replace(run, nav={"time": np.array([], dtype=np.int64), **empty}))
    with pytest.raises(InputError, match="no column 'price'"):
        viewed(replace(run, nav={"time": np.array([0])}))
    assert run.costs is not None
    names = ("fee", "spread", "impact", "gas", "funding", "interest", "management")
    short = {name: np.zeros(3) for name in (*names, "paid_by_reserve")}
    with pytest.raises(InputError, match="one row per row of nav"):
        viewed(replace(run, costs=short))


def test_a_figure_that_is_not_a_number_is_none() -> None:
    """Absent, null, text, true, infinite: none of them is shown as a number."""
    summary = {"a": {"b": 1, "c": None, "d": "x", "e": True, "f": float("inf")}, "g": 2.5}
    assert figure_of(summary, "a", "b") == 1.0
    assert figure_of(summary, "g") == 2.5
    for key in "cdefz":
        assert figure_of(summary, "a", key) is None
    assert figure_of(summary, "g", "b") is None
