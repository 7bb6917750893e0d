"""Parquet files: the wanted columns only, in batches, so that a huge row group is no matter."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from steelyard.market.faults import named, source_error
from steelyard.market.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

__all__ = ["open_parquet"]

_BATCH_ROWS = 1 << 17
_EXPECTED = "a readable Parquet file"


@contextmanager
def open_parquet(path: Path, raw: BinaryIO) -> Iterator[Table]:
    """Open the table of a Parquet file.

    Args:
        path: of the file.
        raw: the same file, opened before to recognise it.

    Raises:
        DataError: the file is cut, corrupt, or a pipe, which cannot be read from its end.
    """
    import pyarrow as pa
    from pyarrow import parquet

    name = named(path)
    if not raw.seekable():
        raise source_error(name, "a file for Parquet, which is read from its end", "a pipe")
    broken = (pa.ArrowException, OSError, EOFError, ValueError, MemoryError)
    try:
        # Pages carry checksums where their writer was careful; a flipped bit is then seen here.
        # By path, since Arrow reads that faster than a Python file; absolute, since it would take
        # a relative one with a colon in it for an address.
        file = parquet.ParquetFile(str(path.absolute()), page_checksum_verification=True)
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

    with file:
        yield Table(name=name, header=header, head=(), blocks=blocks, line=lambda _row: None)


def _first_line(error: BaseException) -> str:
    """Return what a library said, short enough for a sentence."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:200]
