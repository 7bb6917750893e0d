"""The charts of a tear sheet that are drawn from days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steelyard.explain.drawdowns import underwater
from steelyard.explain.statistics import WINDOW_DAYS, YEAR_DAYS, DailyValues, Floats, Ints
from steelyard.explain.tracking_curves import tracking_panels
from steelyard.market.times import DAY_S
from steelyard.plots.daily_panels import (
    Curve,
    distribution_panel,
    rolling_panel,
    underwater_panel,
)
from steelyard.plots.formats import multiple
from steelyard.plots.panels import Panel

if TYPE_CHECKING:
    from steelyard.explain.shown import ShownTearSheet

__all__ = [
    "distribution_of",
    "rolling_tracking",
    "rolling_volatility",
    "underwater_of",
]

LOOKS = {
    "underlying": ("$asset", "solid", 1.2),
    "multiple": ("$ideal", "dash", 1.4),
    "token": ("$nav", "solid", 1.8),
}
"""Colour, dash and width, as the chart of nav has them; the last is drawn on top."""


def underwater_of(found: ShownTearSheet) -> Panel | None:
    """Drawdowns of the token, L times daily and the underlying; None without a day."""
    if not len(found.days["token"].returns):
        return None
    curves = [
        _curve(found, name, found.days[name].day, underwater(found.days[name]))
        for name in reversed(LOOKS)
    ]
    return underwater_panel(curves, found.run.summary)


def distribution_of(found: ShownTearSheet) -> Panel | None:
    """How often days returned what."""
    days, figures = found.days, found.statistics["token"]
    names = {
        "5 % of days are worse": figures["value_at_risk"],
        "mean of these": figures["expected_shortfall"],
    }
    marks = {name: at for name, at in names.items() if at is not None}
    return distribution_panel(
        days["token"].returns,
        days["multiple"].returns,
        (_title(found, "token"), _title(found, "multiple")),
        marks,
    )


def rolling_volatility(found: ShownTearSheet) -> Panel | None:
    """Of all three, a year's, over trailing windows."""
    curves = [_curve(found, name, *_rolling_spread(found.days[name])) for name in LOOKS]
    return rolling_panel(
        "volatility",
        f"Volatility of the last {WINDOW_DAYS} days",
        "Standard deviation of daily returns, of a year.",
        curves,
        tickformat=".0%",
    )


def rolling_tracking(found: ShownTearSheet) -> dict[str, Panel | None]:
    """Tracking over trailing windows, a chart a figure, by its name."""
    return tracking_panels(found.rolling, found.tracking.target, WINDOW_DAYS)


def _curve(found: ShownTearSheet, name: str, day: Ints, value: Floats) -> Curve:
    color, dash, width = LOOKS[name]
    return Curve(_title(found, name), day * DAY_S, value, color, dash, width)


def _title(found: ShownTearSheet, name: str) -> str:
    """As the chart of nav calls it."""
    if name == "multiple":
        return f"{multiple(found.tracking.target)} daily, no costs"
    return name


def _rolling_spread(values: DailyValues) -> tuple[Ints, Floats]:
    if len(values.returns) < WINDOW_DAYS:
        return values.day[:0], np.array([])
    windows = np.lib.stride_tricks.sliding_window_view(values.returns, WINDOW_DAYS)
    return values.day[WINDOW_DAYS:], np.std(windows, axis=1, ddof=1) * np.sqrt(YEAR_DAYS)
