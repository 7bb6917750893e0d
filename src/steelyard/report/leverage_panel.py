"""The chart of a run's leverage: the band, and every rebalance with leverage before and after."""

from __future__ import annotations

import numpy as np

from steelyard.report.figure_encoding import Dates, Labels, SelectedRows, Zipped
from steelyard.report.number_format import leverage, multiple, typeset
from steelyard.report.panels import Description, Panel, as_text, level_line, line, wiped_out_marks
from steelyard.report.plain_frames import Floats, Ints
from steelyard.report.view import Rows, View
from steelyard.rules.costs import TRADE_KINDS

__all__ = ["leverage_panel"]

# The axis ends at this multiple of the outermost threshold. A leverage beyond it only shows that
# the token is about to be wiped out, and would compress the rest of the chart.
_FARTHEST = 1.75

_SOME = 150
# From this number of trades on, stems and line are thinner, so that the band stays visible.
_MANY = 600


def leverage_panel(view: View) -> Panel:
    """The chart of leverage at closes, thresholds, and a marker with a stem for each rebalance."""
    facts, rows = view.facts, view.rows
    low, high = _reach(view)
    bottom, top = _range(view, low, high)
    caption = (
        "The line shows leverage at each bar's close. A triangle marks the leverage that triggered "
        "a trade; it points up for a purchase and down for a sale. Its stem ends at the leverage "
        "after the trade."
    )
    if len(rows.time) < rows.total:
        caption += (
            f" Only {len(rows.time):,} of {rows.total:,} trades are marked: the launch, "
            "emergencies, the largest trades, and the largest of each stretch of time."
        )
    if low < bottom or high > top:
        caption += (
            f" Leverage ranged from {typeset(leverage(low))} to {typeset(leverage(high))}, which "
            "is more than the axis shows."
        )
    width = 1.4 if len(rows.time) < _MANY else 0.9
    hover = "leverage %{y:.3f}<br>%{x|%Y-%m-%d %H:%M}<extra></extra>"
    return Panel(
        key="leverage",
        title="Leverage and rebalances",
        caption=caption,
        traces=[
            line("leverage", Dates(view.time), view.leverage, "$nav", hover, width=width),
            *_markers(rows, facts.quote),
        ],
        shapes=[*_thresholds(view), *wiped_out_marks(view.summary)],
        yaxis={"title": {"text": "× nav"}, "range": [bottom, top], "zeroline": False},
        hovermode="closest",
    )


def _thresholds(view: View) -> list[Description]:
    facts = view.facts
    sign = -1.0 if facts.target_leverage < 0 else 1.0
    shapes: list[Description] = []
    if facts.upper is not None and facts.lower is not None:
        shapes.append(_band(sign * facts.lower, sign * facts.upper))
    elif facts.upper is not None:
        name = f"deleverages beyond {typeset(multiple(sign * facts.upper))}"
        shapes.append(level_line(name, sign * facts.upper, "$band", "dash"))
    target = facts.target_leverage
    shapes.append(level_line(f"target {typeset(multiple(target))}", target, "$target", "dot"))
    if facts.emergency:
        name = f"emergency {typeset(multiple(sign * facts.emergency))}"
        shapes.append(level_line(name, sign * facts.emergency, "$emergency", "dash"))
    return shapes


def _band(near: float, far: float) -> Description:
    name = f"band {typeset(multiple(near))} to {typeset(multiple(far))}"
    return {
        **level_line(name, near, "$band@0.5", "solid"),
        "type": "rect",
        "y1": far,
        "fillcolor": "$band@0.10",
        "line": {"color": "$band@0.45", "width": 1},
    }


def _markers(rows: Rows, quote: str) -> list[Description]:
    trigger, side = np.array(rows.trigger), np.array(rows.side)
    launch = trigger == "launch"
    groups = [
        ("launch", launch, "diamond", "$total", 0.0),
        ("buy", ~launch & (side == "buy"), "triangle-up", "$buy", 1.0),
        ("sell", ~launch & (side == "sell"), "triangle-down", "$sell", -1.0),
    ]
    return [
        _marker(rows, np.flatnonzero(mask), quote, name, symbol, color, way)
        for name, mask, symbol, color, way in groups
        if mask.any()
    ]


def _marker(
    rows: Rows, index: Ints, quote: str, name: str, symbol: str, color: str, way: float
) -> Description:
    before, after = rows.numbers["leverage_before"], rows.numbers["leverage_after"]
    kinds = [kind for kind in TRADE_KINDS if np.nan_to_num(rows.numbers[kind]).any()]
    columns: list[Floats | Labels] = [Labels(rows.trigger), before, after]
    columns += [rows.numbers[kind] for kind in ("notional", *kinds)]
    trace: Description = {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": SelectedRows(Dates(rows.time), index),
        "y": SelectedRows(before if way else after, index),
        "marker": {"symbol": symbol, "size": _size(len(rows.time)), "color": color},
        "customdata": Zipped([SelectedRows(column, index) for column in columns]),
        "hovertemplate": _hover(name, quote, kinds),
    }
    if way:
        stem = np.maximum(way * (after - before)[index], 0.0)
        still = np.zeros(len(index))
        trace["error_y"] = {
            "type": "data",
            "symmetric": False,
            "array": stem if way > 0 else still,
            "arrayminus": still if way > 0 else stem,
            "width": 0,
            "thickness": 1,
            "color": f"{color}@{0.5 if len(rows.time) < _MANY else 0.28}",
        }
    return trace


def _hover(name: str, quote: str, kinds: list[str]) -> str:
    unit = as_text(quote)
    lines = [
        f"<b>{name}</b>" if name == "launch" else f"<b>{name}</b>, trigger %{{customdata[0]}}",
        "%{x|%Y-%m-%d %H:%M:%S}",
        "leverage %{customdata[1]:.3f} → %{customdata[2]:.3f}",
        f"notional %{{customdata[3]:,.2f}} {unit}",
        *(f"{kind} %{{customdata[{4 + i}]:,.2f}}" for i, kind in enumerate(kinds)),
    ]
    return "<br>".join(lines) + "<extra></extra>"


def _size(many: int) -> float:
    return 8.0 if many < _SOME else 6.0 if many < _MANY else 4.5


def _reach(view: View) -> tuple[float, float]:
    """Smallest and greatest leverage drawn, signed; a flat token has no leverage to draw."""
    numbers = view.rows.numbers
    drawn: Floats = np.concatenate(
        [view.leverage, numbers["leverage_before"], numbers["leverage_after"]]
    )
    drawn = drawn[np.isfinite(drawn) & (drawn != 0.0)]
    target = view.facts.target_leverage
    return (float(drawn.min()), float(drawn.max())) if drawn.size else (target, target)


def _range(view: View, low: float, high: float) -> tuple[float, float]:
    facts = view.facts
    sign = -1.0 if facts.target_leverage < 0 else 1.0
    marks = [abs(facts.target_leverage), facts.lower, facts.upper, facts.emergency]
    edges = [sign * mark for mark in marks if mark]
    farthest = max(abs(edge) for edge in edges) * _FARTHEST
    bottom = max(min(low, *edges, facts.target_leverage), -farthest if sign < 0 else -farthest / 4)
    top = min(max(high, *edges, facts.target_leverage), farthest if sign > 0 else farthest / 4)
    room = max((top - bottom) * 0.06, 0.02)
    return bottom - room, top + room
