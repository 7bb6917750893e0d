"""Files as streams of bytes, plain or gzipped: how much is looked at first, and what may fail."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["GZIP", "HEAD_BYTES", "READ_ERRORS", "reopened"]

HEAD_BYTES = 1 << 16
# What a stream may raise while it is read: a broken disk, a broken or cut gzip file.
READ_ERRORS = (OSError, EOFError, zlib.error)
GZIP = b"\x1f\x8b"


def reopened(path: Path) -> BinaryIO | None:
    """Open a plain or gzipped file a second time; None where it can be read only once."""
    if not path.is_file():
        return None
    with path.open("rb") as raw:
        packed = raw.read(len(GZIP)) == GZIP
    return cast("BinaryIO", gzip.open(path)) if packed else path.open("rb")
