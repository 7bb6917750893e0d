"""The chart of error against cost: its axes, its lines, its names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.report.cost_error_chart import RulePoint, comparison_panel
from steelyard.report.labels import sides
from steelyard.report.panels import Panel

UNIT = 0.01


def point(
    name: str,
    error: float,
    cost: float = 0.02,
    *,
    target: float = 3.0,
    efficient: bool = True,
    wiped_out: bool = False,
    place: int = 0,
) -> RulePoint:
    """A series of that error and cost."""
    return RulePoint(place, name, target, error, cost, 0.3, efficient, wiped_out)


def traces(panel: Panel) -> dict[str, Any]:
    """The panel's traces by name."""
    return {trace["name"]: trace for trace in panel.traces}


def test_efficient_series_others_and_those_that_are_gone_look_different() -> None:
    """By shape and name, not by colour alone; stairs join the efficient ones."""
    some = [point("A", 0.1, 0.04), point("B", 0.2, 0.02), point("C", 0.3, 0.05, efficient=False)]
    gone = point("D", 0.4, 0.001, efficient=False, wiped_out=True)
    drawn = traces(comparison_panel([*some, gone], UNIT))
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
    panel = comparison_panel([point("A", 0.1, 0.04), point("B", 0.2, 0.02)], UNIT)
    drawn = traces(panel)
    edge, reset, clock = (drawn[name] for name in ("edge, 0.289", "reset, 0.408", "clock, 0.564"))
    for trace, product in ((edge, 0.288675), (reset, 0.408248), (clock, 0.564190)):
        assert np.allclose(trace["x"] * trace["y"], product * UNIT, rtol=1e-5)
    assert panel.xaxis is not None
    assert panel.xaxis["type"] == panel.yaxis["type"] == "log"


def test_series_that_have_no_unit_in_common_have_no_closed_form() -> None:
    """Other targets or other costs: other lines; each target has its own frontier."""
    longs = [point("A", 0.1, 0.04), point("B", 0.2, 0.02)]
    shorts = [point("S", 0.1, 0.01, target=-1.0), point("T", 0.2, 0.005, target=-1.0)]
    panel = comparison_panel([*longs, *shorts], None)
    assert set(traces(panel)) == {"frontier 3×", "frontier −1×", "efficient"}
    assert "straight" not in panel.caption


def test_what_costs_nothing_is_drawn_at_zero() -> None:
    """A logarithmic axis has no zero: the axis is linear then, and no point is left out."""
    panel = comparison_panel([point("A", 0.1, 0.04), point("B", 0.2, 0.0)], UNIT)
    assert panel.yaxis["type"] == "linear"
    assert panel.yaxis["range"][0] == 0
    assert traces(panel)["efficient"]["y"].tolist() == [0.04, 0.0]


def test_many_series_are_named_where_it_matters() -> None:
    """Beyond a dozen only the efficient ones; each says its name under the pointer."""
    points = [
        point(f"S{i}", 0.1 + i / 100, 0.1 + i / 100, efficient=i == 0, place=i) for i in range(13)
    ]
    drawn = traces(comparison_panel(points, UNIT))
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
    drawn = traces(comparison_panel([point(hostile, 0.1)], UNIT))
    (name,) = drawn["efficient"]["text"].words
    assert "<" not in name
    assert "%{" not in name
