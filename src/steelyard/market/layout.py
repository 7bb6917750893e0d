"""Roles of columns, found by the names in a header or, without a header, by the content.

These layouts are recognised: bars with any of the usual names (among them the headers of freqtrade,
Binance and jesse), closes alone, and `time,price`; without a header, the six columns of ccxt and
jesse and the twelve of Binance. Other columns are ignored. If two columns claim the same role, the
source is refused, because choosing one of them would be a guess about money.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from steelyard.market.cell_faults import shown, source_error

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from steelyard.errors import DataError

__all__ = [
    "FLOWS",
    "FUNDING",
    "INJECTIONS",
    "OUTAGES",
    "RATES",
    "SPLITS",
    "TIME_NAMES",
    "Layout",
    "event_layout",
    "norm",
    "price_layout",
]

TIME_NAMES = ("time", "date", "timestamp", "datetime", "open_time", "opentime")
_SYMBOL_NAMES = ("symbol", "ticker", "pair", "tic")
_BARS = "time (or date, timestamp),open,high,low,close[,volume] or time,price"
_CCXT = ("time", "open", "high", "low", "close", "volume")
_JESSE = ("time", "open", "close", "high", "low", "volume")
_BINANCE_COLUMNS = 12
_SHOWN_COLUMNS = 12
_PARTS: Mapping[str, tuple[str, ...]] = {
    "time": TIME_NAMES,
    "open": ("open",),
    "high": ("high",),
    "low": ("low",),
    "close": ("close",),
    "volume": ("volume",),
    "price": ("price",),
}


class Layout(NamedTuple):
    """Which column holds which part of a table, such as its times or closes.

    Attributes:
        name: the layout that was recognised: ``bars``, ``closes``, ``prices``, ``ccxt``, ``jesse``,
            ``binance`` or ``events``.
        parts: part -> index of its column.
        columns: part -> the column's name as the source writes it, for messages.
        symbol: index of the column that names the market; None if there is none.
    """

    name: str
    parts: dict[str, int]
    columns: dict[str, str]
    symbol: int | None = None


class Events(NamedTuple):
    """A kind of event table: its parts with their accepted names, and its columns for messages."""

    parts: Mapping[str, tuple[str, ...]]
    expected: str


_EVENT_TIMES = (*TIME_NAMES, "funding_time", "fundingtime", "calc_time")
FUNDING = Events(
    {
        "time": _EVENT_TIMES,
        "rate": ("rate", "funding_rate", "fundingrate", "last_funding_rate"),
    },
    "columns time,rate (rate per interval as a fraction: 0.0001 is 0.01 %)",
)
RATES = Events(
    {"time": TIME_NAMES, "rate": ("rate", "rate_per_year")},
    "columns time,rate (rate per year as a fraction: 0.05 is 5 %)",
)
INJECTIONS = Events(
    {"time": TIME_NAMES, "quote": ("quote",), "kind": ("kind",)},
    "columns time,quote,kind (kind is capital or trading_fees)",
)
FLOWS = Events(
    {"time": TIME_NAMES, "tokens": ("tokens",)},
    "columns time,tokens (tokens created, or below 0 redeemed)",
)
SPLITS = Events(
    {"time": TIME_NAMES, "ratio": ("ratio",)},
    "columns time,ratio (tokens for one token: 10 splits, 0.1 merges)",
)
OUTAGES = Events(
    {"time": ("from",), "until": ("to",)},
    "columns from,to (times; nothing is traded from the one until the other)",
)


def price_layout(name: str, header: Sequence[str] | None, head: Sequence[Sequence[str]]) -> Layout:
    """Recognise the layout of a price source.

    Args:
        name: name of the source, for messages.
        header: names of its columns; None if it has no header.
        head: its first rows as text, used only if there is no header.

    Raises:
        DataError: a needed column is missing or claimed twice, or the content is of no known kind.
    """
    if header is None:
        return _headerless(name, head)
    found = _assign(name, header, _PARTS)
    if "price" in found and len(found.keys() & {"open", "high", "low", "close"}):
        raise _refused(name, header, f"either bars or prices, not both: columns {_BARS}")
    if "time" not in found or not found.keys() & {"close", "price"}:
        raise _refused(name, header, f"columns {_BARS}")
    if "price" in found:
        found.pop("volume", None)  # the volume of a single trade, not that of a bar
        return _layout("prices", found, header)
    order = sorted(found, key=found.__getitem__)
    names = {norm(column) for column in header}
    if {"open_time", "close_time"} <= names:
        kind = "binance"
    elif tuple(order) == _JESSE:
        kind = "jesse"
    else:
        kind = "bars" if {"open", "high", "low"} <= found.keys() else "closes"
    return _layout(kind, found, header)


def event_layout(name: str, header: Sequence[str] | None, events: Events) -> Layout:
    """Recognise the layout of a table of events, which must have a header.

    Raises:
        DataError: there is no header, or a column is missing or claimed twice.
    """
    if header is None:
        raise source_error(name, f"a header with {events.expected}", "numbers in the first row")
    found = _assign(name, header, events.parts)
    if len(found) < len(events.parts):
        raise _refused(name, header, events.expected)
    layout = _layout("events", found, header)
    # Other event files may mix several symbols, and their symbol is not that of a market.
    return layout if events is FUNDING else layout._replace(symbol=None)


def _assign(
    name: str, header: Sequence[str], parts: Mapping[str, tuple[str, ...]]
) -> dict[str, int]:
    """Find the one column of each part."""
    found: dict[str, int] = {}
    for index, column in enumerate(header):
        for part, names in parts.items():
            if norm(column) not in names:
                continue
            if part in found:
                pair = f"{shown(header[found[part]])} and {shown(column)}"
                listed = tuple(header[:_SHOWN_COLUMNS])
                found_both = f"both {pair}: delete or rename one"
                raise source_error(name, f"one column for {part}", found_both, columns=listed)
            found[part] = index
    return found


def norm(column: str) -> str:
    """Return a column's name in lower case with underscores."""
    return re.sub(r"[ \-]+", "_", column.strip().lower())


