"""Order books: what rests at each distance from mid, read from a table of it or from snapshots.

A book's table is ``bps_from_mid,bid_notional,ask_notional``: each row is what rests at that
distance, not what rests up to it, in quote (units times mid). Recorded snapshots become one:

- ``top20`` (``time,venue,symbol,level,bid_px,bid_qty,ask_px,ask_qty``): a row for each price;
- ``slippage`` (``buy_slip_bps_N`` and ``sell_slip_bps_N``, the average cost of market orders of
  N quote; ``bid_depth_usd_Bbps`` and ``ask_depth_usd_Bbps``, all that rests up to B bps): a row
  for each step from one N to the next, at the cost of that step, so that walking the book costs
  what was published. What rests beyond the largest N, and all where there are no costs, lies in
  the middle between two published distances.

Of several snapshots the book is the median, level by level.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from steelyard.market.cells import numbers, texts
from steelyard.market.clock import Clock
from steelyard.market.faults import Fault, shown, source_error
from steelyard.market.layout import TIME_NAMES, norm
from steelyard.market.sources import open_table
from steelyard.market.table import Table
from steelyard.market.times import format_time, parse_time
from steelyard.rules.costs import Levels as WalkedLevels
from steelyard.rules.costs import side_depth, walk_cost
from steelyard.rules.triggers import exceeds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["MAX_LEVELS", "Book", "read_book"]

MAX_LEVELS = 10_000
MAX_SNAPSHOT_ROWS = 10_000_000
_TABLE = ("bps_from_mid", "bid_notional", "ask_notional")
_TOP = ("level", "bid_px", "bid_qty", "ask_px", "ask_qty")
_SLIP = re.compile(r"(buy|sell)_slip_bps_(\d{1,15})")
_DEPTH = re.compile(r"(bid|ask)_depth_usd_(\d{1,4})bps")
_SIDES = (("bid", "sell"), ("ask", "buy"))
_EXPECTED = (
    "columns bps_from_mid,bid_notional,ask_notional, or snapshots: level,bid_px,bid_qty,ask_px,"
    "ask_qty, or bid_depth_usd_5bps and the like"
)
_LARGEST = 1e30


@dataclass(frozen=True, eq=False)
class Book:
    """What rests in an order book, by its distance from the mid price.

    Attributes:
        bps: float64, distance from mid in basis points, ascending.
        bids: float64, quote that rests there to buy, at mid; market sells take it.
        asks: float64, the same to sell; market buys take it.
        source: the file as it was named, or ``frame``.
        layout: ``book``, ``top20`` or ``slippage``.
        venue, symbol: of the snapshots, empty where there is none.
        time: epoch s of the one snapshot that was chosen, else None.
        snapshots: how many it is the median of; 0 for a table.
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
        """Distances, bids and asks, as ``Series.terms`` takes them."""
        return self.bps.tolist(), self.bids.tolist(), self.asks.tolist()

    @property
    def depth(self) -> tuple[float, float]:
        """All the bids and all the asks, quote."""
        return float(self.bids.sum()), float(self.asks.sum())

    def cost(self, notional: float) -> float | None:
        """What a market order of that size (quote, positive buys) costs against mid, quote.

        None where the book does not hold that much.
        """
        # all but the last digits of the depth is the depth
        if exceeds(abs(notional), side_depth(self._levels, notional > 0)):
            return None
        return walk_cost(self._levels, notional)

    @cached_property
    def _levels(self) -> WalkedLevels[float]:
        """As the rules walk them."""
        return WalkedLevels.of(*self.columns)


