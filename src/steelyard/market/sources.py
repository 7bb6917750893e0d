"""Opening any source of a table: a path, a frame of any library, a mapping, or rows.

Every source becomes a `SourceTable` (names, first rows, blocks of Arrow arrays), so that all later
modules read it in one way. Files are recognised by their content, not by their names.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from steelyard.market.cell_faults import source_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steelyard.market.table import SourceTable

__all__ = ["open_table"]


@contextmanager
def open_table(source: object) -> Iterator[SourceTable]:
    """Open any accepted source so that it can be read once.

    Raises:
        DataError: the source is missing, unreadable, of no known kind, or empty.
    """
    if isinstance(source, str) and not source:
        raise source_error("''", "a file, a pattern of files or a frame", "an empty name")
    if isinstance(source, str | os.PathLike):
        from steelyard.market.files import open_file

        with open_file(Path(os.fsdecode(source))) as table:
            yield table
    else:
        from steelyard.market.memory_tables import frame_table

        yield frame_table(source)
