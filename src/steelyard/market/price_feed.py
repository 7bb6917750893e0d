"""A feed: the prices of one underlying and the inputs that belong to them, read and checked once.

Every source is read when the feed is made, so that a wrong row is an error at that point and not in
the middle of a run, and so that several runs need not read it again. Each run itself checks whether
the inputs cover its bars, because that depends on the series and on where the run starts.
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
"""The inputs that can accompany prices and their readers, in the order of use in a run."""
INPUTS = tuple(READERS)
BY_SYMBOL = ("flows", "splits", "wind_down")
"""The inputs that can be given for each series separately, by symbol."""


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Feed:
    """Prices of one underlying with their inputs, as functions over a history take them.

    Attributes:
        prices: the whole history. The bars before ``start`` are used by an impact model that
            follows the market.
        funding: funding rates of the perpetual; None if none were given, as for each of the
            following.
        rates: interest rates per year of a spot venue.
        injections: payments into the reserve.
        flows: creations and redemptions, or a mapping of them by symbol.
        splits: splits and merges of tokens, or a mapping of them by symbol.
        outages: spans in which no trigger fires.
        wind_down: epoch seconds at which the token is closed, or a mapping of these by symbol.
        book: the order book that a series with ``impact = "book"`` trades on, in place of the file
            that the series names.
        start: epoch seconds at which the part to be run begins; None for the beginning of the
            history.
        end: epoch seconds at which that part ends (exclusive); None for the end of the history.
        bars: the bars of that part.
        files: input name -> path of the file that it was read from; empty if it was not a file.
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
        """Read and check a history and its inputs.

        Args:
            prices: a path, a list of paths or a pattern, ``"BTC"`` or ``"ETH"`` (the bundled
                history), a pandas or polars frame, an Arrow table, a mapping of columns, or
                ``Prices``.
            funding: columns ``time, rate``, from the same kinds of source.
            rates: columns ``time, rate``, where rates are per year.
            injections: columns ``time, quote, kind``.
            flows: columns ``time, tokens``: creations, and redemptions (below 0); for several
                series, a mapping of such sources by symbol.
            splits: columns ``time, ratio``; for several series, a mapping of such sources by
                symbol.
            outages: columns ``from, to``.
            wind_down: a time; for several series, a mapping of times by symbol.
            book: an order book, from any source that ``read_book`` accepts.
            start: first instant, inclusive (ISO 8601, epoch seconds, date or datetime, UTC).
            end: last instant, exclusive, in the same forms.

        Raises:
            InputError: a time is not valid, or the end is not after the start.
            DataError: a source is invalid, or no bar lies between start and end.
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
        """The part of this feed from ``start`` to before ``end``, without reading anything again.

        Raises:
            InputError: a time is not valid, or the end is not after the start.
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
        """This feed without the inputs of these names.

        Raises:
            InputError: there is no input of that name.
        """
        for name in inputs:
            if name not in INPUTS:
                message = f"without: expected one of {', '.join(INPUTS)}, found {name!r}."
                raise InputError(message, found=name, allowed=INPUTS)
        return _changed(self, dict.fromkeys(inputs))

    def given(self) -> tuple[str, ...]:
        """The names of the inputs that were given in addition to the prices."""
        return tuple(name for name in INPUTS if getattr(self, name) is not None)

    def __len__(self) -> int:
        return len(self.bars)

    def __repr__(self) -> str:
        bars = self.bars
        span = f"{format_time(bars.time[0])} to {format_time(bars.time[-1])}"
        inputs = "".join(f", {name}" for name in self.given())
        return f"<Feed {bars.source}: {len(bars):,} bars, {span}{inputs}>"


def feed_of(given: object) -> Feed:
    """Return a feed unchanged, or make a feed of bare prices.

    Raises:
        DataError: the argument is neither a feed nor prices.
    """
    return given if isinstance(given, Feed) else Feed(given)


def for_series(feed: Feed, symbol: str) -> Feed:
    """The feed of one series: of each input that is given by symbol, the part for that symbol."""
    given = {name: getattr(feed, name) for name in BY_SYMBOL}
    own = {name: one.get(symbol) for name, one in given.items() if isinstance(one, Mapping)}
    if not own:
        return feed
    files = {name: feed.files[name].get(symbol, "") for name in own}
    return _changed(feed, {**own, "files": {**feed.files, **files}})


def check_symbols(feed: Feed, symbols: Iterable[str]) -> None:
    """Refuse an input that is given for a symbol which no series has.

    Raises:
        InputError: there is such a symbol.
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
    """The dated inputs in the feed of one series: the tables, and the time of the wind-down."""
    return {name: getattr(feed, name) for name in feed.given() if name != "book"}


def with_events(feed: Feed, events: Mapping[str, Any]) -> Feed:
    """A feed in which these tables, in the form of ``events_of``, replace all of its own."""
    own: dict[str, Any] = {name: None for name in INPUTS if name != "book"}
    # an input that is given by symbol may be an empty mapping
    return _changed(feed, {**own, **{name: found or None for name, found in events.items()}})


def files_of(feed: Feed) -> dict[str, str]:
    """The files that the inputs of one series were read from: input name -> absolute path."""
    there = {"prices", *feed.given()}
    return {name: file for name, file in feed.files.items() if file and name in there}


def prices_of(given: object) -> Prices:
    """Return prices unchanged, or read those of a file or of a bundled history.

    A file comes first: ``"BTC"`` is the bundled history only if there is no file of that name.

    Raises:
        DataError: the argument is neither, or the prices are invalid.
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
    """Whether a mapping is by symbol, that is, has no column of times as a table would."""
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
    """Set the fields of a feed that is still being made; afterwards it does not change."""
    for name, value in values.items():
        object.__setattr__(feed, name, value)


def _names(given: Any, read: Any) -> Any:  # noqa: ANN401 (a name, or a mapping of names by symbol)
    """The absolute path of the file that a source is; empty if it is not a file."""
    if isinstance(read, Mapping):
        return {symbol: _names(given[symbol], one) for symbol, one in read.items()}
    source = getattr(read, "source", "frame")
    # a table knows the name it was read under, but not every table was in a file
    name = given if isinstance(given, str | os.PathLike) else source
    if name == "frame" or isinstance(read, int | None):
        return ""
    path = os.path.abspath(os.fsdecode(name))  # noqa: PTH100 (links stay as they are)
    return path if is_there(path) else str(source)
