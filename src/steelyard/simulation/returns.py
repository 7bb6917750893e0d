"""The trailing window of the volatility trigger, for all bars of a run at once.

The reference adds each squared return to a sum and subtracts it again when it leaves the window.
Here all squares are known in advance: differences of their cumulative sums show at which bars the
level can be reached at all, and only there are the squares in the window added up.
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
"""Relative margin: a bar whose sum is this close below the level is examined."""
ROUNDING = 1e-10
"""The possible error of a difference of two sums, as a share of the sum of all squares."""


class ReturnWindow:
    """The squared returns between the scheduled observations of a run.

    Args:
        rule: the trigger.
        state: the state before the first bar.
        times: epoch seconds of each observation, shape (bars,).
        price: price at each observation, shape (bars,).
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
        """The first bar from this one on that may reach the level, or the number of bars."""
        place = bisect_left(self._near, bar)
        return self._near[place] if place < len(self._near) else len(self.times)

    def returns(self, bar: int) -> npt.NDArray[np.float64]:
        """The squared returns in the window at a bar's observation."""
        oldest = int(self.starts.searchsorted(self.times[bar] - self.window_s))
        return self.squares[oldest : bar + self._newest + 1]

    def restore(self, state: State[float], bar: int) -> None:
        """Set the state's window to that after this bar, so that another run can continue."""
        squares = self.returns(bar)
        last = bar + self._newest + 1
        starts = self.starts[last - len(squares) : last]
        state.window = deque(zip(starts.tolist(), squares.tolist(), strict=True))
        state.squares = float(squares.sum())
