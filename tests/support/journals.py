"""Journals for tests: a kind of event of their own, and some events of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

from steelyard.ledger import Event, Kind, Row, amount_text, open_writer, register_kind

__all__ = ["T0_MS", "TRIED", "event", "events", "forge", "journal_of", "stored_rows"]

T0_MS = 1_764_000_000_000

TRIED = register_kind(
    Kind(
        "tried",
        "A test tried something.",
        {"n": "the number of the try", "cash": "an amount"},
        {"note": "words"},
    )
)


def event(n: int, fund: str = "BTC3L", **more: str) -> Event:
    """The n-th try, a second after the one before."""
    fields = {"n": n, "cash": amount_text(n / 8), **more}
    return Event(T0_MS + 1_000 * n, fund, "tried", fields)


def events(count: int, fund: str = "BTC3L") -> list[Event]:
    """The first tries."""
    return [event(n, fund) for n in range(1, count + 1)]


def journal_of(where: str | Path, given: Iterable[Event]) -> str | Path:
    """A journal of these events; where it is."""
    with open_writer(where) as writer:
        writer.append(given)
    return where


def stored_rows(path: Path) -> list[Row]:
    """The rows of a SQLite journal, as they stand in the file."""
    connection = sqlite3.connect(path)
    query = "SELECT seq, time, fund, kind, body, hash FROM event ORDER BY seq"
    rows = list(map(Row._make, connection.execute(query)))
    connection.close()
    return rows


def forge(path: Path, change: Callable[[list[Row]], list[Row]]) -> None:
    """Put other rows in the place of a SQLite journal's, as somebody with the file can."""
    rows = change(stored_rows(path))
    connection = sqlite3.connect(path)
    connection.executescript(
        "DROP TRIGGER event_is_never_changed; DROP TRIGGER event_is_never_deleted;"
        "DELETE FROM event;"
    )
    connection.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
