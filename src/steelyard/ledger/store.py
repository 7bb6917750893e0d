"""What a database has to do for a journal: two small protocols, for a reader and for a writer."""

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
"""Rows of one query: a reader holds no more, and keeps no transaction open between two."""


class Damaged(DataError):
    """What the store holds cannot be read any more, such as a page of a file."""


class Selection(NamedTuple):
    """Which rows: of one fund, of some kinds, from one time up to another (left out)."""

    fund: str | None = None
    kinds: tuple[str, ...] | None = None
    since_ms: int | None = None
    until_ms: int | None = None

    def condition(self, mark: str) -> tuple[str, list[object]]:
        """What follows ``WHERE seq > ...`` in SQL, and its values; ``mark`` stands for a value."""
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
    """Who writes: a name, the host, the process, and since when (ms UTC)."""

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
        """Since when, as text."""
        return time_text(self.since_ms // 1000 * 1000)

    def __str__(self) -> str:
        return f"{self.who} since {self.since}"


class Lease(NamedTuple):
    """The right to write: every append carries its token; a later lease has a greater one."""

    token: int
    owner: Owner


class StoredSnapshot(NamedTuple):
    """A state of a fund after the row ``seq``, whose hash is ``hash``."""

    fund: str
    seq: int
    hash: bytes
    body: bytes


class ReadStore(Protocol):
    """What a reader asks. It never writes, and no question keeps the database busy after it."""

    place: str

    def head(self) -> Head:
        """The number of rows and the last hash."""

    def page(self, after: int, limit: int, selection: Selection) -> list[Row]:
        """The first ``limit`` rows after the number ``after``, in order."""

    def next_fund(self, after: str) -> str | None:
        """The first fund behind ``after`` in the order of their letters."""

    def snapshot(self, fund: str) -> StoredSnapshot | None:
        """The newest snapshot of a fund that belongs to a row of this journal."""

    def close(self) -> None:
        """Give the connection back."""


class WriteStore(Protocol):
    """What a writer asks; every change carries the token of its lease."""

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
        """Give up the lease, and the connection back."""


def check_version(place: str, found: int, known: int, *, may_be_older: bool = False) -> None:
    """Refuse a journal of another version than this program's.

    Raises:
        DataError: a later version of the program wrote it; or an earlier one, which a writer
            brings up to date and a reader cannot.
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
    """The error of a second writer; None: the first has not said who it is yet."""
    message = (
        f"{place}: is in use: {owner or 'a process'} writes it. Expected to be the only writer; "
        "stop that process, or take over if it is known to be stopped."
    )
    return InputError(message, owner=str(owner or ""))


def fenced_error(place: str, token: int, current: Lease) -> Fenced:
    """The error of a writer whose lease is over."""
    message = (
        f"{place}: another writer has taken this journal over ({current.owner}): expected the "
        f"token {current.token}, found {token}. Nothing was written; stop this process."
    )
    return Fenced(message, token=token, current=current.token, owner=str(current.owner))
