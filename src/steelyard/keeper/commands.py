"""What a keeper wants done: frozen records, carried out in their order.

What stands after a ``Store`` is carried out once its events are on the disk, and not at all where
they are not: a keeper whose store fails stops, and finds out by opening the journal again.
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
    """What is read of an account."""

    LIMITS = "limits"
    TRADES = "trades"
    MOVEMENTS = "movements"
    POSITION = "position"
    BALANCE = "balance"


class Timer(StrEnum):
    """What a timer is for."""

    CLOCK = "clock"
    """The next scheduled observation."""
    LATE = "late"
    """No answer to an order came in time."""
    ASK = "ask"
    """An order is to be looked up again."""
    READ = "read"
    """The account is to be read again."""
    RETRY = "retry"
    """Nothing came of an order: the rules are asked again."""


@dataclass(frozen=True, slots=True)
class Store:
    """Append these events to the journal in one transaction."""

    number: int
    """Given back in ``Stored``; they count up within a process."""
    events: tuple[JournalEvent, ...]


@dataclass(frozen=True, slots=True)
class TakeSnapshot:
    """Keep the state of a fund's books beside the journal, whose last row says the state's hash."""

    fund: str
    state: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Send:
    """Send an order once, as it is: the stamp that was stored is signed."""

    fund: str
    request: OrderRequest


@dataclass(frozen=True, slots=True)
class LookUp:
    """Ask the venue for an order by its id."""

    fund: str
    client_id: str
    asked_ms: int
    """Given back with the answer."""


@dataclass(frozen=True, slots=True)
class ReadVenue:
    """Read something of the account."""

    fund: str
    what: AccountReading
    asked_ms: int
    since_ms: int = 0
    """Of lists: from when on, by the venue's clock."""


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Tell the keeper at this time (its own clock); it replaces an earlier one of the name."""

    at_ms: int
    fund: str
    timer: Timer
    serial: int


@dataclass(frozen=True, slots=True)
class Publish:
    """A line of the log: a decision and its reason, or an alarm."""

    fund: str
    text: str
    is_alarm: bool = False


Command = Store | TakeSnapshot | Send | LookUp | ReadVenue | SetTimer | Publish
