"""Search for the first bar outside an interval, mostly by the extremes of blocks of bars."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["Extremes"]

Floats = npt.NDArray[np.float64]

BLOCK = 512
"""Number of bars in a block; a block is searched only if its extremes leave the interval."""


class Extremes:
    """The lowest and highest figure of each bar, with a search by blocks.

    Args:
        low: lowest figure of each bar, shape (bars,).
        high: highest figure of each bar, shape (bars,); it may be the same column.
    """

    def __init__(self, low: Floats, high: Floats) -> None:
        self.low, self.high = low, high
        self._lows = _by_blocks(np.minimum, low)
        self._highs = _by_blocks(np.maximum, high)

    def first_outside(self, bar: int, end: int, low: float, high: float) -> int:
        """The first bar before ``end`` that is not strictly inside the interval, or ``end``."""
        lows, highs = self._lows, self._highs
        for block in range(bar // BLOCK, (end - 1) // BLOCK + 1):
            if lows[block] > low and highs[block] < high:
                continue
            first, last = max(bar, block * BLOCK), min(end, (block + 1) * BLOCK)
            outside = self.low[first:last] <= low
            outside |= self.high[first:last] >= high
            place = int(outside.argmax())
            if place or outside[0]:
                return first + place
        return end


def _by_blocks(extreme: np.ufunc, column: Floats) -> list[float]:
    """The lowest or highest figure of each block; the last block may be shorter."""
    found: list[float] = extreme.reduceat(column, np.arange(0, len(column), BLOCK)).tolist()
    return found
