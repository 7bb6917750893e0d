"""A journal in a SQLite file: write-ahead log, every commit on the disk before it is acknowledged.

A reader opens the file read-only. With a write-ahead log a reader never waits for the writer, nor
the writer for a reader. In a folder that cannot be written SQLite cannot keep its shared memory
file; there a journal is read if its log has been merged, as it is when the writer closed it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from steelyard.errors import DataError, InputError, InvariantError
from steelyard.ledger.events import GENESIS, Head, Row
from steelyard.ledger.lock import WriterLock, lock_writer
from steelyard.ledger.migrations import Migration, migrations, newest
from steelyard.ledger.store import (
    Damaged,
    JournalError,
    Lease,
    Owner,
    Selection,
    StoredSnapshot,
    check_version,
    fenced_error,
)

__all__ = ["APPLICATION_ID", "SqliteReader", "SqliteWriter"]

APPLICATION_ID = 0x53544C4A  # "STLJ": says of a SQLite file that it is a journal
BUSY_S = 5.0
HEADER_BYTES = 100
DURABLE = (2, 3)  # synchronous = FULL, EXTRA

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
        _check_file(path)
        with _told(self.place):
            self._connection = _connect_to_read(path)
            try:
                version = _version(self._connection, self.place)
                check_version(self.place, version, newest("sqlite"))
            except BaseException:
                self._connection.close()
                raise

    def head(self) -> Head:
        """The number of rows and the last hash."""
        with _told(self.place):
            return _head(self._connection)

    def page(self, after: int, limit: int, selection: Selection) -> list[Row]:
        """The first ``limit`` rows after the number ``after``, in order."""
        condition, values = _condition(selection)
        query = f"SELECT {_COLUMNS} FROM event WHERE seq > ?{condition} ORDER BY seq LIMIT ?"  # noqa: S608 (no text from outside)
        with _told(self.place):
            return list(map(Row._make, self._connection.execute(query, (after, *values, limit))))

    def next_fund(self, after: str) -> str | None:
        """The first fund behind ``after`` in the order of their letters."""
        with _told(self.place):
            found = self._connection.execute("SELECT min(fund) FROM event WHERE fund > ?", (after,))
            name: str | None = found.fetchone()[0]
            return name

    def snapshot(self, fund: str) -> StoredSnapshot | None:
        """The newest snapshot of a fund that belongs to a row of this journal."""
        with _told(self.place):
            if not _has_table(self._connection, "snapshot"):
                return None
            row = self._connection.execute(_NEWEST_SNAPSHOT, (fund,)).fetchone()
        return None if row is None else StoredSnapshot(*row)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


class SqliteWriter:
    """A journal in a file, to be written by one writer."""

    def __init__(self, path: Path) -> None:
        self.place = str(path)
        self._path = path
        self._lock: WriterLock | None = None
        if not path.parent.is_dir():
            raise InputError(f"{path}: expected a folder {path.parent}, found none: make it first.")
        if path.exists() and (path.is_dir() or path.stat().st_size):
            _check_file(path)
        with _told(self.place):
            self._connection = sqlite3.connect(
                path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
            )
            try:
                _refuse_other_programs(self._connection, self.place)
            except BaseException:
                self._connection.close()
                raise

    def lease(self, owner: Owner, *, take_over: bool) -> Lease:
        """Take the right to write; the file becomes a journal of this version first.

        Raises:
            InputError: another writer holds it, and this is not to take over.
        """
        with _told(self.place):
            self._lock = lock_writer(Path(f"{self._path}-writer"), take_over=take_over)
            if self._lock is None:
                raise _in_use(self._connection, self.place)
            make_durable(self._connection, self.place)
            migrate(self._connection, self.place, migrations("sqlite"))
            self._connection.execute(_SNAPSHOT_TABLE)
            return Lease(self._connection.execute(_TAKE, owner).fetchone()[0], owner)

    def head(self) -> Head:
        """The number of rows and the last hash."""
        with _told(self.place):
            return _head(self._connection)

    def last_rows(self, count: int) -> list[Row]:
        """The last rows, in order."""
        query = f"SELECT {_COLUMNS} FROM event ORDER BY seq DESC LIMIT ?"  # noqa: S608 (no text from outside)
        with _told(self.place):
            return list(map(Row._make, self._connection.execute(query, (count,))))[::-1]

    def append(self, rows: Sequence[Row], token: int) -> None:
        """Store rows in one transaction that is on the disk when this returns.

        Raises:
            Fenced: a later writer holds the lease.
            JournalError: the disk is full or failed; nothing of the rows is stored.
        """
        connection = self._connection
        with _told(self.place):
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

    def put_snapshot(self, snapshot: StoredSnapshot, token: int) -> None:
        """Store a snapshot.

        Raises:
            Fenced: a later writer holds the lease.
        """
        with _told(self.place):
            if not self._connection.execute(_PUT_SNAPSHOT, (*snapshot, token)).rowcount:
                raise fenced_error(self.place, token, _current(self._connection))

    def close(self) -> None:
        """Close the file, which merges its log, and let go of the lock."""
        self._connection.close()
        if self._lock is not None:
            self._lock.release()


def make_durable(connection: sqlite3.Connection, place: str) -> None:
    """Set the connection so that a commit is on the disk, and look whether that took.

    Raises:
        JournalError: it did not.
    """
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")  # macOS: past the disk's own cache
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    check_durable(connection, place)
    if mode != "wal":
        message = (
            f"{place}: expected journal_mode = wal, found {mode}: the file system does not offer "
            "what a write-ahead log needs; use a local disk."
        )
        raise JournalError(message, found=mode)


def check_durable(connection: sqlite3.Connection, place: str) -> None:
    """Refuse a connection whose commits may be lost with the power.

    Raises:
        JournalError: ``synchronous`` is not FULL or EXTRA.
    """
    level = connection.execute("PRAGMA synchronous").fetchone()[0]
    if level not in DURABLE:
        message = (
            f"{place}: expected synchronous = FULL (2) or EXTRA (3), found {level}: this SQLite "
            "does not write commits to the disk; a journal must not be kept with it."
        )
        raise JournalError(message, found=level)


def migrate(connection: sqlite3.Connection, place: str, steps: Sequence[Migration]) -> None:
    """Apply the steps that are missing, each in one transaction.

    Raises:
        DataError: the journal is of a newer version than the last step.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    check_version(place, version, steps[-1].version, may_be_older=True)
    for step in steps[version:]:
        try:
            connection.executescript(
                f"BEGIN IMMEDIATE;\n{step.sql}\nPRAGMA application_id = {APPLICATION_ID};\n"
                f"PRAGMA user_version = {step.version};\nCOMMIT;"
            )
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _connect_to_read(path: Path) -> sqlite3.Connection:
    uri = path.absolute().as_uri()
    connection = _opened(f"{uri}?mode=ro")
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        if not _cannot_share(error) or _has_log(path):
            raise
        # Nobody can be writing in this folder, and nothing waits in a log.
        return _opened(f"{uri}?mode=ro&immutable=1")
    return connection


