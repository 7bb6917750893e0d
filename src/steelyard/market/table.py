"""A table of any source, which is read once: names, first rows, and blocks of Arrow arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from steelyard.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pyarrow as pa

    from steelyard.market.cell_faults import CellFault

__all__ = ["SourceTable"]


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table that can be read once, block by block.

    Attributes:
        name: the path as given, or ``frame``, for messages.
        header: column names in order; None if the source has no header.
        head: the first rows as text if there is no header, else empty.
        blocks: called with the indices of the wanted columns; yields, in order, one list of arrays
            of equal length for each block. It raises DataError if the source cannot be read
            further.
        line: called with the index of a row; returns its line in the file, or None if the source
            has no lines.
        decimal: the decimal mark of numbers that are text, ``.`` or ``,``.
        symbol: the market that the source itself names in addition to its columns; empty if it
            names none.
    """

    name: str
    header: Sequence[str] | None
    head: Sequence[Sequence[str]]
    blocks: Callable[[Sequence[int]], Iterator[list[pa.Array]]]
    line: Callable[[int], int | None]
    decimal: str = "."
    symbol: str = ""

    def error(self, fault: CellFault) -> DataError:
        """Make the error that names the row of a fault.

        Rows are counted from 1 without the header and blank lines, as a person counts data. Lines
        are counted from 1 and include everything, as in an editor.
        """
        row = fault.row + 1
        line = self.line(fault.row)
        place = f"row {row}" if line is None else f"row {row} (line {line})"
        return DataError(
            f"{self.name}: {place}, {fault.column}: expected {fault.expected}; found {fault.found}",
            file=self.name,
            row=row,
            line=line,
            column=fault.column,
            expected=fault.expected,
            found=fault.found,
        )
