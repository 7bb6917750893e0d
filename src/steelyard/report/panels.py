"""The charts of one run, described once for pages and notebooks.

A panel consists of the parts of a plotly figure (traces, shapes, axes), with abstract colours and
columns (``palette``, ``figure_encoding``), and of its title and caption. Text that came from a user
is escaped here, because plotly interprets tags in text.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

import numpy as np

from steelyard.report.figure_encoding import Dates
from steelyard.report.number_format import instant, multiple, percent, typeset
from steelyard.report.plain_frames import Floats
from steelyard.report.view import View
from steelyard.rules.costs import COST_KINDS

__all__ = [
    "Description",
    "Panel",
    "as_text",
    "costs_panel",
    "level_line",
    "line",
    "nav_panel",
    "reserve_panel",
    "wiped_out_marks",
]

_FEW_DECADES = 3

Description: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Panel:
    """One chart.

    Args:
        key: name of the chart in the page.
        title: heading of the chart.
        caption: sentences that explain how to read the chart.
        traces, shapes, yaxis: plotly's objects of these names, with abstract colours and columns.
        xaxis: plotly's x axis; None: the time axis that all charts of a run share.
        hovermode: plotly's hover mode.
        weight: height of the chart relative to other charts.
    """

    key: str
    title: str
    caption: str
    traces: Sequence[Description]
    yaxis: Description
    shapes: Sequence[Description] = field(default_factory=list)
    hovermode: str = "x unified"
    weight: float = 1.0
    xaxis: Description | None = None


def nav_panel(view: View) -> Panel:
    """The chart of token, frictionless daily-reset token and underlying; launch = 100, log axis."""
    times_target = typeset(multiple(view.facts.target_leverage))
    x = Dates(view.time)
    hover = "%{y:,.2f}"
    return Panel(
        key="nav",
        title=f"Nav against {times_target} the underlying",
        caption=(
            f"All curves are 100 at the launch; the axis is logarithmic. “{times_target} daily, no "
            f"costs” compounds {times_target} each UTC day's return of the underlying without any "
            "cost; it is the benchmark for the token."
        ),
        traces=[
            line("underlying", x, view.asset, "$asset", hover, width=1.2),
            line(f"{times_target} daily, no costs", x, view.ideal, "$ideal", hover, dash="dash"),
            line("token", x, view.nav, "$nav", hover, width=2.2),
        ],
        shapes=wiped_out_marks(view.summary),
        yaxis={"type": "log", "title": {"text": "launch = 100"}, **_log_ticks(view)},
        weight=1.25,
    )


def costs_panel(view: View) -> Panel:
    """The chart of cumulative costs by kind, stacked, with receipts below zero, and their total."""
    x = Dates(view.cost_time)
    shape = "hv" if view.accruals_missing else "linear"
    known = {kind: view.costs[kind] for kind in COST_KINDS if kind in view.costs}
    shown = {kind: values for kind, values in known.items() if np.nan_to_num(values).any()}
    traces = [part for kind, values in shown.items() for part in _stacked(kind, x, values, shape)]
    if len(shown) > 1:
        total = np.sum([np.nan_to_num(values) for values in shown.values()], axis=0)
        traces.append(line("total", x, total, "$total", "%{y:,.2f}", shape=shape))
    relief = view.costs.get("paid_by_reserve")
    if relief is not None and np.nan_to_num(relief).any():
        traces.append(
            line("paid by the reserve", x, relief, "$relief", "%{y:,.2f}", dash="dot", shape=shape)
        )
    quote = as_text(view.facts.quote)
    return Panel(
        key="costs",
        title="Cost by kind",
        caption=_costs_caption(view, negative=any((v < 0).any() for v in shown.values())),
        traces=traces,
        yaxis={
            "title": {"text": f"{quote}, cumulative"},
            "tickformat": "~s",
            "rangemode": "tozero",
        },
    )


def reserve_panel(view: View) -> Panel | None:
    """The chart of the reserve's level, floor and resume ratio; None without a reserve."""
    if view.level is None:
        return None
    facts = view.facts
    lines = [
        ("floor", facts.floor_ratio, "$emergency", "dash"),
        ("resume", facts.resume_ratio, "$target", "dot"),
    ]
    shapes = [
        level_line(f"{name} {typeset(percent(ratio))}", ratio, colour, dash)
        for name, ratio, colour, dash in lines
        if ratio is not None
    ]
    for i, (since, until) in enumerate(view.suspended):
        shapes.append(_span("suspended", since, until, "$suspended", first=i == 0))
    caption = "Value of the reserve over the net asset value of all tokens, at each bar's close. "
    caption += "Below the floor, trades that raise leverage are suspended until the level is back "
    caption += "at the resume ratio. "
    spans = len(view.suspended)
    caption += (
        f"They were suspended in {spans} {'span' if spans == 1 else 'spans'}, shown shaded."
        if spans
        else "They were never suspended."
    )
    return Panel(
        key="reserve",
        title="Reserve level",
        caption=caption,
        traces=[line("level", Dates(view.time), view.level, "$nav", "%{y:.2%}", width=2.0)],
        shapes=shapes,
        yaxis={"title": {"text": "of net asset value"}, **_level_axis(view)},
        weight=0.8,
    )


