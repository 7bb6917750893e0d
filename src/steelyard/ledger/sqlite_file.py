"""The SQLite file of a journal: its header, durability, migrations and errors."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import NoReturn
from weakref import WeakSet

from steelyard.errors import DataError, InputError, InvariantError, JournalError
from steelyard.ledger.migrations import Migration, migrations, newest
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

APPLICATION_ID = 0x53544C4A  # "STLJ" marks a SQLite file as a journal
BUSY_S = 5.0
HEADER_BYTES = 100
EXPORTED = b'{"body":{'
WITH_LOG = b"\x02\x02"  # bytes 18 and 19 of the header of a file with a write-ahead log
DURABLE = (2, 3)  # synchronous = FULL, EXTRA
_OBJECTS = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL"


def connect_to_read(path: Path) -> sqlite3.Connection:
    """A read-only connection to a journal of this version.

    Raises:
        DataError: the file belongs to another program, or is a journal of another version.
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
    connection = _connected(path, f"{uri}?mode=ro", uri=True)
    try:
        _tables(connection)
    except sqlite3.OperationalError as error:
        connection.close()
        if not _cannot_share(error) or _has_log(path):
            raise
        # Nobody can write in this folder, and no log is waiting to be merged.
        return _connected(path, f"{uri}?mode=ro&immutable=1", uri=True)
    return connection


def connect_to_write(path: Path) -> sqlite3.Connection:
    """A connection to a journal, or to a file that may become one.

    Raises:
        DataError: the file is not a journal, or is a newer journal.
    """
    connection = _connected(path, str(path), uri=False)
    try:
        if _tables(connection):
            _check_journal(connection, str(path), may_be_older=True)
        else:
            _check_log(path)
    except BaseException:
        connection.close()
        raise
    return connection


def make_durable(connection: sqlite3.Connection, place: str) -> None:
    """Configure the connection so that commits are on the disk, and check the settings.

    Raises:
        JournalError: the settings did not take effect.
    """
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")  # on macOS this also flushes the disk's own cache
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    check_durable(connection, place)
    if mode != "wal":
        message = (
            f"{place}: expected journal_mode = wal, found {mode}: the file system does not "
            "support a write-ahead log; use a local disk."
        )
        raise JournalError(message, found=mode)


def check_durable(connection: sqlite3.Connection, place: str) -> None:
    """Refuse a connection that may lose commits in a power failure.

    Raises:
        JournalError: ``synchronous`` is not FULL or EXTRA.
    """
    level = connection.execute("PRAGMA synchronous").fetchone()[0]
    if level not in DURABLE:
        message = (
            f"{place}: expected synchronous = FULL (2) or EXTRA (3), found {level}: this SQLite "
            "may lose commits, so a journal must not be kept in it."
        )
        raise JournalError(message, found=level)