def _layout(kind: str, found: dict[str, int], header: Sequence[str]) -> Layout:
    names = [norm(column) for column in header]
    symbol = next((names.index(name) for name in _SYMBOL_NAMES if name in names), None)
    columns = {part: header[index].strip() for part, index in found.items()}
    return Layout(kind, found, columns, symbol)


def _refused(name: str, header: Sequence[str], expected: str) -> DataError:
    """Make the error that lists the existing columns."""
    listed = ", ".join(shown(column) for column in header[:_SHOWN_COLUMNS])
    more = f" and {len(header) - _SHOWN_COLUMNS} more" if len(header) > _SHOWN_COLUMNS else ""
    found = f"columns {listed}{more}" if header else "no columns"
    return source_error(name, expected, found, columns=tuple(header[:_SHOWN_COLUMNS]))


def _headerless(name: str, head: Sequence[Sequence[str]]) -> Layout:
    """Recognise rows without names by the number of columns and their content."""
    width = len(head[0]) if head else 0
    if width == _BINANCE_COLUMNS:
        kind, order = "binance", _CCXT
    elif width == len(_CCXT):
        # The order of jesse is mistaken for that of ccxt only if every bar is flat, and then both
        # give the same.
        as_jesse = not _consistent(head, _CCXT) and _consistent(head, _JESSE)
        kind, order = ("jesse", _JESSE) if as_jesse else ("ccxt", _CCXT)
    else:
        raise source_error(
            name,
            f"a header with columns {_BARS}, or the 6 columns of ccxt or the 12 of Binance "
            f"without one",
            f"{width} column{'s' if width != 1 else ''} and no header",
        )
    return Layout(kind, {part: index for index, part in enumerate(order)}, {p: p for p in order})


def _consistent(head: Sequence[Sequence[str]], order: Sequence[str]) -> bool:
    """Whether every row, read in this order, satisfies low <= open, close <= high."""
    for row in head:
        try:
            bar = {part: float(cell) for part, cell in zip(order[1:5], row[1:5], strict=True)}
        except ValueError:
            return False
        if not bar["low"] <= min(bar["open"], bar["close"]):
            return False
        if not max(bar["open"], bar["close"]) <= bar["high"]:
            return False
    return True
