"""Where prices come from: a file, a random walk with a seed, or a hand.

A feed is a function of the market's clock: asked again for the same time it says the same, so an
exchange that was killed goes on where it would have been. The market's clock runs ``speed`` times
as fast as the exchange's own::

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
    """How the market's clock goes with the exchange's, both ms."""

    begun_ms: int
    start_ms: int
    speed: float

    def at(self, now_ms: int) -> int:
        """The market's clock when the exchange's says this."""
        return self.start_ms + math.floor((now_ms - self.begun_ms) * self.speed)

    def until(self, market_ms: int, now_ms: int) -> int:
        """What the exchange's clock will say when the market's says this."""
        return now_ms + math.ceil((market_ms - self.at(now_ms)) / self.speed)


class PriceFeed(Protocol):
    """Prices of one symbol by the market's clock."""

    @property
    def symbol(self) -> str:
        """Whose prices they are."""

    def first(self) -> Decimal:
        """The price at the start."""

    def points(self, after_ms: int, until_ms: int, price: Decimal) -> Iterator[Point]:
        """The prices after an instant up to another one, when the last one was ``price``."""


@dataclass(frozen=True, slots=True)
class HandFeed:
    """A price that moves by hand alone."""

    symbol: str
    price: Decimal

    def first(self) -> Decimal:
        """The price at the start."""
        return self.price

    def points(self, after_ms: int, until_ms: int, price: Decimal) -> Iterator[Point]:  # noqa: ARG002 (the protocol's)
        """None: the hand comes over the control port."""
        return iter(())


@dataclass(frozen=True, slots=True)
class WalkFeed:
    """A geometric random walk in whole steps; each step depends on the seed and its time alone."""

    symbol: str
    price: Decimal
    volatility: float
    """Per year, such as 0.6."""
    seed: int
    step_ms: int = 1_000

    def first(self) -> Decimal:
        """The price at the start."""
        return self.price

    def points(self, after_ms: int, until_ms: int, price: Decimal) -> Iterator[Point]:
        """One price a step."""
        scale = self.volatility * math.sqrt(self.step_ms / 1_000 / SECONDS_A_YEAR)
        for place in range(after_ms // self.step_ms + 1, until_ms // self.step_ms + 1):
            dice = random.Random(f"{self.seed}:{self.symbol}:{place}")  # noqa: S311 (a price)
            move = math.exp(dice.gauss(-scale * scale / 2, scale))
            price = (price * Decimal(move)).quantize(Decimal("0.00000001"))
            yield Point(place * self.step_ms, self.symbol, price)


@dataclass(frozen=True, slots=True)
class FileFeed:
    """Prices of a file, each at the end of what it was observed in."""

    symbol: str
    times_ms: tuple[int, ...]
    price_at: Callable[[int], Decimal]
    """The price of a place in ``times_ms``."""

    def first(self) -> Decimal:
        """The price at the start."""
        return self.price_at(0)

    def points(self, after_ms: int, until_ms: int, price: Decimal) -> Iterator[Point]:  # noqa: ARG002 (the protocol's)
        """Those of the file; after its end none."""
        for place in range(
            bisect_right(self.times_ms, after_ms), bisect_right(self.times_ms, until_ms)
        ):
            yield Point(self.times_ms[place], self.symbol, self.price_at(place))


def file_feed(symbol: str, source: str, start: int | None, end: int | None) -> FileFeed:
    """Prices of a file, or of a bundled history by its name (``BTC`` or ``ETH``).

    A bar is told in four prices, evenly over its length: open, the nearer extreme of its course
    (low first where it rose), the other one, close.

    Args:
        symbol: whose prices they are.
        source: the file or the name.
        start: first row, epoch seconds; None for the file's.
        end: last row, left out, likewise.

    Raises:
        InputError: they are the wrong way round.
        DataError: the file cannot be read, or holds nothing between them.
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
