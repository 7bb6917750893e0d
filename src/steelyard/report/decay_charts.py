"""Decay against volatility, window by window, and differences at matched volatility, as charts."""

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
"""Height of a row of differences, and of what stands around them, in charts."""
_APART = 0.17
"""Between the ways to match, in rows."""


@dataclass(frozen=True)
class DecayPoints:
    """The windows of an asset that the token lived through.

    Args:
        asset: its name.
        volatility: of each window, a year.
        ratio: of its decay to what its variance predicts.
    """

    asset: str
    volatility: Floats
    ratio: Floats


@dataclass(frozen=True)
class DecayRange:
    """A difference with its interval, log return a year, and how it was matched."""

    pair: str
    way: str
    value: float
    low: float
    high: float


def windows_panel(points: Sequence[DecayPoints]) -> Panel:
    """Each window's decay over what the variance of its days predicts, by its volatility."""
    return Panel(
        key="windows",
        title="Decay of each window over what its variance predicts",
        caption=(
            "Each point is a window of one asset that the token lived through. On the dotted line "
            "it decayed as the variance of its days predicts; above it, more."
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
            "title": {"text": "volatility from day to day, a year"},
            "tickformat": ".0%",
            "tickvals": [0.1, 0.2, 0.5, 1, 2, 5, 10],
            "automargin": True,
        },
        yaxis={"title": {"text": "decay over what variance predicts"}},
        hovermode="closest",
        weight=1.25,
    )


def differences_panel(ranges: Sequence[DecayRange]) -> Panel | None:
    """A row a pair of assets, its estimate with the interval; None where there is none."""
    if not ranges:
        return None
    ways, pairs = list(dict.fromkeys(one.way for one in ranges)), _pairs(ranges)
    return Panel(
        key="differences",
        title="Difference at matched volatility",
        caption=(
            "Percentage points of log return a year, each with its interval: left of zero an asset "
            "decays more than the one that it is compared with."
        ),
        traces=[
            _bars([one for one in ranges if one.way == way], pairs, place, apart)
            for place, (way, apart) in enumerate(zip(ways, _offsets(ways), strict=True))
        ],
        xaxis={
            "title": {"text": "difference, percentage points a year"},
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
        "hovertemplate": "%{text}: %{customdata} percentage points a year<extra></extra>",
    }


def _offsets(ways: Sequence[str]) -> list[float]:
    """How far from the middle of its row each way is drawn."""
    middle = (len(ways) - 1) / 2
    return [2 * _APART * (place - middle) for place in range(len(ways))]


def _pairs(ranges: Sequence[DecayRange]) -> list[str]:
    return list(dict.fromkeys(one.pair for one in ranges))
