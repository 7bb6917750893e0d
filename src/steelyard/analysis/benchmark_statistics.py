"""Statistics of a token's daily returns against those of its underlying: beta, alpha and others.

In the formulas, y is the token's return and x the underlying's return on the same UTC day. Slope,
R2 and error against L times the underlying are computed by ``Tracking``; ``beta`` here equals the
slope that ``Tracking`` gives for a horizon of one day. Every function takes two arrays of one shape
(days,) and returns None where the statistic is undefined.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from steelyard.analysis.statistics import YEAR_DAYS, Floats, defined, spread_of
from steelyard.simulation.daily_tracking import FEWEST_RETURNS, line_through

__all__ = [
    "AGAINST",
    "alpha",
    "beta",
    "correlation",
    "down_capture",
    "information_ratio",
    "up_capture",
]


def beta(token: Floats, asset: Floats) -> float | None:
    """``cov(y, x) / var(x)``: the slope of the least-squares regression of y on x."""
    if len(token) < FEWEST_RETURNS:
        return None
    slope = line_through(token, asset)[0]
    return None if slope is None else defined(slope)


def alpha(token: Floats, asset: Floats) -> float | None:
    """``365 (mean(y) - beta mean(x))``: yearly return that beta does not explain (Jensen 1968)."""
    slope = beta(token, asset)
    if slope is None:
        return None
    return defined(YEAR_DAYS * (token.mean() - slope * asset.mean()))


def correlation(token: Floats, asset: Floats) -> float | None:
    """Pearson's correlation: ``cov(y, x) / (std(y) std(x))``."""
    both = spread_of(token), spread_of(asset)
    if both[0] is None or both[1] is None:
        return None
    shared = float(np.sum((token - token.mean()) * (asset - asset.mean()))) / (len(token) - 1)
    # rounding may take the quotient slightly beyond 1
    return defined(max(-1.0, min(shared / both[0] / both[1], 1.0)))


def information_ratio(token: Floats, asset: Floats) -> float | None:
    """``mean(y - x) / std(y - x) sqrt(365)`` (Goodwin 1998); the benchmark is the underlying."""
    spread = spread_of(token - asset)
    if spread is None:
        return None
    return defined((token - asset).mean() / spread * math.sqrt(YEAR_DAYS))


def up_capture(token: Floats, asset: Floats) -> float | None:
    """The mean of y divided by the mean of x, over the days on which x is above 0."""
    return _capture(token[asset > 0], asset[asset > 0])


def down_capture(token: Floats, asset: Floats) -> float | None:
    """The mean of y divided by the mean of x, over the days on which x is below 0."""
    return _capture(token[asset < 0], asset[asset < 0])


AGAINST: Mapping[str, Callable[[Floats, Floats], float | None]] = {
    "beta": beta,
    "alpha": alpha,
    "correlation": correlation,
    "information_ratio": information_ratio,
    "up_capture": up_capture,
    "down_capture": down_capture,
}


def _capture(token: Floats, asset: Floats) -> float | None:
    if not len(token):
        return None
    with np.errstate(over="ignore"):
        return defined(token.mean() / asset.mean())
