"""Where a column first leaves an interval: most of it is asked of blocks, by their extremes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["Extremes"]

Floats = npt.NDArray[np.float64]

BLOCK = 512
"""Bars whose lowest and highest figure are looked at first."""


class Extremes:
    """The lowest and highest figure of each bar.

    Args:
        low: one a bar.
        high: likewise; may be the same column.
    """

    def __init__(self, low: Floats, high: Floats) -> None:
        self.low, self.high = low, high
        self._lows = _by_blocks(np.minimum, low)
        self._highs = _by_blocks(np.maximum, high)

    def first_outside(self, bar: int, end: int, low: float, high: float) -> int:
        """The first bar before ``end`` that is not strictly between the two, or ``end``."""
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
    """The lowest or highest of each block, the last of which may be short."""
    found: list[float] = extreme.reduceat(column, np.arange(0, len(column), BLOCK)).tolist()
    return found
