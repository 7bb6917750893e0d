"""The desk of one fund: the fund, its journal rows, and what this process knows of its venue.

``note`` writes a row of the keeper's own, ``tell`` says to the fund what happened and writes what
followed. What a desk holds beside ``group`` and ``memory`` is forgotten at a restart, and found out
again by asking the venue.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any

from steelyard.fund.effects import Effect
from steelyard.fund.events import Event as FundEvent
from steelyard.fund.group import Fund, Group
from steelyard.fund.state import State
from steelyard.fund.step import step
from steelyard.keeper.commands import Command, Publish, SetTimer, Timer
from steelyard.keeper.keeper_events import NewRequest
from steelyard.keeper.memory import Memory
from steelyard.keeper.sorted_thresholds import WatchedMarket
from steelyard.keeper.venue_clock import VenueClock
from steelyard.ledger.event_rows import Event as JournalEvent
from steelyard.ledger.recorder import Recorder
from steelyard.rules.order_limit import Urgency
from steelyard.rules.triggers import Crossing
from steelyard.venues.protocol import Failure, Limits, Mark, OrderState, Position, Read, Trade

__all__ = ["Desk", "Guards", "Phase"]


@dataclass(frozen=True, slots=True)
class Guards:
    """The limits within which a keeper acts, and how long it waits; times in ms."""

    slippage_bps: Decimal = Decimal(30)
    max_orders_per_hour: int = 60
    disagree_after_ms: int = 60_000
    stale_after_ms: int = 10_000
    recv_window_ms: int = 2_000
    clock_off_ms: int = 1_000
    """The machine's clock may be off the venue's by half of ``recv_window``."""
    answer_after_ms: int = 3_000
    """An order without an answer after so long is unknown."""
    ask_every_ms: int = 500
    read_after_ms: int = 5_000
    """A reading that did not come is asked for again after so long."""
    retry_after_ms: int = 5_000
    clock_every_s: int = 60
    """Between two scheduled observations; 0: the venue's marks say when one falls (paper)."""


class Phase(Enum):
    """Where the order that is open stands in this process."""

    IDLE = "idle"
    STORING = "storing"
    """It is not sent before it is on the disk."""
    SENT = "sent"
    ASKING = "asking"
    """Its outcome is not known: it is looked up."""


@dataclass(slots=True)
class OutcomeEvidence:
    """What was heard since the question whether anything came of an order."""

    absent: int = 0
    """Look-ups after its last instant that knew of no such order."""
    final: OrderState | None = None
    """It came to its end; not all of its trades are seen yet."""
    trades_ms: int = 0
    """The venue's clock at the last reading of trades."""
    position: Read[Position] | None = None
    is_reading: bool = False
    """The trades and the position are being read for it."""
    is_told: bool = False
    """A stream told of its end, and it was looked up for that."""
    unclear_since: int | None = None
    """Own clock: since when order, trades and position disagree."""