def as_text(words: str) -> str:
    """A user's words, escaped so that plotly shows them unchanged and finds no tags or fields."""
    return html.escape(words, quote=False).replace("%{", "% {")


def line(
    name: str,
    x: Dates,
    y: Floats,
    color: str,
    hover: str,
    *,
    width: float = 1.6,
    dash: str = "solid",
    shape: str = "linear",
) -> Description:
    """A curve over time; a ``name`` that came from a user must be escaped already."""
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x,
        "y": y,
        "line": {"color": color, "width": width, "dash": dash, "shape": shape},
        "hovertemplate": hover,
    }


def level_line(name: str, y: float, color: str, dash: str) -> Description:
    """A horizontal line across the chart, such as a threshold."""
    return {
        "type": "line",
        "name": name,
        "showlegend": True,
        "xref": "x domain",
        "yref": "y",
        "x0": 0,
        "x1": 1,
        "y0": y,
        "y1": y,
        "line": {"color": color, "width": 1.4, "dash": dash},
        "layer": "below",
    }


def wiped_out_marks(summary: Mapping[str, object]) -> list[Description]:
    """A vertical line at the time at which the token was wiped out; empty if it was not."""
    wiped = summary.get("wiped_out")
    if not isinstance(wiped, Mapping):
        return []
    try:
        at = datetime.fromisoformat(str(wiped.get("time"))).astimezone(UTC)
    except ValueError:
        return []
    label = {"text": "wiped out", "textposition": "start", "textangle": 0, "yanchor": "bottom"}
    return [
        {
            "type": "line",
            "name": "wiped out",
            "showlegend": False,
            "xref": "x",
            "yref": "y domain",
            "x0": at.strftime("%Y-%m-%dT%H:%M:%S"),
            "x1": at.strftime("%Y-%m-%dT%H:%M:%S"),
            "y0": 0,
            "y1": 1,
            "line": {"color": "$bad", "width": 1.6, "dash": "dashdot"},
            "label": {**label, "xanchor": "right", "font": {"color": "$bad", "size": 12}},
        }
    ]


def _log_ticks(view: View) -> Description:
    """Ticks at 1, 2 and 5 times each power of ten, or only at 1 if the curves span many powers."""
    values = _log_steps(np.concatenate([view.nav, view.ideal, view.asset]))
    texts = [_plain_number(value) for value in values]
    return {"tickmode": "array", "tickvals": values, "ticktext": texts}


def _level_axis(view: View) -> Description:
    """A linear axis from zero, or a logarithmic one if the floor would be too low to be seen."""
    level = np.zeros(1) if view.level is None else np.nan_to_num(view.level)
    floor = view.facts.floor_ratio
    if not floor or level.max() < 12 * floor:
        return {"tickformat": ".0%", "rangemode": "tozero"}
    values = _log_steps(np.append(level[level > floor / 10], floor))
    texts = [f"{_plain_number(100 * value)}%" for value in values]
    # without an explicit range, an emptied reserve would extend the axis towards zero without limit
    ends = [math.log10(min(floor, *level[level > floor / 10].tolist()) * 0.8)]
    ends.append(math.log10(float(level.max()) * 1.2))
    return {"type": "log", "range": ends, "tickvals": values, "ticktext": texts}


def _log_steps(values: Floats) -> list[float]:
    drawn = values[np.nan_to_num(values) > 0.0]
    if not drawn.size:
        return []
    low, high = (math.floor(math.log10(edge)) for edge in (drawn.min(), drawn.max()))
    every = max(1, (high - low) // 6)  # decades between labels
    steps = (1, 2, 5) if high - low < _FEW_DECADES else (1,)
    return [step * 10.0**power for power in range(low, high + 2, every) for step in steps]


def _plain_number(value: float) -> str:
    return f"{value:z,.{max(0, -math.floor(math.log10(value) + 1e-9))}f}"


def _stacked(kind: str, x: Dates, values: Floats, shape: str) -> list[Description]:
    """Stack payments upwards from zero and receipts downwards, so that they do not cancel."""
    parts = [("up", np.maximum(values, 0.0)), ("down", np.minimum(values, 0.0))]
    drawn = [(group, part) for group, part in parts if np.nan_to_num(part).any()]
    return [
        {
            **line(kind, x, part, f"${kind}", "%{y:,.2f}", width=0.8, shape=shape),
            "stackgroup": group,
            "fillcolor": f"${kind}@0.55",
            "legendgroup": kind,
            "showlegend": i == 0,
        }
        for i, (group, part) in enumerate(drawn)
    ]


def _span(name: str, since: int, until: int, color: str, *, first: bool) -> Description:
    return {
        "type": "rect",
        "name": name,
        "showlegend": first,
        "legendgroup": name,
        "xref": "x",
        "yref": "y domain",
        "x0": instant(since),
        "x1": instant(until),
        "y0": 0,
        "y1": 1,
        "fillcolor": f"{color}@0.18",
        "line": {"width": 0, "color": color},
        "layer": "below",
    }


def _costs_caption(view: View, *, negative: bool) -> str:
    caption = "Cumulative costs of the whole fund, before payments by the reserve."
    if negative:
        caption += " Amounts below zero were received."
    if view.accruals_missing:
        caption += (
            " Only costs of trades are shown; funding, interest and management are known only as "
            "totals, which are listed above."
        )
    return caption
