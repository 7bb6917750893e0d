"""Rows as the text of a CSV file, and the files that hold them: read, compared, written whole.

A file is a function of its rows: the same rows are the same bytes, whether they came in one go or
in many.
"""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from steelyard.errors import InputError
from steelyard.market.cell_faults import named
from steelyard.market.download.answers import Row
from steelyard.market.download.feeds import HistoryKind
from steelyard.market.event_readers import Funding, read_funding
from steelyard.market.prices import Prices, read_prices
from steelyard.market.sources import open_table
from steelyard.market.times import format_time

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["FORMATS", "Content", "HeldRows", "file_format", "read_rows", "row_text", "write_whole"]

Content = Prices | Funding

FORMATS = (".csv", ".csv.gz", ".parquet")
_CHUNK_ROWS = 1 << 16


@dataclass(frozen=True)
class HeldRows:
    """The rows of a file.

    Attributes:
        content: as the reader gave it.
        columns: name -> values, ``time`` among them, of one length.
    """

    content: Content
    columns: Mapping[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.columns["time"])

    def rows(self, start: int, stop: int | None = None) -> list[Row]:
        """Some of the rows, as Python slices."""
        parts = [column[start:stop].tolist() for column in self.columns.values()]
        return list(zip(*parts, strict=True))

    def text(self) -> Iterable[str]:
        """All rows as CSV, the header first, in pieces."""
        yield ",".join(self.columns) + "\n"
        for start in range(0, len(self), _CHUNK_ROWS):
            yield "".join(map(row_text, self.rows(start, start + _CHUNK_ROWS)))

    def begins_like(self, other: HeldRows, rows: int) -> bool:
        """Whether so many of its first rows are those of another."""
        return rows <= min(len(self), len(other)) and all(
            np.array_equal(column[:rows], other.columns[name][:rows])
            for name, column in self.columns.items()
        )


def row_text(row: Row) -> str:
    """A row as a line of CSV: the shortest digits that mean the same float."""
    return ",".join((format_time(row[0]), *map(repr, row[1:]))) + "\n"


def file_format(path: Path) -> str:
    """The format that a file's name asks for, one of ``FORMATS``.

    Raises:
        InputError: it asks for none.
    """
    for ending in sorted(FORMATS, key=len, reverse=True):
        if path.name.lower().endswith(ending) and len(path.name) > len(ending):
            return ending
    message = (
        f"{named(path)}: expected a file that ends in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
    )
    raise InputError(message, file=str(path), allowed=FORMATS)


def read_rows(path: Path, feed: HistoryKind) -> HeldRows:
    """Read a file that an earlier download wrote.

    Raises:
        InputError: its columns are others.
        DataError: it is damaged.
    """
    with open_table(path) as table:
        header = tuple(table.header or ())
    if header != feed.header:
        message = (
            f"{named(path)}: expected columns {','.join(feed.header)}, so that {feed.what} can be "
            f"added; found {','.join(header) or 'none'}. Choose another file"
        )
        raise InputError(message, file=str(path), expected=feed.header, found=header)
    content: Content = (
        read_prices(path, may_turn=False)
        if "open" in header
        else read_funding(path, high=True, may_turn=False)
    )
    columns = {name: np.asarray(getattr(content, name)) for name in feed.header}
    return HeldRows(content, columns)


def write_whole(part: Path, held: HeldRows, path: Path) -> None:
    """Make a finished partial file, whose rows are ``held``, the file at ``path``; it is then gone.

    At every moment ``path`` is either what it was or whole.
    """
    ending = file_format(path)
    if ending == ".csv":
        part.replace(path)
    else:
        stage = part.with_name(part.name + ".new")
        if ending == ".csv.gz":
            _pack(part, stage)
        else:
            _write_parquet(held, stage)
        stage.replace(path)
    _sync_folder(path.parent)
    part.unlink(missing_ok=True)


def _pack(source: Path, target: Path) -> None:
    # Neither name nor time inside: the same rows are the same bytes.
    with (
        source.open("rb") as plain,
        target.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, compresslevel=6, mtime=0) as packed,
    ):
        shutil.copyfileobj(plain, packed, 1 << 20)
        packed.close()
        _sync(raw)


def _write_parquet(held: HeldRows, target: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table({name: _array(name, values) for name, values in held.columns.items()})
    with target.open("wb") as raw:
        parquet.write_table(table, raw)
        _sync(raw)


def _array(name: str, values: NDArray[Any]) -> pa.Array:
    """A column as Arrow has it; over its buffer, because ``pa.array`` of an array loads pandas."""
    import pyarrow as pa

    kind = pa.float64()
    if name == "time":
        # microseconds: what every reader of Parquet knows
        kind, values = pa.timestamp("us", tz="UTC"), values * 1_000_000
    buffer = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(kind, len(values), [None, buffer])


def _sync(file: Any) -> None:  # noqa: ANN401 (any open file)
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Let the new name survive a power cut too, where folders can be synced."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        return
    finally:
        os.close(handle)