def read_book(
    source: object,
    *,
    time: str | float | date | None = None,
    venue: str | None = None,
    symbol: str | None = None,
) -> Book:
    """Read an order book from any source that `read_prices` takes.

    Args:
        source: the table of a book, or recorded snapshots.
        time: of snapshots, take the last one at or before; None for the median of all.
        venue: of snapshots, only this venue's.
        symbol: of snapshots, only this symbol's.

    Raises:
        DataError: it is unreadable or of no known layout, a row of it is wrong (the message names
            it), a side is empty, several venues or symbols are there and none is chosen, or the
            chosen one is not there.
    """
    if isinstance(source, Book):
        return source
    with open_table(source) as table:
        return _read(table, time, venue, symbol)


def _read(
    table: Table, time: str | float | date | None, venue: str | None, symbol: str | None
) -> Book:
    if table.header is None:
        raise source_error(table.name, f"a header with {_EXPECTED}", "numbers in the first row")
    names = [norm(column) for column in table.header]
    if set(_TABLE) <= set(names):
        chosen = {"time": time, "venue": venue, "symbol": symbol}
        for word, value in chosen.items():
            if value is not None:
                raise source_error(table.name, f"snapshots, to choose a {word}", "a single book")
        return _plain_book(table, names)
    top = set(_TOP) <= set(names)
    measured = [name for name in names if _SLIP.fullmatch(name) or _DEPTH.fullmatch(name)]
    if not top and not any(_DEPTH.fullmatch(name) for name in measured):
        listed = ", ".join(shown(name) for name in table.header[:12])
        raise source_error(table.name, _EXPECTED, f"columns {listed}")
    snapshots = _Snapshots(table, names, _TOP if top else measured, blanks=not top)
    snapshots.choose("venue", venue)
    snapshots.choose("symbol", symbol)
    at = snapshots.choose_time(None if time is None else parse_time(time))
    levels = _top_levels(snapshots) if top else _slippage_levels(snapshots)
    return _checked(
        Book(
            *_merged(levels),
            source=table.name,
            layout="top20" if top else "slippage",
            venue=snapshots.labels.get("venue", [""])[0],
            symbol=snapshots.labels.get("symbol", [""])[0],
            time=at,
            snapshots=len(np.unique(snapshots.time)),
        )
    )


def _plain_book(table: Table, names: list[str]) -> Book:
    """The table as it is, each row checked."""
    columns = _columns(table, names, _TABLE)
    bps, bids, asks = (columns[name] for name in _TABLE)
    if not len(bps):
        raise source_error(table.name, "rows", "a header and no rows")
    if len(bps) > MAX_LEVELS:
        raise source_error(table.name, f"at most {MAX_LEVELS:,} levels", f"{len(bps):,}")
    faults = [
        _fault(~((bps >= 0) & (bps < np.inf)), "bps_from_mid", bps, "a distance of at least 0"),
        _fault(np.diff(bps, prepend=-1.0) <= 0, "bps_from_mid", bps, "more than the row before"),
    ]
    for name, side in (("bid_notional", bids), ("ask_notional", asks)):
        wrong = ~((side >= 0) & (side <= _LARGEST))
        faults.append(_fault(wrong, name, side, f"an amount from 0 to {_LARGEST:g}"))
    found = [fault for fault in faults if fault is not None]
    if found:
        raise table.error(min(found, key=lambda fault: fault.row))
    return _checked(Book(bps, bids, asks, table.name))


def _checked(book: Book) -> Book:
    """The book, once both of its sides hold something."""
    for word, side in (("bid", book.bids), ("ask", book.asks)):
        if not (side > 0).any():
            raise source_error(book.source, f"something on the {word} side", "nothing")
    for column in (book.bps, book.bids, book.asks):
        column.setflags(write=False)
    return book


def _fault(bad: NDArray[np.bool_], column: str, values: Floats, expected: str) -> Fault | None:
    if not bad.any():
        return None
    row = int(bad.argmax())
    return Fault(row, column, repr(float(values[row])), expected)


def _columns(table: Table, names: list[str], wanted: tuple[str, ...]) -> dict[str, Floats]:
    """Some columns of numbers, every cell of which must be one."""
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


