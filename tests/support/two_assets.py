"""Made-up histories of two assets whose volatility changes, with a difference planted or none."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from steelyard.market import Prices
from support.tokens import DAY_S, T0

PER_DAY = 6
Floats = npt.NDArray[np.float64]


def two_assets(
    random: np.random.Generator, *, days: int = 1_500, jump: float = 0.0, reversal: float = 0.0
) -> dict[str, Prices]:
    """Bars of 4 hours of REF and of ALT, which is half as volatile again and moves with it.

    Without more, each bar is a draw of a normal distribution whose width both share in part and
    which changes slowly: at equal variance nothing tells the two apart.

    Args:
        random: to draw from.
        days: how many.
        jump: log return that ALT adds on every 15th day.
        reversal: share of each bar of ALT that the next bar of the day takes back.
    """
    shared = random.standard_normal(days * PER_DAY)
    wide = _wandering(random, days, 0.12)
    prices = {}
    for name, size in (("REF", 0.035), ("ALT", 0.0525)):
        width = size * np.exp(wide + _wandering(random, days, 0.08)) / np.sqrt(PER_DAY)
        own = random.standard_normal(days * PER_DAY)
        moves = (np.repeat(width, PER_DAY) * (0.6 * shared + 0.8 * own)).reshape(days, PER_DAY)
        if name == "ALT":
            moves[::15, 0] += jump
            moves[:, 1:] -= reversal * moves[:, :-1]
        prices[name] = _bars(moves.ravel())
    return prices


def _wandering(random: np.random.Generator, days: int, step: float) -> Floats:
    steps, found = step * random.standard_normal(days), np.zeros(days)
    for day in range(1, days):
        found[day] = 0.97 * found[day - 1] + steps[day]
    return found


def _bars(moves: Floats) -> Prices:
    step = DAY_S // PER_DAY
    close = 100 * np.exp(np.concatenate(([0.0], np.cumsum(moves))))
    return Prices(time=T0 + step * (np.arange(len(close)) - 1), close=close, step_s=step)
