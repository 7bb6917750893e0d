"""Windows of whole days of a history: realised variance, by two measures, and decay.

Where x are the log returns of UTC days and L is the target leverage::

    days    sum of x^2
    bars    sum of the squares of the log returns from bar to bar
    decay   sum of log(1 + L (e^x - 1)) - L x

Decay is the log return of a daily reset without costs, less L times the underlying's log return: it
is the effect of resetting, whatever the trend was. For a continuous reset it would be exactly
``variance_decay``. The series of each day's decay continues after the square with
``(L - 3 L^2 + 2 L^3) / 6 x^3`` and higher powers. Two windows of equal ``days`` therefore differ
only by the shape of their daily returns. Two windows of equal ``bars`` also differ by how much the
bars within a day cancel or add up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from steelyard.analysis.reset_logs import log_growths
from steelyard.market import Prices
from steelyard.market.times import DAY_S

__all__ = ["Windows", "variance_decay", "windows_of"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_MISSING = 0.01
"""Largest share of a window's bars that may be missing; with more, the window is not used, since
its variance from bar to bar would not be known."""


@dataclass(frozen=True, eq=False)
class Windows:
    """Whole windows of one asset, in order of time; all arrays have the shape (windows,).

    Attributes:
        length_days: length of each window, in days.
        number: number of each window, int64. A window begins ``number * length_days`` days after
            the epoch, plus the shift, for every asset alike.
        bars: realised variance from bar to bar, not annualised.
        days: realised variance from UTC midnight to UTC midnight, not annualised.
        decay: decay of a daily reset, as defined above; -inf where one of the days wipes it out.
    """

    length_days: int
    number: Ints
    bars: Floats
    days: Floats
    decay: Floats

    def __len__(self) -> int:
        return len(self.number)

    @property
    def lived(self) -> npt.NDArray[np.bool_]:
        """Whether the token survived each window, shape (windows,)."""
        return np.isfinite(self.decay)

    def chosen(self, which: npt.NDArray[np.bool_]) -> Windows:
        """The windows for which ``which`` is true."""
        return Windows(
            self.length_days,
            number=self.number[which],
            bars=self.bars[which],
            days=self.days[which],
            decay=self.decay[which],
        )


def variance_decay(target: float, variance: Floats) -> Floats:
    """Log return of a continuous reset less L times the underlying's, from its realised variance.

    The formula is that of Avellaneda and Zhang 2010 (FORMULAS 3), without rate and fee. The result
    has the shape of ``variance``.
    """
    return np.asarray((target - target * target) / 2 * variance)


def windows_of(prices: Prices, target: float, length_days: int, *, shift_days: int = 0) -> Windows:
    """All whole windows of a history of bars; there may be none.

    A window begins ``shift_days`` days after every ``length_days``-th day since the epoch. It is
    whole if the price at each of its midnights is known, including those at its start and end, and
    if at most 1 % of its bars are missing. A gap inside a window counts as one move.
    """
    ends, logs = prices.end_times, np.log(prices.close)
    squares = np.concatenate(([0.0], np.cumsum(np.square(np.diff(logs)))))
    midnights = np.flatnonzero(ends % DAY_S == 0)
    day = ends[midnights] // DAY_S - shift_days
    first = np.flatnonzero(day % length_days == 0)
    first = first[first + length_days < len(day)]
    # days ascend without repetition, so the entry ``length_days`` further on is the window's end
    # only if no midnight is missing
    first = first[day[first + length_days] == day[first] + length_days]
    bars = midnights[first + length_days] - midnights[first]
    first = first[bars >= (1 - MOST_MISSING) * length_days * DAY_S / prices.step_s]
    if not len(first):
        none = np.empty(0)
        return Windows(length_days, np.empty(0, np.int64), none, none, none)
    within = midnights[first[:, None] + np.arange(length_days + 1)]
    moves = np.diff(logs[within], axis=1)
    grown = log_growths(np.expm1(moves), target)
    return Windows(
        length_days=length_days,
        number=day[first] // length_days,
        bars=squares[within[:, -1]] - squares[within[:, 0]],
        days=np.square(moves).sum(axis=1),
        decay=grown.sum(axis=1) - target * moves.sum(axis=1),
    )
