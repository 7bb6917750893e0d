"""The read-only view of a journal: its events in order, by fund and kind, its head and snapshots.

    with Journal.open("btc3l.journal") as journal:
        for row in journal.events(fund="BTC3L", kinds=["settled"]):
            print(row.seq, row.time_ms, row.fields)

A reader holds at most one page of rows and reads each page with a separate query, so it never makes
the writer wait. Rows that are appended meanwhile are read too.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from steelyard.closing import Closing
from steelyard.ledger.canonical_json import parsed
from steelyard.ledger.event_rows import Head, Row
from steelyard.ledger.places import open_reader
from steelyard.ledger.proofs import Check, Verdict, verify_rows
from steelyard.ledger.store import PAGE_ROWS, ReadStore, Selection

__all__ = ["Journal", "Snapshot"]

FIRST = -(2**63)
"""Below every number that a database can hold, so that rows with wrong numbers are found too."""


class Snapshot(NamedTuple):
    """The state of a fund after the row ``seq``, as a writer stored it."""

    fund: str
    seq: int
    hash: bytes
    state: dict[str, Any]


class Journal(Closing):
    """A read-only journal: a SQLite file, or a PostgreSQL database by its URL."""

    def __init__(self, store: ReadStore) -> None:
        self._store = store

    @classmethod
    def open(cls, where: str | Path) -> Self:
        """Open the journal in the file ``where``, or at the URL ``postgresql://...``.

        Raises:
            DataError: there is no journal, or it has another version.
            Unavailable: the database at the URL does not answer.
        """
        return cls(open_reader(where))

    @property
    def place(self) -> str:
        """The path or URL of the journal, without a password."""
        return self._store.place

    def head(self) -> Head:
        """The number of events and the hash of the last; 0 and 32 zero bytes if it is empty."""
        return self._store.head()

    def events(
        self,
        after: int = 0,
        *,
        fund: str | Sequence[str] | None = None,
        kinds: Sequence[str] | None = None,
        since_ms: int | None = None,
        until_ms: int | None = None,
    ) -> Iterator[Row]:
        """The rows after the number ``after``, in order.

        Args:
            after: the number of the row before the first wanted row.
            fund: only rows whose column ``fund`` has this value, or one of these values.
            kinds: only rows of these kinds.
            since_ms: only rows from this time on, milliseconds since 1970 (UTC).
            until_ms: only rows before this time, milliseconds since 1970 (UTC).
        """
        wanted = None if kinds is None else tuple(kinds)
        funds = [fund] if fund is None or isinstance(fund, str) else sorted(set(fund))
        streams = [self._stream(after, Selection(one, wanted, since_ms, until_ms)) for one in funds]
        return streams[0] if len(streams) == 1 else heapq.merge(*streams)

    def funds(self) -> list[str]:
        """The distinct values of the column ``fund``, sorted."""
        found: list[str] = []
        name = self._store.next_fund("")
        while name is not None:
            found.append(name)
            name = self._store.next_fund(name)
        return found

    def snapshot(self, fund: str) -> Snapshot | None:
        """The newest snapshot of a fund that belongs to this journal; None where there is none."""
        found = self._store.snapshot(fund)
        if found is None:
            return None
        state = parsed(found.body, f"snapshot of {fund} at {found.seq}")
        return Snapshot(found.fund, found.seq, found.hash, state)

    def snapshots(self) -> list[Snapshot]:
        """The newest snapshot of each fund, and of each reserve."""
        found = [self.snapshot(name) for name in self.funds()]
        return [each for each in found if each is not None]

    def verify(self, *, head: Head | None = None, checks: Sequence[Check] = ()) -> Verdict:
        """Verify the chain, and run further checks, in one pass over the rows.

        Args:
            head: the head in a signed head (``open_head``), with which a cut tail or a rewritten
                chain is found.
            checks: further checks, of books and rules; each sees every row once.
        """
        return verify_rows(self.all_rows(), head=head, checks=checks)

    def all_rows(self) -> Iterator[Row]:
        """All rows in the database, including those with numbers that no event can have."""
        return self._stream(FIRST, Selection())

    def close(self) -> None:
        """Close the file or the connection."""
        self._store.close()

    def _stream(self, after: int, selection: Selection) -> Iterator[Row]:
        while True:
            page = self._store.page(after, PAGE_ROWS, selection)
            yield from page
            if len(page) < PAGE_ROWS:
                return
            after = page[-1].seq
