"""CSV files, read through Arrow in blocks of a megabyte, with every wanted cell as text.

Cells are read as text and parsed afterwards (`cells`, `time_column`), because the types that Arrow
guesses depend on the first block, and because Arrow's errors do not name the cell. Reading takes a
quarter longer this way; there is no other cost.
"""

from __future__ import annotations

import csv
import io
import re
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO

from steelyard.errors import DataError
from steelyard.market.byte_streams import HEAD_BYTES, READ_ERRORS, reopened
from steelyard.market.cell_faults import named, shown, source_error
from steelyard.market.table import SourceTable
from steelyard.market.times import parse_instant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa
    from pyarrow import csv as arrow_csv

__all__ = ["csv_table"]

_BLOCK_BYTES = 1 << 20
_HEAD_ROWS = 500
_DELIMITERS = ",;\t|"
# To find a line's number the file is read again, which is done only up to as many rows as a person
# might open in an editor.
_COUNTED_LINES = 10_000_000
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)", re.ASCII)
_COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_POINT_NUMBER = re.compile(r"[+-]?\d+\.\d+(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


class _CsvText:
    """A CSV text: where its data begins and how to read it."""

    def __init__(self, path: Path, head: bytes, rest: BinaryIO) -> None:
        self.path = path
        self.name = named(path)
        self.head = head
        self.rest = rest
        lines = re.split(r"\r\n|\r|\n", head.decode("utf-8-sig", "ignore"))
        if len(head) >= HEAD_BYTES:
            lines = lines[:-1]  # the last one may be cut
        full = [line for line in lines if line]
        if not full:
            raise source_error(self.name, "lines of CSV", f"one line of over {HEAD_BYTES:,} bytes")
        self.delimiter = _delimiter(full[0])
        self.rows = self._split(full[:_HEAD_ROWS])
        self.symbol, headers = self._two_headers()
        self.width = len(self.rows[0])
        self.headed = not _is_data(self.rows[0][0])
        # The lines before the data, including blank ones in front of the header.
        self.skipped = lines.index(full[headers]) + self.headed
        self.decimal = "," if self.delimiter != "," and _has_commas(self.rows) else "."

    def _two_headers(self) -> tuple[str, int]:
        """Join the three header lines that pandas writes for a frame of yfinance into one header.

        Returns the ticker, empty if there is only one header line, and how many lines were joined
        in addition to the last one.

        Raises:
            DataError: the columns belong to several tickers.
        """
        firsts = [row[0] for row in self.rows[:3]]
        if sorted(firsts[:2]) != ["Price", "Ticker"] or len(firsts) < 3:  # noqa: PLR2004
            return "", 0
        place = firsts.index("Ticker")
        tickers = sorted({name for name in self.rows[place][1:] if name})
        if len(tickers) != 1:
            held = f"{len(tickers)}: {', '.join(map(shown, tickers[:5]))}; save each by itself"
            raise source_error(self.name, "columns of one ticker", held)
        self.rows = [[firsts[2], *self.rows[1 - place][1:]], *self.rows[3:]]
        return tickers[0], 2

    def _split(self, lines: list[str]) -> list[list[str]]:
        try:
            return list(csv.reader(lines, delimiter=self.delimiter, skipinitialspace=True))
        except csv.Error as error:
            raise source_error(self.name, "lines of CSV", f"a broken line: {error}") from error

    def blocks(self, wanted: Sequence[int]) -> Iterator[list[pa.Array]]:
        """Yield the wanted columns as text, one block at a time."""
        names = [str(index) for index in range(self.width)]
        rows, skip = 0, self.skipped
        for block in self._whole_lines():
            table = self._parsed(block, names, [names[index] for index in wanted], skip, rows)
            skip = 0
            if table is not None:
                rows += len(table)
                yield [column.combine_chunks() for column in table.columns]

    def _whole_lines(self) -> Iterator[bytes]:
        """Yield the text in blocks that end where a line ends."""
        part = self.head
        while True:
            try:
                more = self.rest.read(_BLOCK_BYTES)
            except READ_ERRORS as error:
                found = f"a file that cannot be read further: {error}"
                raise source_error(self.name, "readable CSV", found) from error
            part += more
            # A lone \\r ends a line only in files that contain no \\n at all.
            cut = part.rfind(b"\n") + 1 or part.rfind(b"\r") + 1 if more else len(part)
            if cut:
                yield part[:cut]
            elif len(part) > _BLOCK_BYTES:
                found = f"a line of over {_BLOCK_BYTES:,} bytes"
                raise source_error(self.name, "lines of CSV", found)
            if not more:
                return
            part = part[cut:]

    def _parsed(
        self, block: bytes, names: list[str], wanted: list[str], skip: int, before: int
    ) -> pa.Table | None:
        """Parse one block that follows ``before`` rows; None if the block holds no row.

        Arrow is given whole blocks and never the stream: it would read the stream ahead in a thread
        of its own, and a process that exits meanwhile would hang on Python's lock.
        """
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        ragged: list[arrow_csv.InvalidRow] = []

        def refuse(row: arrow_csv.InvalidRow) -> str:
            ragged.append(row)
            return "error"

        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(block),
                # One thread only, because otherwise Arrow does not count rows, and errors need the
                # row's number.
                arrow_csv.ReadOptions(
                    column_names=names,
                    skip_rows=skip,
                    block_size=len(block) + 1,
                    use_threads=False,
                ),
                arrow_csv.ParseOptions(delimiter=self.delimiter, invalid_row_handler=refuse),
                arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(wanted, pa.string()),
                    include_columns=wanted,
                    strings_can_be_null=False,
                    # Encoding is checked when a cell does not parse; the error then names its row.
                    check_utf8=False,
                ),
            )
        except pa.ArrowInvalid as error:
            if "Empty CSV" in str(error) or "Could not skip" in str(error):
                return None
            if ragged:
                row = before + ragged[0].number - 1 - skip
                raise self._ragged(row, ragged[0]) from None
            raise source_error(self.name, "lines of CSV", str(error)[:200]) from error
        if not _is_a_row_a_line(block, skip, len(table)):
            found = "a quotation mark that is not closed on its line"
            raise source_error(self.name, "lines of CSV", found)
        return table

    def _ragged(self, row: int, found: arrow_csv.InvalidRow) -> DataError:
        """Make the error for a row with too few or too many cells."""
        line = self.line(row)
        place = f"row {row + 1}" if line is None else f"row {row + 1} (line {line})"
        return DataError(
            f"{self.name}: {place}: expected {found.expected_columns} cells, like the first row; "
            f"found {found.actual_columns}: {shown(found.text)}",
            file=self.name,
            row=row + 1,
            line=line,
            expected=found.expected_columns,
            found=found.actual_columns,
        )

    def line(self, row: int) -> int | None:
        """Return the line number of a row of data, with blank lines counted."""
        stream = reopened(self.path) if row < _COUNTED_LINES else None
        if stream is None:
            return None
        with stream, io.TextIOWrapper(stream, "utf-8", errors="replace", newline=None) as text:
            full = (
                number
                for number, line in enumerate(text, 1)
                if number > self.skipped and line != "\n"
            )
            return next(islice(full, row, None), None)


