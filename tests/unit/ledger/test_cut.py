"""SQLite files that were cut: what was acknowledged before is there, and nothing is mended."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from steelyard.errors import DataError
from steelyard.ledger import Journal, open_writer
from support.journals import event, events

PAGES = [512, 4_096]
STEP = {512: 1, 4_096: 1 if "STEELYARD_TEST_KILLS" in os.environ else 41}
"""Every offset on small pages; on pages of the usual size every offset by hand, else every 41st."""


class Copy:
    """The bytes of a journal and of its log while its writer had them open."""

    def __init__(self, file: Path) -> None:
        self.main = file.read_bytes()
        log = Path(f"{file}-wal")
        self.log = log.read_bytes() if log.exists() else b""


def put(folder: Path, main: bytes, log: bytes) -> Path:
    """A journal of these bytes, as after a crash."""
    folder.mkdir(exist_ok=True)
    path = folder / "cut.journal"
    path.write_bytes(main)
    for end in ("-wal", "-shm", "-writer"):
        Path(f"{path}{end}").unlink(missing_ok=True)
    if log:
        Path(f"{path}-wal").write_bytes(log)
    return path


def with_pages(file: Path, size: int) -> Path:
    """An empty database with pages of this size."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA page_size = {size}")
        connection.execute("PRAGMA user_version = 0")
    return file


def readable(path: Path) -> int:
    """How many events a reader finds, each of them in the chain."""
    with Journal.open(path) as journal:
        verdict = journal.verify()
    assert verdict.ok, verdict.proofs["chain"].findings
    return verdict.head.size


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("group", [1, 10])
def test_a_log_cut_anywhere_in_its_last_transaction(
    file: Path, tmp_path: Path, page: int, group: int
) -> None:
    """At every offset: the events before the transaction, and with its last byte those in it."""
    with open_writer(with_pages(file, page)) as writer:
        writer.append(events(5))
        writer.append([event(6)])
        before = Copy(file)
        writer.append([event(7 + n) for n in range(group)])
        after = Copy(file)
    assert before.main == after.main
    assert after.log.startswith(before.log)
    assert len(after.log) >= len(before.log) + 2 * page
    path = put(tmp_path / "cut", after.main, after.log)
    assert readable(path) == 6 + group
    for end in range(len(after.log) - 1, len(before.log) - 1, -STEP[page]):
        os.truncate(f"{path}-wal", end)
        Path(f"{path}-shm").unlink(missing_ok=True)
        assert readable(path) == 6, end
    assert path.read_bytes() == after.main


def test_a_writer_goes_on_after_a_cut(file: Path, tmp_path: Path) -> None:
    """At offsets all over the last transaction a writer opens, appends, and the chain is whole."""
    with open_writer(file) as writer:
        writer.append(events(5))
        before = Copy(file)
        writer.append([event(6), event(7)])
        after = Copy(file)
    for end in range(len(before.log), len(after.log), 97):
        path = put(tmp_path / "cut", after.main, after.log[:end])
        with open_writer(path) as writer:
            assert writer.head.size == 5
            writer.append([event(6)])
        assert readable(path) == 6


def test_a_file_cut_while_its_log_was_merged(file: Path, tmp_path: Path) -> None:
    """A crash in a merge leaves a file of any length beside the whole log: nothing is lost."""
    with open_writer(file) as writer:
        writer.append(events(5))
        early = Copy(file)
        writer.append([event(n, note="x" * 3_000) for n in range(6, 12)])
        late = Copy(file)
    merged = file.read_bytes()
    assert len(merged) > len(early.main)
    for end in range(len(early.main), len(merged) + 1, 61):
        path = put(tmp_path / "cut", merged[:end], late.log)
        assert readable(path) == 11, end


def test_a_closed_file_that_was_cut_is_refused_and_left_alone(file: Path, tmp_path: Path) -> None:
    """Without its log, a file that lacks its end is damaged: it is said, and no byte changes."""
    with open_writer(file) as writer:
        writer.append([event(n, note="x" * 500) for n in range(1, 60)])
    whole = file.read_bytes()
    for end in (*range(1, len(whole), 401), len(whole) - 1):
        path = put(tmp_path / "cut", whole[:end], b"")
        with pytest.raises(DataError, match=r"cut|another kind"):
            Journal.open(path)
        with pytest.raises(DataError, match=r"cut|another kind"):
            open_writer(path)
        assert path.read_bytes() == whole[:end]
    assert readable(put(tmp_path / "cut", whole, b"")) == 59


def test_a_damaged_page_is_named_and_left_alone(file: Path) -> None:
    """Zeros in the middle of the file: verify says after which event, and no byte changes."""
    with open_writer(file) as writer:
        writer.append([event(n, note="x" * 500) for n in range(1, 200)])
    with closing(sqlite3.connect(file)) as connection:
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        pages = file.stat().st_size // size
    middle = pages // 2 * size
    damaged = bytearray(file.read_bytes())
    damaged[middle : middle + size] = bytes(size)
    file.write_bytes(damaged)
    with Journal.open(file) as journal:
        verdict = journal.verify()
    chain = verdict.proofs["chain"]
    assert not verdict.ok
    assert chain.why is not None
    assert "damaged" in chain.why
    assert chain.at is not None
    assert 1 <= chain.at < 200
    assert file.read_bytes() == bytes(damaged)
