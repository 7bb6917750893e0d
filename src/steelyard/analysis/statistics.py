"""Return statistics of daily values: what tear sheets show, by the formulas that they share.

All are of the simple returns r of n UTC days, as ``tracking`` takes them: from the last close
of the day before, the day of the launch left out. A year has 365 days, the risk-free rate is
nothing, and a standard deviation is that of a sample (n - 1). What is undefined is None: a ratio
over nothing, a spread of days that differ by rounding only, a figure that no float can hold.

What means the same in quantstats agrees with it (``periods=365``), and the reference page of the
tear sheet lists what differs, and why. Drawdowns are in ``drawdowns``, the figures against the
underlying in ``against``.
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
"""What statistics are told of: a token, L times daily at no cost, and the underlying."""
WINDOW_DAYS = 30
"""Of what is rolling."""
YEAR_DAYS = 365
CONFIDENCE = 0.95
NO_SPREAD = 1e-12
"""Standard deviation over root mean square below which days differ by rounding only."""


@dataclass(frozen=True, eq=False)
class DailyValues:
    """What one thing was worth at the ends of UTC days, up to its end.

    Attributes:
        day: UTC days since 1970, ascending; the first is that from whose end returns count.
        value: above zero but for the last, shape of ``day``.
    """

    day: Ints
    value: Floats

    @cached_property
    def returns(self) -> Floats:
        """Simple returns, one a day after the first."""
        return np.asarray(self.value[1:] / self.value[:-1] - 1.0, dtype=np.float64)

    @cached_property
    def months(self) -> tuple[Ints, Floats]:
        """Months since 1970 that days of return lie in, and the return over each one's days."""
        if not len(self.returns):
            return np.array([], dtype=np.int64), np.array([])
        month = self.day[1:].astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
        lasts = np.flatnonzero(np.append(np.diff(month) != 0, True)) + 1
        ends = self.value[np.concatenate(([0], lasts))]
        return month[lasts - 1], ends[1:] / ends[:-1] - 1.0

    @property
    def elapsed(self) -> int:
        """Days from the first to the last, those without bars included."""
        return int(self.day[-1] - self.day[0]) if len(self.day) else 0


def cumulative_return(values: DailyValues) -> float | None:
    """``prod(1 + r) - 1``."""
    if not len(values.returns):
        return None
    return defined(values.value[-1] / values.value[0] - 1.0)


def annual_return(values: DailyValues) -> float | None:
    """``prod(1 + r)^(365 / days) - 1``, the compound annual growth rate; days as they passed."""
    if not len(values.returns):
        return None
    with np.errstate(over="ignore"):
        grown = np.float64(values.value[-1] / values.value[0])
        return defined(grown ** (YEAR_DAYS / values.elapsed) - 1.0)


def volatility(values: DailyValues) -> float | None:
    """``std(r) sqrt(365)``."""
    if len(values.returns) < 2:  # noqa: PLR2004 (n - 1 above 0)
        return None
    return defined(float(np.std(values.returns, ddof=1)) * math.sqrt(YEAR_DAYS))


def sharpe(values: DailyValues) -> float | None:
    """``mean(r) / std(r) sqrt(365)`` (Sharpe 1994, risk-free rate 0)."""
    found = spread_of(values.returns)
    if found is None:
        return None
    return defined(values.returns.mean() / found * math.sqrt(YEAR_DAYS))


def sortino(values: DailyValues) -> float | None:
    """``mean(r) / sqrt(sum(min(r, 0)^2) / n) sqrt(365)`` (Sortino and Price 1994, target 0)."""
    returns = values.returns
    if not (returns < 0).any():
        return None
    downside = math.sqrt(float(np.mean(np.square(np.minimum(returns, 0.0)))))
    return defined(_over(returns.mean(), downside) * math.sqrt(YEAR_DAYS))


def value_at_risk(values: DailyValues) -> float | None:
    """The return that 5 % of days fell below: the historical quantile, between days linear.

    Not that of a normal distribution, which a token's days are far from.
    """
    if not len(values.returns):
        return None
    return defined(np.quantile(values.returns, 1 - CONFIDENCE))


def expected_shortfall(values: DailyValues) -> float | None:
    """The mean of the days at or below ``value_at_risk``: CVaR (Acerbi and Tasche 2002)."""
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
    """``G2 = (n-1) ((n+1) g2 + 6) / ((n-2) (n-3))``, 0 for a normal (Joanes, Gill 1998)."""
    n = len(values.returns)
    if n < 4 or spread_of(values.returns) is None:  # noqa: PLR2004 (n - 3 above 0)
        return None
    moved = values.returns - values.returns.mean()
    square = moved * moved
    spread = float(np.mean(square))
    excess = float(np.mean(square * square)) / (spread * spread) - 3.0
    return defined((n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * excess + 6.0))


def best_day(values: DailyValues) -> float | None:
    """``max(r)``."""
    return _extreme(values.returns, np.max)


def worst_day(values: DailyValues) -> float | None:
    """``min(r)``."""
    return _extreme(values.returns, np.min)


def best_month(values: DailyValues) -> float | None:
    """The highest return over the days of a UTC month."""
    return _extreme(values.months[1], np.max)


def worst_month(values: DailyValues) -> float | None:
    """The lowest return over the days of a UTC month."""
    return _extreme(values.months[1], np.min)


def share_of_gains(values: DailyValues) -> float | None:
    """Days above 0 over days other than 0: the win rate."""
    return _winning(values.returns)


def winning_months(values: DailyValues) -> float | None:
    """Months above 0 over months other than 0."""
    return _winning(values.months[1])


def payoff_ratio(values: DailyValues) -> float | None:
    """The mean of days above 0 over that of days below 0, as a size."""
    gains, losses = values.returns[values.returns > 0], values.returns[values.returns < 0]
    if not len(gains) or not len(losses):
        return None
    return defined(_over(gains.mean(), -losses.mean()))


def omega(values: DailyValues) -> float | None:
    """``sum(max(r, 0)) / sum(max(-r, 0))`` (Keating and Shadwick 2002, threshold 0)."""
    lost = -float(np.minimum(values.returns, 0.0).sum())
    if not lost:
        return None
    return defined(_over(np.maximum(values.returns, 0.0).sum(), lost))


def tail_ratio(values: DailyValues) -> float | None:
    """The 95 % quantile of days over the 5 % quantile, as a size (pyfolio)."""
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
"""By name, those that need nothing but the values themselves; drawdowns have a table of theirs."""


def defined(value: float | np.float64) -> float | None:
    """A figure as a plain float; None where no float can hold it."""
    found = float(value)
    return found if math.isfinite(found) else None


def spread_of(returns: Floats) -> float | None:
    """The standard deviation of a sample; None of fewer than two, or where it is mere rounding."""
    if len(returns) < 2:  # noqa: PLR2004 (n - 1 above 0)
        return None
    found = float(np.std(returns, ddof=1))
    size = math.sqrt(float(np.mean(np.square(returns))))
    return found if found > NO_SPREAD * size else None


def _over(above: float | np.float64, below: float | np.float64) -> float:
    """A quotient; what overflows is infinite, and ``defined`` sees to it."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        return float(np.float64(above) / np.float64(below))


def _extreme(returns: Floats, pick: Callable[[Floats], np.float64]) -> float | None:
    return defined(pick(returns)) if len(returns) else None


def _winning(returns: Floats) -> float | None:
    moved = returns[returns != 0]
    return float(np.mean(moved > 0)) if len(moved) else None
