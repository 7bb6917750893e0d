"""Order books: the amount that rests at each distance from mid, from a table or from snapshots.

The table of a book has the columns ``bps_from_mid,bid_notional,ask_notional``. Each row states what
rests at exactly that distance, not everything up to it, in quote (units times mid). Recorded
snapshots are converted to such a table:

- ``top20`` (``time,venue,symbol,level,bid_px,bid_qty,ask_px,ask_qty``) gives one row for each
  price;
- ``slippage`` (``buy_slip_bps_N`` and ``sell_slip_bps_N`` are the average cost of market orders of
  N quote; ``bid_depth_usd_Bbps`` and ``ask_depth_usd_Bbps`` are everything that rests up to B bps)
  gives one row for each step from one N to the next, at the cost of that step, so that walking the
  book costs what was published. What rests beyond the largest N, and everything where no costs are
  given, is placed in the middle between two published distances.

The book of several snapshots is their median, level by level.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from steelyard.market.book_snapshots import (
    DEPTH,
    LARGEST,
    MAX_SNAPSHOT_ROWS,
    SLIP,
    TOP,
    Snapshots,
    merged,
    slippage_levels,
    top_levels,
)
from steelyard.market.cell_faults import earliest, first_fault, shown, source_error
from steelyard.market.cells import numbers
from steelyard.market.layout import norm
from steelyard.market.sources import open_table
from steelyard.market.table import SourceTable
from steelyard.market.times import parse_time
from steelyard.rules.costs import Levels as WalkedLevels
from steelyard.rules.costs import side_depth, walk_cost
from steelyard.rules.triggers import exceeds

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["MAX_LEVELS", "OrderBook", "book_of", "read_book", "snapshots_in"]

MAX_LEVELS = 10_000
_TABLE = ("bps_from_mid", "bid_notional", "ask_notional")
_EXPECTED = (
    "columns bps_from_mid,bid_notional,ask_notional, or snapshots: level,bid_px,bid_qty,ask_px,"
    "ask_qty, or bid_depth_usd_5bps and the like"
)


@dataclass(frozen=True, eq=False)
class OrderBook:
    """The amounts that rest in an order book, by their distance from the mid price.

    Attributes:
        bps: distance from mid in basis points; float64, shape (levels,), ascending.
        bids: buy orders that rest at each distance, in quote at mid; market sells are filled from
            them.
        asks: sell orders that rest at each distance, in quote at mid; market buys are filled from
            them.
        source: the file's name as it was given, or ``frame``.
        layout: ``book``, ``top20`` or ``slippage``.
        venue, symbol: those that the snapshots name, empty where they name none.
        time: epoch seconds of the one snapshot that was chosen, else None.
        snapshots: how many snapshots the book is the median of; 0 for the table of a book.
    """

    bps: Floats
    bids: Floats
    asks: Floats
    source: str = "frame"
    layout: str = "book"
    venue: str = ""
    symbol: str = ""
    time: int | None = None
    snapshots: int = 0

    def __len__(self) -> int:
        return len(self.bps)

    @property
    def columns(self) -> tuple[list[float], list[float], list[float]]:
        """Distances, bids and asks in the form that ``Series.terms`` takes."""
        return self.bps.tolist(), self.bids.tolist(), self.asks.tolist()

    @property
    def depth(self) -> tuple[float, float]:
        """The sum of all bids and the sum of all asks, in quote."""
        return float(self.bids.sum()), float(self.asks.sum())

    def cost(self, notional: float) -> float | None:
        """The cost against mid of a market order, in quote; None if the book does not hold so much.

        Args:
            notional: size of the order in quote; positive buys, negative sells.
        """
        # `exceeds` tolerates a rounding error in the last digits, so the whole depth can be traded.
        if exceeds(abs(notional), side_depth(self._levels, notional > 0)):
            return None
        return walk_cost(self._levels, notional)

    @cached_property
    def _levels(self) -> WalkedLevels[float]:
        """The book in the form that the rules walk."""
        return WalkedLevels.of(*self.columns)


def read_book(
    source: object,
    *,
    time: str | float | date | None = None,
    venue: str | None = None,
    symbol: str | None = None,
) -> OrderBook:
    """Read an order book from any source that `read_prices` takes.

    Args:
        source: the table of a book, or recorded snapshots.
        time: use the last snapshot at or before this time; None uses the median of all.
        venue: use the snapshots of this venue only.
        symbol: use the snapshots of this symbol only.

    Raises:
        DataError: the source is unreadable or of no known layout, one of its rows is wrong (the
            message names the row), a side is empty, the snapshots are of several venues or symbols
            and none was chosen, or the chosen one is missing.
    """
    if isinstance(source, OrderBook):
        return source
    with open_table(source) as table:
        return _read(table, time, venue, symbol)


def _read(
    table: SourceTable, time: str | float | date | None, venue: str | None, symbol: str | None
) -> OrderBook:
    names = [norm(column) for column in table.header or ()]
    if set(_TABLE) <= set(names):
        chosen = {"time": time, "venue": venue, "symbol": symbol}
        for word, value in chosen.items():
            if value is not None:
                raise source_error(table.name, f"snapshots, to choose a {word}", "a single book")
        return _plain_book(table, names)
    snapshots = snapshots_in(table, venue, symbol)
    return book_of(snapshots, snapshots.choose_time(None if time is None else parse_time(time)))


def snapshots_in(table: SourceTable, venue: str | None, symbol: str | None) -> Snapshots:
    """The snapshots in a table, of one venue and one symbol.

    Raises:
        DataError: the table holds no snapshots, one of its rows is wrong, or a venue or symbol must
            be chosen and was not.
    """
    if table.header is None:
        raise source_error(table.name, f"a header with {_EXPECTED}", "numbers in the first row")
    names = [norm(column) for column in table.header]
    top = set(TOP) <= set(names)
    measured = [name for name in names if SLIP.fullmatch(name) or DEPTH.fullmatch(name)]
    if not top and not any(DEPTH.fullmatch(name) for name in measured):
        listed = ", ".join(shown(name) for name in table.header[:12])
        raise source_error(table.name, _EXPECTED, f"columns {listed}")
    snapshots = Snapshots(table, names, TOP if top else measured, blanks=not top)
    snapshots.choose("venue", venue)
    snapshots.choose("symbol", symbol)
    return snapshots


def book_of(snapshots: Snapshots, at: int | None) -> OrderBook:
    """The median of snapshots as a book.

    Args:
        snapshots: those of one venue and symbol.
        at: epoch seconds of the snapshot that was chosen; None for the median of all.

    Raises:
        DataError: a side is empty, or a bid lies above an ask.
    """
    top = set(TOP) <= set(snapshots.figures)
    levels = top_levels(snapshots) if top else slippage_levels(snapshots)
    return _checked(
        OrderBook(
            *merged(levels),
            source=snapshots.name,
            layout="top20" if top else "slippage",
            venue=snapshots.labels.get("venue", [""])[0],
            symbol=snapshots.labels.get("symbol", [""])[0],
            time=at,
            snapshots=len(np.unique(snapshots.time)),
        )
    )


def _plain_book(table: SourceTable, names: list[str]) -> OrderBook:
    """Read the table of a book and check each of its rows."""
    columns = _columns(table, names, _TABLE)
    bps, bids, asks = (columns[name] for name in _TABLE)
    if not len(bps):
        raise source_error(table.name, "rows", "a header and no rows")
    if len(bps) > MAX_LEVELS:
        raise source_error(table.name, f"at most {MAX_LEVELS:,} levels", f"{len(bps):,}")
    faults = [
        first_fault(
            ~((bps >= 0) & (bps < np.inf)), "bps_from_mid", bps, "a distance of at least 0"
        ),
        first_fault(
            np.diff(bps, prepend=-1.0) <= 0, "bps_from_mid", bps, "more than the row before"
        ),
    ]
    for name, side in (("bid_notional", bids), ("ask_notional", asks)):
        wrong = ~((side >= 0) & (side <= LARGEST))
        faults.append(first_fault(wrong, name, side, f"an amount from 0 to {LARGEST:g}"))
    first = earliest(faults, 0)
    if first is not None:
        raise table.error(first)
    return _checked(OrderBook(bps, bids, asks, table.name))


def _checked(book: OrderBook) -> OrderBook:
    """Return the book with its arrays made read-only; raise if one of its sides is empty."""
    for word, side in (("bid", book.bids), ("ask", book.asks)):
        if not (side > 0).any():
            raise source_error(book.source, f"something on the {word} side", "nothing")
    for column in (book.bps, book.bids, book.asks):
        column.setflags(write=False)
    return book


def _columns(table: SourceTable, names: list[str], wanted: tuple[str, ...]) -> dict[str, Floats]:
    """Read some columns whose cells must all be numbers."""
    kept: dict[str, list[Floats]] = {name: [] for name in wanted}
    rows = 0
    for arrays in table.blocks([names.index(name) for name in wanted]):
        for name, array in zip(wanted, arrays, strict=True):
            values, fault = numbers(array, name)
            if fault is not None:
                raise table.error(fault._replace(row=fault.row + rows))
            kept[name].append(values)
        rows += len(arrays[0])
        if rows > MAX_SNAPSHOT_ROWS:
            raise source_error(table.name, f"at most {MAX_SNAPSHOT_ROWS:,} rows", "more")
    return {name: np.concatenate([np.empty(0), *blocks]) for name, blocks in kept.items()}
