"""A history as a row of places at which a price stands, one after another.

In ``close`` each bar is one place: its close, at its end, a scheduled observation. In ``path`` it
is four, all at its opening instant: the open, a scheduled observation, then the extreme that hurts
first, the other extreme and the close, with every price between two of them visited on the way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from steelyard.errors import InputError
from steelyard.rules.costs import CostRates, Levels
from steelyard.rules.numbers import DECIMAL18
from steelyard.rules.series import Series

if TYPE_CHECKING:
    from steelyard.market import OrderBook, Prices
    from steelyard.market.recorded_order_books import RecordedBooks
    from steelyard.simulation.conditions import MarketConditions
    from steelyard.simulation.schedule import Schedule

__all__ = ["AccountFeed", "Moment", "read_feed"]

STOPS = 4
"""Places of a bar in ``path``."""
OF_A_VENUE = ("funding", "rates", "book")
"""What of a feed an account lives through."""


class Moment(NamedTuple):
    """Where the price stands at a place."""

    time_s: int
    """Epoch s."""
    price: Decimal
    is_clock: bool
    """A scheduled observation, to which the price jumps; else it came here through all between."""
    bar: int


@dataclass(frozen=True, eq=False)
class AccountFeed:
    """What one account lives through.

    Attributes:
        bars: the history.
        mode: ``close`` or ``path``.
        falls_first: in ``path``, a bar's low is visited before its high.
        schedule: funding and rates.
        market: what the series trades on, where the series alone does not say it.
        books: recorded books, which orders walk instead of the series' impact and spread.
    """

    bars: Prices
    mode: str
    falls_first: bool
    schedule: Schedule[Decimal]
    market: MarketConditions
    books: RecordedBooks | None = None

    def __len__(self) -> int:
        return len(self.bars) * (STOPS if self.mode == "path" else 1)

    def moment(self, place: int) -> Moment:
        """Where the price stands at a place, from 0 to the length of the feed."""
        if self.mode == "close":
            time_s = int(self.bars.time[place]) + self.bars.step_s
            return Moment(time_s, _price(self._columns[0][place]), is_clock=True, bar=place)
        bar, stop = divmod(place, STOPS)
        time_s = int(self.bars.time[bar])
        return Moment(time_s, _price(self._columns[stop][bar]), is_clock=stop == 0, bar=bar)

    def rates(self, rates: CostRates[Decimal], place: int) -> CostRates[Decimal]:
        """What trades cost at a place, by the price list of the series."""
        moment = self.moment(place)
        if self.books is not None:
            return _walking(rates, self.books.at(moment.time_s))
        if self.market.conditions is None:
            return rates
        coefficient, volume = map(DECIMAL18.of, self.market.conditions.at(moment.bar))
        return rates._replace(impact_root=coefficient, daily_volume=volume)

    @cached_property
    def longest_s(self) -> int:
        """The longest time between two scheduled observations, gaps in the history included."""
        times = self.bars.time
        return int((times[1:] - times[:-1]).max()) if len(times) > 1 else 0

    @cached_property
    def digest(self) -> str:
        """What tells this history from another."""
        head = f"{self.mode} {self.falls_first} {self.bars.step_s} {len(self.bars)} "
        found = sha256(head.encode())
        found.update(self.bars.time.tobytes())
        for column in self._columns:
            found.update(column.tobytes())
        if self.books is not None:
            found.update(self.books.digest.encode())
        return found.hexdigest()

    @cached_property
    def _columns(self) -> tuple[Any, ...]:
        bars = self.bars
        if self.mode == "close":
            return (bars.close,)
        extremes = (bars.low, bars.high) if self.falls_first else (bars.high, bars.low)
        return (bars.open, *extremes, bars.close)


def _walking(rates: CostRates[Decimal], book: OrderBook) -> CostRates[Decimal]:
    """A price list whose spread and impact are those of a book."""
    of, nothing = DECIMAL18.of, DECIMAL18.of(0)
    columns = (tuple(of(figure) for figure in column) for column in book.columns)
    return rates._replace(
        half_spread_bps=nothing,
        impact_linear=nothing,
        impact_flat=nothing,
        impact_root=nothing,
        amm_liquidity=nothing,
        has_book=True,
        book=Levels.of(*columns),
    )


def _price(price: float) -> Decimal:
    return DECIMAL18.of(float(price))


def read_feed(
    series: Series, feed: object, *, intrabar: str | None = None, books: object = None
) -> AccountFeed:
    """The history of an account: a feed, as ``simulate`` takes it.

    Args:
        series: the token whose account it is.
        feed: a ``Feed``, with funding or rates; or bare prices.
        intrabar: ``"path"`` (default where open, high and low are there) or ``"close"``.
        books: recorded snapshots of one venue's order book, from the first bar on: orders walk them
            instead of the series' spread and impact.

    Raises:
        InputError: the series and its history do not go together, or the feed holds what no venue
            knows of, such as flows.
        DataError: a file is not what it should be, or no bar is left.
    """
    from steelyard.market import feed_of
    from steelyard.market.price_feed import events_of
    from steelyard.market.recorded_order_books import read_recorded_books
    from steelyard.simulation.checks import mode_of
    from steelyard.simulation.conditions import market_in
    from steelyard.simulation.inputs import read_schedule
    from steelyard.simulation.run import span_of

    history = feed_of(feed)
    for name in history.given():
        if name not in OF_A_VENUE:
            message = (
                f"{series.symbol}: expected a feed of {', '.join(OF_A_VENUE)} beside the prices, "
                f"found {name}, which a venue does not know of; give it to the keeper."
            )
            raise InputError(message, symbol=series.symbol, option=name, allowed=OF_A_VENUE)
    bars = history.bars
    mode = mode_of(intrabar, bars)
    schedule = read_schedule(series, DECIMAL18, events_of(history), span_of(bars, None))
    market = market_in(history, series, mode)
    found = AccountFeed(bars, mode, series.target_leverage > 0, schedule, market)
    if books is None:
        return found
    recorded = read_recorded_books(books)
    # refused now, and not at the first order
    recorded.at(found.moment(0).time_s)
    return replace(found, books=recorded)