def _opened(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(
        uri, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )


def _cannot_share(error: sqlite3.OperationalError) -> bool:
    code = (error.sqlite_errorcode or 0) & 0xFF
    return code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}


def _has_log(path: Path) -> bool:
    log = Path(f"{path}-wal")
    return log.exists() and log.stat().st_size > 0


def _check_file(path: Path) -> None:
    """Refuse what is no SQLite file, before anything opens it.

    Raises:
        DataError: it is missing, a folder, another kind of file, or was cut.
    """
    start = b"SQLite format 3\0"
    if path.is_dir():
        raise DataError(f"{path}: expected a journal, found a folder.", place=str(path))
    try:
        with path.open("rb") as file:
            header = file.read(HEADER_BYTES)
    except FileNotFoundError:
        message = f"{path}: expected a journal, found no such file."
        raise DataError(message, place=str(path)) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.", place=str(path)) from error
    if not header.startswith(start):
        message = f"{path}: expected a journal (a SQLite file), found another kind of file."
        raise DataError(message, place=str(path))
    # Where there is a log somebody may be writing, and the log has what the file may lack.
    length, expected = path.stat().st_size, _length_in(header)
    if length < expected and not _has_log(path):
        message = (
            f"{path}: expected {expected:,} bytes, found {length:,}: the file was cut. It was left "
            "as it is; restore a copy, and compare it with the last head."
        )
        raise Damaged(message, place=str(path), found=length, allowed=expected)


