"""The chart of a comparison of series: exposure error against cost.

On logarithmic axes, a rule with different widths moves along one falling line,
``error * cost = kappa * unit`` with ``unit = c sigma^3 L^2 (L - 1)^2``. A rule whose line is nearer
to the corner of the axes is better, whatever its width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle

import numpy as np

from steelyard.report.figure_encoding import Labels, Zipped
from steelyard.report.labels import sides
from steelyard.report.number_format import multiple, number, typeset
from steelyard.report.panels import Description, Panel, as_text
from steelyard.report.plain_frames import Floats
from steelyard.rules.optimal_band import EDGE_PRODUCT, PERIODIC_PRODUCT, RESET_PRODUCT

__all__ = ["RulePoint", "comparison_panel"]

_MOST_NAMES = 12
_ROOM = 1.6  # so that each logarithmic axis shows at least one of 1, 2 and 5
_LINEAR_ROOM = 1.12
_MANY_DECADES = 0.85
_DASHES = ("solid", "dash", "dot")
_LIMITS = (
    ("edge", EDGE_PRODUCT, "solid"),
    ("reset", RESET_PRODUCT, "dash"),
    ("clock", PERIODIC_PRODUCT, "dot"),
)


@dataclass(frozen=True)
class RulePoint:
    """The point of one series in the chart of a comparison.

    Args:
        place: index of the series among all compared series, including those without a point.
        name: name of the series.
        target: target leverage L, signed.
        error: exposure error, annualised.
        cost: cost of rebalances, as a share of nav per year.
        kappa: error times cost divided by the unit of its rule; None where it is undefined.
        efficient: whether no other series of its target has at most its error and its cost, and
            less of one.
        wiped_out: whether the token was wiped out.
        side: the side of the point on which the name is written.
    """

    place: int
    name: str
    target: float
    error: float
    cost: float
    kappa: float | None
    efficient: bool
    wiped_out: bool
    side: str = ""


def comparison_panel(points: Sequence[RulePoint], unit: float | None) -> Panel:
    """The chart of exposure error against cost, with one point for each series.

    Args:
        points: the points, at least one.
        unit: error times cost of a rule with kappa 1, if all series have the same; 0 or None: it is
            unknown, and no lines of rules are drawn.
    """
    errors, costs = _axis([p.error for p in points]), _axis([p.cost for p in points])
    points = _beside(points, errors, costs)
    limits = []
    if unit and errors["type"] == costs["type"] == "log":
        limits = [_limit(*limit, unit, errors["range"]) for limit in _LIMITS]
    frontiers = _frontiers(points)
    kinds = (
        ("efficient", "$nav", "diamond", [p for p in points if p.efficient]),
        ("others", "$sell", "circle", [p for p in points if not (p.efficient or p.wiped_out)]),
        ("wiped out", "$bad", "x", [p for p in points if p.wiped_out]),
    )
    named = len(points) <= _MOST_NAMES
    marks = [
        _marks(name, color, symbol, some, named=named or name == "efficient")
        for name, color, symbol, some in kinds
        if some
    ]
    return Panel(
        key="comparison",
        title="Exposure error against cost",
        caption=_caption(drawn_limits=bool(limits)),
        traces=[*limits, *frontiers, *marks],
        xaxis={**errors, "title": {"text": "exposure error, annualised"}, "tickformat": ".3~g"},
        yaxis={**costs, "title": {"text": "cost, share of nav per year"}, "tickformat": ".2~%"},
        hovermode="closest",
        weight=1.35,
    )


def _caption(*, drawn_limits: bool) -> str:
    words = (
        "Each point is a series; select it to see the series. A point further to the left is "
        "closer to its target, and a lower point is cheaper. The stairs are the efficient frontier "
        "of each target: for a series beyond it, another series has less of both."
    )
    if drawn_limits:
        words += (
            " The straight lines show what rules of any width reach if the price moves "
            "continuously: trading to the edge of a band (0.289), a reset at a band (0.408), and a "
            "reset by the clock (0.564)."
        )
    return words


def _axis(values: Sequence[float]) -> Description:
    """A logarithmic axis if all values are positive, and otherwise a linear one from zero."""
    low, high = min(values), max(values)
    if low > 0:
        ends = [math.log10(low / _ROOM), math.log10(high * _ROOM)]
        # plotly's own labels between powers of ten would overlap
        ticks = {"dtick": "D2"} if ends[1] - ends[0] > _MANY_DECADES else {"nticks": 10}
        return {"type": "log", "range": ends, **ticks}
    return {"type": "linear", "range": [0.0, high * _LINEAR_ROOM or 1.0]}


def _beside(
    points: Sequence[RulePoint], errors: Description, costs: Description
) -> Sequence[RulePoint]:
    """The points, with the sides chosen on which their names are written."""
    places = [(_share(p.error, errors), _share(p.cost, costs)) for p in points]
    chosen = sides(places, [p.name for p in points])
    return [replace(p, side=side) for p, side in zip(points, chosen, strict=True)]


def _share(value: float, axis: Description) -> float:
    low, high = map(float, axis["range"])
    return ((math.log10(value) if axis["type"] == "log" else value) - low) / (high - low)


def _limit(name: str, product: float, dash: str, unit: float, ends: Sequence[float]) -> Description:
    errors: Floats = np.logspace(ends[0], ends[1], 33)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"{name}, {product:z.3f}",
        "x": errors,
        "y": product * unit / errors,
        "line": {"color": "$target", "width": 1.2, "dash": dash},
        "hoverinfo": "skip",
    }


def _frontiers(points: Sequence[RulePoint]) -> list[Description]:
    """Stairs through the efficient series of each target that has at least two of them."""
    targets = list(dict.fromkeys(p.target for p in points))
    steps = {
        target: sorted({(p.error, p.cost) for p in points if p.efficient and p.target == target})
        for target in targets
    }
    stairs = [(target, found) for target, found in steps.items() if len(found) > 1]
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "frontier" + (f" {typeset(multiple(target))}" if len(targets) > 1 else ""),
            "x": np.array([error for error, _ in found]),
            "y": np.array([cost for _, cost in found]),
            "line": {"color": "$nav", "width": 1.6, "dash": dash, "shape": "hv"},
            "hoverinfo": "skip",
        }
        for (target, found), dash in zip(stairs, cycle(_DASHES), strict=False)
    ]


def _marks(
    name: str, color: str, symbol: str, points: Sequence[RulePoint], *, named: bool
) -> Description:
    labels = Labels([as_text(p.name) for p in points])
    kappas = Labels([number(p.kappa, 3) for p in points])
    places = np.array([p.place for p in points], dtype=np.float64)
    return {
        "type": "scatter",
        "mode": "markers+text" if named else "markers",
        "name": name,
        "x": np.array([p.error for p in points]),
        "y": np.array([p.cost for p in points]),
        "text": labels,
        "textposition": [p.side for p in points],
        "textfont": {"color": "$ink", "size": 12},
        "cliponaxis": False,
        "marker": {"color": color, "symbol": symbol, "size": 11},
        "customdata": Zipped([labels, kappas, places]),
        "hovertemplate": (
            "<b>%{customdata[0]}</b><br>error %{x:.3f}, cost %{y:.2%}, "
            "kappa %{customdata[1]}<extra></extra>"
        ),
    }
