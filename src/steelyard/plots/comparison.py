"""Rules side by side: the table of a comparison, and its chart of error against cost.

On logarithmic axes all widths of one rule lie on one falling line, ``error * cost = kappa * unit``
with ``unit = c sigma^3 L^2 (L - 1)^2``: what lies nearer to the corner of the axes is the better
rule, whatever its width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import cycle

import numpy as np

from steelyard.plots import formats
from steelyard.plots.columns import Labels, Zipped
from steelyard.plots.digest import Cell, tone
from steelyard.plots.frames import Floats
from steelyard.plots.labels import sides
from steelyard.plots.overview import Overview
from steelyard.plots.panels import Description, Panel, as_text
from steelyard.plots.view import View, figure_of
from steelyard.rules.optimal_band import EDGE_PRODUCT, PERIODIC_PRODUCT, RESET_PRODUCT

__all__ = ["Standing", "comparison_overview"]

_MOST_NAMES = 12
_ROOM = 1.6  # on logarithmic axes at least one of 1, 2 and 5 is then on each
_LINEAR_ROOM = 1.12
_MANY_DECADES = 0.85
_DASHES = ("solid", "dash", "dot")

_HEADINGS = (
    ("Nav", "per token, at the end"),
    ("Return", "nav per token, from launch to end"),
    ("Difference", "tracking difference: to a daily reset without costs"),
    ("Error", "tracking error: how far the exposure itself was off its target, per year"),
    ("Cost", "fees, spreads, impact and gas of rebalances: share of nav per year"),
    ("Carry", "funding, interest and management: share of nav per year"),
    ("Kappa", "error times cost: to the edge 0.289, reset at a band 0.408, by the clock 0.564"),
    ("Turnover", "traded by rebalances, in multiples of nav per year"),
    ("Rebal.", "rebalances, launch not counted"),
    ("Worst day", "lowest return of a UTC day"),
    ("Drawdown", "deepest fall from a peak, at closes"),
)
_LIMITS = (
    ("edge", EDGE_PRODUCT, "solid"),
    ("reset", RESET_PRODUCT, "dash"),
    ("clock", PERIODIC_PRODUCT, "dot"),
)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a series stands among those that it is compared with.

    Args:
        cost_per_year, turnover_per_year: of rebalances, in nav; None where undefined.
        carry_per_year: funding, interest and management, in nav; None where undefined.
        kappa: error times cost over ``unit``; None where undefined.
        unit: error times cost of a rule of kappa 1; 0 or None where there is none.
        efficient: no other of its target has both less error and less cost.
    """

    cost_per_year: float | None
    carry_per_year: float | None
    turnover_per_year: float | None
    kappa: float | None
    unit: float | None
    efficient: bool


@dataclass(frozen=True)
class _Point:
    place: int
    name: str
    target: float
    error: float
    cost: float
    kappa: float | None
    efficient: bool
    wiped_out: bool
    side: str = ""


def comparison_overview(views: Sequence[View], standings: Sequence[Standing]) -> Overview:
    """The overview of runs that are compared: views and standings in one order."""
    pairs = list(zip(views, standings, strict=True))
    points = [p for place, pair in enumerate(pairs) if (p := _point(place, *pair)) is not None]
    unpaid = not any(standing.carry_per_year for standing in standings)
    kept = [i for i, (name, _) in enumerate(_HEADINGS) if not (unpaid and name == "Carry")]
    rows = [_cells(view, standing) for view, standing in pairs]
    return Overview(
        headings=[_HEADINGS[i] for i in kept],
        rows=[[row[i] for i in kept] for row in rows],
        badges=["efficient" if standing.efficient else "" for standing in standings],
        panels=[_panel(points, standings)] if points else [],
    )


def _cells(view: View, standing: Standing) -> list[Cell]:
    def of(*path: str) -> float | None:
        return figure_of(view.summary, *path)

    back, difference = of("nav", "return"), of("tracking", "difference")
    cost, turnover, kappa = standing.cost_per_year, standing.turnover_per_year, standing.kappa
    carry = standing.carry_per_year
    worst = view.worst_day[1] if view.worst_day else None
    return [
        Cell(formats.money(of("nav", "final")), of("nav", "final")),
        Cell(formats.percent(back, signed=True), back, tone(back)),
        Cell(formats.percent(difference, signed=True), difference),
        Cell(formats.number(of("tracking", "error"), 3), of("tracking", "error")),
        Cell(formats.percent(cost), cost),
        Cell(formats.percent(carry), carry),
        Cell(formats.number(kappa, 3), kappa),
        Cell(formats.number(turnover, 1), turnover),
        Cell(formats.count(of("rebalances", "count")), of("rebalances", "count")),
        Cell(formats.percent(worst, signed=True), worst),
        Cell(formats.percent(of("max_drawdown")), of("max_drawdown")),
    ]