def _length_in(header: bytes) -> int:
    """The length that the header of a SQLite file says (page size, at 16; pages, at 28)."""
    if len(header) < HEADER_BYTES:
        return HEADER_BYTES
    size = int.from_bytes(header[16:18], "big")
    pages = int.from_bytes(header[28:32], "big")
    return pages * (65_536 if size == 1 else size)


def _version(connection: sqlite3.Connection, place: str) -> int:
    """The version of the journal.

    Raises:
        DataError: the file is a database of another program.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        raise DataError(f"{place}: expected a journal, found another program's database.")
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _refuse_other_programs(connection: sqlite3.Connection, place: str) -> None:
    """Refuse to write into a database that holds something and is no journal, or is a newer one."""
    if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        version = _version(connection, place)
        check_version(place, version, newest("sqlite"), may_be_older=True)


def _head(connection: sqlite3.Connection) -> Head:
    row = connection.execute("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1").fetchone()
    return Head(0, GENESIS) if row is None else Head(*row)


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    query = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?"
    return bool(connection.execute(query, (name,)).fetchone()[0])


def _current(connection: sqlite3.Connection) -> Lease:
    token, *owner = connection.execute(_OWNER).fetchone()
    return Lease(token, Owner(*owner))


def _in_use(connection: sqlite3.Connection, place: str) -> InputError:
    owner = _current(connection).owner if _has_table(connection, "writer") else "a process"
    message = (
        f"{place}: is in use: {owner} writes it. Expected to be the only writer; stop that "
        "process, or take over if it is known to be stopped."
    )
    return InputError(message, owner=str(owner))


def _condition(selection: Selection) -> tuple[str, list[object]]:
    """What follows the condition on the number, and its values."""
    text, values = "", list[object]()
    if selection.fund is not None:
        text, values = text + " AND fund = ?", [*values, selection.fund]
    if selection.kinds is not None:
        marks = ", ".join("?" * len(selection.kinds))
        text, values = text + f" AND kind IN ({marks})", [*values, *selection.kinds]
    if selection.since_ms is not None:
        text, values = text + " AND time >= ?", [*values, selection.since_ms]
    if selection.until_ms is not None:
        text, values = text + " AND time < ?", [*values, selection.until_ms]
    return text, values


@contextmanager
def _told(place: str) -> Iterator[None]:
    """Say in Steelyard's errors what SQLite or the file system said."""
    try:
        yield
    except sqlite3.Error as error:
        _raise(error, place)
    except OSError as error:
        message = f"{place}: cannot be written: {error.strerror}: {error.filename}."
        raise InputError(message, place=place) from error


def _raise(error: sqlite3.Error, place: str) -> NoReturn:
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        message = (
            f"{place}: the disk is full: nothing of the last append was stored. Make room, then "
            "open the journal again."
        )
        raise JournalError(message, place=place) from error
    if code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}:
        message = (
            f"{place}: expected a file and a folder that can be written, found them read-only "
            f"({error}): a writer needs both; a reader needs a journal that its writer has closed."
        )
        raise InputError(message, place=place) from error
    if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        message = (
            f"{place}: the file is damaged ({error}). It was left as it is; restore a copy, and "
            "compare it with the last head."
        )
        raise Damaged(message, place=place) from error
    if code == sqlite3.SQLITE_BUSY:
        message = (
            f"{place}: another process keeps a transaction open, and waiting {BUSY_S:.0f} s did "
            "not help: end that process; a stopped one lets go when it is killed."
        )
        raise InputError(message, place=place) from error
    if code == sqlite3.SQLITE_CONSTRAINT:
        message = f"{place}: a row of this number is there already ({error})."
        raise InvariantError(message, place=place) from error
    message = f"{place}: SQLite said: {error}. Nothing of the last append is acknowledged."
    raise JournalError(message, place=place) from error
