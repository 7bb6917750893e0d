"""Charts of daily values: drawdowns, the distribution of returns, and rolling figures.

They are described like the charts of a run (``panels``), with abstract colours and columns. Curves
are plain arrays with names; this module does not depend on what they represent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from steelyard.report.figure_encoding import Dates
from steelyard.report.panels import Description, Panel, as_text, level_line, line, wiped_out_marks
from steelyard.report.plain_frames import Floats, Ints

__all__ = ["Curve", "distribution_panel", "rolling_panel", "underwater_panel"]

_FEWEST_BARS, _MOST_BARS = 12, 80
_DASHES = ("dot", "dash")
_WIDTHS = tuple(digit * 10.0**power for power in range(-6, 3) for digit in (1.0, 2.0, 2.5, 5.0))


@dataclass(frozen=True)
class Curve:
    """A curve over days.

    Args:
        name: name in the legend, not escaped; this module escapes it.
        time: epoch seconds, shape (points,).
        value: value at each instant, same shape as ``time``; NaN where there is none.
        color: a colour of the palette, such as ``$nav``.
        dash: plotly's name of the dash pattern.
        width: width of the line, in pixels.
    """

    name: str
    time: Ints
    value: Floats
    color: str
    dash: str = "solid"
    width: float = 1.6


def underwater_panel(curves: Sequence[Curve], summary: Mapping[str, object]) -> Panel:
    """The chart of drawdowns at the ends of days; the first curve is filled and drawn in front."""
    traces: list[Description] = []
    for place, curve in reversed(list(enumerate(curves))):
        fill = {"fill": "tozeroy", "fillcolor": f"{curve.color}@0.16"} if not place else {}
        traces.append({**_line(curve, "%{y:.1%}"), **fill})
    return Panel(
        key="underwater",
        title="Drawdown",
        caption="The relative loss from the highest value so far, at the end of each UTC day.",
        traces=traces,
        shapes=wiped_out_marks(summary),
        yaxis={"title": {"text": "drawdown"}, "tickformat": ".0%", "rangemode": "tozero"},
        weight=0.85,
    )


def rolling_panel(
    key: str,
    title: str,
    caption: str,
    curves: Sequence[Curve],
    *,
    tickformat: str = "",
    level: tuple[str, float] | None = None,
) -> Panel | None:
    """The chart of figures of trailing windows; None where no curve has a finite value.

    ``level`` gives the name and the height of a horizontal line.
    """
    drawn = [curve for curve in curves if np.isfinite(curve.value).any()]
    if not drawn:
        return None
    # plotly drops the sign of a value rounded to zero, except where the format asks for a plus
    hover = f"%{{y:{tickformat.lstrip('+') or '.3f'}}}"
    return Panel(
        key=key,
        title=title,
        caption=caption,
        traces=[_line(curve, hover) for curve in drawn],
        shapes=[] if level is None else [level_line(level[0], level[1], "$target", "dot")],
        yaxis={"title": {"text": ""}, **({"tickformat": tickformat} if tickformat else {})},
        weight=0.75,
    )


def distribution_panel(
    token: Floats, multiple: Floats, names: tuple[str, str], marks: Mapping[str, float]
) -> Panel | None:
    """The histogram of daily returns: the token as bars, the daily reset without costs as a line.

    ``marks`` are returns by name, which are drawn as vertical lines. None where there are no days.
    """
    if not len(token):
        return None
    edges = _edges(token, multiple)
    middles = (edges[1:] + edges[:-1]) / 2
    bars, steps = (np.histogram(values, edges)[0].astype(float) for values in (token, multiple))
    ranges = [f"{low:+z.1%} to {high:+z.1%}" for low, high in pairwise(edges.tolist())]
    shared: Description = {"x": middles, "customdata": ranges}
    hover = "%{customdata}: %{y:,.0f} days"
    traces: list[Description] = [
        {
            **shared,
            "type": "bar",
            "name": as_text(names[0]),
            "y": bars,
            "marker": {"color": "$nav"},
            "hovertemplate": hover,
        },
        {
            **shared,
            "type": "scatter",
            "mode": "lines",
            "name": as_text(names[1]),
            "y": steps,
            "line": {"color": "$ideal", "width": 1.4, "shape": "hvh"},
            "hovertemplate": hover,
        },
    ]
    return Panel(
        key="distribution",
        title="Distribution of daily returns",
        caption=(
            "Number of UTC days by their return. 95 % of the token's days are to the right of the "
            "dotted line; the dashed line is the mean of the other days."
            if marks
            else "Number of UTC days by their return."
        ),
        traces=traces,
        shapes=[
            _upright(name, at, dash)
            for (name, at), dash in zip(marks.items(), _DASHES, strict=False)
        ],
        xaxis={"title": {"text": "return of a day"}, "tickformat": ".0%", "automargin": True},
        yaxis={"title": {"text": "days"}, "rangemode": "tozero"},
        hovermode="x unified",
        weight=0.9,
    )


def _line(curve: Curve, hover: str) -> Description:
    return line(
        as_text(curve.name),
        Dates(curve.time),
        curve.value,
        curve.color,
        hover,
        width=curve.width,
        dash=curve.dash,
    )


def _edges(token: Floats, multiple: Floats) -> Floats:
    """Edges of bars: a round width near that of Freedman and Diaconis 1981, one edge at zero."""
    low, high = (float(edge) for edge in (min(token.min(), 0.0), max(token.max(), 0.0)))
    if len(multiple):
        low, high = min(low, float(multiple.min())), max(high, float(multiple.max()))
    quarter, three = np.quantile(token, [0.25, 0.75])
    wanted = 2 * float(three - quarter) / len(token) ** (1 / 3)
    reach = high - low
    if not reach:
        return np.array([-0.01, 0.0, 0.01])
    wanted = min(max(wanted, reach / _MOST_BARS), reach / _FEWEST_BARS)
    width = next((width for width in _WIDTHS if width >= wanted), wanted)
    # one more edge on the right, because a value on the last edge is counted in the bar left of it;
    # and one more on the left where a loss is so small that its share of a bar is rounded to zero
    first = int(np.floor(low / width))
    count = range(first - (first * width > low), int(np.ceil(high / width)) + 2)
    return np.array([place * width for place in count])


def _upright(name: str, at: float, dash: str) -> dict[str, Any]:
    return {
        "type": "line",
        "name": name,
        "showlegend": True,
        "xref": "x",
        "yref": "y domain",
        "x0": at,
        "x1": at,
        "y0": 0,
        "y1": 1,
        "line": {"color": "$bad", "width": 1.4, "dash": dash},
    }
