"""Files of tables, recognised by their first bytes: CSV, JSON, Parquet, Feather, gzip, zip.

A file may contain anything and have any size. Only its first 64 KiB are read here; the readers of
each format read the rest block by block.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zipfile
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, BinaryIO, cast

from steelyard.market.byte_streams import GZIP, HEAD_BYTES, READ_ERRORS, ZIP, zipped_files
from steelyard.market.cell_faults import named, refuse_pipe, source_error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from steelyard.market.table import SourceTable

__all__ = ["open_file"]

_PARQUET = b"PAR1"
_FEATHER = b"ARROW1"
_KNOWN = {
    b"PK\x03\x04": "a zip archive inside a packed file: unpack it",
    b"PAR1": "a Parquet file inside a packed file: unpack it",
    b"ARROW1": "a Feather file inside a packed file: unpack it",
    b"FEA1": "a Feather file of version 1: save it as version 2 or Parquet",
    b"\x28\xb5\x2f\xfd": "a zstd file: unpack it, or pack it with gzip",
    b"BZh": "a bzip2 file: unpack it, or pack it with gzip",
    b"\xfd7zXZ": "an xz file: unpack it, or pack it with gzip",
    b"\xff\xfe": "UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "UTF-16 text: save it as UTF-8",
    b"SQLite format 3": "an SQLite database: export the table as CSV",
}
_EXPECTED = "a CSV file or a JSON file (also .gz or .zip), a Parquet file or a Feather file"


@contextmanager
def open_file(path: Path) -> Iterator[SourceTable]:
    """Open a file that holds a table and recognise its format.

    Raises:
        DataError: the file is missing, a directory, unreadable, empty, binary or of another format.
    """
    name = named(path)
    with ExitStack() as stack:
        try:
            raw = stack.enter_context(path.open("rb"))
            start = raw.peek(len(_FEATHER))[: len(_FEATHER)]
        except (OSError, ValueError) as error:
            raise source_error(name, _EXPECTED, _reason(error)) from error
        if start.startswith(_PARQUET):
            from steelyard.market.parquet_files import open_parquet

            yield stack.enter_context(open_parquet(path, raw))
            return
        if start == _FEATHER:
            from steelyard.market.feather_files import open_feather

            yield stack.enter_context(open_feather(path, raw))
            return
        head, rest = _opened(name, stack, raw)
        _refuse_binary(name, head)
        from steelyard.market.json_files import is_json, json_table

        if is_json(head):
            yield json_table(path, head, rest)
            return
        from steelyard.market.csv_files import csv_table

        yield csv_table(path, head, rest)


def _opened(name: str, stack: ExitStack, raw: io.BufferedReader) -> tuple[bytes, BinaryIO]:
    """Return the first bytes of the text, unpacked, and the stream of the rest."""
    plain: BinaryIO = raw
    if raw.peek(len(GZIP))[: len(GZIP)] == GZIP:
        plain = cast("BinaryIO", stack.enter_context(gzip.GzipFile(fileobj=raw)))
    elif raw.peek(len(ZIP))[: len(ZIP)] == ZIP:
        plain = _unzipped(name, stack, raw)
    try:
        head = plain.read(HEAD_BYTES)
    except READ_ERRORS as error:
        raise source_error(name, _EXPECTED, f"a file that cannot be read: {error}") from error
    return head, plain


def _unzipped(name: str, stack: ExitStack, raw: io.BufferedReader) -> BinaryIO:
    """Return the stream of the only file in an archive, the form in which Binance publishes."""
    refuse_pipe(name, raw, "zip")
    try:
        archive = stack.enter_context(zipfile.ZipFile(raw))
        files = zipped_files(archive)
        if "[Content_Types].xml" in files:
            raise source_error(name, _EXPECTED, "a spreadsheet: save it as CSV")
        if len(files) != 1:
            held = f"{len(files)} files: unpack it and name the one that is meant"
            raise source_error(name, "a zip archive of one file", held)
        return cast("BinaryIO", stack.enter_context(archive.open(files[0])))
    except READ_ERRORS as error:
        found = f"a zip archive that cannot be read: {error}"
        raise source_error(name, _EXPECTED, found) from error


def _refuse_binary(name: str, head: bytes) -> None:
    """Refuse a file that is not UTF-8 text."""
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
        # Not final, because the cut at 64 KiB may be inside a character.
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < HEAD_BYTES)
    except UnicodeDecodeError as error:
        found = f"binary data, or text that is not UTF-8 (byte {error.start})"
        raise source_error(name, _EXPECTED, found) from error


def _reason(error: Exception) -> str:
    """Return why a file cannot be opened, without its name."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "a directory"
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
