"""Exports: every event once, in three formats, and JSON lines that can be verified."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from steelyard.errors import DataError, InputError
from steelyard.ledger import GENESIS, Head, Journal, Row, verify_rows
from steelyard.ledger.exports import (
    BATCH_ROWS,
    export_format,
    is_export,
    read_export,
    write_export,
)
from support.journals import event, journal_of

COUNT = BATCH_ROWS + 10


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """More rows than one batch."""
    file = tmp_path_factory.mktemp("rows") / "a.journal"
    given = [event(n, "ÉTH-2x", note='a "quoted",\nline') for n in range(1, COUNT + 1)]
    journal_of(file, given)
    with Journal.open(file) as journal:
        return list(journal.events())


def test_json_lines_come_back(rows: list[Row], tmp_path: Path) -> None:
    """Row by row, with the very bytes that were hashed; and the chain is whole."""
    path = tmp_path / "a.jsonl"
    assert write_export(rows, path, "jsonl") == Head(COUNT, rows[-1].hash)
    assert list(read_export(path)) == rows
    assert verify_rows(read_export(path)).head == Head(COUNT, rows[-1].hash)
    assert is_export(path)


def test_a_line_is_json(rows: list[Row], tmp_path: Path) -> None:
    """Any JSON reader reads it, and the hash is that of the text between."""
    path = tmp_path / "a.jsonl"
    write_export(rows[:2], path, "jsonl")
    first, second = path.read_bytes().splitlines()
    read = json.loads(first)
    assert set(read) == {"body", "hash"}
    assert read["body"] == {**rows[0].fields, "seq": 1, "time": rows[0].time_ms, "fund": "ÉTH-2x",
                            "kind": "tried"}  # fmt: skip
    body = second.removeprefix(b'{"body":').rpartition(b',"hash":')[0]
    previous = bytes.fromhex(read["hash"])
    assert json.loads(second)["hash"] == hashlib.sha256(previous + body).hexdigest()


def test_csv_holds_the_same(rows: list[Row], tmp_path: Path) -> None:
    """Six columns, whatever letters are in the body."""
    path = tmp_path / "a.csv"
    write_export(rows, path, "csv")
    with path.open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    assert header == ["seq", "time", "fund", "kind", "body", "hash"]
    assert lines == [
        [str(r.seq), str(r.time_ms), r.fund, r.kind, r.body.decode(), r.hash.hex()] for r in rows
    ]


def test_parquet_holds_the_same(rows: list[Row], tmp_path: Path) -> None:
    """Six columns, the time as a timestamp in UTC."""
    path = tmp_path / "a.parquet"
    write_export(rows, path, "parquet")
    table = pq.read_table(path)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert table.column("time").type.tz == "UTC"
    assert [row.astimezone(UTC) for row in table.column("time").to_pylist()] == [
        epoch + timedelta(milliseconds=r.time_ms) for r in rows
    ]
    assert table.column("seq").to_pylist() == list(range(1, COUNT + 1))
    assert table.column("body").to_pylist() == [r.body.decode() for r in rows]
    assert table.column("hash").to_pylist() == [r.hash.hex() for r in rows]
    assert set(table.column("fund").to_pylist()) == {"ÉTH-2x"}
    assert set(table.column("kind").to_pylist()) == {"tried"}


@pytest.mark.parametrize("how", ["jsonl", "csv", "parquet"])
def test_an_empty_journal_has_an_export(tmp_path: Path, how: str) -> None:
    """Without rows, and without an error."""
    path = tmp_path / f"a.{how}"
    assert write_export([], path, how) == Head(0, GENESIS)
    assert path.exists()


def test_the_name_says_the_format(tmp_path: Path) -> None:
    """Another ending is refused with those that are known."""
    assert export_format(tmp_path / "a.parquet") == "parquet"
    with pytest.raises(InputError, match=r"\.jsonl, \.csv, \.parquet"):
        export_format(tmp_path / "a.json")


def test_an_export_cut_in_a_line_is_refused(rows: list[Row], tmp_path: Path) -> None:
    """At every letter of its last line: the message names the line."""
    path = tmp_path / "a.jsonl"
    write_export(rows[:3], path, "jsonl")
    whole = path.read_bytes()
    last = len(whole.splitlines(keepends=True)[-1])
    for end in range(len(whole) - last + 1, len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(DataError, match=f"{path}, line 3: .* cut"):
            list(read_export(path))


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{}\n",
        b'{"body":{},"hash":"00"}\n',
        b'{"body":{},"hash":"' + b"0" * 64 + b'"}\n',
        b'{"body":{"seq":1.5,"time":1,"fund":"a","kind":"b"},"hash":"' + b"0" * 64 + b'"}\n',
        b'{"body":[1],"hash":"' + b"0" * 64 + b'"}\n',
        b'{"body":{"seq":1,"hash":"' + b"0" * 64 + b'"}\n',
        b'{"body":\xff,"hash":"' + b"0" * 64 + b'"}\n',
        b'{"body":{},"hash":"' + b"0" * 63 + b'G"}\n',
        b"x" * 2**17 + b"\n",
    ],
)
def test_a_line_of_something_else_is_refused(rows: list[Row], tmp_path: Path, line: bytes) -> None:
    """It is named by file and line, whatever it is."""
    path = tmp_path / "a.jsonl"
    write_export(rows[:1], path, "jsonl")
    with path.open("ab") as file:
        file.write(line)
    with pytest.raises(DataError, match="line 2: "):
        list(read_export(path))
