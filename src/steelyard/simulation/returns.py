"""The trailing window of the volatility trigger, over all bars of a run at once.

The reference adds each squared return to a sum and takes it off again when it leaves the window.
Here all squares are known beforehand: sums of them say at which bars the level can be reached at
all, and there the window's own squares are added up.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque

import numpy as np
import numpy.typing as npt

from steelyard.fund.state import State
from steelyard.rules.accruals import YEAR_S
from steelyard.rules.series import Volatility

__all__ = ["ReturnWindow"]

ROOM = 1e-9
"""Relative: a bar whose sum is this close below the level is looked at."""
ROUNDING = 1e-10
"""Share of the sum of all squares by which a difference of two sums can be wrong."""


class ReturnWindow:
    """Squared returns between the clock observations of a run.

    Args:
        rule: the trigger.
        state: before the first bar.
        times: epoch s of each observation.
        price: at each observation.
    """

    def __init__(
        self,
        rule: Volatility,
        state: State[float],
        times: npt.NDArray[np.int64],
        price: npt.NDArray[np.float64],
    ) -> None:
        starts, squares = [list(part) for part in zip(*state.window, strict=True)] or ([], [])
        if state.time is not None and state.price is not None:
            change = float(price[0]) / state.price - 1
            starts.append(state.time)
            squares.append(change * change)
        changes = price[1:] / price[:-1] - 1
        self.window_s = rule.window_s
        self.times = times
        self.starts = np.concatenate((np.array(starts, dtype=np.int64), times[:-1]))
        self.squares = np.concatenate((np.array(squares), changes * changes))
        self._newest = len(starts) - 1
        sums = np.concatenate(([0.0], np.cumsum(self.squares)))
        oldest = self.starts.searchsorted(times - rule.window_s)
        held = sums[np.arange(len(times)) + self._newest + 1] - sums[oldest]
        level = rule.annualised * rule.annualised * rule.window_s / YEAR_S
        self._near = (held >= level * (1.0 - ROOM) - ROUNDING * sums[-1]).nonzero()[0].tolist()

    def next_near(self, bar: int) -> int:
        """The first bar, from this one on, at which the level may be reached; else past the end."""
        place = bisect_left(self._near, bar)
        return self._near[place] if place < len(self._near) else len(self.times)

    def returns(self, bar: int) -> npt.NDArray[np.float64]:
        """The squares in the window at a bar's observation."""
        oldest = int(self.starts.searchsorted(self.times[bar] - self.window_s))
        return self.squares[oldest : bar + self._newest + 1]

    def restore(self, state: State[float], bar: int) -> None:
        """Give the state the window as it is after this bar, so that another run can go on."""
        squares = self.returns(bar)
        last = bar + self._newest + 1
        starts = self.starts[last - len(squares) : last]
        state.window = deque(zip(starts.tolist(), squares.tolist(), strict=True))
        state.squares = float(squares.sum())
