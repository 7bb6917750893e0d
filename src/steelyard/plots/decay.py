"""Decay against volatility, window by window, and differences at matched volatility, as a figure.

Above: each window is a point, its decay over what its variance predicts. Below: a row a pair of
assets, its estimate with the interval, against the line of no difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from steelyard.plots.columns import plain
from steelyard.plots.frames import Floats
from steelyard.plots.palette import DARK, LIGHT
from steelyard.plots.panels import Description, as_text

__all__ = ["DecayPoints", "DecayRange", "decay_figure"]

_COLORS = ("$nav", "$ideal", "$funding", "$impact", "$management", "$asset")
_SYMBOLS = ("circle", "diamond", "triangle-up", "square", "cross", "x")
_AXIS: Description = {"gridcolor": "$grid", "zerolinecolor": "$muted", "linecolor": "$rule"}
_ONE: Description = {
    "type": "line",
    "xref": "x domain",
    "x0": 0,
    "x1": 1,
    "y0": 1,
    "y1": 1,
    "line": {"color": "$ink", "width": 1.4, "dash": "dot"},
}
_ROW = 24
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


def decay_figure(
    points: Sequence[DecayPoints],
    ranges: Sequence[DecayRange],
    *,
    title: str,
    dark: bool = False,
) -> Any:  # noqa: ANN401  plotly has no types
    """Both charts as a ``plotly.graph_objects.Figure``."""
    # plotly takes a tenth of a second to import: only who draws pays for it
    import plotly.graph_objects as go

    clouds: list[Description] = [
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
    ]
    height = 420 + (120 + _ROW * len(ranges) if ranges else 0)
    share = (_ROW * len(ranges) + 20) / (height - 150) if ranges else 0.0
    layout: Description = {
        "title": {"text": as_text(title), "font": {"size": 18}},
        "height": height,
        "margin": {"l": 70, "r": 30, "t": 80, "b": 60},
        "paper_bgcolor": "$card",
        "plot_bgcolor": "$card",
        "font": {"color": "$ink"},
        "separators": ".,",
        "hovermode": "closest",
        "legend": {"orientation": "h", "y": 1.01, "yanchor": "bottom", "x": 1, "xanchor": "right"},
        "xaxis": {
            **_AXIS,
            "type": "log",
            "anchor": "y",
            "title": {"text": "volatility from day to day, a year"},
            "tickformat": ".0%",
            "tickvals": [0.1, 0.2, 0.5, 1, 2, 5, 10],
        },
        "yaxis": {
            **_AXIS,
            "domain": [share + 90 / height if ranges else 0, 1],
            "title": {"text": "decay over what variance predicts"},
        },
        "shapes": [_ONE],
    }
    if ranges:
        layout["xaxis2"] = {
            **_AXIS,
            "anchor": "y2",
            "title": {"text": "difference, points a year: left of 0 decays more"},
            "zeroline": True,
            "zerolinewidth": 1.6,
        }
        pairs = [as_text(pair) for pair in _pairs(ranges)]
        layout["yaxis2"] = {
            **_AXIS,
            "anchor": "x2",
            "domain": [0, share],
            "range": [len(pairs) - 0.4, -0.6],
            "tickvals": list(range(len(pairs))),
            "ticktext": pairs,
            "zeroline": False,
            "automargin": True,
        }
    figure = {"data": [*clouds, *_bars(ranges)], "layout": layout}
    return go.Figure(plain(figure, DARK if dark else LIGHT))


def _bars(ranges: Sequence[DecayRange]) -> list[Description]:
    ways, pairs = list(dict.fromkeys(one.way for one in ranges)), _pairs(ranges)
    bars: list[Description] = []
    for place, way in enumerate(ways):
        some = [one for one in ranges if one.way == way]
        bars.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": as_text(way),
                "xaxis": "x2",
                "yaxis": "y2",
                "x": np.array([one.value for one in some]) * 100,
                "y": [pairs.index(one.pair) + (2 * place - 1) * _APART for one in some],
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
                    "color": "$ink" if place == 0 else "$accent",
                    "symbol": "square" if place == 0 else "diamond-open",
                    "size": 9,
                },
                "hovertemplate": "%{text}: %{customdata} points a year",
            }
        )
    return bars


def _pairs(ranges: Sequence[DecayRange]) -> list[str]:
    return list(dict.fromkeys(one.pair for one in ranges))
