"""Charts of days: bars that count every day, rolling figures that are there, drawdowns in front."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from steelyard.analysis.tear_sheet_charts import heat_cell
from steelyard.report.daily_panels import (
    Curve,
    distribution_panel,
    rolling_panel,
    underwater_panel,
)
from support.tokens import DAY_S, T0

RETURNS = st.lists(st.floats(-1.0, 20.0), min_size=1, max_size=200)


@given(token=RETURNS, multiple=RETURNS)
@example(token=[13.0, -5e-324], multiple=[0.0])
def test_law_every_day_is_in_one_bar(token: list[float], multiple: list[float]) -> None:
    """None is cut off at either end, and there are never too many bars to be seen."""
    panel = distribution_panel(np.array(token), np.array(multiple), ("A", "B"), {})
    assert panel is not None
    bars, line = panel.traces
    assert bars["y"].sum() == len(token)
    assert line["y"].sum() == len(multiple)
    assert 1 < len(bars["x"]) <= 90


def test_bars_are_round_and_one_edge_is_zero() -> None:
    """Gains and losses do not share a bar."""
    days = np.random.default_rng(1).normal(0, 0.05, 900)
    panel = distribution_panel(days, days, ("A", "B"), {"worst": -0.08})
    assert panel is not None
    middles = panel.traces[0]["x"]
    width = middles[1] - middles[0]
    edges = (middles - width / 2) / width
    assert np.allclose(edges, np.round(edges), atol=1e-9)
    assert f"{width:.1g}" in {"0.01", "0.02", "0.005"}
    assert panel.shapes[0]["x0"] == -0.08


def test_no_day_is_no_chart() -> None:
    """Neither of days nor of windows that were never whole."""
    assert distribution_panel(np.array([]), np.array([]), ("A", "B"), {}) is None
    nothing = Curve("A", np.array([T0]), np.array([np.nan]), "$nav")
    assert rolling_panel("k", "t", "c", [nothing]) is None


def test_the_token_stands_in_front_and_is_filled() -> None:
    """Of the drawdowns the first curve is drawn last, with the area up to zero."""
    time = T0 + DAY_S * np.arange(3)
    curves = [Curve(f"<{n}>", time, np.array([0.0, -0.1, -0.2]), "$nav") for n in "AB"]
    panel = underwater_panel(curves, {})
    assert [trace["name"] for trace in panel.traces] == ["&lt;B&gt;", "&lt;A&gt;"]
    assert "fill" not in panel.traces[0]
    assert panel.traces[1]["fill"] == "tozeroy"


def test_cells_are_coloured_by_size_and_sign() -> None:
    """Good above zero, bad below, never so strong that a figure could not be read."""
    assert heat_cell(None, 0.5).text == ""
    assert (heat_cell(0.0, 0.5).tone, heat_cell(0.0, 0.5).heat) == ("", 0)
    cells = [heat_cell(share, 0.5) for share in (0.1, 0.5, 3.0, -0.5)]
    assert [cell.tone for cell in cells] == ["good", "good", "good", "bad"]
    assert 0 < cells[0].heat < cells[1].heat == cells[2].heat == cells[3].heat <= 50
    assert heat_cell(0.2, 0.0).tone == ""
