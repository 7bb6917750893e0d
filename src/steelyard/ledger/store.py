"""The interface of a journal to its database: one protocol for readers and one for writers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from steelyard.errors import DataError, Fenced, InputError
from steelyard.ledger.event_rows import Head, Row
from steelyard.ledger.instants import time_text

__all__ = [
    "PAGE_ROWS",
    "Damaged",
    "Lease",
    "Owner",
    "ReadStore",
    "Selection",
    "StoredSnapshot",
    "WriteStore",
    "check_version",
    "fenced_error",
    "in_use_error",
]

PAGE_ROWS = 1_000
"""The most rows of one query; a reader holds no more, and keeps no transaction open in between."""


class Damaged(DataError):
    """Stored data can no longer be read, such as a page of a file."""


class Selection(NamedTuple):
    """A selection of rows: of one fund, of some kinds, from one time until before another."""

    fund: str | None = None
    kinds: tuple[str, ...] | None = None
    since_ms: int | None = None
    until_ms: int | None = None

    def condition(self, mark: str) -> tuple[str, list[object]]:
        """The SQL after ``WHERE seq > ...``, and its values; ``mark`` is the placeholder."""
        text, values = "", list[object]()
        if self.fund is not None:
            text, values = f"{text} AND fund = {mark}", [*values, self.fund]
        if self.kinds is not None:
            marks = ", ".join([mark] * len(self.kinds)) or "NULL"
            text, values = f"{text} AND kind IN ({marks})", [*values, *self.kinds]
        if self.since_ms is not None:
            text, values = f"{text} AND time >= {mark}", [*values, self.since_ms]
        if self.until_ms is not None:
            text, values = f"{text} AND time < {mark}", [*values, self.until_ms]
        return text, values


class Owner(NamedTuple):
    """A writer: its name, host, process, and the time since when it writes (ms UTC)."""

    name: str
    host: str
    pid: int
    since_ms: int

    @property
    def who(self) -> str:
        """Name, process and host."""
        name = f"{self.name}, " if self.name else ""
        return f"{name}process {self.pid} on {self.host}"

    @property
    def since(self) -> str:
        """The time since when it writes, as text."""
        return time_text(self.since_ms // 1000 * 1000)

    def __str__(self) -> str:
        return f"{self.who} since {self.since}"


class Lease(NamedTuple):
    """The right to write: every append carries its token, and a later lease has a greater token."""

    token: int
    owner: Owner


class StoredSnapshot(NamedTuple):
    """The state of a fund after the row ``seq``, whose hash is ``hash``."""

    fund: str
    seq: int
    hash: bytes
    body: bytes


class ReadStore(Protocol):
    """The operations of a reader, which never writes and leaves no transaction open."""

    place: str

    def head(self) -> Head:
        """The number of rows and the last hash."""

    def page(self, after: int, limit: int, selection: Selection) -> list[Row]:
        """The first ``limit`` rows after the number ``after``, in order."""

    def next_fund(self, after: str) -> str | None:
        """The first fund after ``after`` in alphabetical order, for paging; None after the last."""

    def snapshot(self, fund: str) -> StoredSnapshot | None:
        """The newest snapshot of a fund that belongs to a row of this journal."""

    def close(self) -> None:
        """Close the connection."""


class WriteStore(Protocol):
    """The operations of a writer; every change carries the token of its lease."""

    place: str

    def head(self) -> Head:
        """The number of rows and the last hash."""

    def last_rows(self, count: int) -> list[Row]:
        """The last rows, in order."""

    def lease(self, owner: Owner, *, take_over: bool) -> Lease:
        """Take the right to write."""

    def current_token(self) -> int:
        """The token of the newest lease."""

    def append(self, rows: Sequence[Row], token: int) -> None:
        """Store rows in one transaction that is on the disk when this returns."""

    def put_snapshot(self, snapshot: StoredSnapshot, token: int) -> None:
        """Store a snapshot."""

    def close(self) -> None:
        """Give up the lease and close the connection."""


def check_version(place: str, found: int, known: int, *, may_be_older: bool = False) -> None:
    """Refuse a journal of another version than that of this program.

    Raises:
        DataError: a later version of the program wrote it, or an earlier one, which only a writer
            can bring up to date.
    """
    if found > known:
        expected, help_ = f"version {known} or older", "a newer steelyard wrote it; use that one"
    elif found < known and not may_be_older:
        expected, help_ = f"version {known}", "open it once with a writer of this steelyard"
    else:
        return
    message = f"{place}: expected a journal of {expected}, found version {found}: {help_}."
    raise DataError(message, found=found, allowed=known)


def in_use_error(place: str, owner: Owner | None) -> InputError:
    """The error of a second writer; ``owner`` is None where the first has no name yet."""
    message = (
        f"{place}: is in use: {owner or 'a process'} writes it. Expected to be the only writer; "
        "stop that process, or take over if it is known to be stopped."
    )
    return InputError(message, owner=str(owner or ""))


def fenced_error(place: str, token: int, current: Lease) -> Fenced:
    """The error of a writer whose lease has ended."""
    message = (
        f"{place}: another writer has taken this journal over ({current.owner}): expected the "
        f"token {current.token}, found {token}. Nothing was written; stop this process."
    )
    return Fenced(message, token=token, current=current.token, owner=str(current.owner))