def _point(place: int, view: View, standing: Standing) -> _Point | None:
    error, cost = figure_of(view.summary, "tracking", "error"), standing.cost_per_year
    if error is None or cost is None:
        return None
    return _Point(
        place=place,
        name=as_text(view.facts.symbol),
        target=view.facts.target_leverage,
        error=error,
        cost=cost,
        kappa=standing.kappa,
        efficient=standing.efficient,
        wiped_out=view.summary.get("wiped_out") is not None,
    )


def _panel(points: Sequence[_Point], standings: Sequence[Standing]) -> Panel:
    errors, costs = _axis([p.error for p in points]), _axis([p.cost for p in points])
    points = _beside(points, errors, costs)
    unit = _common_unit(standings)
    limits = []
    if unit is not None and errors["type"] == costs["type"] == "log":
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
        title="Tracking error against cost",
        caption=_caption(drawn_limits=bool(limits)),
        traces=[*limits, *frontiers, *marks],
        xaxis={**errors, "title": {"text": "tracking error, a year"}, "tickformat": ".3~g"},
        yaxis={**costs, "title": {"text": "cost, share of nav a year"}, "tickformat": ".2~%"},
        hovermode="closest",
        weight=1.35,
    )


def _caption(*, drawn_limits: bool) -> str:
    words = (
        "Each point is a series and leads to it: left is closer to its target, down is cheaper. "
        "The stairs are the efficient frontier, of one target each: beyond it, another series has "
        "less of both."
    )
    if drawn_limits:
        words += (
            " The straight lines are what rules of any width reach where the price moves "
            "continuously: trading to the edge of a band (0.289), a reset at a band (0.408), a "
            "reset by the clock (0.564)."
        )
    return words


def _axis(values: Sequence[float]) -> Description:
    """Logarithmic where all can be drawn so, else from zero."""
    low, high = min(values), max(values)
    if low > 0:
        ends = [math.log10(low / _ROOM), math.log10(high * _ROOM)]
        # by themselves labels between powers of ten would run into each other
        ticks = {"dtick": "D2"} if ends[1] - ends[0] > _MANY_DECADES else {"nticks": 10}
        return {"type": "log", "range": ends, **ticks}
    return {"type": "linear", "range": [0.0, high * _LINEAR_ROOM or 1.0]}


def _beside(points: Sequence[_Point], errors: Description, costs: Description) -> Sequence[_Point]:
    """The points with the sides on which their names are written."""
    places = [(_share(p.error, errors), _share(p.cost, costs)) for p in points]
    chosen = sides(places, [p.name for p in points])
    return [replace(p, side=side) for p, side in zip(points, chosen, strict=True)]


def _share(value: float, axis: Description) -> float:
    low, high = map(float, axis["range"])
    return ((math.log10(value) if axis["type"] == "log" else value) - low) / (high - low)


def _common_unit(standings: Sequence[Standing]) -> float | None:
    """The unit of all series, where they have one in common: one target, one cost."""
    units = [standing.unit for standing in standings]
    first = units[0]
    if first and all(unit and math.isclose(unit, first, rel_tol=1e-9) for unit in units):
        return first
    return None


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


def _frontiers(points: Sequence[_Point]) -> list[Description]:
    """Stairs through the efficient series of each target that has two of them."""
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
            "name": "frontier" + (f" {formats.multiple(target)}" if len(targets) > 1 else ""),
            "x": np.array([error for error, _ in found]),
            "y": np.array([cost for _, cost in found]),
            "line": {"color": "$nav", "width": 1.6, "dash": dash, "shape": "hv"},
            "hoverinfo": "skip",
        }
        for (target, found), dash in zip(stairs, cycle(_DASHES), strict=False)
    ]


def _marks(
    name: str, color: str, symbol: str, points: Sequence[_Point], *, named: bool
) -> Description:
    labels = Labels([p.name for p in points])
    kappas = Labels([formats.number(p.kappa, 3) for p in points])
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
