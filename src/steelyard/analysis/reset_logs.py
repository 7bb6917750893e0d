"""Logarithms of the daily reset's growth, for statistics over spans of days.

The growth itself is ``market.daily_reset``. Logarithms are kept apart from it, because their last
bits differ from processor to processor and what makes state may not use them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from steelyard.market.daily_reset import reset_growths

__all__ = ["growth_over", "log_growths"]

Floats = npt.NDArray[np.float64]


def log_growths(moves: Floats, target: float) -> Floats:
    """The logarithm of each day's growth; -inf where the day ends it."""
    with np.errstate(divide="ignore"):
        return np.log(reset_growths(moves, target))


def growth_over(moves: Floats, target: float, days: int) -> Floats:
    """Its growth over every span of so many days, shape (spans,); 0 where a day of it ends it."""
    logs = log_growths(moves, target)
    is_end = np.isneginf(logs)
    sums = np.concatenate(([0.0], np.cumsum(np.where(is_end, 0.0, logs))))
    ends = np.concatenate(([0], np.cumsum(is_end)))
    lived = ends[days:] == ends[:-days]
    return np.where(lived, np.exp(sums[days:] - sums[:-days]), 0.0)
