"""The times at which bars are observed, and the first bar observed at or after an instant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from steelyard.market import Prices

__all__ = ["Timeline"]


class Timeline:
    """The scheduled observations of a run, one for each bar.

    Args:
        prices: the bars.
        shift_s: seconds from a bar's time to its observation.
    """

    def __init__(self, prices: Prices, shift_s: int) -> None:
        self.bars = len(prices)
        self.stamps = np.asarray(prices.time)
        self.shift_s = shift_s
        self.step_s = prices.step_s
        self.first = int(self.stamps[0]) + shift_s
        self.last = int(self.stamps[-1]) + shift_s
        # no spacing is longer than a step, and their sum is that of as many whole steps
        self._is_even = (
            self.step_s > 0
            and self.last - self.first == (self.bars - 1) * self.step_s
            and len(prices.gaps) == 0
        )

    def time_of(self, bar: int) -> int:
        """The time of a bar's observation, epoch seconds."""
        if self._is_even:
            return self.first + bar * self.step_s
        return int(self.stamps.item(bar)) + self.shift_s

    def bar_at(self, instant: int) -> int:
        """The first bar observed at or after an instant (epoch s), or the number of bars."""
        if instant <= self.first:
            return 0
        if instant > self.last:
            return self.bars
        if self._is_even:
            return (instant - self.first - 1) // self.step_s + 1
        return int(self.stamps.searchsorted(instant - self.shift_s))

    def bars_at(self, instants: Sequence[int]) -> list[int]:
        """The results of ``bar_at`` for many instants."""
        sought = np.array(instants, dtype=np.int64) - self.shift_s
        if self._is_even:
            places = np.clip((sought - self.stamps[0] - 1) // self.step_s + 1, 0, self.bars)
        else:
            places = self.stamps.searchsorted(sought)
        found: list[int] = places.tolist()
        return found

    def observed(self) -> npt.NDArray[np.int64]:
        """The times of all bars' observations, epoch seconds."""
        return self.stamps + self.shift_s
