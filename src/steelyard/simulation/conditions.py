"""What the market was like in the 24 hours before each bar: volatility and volume (SPEC 3).

Known at a clock observation at time t, from the whole price file and nothing after t::

    daily volatility  sqrt(sum of r^2), r the simple returns that lie within [t - 24 h, t]
    daily volume      sum of volume * close of the bars that lie within [t - 24 h, t]

Where less than a day is covered, the sum of squares and the volume are scaled to a day. In
``close`` mode the bar that just closed counts; at the open of a bar, in ``path`` mode, the open
does, and of bars only the earlier ones. All that happens inside a bar is at what was known at its
open. Below two returns, or without any volume, nothing is known and there is no impact.
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

    from steelyard.market import Book, Feed

    Floats = NDArray[np.float64]

__all__ = ["NO_MARKET", "Conditions", "Market", "market_conditions", "market_in", "market_of"]

DAY_S = 86_400
FEWEST_RETURNS = 2


@dataclass(frozen=True, eq=False)
class Conditions:
    """Square-root impact bar by bar.

    Attributes:
        coefficient: float64, bps for trading a whole day's volume; 0 where there is no impact.
        volume: float64, quote traded in a day; 1 where there is no impact.
    """

    coefficient: Floats
    volume: Floats

    def __len__(self) -> int:
        return len(self.coefficient)

    def at(self, bar: int) -> tuple[float, float]:
        """Coefficient and volume at the clock observation of a bar."""
        return float(self.coefficient[bar]), float(self.volume[bar])

    def slice(self, start: int, stop: int) -> Conditions:
        """The bars from ``start`` to ``stop``, the latter left out."""
        return Conditions(self.coefficient[start:stop], self.volume[start:stop])


class Market(NamedTuple):
    """What a token trades on, where the series alone does not say it."""

    book: Sequence[Sequence[float]] | None
    """The columns of its book."""
    conditions: Conditions | None
    """Its impact, bar by bar of the run."""


NO_MARKET = Market(None, None)


def market_of(
    series: Series, history: Prices, bars: Prices, intrabar: str, book: Book | None = None
) -> Market:
    """The market of a series over ``bars``, a stretch of ``history``.

    Args:
        series: the token.
        history: all prices that are known.
        bars: those of them that are run.
        intrabar: ``close`` or ``path``.
        book: what a series that trades on a book trades on; None: the file that it names.

    Raises:
        DataError: its book cannot be read, or its impact cannot be known from these prices.
    """
    walked = None
    if series.costs.impact == "book":
        walked = (read_book(series.costs.book) if book is None else book).columns
    # what came before the first bar was known when the run starts
    conditions = market_conditions(series, history, intrabar)
    if conditions is not None:
        first = int(np.searchsorted(history.time, bars.time[0]))
        conditions = conditions.slice(first, first + len(bars))
    return Market(walked, conditions)


def market_in(feed: Feed, series: Series, intrabar: str) -> Market:
    """The market of a series over a feed; on the feed's book where the feed has one.

    Raises:
        DataError: as ``market_of`` does.
    """
    return market_of(series, feed.prices, feed.bars, intrabar, feed.book)


def market_conditions(series: Series, bars: Prices, intrabar: str) -> Conditions | None:
    """The impact of a series over all bars of a file; None where it follows no market.

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
    # a bar that the next one cuts short covers that much less
    lengths = np.minimum(np.diff(bars.time, append=bars.end_times[-1]), bars.step_s)
    window = _trailing(bars.time, bars.volume * bars.close, times, ends)
    upto = np.concatenate([[0], np.cumsum(lengths)])
    covered = upto[ends] - upto[window.first]
    known = covered > 0
    return np.where(known, window.total * DAY_S / np.where(known, covered, DAY_S), 0.0)


@dataclass(frozen=True, eq=False)
class _Window:
    """What the trailing day holds at each instant: sum, number, and the first row of it."""

    total: Floats
    count: NDArray[np.int64]
    first: NDArray[np.int64]


def _trailing(
    starts: NDArray[np.int64],
    values: Floats,
    times: NDArray[np.int64],
    ends: NDArray[np.int64],
) -> _Window:
    """Sum, at each of ``times``, the values before row ``ends`` that began in the trailing day.

    Sums from midnight on and up to midnight, so that nothing is ever subtracted: a quiet day after
    a wild one is exactly as quiet as it was.
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
    # within one day, from a row that is not its first: rare, after gaps
    within = ~apart & (low > 0) & (days[low - 1] == days[low])
    for row in np.flatnonzero(within).tolist():
        total[held[row]] = values[low[row] : high[row] + 1].sum()
    return _Window(total, ends - first, first)
