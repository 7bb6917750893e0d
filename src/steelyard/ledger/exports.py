"""Exports of a journal with one event per row, as JSON lines, CSV or Parquet.

A line of JSON is ``{"body":BODY,"hash":"HEX"}``, where BODY is exactly the bytes that were hashed,
so a reader needs only SHA-256 to check the chain. In CSV and Parquet the body is a text column,
beside seq, time, fund, kind and hash. Only JSON lines can be read back.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from steelyard.errors import DataError, InputError
from steelyard.ledger.event_rows import GENESIS, Head, Row, row_of

__all__ = ["FORMATS", "export_format", "export_line", "is_export", "read_export", "write_export"]

FORMATS = (".jsonl", ".csv", ".parquet")
COLUMNS = ("seq", "time", "fund", "kind", "body", "hash")
BATCH_ROWS = 10_000
MAX_LINE_BYTES = 2**24  # twice what a body may take
SQLITE = b"SQLite format 3\0"

_START = b'{"body":'
_END = re.compile(rb',"hash":"([0-9a-f]{64})"\}')
_END_BYTES = 75


def export_format(path: Path) -> str:
    """The format that belongs to the ending of a file's name.

    Raises:
        InputError: no format has this ending.
    """
    if path.suffix not in FORMATS:
        message = f"{path}: expected a name that ends in {', '.join(FORMATS)}."
        raise InputError(message, allowed=FORMATS)
    return path.suffix.removeprefix(".")


def write_export(rows: Iterable[Row], path: Path, how: str) -> Head:
    """Write rows into a file as ``jsonl``, ``csv`` or ``parquet``.

    Returns:
        The number of rows written and the hash of the last one.
    """
    ended = _End(rows)
    {"jsonl": _write_lines, "csv": _write_csv, "parquet": _write_parquet}[how](ended, path)
    return ended.head


def export_line(row: Row) -> bytes:
    """A row as a line of JSON, with the line break."""
    return b'%s%s,"hash":"%s"}\n' % (_START, row.body, row.hash.hex().encode())


def is_export(path: Path) -> bool:
    """Whether a file looks like an export and not like a database."""
    try:
        with path.open("rb") as file:
            return file.read(len(_START)) == _START
    except OSError:
        return False


def read_export(path: Path) -> Iterator[Row]:
    """The rows of an export in JSON lines, in the order of the lines.

    Raises:
        DataError: ``write_export`` cannot have written a line, for example because it was cut.
    """
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES):
            number += 1
            yield _read_line(line, f"{path}, line {number}")


class _End:
    """An iterator over rows that keeps the head after the last one."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.head = Head(0, GENESIS)
        self._rows = rows

    def __iter__(self) -> Iterator[Row]:
        for count, row in enumerate(self._rows, start=1):
            yield row
            self.head = Head(count, row.hash)


def _read_line(line: bytes, where: str) -> Row:
    end = _END.fullmatch(line[-_END_BYTES - 1 : -1])
    if not line.startswith(_START) or end is None or not line.endswith(b"\n"):
        found = "another one" if line.endswith(b"}\n") else "one that was cut"
        message = (
            f'{where}: expected a line {{"body":{{...}},"hash":"..."}}, found {found}: copy the '
            "export again."
        )
        raise DataError(message, where=where)
    body = line[len(_START) : -_END_BYTES - 1]
    try:
        return row_of(body, bytes.fromhex(end[1].decode("ascii")))
    except DataError as error:
        raise DataError(f"{where}: {error}", where=where) from error


def _write_lines(rows: Iterable[Row], path: Path) -> None:
    with path.open("wb") as file:
        file.writelines(map(export_line, rows))


def _write_csv(rows: Iterable[Row], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows((*row[:4], row.body.decode(), row.hash.hex()) for row in rows)


def _write_parquet(rows: Iterable[Row], path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    types = (pa.int64(), pa.timestamp("ms", tz="UTC"), *[pa.string()] * 4)
    schema = pa.schema(list(zip(COLUMNS, types, strict=True)))
    left = iter(rows)
    with parquet.ParquetWriter(path, schema) as writer:
        while batch := list(islice(left, BATCH_ROWS)):
            seq, time, fund, kind, body, digest = map(list, zip(*batch, strict=True))
            texts = [one.decode() for one in body], [one.hex() for one in digest]
            columns = (seq, time, fund, kind, *texts)
            arrays = [pa.array(one, kind) for one, kind in zip(columns, types, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
