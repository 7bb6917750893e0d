"""The lease: which keeper tries. Safety does not rest on it, but on the token of each append.

With SQLite the locked file beside the journal is the lease: it ends with its process, and readers
are never locked out. With PostgreSQL it is a row with the token and an end by the database's clock,
so that a keeper whose machine hangs is replaced after a while, whatever its own clock says.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from steelyard.errors import InputError
from steelyard.ledger.places import is_url
from steelyard.ledger.store import Owner
from steelyard.ledger.writer import Writer, open_writer

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["LASTS_MS", "HeldLease", "KeeperLease", "lease_held", "take_lease"]

LASTS_MS = 15_000
"""From a renewal to the end of a lease."""
RENEW_MS = 4_000
"""A keeper renews it that often."""


class HeldLease(NamedTuple):
    """A lease that is held."""

    holder: str
    """A name, the process and its host."""
    since: str
    """UTC, by the holder's clock."""
    until: str | None
    """UTC, by the database's clock, renewed every few seconds; None: while its process lives."""


class KeeperLease(Protocol):
    """The right to try."""

    writer: Writer

    def renew(self) -> int | None:
        """For how long it is held from before this call on, ms; None: it is lost."""

    def release(self) -> None:
        """Give it up, so that a successor need not wait."""


class FileLease:
    """The lock of the journal's writer."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer

    def renew(self) -> int | None:
        """The lock is held while this process lives, unless somebody took the journal over."""
        return LASTS_MS if self.writer.is_current() else None

    def release(self) -> None:
        """Close the journal."""
        self.writer.close()


class RowLease:
    """A row in a schema of its own, by the database's clock."""

    def __init__(self, url: str, owner: str, lasts_ms: int = LASTS_MS) -> None:
        from steelyard.ledger.postgres_link import connect, told

        self._told, self._lasts_ms = told, lasts_ms
        connection, self._place = connect(url)
        self._connection: Connection = connection
        try:
            self.writer = self._take(url, owner)
        except BaseException:
            connection.close()
            raise

    def _take(self, url: str, owner: str) -> Writer:
        """Take the row where it is free, and the right to write with it.

        Raises:
            InputError: another keeper holds it: who, and until when.
        """
        with self._told(self._place):
            for statement in ("CREATE SCHEMA IF NOT EXISTS keeper", _TABLE, _FIRST):
                self._connection.execute(statement)
        with self._told(self._place), self._connection.transaction():
            row = self._connection.execute(_LOOK).fetchone()
            assert row is not None  # noqa: S101 (it was just made sure of)
            is_free, holder, until = row
            if not is_free:
                message = (
                    f"{self._place}: expected a journal that no keeper runs on, found {holder}, "
                    f"who holds it until {until:%Y-%m-%d %H:%M:%S} UTC: stop that one, or wait."
                )
                raise InputError(message, place=self._place, holder=holder, until=str(until))
            writer = open_writer(url, owner=owner, take_over=True)
            values = (writer.lease.token, str(writer.lease.owner), self._lasts_ms)
            self._connection.execute(_HOLD, values)
            return writer

    def renew(self) -> int | None:
        """Move the end, where nobody else has taken the row."""
        with self._told(self._place):
            values = (self._lasts_ms, self.writer.lease.token)
            done = self._connection.execute(_RENEW, values).rowcount
        return self._lasts_ms if done == 1 else None

    def release(self) -> None:
        """End it now."""
        self.writer.close()
        with self._told(self._place):
            self._connection.execute(_RELEASE, (self.writer.lease.token,))
        self._connection.close()


_TABLE = """
CREATE TABLE IF NOT EXISTS keeper.lease (
    one integer PRIMARY KEY CHECK (one = 1),
    token bigint NOT NULL,
    holder text NOT NULL,
    until timestamptz NOT NULL
)
"""
_FIRST = "INSERT INTO keeper.lease VALUES (1, 0, '', '-infinity') ON CONFLICT DO NOTHING"
_LOOK = """
SELECT until <= clock_timestamp(), holder,
       CASE WHEN isfinite(until) THEN until AT TIME ZONE 'UTC' END
FROM keeper.lease FOR UPDATE
"""
_HELD = """
SELECT w.owner, w.host, w.pid, w.since, l.until AT TIME ZONE 'UTC'
FROM keeper.lease l JOIN journal.writer w ON w.token = l.token
WHERE l.until > clock_timestamp()
"""
_HOLD = """
UPDATE keeper.lease
SET token = %s, holder = %s, until = clock_timestamp() + %s * interval '1 millisecond'
"""
_RENEW = """
UPDATE keeper.lease SET until = clock_timestamp() + %s * interval '1 millisecond'
WHERE token = %s
"""
_RELEASE = "UPDATE keeper.lease SET until = '-infinity' WHERE token = %s"


def take_lease(where: str | Path, owner: str) -> KeeperLease:
    """Take the lease of a journal, which is made where it is missing, and the right to write it.

    Raises:
        InputError: another keeper holds it (the message says which, and until when).
        DataError, JournalError, Unavailable: as ``open_writer``.
    """
    if is_url(where):
        return RowLease(str(where), owner)
    try:
        return FileLease(open_writer(where, owner=owner))
    except InputError as error:
        holder = error.details.get("owner")
        if holder is None:
            raise
        message = (
            f"{where}: expected a journal that no keeper runs on, found "
            f"{holder or 'a process that has not said its name yet'}, who holds it as long as "
            "that process lives: stop that one first."
        )
        raise InputError(message, place=str(where), holder=holder, until=None) from error


def lease_held(where: str | Path) -> HeldLease | None:
    """Who holds the lease of a journal, since when and until when; None: nobody.

    Raises:
        DataError, Unavailable: as ``Journal.open``.
    """
    if is_url(where):
        return _row_held(str(where))
    from steelyard.ledger.sqlite_store import owner_now

    owner = owner_now(Path(where))
    return None if owner is None else HeldLease(owner.who, owner.since, None)


def _row_held(url: str) -> HeldLease | None:
    from steelyard.ledger.postgres_link import connect, told

    connection, place = connect(url)
    with connection, told(place):
        found = connection.execute("SELECT to_regclass('keeper.lease')").fetchone()
        if found is None or found[0] is None:
            return None
        row = connection.execute(_HELD).fetchone()
    if row is None:
        return None
    *owner, until = row
    known = Owner(*owner)
    return HeldLease(known.who, known.since, f"{until:%Y-%m-%dT%H:%M:%SZ}")
