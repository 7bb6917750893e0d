"""The sources of prices: a file, a random walk with a seed, or the control port.

A feed is a function of the market's clock and gives the same price again for the same time, so an
exchange that was killed continues as if it had run on. The market's clock runs ``speed`` times as
fast as the exchange's own::

    market = market_start + (now - begun) * speed
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol

__all__ = ["FileFeed", "HandFeed", "MarketClock", "Point", "PriceFeed", "WalkFeed", "file_feed"]

SECONDS_A_YEAR = 365 * 86_400


class Point(NamedTuple):
    """A price at an instant of the market's clock, ms."""

    time_ms: int
    symbol: str
    price: Decimal


@dataclass(frozen=True, slots=True)
class MarketClock:
    """The market's clock as a function of the exchange's, both ms."""

    begun_ms: int
    start_ms: int
    speed: float

    def at(self, now_ms: int) -> int:
        """The market's clock at an instant of the exchange's."""
        return self.start_ms + math.floor((now_ms - self.begun_ms) * self.speed)

    def until(self, market_ms: int, now_ms: int) -> int:
        """The exchange's clock at an instant of the market's."""
        return now_ms + math.ceil((market_ms - self.at(now_ms)) / self.speed)


class PriceFeed(Protocol):
    """The prices of one symbol by the market's clock."""

    @property
    def symbol(self) -> str:
        """The symbol that the prices belong to."""

    def first(self) -> Decimal:
        """The price at the start."""

    def points(self, after_ms: int, until_ms: int, price: Decimal) -> Iterator[Point]:
        """The prices after an instant up to another, given the last price before them."""


@dataclass(frozen=True, slots=True)
class HandFeed:
    """A price that only the control port moves."""

    symbol: str
    price: Decimal

    def first(self) -> Decimal:
        """The price at the start."""
        return self.price

    def points(self, after_ms: int, until_ms: int, price: Decimal) -> Iterator[Point]:  # noqa: ARG002 (the protocol's)
        """No prices, since they are set through the control port."""
        return iter(())


@dataclass(frozen=True, slots=True)
class WalkFeed:
    """A geometric random walk in whole steps; each step depends only on the seed and its time."""

    symbol: str
    price: Decimal
    volatility: float
    """The volatility a year, for example 0.6."""
    seed: int
    step_ms: int = 1_000

    def first(self) -> Decimal:
        """The price at the start."""
        return self.price

    def points(self, after_ms: int, until_ms: int, price: Decimal) -> Iterator[Point]:
        """One price per step."""
        scale = self.volatility * math.sqrt(self.step_ms / 1_000 / SECONDS_A_YEAR)
        for place in range(after_ms // self.step_ms + 1, until_ms // self.step_ms + 1):
            dice = random.Random(f"{self.seed}:{self.symbol}:{place}")  # noqa: S311 (a price)
            move = math.exp(dice.gauss(-scale * scale / 2, scale))
            price = (price * Decimal(move)).quantize(Decimal("0.00000001"))
            yield Point(place * self.step_ms, self.symbol, price)


@dataclass(frozen=True, slots=True)
class FileFeed:
    """The prices of a file, each at the end of the interval that it was observed in."""

    symbol: str
    times_ms: tuple[int, ...]
    price_at: Callable[[int], Decimal]
    """The price at an index of ``times_ms``."""

    def first(self) -> Decimal:
        """The price at the start."""
        return self.price_at(0)

    def points(self, after_ms: int, until_ms: int, price: Decimal) -> Iterator[Point]:  # noqa: ARG002 (the protocol's)
        """The prices of the file; there are none after its end."""
        for place in range(
            bisect_right(self.times_ms, after_ms), bisect_right(self.times_ms, until_ms)
        ):
            yield Point(self.times_ms[place], self.symbol, self.price_at(place))


def file_feed(symbol: str, source: str, start: int | None, end: int | None) -> FileFeed:
    """The prices of a file, or of a bundled history by its name (``BTC`` or ``ETH``).

    A bar becomes four prices, spread evenly over its length: the open, the extreme that is assumed
    to come first (the low in a rising bar), the other extreme, and the close.

    Args:
        symbol: the symbol that the prices belong to.
        source: the file, or the name of the history.
        start: the first row, epoch s; None: the first row of the file.
        end: the end, epoch s, whose row is left out; None: the end of the file.

    Raises:
        InputError: ``start`` is not before ``end``.
        DataError: the file cannot be read, or has no rows between them.
    """
    from steelyard.market import SAMPLE_NAMES, read_prices, sample_prices

    found = sample_prices(source) if source in SAMPLE_NAMES else read_prices(source)
    prices = found.between(start, end)
    if prices.step_s == 0 or prices.open is None or prices.low is None or prices.high is None:
        late = prices.step_s
        times = tuple(int(time + late) * 1_000 for time in prices.time)
        close = prices.close
        return FileFeed(symbol, times, lambda place: Decimal(repr(float(close[place]))))
    quarter = prices.step_s * 250
    bars = tuple(int(time) * 1_000 for time in prices.time)
    times = tuple(bar + part * quarter for bar in bars for part in range(1, 5))
    opens, lows, highs, closes = prices.open, prices.low, prices.high, prices.close

    def price_at(place: int) -> Decimal:
        row, part = divmod(place, 4)
        rose = closes[row] >= opens[row]
        extremes = (lows, highs) if rose else (highs, lows)
        column = (opens, *extremes, closes)[part]
        return Decimal(repr(float(column[row])))

    return FileFeed(symbol, times, price_at)
