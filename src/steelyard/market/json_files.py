"""JSON files that hold one list of rows, each a list (freqtrade, exchanges) or an object.

The text is parsed a megabyte at a time and cut between two rows, so that memory stays bounded.
"""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING, Any, BinaryIO

from steelyard.market.byte_streams import READ_ERRORS
from steelyard.market.cell_faults import first_line, named, shown, source_error
from steelyard.market.memory_tables import arrow_objects
from steelyard.market.table import SourceTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

__all__ = ["is_json", "json_table"]

_BLOCK_BYTES = 1 << 20
_LONGEST_ROW = 1 << 24
_HEAD_ROWS = 500
_EXPECTED = (
    "a JSON list of rows (columns time, open, high, low, close, volume), such as "
    "[[1704067200000,100,103,99,102,10]]"
)
_BLANKS = b" \t\r\n"


def is_json(head: bytes) -> bool:
    """Whether a text begins like JSON."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip(_BLANKS).startswith((b"[", b"{"))


def json_table(path: Path, head: bytes, rest: BinaryIO) -> SourceTable:
    """Make the table of a JSON text.

    Args:
        path: the file's path, for messages.
        head: the first bytes of the text.
        rest: the stream of the text after these bytes.

    Raises:
        DataError: the text does not begin with a list of rows.
    """
    name = named(path)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip(_BLANKS)
    if text.startswith(b"{"):
        raise source_error(name, _EXPECTED, "one JSON object: save the list of rows alone")
    pieces = _pieces(name, text, rest)
    first = next(pieces)
    if not first:
        raise source_error(name, _EXPECTED, "an empty list")
    if not isinstance(first[0], dict | list):
        raise source_error(name, _EXPECTED, f"a list that begins with {shown(first[0])}")
    is_objects = isinstance(first[0], dict)
    columns: list[Any] = list(first[0]) if is_objects else list(range(len(first[0])))

    def blocks(wanted: Sequence[int]) -> Iterator[list[pa.Array]]:
        before = 0
        for rows in chain([first], pieces):
            _check_rows(name, rows, before, columns, is_objects=is_objects)
            before += len(rows)
            if rows:
                picked = [columns[index] for index in wanted]
                if is_objects:
                    yield [arrow_objects([row.get(key) for row in rows]) for key in picked]
                else:
                    yield [arrow_objects([row[index] for row in rows]) for index in picked]

    header = tuple(map(str, columns)) if is_objects else None
    shown_rows = [] if is_objects else first[:_HEAD_ROWS]
    _check_rows(name, first[:1], 0, columns, is_objects=is_objects)
    return SourceTable(
        name=name,
        header=header,
        head=[[str(cell) for cell in row] for row in shown_rows if isinstance(row, list)],
        blocks=blocks,
        line=lambda _row: None,
    )


def _pieces(name: str, text: bytes, rest: BinaryIO) -> Iterator[list[Any]]:
    """Yield the rows in lists of a few thousand; the first list may be empty."""
    part = text[1:].lstrip(_BLANKS)
    end = b"}," if part.startswith(b"{") else b"],"
    rows = 0
    while True:
        try:
            more = rest.read(_BLOCK_BYTES)
        except READ_ERRORS as error:
            found = f"a file that cannot be read further: {error}"
            raise source_error(name, _EXPECTED, found) from error
        part += more
        cut = part.rfind(end) + 1
        if more and not cut:
            if len(part) > _LONGEST_ROW:
                raise source_error(name, _EXPECTED, f"a row of over {_LONGEST_ROW:,} bytes")
            continue
        # The last piece contains the closing bracket of the list itself.
        piece = b"[" + (part[:cut] + b"]" if more else part)
        try:
            found_rows = json.loads(piece)
        except (ValueError, RecursionError) as error:
            where = f"broken JSON after row {rows:,}: {first_line(error)}"
            raise source_error(name, _EXPECTED, where) from error
        rows += len(found_rows)
        yield found_rows
        if not more:
            return
        part = part[cut:].lstrip(_BLANKS + b",")


def _check_rows(
    name: str, rows: list[Any], before: int, columns: Sequence[Any], *, is_objects: bool
) -> None:
    """Check that rows have the first row's type and, if they are lists, its length."""
    kind, width = (dict, None) if is_objects else (list, len(columns))
    for row, cells in enumerate(rows, before + 1):
        if not isinstance(cells, kind) or (width is not None and len(cells) != width):
            wanted = "an object" if is_objects else f"a list of {width} cells"
            raise source_error(name, f"{wanted} in row {row}, like the first row", shown(cells))
