"""Journals for tests: a kind of event of their own, and some events of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

import psycopg

from steelyard.ledger import Event, Kind, Row, amount_text, open_writer, register_kind
from steelyard.ledger.canonical_json import canonical

__all__ = [
    "T0_MS",
    "TRIED",
    "event",
    "events",
    "execute",
    "forge",
    "forge_snapshot",
    "journal_of",
    "stored_rows",
    "tamper",
]

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


def execute(place: str | Path, text: str) -> None:
    """Run SQL behind a journal's back; tables are named with ``{schema}`` before them."""
    if str(place).startswith("postgresql"):
        with psycopg.connect(str(place)) as database:
            database.execute(text.format(schema="journal.").encode())
        return
    with closing(sqlite3.connect(place)) as file, file:
        file.execute(text.format(schema=""))


def tamper(place: str | Path, text: str) -> None:
    """Change rows of a journal by SQL, past its triggers, which stand there again after it."""
    if str(place).startswith("postgresql"):
        execute(place, "DROP TRIGGER event_is_never_changed ON {schema}event")
        execute(place, text)
        return
    with closing(sqlite3.connect(place)) as file, file:
        query = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
        triggers = file.execute(query).fetchall()
        for name, _ in triggers:
            file.execute(f"DROP TRIGGER {name}")
        file.executescript(text.format(schema=""))
        for _, trigger in triggers:
            file.execute(trigger)


def stored_rows(path: Path) -> list[Row]:
    """The rows of a SQLite journal, as they stand in the file."""
    query = "SELECT seq, time, fund, kind, body, hash FROM event ORDER BY seq"
    with closing(sqlite3.connect(path)) as file:
        return list(map(Row._make, file.execute(query)))


def forge(path: Path, change: Callable[[list[Row]], list[Row]]) -> None:
    """Put other rows in the place of a SQLite journal's, as somebody with the file can."""
    rows = change(stored_rows(path))
    tamper(path, "DELETE FROM event")
    with closing(sqlite3.connect(path)) as file, file:
        file.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)", rows)


def forge_snapshot(path: Path) -> None:
    """Put more cash into the snapshot of a journal, bound to its row as before."""
    with closing(sqlite3.connect(path)) as file:
        body = json.loads(file.execute("SELECT body FROM snapshot").fetchone()[0])
        body["funds"][0]["state"]["cash"] = "999999999"
        file.execute("UPDATE snapshot SET body = ?", (canonical(body),))
        file.commit()
