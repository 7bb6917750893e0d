"""A journal in the schema ``journal`` of a PostgreSQL database, through psycopg 3.

Every append is one statement. It takes a share lock on the row of the lease, and inserts only if
that row still holds the writer's token. A take-over waits for an append in progress, and a later
append of the replaced writer inserts nothing. An advisory lock of its session shows whether a
writer is alive; it ends with the connection. Connect directly, and not through a pooler that shares
sessions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from steelyard.ledger.event_rows import GENESIS, Head, Row
from steelyard.ledger.migrations import migrations
from steelyard.ledger.postgres_link import (
    check_durable,
    check_readable,
    connect,
    migrate,
    one_row,
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

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["PostgresReader", "PostgresWriter"]

_COLUMNS = "seq, time, fund, kind, body, hash"
_OWNER = "SELECT token, owner, host, pid, since FROM journal.writer"
_HEAD = "SELECT seq, hash FROM journal.event ORDER BY seq DESC LIMIT 1"
_INSERT_ONE = """
INSERT INTO journal.event (seq, time, fund, kind, body, hash)
SELECT %b, %b, %b, %b, %b, %b FROM journal.writer WHERE token = %b FOR SHARE
"""
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
"""The key of the lock that the session of a lease holds: the table and the token of the lease."""


class PostgresReader:
    """A journal at a URL, for reading; its role needs only the right to SELECT."""

    def __init__(self, url: str) -> None:
        self._connection, self.place = connect(url)
        try:
            with told(self.place):
                self._connection.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
                check_readable(self._connection, self.place)
        except BaseException:
            self._connection.close()
            raise

    def head(self) -> Head:
        """The number of rows and the last hash."""
        with told(self.place):
            return _head(self._connection)

    def page(self, after: int, limit: int, selection: Selection) -> list[Row]:
        """The first ``limit`` rows after the number ``after``, in order."""
        condition, values = selection.condition("%s")
        query = (
            f"SELECT {_COLUMNS} FROM journal.event WHERE seq > %s{condition} "  # noqa: S608 (no text from outside)
            "ORDER BY seq LIMIT %s"
        )
        with told(self.place):
            return _rows(self._connection, query, (after, *values, limit))

    def next_fund(self, after: str) -> str | None:
        """The first fund after ``after`` in alphabetical order, for paging; None after the last."""
        query = "SELECT min(fund) FROM journal.event WHERE fund > %s"
        with told(self.place):
            name: str | None = one_row(self._connection, query, (after,))[0]
            return name

    def snapshot(self, fund: str) -> StoredSnapshot | None:
        """The newest snapshot of a fund that belongs to a row of this journal."""
        with told(self.place):
            if one_row(self._connection, "SELECT to_regclass('journal.snapshot')")[0] is None:
                return None
            row = self._connection.execute(_NEWEST_SNAPSHOT, (fund,)).fetchone()
        return None if row is None else StoredSnapshot(*row)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class PostgresWriter:
    """A journal at a URL, for one writer."""

    def __init__(self, url: str) -> None:
        self._connection, self.place = connect(url)
        self._cursor = self._connection.cursor()

    def lease(self, owner: Owner, *, take_over: bool) -> Lease:
        """Take the right to write, after bringing the schema to this version of the journal.

        Raises:
            InputError: another writer holds it, and ``take_over`` is false.
        """
        connection = self._connection
        with told(self.place):
            check_durable(connection, self.place)
            migrate(connection, self.place, migrations("postgres"))
            connection.execute(_SNAPSHOT_TABLE)
            with connection.transaction():
                current = _current(connection, " FOR UPDATE")
                held = f"SELECT pg_try_advisory_xact_lock({_LOCK})"
                if not take_over and not one_row(connection, held, (current.token,))[0]:
                    raise in_use_error(self.place, current.owner)
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
        with told(self.place):
            return _head(self._connection)

    def last_rows(self, count: int) -> list[Row]:
        """The last rows, in order."""
        query = f"SELECT {_COLUMNS} FROM journal.event ORDER BY seq DESC LIMIT %s"  # noqa: S608 (no text from outside)
        with told(self.place):
            return _rows(self._connection, query, (count,))[::-1]

    def current_token(self) -> int:
        """The token of the newest lease."""
        with told(self.place):
            return _current(self._connection).token

    def append(self, rows: Sequence[Row], token: int) -> None:
        """Store rows in one statement that is on the disk when this returns.

        Raises:
            Fenced: a later writer holds the lease.
            Unknown: the connection broke, so it is not known whether the rows are stored.
        """
        query = _INSERT_ONE if len(rows) == 1 else _INSERT
        values: Sequence[object] = (token, *map(list, zip(*rows, strict=True)))
        if len(rows) == 1:  # this is half the work of an array, for the client and for the server
            values = (*rows[0], token)
        with told(self.place, writing=True):
            stored = self._cursor.execute(query, values, prepare=True).rowcount
            if stored != len(rows):
                raise fenced_error(self.place, token, _current(self._connection))

    def put_snapshot(self, snapshot: StoredSnapshot, token: int) -> None:
        """Store a snapshot.

        Raises:
            Fenced: a later writer holds the lease.
        """
        with told(self.place, writing=True):
            if not self._connection.execute(_PUT_SNAPSHOT, (token, *snapshot)).rowcount:
                raise fenced_error(self.place, token, _current(self._connection))

    def close(self) -> None:
        """Close the connection, which also ends its lock."""
        self._connection.close()


def _rows(connection: Connection, query: str, values: Sequence[object]) -> list[Row]:
    found = connection.execute(query, values, binary=True)
    return list(map(Row._make, found))


def _head(connection: Connection) -> Head:
    row = connection.execute(_HEAD).fetchone()
    return Head(0, GENESIS) if row is None else Head(*row)


def _current(connection: Connection, how: str = "") -> Lease:
    token, *owner = one_row(connection, _OWNER + how)
    return Lease(token, Owner(*owner))
