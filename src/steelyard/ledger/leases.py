"""The lease that decides which keeper may try to run a fund.

Safety does not depend on the lease, but on the token of each append. With SQLite the lease is the
locked file beside the journal: it ends with its process and never locks readers out. With
PostgreSQL it is a row with the token and an expiry time by the database's clock, so a keeper whose
machine hangs is replaced after a while, regardless of its own clock.
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
"""The time from a renewal to the expiry of a lease, ms."""
RENEW_MS = 4_000
"""The time between two renewals by a keeper, ms."""


class HeldLease(NamedTuple):
    """A lease that somebody holds."""

    holder: str
    """The name, process and host of its holder."""
    since: str
    """The time since when it is held, UTC, by the holder's clock."""
    until: str | None
    """The expiry time, UTC, by the database's clock; None where it lasts as long as its process."""


class KeeperLease(Protocol):
    """The right to try to run the funds of a journal."""

    writer: Writer

    def renew(self) -> int | None:
        """Renew it; returns its duration from before this call (ms), or None where it is lost."""

    def release(self) -> None:
        """Give it up, so that a successor does not have to wait."""


class FileLease:
    """The lease of a SQLite journal: the lock of its writer."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer

    def renew(self) -> int | None:
        """Check the lock, which lasts as long as this process unless another one takes over."""
        return LASTS_MS if self.writer.is_current() else None

    def release(self) -> None:
        """Close the journal."""
        self.writer.close()


class RowLease:
    """The lease of a PostgreSQL journal: a row in its own schema, by the database's clock."""

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
        """Take the row if it is free, and with it the right to write.

        Raises:
            InputError: another keeper holds it; the message names the keeper and the expiry.
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
                    f"who holds it until {until:%Y-%m-%d %H:%M:%S} UTC; stop that keeper, or wait."
                )
                raise InputError(message, place=self._place, holder=holder, until=str(until))
            writer = open_writer(url, owner=owner, take_over=True)
            values = (writer.lease.token, str(writer.lease.owner), self._lasts_ms)
            self._connection.execute(_HOLD, values)
            return writer

    def renew(self) -> int | None:
        """Extend the expiry, if nobody else has taken the row."""
        with self._told(self._place):
            values = (self._lasts_ms, self.writer.lease.token)
            done = self._connection.execute(_RENEW, values).rowcount
        return self._lasts_ms if done == 1 else None

    def release(self) -> None:
        """End the lease now."""
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
    """Take the lease of a journal and the right to write it; a missing journal is created.

    Raises:
        InputError: another keeper holds it; the message names the keeper and the expiry.
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
            f"{holder or 'a process that has not written its name yet'}, which holds it as long "
            "as it runs; stop that process first."
        )
        raise InputError(message, place=str(where), holder=holder, until=None) from error


def lease_held(where: str | Path) -> HeldLease | None:
    """The holder of a journal's lease with its times; None where nobody holds it.

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
