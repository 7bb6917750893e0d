"""Parquet files, read in batches so that memory stays bounded; only wanted columns are read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from steelyard.market.cell_faults import corrupt, named, refuse_pipe
from steelyard.market.table import SourceTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

__all__ = ["open_parquet"]

_BATCH_ROWS = 1 << 17


@contextmanager
def open_parquet(path: Path, raw: BinaryIO) -> Iterator[SourceTable]:
    """Open the table of a Parquet file.

    Args:
        path: path of the file.
        raw: the same file, already open because its format was recognised from it.

    Raises:
        DataError: the file is cut, corrupt, or a pipe, which cannot be read from its end.
    """
    from pyarrow import parquet

    name = named(path)
    refuse_pipe(name, raw, "Parquet")
    with corrupt(name, "Parquet"):
        # Pages carry checksums if their writer added them, and then a flipped bit is detected here.
        # The file is opened by its path because Arrow reads that faster than a Python file, and the
        # path is absolute because Arrow would take a relative one with a colon for an address.
        file = parquet.ParquetFile(str(path.absolute()), page_checksum_verification=True)
        header = tuple(file.schema_arrow.names)

    def blocks(wanted: Sequence[int]) -> Iterator[list[pa.Array]]:
        columns = [header[index] for index in wanted]
        with corrupt(name, "Parquet"):
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=columns):
                yield [batch.column(name) for name in columns]

    with file:
        yield SourceTable(name=name, header=header, head=(), blocks=blocks, line=lambda _row: None)
