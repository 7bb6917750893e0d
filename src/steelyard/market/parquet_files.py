"""Parquet files: the wanted columns only, in batches, so that a huge row group is no matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from steelyard.market.faults import source_error
from steelyard.market.sources import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

__all__ = ["parquet_table"]

_BATCH_ROWS = 1 << 17
_EXPECTED = "a readable Parquet file"


def parquet_table(name: str, raw: BinaryIO) -> Table:
    """Make the table of a Parquet file.

    Raises:
        DataError: the file is cut, corrupt, or a pipe, which cannot be read from its end.
    """
    import pyarrow as pa
    from pyarrow import parquet

    if not raw.seekable():
        raise source_error(name, "a file for Parquet, which is read from its end", "a pipe")
    broken = (pa.ArrowException, OSError, EOFError, ValueError, MemoryError)
    try:
        # Pages carry checksums where their writer was careful; a flipped bit is then seen here.
        file = parquet.ParquetFile(raw, page_checksum_verification=True)
        header = tuple(file.schema_arrow.names)
    except broken as error:
        raise source_error(name, _EXPECTED, f"a corrupt one: {_first_line(error)}") from error

    def blocks(wanted: Sequence[int]) -> Iterator[list[pa.Array]]:
        columns = [header[index] for index in wanted]
        try:
            for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=columns):
                yield [batch.column(name) for name in columns]
        except broken as error:
            raise source_error(name, _EXPECTED, f"a corrupt one: {_first_line(error)}") from error

    return Table(name=name, header=header, head=(), blocks=blocks, line=lambda _row: None)


def _first_line(error: BaseException) -> str:
    """Return what a library said, short enough for a sentence."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]
