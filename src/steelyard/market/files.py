"""Files, opened and recognised by their first bytes: CSV, gzipped CSV, Parquet.

A file may be anything, of any size: nothing is read here but its first 64 KiB, and what reads on
does so block by block.
"""

from __future__ import annotations

import codecs
import gzip
import io
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, BinaryIO, cast

from steelyard.market.faults import named, source_error
from steelyard.market.streams import GZIP, HEAD_BYTES, READ_ERRORS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from steelyard.market.table import Table

__all__ = ["open_file"]

_PARQUET = b"PAR1"
_KNOWN = {
    b"PK\x03\x04": "a zip archive or spreadsheet: unpack it, or save it as CSV",
    b"ARROW1": "an Arrow or Feather file: save it as Parquet",
    b"\x28\xb5\x2f\xfd": "a zstd file: unpack it, or pack it with gzip",
    b"BZh": "a bzip2 file: unpack it, or pack it with gzip",
    b"\xfd7zXZ": "an xz file: unpack it, or pack it with gzip",
    b"\xff\xfe": "UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as UTF-8",
    b"SQLite format 3": "an SQLite database: export the table as CSV",
}
_EXPECTED = "a CSV file (also .gz) or a Parquet file"


@contextmanager
def open_file(path: Path) -> Iterator[Table]:
    """Open a file of a table and recognise it.

    Raises:
        DataError: it is missing, a directory, unreadable, empty, binary or of another format.
    """
    name = named(path)
    with ExitStack() as stack:
        try:
            raw = stack.enter_context(path.open("rb"))
            start = raw.peek(len(_PARQUET))[: len(_PARQUET)]
        except (OSError, ValueError) as error:
            raise source_error(name, _EXPECTED, _reason(error)) from error
        if start == _PARQUET:
            from steelyard.market.parquet_files import open_parquet

            yield stack.enter_context(open_parquet(path, raw))
            return
        from steelyard.market.csv_files import csv_table

        head, rest = _opened(name, stack, raw)
        _refuse_binary(name, head)
        yield csv_table(path, head, rest)


def _opened(name: str, stack: ExitStack, raw: io.BufferedReader) -> tuple[bytes, BinaryIO]:
    """Return the first bytes of the text, unpacked, and the stream of all after them."""
    plain: BinaryIO = raw
    if raw.peek(len(GZIP))[: len(GZIP)] == GZIP:
        plain = cast("BinaryIO", stack.enter_context(gzip.GzipFile(fileobj=raw)))
    try:
        head = plain.read(HEAD_BYTES)
    except READ_ERRORS as error:
        raise source_error(name, _EXPECTED, f"a file that cannot be read: {error}") from error
    return head, plain


def _refuse_binary(name: str, head: bytes) -> None:
    """Refuse what is no UTF-8 text."""
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        if len(head) < HEAD_BYTES:
            raise source_error(name, _EXPECTED, "an empty file")
        raise source_error(name, _EXPECTED, "nothing but blanks at its beginning")
    for magic, what in _KNOWN.items():
        if head.startswith(magic):
            raise source_error(name, _EXPECTED, what)
    if b"\0" in head:
        raise source_error(name, _EXPECTED, "binary data")
    try:
        # Not final: the cut at 64 KiB may stand inside a character.
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < HEAD_BYTES)
    except UnicodeDecodeError as error:
        found = f"binary data, or text that is not UTF-8 (byte {error.start})"
        raise source_error(name, _EXPECTED, found) from error


def _reason(error: Exception) -> str:
    """Say why a file cannot be opened, without repeating its name."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "a directory"
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
