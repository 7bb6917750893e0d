"""Charts of decay: each window against its volatility, and differences at matched volatility."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steelyard.report.panels import Description, Panel, as_text
from steelyard.report.plain_frames import Floats

__all__ = ["DecayPoints", "DecayRange", "differences_panel", "windows_panel"]

_COLORS = ("$nav", "$ideal", "$funding", "$impact", "$management", "$asset")
_SYMBOLS = ("circle", "diamond", "triangle-up", "square", "cross", "x")
_ONE: Description = {
    "type": "line",
    "name": "as predicted",
    "showlegend": False,
    "xref": "x domain",
    "yref": "y",
    "x0": 0,
    "x1": 1,
    "y0": 1,
    "y1": 1,
    "line": {"color": "$ink", "width": 1.4, "dash": "dot"},
}
_ROW, _AXES = 0.08, 0.45
"""Height of one row of differences, and height of the rest of the chart, relative to a chart."""
_APART = 0.17
"""Half the distance between two ways of matching, in rows."""


@dataclass(frozen=True)
class DecayPoints:
    """The windows of one asset that the token survived.

    Args:
        asset: name of the asset.
        volatility: annualised volatility of each window, shape (windows,).
        ratio: decay of each window divided by the decay that its variance predicts, same shape.
    """

    asset: str
    volatility: Floats
    ratio: Floats


@dataclass(frozen=True)
class DecayRange:
    """A difference of decay with its interval, in log return per year, and the way of matching."""

    pair: str
    way: str
    value: float
    low: float
    high: float


def windows_panel(points: Sequence[DecayPoints]) -> Panel:
    """The chart of each window's decay relative to the predicted decay, against its volatility."""
    return Panel(
        key="windows",
        title="Decay of each window relative to its prediction",
        caption=(
            "Each point is a window of one asset that the token survived. On the dotted line, the "
            "token decayed as the variance of daily returns predicts; above it, it decayed more."
        ),
        traces=[
            {
                "type": "scatter",
                "mode": "markers",
                "name": as_text(one.asset),
                "x": one.volatility,
                "y": one.ratio,
                "marker": {
                    "color": _COLORS[place % len(_COLORS)],
                    "symbol": _SYMBOLS[place % len(_SYMBOLS)],
                    "size": 7,
                    "opacity": 0.75,
                },
                "hovertemplate": "volatility %{x:.0%}, decay %{y:.3f} of predicted",
            }
            for place, one in enumerate(points)
        ],
        shapes=[_ONE],
        xaxis={
            "type": "log",
            "title": {"text": "annualised volatility from day to day"},
            "tickformat": ".0%",
            "tickvals": [0.1, 0.2, 0.5, 1, 2, 5, 10],
            "automargin": True,
        },
        yaxis={"title": {"text": "decay relative to prediction"}},
        hovermode="closest",
        weight=1.25,
    )


def differences_panel(ranges: Sequence[DecayRange]) -> Panel | None:
    """The chart of estimates and intervals, one row for each pair of assets; None without any."""
    if not ranges:
        return None
    ways, pairs = list(dict.fromkeys(one.way for one in ranges)), _pairs(ranges)
    return Panel(
        key="differences",
        title="Difference at matched volatility",
        caption=(
            "Differences in percentage points of log return per year, each with its interval. Left "
            "of zero, an asset decays more than the one with which it is compared."
        ),
        traces=[
            _bars([one for one in ranges if one.way == way], pairs, place, apart)
            for place, (way, apart) in enumerate(zip(ways, _offsets(ways), strict=True))
        ],
        xaxis={
            "title": {"text": "difference of decay, percentage points per year"},
            "zeroline": True,
            "zerolinewidth": 1.6,
            "zerolinecolor": "$muted",
            "automargin": True,
        },
        yaxis={
            "title": {"text": ""},
            "range": [len(pairs) - 0.4, -0.6],
            "tickvals": list(range(len(pairs))),
            "ticktext": [as_text(pair) for pair in pairs],
            "zeroline": False,
            "automargin": True,
        },
        hovermode="closest",
        weight=_AXES + _ROW * len(pairs),
    )


def _bars(
    some: Sequence[DecayRange], pairs: Sequence[str], place: int, apart: float
) -> Description:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": as_text(some[0].way),
        "x": np.array([one.value for one in some]) * 100,
        "y": np.array([pairs.index(one.pair) + apart for one in some]),
        "text": [as_text(one.pair) for one in some],
        "customdata": [f"{one.value * 100:+z.1f}" for one in some],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": np.array([one.high - one.value for one in some]) * 100,
            "arrayminus": np.array([one.value - one.low for one in some]) * 100,
            "thickness": 1.6,
        },
        "marker": {
            "color": "$accent" if place else "$ink",
            "symbol": "diamond-open" if place else "square",
            "size": 9,
        },
        "hovertemplate": "%{text}: %{customdata} percentage points per year<extra></extra>",
    }


def _offsets(ways: Sequence[str]) -> list[float]:
    """The distance of each way of matching from the middle of its row, in rows."""
    middle = (len(ways) - 1) / 2
    return [2 * _APART * (place - middle) for place in range(len(ways))]


def _pairs(ranges: Sequence[DecayRange]) -> list[str]:
    return list(dict.fromkeys(one.pair for one in ranges))
