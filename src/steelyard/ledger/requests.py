"""The table of requests to the keeper that holds a journal.

Only that keeper may append events, so others write their requests to this table in the journal's
database, each with a unique key. The keeper adopts each key once, as an event that names the
author. A second request with the same key and other content is refused, because it would get the
outcome of the first one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from steelyard.closing import Closing
from steelyard.errors import DataError, InputError
from steelyard.ledger.canonical_json import canonical, parsed
from steelyard.ledger.places import is_url

if TYPE_CHECKING:
    import sqlite3

    from psycopg import Connection

__all__ = ["RequestRow", "Requests"]

MOST_SHOWN = 80
MOST_TEXT = 200
"""The most characters of a key, a fund, an author and the name of an action."""
MOST_CONTENT = 10_000
"""The most characters of the content."""
_COLUMNS = "number, key, fund, who, what, content, time"


class RequestRow(NamedTuple):
    """One request."""

    number: int
    """The position in the order of the requests."""
    key: str
    fund: str
    who: str
    what: str
    content: dict[str, Any]
    time_ms: int


class Requests(Closing):
    """The requests of one journal, over a separate connection.

    Args:
        where: the journal, a file or ``postgresql://...``.

    Raises:
        DataError: there is no journal.
        Unavailable: the database at the URL does not answer.
    """

    def __init__(self, where: str | Path) -> None:
        self._table = _in_postgres(str(where)) if is_url(where) else _in_sqlite(Path(where))

    def ask(self, key: str, fund: str, who: str, what: str, content: dict[str, Any]) -> None:
        """Write a request; writing the same request again has no effect.

        Raises:
            InputError: another request has this key, or a text is too long or not printable.
        """
        body = canonical(content, "content").decode()
        for name, text in (("key", key), ("who", who), ("what", what)):
            if not _is_plain(text):
                shown = _plain(text)
                message = (
                    f"{name}: expected at most {MOST_TEXT} printable characters, found {shown}; "
                    "shorten it."
                )
                raise InputError(message, found=shown)
        row = (key, fund, who, what, body, time.time_ns() // 1_000_000)
        self._table.insert(row)
        found = self._table.select("key = ", key)[0]
        if (found[2], found[4], found[5]) != (fund, what, body):
            message = (
                f"{key}: expected a unique key, found the one of another request "
                f"({found[4]} of {found[2]} by {found[3]}): give this one another key."
            )
            raise InputError(message, key=key)

    def after(self, since: int) -> list[RequestRow]:
        """The requests after the number ``since``, in order."""
        return [_row(*each) for each in self._table.select("number > ", since)]

    def close(self) -> None:
        """Give the connection back."""
        self._table.close()


def _row(
    number: int, key: str, fund: str, who: str, what: str, body: str, time_ms: int
) -> RequestRow:
    """A row of the table; if its content is not valid, it is kept as text.

    All its texts are shortened and kept on one line, whoever wrote them, because they go into the
    journal and the log.
    """
    content: dict[str, Any] = {"unreadable": _plain(body[:MOST_SHOWN])}
    if len(body) <= MOST_CONTENT and _is_plain(key):
        with suppress(DataError):
            content = parsed(body.encode(), key)
    return RequestRow(number, _plain(key), fund, _plain(who), _plain(what), content, time_ms)


def _is_plain(text: str) -> bool:
    return len(text) <= MOST_TEXT and text.isprintable()


def _plain(text: str) -> str:
    """An unexpected text in a form that is safe to show, with line breaks and the like escaped.

    A key that is shortened ends with its hash, so that it stays distinct.
    """
    if _is_plain(text):
        return text
    end = sha256(text.encode(errors="replace")).hexdigest()[:16]
    return f"{text[:MOST_SHOWN].encode('unicode_escape').decode()} ({len(text)} characters, {end})"


class _Table:
    """The table in one of the two databases.

    Args:
        connection: a connection for this table only, where each statement is a transaction.
        told: a context manager that converts errors of the database.
        place: the place of the journal, for messages.
        name: the name of the table.
        mark: the placeholder for a value in a query.
    """

    def __init__(
        self,
        connection: sqlite3.Connection | Connection,
        told: Callable[[str], AbstractContextManager[None]],
        place: str,
        name: str,
        mark: str,
    ) -> None:
        self._connection: Any = connection
        self._told, self._place, self._name, self._mark = told, place, name, mark

    def insert(self, row: tuple[object, ...]) -> None:
        """Insert a row, unless its key exists."""
        columns = _COLUMNS.removeprefix("number, ")
        values = ", ".join([self._mark] * len(row))
        query = f"INSERT INTO {self._name} ({columns}) VALUES ({values}) ON CONFLICT DO NOTHING"  # noqa: S608 (no text from outside)
        with self._told(self._place):
            self._connection.execute(query, row)

    def select(self, condition: str, value: object) -> list[Any]:
        """The rows for a condition that ends before its value, in the order of their numbers."""
        query = f"SELECT {_COLUMNS} FROM {self._name} WHERE {condition}{self._mark} ORDER BY number"  # noqa: S608 (no text from outside)
        with self._told(self._place):
            return list(self._connection.execute(query, (value,)))

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


def _in_sqlite(path: Path) -> _Table:
    """The table in the journal's file, with short transactions beside those of the writer."""
    from steelyard.ledger.sqlite_file import check_file, connect_to_write, told

    check_file(path)
    with told(str(path)):
        connection = connect_to_write(path)
        # SQLite does not check text: invalid UTF-8 must not prevent reading the other rows
        connection.text_factory = lambda found: found.decode(errors="replace")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS request (number INTEGER PRIMARY KEY, key TEXT NOT NULL "
            "UNIQUE, fund TEXT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, content TEXT "
            "NOT NULL, time INTEGER NOT NULL) STRICT"
        )
    return _Table(connection, told, str(path), "request", "?")


def _in_postgres(url: str) -> _Table:
    """The table in the journal's schema."""
    from steelyard.ledger.postgres_link import connect, told

    connection, place = connect(url)
    with told(place):
        connection.execute(
            "CREATE TABLE IF NOT EXISTS journal.request (number bigint GENERATED ALWAYS AS "
            "IDENTITY PRIMARY KEY, key text NOT NULL UNIQUE, fund text NOT NULL, who text NOT "
            "NULL, what text NOT NULL, content text NOT NULL, time bigint NOT NULL)"
        )
    return _Table(connection, told, place, "journal.request", "%s")
