"""The chart of error against cost: its axes, its lines, its names, and the table beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.plots.comparison import Standing, comparison_overview
from steelyard.plots.frames import ReportRun
from steelyard.plots.labels import sides
from steelyard.plots.overview import Overview
from steelyard.plots.panels import Panel
from steelyard.plots.view import view_of
from support.random_runs import random_run

UNIT = 0.01


def standing(cost: float | None = 0.02, *, efficient: bool = True, unit: float = UNIT) -> Standing:
    """A series that costs so much a year."""
    return Standing(
        cost_per_year=cost,
        carry_per_year=0.0,
        turnover_per_year=20.0,
        kappa=0.3,
        unit=unit,
        efficient=efficient,
    )


def run(symbol: str, error: float | None, *, target: float = 3.0, gone: bool = False) -> ReportRun:
    """A run of that error."""
    made = random_run(symbol, target=target, bars=30)
    tracking = {"tracking": {**made.summary["tracking"], "error": error}}  # type: ignore[dict-item]
    ended = {"wiped_out": {"time": "2020-01-09T00:00:00Z"} if gone else None}
    return replace(made, summary={**made.summary, **tracking, **ended})


def overview(runs: list[ReportRun], standings: list[Standing]) -> Overview:
    """The overview of these runs."""
    views = [view_of(each, most_points=100, most_rows=10) for each in runs]
    return comparison_overview(views, standings)


def traces(panel: Panel) -> dict[str, Any]:
    """The panel's traces by name."""
    return {trace["name"]: trace for trace in panel.traces}


def test_efficient_series_others_and_those_that_are_gone_look_different() -> None:
    """By shape and name, not by colour alone; stairs join the efficient ones."""
    runs = [run("A", 0.1), run("B", 0.2), run("C", 0.3), run("D", 0.4, gone=True)]
    ways = [standing(0.04), standing(0.02)]
    ways += [standing(0.05, efficient=False), standing(0.001, efficient=False)]
    found = overview(runs, ways)
    assert found.badges == ["efficient", "efficient", "", ""]
    (panel,) = found.panels
    drawn = traces(panel)
    assert list(drawn["efficient"]["text"].words) == ["A", "B"]
    assert list(drawn["others"]["text"].words) == ["C"]
    assert list(drawn["wiped out"]["text"].words) == ["D"]
    symbols = {drawn[name]["marker"]["symbol"] for name in ("efficient", "others", "wiped out")}
    assert len(symbols) == 3
    assert drawn["frontier"]["x"].tolist() == [0.1, 0.2]
    assert drawn["frontier"]["y"].tolist() == [0.04, 0.02]
    assert drawn["frontier"]["line"]["shape"] == "hv"


def test_the_closed_forms_are_straight_lines() -> None:
    """Error times cost is the rule's product times the unit, wherever on its line."""
    (panel,) = overview([run("A", 0.1), run("B", 0.2)], [standing(0.04), standing(0.02)]).panels
    drawn = traces(panel)
    edge, reset, clock = (drawn[name] for name in ("edge, 0.289", "reset, 0.408", "clock, 0.564"))
    for trace, product in ((edge, 0.288675), (reset, 0.408248), (clock, 0.564190)):
        assert np.allclose(trace["x"] * trace["y"], product * UNIT, rtol=1e-5)
    assert panel.xaxis is not None
    assert panel.xaxis["type"] == panel.yaxis["type"] == "log"


def test_series_that_have_no_unit_in_common_have_no_closed_form() -> None:
    """Other targets or other costs: other lines; each target has its own frontier."""
    runs = [run("A", 0.1), run("B", 0.2), run("S", 0.1, target=-1.0), run("T", 0.2, target=-1.0)]
    ways = [standing(0.04), standing(0.02), standing(0.01, unit=0.002), standing(0.005, unit=0.002)]
    (panel,) = overview(runs, ways).panels
    assert set(traces(panel)) == {"frontier 3×", "frontier −1×", "efficient"}
    assert "closed" not in panel.caption


def test_what_costs_nothing_is_drawn_at_zero() -> None:
    """A logarithmic axis has no zero: the axis is linear then, and no point is left out."""
    (panel,) = overview([run("A", 0.1), run("B", 0.2)], [standing(0.04), standing(0.0)]).panels
    assert panel.yaxis["type"] == "linear"
    assert panel.yaxis["range"][0] == 0
    assert traces(panel)["efficient"]["y"].tolist() == [0.04, 0.0]


def test_a_series_without_figures_is_not_drawn() -> None:
    """And where none has any, there is no chart; the table has them all."""
    found = overview([run("A", None)], [standing(None, efficient=False)])
    assert found.panels == []
    assert len(found.rows) == 1
    assert len(found.rows[0]) == len(found.headings)


def test_many_series_are_named_where_it_matters() -> None:
    """Beyond a dozen only the efficient ones; each says its name under the pointer."""
    runs = [run(f"S{i}", 0.1 + i / 100) for i in range(13)]
    ways = [standing(0.1 + i / 100, efficient=i == 0) for i in range(13)]
    drawn = traces(overview(runs, ways).panels[0])
    assert drawn["efficient"]["mode"] == "markers+text"
    assert drawn["others"]["mode"] == "markers"
    names, kappas, places = drawn["others"]["customdata"].columns
    assert list(names.words) == [f"S{i}" for i in range(1, 13)]
    assert set(kappas.words) == {"0.300"}
    assert places.tolist() == list(range(1, 13))


def test_names_keep_off_each_other() -> None:
    """Two points side by side: one name below, the other above."""
    assert sides([(0.5, 0.5), (0.52, 0.5)], ["STEELYARD-3L", "FTX-BULL"]) == [
        "bottom center",
        "top center",
    ]
    assert sides([(0.1, 0.5), (0.9, 0.5)], ["A", "B"]) == ["bottom center"] * 2


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=20))
def test_every_name_has_a_side(points: list[tuple[float, float]]) -> None:
    """However crowded it is, and the same each time."""
    names = ["NAME"] * len(points)
    found = sides(points, names)
    assert len(found) == len(points)
    assert found == sides(points, names)


@pytest.mark.parametrize("hostile", ["<b>X</b>", "%{x}"])
def test_hostile_names_are_only_read(hostile: str) -> None:
    """A chart reads tags and fields; what a file calls itself has neither."""
    drawn = traces(overview([run(hostile, 0.1)], [standing()]).panels[0])
    (name,) = drawn["efficient"]["text"].words
    assert "<" not in name
    assert "%{" not in name
