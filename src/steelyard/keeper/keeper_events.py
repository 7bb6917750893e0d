"""What a keeper is told: frozen records, in the order in which they happened.

``now_ms`` is the clock of the machine that the keeper runs on (ms UTC). It may be wrong: what
depends on the venue's clock is judged by the times in the venue's own readings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from steelyard.keeper.commands import AccountReading, Timer
from steelyard.venues.protocol import Failure, Mark, OrderState, Read

__all__ = [
    "Answered",
    "Event",
    "HealthTold",
    "LeaseChanged",
    "LookedUp",
    "NewRequest",
    "Priced",
    "Stored",
    "Streamed",
    "TimerRang",
    "WasRead",
]


@dataclass(frozen=True, slots=True)
class Priced:
    """A mark of an underlying came in."""

    now_ms: int
    underlying: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class TimerRang:
    """A timer that the keeper set has run out."""

    now_ms: int
    fund: str
    timer: Timer
    serial: int
    """As it was set: an earlier timer of the name that was set anew is not listened to."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The venue answered to an order, or failed to."""

    now_ms: int
    fund: str
    client_id: str
    found: OrderState | Failure


@dataclass(frozen=True, slots=True)
class LookedUp:
    """An order was looked up by its id; the value is None where the venue knows of none."""

    now_ms: int
    fund: str
    client_id: str
    asked_ms: int
    found: Read[OrderState | None] | Failure


@dataclass(frozen=True, slots=True)
class WasRead:
    """Something of the account was read."""

    now_ms: int
    fund: str
    what: AccountReading
    asked_ms: int
    found: Read[Any] | Failure


@dataclass(frozen=True, slots=True)
class Streamed:
    """The venue told of an order by itself: late, twice, out of order, or not at all."""

    now_ms: int
    fund: str
    order: OrderState


@dataclass(frozen=True, slots=True)
class NewRequest:
    """Somebody asked for something by a row in the table of requests."""

    now_ms: int
    fund: str
    key: str
    who: str
    what: str
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LeaseChanged:
    """The right to try was taken, renewed or lost."""

    now_ms: int
    until_ms: int | None
    """By this machine's clock; None: it is lost."""


@dataclass(frozen=True, slots=True)
class HealthTold:
    """An hour's health was delivered, or could not be."""

    now_ms: int
    fund: str
    why: str | None
    """Why it was not; None: it was."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The events of a ``Store`` are on the disk."""

    now_ms: int
    number: int


Event = (
    Priced
    | TimerRang
    | Answered
    | LookedUp
    | WasRead
    | Streamed
    | NewRequest
    | LeaseChanged
    | HealthTold
    | Stored
)
