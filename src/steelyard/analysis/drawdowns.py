"""Drawdowns at the ends of days: how far and for how long a value is below its highest so far.

Let P be the highest value up to and including a day. The drawdown at the end of that day is
``value / P - 1``, which is zero or less. A statistic is None where no day has a return, and
Calmar's ratio also where there was no drawdown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from steelyard.analysis.statistics import DailyValues, Floats, annual_return, defined

__all__ = [
    "DRAWDOWNS",
    "calmar",
    "drawdown_now",
    "longest_drawdown_days",
    "max_drawdown",
    "time_under_water",
    "ulcer_index",
    "underwater",
]


def underwater(values: DailyValues) -> Floats:
    """The drawdown at the end of each day, including the first; same shape as ``values.day``."""
    return np.asarray(values.value / np.maximum.accumulate(values.value) - 1.0, dtype=np.float64)


def max_drawdown(values: DailyValues) -> float | None:
    """The deepest drawdown: ``min(value / P - 1)``."""
    return defined(underwater(values).min()) if len(values.returns) else None


def drawdown_now(values: DailyValues) -> float | None:
    """The drawdown at the end of the last day."""
    return defined(underwater(values)[-1]) if len(values.returns) else None


def longest_drawdown_days(values: DailyValues) -> float | None:
    """The longest drawdown in days, counting both its first and its last day below the peak.

    A drawdown from which the value has not recovered lasts up to the last day.
    """
    if not len(values.returns):
        return None
    below = np.concatenate(([False], underwater(values) < 0, [False]))
    firsts, ends = np.flatnonzero(np.diff(below.astype(np.int8))).reshape(-1, 2).T
    if not len(firsts):
        return 0.0
    return float((values.day[ends - 1] - values.day[firsts]).max() + 1)


def time_under_water(values: DailyValues) -> float | None:
    """The share of days that ended below the highest value so far."""
    return float(np.mean(underwater(values)[1:] < 0)) if len(values.returns) else None


def ulcer_index(values: DailyValues) -> float | None:
    """Ulcer index: ``sqrt(mean(drawdown^2))`` over the days (Martin and McCann 1989)."""
    if not len(values.returns):
        return None
    return defined(math.sqrt(float(np.mean(np.square(underwater(values)[1:])))))


def calmar(values: DailyValues) -> float | None:
    """Annual return divided by the size of the deepest drawdown, over all days (Young 1991)."""
    deepest, grown = max_drawdown(values), annual_return(values)
    if not deepest or grown is None:
        return None
    return defined(np.float64(grown) / abs(deepest))


DRAWDOWNS: Mapping[str, Callable[[DailyValues], float | None]] = {
    "max_drawdown": max_drawdown,
    "drawdown": drawdown_now,
    "longest_drawdown_days": longest_drawdown_days,
    "time_under_water": time_under_water,
    "ulcer_index": ulcer_index,
    "calmar": calmar,
}
