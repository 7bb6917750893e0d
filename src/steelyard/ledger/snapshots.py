"""Snapshots of books, and the hash in the journal against which they are checked.

Snapshots are in a separate table that the chain does not cover. When a writer stops, its last row,
which the chain covers, states the hash of the states of its funds. Opening a journal and ``verify``
compare a snapshot that is bound to such a row with this hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from steelyard.errors import DataError
from steelyard.ledger.bodies import plain
from steelyard.ledger.canonical_json import canonical
from steelyard.ledger.fold import Books
from steelyard.ledger.journal import Journal, Snapshot

__all__ = ["check_snapshot", "snapshot_of", "state_hash"]


def snapshot_of(books: Books) -> dict[str, Any]:
    """The states of the books in the form of a snapshot."""
    return {
        "funds": [
            {"fund": each.series.symbol, "state": plain(each.state), "told": plain(each.told)}
            for each in books.funds
        ]
    }


def state_hash(state: Mapping[str, Any]) -> str:
    """SHA-256 of a snapshot's state, in hexadecimal."""
    return sha256(canonical(dict(state), "state")).hexdigest()


def check_snapshot(journal: Journal, taken: Snapshot) -> bool:
    """Whether a snapshot has the state hash that its row states.

    A snapshot whose row states no hash proves nothing, since anybody could have written it. It is
    not used, and the rows are read from the first one.

    Raises:
        DataError: the snapshot was changed.
    """
    row = next(journal.events(taken.seq - 1, fund=taken.fund, kinds=["stopped"]), None)
    if row is None or row.seq != taken.seq or row.fields.get("state") is None:
        return False
    expected, found = row.fields["state"], state_hash(taken.state)
    if expected != found:
        message = (
            f"{journal.place}: the snapshot of {taken.fund} at event {taken.seq} was changed: "
            f"expected a state whose hash is {expected}, found {found}. Drop the table of "
            "snapshots; the journal is then read from its events."
        )
        raise DataError(message, place=journal.place, at=taken.seq)
    return True
