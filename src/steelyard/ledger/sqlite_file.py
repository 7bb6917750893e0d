"""A SQLite file as a journal needs it: known by its header, flushed, migrated, errors told."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from steelyard.errors import DataError, InputError, InvariantError, JournalError
from steelyard.ledger.migrations import Migration, newest
from steelyard.ledger.store import Damaged, check_version

__all__ = [
    "APPLICATION_ID",
    "check_durable",
    "check_file",
    "connect_to_read",
    "connect_to_write",
    "make_durable",
    "migrate",
    "told",
]

APPLICATION_ID = 0x53544C4A  # "STLJ": says of a SQLite file that it is a journal
BUSY_S = 5.0
HEADER_BYTES = 100
DURABLE = (2, 3)  # synchronous = FULL, EXTRA


def connect_to_read(path: Path) -> sqlite3.Connection:
    """A read-only connection to a journal of this version.

    Raises:
        DataError: the file is another program's, or a journal of another version.
    """
    connection = _readable(path)
    try:
        _check_journal(connection, str(path))
    except BaseException:
        connection.close()
        raise
    return connection


def _readable(path: Path) -> sqlite3.Connection:
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


def connect_to_write(path: Path) -> sqlite3.Connection:
    """A connection to a journal, or to a file that may become one.

    Raises:
        DataError: the file holds something else, or a newer journal.
    """
    connection = sqlite3.connect(
        path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            _check_journal(connection, str(path), may_be_older=True)
    except BaseException:
        connection.close()
        raise
    return connection


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


def check_file(path: Path) -> None:
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


@contextmanager
def told(place: str) -> Iterator[None]:
    """Say in Steelyard's errors what SQLite or the file system said."""
    try:
        yield
    except sqlite3.Error as error:
        _raise(error, place)
    except OSError as error:
        message = f"{place}: cannot be written: {error.strerror}: {error.filename}."
        raise InputError(message, place=place) from error


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


def _length_in(header: bytes) -> int:
    """The length that the header of a SQLite file says (page size, at 16; pages, at 28)."""
    if len(header) < HEADER_BYTES:
        return HEADER_BYTES
    size = int.from_bytes(header[16:18], "big")
    pages = int.from_bytes(header[28:32], "big")
    return pages * (65_536 if size == 1 else size)


def _check_journal(
    connection: sqlite3.Connection, place: str, *, may_be_older: bool = False
) -> None:
    """Refuse a database of another program, and a journal of another version."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION_ID:
        raise DataError(f"{place}: expected a journal, found another program's database.")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    check_version(place, version, newest("sqlite"), may_be_older=may_be_older)


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
            f"{place}: another process keeps a transaction open, and waiting {BUSY_S:z.0f} s did "
            "not help: end that process; a stopped one lets go when it is killed."
        )
        raise InputError(message, place=place) from error
    if code == sqlite3.SQLITE_CONSTRAINT:
        message = f"{place}: a row of this number is there already ({error})."
        raise InvariantError(message, place=place) from error
    message = f"{place}: SQLite said: {error}. Nothing of the last append is acknowledged."
    raise JournalError(message, place=place) from error
