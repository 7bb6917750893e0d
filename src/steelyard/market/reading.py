"""Reading a table: its blocks become numbers, and each is checked before the next is read.

Because each block is checked at once, memory stays bounded: a gigabyte of invalid data is refused
at its first bad row, with one block in memory, and only rows that passed are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import numpy as np

from steelyard.market.cell_faults import CellFault, earliest, source_error
from steelyard.market.cells import numbers, texts, words_in
from steelyard.market.time_column import TimeColumn
from steelyard.market.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from steelyard.market.layout import Layout
    from steelyard.market.table import SourceTable

    Rules = Callable[["Block", Mapping[str, str]], list[CellFault | None]]

__all__ = ["MAX_ROWS", "Block", "Reading", "read_table"]

# The limit on the rows of any table: three years of seconds, or two centuries of minutes.
MAX_ROWS = 100_000_000
_FIRST_ROWS = 1 << 20  # two years of minutes
_T = TypeVar("_T", bound=np.generic)
_TEXT_PARTS = frozenset({"kind"})
_TIME_PARTS = frozenset({"until"})
"""Further times in a row; they are kept as floats, which hold whole seconds exactly."""


class Block(NamedTuple):
    """The parsed rows of one block.

    Attributes:
        time: int64, epoch seconds; shorter than the other columns if a time could not be read.
        numbers: part -> float64; NaN in cells that could not be read.
        texts: part -> list of text; empty if a cell could not be read.
    """

    time: NDArray[np.int64]
    numbers: dict[str, NDArray[np.float64]]
    texts: dict[str, list[str]]


class Reading:
    """The rows that were read from a table.

    Attributes:
        time: int64, epoch seconds, ascending, shape (rows,).
        numbers: part -> float64, shape (rows,).
        texts: part -> list of text, one per row.
        symbol: the symbol that the symbol column has in every row; empty if there is no such column
            or it has several symbols.
    """

    def __init__(self, layout: Layout) -> None:
        self.time: NDArray[np.int64] = np.empty(0, np.int64)
        self.numbers: dict[str, NDArray[np.float64]] = {
            part: np.empty(0) for part in layout.parts if part != "time" and part not in _TEXT_PARTS
        }
        self.texts: dict[str, list[str]] = {
            part: [] for part in layout.parts if part in _TEXT_PARTS
        }
        self.symbol = ""

    def turn(self) -> None:
        """Reverse the order of the rows."""
        self.time = _turned(self.time)
        self.numbers = {part: _turned(values) for part, values in self.numbers.items()}
        self.texts = {part: words[::-1] for part, words in self.texts.items()}


def read_table(
    table: SourceTable,
    layout: Layout,
    rules: Rules,
    *,
    strictly: bool = True,
    may_turn: bool = False,
) -> Reading:
    """Read the parts of a table and check every row against the rules.

    Args:
        table: an open table that has not been read yet.
        layout: which column holds which part; ``time`` is among them.
        rules: called with each block in turn and the columns' names; returns the faults.
        strictly: True if each time must be after the one before, False if it may be equal.
        may_turn: whether rows may be ordered newest first; the result ascends in any case. Use it
            only with rules that judge each row by itself.

    Raises:
        DataError: a row is unreadable, out of order or against the rules (the first one is named),
            there are too many rows, or the source ends early.
    """
    reading = Reading(layout)
    clock = TimeColumn(layout.columns["time"])
    more_clocks = {
        part: TimeColumn(layout.columns[part]) for part in reading.numbers if part in _TIME_PARTS
    }
    times = _Column(np.int64)
    kept = {part: _Column(np.float64) for part in reading.numbers}
    order = _Order(clock.column, strictly=strictly, may_turn=may_turn)
    rows = 0
    parts = list(layout.parts)
    named = [] if layout.symbol is None else [layout.symbol]
    symbols: set[str] = set()
    for arrays in table.blocks([*(layout.parts[part] for part in parts), *named]):
        by_part = dict(zip(parts, arrays[: len(parts)], strict=True))
        if named and len(symbols) <= 1:
            symbols |= words_in(arrays[-1])
        time, fault = clock.read(by_part["time"])
        faults = [fault, order.fault(time)]
        block = Block(time, {}, {})
        for part in reading.numbers:
            if part in more_clocks:
                block.numbers[part], fault = _instants(by_part[part], more_clocks[part])
            else:
                block.numbers[part], fault = numbers(
                    by_part[part], layout.columns[part], table.decimal
                )
            faults.append(fault)
        for part in reading.texts:
            block.texts[part], fault = texts(by_part[part], layout.columns[part])
            faults.append(fault)
        first = earliest([*faults, *rules(block, layout.columns)], rows)
        if first is not None:
            raise table.error(first)
        times.append(time)
        for part, values in block.numbers.items():
            kept[part].append(values)
        for part, words in block.texts.items():
            reading.texts[part].extend(words)
        rows += len(time)
        if rows > MAX_ROWS:
            raise source_error(table.name, f"at most {MAX_ROWS:,} rows", "more: split the file")
    reading.time = times.finish()
    reading.numbers = {part: column.finish() for part, column in kept.items()}
    reading.symbol = symbols.pop() if len(symbols) == 1 else ""
    if order.falls:
        reading.turn()
    return reading


def _turned(values: NDArray[_T]) -> NDArray[_T]:
    """Return a read-only copy in reverse order."""
    turned = np.ascontiguousarray(values[::-1])
    turned.setflags(write=False)
    return turned


def _instants(cells: pa.Array, clock: TimeColumn) -> tuple[NDArray[np.float64], CellFault | None]:
    """Read a further time column as float64; NaN from the first fault on."""
    read, fault = clock.read(cells)
    values = np.full(len(cells), np.nan)
    values[: len(read)] = read
    return values, fault


class _Order:
    """The rule that times keep one order: oldest first, or newest first where that is allowed.

    A table counts as newest first if most pairs of rows in its first block are; then every pair
    must be. A table of two rows is never taken for one, because their order may just be a mistake.
    """

    def __init__(self, column: str, *, strictly: bool, may_turn: bool) -> None:
        self.column = column
        self.falls = False
        self._strictly = strictly
        self._may_turn = may_turn
        self._last: int | None = None

    def fault(self, time: NDArray[np.int64]) -> CellFault | None:
        """Return the first time of a block that is out of order."""
        if len(time) == 0:
            return None
        first, last = self._last is None, self._last
        before = np.concatenate(([time[0] if last is None else last], time[:-1]))
        if self._may_turn:
            pairs, falling = len(time) - first, int((time < before).sum())
            self.falls = pairs >= _FEWEST_PAIRS and 2 * falling > pairs
            self._may_turn = False
        comes_after = _COMES[self.falls, self._strictly]
        right = comes_after(time, before)
        right[0] |= first
        self._last = int(time[-1])
        if right.all():
            return None
        row = int(right.argmin())
        if time[row] == before[row]:
            found = "the same second again: a duplicate row"
        else:
            found = f"{format_time(int(time[row]))}: out of order"
        side, whole = (
            ("before", ", since the rows above are newest first") if self.falls else ("after", "")
        )
        there = format_time(int(before[row]))
        expected = f"a time {side} that of the row before, {there}{whole}"
        return CellFault(row, self.column, found, expected)


_FEWEST_PAIRS = 2
_COMES = {
    (False, True): np.greater,
    (False, False): np.greater_equal,
    (True, True): np.less,
    (True, False): np.less_equal,
}
"""(times fall, order is strict) -> the comparison of a time with the one before it."""


class _Column(Generic[_T]):
    """A column that grows block by block; it copies, because a frame in memory may change later.

    Copying at once also lets Arrow reuse the block's memory for the next block. Memory that is
    reserved here but never written to costs nothing.
    """

    def __init__(self, dtype: type[_T]) -> None:
        self._rows = 0
        self._values: NDArray[_T] = np.empty(_FIRST_ROWS, dtype)

    def append(self, block: NDArray[_T]) -> None:
        rows = self._rows + len(block)
        if rows > len(self._values):
            grown = np.empty(max(rows, 2 * len(self._values)), self._values.dtype)
            grown[: self._rows] = self._values[: self._rows]
            self._values = grown
        self._values[self._rows : rows] = block
        self._rows = rows

    def finish(self) -> NDArray[_T]:
        """Return the column as a read-only array."""
        values = self._values[: self._rows]
        if self._rows < _FIRST_ROWS // 2:
            values = values.copy()  # frees megabytes that were reserved for a few rows
        values.setflags(write=False)
        return values