@dataclass(slots=True)
class Desk:
    """One fund, and the account that it alone trades on."""

    symbol: str
    group: Group[Decimal]
    recorder: Recorder
    memory: Memory
    guards: Guards
    urgency: Urgency[Decimal]
    market: WatchedMarket
    """Of its underlying, which other funds may share."""
    clock: VenueClock = field(default_factory=VenueClock)
    limits: Limits | None = None
    phase: Phase = Phase.IDLE
    store: int | None = None
    """The number of the ``Store`` that an order waits for."""
    proof: OutcomeEvidence = field(default_factory=OutcomeEvidence)
    heard: dict[str, Trade] = field(default_factory=dict)
    """Trades of the open order, by their ids: they are booked when it ends."""
    readings: dict[Any, Any] = field(default_factory=dict)
    """Of the present round of the account; an empty one stands for what is awaited."""
    is_reading: bool = False
    reading_since: int = 0
    is_told: bool = False
    """A stream told meanwhile of an order that the fund did not send: another round follows."""
    unread_since: int | None = None
    """Own clock: since when no round has read the whole account."""
    unread_why: str = ""
    """The last reason of a reading that failed."""
    listed_ms: int | None = None
    """The venue's clock at the last round that agreed with the books: all that came of what is
    older was seen, but late records."""
    moved_ms: int | None = None
    """The venue's clock at the last reading of money movements."""
    differs_since: int | None = None
    """Own clock: since when books and venue differ."""
    is_ready: bool = False
    """The venue was read, and agrees with the books or has been told apart from them."""
    asked_for: list[NewRequest] = field(default_factory=list)
    """Requests that wait for the next observation."""
    refused_until_ms: int = 0
    """Before which (the venue's clock) it is not asked: a ban."""
    launch: NewRequest | None = None
    """The request to launch, until it is tried."""
    seen_before: tuple[Any, int] | None = None
    """Before the launch: an earlier round of the account, and the venue's clock after it."""
    heading: Decimal | None = None
    """Inside a bar of a history: the price to which it goes on."""
    stop: Crossing[Decimal] | None = None
    """The threshold at which a history was asked to stop on that way."""
    spent: int = 0
    """Bits ``1 << trigger`` of what was crossed on that way and traded nothing."""
    is_due: bool = False
    """It is to be observed once the account was read."""
    told_s: int = 0
    """The latest time that the fund was told, epoch s: none that is told later is before it."""
    ended_now: bool = False
    """An order came to its end in this step."""
    lease_until_ms: int | None = None
    """Own clock; None: it is not held."""
    serials: dict[Timer, int] = field(default_factory=dict)
    rows: list[JournalEvent] = field(default_factory=list)
    rows_since_snapshot: int = 0
    commands: list[Command] = field(default_factory=list)

    @property
    def fund(self) -> Fund[Decimal]:
        """The fund."""
        return self.group.funds[0]

    @property
    def state(self) -> State[Decimal]:
        """Where the fund stands."""
        return self.group.funds[0].state

    @property
    def mark(self) -> Mark | None:
        """The last price that may be traded on."""
        return self.market.mark

    @property
    def is_launched(self) -> bool:
        """Whether the fund's clock runs."""
        return self.state.time is not None

    def note(self, now_ms: int, kind: str, fields: dict[str, Any]) -> None:
        """Write a row of the keeper's own, at the venue's time, and keep what it says."""
        venue_ms = self.clock.venue_ms(now_ms)
        time_ms = now_ms if venue_ms is None else venue_ms
        self.rows.append(JournalEvent(time_ms, self.symbol, kind, fields))
        self.memory.take(kind, fields)

    def tell(self, event: FundEvent[Decimal]) -> list[Effect[Decimal]]:
        """Say to the fund what happened, and write it with what followed."""
        effects = step(self.group, event)
        self.told_s = max(self.told_s, event.time)
        self.recorder.step(event, effects)
        self.recorder.flush()
        return effects

    def time(self, now_ms: int) -> int:
        """The fund's time, epoch s: the venue's clock, and never before what was told last."""
        venue = self.clock.venue_ms(now_ms)
        seconds = (now_ms if venue is None else venue) // 1000
        return max(seconds, self.state.time or 0, self.told_s)

    def lease_covers(self, venue_ms: int) -> bool:
        """Whether the lease lasts to an instant of the venue's clock, however far off that is."""
        ahead, until = self.clock.ahead_ms, self.lease_until_ms
        return (
            ahead is not None
            and until is not None
            and venue_ms - ahead + self.clock.off_ms <= until
        )

    def hear_refusal(self, failure: Failure) -> None:
        """The venue may say before when it is not to be asked again."""
        if failure.until_ms is not None:
            self.refused_until_ms = max(self.refused_until_ms, failure.until_ms)

    def set_timer(self, now_ms: int, timer: Timer, after_ms: int) -> None:
        """Ring after so long."""
        serial = self.serials.get(timer, 0) + 1
        self.serials[timer] = serial
        self.commands.append(SetTimer(now_ms + after_ms, self.symbol, timer, serial))

    def drop_timer(self, timer: Timer) -> None:
        """Listen no more to a timer that is set."""
        self.serials[timer] = self.serials.get(timer, 0) + 1

    def publish(self, text: str, *, is_alarm: bool = False) -> None:
        """A line of the log."""
        self.commands.append(Publish(self.symbol, text, is_alarm))

    def alarm(self, now_ms: int, name: str, why: str, *, is_on: bool) -> None:
        """Set an alarm, or end it; nothing where it stands so already."""
        if is_on is not (name in self.memory.alarms):
            self.note(now_ms, "alarm", {"name": name, "is_on": is_on, "why": why})
            self.publish(f"{name} {'holds' if is_on else 'is over'}: {why}", is_alarm=is_on)
