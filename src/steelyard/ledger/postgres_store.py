"""A journal in a PostgreSQL database, in the schema ``journal``; by psycopg 3, imported here only.

Every append is one statement: it locks the lease's row in share, and inserts only where that still
holds the writer's token. A take-over waits for an append that is under way, and an append that
comes after it inserts nothing. Whether a writer is alive is said by an advisory lock of its
session, which ends with its connection (connect directly, not through a pooler that shares
sessions).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from steelyard.errors import DataError, InputError, InvariantError, Unavailable, Unknown
from steelyard.ledger.events import GENESIS, Head, Row
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

if TYPE_CHECKING:
    from psycopg import Connection, Error

__all__ = ["PostgresReader", "PostgresWriter"]

CONNECT_S = 10
FLUSHES = ("fsync", "synchronous_commit", "full_page_writes")
GONE = ("08", "57P")  # the classes of errors of a connection, and of a server that stops
LEASES = 0x53544C4A  # one lease is taken at a time: the key of the lock while it is

_COLUMNS = "seq, time, fund, kind, body, hash"
_OWNER = "SELECT token, owner, host, pid, since FROM journal.writer"
_HEAD = "SELECT seq, hash FROM journal.event ORDER BY seq DESC LIMIT 1"
_INSERT = """
WITH lease AS (SELECT token FROM journal.writer WHERE token = %s FOR SHARE)
INSERT INTO journal.event (seq, time, fund, kind, body, hash)
SELECT u.* FROM lease, unnest(
    %s::bigint[], %s::bigint[], %s::text[], %s::text[], %b::bytea[], %b::bytea[]) AS u
"""
_SNAPSHOT_TABLE = """
CREATE TABLE IF NOT EXISTS journal.snapshot (
    fund text COLLATE "C" NOT NULL, seq bigint NOT NULL, hash bytea NOT NULL, body bytea NOT NULL,
    PRIMARY KEY (fund, seq)
)
"""
_PUT_SNAPSHOT = """
WITH lease AS (SELECT token FROM journal.writer WHERE token = %s FOR SHARE)
INSERT INTO journal.snapshot (fund, seq, hash, body) SELECT %s, %s, %s, %s FROM lease
ON CONFLICT (fund, seq) DO UPDATE SET hash = excluded.hash, body = excluded.body
"""
_NEWEST_SNAPSHOT = """
SELECT s.fund, s.seq, s.hash, s.body FROM journal.snapshot s
JOIN journal.event e ON e.seq = s.seq AND e.hash = s.hash
WHERE s.fund = %s ORDER BY s.seq DESC LIMIT 1
"""
_LOCK = "'journal.event'::regclass::oid::int4, %s::int4"
"""The key of the lock that the session of a lease holds: the table, and the lease's token."""


