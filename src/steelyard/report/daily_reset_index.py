"""The value of a token that resets daily at UTC midnight without costs, at every bar.

The return of a day is measured from the last bar of the UTC day before it to its own last bar.
Within a day the token moves with the position that it took at the last midnight.
"""

from __future__ import annotations

import numpy as np

from steelyard.market.daily_reset import reset_growths, reset_values
from steelyard.market.days import day_ends
from steelyard.report.plain_frames import Floats, Ints

__all__ = ["daily_reset_index", "worst_day"]

_DAY = 86_400


def daily_reset_index(
    time: Ints, price: Floats, target_leverage: float, first_price: float | None = None
) -> Floats:
    """Value of the frictionless daily-reset token, launched at 1.0; same shape as ``time``.

    Args:
        time: epoch seconds, ascending.
        price: price of the underlying at each instant, same shape as ``time``.
        target_leverage: target leverage L, signed.
        first_price: price at the launch; None: the first element of ``price``.
    """
    ends = day_ends(time)
    base = np.concatenate(([price[0] if first_price is None else first_price], price[ends]))
    at_midnight = reset_values(base[1:] / base[:-1] - 1.0, target_leverage)
    today = np.searchsorted(ends, np.arange(len(time)))  # index of each row's day, from the launch
    return at_midnight[today] * reset_growths(price / base[today] - 1.0, target_leverage)


def worst_day(time: Ints, nav: Floats, first_nav: float | None = None) -> tuple[int, float] | None:
    """Start of the UTC day (epoch seconds) with the lowest return of nav, and that return.

    None where no day has a return because nav was zero or undefined throughout.
    """
    ends = day_ends(time)
    base = np.concatenate(([nav[0] if first_nav is None else first_nav], nav[ends]))
    with np.errstate(divide="ignore", invalid="ignore"):
        returns = base[1:] / base[:-1] - 1.0
    if not np.isfinite(returns).any():
        return None
    worst = int(np.nanargmin(np.where(np.isfinite(returns), returns, np.nan)))
    return int(time[ends[worst]] // _DAY * _DAY), float(returns[worst])
