"""The only writer of a journal.

    with open_writer("btc3l.journal", owner="keeper") as writer:
        writer.append([Event(time_ms, "BTC3L", "mark", {...})])

``append`` returns when its events are on the disk; either all of them are stored or none. A writer
takes a lease when it opens the journal, which gives it a token greater than all earlier ones. The
database accepts only rows with the newest token. After an error of the store a writer writes
nothing more. What is stored is known when the journal is opened again.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from steelyard.closing import Closing
from steelyard.errors import DataError, JournalError
from steelyard.ledger.canonical_json import canonical
from steelyard.ledger.event_rows import GENESIS, Event, Head, Row, check_fund, link, sealed
from steelyard.ledger.places import open_writer_store
from steelyard.ledger.store import Lease, Owner, StoredSnapshot, WriteStore

__all__ = ["Writer", "open_writer"]


class Writer(Closing):
    """The right to append to a journal."""

    def __init__(self, store: WriteStore, lease: Lease) -> None:
        self._store = store
        self._head = store.head()
        self._is_open = True
        self.lease = lease

    @property
    def place(self) -> str:
        """The path or URL of the journal, without a password."""
        return self._store.place

    @property
    def head(self) -> Head:
        """The number of events and the hash of the last."""
        return self._head

    def append(self, events: Iterable[Event]) -> list[Row]:
        """Append events in one transaction; they are on the disk when this returns.

        Raises:
            InputError: a journal does not accept an event. Nothing was written, and the writer can
                continue.
            Fenced: another writer took over; nothing was written.
            JournalError: the store failed. Whether the events are stored is known when the journal
                is opened again.
        """
        head, rows = self._head, list[Row]()
        for event in events:
            row = sealed(event, head)
            rows.append(row)
            head = Head(row.seq, row.hash)
        if rows:
            with self._closing_on_error():
                self._store.append(rows, self.lease.token)
            self._head = head
        return rows

    def snapshot(self, fund: str, state: Mapping[str, Any]) -> None:
        """Store the state of a fund after the last event, outside of the chain.

        Raises:
            InputError: the state has no canonical JSON.
            Fenced, JournalError: as ``append``.
        """
        check_fund(fund)
        body = canonical(dict(state), "state")
        taken = StoredSnapshot(fund, self._head.size, self._head.hash, body)
        with self._closing_on_error():
            self._store.put_snapshot(taken, self.lease.token)

    def is_current(self) -> bool:
        """Whether no other writer has taken the journal over."""
        return self._is_open and self._store.current_token() == self.lease.token

    def close(self) -> None:
        """Give up the lease, and close the file or connection."""
        if self._is_open:
            self._is_open = False
            self._store.close()

    @contextmanager
    def _closing_on_error(self) -> Iterator[None]:
        """Close the writer if its store raises, because the head is then not known."""
        if not self._is_open:
            message = f"{self.place}: this writer is closed: open the journal again."
            raise JournalError(message, place=self.place)
        try:
            yield
        except BaseException:
            self.close()
            raise


def open_writer(where: str | Path, *, owner: str = "", take_over: bool = False) -> Writer:
    """Open a journal for writing; a missing file or schema is created.

    Args:
        where: a file or ``postgresql://...``.
        owner: the name of the writer, for the message that a second writer gets.
        take_over: whether to replace a writer that still holds the journal, such as a stopped
            process. That writer can write nothing more.

    Raises:
        InputError: another writer holds it (the message names it), or it cannot be written.
        DataError: it is not a journal, is a newer journal, or has a damaged end.
        JournalError: the database does not write commits to the disk.
        Unavailable: the database at the URL does not answer.
    """
    store = open_writer_store(where)
    try:
        me = Owner(owner, socket.gethostname(), os.getpid(), time.time_ns() // 1_000_000)
        lease = store.lease(me, take_over=take_over)
        _check_end(store)
        return Writer(store, lease)
    except BaseException:
        store.close()
        raise


def _check_end(store: WriteStore) -> None:
    """Refuse to append to a last row that does not match its hash.

    Raises:
        DataError: the last row was changed.
    """
    rows = store.last_rows(2)
    if not rows:
        return
    before, last = (Head(0, GENESIS), rows[0])
    if len(rows) > 1:
        before, last = Head(rows[0].seq, rows[0].hash), rows[1]
    if last.seq != before.size + 1 or link(before.hash, last.body) != last.hash:
        message = (
            f"{store.place}: the last event ({last.seq}) does not follow from the one before it: "
            'the journal is damaged and was left as it is. "steelyard journal verify" says where.'
        )
        raise DataError(message, place=store.place, at=last.seq)
