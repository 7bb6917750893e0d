"""Figures over all bars of a run, computed block by block while its columns are written.

A block is read while it is still in the cache of a core; computing each figure on whole columns
would read them from memory again.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from steelyard.fund.state import Ended
from steelyard.market import Prices

__all__ = ["Tally", "lived_bars", "tracked_bars"]

Floats = npt.NDArray[np.float64]


def tracked_bars(bars: Prices, intrabar: str, ended: Ended[Any] | None) -> int:
    """The number of bars up to a wind-down: a token that was closed as planned is not tracked."""
    if ended is None or ended.reason != "wind_down":
        return len(bars)
    return lived_bars(bars, intrabar, ended)


def lived_bars(bars: Prices, intrabar: str, ended: Ended[Any] | None) -> int:
    """The number of bars up to the token's end, planned or not, including the bar of its end."""
    if ended is None:
        return len(bars)
    stamps = bars.time if intrabar == "path" else bars.end_times
    return int(np.searchsorted(stamps, ended.time, side="right"))


class Tally:
    """Lowest, highest and mean leverage, exposure error, and maximum drawdown of a run.

    Args:
        price: price at each bar's close, shape (bars,).
        target: target leverage, signed.
        tracked: number of bars that count for the exposure error.

    Attributes:
        least, most: lowest and highest leverage.
        squares: sum of ``((leverage[t-1] - target) r[t])^2`` over the bars.
        max_drawdown: the deepest fall below the highest nav so far, as a share; 0 or negative.
    """

    def __init__(self, price: Floats, target: float, tracked: int) -> None:
        self._price = price
        self._tracked = tracked
        self._target = target
        self._bars = 0
        self._columns = np.empty((2, 0))
        self._sum = 0.0
        self._peak = 0.0
        self.least, self.most = math.inf, -math.inf
        self.squares = 0.0
        self.max_drawdown = 0.0

    @property
    def mean(self) -> float:
        """The mean leverage of the bars so far."""
        return self._sum / self._bars

    def add(self, nav: Floats, leverage: Floats) -> None:
        """Add the figures of the next bars."""
        first, count = self._bars, len(nav)
        self._bars += count
        # the ufuncs are called directly, because an array's methods double the time of a call
        self._sum += float(np.add.reduce(leverage))
        self.least = min(self.least, float(np.minimum.reduce(leverage)))
        self.most = max(self.most, float(np.maximum.reduce(leverage)))
        # one price more than the block has, because its last leverage meets the next bar's return
        price = self._price[first : min(first + count + 1, self._tracked)]
        met = max(len(price) - 1, 0)
        moves, off = self._room(met)
        np.divide(price[1:], price[:-1], out=moves)
        np.subtract(moves, 1.0, out=moves)
        np.subtract(leverage[:met], self._target, out=off)
        np.multiply(off, moves, out=off)
        # NumPy would spread a dot product of vectors this long over threads, which wait for each
        # other
        np.multiply(off, off, out=off)
        self.squares += float(np.add.reduce(off))
        self._fall(nav)

    def _room(self, rows: int) -> Floats:
        """Two columns of working memory, the same ones for each block."""
        if rows > self._columns.shape[1]:
            self._columns = np.empty((2, rows))
        return self._columns[:, :rows]

    def _fall(self, nav: Floats) -> None:
        before, lowest = self._peak, float(np.minimum.reduce(nav))
        self._peak = max(before, float(np.maximum.reduce(nav)))
        if before > 0:
            self.max_drawdown = min(self.max_drawdown, lowest / before - 1)
        # a deeper fall than that is only possible from a peak inside the block
        if self._peak > 0 and lowest / self._peak - 1 < self.max_drawdown:
            peaks = np.maximum(np.maximum.accumulate(nav), before)
            lived = peaks > 0
            deepest = float(np.min(nav[lived] / peaks[lived] - 1))
            self.max_drawdown = min(self.max_drawdown, deepest)
