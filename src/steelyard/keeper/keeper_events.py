"""The events of the keeper's core: frozen records, in the order in which they happened.

``now_ms`` is the clock of the machine that the keeper runs on (ms UTC). It may be wrong, so
anything that depends on the venue's clock is judged by the times in the venue's own readings.
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
    """A mark of an underlying arrived."""

    now_ms: int
    underlying: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class TimerRang:
    """A timer that the keeper set has rung."""

    now_ms: int
    fund: str
    timer: Timer
    serial: int
    """The serial that the timer was set with; the ring of a timer that was replaced is ignored."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The venue answered an order, or the call failed."""

    now_ms: int
    fund: str
    client_id: str
    found: OrderState | Failure


@dataclass(frozen=True, slots=True)
class LookedUp:
    """An order was looked up by its id; the value is None if the venue knows no such order."""

    now_ms: int
    fund: str
    client_id: str
    asked_ms: int
    found: Read[OrderState | None] | Failure


@dataclass(frozen=True, slots=True)
class WasRead:
    """A reading of the account arrived, or the call failed."""

    now_ms: int
    fund: str
    what: AccountReading
    asked_ms: int
    found: Read[Any] | Failure


@dataclass(frozen=True, slots=True)
class Streamed:
    """The stream reported an order. Such reports may be late, repeated, unordered or missing."""

    now_ms: int
    fund: str
    order: OrderState


@dataclass(frozen=True, slots=True)
class NewRequest:
    """A row of the table of requests asks for something."""

    now_ms: int
    fund: str
    key: str
    who: str
    what: str
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LeaseChanged:
    """The keeper's lease was taken, renewed or lost."""

    now_ms: int
    until_ms: int | None
    """The end of the lease, ms of this machine's clock; None: the lease is lost."""


@dataclass(frozen=True, slots=True)
class HealthTold:
    """The health of one hour was delivered, or the delivery failed."""

    now_ms: int
    fund: str
    why: str | None
    """Why the delivery failed; None: it arrived."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The events of a ``Store`` are on disk."""

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
