"""Windows of whole days of a history: realised variance, measured two ways, and decay.

With x the log returns of UTC days, L the target::

    days    sum of x^2
    bars    the same of the log returns from bar to bar
    decay   sum of log(1 + L (e^x - 1)) - L x

Decay is the log return of a daily reset without costs, less L times the underlying's: what a
reset takes whatever the trend was. Of a continuous reset it would be ``variance_decay`` exactly.
Beyond the square it goes on, day by day, with ``(L - 3 L^2 + 2 L^3) / 6 x^3`` and so on: so two
windows of equal ``days`` differ only by the shape of their days, and two of equal ``bars`` also
by how far the bars of a day cancel or add up.
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
"""Share of a window's bars; where more are missing its variance by bars is not known."""


@dataclass(frozen=True, eq=False)
class Windows:
    """Whole windows of one asset, in order; all arrays have one length.

    Attributes:
        length_days: of each.
        number: int64; a window begins ``number * length_days`` days after the epoch, and as many
            more as it is shifted, for every asset alike.
        bars: realised variance from bar to bar, not annualised.
        days: the same from UTC midnight to UTC midnight.
        decay: of a daily reset, as above; -inf where one of the days wipes it out.
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
        """Whether the token lived through the window."""
        return np.isfinite(self.decay)

    def chosen(self, which: npt.NDArray[np.bool_]) -> Windows:
        """Some of them."""
        return Windows(
            self.length_days,
            number=self.number[which],
            bars=self.bars[which],
            days=self.days[which],
            decay=self.decay[which],
        )


def variance_decay(target: float, variance: Floats) -> Floats:
    """Log return of a continuous reset less L times the underlying's, by its realised variance.

    Avellaneda and Zhang 2010 (FORMULAS 3), without rate and fee.
    """
    return np.asarray((target - target * target) / 2 * variance)


def windows_of(prices: Prices, target: float, length_days: int, *, shift_days: int = 0) -> Windows:
    """All windows of a history of bars that are whole; there may be none.

    They begin ``shift_days`` later than every ``length_days``-th day since the epoch.

    A window is whole where the price of each midnight is known, from that which begins it to that
    which ends it, and at most a hundredth of its bars is missing. A gap within counts as one move.
    """
    ends, logs = prices.end_times, np.log(prices.close)
    squares = np.concatenate(([0.0], np.cumsum(np.square(np.diff(logs)))))
    midnights = np.flatnonzero(ends % DAY_S == 0)
    day = ends[midnights] // DAY_S - shift_days
    first = np.flatnonzero(day % length_days == 0)
    first = first[first + length_days < len(day)]
    # days ascend and differ: that many on is the window's end only if none of them is missing
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