class _Snapshots:
    """Rows of snapshots, narrowed down to those of one venue, symbol and time.

    Attributes:
        time: int64, epoch s, one per row.
        labels: ``venue`` and ``symbol`` where there are such columns, one per row.
        figures: column -> float64; NaN where blanks are allowed and one is there.
    """

    def __init__(
        self, table: Table, names: list[str], wanted: tuple[str, ...] | list[str], *, blanks: bool
    ) -> None:
        self.name = table.name
        times = [name for name in names if name in TIME_NAMES]
        if len(times) != 1:
            raise source_error(table.name, "one column for time", f"{len(times)} in {names[:12]}")
        self.labels: dict[str, list[str]] = {
            name: [] for name in ("venue", "symbol") if name in names
        }
        order = [times[0], *self.labels, *wanted]
        clock, stamps = Clock(times[0]), [np.empty(0, np.int64)]
        kept: dict[str, list[Floats]] = {name: [np.empty(0)] for name in wanted}
        rows = 0
        for arrays in table.blocks([names.index(name) for name in order]):
            by_name = dict(zip(order, arrays, strict=True))
            stamp, fault = clock.read(by_name[times[0]])
            faults = [fault]
            for name, cells in self.labels.items():
                words, fault = texts(by_name[name], name)
                cells.extend(words)
                faults.append(fault)
            for name in wanted:
                values, fault = numbers(by_name[name], name)
                blank = blanks and fault is not None and fault.found == "an empty cell"
                faults.append(None if blank else fault)
                kept[name].append(values)
            found = [fault for fault in faults if fault is not None]
            if found:
                first = min(found, key=lambda fault: fault.row)
                raise table.error(first._replace(row=first.row + rows))
            stamps.append(stamp)
            rows += len(stamp)
            if rows > MAX_SNAPSHOT_ROWS:
                raise source_error(table.name, f"at most {MAX_SNAPSHOT_ROWS:,} rows", "more")
        if not rows:
            raise source_error(table.name, "rows", "a header and no rows")
        self.time = np.concatenate(stamps)
        self.figures = {name: np.concatenate(blocks) for name, blocks in kept.items()}
        self._check(table)

    def _check(self, table: Table) -> None:
        """Every price, amount and distance is a number that can be one."""
        for name, values in self.figures.items():
            above = 0.0 if name.endswith("_px") else -1e-300
            bad = ~(np.isnan(values) | ((values > above) & (values <= _LARGEST)))
            fault = _fault(bad, name, values, "a finite number, not negative")
            if fault is not None:
                raise table.error(fault)

    def choose(self, label: str, wanted: str | None) -> None:
        """Keep the rows of one venue or symbol; where there is one only, it need not be said."""
        there = sorted(set(self.labels.get(label, ())))
        if wanted is None and len(there) <= 1:
            return
        listed = ", ".join(there[:12]) or f"no column {label}"
        if wanted is None:
            raise source_error(self.name, f"one {label}: choose it", listed, allowed=there)
        if wanted not in there:
            raise source_error(self.name, f"the {label} {shown(wanted)}", listed, allowed=there)
        self._keep(np.array(self.labels[label]) == wanted)

    def choose_time(self, wanted: int | None) -> int | None:
        """Keep the last snapshot at or before an instant; say when it was taken."""
        if wanted is None:
            return None
        past = self.time[self.time <= wanted]
        if not len(past):
            found = f"the first at {format_time(int(self.time.min()))}"
            raise source_error(self.name, f"a snapshot by {format_time(wanted)}", found)
        self._keep(self.time == past.max())
        return int(past.max())

    def _keep(self, rows: NDArray[np.bool_]) -> None:
        self.time = self.time[rows]
        self.figures = {name: values[rows] for name, values in self.figures.items()}
        for label, words in self.labels.items():
            self.labels[label] = np.array(words)[rows].tolist()


