"""Rows as CSV text, and the files that hold them: reading, comparing, writing in one step.

The bytes of a file depend on its rows only, whether the rows were downloaded at once or in many
runs.
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
    """The rows of an existing file.

    Attributes:
        content: the file's content as its reader returned it.
        columns: column name -> values, shape (rows,), ``time`` included.
    """

    content: Content
    columns: Mapping[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.columns["time"])

    def rows(self, start: int, stop: int | None = None) -> list[Row]:
        """The rows of a slice, with the meaning of Python's ``start:stop``."""
        parts = [column[start:stop].tolist() for column in self.columns.values()]
        return list(zip(*parts, strict=True))

    def text(self) -> Iterable[str]:
        """All rows as CSV in pieces, the header first."""
        yield ",".join(self.columns) + "\n"
        for start in range(0, len(self), _CHUNK_ROWS):
            yield "".join(map(row_text, self.rows(start, start + _CHUNK_ROWS)))

    def begins_like(self, other: HeldRows, rows: int) -> bool:
        """Whether the first ``rows`` rows are equal to those of another file."""
        return rows <= min(len(self), len(other)) and all(
            np.array_equal(column[:rows], other.columns[name][:rows])
            for name, column in self.columns.items()
        )


def row_text(row: Row) -> str:
    """A row as a line of CSV; each number has the shortest digits that give the same float."""
    return ",".join((format_time(row[0]), *map(repr, row[1:]))) + "\n"


def file_format(path: Path) -> str:
    """The format that a file's name states by its ending, one of ``FORMATS``.

    Raises:
        InputError: it has none of these endings.
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
        InputError: the file has other columns.
        DataError: the file is damaged.
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
    """Turn a finished partial file into the file at ``path``, and remove the partial file.

    At every moment ``path`` is either unchanged or complete.

    Args:
        part: path of the partial file.
        held: its rows.
        path: path of the finished file; its ending states the format.
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
    # The archive contains neither name nor time, so that equal rows give equal bytes.
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
    """A column as an Arrow array, made of its buffer, because ``pa.array`` would import pandas."""
    import pyarrow as pa

    kind = pa.float64()
    if name == "time":
        # every reader of Parquet knows microseconds
        kind, values = pa.timestamp("us", tz="UTC"), values * 1_000_000
    buffer = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(kind, len(values), [None, buffer])


def _sync(file: Any) -> None:  # noqa: ANN401 (any open file)
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the new name survive a power cut as well, on systems where folders can be synced."""
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
