"""The commands of the keeper's core: frozen records, which the shell carries out in their order.

A command after a ``Store`` is carried out once the events of that ``Store`` are on disk. If they
cannot be written, it is not carried out at all: the keeper stops, and the next process learns what
was stored by opening the journal.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from steelyard.ledger.event_rows import Event as JournalEvent
from steelyard.venues.protocol import OrderRequest

__all__ = [
    "AccountReading",
    "Command",
    "LookUp",
    "Publish",
    "ReadVenue",
    "Send",
    "SetTimer",
    "Store",
    "TakeSnapshot",
    "Timer",
]


class AccountReading(StrEnum):
    """The kinds of reading that a keeper takes of an account."""

    LIMITS = "limits"
    TRADES = "trades"
    MOVEMENTS = "movements"
    POSITION = "position"
    BALANCE = "balance"


class Timer(StrEnum):
    """The purposes of a timer."""

    CLOCK = "clock"
    """The next scheduled observation."""
    LATE = "late"
    """The time to wait for the answer to an order is over."""
    ASK = "ask"
    """The open order is to be looked up again."""
    READ = "read"
    """The account is to be read again."""
    RETRY = "retry"
    """An order traded nothing: the fund's rules are evaluated again."""


@dataclass(frozen=True, slots=True)
class Store:
    """Append these events to the journal in one transaction."""

    number: int
    """Returned in ``Stored``. Numbers count up within one process."""
    events: tuple[JournalEvent, ...]


@dataclass(frozen=True, slots=True)
class TakeSnapshot:
    """Save the state of a fund's books; the fund's last journal row holds its hash."""

    fund: str
    state: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Send:
    """Send an order once, unchanged: the signature covers the time stamp that was stored."""

    fund: str
    request: OrderRequest


@dataclass(frozen=True, slots=True)
class LookUp:
    """Look an order up at the venue by its client id."""

    fund: str
    client_id: str
    asked_ms: int
    """The keeper's clock, ms, when it was asked; returned with the answer."""


@dataclass(frozen=True, slots=True)
class ReadVenue:
    """Take one reading of the account."""

    fund: str
    what: AccountReading
    asked_ms: int
    since_ms: int = 0
    """For lists: the start of the period to read, ms of the venue's clock."""


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Ring at ``at_ms`` (the keeper's clock); it replaces an earlier timer of the same purpose."""

    at_ms: int
    fund: str
    timer: Timer
    serial: int


@dataclass(frozen=True, slots=True)
class Publish:
    """Write a line of the log: a decision with its reason, or an alarm."""

    fund: str
    text: str
    is_alarm: bool = False


Command = Store | TakeSnapshot | Send | LookUp | ReadVenue | SetTimer | Publish