Levels = tuple["Floats", "Floats"]
"""Distances in bps and what rests there, of one side."""


def _top_levels(snapshots: _Snapshots) -> dict[str, Levels]:
    """Both sides of the median snapshot, one row a price."""
    figures = snapshots.figures
    taken, place = np.unique(snapshots.time, return_inverse=True)
    levels, rank = np.unique(figures["level"], return_inverse=True)
    best = figures["level"] == levels[0]
    mid = np.full(len(taken), np.nan)
    mid[place[best]] = (figures["bid_px"][best] + figures["ask_px"][best]) / 2
    sides = {}
    for side, sign in (("bid", -1.0), ("ask", 1.0)):
        grid = np.full((2, len(taken), len(levels)), np.nan)
        center = mid[place]
        grid[0, place, rank] = sign * (figures[f"{side}_px"] - center) / center * 10_000
        grid[1, place, rank] = figures[f"{side}_qty"] * center
        bps, size = _medians(grid[0]), _medians(grid[1])
        there = np.isfinite(bps) & np.isfinite(size)
        if (bps[there] < 0).any():
            found = f"a {side} on the other side of mid"
            raise source_error(snapshots.name, "bids below asks", found)
        sides[side] = np.maximum.accumulate(bps[there]), size[there]
    return sides


def _slippage_levels(snapshots: _Snapshots) -> dict[str, Levels]:
    """Both sides of the median snapshot, one row a step from one published size to the next."""
    # an order that the book could not fill is dearer than any other: blanks are infinite
    figures = {
        name: float(_medians(np.where(np.isnan(values), np.inf, values)[:, None])[0])
        for name, values in snapshots.figures.items()
    }
    return {
        side: _steps(_published(figures, _DEPTH, side), _published(figures, _SLIP, order))
        for side, order in _SIDES
    }


def _published(
    figures: Mapping[str, float], pattern: re.Pattern[str], word: str
) -> list[tuple[int, float]]:
    """The figures of one side by their size or distance, ascending, as far as there are any."""
    found = [(pattern.fullmatch(name), value) for name, value in figures.items()]
    return sorted(
        (int(match[2]), value)
        for match, value in found
        if match is not None and match[1] == word and np.isfinite(value)
    )


def _steps(depths: list[tuple[int, float]], costs: list[tuple[int, float]]) -> Levels:
    bps: list[float] = []
    sizes: list[float] = []
    taken = paid = nearest = 0.0
    for size, average in costs:
        # published figures are rounded: a step is never cheaper than the one before
        nearest = max((size * average - paid) / (size - taken), nearest)
        bps.append(nearest)
        sizes.append(size - taken)
        taken, paid = float(size), size * average
    last = 0
    for edge, depth in depths:
        if depth > taken:
            nearest = max((last + edge) / 2, nearest)
            bps.append(nearest)
            sizes.append(depth - taken)
            taken = depth
        last = edge
    return np.array(bps), np.array(sizes)


def _merged(sides: Mapping[str, Levels]) -> tuple[Floats, Floats, Floats]:
    """One row a distance, with what rests there on either side."""
    bps = np.unique(np.concatenate([sides["bid"][0], sides["ask"][0]]))
    amounts = []
    for side in ("bid", "ask"):
        amount = np.zeros(len(bps))
        np.add.at(amount, np.searchsorted(bps, sides[side][0]), sides[side][1])
        amounts.append(amount)
    return bps, amounts[0], amounts[1]


def _medians(rows: Floats) -> Floats:
    """The median of each column over the rows that have it; where most have none, none."""
    ordered = np.sort(np.where(np.isnan(rows), np.inf, rows), axis=0)
    below, above = ordered[(len(rows) - 1) // 2], ordered[len(rows) // 2]
    # not (below + above) / 2 of two infinities, which is one, but of a number and one
    return np.where(np.isfinite(above), (below + above) / 2, np.inf)