def migrate(connection: sqlite3.Connection, place: str, steps: Sequence[Migration]) -> None:
    """Apply the missing migration steps, each in one transaction.

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
    """Refuse a path that is not a SQLite file, before anything opens it.

    Raises:
        DataError: the file is missing, is a folder or another kind of file, or was cut.
    """
    if _is_open_here(path):
        return
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
        found = "another kind of file" if header else "an empty file"
        if header.startswith(EXPORTED):
            found = 'an export of a journal, which only "steelyard journal verify" reads'
        message = f"{path}: expected a journal (a SQLite file), found {found}."
        raise DataError(message, place=str(path))
    # Where a log exists somebody may be writing, and the log may hold pages that the file lacks.
    length, expected = path.stat().st_size, _length_in(header)
    if length < expected and not _has_log(path):
        message = (
            f"{path}: expected {expected:,} bytes, found {length:,}: the file was cut. It was left "
            "as it is; restore a copy, and compare it with the last head."
        )
        raise Damaged(message, place=str(path), found=length, allowed=expected)


@contextmanager
def told(place: str) -> Iterator[None]:
    """Convert errors of SQLite and of the file system to errors of Steelyard."""
    try:
        yield
    except sqlite3.Error as error:
        _raise(error, place)
    except OSError as error:
        message = f"{place}: cannot be written: {error.strerror}: {error.filename}."
        raise InputError(message, place=place) from error


class _Connection(sqlite3.Connection):
    """A connection that knows which file it has open."""

    file: tuple[int, int] | None = None

    def close(self) -> None:
        """Close it; the file then counts as closed here, unless another connection has it open."""
        _OPEN.discard(self)
        super().close()


_OPEN: WeakSet[_Connection] = WeakSet()
"""The open connections of this process. When a process closes any handle of a file, it loses all
its locks on the file, also those of other connections. Another process could then believe that it
is the last one, and remove the log that a writer here is writing. A file that is open here is
therefore only opened through SQLite."""


def _connected(path: Path, name: str, *, uri: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(
        name,
        uri=uri,
        timeout=BUSY_S,
        isolation_level=None,
        check_same_thread=False,
        factory=_Connection,
    )
    connection.file = _file_of(path)
    _OPEN.add(connection)
    return connection


def _file_of(path: Path) -> tuple[int, int] | None:
    try:
        there = path.stat()
    except OSError:
        return None
    return there.st_dev, there.st_ino


def _is_open_here(path: Path) -> bool:
    file = _file_of(path)
    return file is not None and any(each.file == file for each in _OPEN)


def _cannot_share(error: sqlite3.OperationalError) -> bool:
    code = (error.sqlite_errorcode or 0) & 0xFF
    return code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}


def _has_log(path: Path) -> bool:
    log = Path(f"{path}-wal")
    return log.exists() and log.stat().st_size > 0


def _check_log(path: Path) -> None:
    """Refuse an empty database whose header shows that it had a log, if no lock file is beside it.

    A writer that is killed before its first transaction leaves the same file, but also a lock file.

    Raises:
        DataError: it is the file of a journal without the log that holds its events.
    """
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
    if header[18:20] == WITH_LOG and not (_has_log(path) or Path(f"{path}-writer").exists()):
        raise _without_its_log(str(path))


def _without_its_log(place: str) -> DataError:
    name = Path(place).name
    message = (
        f"{place}: expected a journal, found an empty database: the events of a journal whose "
        f"writer was killed are in its log, {name}-wal, which is not beside it. Copy both files, "
        "or copy the journal after a writer has opened and closed it."
    )
    return DataError(message, place=place)


def _tables(connection: sqlite3.Connection) -> int:
    count: int = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    return count


def _length_in(header: bytes) -> int:
    """The length according to the header of a SQLite file (page size at 16, pages at 28), bytes."""
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
    if application == 0 and not _tables(connection):
        raise _without_its_log(place)
    if application != APPLICATION_ID:
        raise DataError(f"{place}: expected a journal, found another program's database.")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    check_version(place, version, newest("sqlite"), may_be_older=may_be_older)
    _check_tables(connection, place, version)


def _check_tables(connection: sqlite3.Connection, place: str, version: int) -> None:
    """Refuse a database whose tables, index and triggers are not those of a journal.

    A view in place of the table of events could show data that no row holds. Without the trigger,
    or with another one, a row could be changed by mistake or stored differently from what was
    passed.

    Raises:
        DataError: one of them is missing or different, or there is an additional trigger.
    """
    found, made = set(connection.execute(_OBJECTS)), _made(version)
    missing = sorted(made - found, key=lambda each: (each[0] != "table", each))
    wrong = [f"the {kind} {name}" for kind, name, *_ in missing]
    more = [f"a trigger {name}" for kind, name, *_ in sorted(found - made) if kind == "trigger"]
    if wrong or more:
        what = (
            f"{wrong[0]} missing or changed" if wrong else f"{more[0]} that does not belong there"
        )
        message = (
            f"{place}: expected the tables of a journal of version {version}, found {what}: "
            "somebody changed them. It was left as it is; restore a copy, and compare it with the "
            "last head."
        )
        raise DataError(message, place=place, found=what)


@cache
def _made(version: int) -> frozenset[tuple[str, str, str, str]]:
    """The objects that the migration steps up to a version create."""
    with closing(sqlite3.connect(":memory:")) as memory:
        for step in migrations("sqlite")[:version]:
            memory.executescript(step.sql)
        return frozenset(memory.execute(_OBJECTS))


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
            "not help. End that process; one that is stopped must be killed."
        )
        raise InputError(message, place=place) from error
    if code == sqlite3.SQLITE_CONSTRAINT:
        message = f"{place}: a row with this number exists already ({error})."
        raise InvariantError(message, place=place) from error
    message = f"{place}: SQLite said: {error}. Nothing of the last append is acknowledged."
    raise JournalError(message, place=place) from error