class PostgresReader:
    """A journal behind a URL; a role that may SELECT suffices."""

    def __init__(self, url: str) -> None:
        self._connection, self.place = _connect(url)
        try:
            with _told(self.place):
                self._connection.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
                _check_readable(self._connection, self.place)
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
        query = (
            f"SELECT {_COLUMNS} FROM journal.event WHERE seq > %s{condition} "  # noqa: S608 (no text from outside)
            "ORDER BY seq LIMIT %s"
        )
        with _told(self.place):
            return _rows(self._connection, query, (after, *values, limit))

    def next_fund(self, after: str) -> str | None:
        """The first fund behind ``after`` in the order of their letters."""
        query = "SELECT min(fund) FROM journal.event WHERE fund > %s"
        with _told(self.place):
            name: str | None = _one(self._connection, query, (after,))[0]
            return name

    def snapshot(self, fund: str) -> StoredSnapshot | None:
        """The newest snapshot of a fund that belongs to a row of this journal."""
        with _told(self.place):
            if _one(self._connection, "SELECT to_regclass('journal.snapshot')")[0] is None:
                return None
            row = self._connection.execute(_NEWEST_SNAPSHOT, (fund,)).fetchone()
        return None if row is None else StoredSnapshot(*row)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class PostgresWriter:
    """A journal behind a URL, to be written by one writer."""

    def __init__(self, url: str) -> None:
        self._connection, self.place = _connect(url)

    def lease(self, owner: Owner, *, take_over: bool) -> Lease:
        """Take the right to write; the schema becomes a journal of this version first.

        Raises:
            InputError: another writer holds it, and this is not to take over.
        """
        connection = self._connection
        with _told(self.place):
            check_durable(connection, self.place)
            migrate(connection, self.place, migrations("postgres"))
            connection.execute(_SNAPSHOT_TABLE)
            with connection.transaction():
                current = _current(connection, " FOR UPDATE")
                held = f"SELECT pg_try_advisory_xact_lock({_LOCK})"
                if not take_over and not _one(connection, held, (current.token,))[0]:
                    raise _in_use(self.place, current.owner)
                token = current.token + 1
                connection.execute(f"SELECT pg_advisory_lock({_LOCK})", (token,))
                connection.execute(
                    "UPDATE journal.writer SET token = %s, owner = %s, host = %s, pid = %s, "
                    "since = %s",
                    (token, *owner),
                )
            return Lease(token, owner)

    def head(self) -> Head:
        """The number of rows and the last hash."""
        with _told(self.place):
            return _head(self._connection)

    def last_rows(self, count: int) -> list[Row]:
        """The last rows, in order."""
        query = f"SELECT {_COLUMNS} FROM journal.event ORDER BY seq DESC LIMIT %s"  # noqa: S608 (no text from outside)
        with _told(self.place):
            return _rows(self._connection, query, (count,))[::-1]

    def append(self, rows: Sequence[Row], token: int) -> None:
        """Store rows in one statement that is on the disk when this returns.

        Raises:
            Fenced: a later writer holds the lease.
            Unknown: the connection broke: the rows are stored, or not.
        """
        columns = map(list, zip(*rows, strict=True))
        with _told(self.place, writing=True):
            stored = self._connection.execute(_INSERT, (token, *columns), prepare=True).rowcount
            if stored != len(rows):
                raise fenced_error(self.place, token, _current(self._connection))

    def put_snapshot(self, snapshot: StoredSnapshot, token: int) -> None:
        """Store a snapshot.

        Raises:
            Fenced: a later writer holds the lease.
        """
        with _told(self.place, writing=True):
            if not self._connection.execute(_PUT_SNAPSHOT, (token, *snapshot)).rowcount:
                raise fenced_error(self.place, token, _current(self._connection))

    def close(self) -> None:
        """Close the connection, with which its lock ends."""
        self._connection.close()


def check_durable(connection: Connection, place: str) -> None:
    """Refuse a server whose commits may be lost with the power.

    Raises:
        JournalError: one of fsync, synchronous_commit and full_page_writes is off.
    """
    for name in FLUSHES:
        found = _one(connection, f"SHOW {name}")[0]
        if found == "off":
            message = (
                f"{place}: expected {name} = on, found off: this server does not write commits to "
                "the disk for certain; a journal must not be kept with it."
            )
            raise JournalError(message, setting=name, found=found)


def migrate(connection: Connection, place: str, steps: Sequence[Migration]) -> None:
    """Apply the steps that are missing, each in one transaction.

    Raises:
        DataError: the journal is newer, or the schema ``journal`` is another program's.
    """
    version = _version(connection)
    if version is None:
        if _one(connection, "SELECT to_regnamespace('journal')")[0] is not None:
            raise _no_journal(place)
        version = 0
    check_version(place, version, steps[-1].version, may_be_older=True)
    for step in steps[version:]:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (LEASES,))
            if (_version(connection) or 0) >= step.version:
                continue  # another writer was faster
            if step.version == 1:
                connection.execute("CREATE SCHEMA journal")
                connection.execute(
                    "CREATE TABLE journal.migration (version integer PRIMARY KEY, "
                    "applied timestamptz NOT NULL DEFAULT now())"
                )
            connection.execute(step.sql.encode())
            connection.execute("INSERT INTO journal.migration VALUES (%s)", (step.version,))


def _connect(url: str) -> tuple[Connection, str]:
    """A connection, and the place's name without a password.

    Raises:
        InputError: psycopg is not installed, or the URL is none.
        Unavailable: the server does not answer, or refuses.
    """
    try:
        import psycopg
    except ImportError as error:
        message = (
            "a journal in PostgreSQL needs psycopg, which is not installed: pip install "
            '"steelyard[postgres]".'
        )
        raise InputError(message) from error
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error as error:
        message = "expected a URL such as postgresql://user@host:5432/database, found another text."
        raise InputError(message) from error
    parts.setdefault("connect_timeout", CONNECT_S)
    place = _name(parts)
    try:
        return psycopg.connect(**parts, autocommit=True), place  # type: ignore[arg-type]  # its own dict
    except psycopg.Error as error:
        why = " ".join(str(error).split())
        password = parts.get("password")
        if password:
            why = why.replace(str(password), "***")
        message = f"{place}: the database does not answer: {why}. Is it running, and the URL right?"
        raise Unavailable(message, place=place) from error


