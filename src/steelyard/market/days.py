"""UTC days in a column of times."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from steelyard.market.times import DAY_S

__all__ = ["day_ends"]


def day_ends(time: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """The index of the last row of each UTC day that has rows, shape (days,).

    Args:
        time: epoch seconds, ascending, at least one.
    """
    midnights = np.arange(time[0] // DAY_S + 1, time[-1] // DAY_S + 1) * DAY_S
    ends = np.append(time.searchsorted(midnights) - 1, len(time) - 1)
    # a day without rows has the same last row as the day before it, and is left out
    return ends[np.diff(ends, prepend=-1) > 0]
