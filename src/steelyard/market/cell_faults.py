"""What is wrong with one cell, and the one sentence that says so.

Readers collect faults and raise only the earliest, so that a person who mends a file from the
top never meets an error above the one just mended.
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
_SHOWN = 40  # characters of a cell that a message repeats: junk may be megabytes long


class CellFault(NamedTuple):
    """One bad cell.

    Attributes:
        row: counted from 0, the first row of data.
        column: its name, as the file writes it.
        found: what stands there, ready to be shown.
        expected: what should stand there.
    """

    row: int
    column: str
    found: str
    expected: str


def earliest(faults: list[CellFault | None], first_row: int) -> CellFault | None:
    """Return the fault with the lowest row, counted from the file's first row."""
    real = [fault for fault in faults if fault is not None]
    if not real:
        return None
    fault = min(real, key=lambda fault: fault.row)
    return fault._replace(row=fault.row + first_row)


def first_fault(
    bad: NDArray[np.bool_], column: str, values: NDArray[np.float64], expected: str
) -> CellFault | None:
    """The fault of the first bad row of a column (bool and float64, one a row each)."""
    if not bad.any():
        return None
    row = int(bad.argmax())
    return CellFault(row, column, repr(float(values[row])), expected)


def shown(value: object) -> str:
    """Write a cell for a message: quoted where it is text, cut where it is long."""
    text = value if isinstance(value, str) else repr(value)
    if not text.strip():
        return "an empty cell"
    cut = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return repr(cut) if isinstance(value, str) else cut


def first_line(error: BaseException) -> str:
    """Return what a library said, short enough for a sentence."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]


@contextmanager
def corrupt(name: str, kind: str) -> Iterator[None]:
    """Say of a file that Arrow cannot read what Arrow says of it.

    Raises:
        DataError: it cannot.
    """
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, EOFError, ValueError, MemoryError) as error:
        found = f"a corrupt one: {first_line(error)}"
        raise source_error(name, f"a readable {kind} file", found) from error


def refuse_pipe(name: str, raw: BinaryIO, kind: str) -> None:
    """Refuse a pipe for what is read from its end.

    Raises:
        DataError: it is one.
    """
    if not raw.seekable():
        raise source_error(name, f"a file for {kind}, which is read from its end", "a pipe")


def named(path: Path) -> str:
    """Write a path for a message: on one line, whatever bytes a file system lets into a name."""
    text = str(path)
    if len(text) > _SHOWN_PATH:
        text = f"...{text[-_SHOWN_PATH:]}"
    return text if text.isprintable() else ascii(text)


def source_error(name: str, expected: str, found: str, **details: object) -> DataError:
    """Make the error for a whole source: no row of it is to blame."""
    return DataError(
        f"{name}: expected {expected}; found {found}",
        file=name,
        expected=expected,
        found=found,
        **details,
    )
