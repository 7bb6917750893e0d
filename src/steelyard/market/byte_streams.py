"""Files as streams of bytes, plain, gzipped or zipped: magic bytes, and the errors of reading."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["GZIP", "HEAD_BYTES", "READ_ERRORS", "ZIP", "reopened", "zipped_files"]

HEAD_BYTES = 1 << 16
# The errors that reading a stream may raise: a broken disk, a broken or cut gzip or zip file, and
# for zip a password (RuntimeError) or a compression that Python does not know.
READ_ERRORS = (
    OSError,
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    RuntimeError,
    NotImplementedError,
)
GZIP = b"\x1f\x8b"
ZIP = b"PK\x03\x04"


def reopened(path: Path) -> BinaryIO | None:
    """Open a plain, gzipped or zipped file again; None if it can be read only once."""
    if not path.is_file():
        return None
    with path.open("rb") as raw:
        start = raw.read(len(ZIP))
    if start == ZIP:
        archive = zipfile.ZipFile(path)
        return cast("BinaryIO", archive.open(zipped_files(archive)[0]))
    return cast("BinaryIO", gzip.open(path)) if start.startswith(GZIP) else path.open("rb")


def zipped_files(archive: zipfile.ZipFile) -> list[str]:
    """The names of an archive's files, without folders and without what macOS adds."""
    names = (entry.filename for entry in archive.infolist() if not entry.is_dir())
    return [name for name in names if not name.startswith("__MACOSX/")]
