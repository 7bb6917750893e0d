"""A journal in a SQLite file, where every commit is on the disk before it is acknowledged.

It uses a write-ahead log, so a reader never waits for the writer, nor the writer for a reader. A
reader opens the file read-only. In a read-only folder SQLite cannot create its shared memory file.
There a journal can be read only if its log has been merged, which happens when the writer closes
it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from steelyard.errors import InputError, JournalError
from steelyard.ledger.event_rows import GENESIS, Head, Row
from steelyard.ledger.lock import WriterLock, is_locked, lock_writer
from steelyard.ledger.migrations import migrations
from steelyard.ledger.sqlite_file import (
    check_file,
    connect_to_read,
    connect_to_write,
    make_durable,
    migrate,
    told,
)
from steelyard.ledger.store import (
    Lease,
    Owner,
    Selection,
    StoredSnapshot,
    fenced_error,
    in_use_error,
)

__all__ = ["SqliteReader", "SqliteWriter", "owner_now"]

_COLUMNS = "seq, time, fund, kind, body, hash"
_OWNER = "SELECT token, owner, host, pid, since FROM writer"
_TAKE = """
UPDATE writer SET token = token + 1, owner = ?, host = ?, pid = ?, since = ? RETURNING token
"""
_INSERT = """
INSERT INTO event (seq, time, fund, kind, body, hash)
SELECT ?, ?, ?, ?, ?, ? WHERE (SELECT token FROM writer) = ?
"""
_SNAPSHOT_TABLE = """
CREATE TABLE IF NOT EXISTS snapshot (
    fund TEXT NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (fund, seq)
) STRICT, WITHOUT ROWID
"""
_PUT_SNAPSHOT = """
INSERT OR REPLACE INTO snapshot (fund, seq, hash, body)
SELECT ?, ?, ?, ? WHERE (SELECT token FROM writer) = ?
"""
_NEWEST_SNAPSHOT = """
SELECT s.fund, s.seq, s.hash, s.body FROM snapshot s
JOIN event e ON e.seq = s.seq AND e.hash = s.hash
WHERE s.fund = ? ORDER BY s.seq DESC LIMIT 1
"""


class SqliteReader:
    """A journal in a file, read-only."""

    def __init__(self, path: Path) -> None:
        self.place = str(path)
        check_file(path)
        with told(self.place):
            self._connection = connect_to_read(path)

    def head(self) -> Head:
        """The number of rows and the last hash."""
        with told(self.place):
            return _head(self._connection)

    def page(self, after: int, limit: int, selection: Selection) -> list[Row]:
        """The first ``limit`` rows after the number ``after``, in order."""
        condition, values = selection.condition("?")
        query = f"SELECT {_COLUMNS} FROM event WHERE seq > ?{condition} ORDER BY seq LIMIT ?"  # noqa: S608 (no text from outside)
        with told(self.place):
            return list(map(Row._make, self._connection.execute(query, (after, *values, limit))))

    def next_fund(self, after: str) -> str | None:
        """The first fund after ``after`` in alphabetical order, for paging; None after the last."""
        with told(self.place):
            found = self._connection.execute("SELECT min(fund) FROM event WHERE fund > ?", (after,))
            name: str | None = found.fetchone()[0]
            return name

    def snapshot(self, fund: str) -> StoredSnapshot | None:
        """The newest snapshot of a fund that belongs to a row of this journal."""
        with told(self.place):
            if not _has_table(self._connection, "snapshot"):
                return None
            row = self._connection.execute(_NEWEST_SNAPSHOT, (fund,)).fetchone()
        return None if row is None else StoredSnapshot(*row)

    def owner(self) -> Owner:
        """The last writer."""
        with told(self.place):
            return _current(self._connection).owner

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


class SqliteWriter:
    """A journal in a file, for one writer."""

    def __init__(self, path: Path) -> None:
        self.place = str(path)
        self._path = path.resolve()
        self._names = str(self._path), f"{self._path}-wal"
        self._lock: WriterLock | None = None
        self._files: tuple[tuple[int, int], ...] | None = None
        if not path.parent.is_dir():
            raise InputError(
                f"{path}: expected a folder {path.parent}, found none; create it first."
            )
        if path.exists() and (path.is_dir() or path.stat().st_size):
            check_file(path)
        with told(self.place):
            self._connection = connect_to_write(path)

    def lease(self, owner: Owner, *, take_over: bool) -> Lease:
        """Take the right to write, after bringing the file to this version of the journal.

        Raises:
            InputError: another writer holds it, and ``take_over`` is false.
        """
        with told(self.place):
            self._lock = lock_writer(_lock_file(self._path), take_over=take_over)
            if self._lock is None:
                is_made = _has_table(self._connection, "writer")
                writer = _current(self._connection).owner if is_made else None
                raise in_use_error(self.place, writer)
            make_durable(self._connection, self.place)
            migrate(self._connection, self.place, migrations("sqlite"))
            self._connection.execute(_SNAPSHOT_TABLE)
            lease = Lease(self._connection.execute(_TAKE, owner).fetchone()[0], owner)
            self._files = self._files_now()
            return lease

    def head(self) -> Head:
        """The number of rows and the last hash."""
        with told(self.place):
            return _head(self._connection)

    def last_rows(self, count: int) -> list[Row]:
        """The last rows, in order."""
        query = f"SELECT {_COLUMNS} FROM event ORDER BY seq DESC LIMIT ?"  # noqa: S608 (no text from outside)
        with told(self.place):
            return list(map(Row._make, self._connection.execute(query, (count,))))[::-1]

    def append(self, rows: Sequence[Row], token: int) -> None:
        """Store rows in one transaction that is on the disk when this returns.

        Raises:
            Fenced: a later writer holds the lease.
            JournalError: the disk is full or failed, and none of the rows is stored.
        """
        connection = self._connection
        self._check_files()
        with told(self.place):
            if len(rows) == 1:
                stored = connection.execute(_INSERT, (*rows[0], token)).rowcount
            else:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    values = ((*row, token) for row in rows)
                    stored = connection.executemany(_INSERT, values).rowcount
                    connection.execute("COMMIT" if stored == len(rows) else "ROLLBACK")
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
            if stored != len(rows):
                raise fenced_error(self.place, token, _current(connection))

    def current_token(self) -> int:
        """The token of the newest lease."""
        with told(self.place):
            return _current(self._connection).token

    def _files_now(self) -> tuple[tuple[int, int], ...] | None:
        """The identities of the files of the journal and its log; None where one is missing."""
        try:
            there = tuple(map(os.stat, self._names))
        except FileNotFoundError:
            return None
        return tuple((each.st_dev, each.st_ino) for each in there)

    def _check_files(self) -> None:
        """Refuse to write to a file that is no longer at the journal's path.

        Raises:
            JournalError: the journal or its log was removed or replaced while it was open.
        """
        if self._files is None or self._files_now() != self._files:
            message = (
                f"{self.place}: the file, or its log ({self._path.name}-wal), was removed or "
                "replaced while this writer had it open: nothing of this append was stored. Put "
                "the right file back, then open the journal again."
            )
            raise JournalError(message, place=self.place)

    def put_snapshot(self, snapshot: StoredSnapshot, token: int) -> None:
        """Store a snapshot.

        Raises:
            Fenced: a later writer holds the lease.
        """
        with told(self.place):
            if not self._connection.execute(_PUT_SNAPSHOT, (*snapshot, token)).rowcount:
                raise fenced_error(self.place, token, _current(self._connection))

    def close(self) -> None:
        """Close the file, which merges its log, and release the lock."""
        self._connection.close()
        if self._lock is not None:
            self._lock.release()


def owner_now(path: Path) -> Owner | None:
    """The writer that has the journal in a file open; None where there is none.

    Raises:
        DataError: there is no journal of this version.
    """
    with told(str(path)):
        if not is_locked(_lock_file(path.resolve())):
            return None
    reader = SqliteReader(path)
    try:
        return reader.owner()
    finally:
        reader.close()


def _lock_file(path: Path) -> Path:
    """The lock file, from the resolved path, so that other names of the journal share the lock."""
    return Path(f"{path}-writer")


def _head(connection: sqlite3.Connection) -> Head:
    row = connection.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    return Head(0, GENESIS) if row is None else Head(*row)


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    query = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?"
    return bool(connection.execute(query, (name,)).fetchone()[0])


def _current(connection: sqlite3.Connection) -> Lease:
    token, *owner = connection.execute(_OWNER).fetchone()
    return Lease(token, Owner(*owner))