def _name(parts: dict[str, Any]) -> str:
    user = f"{parts['user']}@" if parts.get("user") else ""
    port = f":{parts['port']}" if parts.get("port") else ""
    host = str(parts.get("host") or "localhost")
    return f"postgresql://{user}{host}{port}/{parts.get('dbname') or ''}"


def _one(connection: Connection, query: str, values: Sequence[object] = ()) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = connection.execute(query, values).fetchone()
    if row is None:  # pragma: no cover (each of these queries has a row)
        raise InvariantError(f"expected a row from {query}, found none")
    return row


def _rows(connection: Connection, query: str, values: Sequence[object]) -> list[Row]:
    found = connection.execute(query, values, binary=True)
    return list(map(Row._make, found))


def _head(connection: Connection) -> Head:
    row = connection.execute(_HEAD).fetchone()
    return Head(0, GENESIS) if row is None else Head(*row)


def _version(connection: Connection) -> int | None:
    """The version of the journal; None where the database has none."""
    if _one(connection, "SELECT to_regclass('journal.migration')")[0] is None:
        return None
    version: int = _one(connection, "SELECT coalesce(max(version), 0) FROM journal.migration")[0]
    return version


def _check_readable(connection: Connection, place: str) -> None:
    version = _version(connection)
    if version is None:
        raise _no_journal(place)
    check_version(place, version, newest("postgres"))


def _current(connection: Connection, how: str = "") -> Lease:
    token, *owner = _one(connection, _OWNER + how)
    return Lease(token, Owner(*owner))


def _no_journal(place: str) -> DataError:
    message = (
        f"{place}: expected a journal (the schema journal with its tables), found none in this "
        "database."
    )
    return DataError(message, place=place)


def _in_use(place: str, owner: Owner) -> InputError:
    message = (
        f"{place}: is in use: {owner} writes it. Expected to be the only writer; stop that "
        "process, or take over if it is known to be stopped."
    )
    return InputError(message, owner=str(owner))


def _condition(selection: Selection) -> tuple[str, list[object]]:
    """What follows the condition on the number, and its values."""
    text, values = "", list[object]()
    if selection.fund is not None:
        text, values = text + " AND fund = %s", [*values, selection.fund]
    if selection.kinds is not None:
        text, values = text + " AND kind = ANY(%s)", [*values, list(selection.kinds)]
    if selection.since_ms is not None:
        text, values = text + " AND time >= %s", [*values, selection.since_ms]
    if selection.until_ms is not None:
        text, values = text + " AND time < %s", [*values, selection.until_ms]
    return text, values


@contextmanager
def _told(place: str, *, writing: bool = False) -> Iterator[None]:
    """Say in Steelyard's errors what the database said."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        _raise(error, place, writing=writing)


def _raise(error: Error, place: str, *, writing: bool) -> NoReturn:
    import psycopg
    from psycopg import errors

    why = " ".join(str(error).split())
    if isinstance(error, errors.InsufficientPrivilege):
        message = f"{place}: the role may not do this ({why}): grant it, or use another role."
        raise InputError(message, place=place) from error
    if isinstance(error, errors.UniqueViolation):
        message = f"{place}: a row of this number is there already ({why})."
        raise InvariantError(message, place=place) from error
    if isinstance(error, (errors.DataCorrupted, errors.IndexCorrupted)):
        message = f"{place}: the database is damaged ({why}). It was left as it is."
        raise Damaged(message, place=place) from error
    if isinstance(error, errors.UndefinedTable):
        message = f"{place}: expected a journal, found one without a table ({why})."
        raise DataError(message, place=place) from error
    is_gone = error.sqlstate is None or error.sqlstate.startswith(GONE)
    if is_gone and isinstance(error, psycopg.OperationalError):
        if writing:
            message = (
                f"{place}: the connection broke during an append ({why}): whether it is stored is "
                "known when the journal is opened again."
            )
            raise Unknown(message, place=place) from error
        raise Unavailable(f"{place}: the connection broke ({why}).", place=place) from error
    message = f"{place}: PostgreSQL said: {why}. Nothing of the last append is acknowledged."
    raise JournalError(message, place=place) from error
