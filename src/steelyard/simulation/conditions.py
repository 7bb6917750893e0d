"""Market conditions before each bar: volatility and volume of the last 24 hours (SPEC 3).

These are known at a scheduled observation at time t, from the whole price file up to t::

    daily volatility  sqrt(sum of r^2) over the simple returns r within [t - 24 h, t]
    daily volume      sum of volume * close over the bars within [t - 24 h, t]

If less than a day is covered, the sum of squares and the volume are scaled to a day. In ``close``
mode the bar that has just closed counts. At the open of a bar, in ``path`` mode, the open counts,
and only the earlier bars do. Everything that happens inside a bar uses what was known at its open.
With fewer than two returns, or without any volume, nothing is known and there is no impact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steelyard.errors import DataError
from steelyard.market import Prices, format_duration, read_book
from steelyard.rules.costs import realised_coefficient
from steelyard.rules.series import Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from steelyard.market import Feed, OrderBook

    Floats = NDArray[np.float64]

__all__ = [
    "NO_MARKET",
    "Conditions",
    "MarketConditions",
    "market_conditions",
    "market_in",
    "market_of",
]

DAY_S = 86_400
FEWEST_RETURNS = 2


@dataclass(frozen=True, eq=False)
class Conditions:
    """The parameters of square-root impact, bar by bar.

    Attributes:
        coefficient: impact of trading a whole day's volume, in bps; float64, shape (bars,); 0 where
            there is no impact.
        volume: volume of a day in quote; float64, shape (bars,); 1 where there is no impact.
    """

    coefficient: Floats
    volume: Floats

    def __len__(self) -> int:
        return len(self.coefficient)

    def at(self, bar: int) -> tuple[float, float]:
        """The coefficient (bps) and the volume (quote) at the scheduled observation of a bar."""
        return float(self.coefficient[bar]), float(self.volume[bar])

    def slice(self, start: int, stop: int) -> Conditions:
        """The bars from ``start`` to ``stop`` (exclusive)."""
        return Conditions(self.coefficient[start:stop], self.volume[start:stop])


class MarketConditions(NamedTuple):
    """The market that a token trades on, as far as the series does not state it."""

    book: Sequence[Sequence[float]] | None
    """The columns of its order book."""
    conditions: Conditions | None
    """The parameters of its impact for each bar of the run."""


NO_MARKET = MarketConditions(None, None)


def market_of(
    series: Series, history: Prices, bars: Prices, intrabar: str, book: OrderBook | None = None
) -> MarketConditions:
    """The market of a series over ``bars``, which are a part of ``history``.

    Args:
        series: the token.
        history: all prices that are known.
        bars: the part of them that is run.
        intrabar: ``close`` or ``path``.
        book: the order book for a series that trades on one; None uses the file that the series
            names.

    Raises:
        DataError: the book cannot be read, or these prices do not contain what the impact needs.
    """
    walked = None
    if series.costs.impact == "book":
        walked = (read_book(series.costs.book) if book is None else book).columns
    # the bars before the first one are already known when the run starts
    conditions = market_conditions(series, history, intrabar)
    if conditions is not None:
        first = int(np.searchsorted(history.time, bars.time[0]))
        conditions = conditions.slice(first, first + len(bars))
    return MarketConditions(walked, conditions)


def market_in(feed: Feed, series: Series, intrabar: str) -> MarketConditions:
    """The market of a series over a feed; it uses the feed's order book if the feed has one.

    Raises:
        DataError: as in ``market_of``.
    """
    return market_of(series, feed.prices, feed.bars, intrabar, feed.book)


def market_conditions(series: Series, bars: Prices, intrabar: str) -> Conditions | None:
    """The impact of a series over all bars; None if its impact does not follow the market.

    Raises:
        DataError: the bars have no volume, or are so long that no day holds two returns.
    """
    if not series.follows_the_market:
        return None
    costs, rows = series.costs, len(bars)
    if costs.impact_coefficient == "realised":
        by_day = _daily_volatility(bars, intrabar).tolist()
        coefficient = np.array([realised_coefficient(volatility) for volatility in by_day])
    else:
        coefficient = np.full(rows, float(costs.impact_coefficient))
    if costs.daily_volume == "file":
        volume = _daily_volume(bars, intrabar)
    else:
        volume = np.full(rows, float(costs.daily_volume))
    known = (coefficient > 0) & (volume > 0)
    return Conditions(np.where(known, coefficient, 0.0), np.where(known, volume, 1.0))


def _daily_volatility(bars: Prices, intrabar: str) -> Floats:
    if FEWEST_RETURNS * bars.step_s > DAY_S:
        raise DataError(
            f'{bars.source}: impact_coefficient = "realised": expected bars of at most 12 hours, '
            f"two returns a day; found bars of {format_duration(bars.step_s)}; give finer bars or "
            f"a number.",
            source=bars.source,
            step_s=bars.step_s,
        )
    opening = bars.open if intrabar == "path" else None
    times = bars.end_times if opening is None else bars.time
    prices = bars.close if opening is None else opening
    squares = np.square(prices[1:] / prices[:-1] - 1)
    window = _trailing(times[:-1], squares, times, np.arange(len(times)))
    enough = window.count >= FEWEST_RETURNS
    covered = np.where(enough, times - times[window.first], DAY_S)
    return np.where(enough, np.sqrt(window.total * DAY_S / covered), 0.0)


def _daily_volume(bars: Prices, intrabar: str) -> Floats:
    if bars.volume is None:
        raise DataError(
            f'{bars.source}: daily_volume = "file": expected a column volume, in units of the '
            f"underlying, found none; give such a file or a number.",
            source=bars.source,
        )
    path = intrabar == "path"
    times = bars.time if path else bars.end_times
    ends = np.arange(len(bars)) + (0 if path else 1)
    # a bar that is cut short by the next one covers only the shorter time
    lengths = np.minimum(np.diff(bars.time, append=bars.end_times[-1]), bars.step_s)
    window = _trailing(bars.time, bars.volume * bars.close, times, ends)
    upto = np.concatenate([[0], np.cumsum(lengths)])
    covered = upto[ends] - upto[window.first]
    known = covered > 0
    return np.where(known, window.total * DAY_S / np.where(known, covered, DAY_S), 0.0)


@dataclass(frozen=True, eq=False)
class _Window:
    """The trailing day at each instant: sum and number of its values, and index of the first."""

    total: Floats
    count: NDArray[np.int64]
    first: NDArray[np.int64]


def _trailing(
    starts: NDArray[np.int64],
    values: Floats,
    times: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> _Window:
    """At each of ``times``, sum the values before row ``ends`` that began in the trailing day.

    Sums are taken from midnight on and up to midnight, so that nothing is ever subtracted: after a
    volatile day, the figures of a quiet day carry no rounding error from it.
    """
    first = np.minimum(np.searchsorted(starts, times - DAY_S), ends)
    days = starts // DAY_S
    since, until = np.empty(len(values)), np.empty(len(values))
    cuts = np.flatnonzero(np.diff(days)) + 1
    for day in np.split(np.arange(len(values)), cuts):
        since[day] = np.cumsum(values[day])
        until[day] = np.cumsum(values[day][::-1])[::-1]
    total = np.zeros(len(times))
    held = np.flatnonzero(first < ends)
    low, high = first[held], ends[held] - 1
    apart = days[low] != days[high]
    total[held] = np.where(apart, until[low] + since[high], since[high])
    # window inside one day that starts after the day's first row: rare, only after gaps
    within = ~apart & (low > 0) & (days[low - 1] == days[low])
    for row in np.flatnonzero(within).tolist():
        total[held[row]] = values[low[row] : high[row] + 1].sum()
    return _Window(total, ends - first, first)
