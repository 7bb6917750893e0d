"""The token that costs nothing and resets at midnight: what a leveraged token is held against.

Its value compounds L times each UTC day's return of the underlying,

    I[d] = I[d-1] * (1 + L * r[d]),   r[d] = P[d] / P[d-1] - 1,

P[d] the price at day d's last bar. Inside a day it moves with the position it took at the last
midnight. A day that takes it to zero or below ends it.
"""

from __future__ import annotations

import numpy as np

from steelyard.market.days import day_ends
from steelyard.plots.frames import Floats, Ints

__all__ = ["daily_reset_index", "worst_day"]

_DAY = 86_400


def daily_reset_index(
    time: Ints, price: Floats, target_leverage: float, first_price: float | None = None
) -> Floats:
    """Value of the frictionless daily-reset token, launched at 1.0; shape of ``time``.

    Args:
        time: epoch seconds, ascending.
        price: of the underlying, at each of them.
        target_leverage: L, signed.
        first_price: price at the launch; the first row's unless given.
    """
    ends = day_ends(time)
    base = np.concatenate(([price[0] if first_price is None else first_price], price[ends]))
    growth = _alive(1.0 + target_leverage * (base[1:] / base[:-1] - 1.0))
    at_midnight = np.concatenate(([1.0], np.cumprod(growth)))
    today = np.searchsorted(ends, np.arange(len(time)))  # a row's day, counted from the launch
    within = 1.0 + target_leverage * (price / base[today] - 1.0)
    return at_midnight[today] * np.maximum(within, 0.0)


def worst_day(time: Ints, nav: Floats, first_nav: float | None = None) -> tuple[int, float] | None:
    """Start of the UTC day (epoch seconds) on which nav fell most, and its return.

    None where no day has a return: nav was zero or undefined throughout.
    """
    ends = day_ends(time)
    base = np.concatenate(([nav[0] if first_nav is None else first_nav], nav[ends]))
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = base[1:] / base[:-1] - 1.0
    if not np.isfinite(returns).any():
        return None
    worst = int(np.nanargmin(np.where(np.isfinite(returns), returns, np.nan)))
    return int(time[ends[worst]] // _DAY * _DAY), float(returns[worst])


def _alive(growth: Floats) -> Floats:
    # below zero it would change sign and come back: a token that has nothing left stays there
    return np.maximum(growth, 0.0)
