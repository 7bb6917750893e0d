"""Return statistics of daily values, as tear sheets show them.

All statistics are of the simple returns r of n UTC days. Like ``tracking``, they measure a day from
the last close of the day before and leave out the day of the launch. A year has 365 days, the
risk-free rate is 0, and standard deviations are those of a sample (divisor n - 1). A statistic is
None where it is undefined: a division by zero, a standard deviation of returns that differ by
rounding only, or a value that no float can hold.

Statistics that have the same definition in quantstats agree with it (``periods=365``). The
reference page of the tear sheet lists those that differ, with the reasons. Drawdowns are in
``drawdowns``, and statistics against the underlying are in ``benchmark_statistics``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

__all__ = [
    "ALONE",
    "CURVES",
    "WINDOW_DAYS",
    "YEAR_DAYS",
    "DailyValues",
    "annual_return",
    "best_day",
    "best_month",
    "cumulative_return",
    "defined",
    "expected_shortfall",
    "kurtosis",
    "omega",
    "payoff_ratio",
    "share_of_gains",
    "sharpe",
    "skew",
    "sortino",
    "spread_of",
    "tail_ratio",
    "value_at_risk",
    "volatility",
    "winning_months",
    "worst_day",
    "worst_month",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

CURVES = ("token", "multiple", "underlying")
"""The curves that have statistics: token, daily reset to L without costs, and underlying."""
WINDOW_DAYS = 30
"""Length of the window of rolling figures, in days."""
YEAR_DAYS = 365
CONFIDENCE = 0.95
NO_SPREAD = 1e-12
"""Ratio of standard deviation to root mean square below which returns differ by rounding only."""


@dataclass(frozen=True, eq=False)
class DailyValues:
    """The values of one curve at the ends of UTC days, until the curve ends.

    Attributes:
        day: UTC days since 1970, ascending; returns are measured from the end of the first one.
        value: value at the end of each day, same shape as ``day``; all are above zero, except that
            the last one may be zero.
    """

    day: Ints
    value: Floats

    @cached_property
    def returns(self) -> Floats:
        """Simple returns of all days after the first, shape (days - 1,)."""
        return np.asarray(self.value[1:] / self.value[:-1] - 1.0, dtype=np.float64)

    @cached_property
    def months(self) -> tuple[Ints, Floats]:
        """Months since 1970 that have returns, and the return over the days of each month."""
        if not len(self.returns):
            return np.array([], dtype=np.int64), np.array([])
        month = self.day[1:].astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        lasts = np.flatnonzero(np.append(np.diff(month) != 0, True)) + 1
        ends = self.value[np.concatenate(([0], lasts))]
        return month[lasts - 1], ends[1:] / ends[:-1] - 1.0

    @property
    def elapsed(self) -> int:
        """Calendar days from the first to the last, including days without bars."""
        return int(self.day[-1] - self.day[0]) if len(self.day) else 0


def cumulative_return(values: DailyValues) -> float | None:
    """The return over all days: ``prod(1 + r) - 1``."""
    if not len(values.returns):
        return None
    return defined(values.value[-1] / values.value[0] - 1.0)


def annual_return(values: DailyValues) -> float | None:
    """Compound annual growth rate: ``prod(1 + r)^(365 / days) - 1``, with calendar days."""
    if not len(values.returns):
        return None
    with np.errstate(over="ignore"):
        grown = np.float64(values.value[-1] / values.value[0])
        return defined(grown ** (YEAR_DAYS / values.elapsed) - 1.0)


def volatility(values: DailyValues) -> float | None:
    """Annualised volatility: ``std(r) sqrt(365)``."""
    if len(values.returns) < 2:  # noqa: PLR2004 (n - 1 above 0)
        return None
    return defined(float(np.std(values.returns, ddof=1)) * math.sqrt(YEAR_DAYS))


def sharpe(values: DailyValues) -> float | None:
    """Sharpe ratio: ``mean(r) / std(r) sqrt(365)`` (Sharpe 1994, risk-free rate 0)."""
    found = spread_of(values.returns)
    if found is None:
        return None
    return defined(values.returns.mean() / found * math.sqrt(YEAR_DAYS))


def sortino(values: DailyValues) -> float | None:
    """Sortino ratio with a target of 0: ``mean(r) / sqrt(sum(min(r, 0)^2) / n) sqrt(365)``.

    The definition is that of Sortino and Price 1994.
    """
    returns = values.returns
    if not (returns < 0).any():
        return None
    downside = math.sqrt(float(np.mean(np.square(np.minimum(returns, 0.0)))))
    return defined(_over(returns.mean(), downside) * math.sqrt(YEAR_DAYS))


def value_at_risk(values: DailyValues) -> float | None:
    """The 5 % quantile of daily returns, with linear interpolation: historical value at risk.

    It is not derived from a normal distribution, from which a token's returns differ greatly.
    """
    if not len(values.returns):
        return None
    return defined(np.quantile(values.returns, 1 - CONFIDENCE))


def expected_shortfall(values: DailyValues) -> float | None:
    """Mean return of the days at or below ``value_at_risk``: CVaR (Acerbi and Tasche 2002)."""
    least = value_at_risk(values)
    if least is None:
        return None
    return defined(values.returns[values.returns <= least].mean())


def skew(values: DailyValues) -> float | None:
    """``G1 = g1 sqrt(n (n-1)) / (n-2)``, g1 the third standardised moment (Joanes, Gill 1998)."""
    n = len(values.returns)
    if n < 3 or spread_of(values.returns) is None:  # noqa: PLR2004 (n - 2 above 0)
        return None
    moved = values.returns - values.returns.mean()
    square = moved * moved
    spread = float(np.mean(square))
    found = float(np.mean(square * moved)) / (spread * math.sqrt(spread))
    return defined(found * math.sqrt(n * (n - 1)) / (n - 2))


def kurtosis(values: DailyValues) -> float | None:
    """``G2 = (n-1) ((n+1) g2 + 6) / ((n-2) (n-3))``: excess kurtosis (Joanes, Gill 1998)."""
    n = len(values.returns)
    if n < 4 or spread_of(values.returns) is None:  # noqa: PLR2004 (n - 3 above 0)
        return None
    moved = values.returns - values.returns.mean()
    square = moved * moved
    spread = float(np.mean(square))
    excess = float(np.mean(square * square)) / (spread * spread) - 3.0
    return defined((n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * excess + 6.0))


def best_day(values: DailyValues) -> float | None:
    """The highest daily return: ``max(r)``."""
    return _extreme(values.returns, np.max)


def worst_day(values: DailyValues) -> float | None:
    """The lowest daily return: ``min(r)``."""
    return _extreme(values.returns, np.min)


def best_month(values: DailyValues) -> float | None:
    """The highest return over the days of a UTC month."""
    return _extreme(values.months[1], np.max)


def worst_month(values: DailyValues) -> float | None:
    """The lowest return over the days of a UTC month."""
    return _extreme(values.months[1], np.min)


def share_of_gains(values: DailyValues) -> float | None:
    """Win rate: the number of days above 0 divided by the number of days other than 0."""
    return _winning(values.returns)


def winning_months(values: DailyValues) -> float | None:
    """The number of months above 0 divided by the number of months other than 0."""
    return _winning(values.months[1])


def payoff_ratio(values: DailyValues) -> float | None:
    """The mean return of days above 0 divided by the size of the mean of days below 0."""
    gains, losses = values.returns[values.returns > 0], values.returns[values.returns < 0]
    if not len(gains) or not len(losses):
        return None
    return defined(_over(gains.mean(), -losses.mean()))


def omega(values: DailyValues) -> float | None:
    """Omega: ``sum(max(r, 0)) / sum(max(-r, 0))`` (Keating and Shadwick 2002, threshold 0)."""
    lost = -float(np.minimum(values.returns, 0.0).sum())
    if not lost:
        return None
    return defined(_over(np.maximum(values.returns, 0.0).sum(), lost))


def tail_ratio(values: DailyValues) -> float | None:
    """Size of the 95 % quantile of daily returns divided by the 5 % quantile (as in pyfolio)."""
    if not len(values.returns):
        return None
    low, high = np.quantile(values.returns, [1 - CONFIDENCE, CONFIDENCE])
    return defined(abs(_over(high, low))) if low else None


ALONE: Mapping[str, Callable[[DailyValues], float | None]] = {
    "cumulative_return": cumulative_return,
    "annual_return": annual_return,
    "best_day": best_day,
    "worst_day": worst_day,
    "best_month": best_month,
    "worst_month": worst_month,
    "win_rate": share_of_gains,
    "winning_months": winning_months,
    "volatility": volatility,
    "value_at_risk": value_at_risk,
    "expected_shortfall": expected_shortfall,
    "skew": skew,
    "kurtosis": kurtosis,
    "sharpe": sharpe,
    "sortino": sortino,
    "omega": omega,
    "payoff_ratio": payoff_ratio,
    "tail_ratio": tail_ratio,
}
"""Statistics by name that need only the values of one curve, apart from those of drawdowns."""


def defined(value: float | np.float64) -> float | None:
    """The value as a plain float; None where it is infinite or not a number."""
    found = float(value)
    return found if math.isfinite(found) else None


def spread_of(returns: Floats) -> float | None:
    """Standard deviation of a sample; None for fewer than two returns or for mere rounding."""
    if len(returns) < 2:  # noqa: PLR2004 (n - 1 above 0)
        return None
    found = float(np.std(returns, ddof=1))
    size = math.sqrt(float(np.mean(np.square(returns))))
    return found if found > NO_SPREAD * size else None


def _over(above: float | np.float64, below: float | np.float64) -> float:
    """The quotient; an overflow gives infinity, which ``defined`` turns into None."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        return float(np.float64(above) / np.float64(below))


def _extreme(returns: Floats, pick: Callable[[Floats], np.float64]) -> float | None:
    return defined(pick(returns)) if len(returns) else None


def _winning(returns: Floats) -> float | None:
    moved = returns[returns != 0]
    return float(np.mean(moved > 0)) if len(moved) else None
