"""The charts of one run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from steelyard.report.figure_encoding import plain
from steelyard.report.leverage_panel import leverage_panel
from steelyard.report.palette import LIGHT
from steelyard.report.panels import costs_panel, nav_panel, reserve_panel
from steelyard.report.plain_frames import ReportRun
from steelyard.report.view import View, figure_of, view_of
from support.random_runs import long_run, random_run


def viewed(run: ReportRun) -> View:
    """The view with a page's limits."""
    return view_of(run, most_points=6_000, most_rows=2_000)


def named(items: Any, name: str) -> dict[str, Any]:
    """The trace or shape of that name."""
    return next(item for item in items if item["name"] == name)


@pytest.mark.parametrize("target", [3.0, -1.0])
def test_every_rebalance_is_marked_where_it_began_and_ended(target: float) -> None:
    """A marker at the leverage that called for the trade, a stem to the one it led to."""
    view = viewed(random_run(target=target))
    panel = leverage_panel(view)
    marks = {name: plain(named(panel.traces, name), LIGHT) for name in ("launch", "buy", "sell")}
    assert sum(len(mark["x"]) for mark in marks.values()) == len(view.rows.time)
    before, after = (view.rows.numbers[f"leverage_{end}"] for end in ("before", "after"))
    for side, way in (("buy", 1.0), ("sell", -1.0)):
        rows = [i for i in range(1, len(before)) if view.rows.side[i] == side]
        stems = marks[side]["error_y"]
        assert marks[side]["y"].tolist() == before[rows].tolist()
        ends = marks[side]["y"] + way * (stems["array"] + stems["arrayminus"])
        assert ends.tolist() == pytest.approx(after[rows].tolist())


def test_hover_tells_trigger_notional_leverage_and_costs() -> None:
    """Each marker carries its row."""
    view = viewed(random_run())
    trace = plain(named(leverage_panel(view).traces, "sell"), LIGHT)
    row = view.rows.side.index("sell")
    numbers = view.rows.numbers
    kinds = ("fee", "spread", "impact", "gas")
    expected = [numbers[k][row] for k in ("leverage_before", "leverage_after", "notional", *kinds)]
    assert trace["customdata"][0].tolist() == ["band", *expected]
    for word in ("trigger", "leverage", "notional", *kinds):
        assert word in trace["hovertemplate"]


def test_thresholds_stand_on_the_side_of_the_target() -> None:
    """Band, target and emergency of a short are negative."""
    run = random_run(target=-1.0)
    facts = replace(run.facts, emergency=1.8)
    shapes = leverage_panel(viewed(replace(run, facts=facts))).shapes
    band = named(shapes, "band −0.8333× to −1.167×")
    assert (band["y0"], band["y1"]) == pytest.approx((-5 / 6, -7 / 6))
    assert named(shapes, "target −1×")["y0"] == -1.0
    assert named(shapes, "emergency −1.8×")["y0"] == -1.8


def test_a_band_that_only_delevers_is_one_line() -> None:
    """It has no lower edge to shade to."""
    run = random_run()
    facts = replace(run.facts, lower=None, upper=4.0)
    shapes = leverage_panel(viewed(replace(run, facts=facts))).shapes
    assert named(shapes, "deleverages beyond 4×")["y0"] == 4.0
    assert not any(shape["name"].startswith("band") for shape in shapes)


def test_a_leverage_gone_wild_does_not_flatten_the_chart() -> None:
    """The axis ends near the thresholds, and the caption says how far it really went."""
    run = random_run()
    leverage = np.array(run.nav["leverage"])
    leverage[50] = 160.0
    names = ("time", "price", "nav", "tokens")
    nav = {**{name: np.asarray(run.nav[name]) for name in names}, "leverage": leverage}
    panel = leverage_panel(viewed(replace(run, nav=nav)))
    assert panel.yaxis["range"][1] < 8.0
    assert "160×" in panel.caption


def test_markers_that_are_left_out_are_counted() -> None:
    """A plain statement, not a silent cap."""
    caption = leverage_panel(viewed(long_run(100_000))).caption
    assert "2,000 of 5,000 trades" in caption


def test_costs_stack_up_to_the_total() -> None:
    """The kinds that were paid, summed, are the total's curve and the summary's sum."""
    run = random_run(reserve=True)
    panel = costs_panel(viewed(run))
    stacked = [t for t in panel.traces if "stackgroup" in t]
    assert [t["name"] for t in stacked] == ["fee", "spread", "impact", "gas", "management"]
    total = named(panel.traces, "total")["y"]
    assert np.sum([t["y"] for t in stacked], axis=0).tolist() == pytest.approx(total.tolist())
    kinds = ("fee", "spread", "impact", "gas", "management")
    assert total[-1] == pytest.approx(sum(figure_of(run.summary, "costs", k) or 0 for k in kinds))
    assert named(panel.traces, "paid by the reserve")["y"][-1] > 0


def test_what_was_received_is_drawn_below_zero() -> None:
    """Funding that a short received does not hide what it paid for trades."""
    view = viewed(random_run())
    costs = {**view.costs, "funding": np.linspace(5.0, -5.0, len(view.cost_time))}
    panel = costs_panel(replace(view, costs=costs))
    up, down = (t for t in panel.traces if t["name"] == "funding")
    assert (up["stackgroup"], down["stackgroup"]) == ("up", "down")
    assert up["y"].min() == 0.0
    assert down["y"].max() == 0.0
    assert (up["y"] + down["y"]).tolist() == costs["funding"].tolist()
    assert "Amounts below zero were received." in panel.caption


def test_a_reserve_is_drawn_against_its_floor() -> None:
    """Level, floor and resume ratio; none of it where there is no reserve."""
    panel = reserve_panel(viewed(random_run(reserve=True)))
    assert panel is not None
    assert named(panel.shapes, "floor 10.0\u202f%")["y0"] == 0.10
    assert named(panel.shapes, "resume 12.0\u202f%")["y0"] == 0.12
    assert reserve_panel(viewed(random_run())) is None


def test_a_floor_stays_visible_below_a_reserve_that_dwarfs_it() -> None:
    """The axis is logarithmic then, and starts below the floor."""
    view = viewed(random_run(reserve=True))
    level = np.linspace(0.1, 30.0, len(view.time))
    panel = reserve_panel(replace(view, level=level))
    assert panel is not None
    assert panel.yaxis["type"] == "log"
    assert 10 ** panel.yaxis["range"][0] < 0.1


def test_being_wiped_out_is_marked() -> None:
    """A line with a word at the instant, in the charts of nav and leverage."""
    run = random_run()
    wiped = {"time": "2020-03-12T10:30:00Z", "price": 5_000.0, "reason": "liquidated"}
    view = viewed(replace(run, summary={**run.summary, "wiped_out": wiped}))
    for panel in (nav_panel(view), leverage_panel(view)):
        assert named(panel.shapes, "wiped out")["x0"] == "2020-03-12T10:30:00"


def test_words_of_a_user_are_escaped_for_plotly() -> None:
    """Plotly reads tags in titles and hovers: a quote currency is not one."""
    run = random_run()
    view = viewed(replace(run, facts=replace(run.facts, quote="<b>US%{x}D")))
    assert "&lt;b&gt;" in costs_panel(view).yaxis["title"]["text"]
    hover = named(leverage_panel(view).traces, "sell")["hovertemplate"]
    assert "<b>US" not in hover
    assert "%{x}D" not in hover