def csv_table(path: Path, head: bytes, rest: BinaryIO) -> SourceTable:
    """Make the table of a CSV text.

    Args:
        path: the file's path, for messages and for finding a row's line.
        head: the first bytes of the text.
        rest: the stream of the text after these bytes.

    Raises:
        DataError: the text does not begin as CSV.
    """
    text = _CsvText(path, head, rest)
    return SourceTable(
        name=text.name,
        header=text.rows[0] if text.headed else None,
        head=() if text.headed else text.rows,
        blocks=text.blocks,
        line=text.line,
        decimal=text.decimal,
        symbol=text.symbol,
    )


def _delimiter(line: str) -> str:
    """Find the mark that separates cells; a comma inside a number is not counted."""
    counts = {mark: line.count(mark) for mark in _DELIMITERS}
    if len([mark for mark in counts if counts[mark]]) > 1:
        counts[","] -= len(_DECIMAL_COMMA.findall(line))
    return max(counts, key=lambda mark: (counts[mark], mark == ","))


def _has_commas(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the decimal mark is a comma: some number has one, and none has a point."""
    cells = [cell.strip() for row in rows for cell in row]
    return any(map(_COMMA_NUMBER.fullmatch, cells)) and not any(map(_POINT_NUMBER.fullmatch, cells))


def _is_a_row_a_line(block: bytes, skip: int, rows: int) -> bool:
    """Whether every line except blank ones became a row.

    A quoted cell that spans several lines would swallow them, and an unclosed quotation mark would
    swallow all lines that follow; nothing would show it if the mark is in a column that is not
    read.
    """
    if block.count(b"\n") == skip + rows:
        return True  # the usual case, a file without blank lines, takes a tenth of the time
    return sum(map(bool, block.splitlines()[skip:])) == rows


def _is_data(cell: str) -> bool:
    """Whether a row's first cell is a time, so that the row is data and not a header."""
    try:
        float(cell)
    except ValueError:
        return parse_instant(cell) is not None
    return True
