"""A table of any source, read once: its names, a first look, and blocks of Arrow arrays."""

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
        header: column names in order; None where the source has none.
        head: the first rows as text, where there is no header; else empty.
        blocks: takes the indices of the wanted columns; yields, in order, one list of arrays (all
            of one length) a block. Raises DataError where the source cannot be read on.
        line: takes a row, counted from 0; returns the line of the file that it stands on, or None
            where there are no lines.
        decimal: the mark before the fraction of numbers that are text, ``.`` or ``,``.
        symbol: the market that the source itself names beside its columns; empty where it names
            none.
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

        Rows are counted from 1, header and blank lines left out, as a person counts data; lines
        from 1 with everything in, as an editor does.
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
