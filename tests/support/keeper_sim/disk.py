"""A journal's database in memory: transactions that are there wholly or not, tokens, snapshots.

It outlives the processes that write it. A ``Connection`` is one process's; what goes wrong with
its next commit is set from outside.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence

from steelyard.errors import JournalError
from steelyard.ledger.event_rows import GENESIS, Head, Row
from steelyard.ledger.store import Lease, Owner, Selection, StoredSnapshot, fenced_error

__all__ = ["Connection", "Disk"]


class Disk:
    """The rows, the newest lease and the snapshots; all of it is durable."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.lease = Lease(0, Owner("", "", 0, 0))
        self.snapshots: dict[str, StoredSnapshot] = {}
        self.look: Callable[[Sequence[Row]], None] = lambda _: None
        """Shown each transaction once it is there."""

    @property
    def head(self) -> Head:
        """Where the journal ends."""
        return Head(self.rows[-1].seq, self.rows[-1].hash) if self.rows else Head(0, GENESIS)


class Connection:
    """What one process has open: a store to read and to write, as the journal's code asks for."""

    place = "disk"

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.torn: str | None = None
        """What happens to the next commit: ``lost`` or ``kept``; either way it is not answered."""

    def head(self) -> Head:
        """The number of rows and the last hash."""
        return self.disk.head

    def last_rows(self, count: int) -> list[Row]:
        """The last rows, in order."""
        return self.disk.rows[-count:]

    def page(self, after: int, limit: int, selection: Selection) -> list[Row]:
        """The first ``limit`` rows after the number ``after``."""
        rows, found = self.disk.rows, []
        for row in rows[bisect_right(rows, after, key=lambda row: row.seq) :]:
            if (selection.fund is None or row.fund == selection.fund) and (
                selection.kinds is None or row.kind in selection.kinds
            ):
                if selection.since_ms is not None and row.time_ms < selection.since_ms:
                    continue
                found.append(row)
                if len(found) == limit:
                    break
        return found

    def next_fund(self, after: str) -> str | None:
        """The first fund behind ``after``."""
        return min((row.fund for row in self.disk.rows if row.fund > after), default=None)

    def snapshot(self, fund: str) -> StoredSnapshot | None:
        """The newest snapshot of a fund."""
        return self.disk.snapshots.get(fund)

    def take_lease(self, owner: Owner) -> Lease:
        """The right to write; every earlier one is over."""
        self.disk.lease = Lease(self.disk.lease.token + 1, owner)
        return self.disk.lease

    def lease(self, owner: Owner, *, take_over: bool) -> Lease:  # noqa: ARG002 (of the protocol)
        """Take the right to write."""
        return self.take_lease(owner)

    def current_token(self) -> int:
        """The token of the newest lease."""
        return self.disk.lease.token

    def append(self, rows: Sequence[Row], token: int) -> None:
        """Store rows in one transaction."""
        torn, self.torn = self.torn, None
        if torn == "lost":
            raise JournalError("the disk failed before the commit was there")
        if token != self.disk.lease.token:
            raise fenced_error(self.place, token, self.disk.lease)
        self.disk.rows.extend(rows)
        self.disk.look(rows)
        if torn == "kept":
            raise JournalError("the disk failed after the commit was there")

    def put_snapshot(self, snapshot: StoredSnapshot, token: int) -> None:
        """Store a snapshot."""
        if token != self.disk.lease.token:
            raise fenced_error(self.place, token, self.disk.lease)
        self.disk.snapshots[snapshot.fund] = snapshot

    def close(self) -> None:
        """Nothing is held."""
