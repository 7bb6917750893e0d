"""A history as a sequence of places, each of which is one price at one time.

In ``close`` each bar is one place: its close, at its end, with a scheduled observation. In ``path``
each bar is four places, all at its opening instant: the open, with a scheduled observation, then
the extreme that is adverse to the series, the other extreme, and the close. The price passes
through every value between two of these four.
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
"""The places of one bar in ``path``."""
OF_A_VENUE = ("funding", "rates", "book")
"""The parts of a feed, besides prices, that a paper account uses."""


class Moment(NamedTuple):
    """The price at one place, and its time."""

    time_s: int
    """Epoch s."""
    price: Decimal
    is_clock: bool
    """Whether it is a scheduled observation, to which the price jumps; else it moves there."""
    bar: int


@dataclass(frozen=True, eq=False)
class AccountFeed:
    """The history of one account.

    Attributes:
        bars: the prices.
        mode: ``close`` or ``path``.
        falls_first: in ``path``, a bar's low is visited before its high.
        schedule: the funding and the interest rates.
        market: the market that the series trades on, where the series does not define it alone.
        books: recorded order books, which replace the series' impact and spread.
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
        """The price at a place, from 0 to the length of the feed less 1."""
        if self.mode == "close":
            time_s = int(self.bars.time[place]) + self.bars.step_s
            return Moment(time_s, _price(self._columns[0][place]), is_clock=True, bar=place)
        bar, stop = divmod(place, STOPS)
        time_s = int(self.bars.time[bar])
        return Moment(time_s, _price(self._columns[stop][bar]), is_clock=stop == 0, bar=bar)

    def rates(self, rates: CostRates[Decimal], place: int) -> CostRates[Decimal]:
        """The cost of trades at a place, by the price list of the series and recorded books."""
        moment = self.moment(place)
        if self.books is not None:
            return _walking(rates, self.books.at(moment.time_s))
        if self.market.conditions is None:
            return rates
        coefficient, volume = map(DECIMAL18.of, self.market.conditions.at(moment.bar))
        return rates._replace(impact_root=coefficient, daily_volume=volume)

    @cached_property
    def longest_s(self) -> int:
        """The longest time between two scheduled observations, s, including gaps in the history."""
        times = self.bars.time
        return int((times[1:] - times[:-1]).max()) if len(times) > 1 else 0

    @cached_property
    def digest(self) -> str:
        """A digest that identifies the history."""
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
    """The price list with its spread and impact replaced by those of an order book."""
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
    """Read the history of an account from a feed, as ``simulate`` takes it.

    Args:
        series: the token whose account it is.
        feed: a ``Feed``, possibly with funding or rates, or only prices.
        intrabar: ``"path"`` (the default if open, high and low are given) or ``"close"``.
        books: recorded snapshots of one venue's order book, from the first bar on. Orders fill from
            them instead of by the series' spread and impact.

    Raises:
        InputError: the series and the history do not fit together, or the feed holds something that
            no venue has, such as flows.
        DataError: a file is invalid, or no bar is left.
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
    # raises here if there is no book at the start, rather than at the first order
    recorded.at(found.moment(0).time_s)
    return replace(found, books=recorded)
