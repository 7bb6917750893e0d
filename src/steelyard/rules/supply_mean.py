"""The supply of a series averaged over time, so that what is held for a moment counts for nothing.

With the supply that stood since the last update, before each change::

    mean += (supply - mean) * x / (1 + x),  x = elapsed / period

which is exact on Fraction and needs no power. Since ``(1 + x)(1 + y) <= 1 + x + y + xy`` and
``1 + x <= e^x``, no pattern of updates brings the mean nearer to the supply than the exponential
mean with the same period. It starts at zero.

Over a day (``DAY_S``) it bounds what the reserve pays; over seven (``WEEK_S``) the level of an
account is judged by it. FORMULAS 13.
"""

from __future__ import annotations

from steelyard.rules.numbers import Num

__all__ = ["counted_supply", "mean_after"]


def mean_after(mean: Num, supply: Num, elapsed_s: int, period_s: int) -> Num:
    """The mean after ``supply`` stood for ``elapsed_s``; update it before the supply changes."""
    # the formula above over one denominator: nothing cancels, and the mean is never below zero
    return (mean * period_s + supply * elapsed_s) / (period_s + elapsed_s)


def counted_supply(mean: Num, supply: Num) -> Num:
    """The supply that the reserve serves: what is there, as far as it has been there."""
    if mean < supply:
        return mean
    return supply
