"""The time-weighted mean supply of a series, in which supply held for a moment does not count.

The mean is updated before each change, with the supply since the last update::

    mean += (supply - mean) * x / (1 + x),  x = elapsed / period

This is exact on ``Fraction`` and needs no power. Since ``(1 + x)(1 + y) <= 1 + x + y + xy`` and
``1 + x <= e^x``, no pattern of updates brings the mean nearer to the supply than the exponential
mean with the same period. It starts at zero.

The mean over a day (``DAY_S``) limits what the reserve pays. The mean over seven days (``WEEK_S``)
decides how the common part counts for the level of an account. See FORMULAS 13.
"""

from __future__ import annotations

from steelyard.rules.numbers import Num

__all__ = ["counted_supply", "mean_after"]


def mean_after(mean: Num, supply: Num, elapsed_s: int, period_s: int) -> Num:
    """The mean after ``elapsed_s`` seconds at ``supply``; update it before the supply changes."""
    # the formula above over one denominator: no digits cancel, and the mean is never negative
    return (mean * period_s + supply * elapsed_s) / (period_s + elapsed_s)


def counted_supply(mean: Num, supply: Num) -> Num:
    """The supply that counts for the reserve: the lesser of the supply and its mean."""
    if mean < supply:
        return mean
    return supply
