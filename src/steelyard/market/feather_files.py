"""Feather and Arrow files (freqtrade's default), read a few batches at a time.

Only the wanted columns are read.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from steelyard.market.cell_faults import corrupt, named, refuse_pipe
from steelyard.market.table import SourceTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

__all__ = ["open_feather"]

_BLOCK_ROWS = 1 << 17


@contextmanager
def open_feather(path: Path, raw: BinaryIO) -> Iterator[SourceTable]:
    """Open the table of a Feather file of version 2, which is an Arrow file.

    Args:
        path: path of the file.
        raw: the same file, already open because its format was recognised from it.

    Raises:
        DataError: the file is cut, corrupt, or a pipe, which cannot be read from its end.
    """
    import pyarrow as pa
    from pyarrow import ipc

    name = named(path)
    refuse_pipe(name, raw, "Feather")
    with corrupt(name, "Feather"):
        header = tuple(ipc.open_file(raw).schema.names)

    def blocks(wanted: Sequence[int]) -> Iterator[list[pa.Array]]:
        fields = sorted(set(wanted))
        with corrupt(name, "Feather"):
            raw.seek(0)
            file = ipc.open_file(raw, options=ipc.IpcReadOptions(included_fields=fields))
            held: list[pa.RecordBatch] = []
            for number in range(file.num_record_batches):
                held.append(file.get_batch(number))
                held[-1].validate(full=True)  # a flipped bit must not be read as a number
                if sum(map(len, held)) >= _BLOCK_ROWS or number + 1 == file.num_record_batches:
                    places = [fields.index(index) for index in wanted]
                    yield [
                        pa.concat_arrays([one.column(place) for one in held]) for place in places
                    ]
                    held = []

    yield SourceTable(name=name, header=header, head=(), blocks=blocks, line=lambda _row: None)
