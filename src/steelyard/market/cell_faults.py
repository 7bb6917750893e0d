"""Faults: what is wrong with one cell, and the error message that says so.

Readers collect faults and raise only the earliest, so that a person who corrects a file from the
top never meets an error above the one just corrected.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from steelyard.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "CellFault",
    "corrupt",
    "earliest",
    "first_fault",
    "first_line",
    "named",
    "refuse_pipe",
    "shown",
    "source_error",
]

_SHOWN_PATH = 250
_SHOWN = 40  # characters of a cell that a message repeats: a bad cell may be megabytes long


class CellFault(NamedTuple):
    """A cell that is wrong.

    Attributes:
        row: index of the row, where 0 is the first row of data.
        column: the column's name as the file writes it.
        found: the cell's content, prepared for a message.
        expected: what the cell should contain.
    """

    row: int
    column: str
    found: str
    expected: str


def earliest(faults: list[CellFault | None], first_row: int) -> CellFault | None:
    """Return the fault with the lowest row, counted from the file's first row.

    Args:
        faults: those of one block; None for a column without a fault.
        first_row: row of the file at which the block begins.
    """
    real = [fault for fault in faults if fault is not None]
    if not real:
        return None
    fault = min(real, key=lambda fault: fault.row)
    return fault._replace(row=fault.row + first_row)


def first_fault(
    bad: NDArray[np.bool_], column: str, values: NDArray[np.float64], expected: str
) -> CellFault | None:
    """Return a fault for the first bad row of a column; None if no row is bad.

    Args:
        bad: bool, shape (rows,).
        column: the column's name, for the message.
        values: float64, shape (rows,).
        expected: what the cells should contain.
    """
    if not bad.any():
        return None
    row = int(bad.argmax())
    return CellFault(row, column, repr(float(values[row])), expected)


def shown(value: object) -> str:
    """Format a cell for a message: text is quoted, and long content is cut."""
    text = value if isinstance(value, str) else repr(value)
    if not text.strip():
        return "an empty cell"
    cut = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return repr(cut) if isinstance(value, str) else cut


def first_line(error: BaseException) -> str:
    """Return the first line of a library's error message, cut to 200 characters."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]


@contextmanager
def corrupt(name: str, kind: str) -> Iterator[None]:
    """Turn Arrow's errors while it reads a file into a DataError with Arrow's message.

    Raises:
        DataError: Arrow cannot read the file.
    """
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, EOFError, ValueError, MemoryError) as error:
        found = f"a corrupt one: {first_line(error)}"
        raise source_error(name, f"a readable {kind} file", found) from error


def refuse_pipe(name: str, raw: BinaryIO, kind: str) -> None:
    """Refuse a pipe for a format that is read from its end.

    Raises:
        DataError: the stream is a pipe.
    """
    if not raw.seekable():
        raise source_error(name, f"a file for {kind}, which is read from its end", "a pipe")


def named(path: Path) -> str:
    """Format a path for a message, on one line, whatever bytes the file system allows in a name."""
    text = str(path)
    if len(text) > _SHOWN_PATH:
        text = f"...{text[-_SHOWN_PATH:]}"
    return text if text.isprintable() else ascii(text)


def source_error(name: str, expected: str, found: str, **details: object) -> DataError:
    """Make the error for a whole source, where no single row is wrong."""
    return DataError(
        f"{name}: expected {expected}; found {found}",
        file=name,
        expected=expected,
        found=found,
        **details,
    )
