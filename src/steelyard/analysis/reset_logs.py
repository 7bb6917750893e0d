"""Logarithms of the growth of a daily reset without costs, for statistics over spans of days.

The growth itself is computed in ``market.daily_reset``. The logarithms are kept apart from it,
because their last bits differ between processors, so code that makes a fund's state must not use
them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from steelyard.market.daily_reset import reset_growths

__all__ = ["growth_over", "log_growths"]

Floats = npt.NDArray[np.float64]


def log_growths(moves: Floats, target: float) -> Floats:
    """The logarithm of each day's growth, shape of ``moves``; -inf where the day wipes it out."""
    with np.errstate(divide="ignore"):
        return np.log(reset_growths(moves, target))


def growth_over(moves: Floats, target: float, days: int) -> Floats:
    """The growth over every span of ``days`` days, shape (spans,); 0 where a day wipes it out."""
    logs = log_growths(moves, target)
    is_end = np.isneginf(logs)
    sums = np.concatenate(([0.0], np.cumsum(np.where(is_end, 0.0, logs))))
    ends = np.concatenate(([0], np.cumsum(is_end)))
    lived = ends[days:] == ends[:-days]
    return np.where(lived, np.exp(sums[days:] - sums[:-days]), 0.0)
