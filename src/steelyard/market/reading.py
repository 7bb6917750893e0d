"""One reading of a table: blocks to numbers, each block checked before the next is asked for.

Checking as it goes is what bounds memory: a gigabyte of junk is refused at its first bad row, with
one block held, and only rows that passed are kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from steelyard.market.cells import numbers, texts
from steelyard.market.clock import Clock
from steelyard.market.faults import Fault, earliest, source_error
from steelyard.market.times import format_time

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from steelyard.market.layout import Layout
    from steelyard.market.sources import Table

    Columns = dict[str, NDArray[np.float64]]
    Rules = Callable[[Columns, Mapping[str, str]], list[Fault | None]]

__all__ = ["MAX_ROWS", "Reading", "read_table"]

# A limit on everything: three years of seconds, or two centuries of minutes.
MAX_ROWS = 100_000_000
_T = TypeVar("_T", bound=np.generic)
_TEXT_PARTS = frozenset({"kind"})


class Reading:
    """What was read.

    Attributes:
        time: int64, epoch seconds, ascending.
        numbers: part -> float64, one per row.
        texts: part -> text, one per row.
    """

    def __init__(self, layout: Layout) -> None:
        self.time: NDArray[np.int64] = np.empty(0, np.int64)
        self.numbers: Columns = {
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
        rules: takes a block's numbers and the columns' names; returns what breaks them.
        strictly: whether each time must come after the one before, or may equal it.

    Raises:
        DataError: the first row that is unreadable, out of order or against the rules; too many
            rows; a source that breaks off.
    """
    reading = Reading(layout)
    clock = Clock(layout.columns["time"])
    times: list[NDArray[np.int64]] = []
    blocks: dict[str, list[NDArray[np.float64]]] = {part: [] for part in reading.numbers}
    rows, last = 0, -1
    parts = list(layout.parts)
    for arrays in table.blocks([layout.parts[part] for part in parts]):
        by_part = dict(zip(parts, arrays, strict=True))
        time, fault = clock.read(by_part["time"])
        faults = [fault, _order(time, last, clock.column, strictly=strictly)]
        columns: Columns = {}
        for part in reading.numbers:
            columns[part], fault = numbers(by_part[part], layout.columns[part])
            faults.append(fault)
        for part, kept in reading.texts.items():
            cells, fault = texts(by_part[part], layout.columns[part])
            kept.extend(cells)
            faults.append(fault)
        first = earliest([*faults, *rules(columns, layout.columns)], rows)
        if first is not None:
            raise table.error(first)
        times.append(time)
        for part, values in columns.items():
            blocks[part].append(values)
        rows += len(time)
        last = int(time[-1]) if len(time) else last
        if rows > MAX_ROWS:
            raise source_error(table.name, f"at most {MAX_ROWS:,} rows", "more: split the file")
    if rows:
        # Concatenation copies: a frame may change under us, what is kept must not.
        reading.time = _frozen(np.concatenate(times))
        reading.numbers = {part: _frozen(np.concatenate(b)) for part, b in blocks.items()}
    return reading


def _order(time: NDArray[np.int64], last: int, column: str, *, strictly: bool) -> Fault | None:
    """Find the first time that does not come after the one before it."""
    if len(time) == 0:
        return None
    spacing = np.diff(time, prepend=last)  # times are never negative: the first of all passes
    wrong = spacing <= 0 if strictly else spacing < 0
    if not wrong.any():
        return None
    row = int(wrong.argmax())
    before = format_time(int(time[row]) - int(spacing[row]))
    if spacing[row] == 0:
        found = "the same second again: a duplicate row"
    else:
        found = f"{format_time(int(time[row]))}: out of order"
    return Fault(row, column, found, f"a time after that of the row before, {before}")


def _frozen(values: NDArray[_T]) -> NDArray[_T]:
    """Return the array, read-only."""
    values.setflags(write=False)
    return values
