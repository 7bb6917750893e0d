"""One reading of a table: blocks to numbers, each block checked before the next is asked for.

Checking as it goes is what bounds memory: a gigabyte of junk is refused at its first bad row, with
one block held, and only rows that passed are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import numpy as np

from steelyard.market.cells import numbers, texts
from steelyard.market.clock import Clock
from steelyard.market.faults import Fault, earliest, source_error
from steelyard.market.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from steelyard.market.layout import Layout
    from steelyard.market.table import Table

    Rules = Callable[["Block", Mapping[str, str]], list[Fault | None]]

__all__ = ["MAX_ROWS", "Block", "Reading", "read_table"]

# A limit on everything: three years of seconds, or two centuries of minutes.
MAX_ROWS = 100_000_000
_FIRST_ROWS = 1 << 20  # two years of minutes
_T = TypeVar("_T", bound=np.generic)
_TEXT_PARTS = frozenset({"kind"})
_TIME_PARTS = frozenset({"until"})
"""Times beside the one that orders the rows; kept as floats, which hold whole seconds exactly."""


class Block(NamedTuple):
    """The rows of one block, parsed.

    Attributes:
        time: int64, epoch seconds; shorter than the rest where a cell of it could not be read.
        numbers: part -> float64; cells that could not be read are NaN.
        texts: part -> text; empty where a cell could not be read.
    """

    time: NDArray[np.int64]
    numbers: dict[str, NDArray[np.float64]]
    texts: dict[str, list[str]]


class Reading:
    """What was read.

    Attributes:
        time: int64, epoch seconds, ascending.
        numbers: part -> float64, one per row.
        texts: part -> text, one per row.
    """

    def __init__(self, layout: Layout) -> None:
        self.time: NDArray[np.int64] = np.empty(0, np.int64)
        self.numbers: dict[str, NDArray[np.float64]] = {
            part: np.empty(0) for part in layout.parts if part != "time" and part not in _TEXT_PARTS
        }
        self.texts: dict[str, list[str]] = {
            part: [] for part in layout.parts if part in _TEXT_PARTS
        }


def read_table(table: Table, layout: Layout, rules: Rules, *, strictly: bool = True) -> Reading:
    """Read the parts of a table, holding every row to the rules.

    Args:
        table: opened, not read yet.
        layout: which column plays which part; ``time`` is among them.
        rules: takes each block in turn and the columns' names; returns what breaks them.
        strictly: whether each time must come after the one before, or may equal it.

    Raises:
        DataError: the first row that is unreadable, out of order or against the rules; too many
            rows; a source that breaks off.
    """
    reading = Reading(layout)
    clock = Clock(layout.columns["time"])
    more_clocks = {
        part: Clock(layout.columns[part]) for part in reading.numbers if part in _TIME_PARTS
    }
    times = _Column(np.int64)
    kept = {part: _Column(np.float64) for part in reading.numbers}
    rows, last = 0, -1
    parts = list(layout.parts)
    for arrays in table.blocks([layout.parts[part] for part in parts]):
        by_part = dict(zip(parts, arrays, strict=True))
        time, fault = clock.read(by_part["time"])
        faults = [fault, _order(time, last, clock.column, strictly=strictly)]
        block = Block(time, {}, {})
        for part in reading.numbers:
            if part in more_clocks:
                block.numbers[part], fault = _instants(by_part[part], more_clocks[part])
            else:
                block.numbers[part], fault = numbers(by_part[part], layout.columns[part])
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
        last = int(time[-1]) if len(time) else last
        if rows > MAX_ROWS:
            raise source_error(table.name, f"at most {MAX_ROWS:,} rows", "more: split the file")
    reading.time = times.finish()
    reading.numbers = {part: column.finish() for part, column in kept.items()}
    return reading


def _instants(cells: pa.Array, clock: Clock) -> tuple[NDArray[np.float64], Fault | None]:
    """Read a further time column; from a fault on it is NaN."""
    read, fault = clock.read(cells)
    values = np.full(len(cells), np.nan)
    values[: len(read)] = read
    return values, fault


def _order(time: NDArray[np.int64], last: int, column: str, *, strictly: bool) -> Fault | None:
    """Find the first time that does not come after the one before it."""
    if len(time) == 0:
        return None
    comes_after = np.greater if strictly else np.greater_equal
    right = np.empty(len(time), np.bool_)
    right[0] = comes_after(time[0], last)
    comes_after(time[1:], time[:-1], out=right[1:])
    if right.all():
        return None
    row = int(right.argmin())
    before = int(time[row - 1]) if row else last
    if time[row] == before:
        found = "the same second again: a duplicate row"
    else:
        found = f"{format_time(int(time[row]))}: out of order"
    return Fault(row, column, found, f"a time after that of the row before, {format_time(before)}")


class _Column(Generic[_T]):
    """A column that grows block by block, by copying: a frame may change under us, this may not.

    Copying at once lets Arrow use the block's memory again for the next, and memory that is
    reserved here and never written to costs nothing.
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
        """Return the column, read-only."""
        values = self._values[: self._rows]
        if self._rows < _FIRST_ROWS // 2:
            values = values.copy()  # do not hold megabytes for a few rows
        values.setflags(write=False)
        return values
