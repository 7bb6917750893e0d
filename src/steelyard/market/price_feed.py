"""A feed: the prices of one underlying with everything that goes with them, read and checked once.

Every source is read when the feed is made, so that a wrong row is an error there and not in the
middle of a run, and so that several runs read nothing again. Whether the inputs cover the bars is
decided by each run, because that depends on the series and on where the run starts.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from steelyard.errors import InputError
from steelyard.market.event_readers import (
    Flows,
    Funding,
    Injections,
    Outages,
    Rates,
    Splits,
    read_flows,
    read_funding,
    read_injections,
    read_outages,
    read_rates,
    read_splits,
)
from steelyard.market.layout import TIME_NAMES, norm
from steelyard.market.order_books import OrderBook, read_book
from steelyard.market.prices import Prices, read_prices
from steelyard.market.sample import SAMPLE_NAMES, sample_prices
from steelyard.market.several_files import is_there
from steelyard.market.times import format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

__all__ = [
    "BY_SYMBOL",
    "INPUTS",
    "READERS",
    "Feed",
    "check_symbols",
    "events_of",
    "feed_of",
    "files_of",
    "for_series",
    "prices_of",
    "with_events",
]

READERS: dict[str, Callable[[Any], Any]] = {
    "funding": read_funding,
    "rates": read_rates,
    "injections": read_injections,
    "flows": read_flows,
    "splits": read_splits,
    "outages": read_outages,
    "wind_down": parse_time,
    "book": read_book,
}
"""What may go with prices and how it is read, in the order in which a run takes it."""
INPUTS = tuple(READERS)
BY_SYMBOL = ("flows", "splits", "wind_down")
"""Of these each of several series may have its own."""


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Feed:
    """Prices of one underlying, and what goes with them; functions over a history take it.

    Attributes:
        prices: the whole history. What lies before ``start`` counts for an impact that follows the
            market.
        funding: of a perpetual; None, as for each of the following, where none was given.
        rates: per year, of a spot venue.
        injections: into the reserve.
        flows: creations and redemptions; or a mapping of them by symbol.
        splits: tokens for one token; or a mapping by symbol.
        outages: spans in which nothing triggers.
        wind_down: epoch s at which the token is closed; or a mapping by symbol.
        book: what a series with ``impact = "book"`` trades on, instead of the file that it names.
        start: epoch s, the first instant of the part that is run; None: from the beginning.
        end: epoch s, the instant at which that part ends, left out; None: to the end.
        bars: the bars of that part.
        files: the path of the file that each was read from, by name; empty where it was none.
    """

    prices: Prices
    funding: Funding | None
    rates: Rates | None
    injections: Injections | None
    flows: Flows | Mapping[str, Flows] | None
    splits: Splits | Mapping[str, Splits] | None
    outages: Outages | None
    wind_down: int | Mapping[str, int] | None
    book: OrderBook | None
    start: int | None
    end: int | None
    bars: Prices = field(init=False)
    files: Mapping[str, Any] = field(init=False)

    def __init__(
        self,
        prices: object,
        *,
        funding: object = None,
        rates: object = None,
        injections: object = None,
        flows: object = None,
        splits: object = None,
        outages: object = None,
        wind_down: object = None,
        book: object = None,
        start: str | float | date | None = None,
        end: str | float | date | None = None,
    ) -> None:
        """Read and check a history with what goes with it.

        Args:
            prices: a path, a list of paths or a pattern, ``"BTC"`` or ``"ETH"`` (the bundled
                history), a pandas or polars frame, an Arrow table, a mapping of columns, or
                ``Prices``.
            funding: columns ``time, rate``, from the same kinds of source.
            rates: ``time, rate`` per year.
            injections: ``time, quote, kind``.
            flows: ``time, tokens``: creations, and redemptions (below 0); for several series, a
                mapping of such sources by symbol.
            splits: ``time, ratio``; for several series, likewise.
            outages: ``from, to``.
            wind_down: a time; for several series, a mapping of times by symbol.
            book: an order book, from any source that ``read_book`` takes.
            start: first instant, inclusive (ISO 8601, epoch seconds, date or datetime, UTC).
            end: last instant, exclusive, likewise.

        Raises:
            InputError: a time is none, or the end is not after the start.
            DataError: a source is not what it should be, or no bar lies between start and end.
        """
        given: dict[str, Any] = {
            "funding": funding,
            "rates": rates,
            "injections": injections,
            "flows": flows,
            "splits": splits,
            "outages": outages,
            "wind_down": wind_down,
            "book": book,
        }
        read: dict[str, Any] = {"prices": prices_of(prices)}
        read |= {name: _read(name, source) for name, source in given.items()}
        read["start"] = None if start is None else parse_time(start)
        read["end"] = None if end is None else parse_time(end)
        read["bars"] = read["prices"].between(read["start"], read["end"])
        given["prices"] = prices
        read["files"] = {name: _names(given[name], read[name]) for name in ("prices", *INPUTS)}
        _set(self, read)

    def between(
        self, start: str | float | date | None = None, end: str | float | date | None = None
    ) -> Feed:
        """The part of this feed from ``start`` to before ``end``; nothing is read again.

        Raises:
            InputError: a time is none, or the end is not after the start.
            DataError: no bar lies between them.
        """
        bars, first, last = self.bars.between(start, end), self.start, self.end
        if start is not None:
            first = max(parse_time(start), parse_time(start) if first is None else first)
        if end is not None:
            last = min(parse_time(end), parse_time(end) if last is None else last)
        if (first, last) == (self.start, self.end):
            return self
        return _changed(self, {"start": first, "end": last, "bars": bars})

    def without(self, *inputs: str) -> Feed:
        """This feed without some of its inputs, by their names.

        Raises:
            InputError: nothing of that name goes with prices.
        """
        for name in inputs:
            if name not in INPUTS:
                message = f"without: expected one of {', '.join(INPUTS)}, found {name!r}."
                raise InputError(message, found=name, allowed=INPUTS)
        return _changed(self, dict.fromkeys(inputs))

    def given(self) -> tuple[str, ...]:
        """The names of the inputs that were given beside the prices."""
        return tuple(name for name in INPUTS if getattr(self, name) is not None)

    def __len__(self) -> int:
        return len(self.bars)

    def __repr__(self) -> str:
        bars = self.bars
        span = f"{format_time(bars.time[0])} to {format_time(bars.time[-1])}"
        inputs = "".join(f", {name}" for name in self.given())
        return f"<Feed {bars.source}: {len(bars):,} bars, {span}{inputs}>"


def feed_of(given: object) -> Feed:
    """The feed that was given; or the feed of bare prices.

    Raises:
        DataError: it is neither.
    """
    return given if isinstance(given, Feed) else Feed(given)


def for_series(feed: Feed, symbol: str) -> Feed:
    """A feed for one series: of what is given by symbol, what is given for that one."""
    given = {name: getattr(feed, name) for name in BY_SYMBOL}
    own = {name: one.get(symbol) for name, one in given.items() if isinstance(one, Mapping)}
    if not own:
        return feed
    files = {name: feed.files[name].get(symbol, "") for name in own}
    return _changed(feed, {**own, "files": {**feed.files, **files}})


def check_symbols(feed: Feed, symbols: Iterable[str]) -> None:
    """Refuse an input of a symbol that none of the series has.

    Raises:
        InputError: there is one.
    """
    allowed = list(symbols)
    for option in BY_SYMBOL:
        table = getattr(feed, option)
        for symbol in table if isinstance(table, Mapping) else ():
            if symbol not in allowed:
                message = (
                    f"{option}: expected symbols of the series, {', '.join(allowed)}, found "
                    f"{symbol}."
                )
                raise InputError(message, option=option, symbol=symbol)


def events_of(feed: Feed) -> dict[str, Any]:
    """What happens at given times in the feed of one series: tables, and the time of its end."""
    return {name: getattr(feed, name) for name in feed.given() if name != "book"}


def with_events(feed: Feed, events: Mapping[str, Any]) -> Feed:
    """A feed with these tables, as ``events_of`` has them, in the place of all of its own."""
    own: dict[str, Any] = {name: None for name in INPUTS if name != "book"}
    # of what is given by symbol there may be nothing for any
    return _changed(feed, {**own, **{name: found or None for name, found in events.items()}})


def files_of(feed: Feed) -> dict[str, str]:
    """The files among what was given to one series, by name: their paths from the root on."""
    there = {"prices", *feed.given()}
    return {name: file for name, file in feed.files.items() if file and name in there}


def prices_of(given: object) -> Prices:
    """The prices that were given, or those of the file or the bundled history that was named.

    A file always wins: ``"BTC"`` is the bundled history only where no file has that name.

    Raises:
        DataError: it is neither, or not what prices should be.
    """
    if isinstance(given, str) and given.upper() in SAMPLE_NAMES and not os.path.lexists(given):
        return sample_prices(given.upper())
    return read_prices(given)


def _read(name: str, given: Any) -> Any:  # noqa: ANN401 (any source)
    if given is None:
        return None
    if name not in BY_SYMBOL or not _is_by_symbol(given):
        return READERS[name](given)
    return {key: READERS[name](one) for key, one in given.items() if one is not None} or None


def _is_by_symbol(given: object) -> bool:
    """Whether a mapping is by symbol: as a table it would have a column of times."""
    if not isinstance(given, Mapping):
        return False
    return not any(
        norm(str(name)) in TIME_NAMES and not isinstance(column, str | os.PathLike | Mapping)
        for name, column in given.items()
    )


def _changed(feed: Feed, changes: Mapping[str, Any]) -> Feed:
    changed = copy.copy(feed)
    _set(changed, changes)
    return changed


def _set(feed: Feed, values: Mapping[str, Any]) -> None:
    """Fill a feed that nobody has seen yet: afterwards it does not change."""
    for name, value in values.items():
        object.__setattr__(feed, name, value)


def _names(given: Any, read: Any) -> Any:  # noqa: ANN401 (a name, or a mapping of names by symbol)
    """The file that a source is, as a path from the root on; empty where it is none."""
    if isinstance(read, Mapping):
        return {symbol: _names(given[symbol], one) for symbol, one in read.items()}
    source = getattr(read, "source", "frame")
    # a table that was read knows what it was called; not all of them were in a file
    name = given if isinstance(given, str | os.PathLike) else source
    if name == "frame" or isinstance(read, int | None):
        return ""
    path = os.path.abspath(os.fsdecode(name))  # noqa: PTH100 (links stay as they are)
    return path if is_there(path) else str(source)
