"""The desk of one fund: the fund, its journal rows, and what this process knows of its venue.

``note`` writes a row of the keeper's own. ``tell`` applies an event to the fund, and writes the
event and its effects. Everything that a desk holds besides ``group`` and ``memory`` is lost at a
restart, and is read from the venue again.
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
    """The limits within which a keeper acts, and the times that it waits, in ms."""

    slippage_bps: Decimal = Decimal(30)
    max_orders_per_hour: int = 60
    disagree_after_ms: int = 60_000
    stale_after_ms: int = 10_000
    recv_window_ms: int = 2_000
    clock_off_ms: int = 1_000
    """The machine's clock may differ from the venue's by half of ``recv_window``."""
    answer_after_ms: int = 3_000
    """An order without an answer after this time has an unknown outcome."""
    ask_every_ms: int = 500
    read_after_ms: int = 5_000
    """A reading that has not arrived after this time is requested again."""
    retry_after_ms: int = 5_000
    clock_every_s: int = 60
    """Seconds between two scheduled observations; 0: the venue's marks schedule them (paper)."""


class Phase(Enum):
    """The progress of the open order in this process."""

    IDLE = "idle"
    STORING = "storing"
    """The order is being written to the journal; it is sent only after that."""
    SENT = "sent"
    ASKING = "asking"
    """The outcome is not known, so the order is being looked up."""


@dataclass(slots=True)
class OutcomeEvidence:
    """The evidence gathered so far on whether the open order traded anything."""

    absent: int = 0
    """The number of look-ups after the order's last instant that found no such order."""
    final: OrderState | None = None
    """The order's final state, while not all of its trades have been seen."""
    trades_ms: int = 0
    """The venue's clock, ms, at the last reading of trades."""
    position: Read[Position] | None = None
    is_reading: bool = False
    """Whether trades and position are being read as evidence."""
    is_told: bool = False
    """Whether a stream reported the order's end, and it was looked up for that."""
    unclear_since: int | None = None
    """The time, ms of this machine's clock, since which order, trades and position disagree."""


@dataclass(slots=True)
class Desk:
    """One fund, and the account that only this fund trades on."""

    symbol: str
    group: Group[Decimal]
    recorder: Recorder
    memory: Memory
    guards: Guards
    urgency: Urgency[Decimal]
    market: WatchedMarket
    """The market of its underlying, which other funds may share."""
    clock: VenueClock = field(default_factory=VenueClock)
    limits: Limits | None = None
    phase: Phase = Phase.IDLE
    store: int | None = None
    """The number of the ``Store`` that the open order waits for."""
    proof: OutcomeEvidence = field(default_factory=OutcomeEvidence)
    heard: dict[str, Trade] = field(default_factory=dict)
    """Trades of the open order by their ids; they are booked when the order ends."""
    readings: dict[Any, Any] = field(default_factory=dict)
    """The readings that have arrived in the present round of the account."""
    is_reading: bool = False
    reading_since: int = 0
    is_told: bool = False
    """During a round the stream reported an order that the fund did not send: a round follows."""
    unread_since: int | None = None
    """The time, ms of this machine's clock, since which no round has read the whole account."""
    unread_why: str = ""
    """Why the last reading that failed did so."""
    listed_ms: int | None = None
    """The venue's clock, ms, at the last round that agreed with the books. All that is older was
    seen, except for records that the venue shows late."""
    moved_ms: int | None = None
    """The venue's clock, ms, at the last reading of money movements."""
    differs_since: int | None = None
    """The time, ms of this machine's clock, since which books and venue differ."""
    is_ready: bool = False
    """The venue was read; it agrees with the books, or an alarm reports the difference."""
    asked_for: list[NewRequest] = field(default_factory=list)
    """Requests that wait for the next observation."""
    refused_until_ms: int = 0
    """The time, ms of the venue's clock, before which the venue must not be asked: a ban."""
    launch: NewRequest | None = None
    """The request to launch, until the launch is tried."""
    seen_before: tuple[Any, int] | None = None
    """Before the launch: an earlier round of the account, and the venue's clock, ms, after it."""
    heading: Decimal | None = None
    """Inside a bar of a history: the price that the path moves to next."""
    stop: Crossing[Decimal] | None = None
    """The threshold at which the history was asked to stop on the way to ``heading``."""
    spent: int = 0
    """Bits ``1 << trigger`` of the triggers crossed on that way without a trade."""
    is_due: bool = False
    """The fund is to be observed once the account has been read."""
    told_s: int = 0
    """The time of the latest event of the fund, epoch s; no later event has an earlier time."""
    ended_now: bool = False
    """An order ended in this step."""
    lease_until_ms: int | None = None
    """The end of the lease, ms of this machine's clock; None: this process does not hold it."""
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
        """The state of the fund."""
        return self.group.funds[0].state

    @property
    def mark(self) -> Mark | None:
        """The last mark that may be traded on; None before the first."""
        return self.market.mark

    @property
    def is_launched(self) -> bool:
        """Whether the fund has been launched, which starts its clock."""
        return self.state.time is not None

    def note(self, now_ms: int, kind: str, fields: dict[str, Any]) -> None:
        """Write a row of the keeper's own, at the venue's time, and apply it to ``memory``."""
        venue_ms = self.clock.venue_ms(now_ms)
        time_ms = now_ms if venue_ms is None else venue_ms
        self.rows.append(JournalEvent(time_ms, self.symbol, kind, fields))
        self.memory.take(kind, fields)

    def tell(self, event: FundEvent[Decimal]) -> list[Effect[Decimal]]:
        """Apply an event to the fund, and write the event and its effects to the journal."""
        effects = step(self.group, event)
        self.told_s = max(self.told_s, event.time)
        self.recorder.step(event, effects)
        self.recorder.flush()
        return effects

    def time(self, now_ms: int) -> int:
        """The fund's time, epoch s: the venue's clock, but never before the last event."""
        venue = self.clock.venue_ms(now_ms)
        seconds = (now_ms if venue is None else venue) // 1000
        return max(seconds, self.state.time or 0, self.told_s)

    def lease_covers(self, venue_ms: int) -> bool:
        """Whether the lease lasts to an instant of the venue's clock, allowing for its error."""
        ahead, until = self.clock.ahead_ms, self.lease_until_ms
        return (
            ahead is not None
            and until is not None
            and venue_ms - ahead + self.clock.off_ms <= until
        )

    def hear_refusal(self, failure: Failure) -> None:
        """Keep the time, if a failure names one, before which the venue must not be asked again."""
        if failure.until_ms is not None:
            self.refused_until_ms = max(self.refused_until_ms, failure.until_ms)

    def set_timer(self, now_ms: int, timer: Timer, after_ms: int) -> None:
        """Ring in ``after_ms``; this replaces an earlier timer of the same purpose."""
        serial = self.serials.get(timer, 0) + 1
        self.serials[timer] = serial
        self.commands.append(SetTimer(now_ms + after_ms, self.symbol, timer, serial))

    def drop_timer(self, timer: Timer) -> None:
        """Cancel a timer: its ring will be ignored."""
        self.serials[timer] = self.serials.get(timer, 0) + 1

    def publish(self, text: str, *, is_alarm: bool = False) -> None:
        """Write a line of the log."""
        self.commands.append(Publish(self.symbol, text, is_alarm))

    def alarm(self, now_ms: int, name: str, why: str, *, is_on: bool) -> None:
        """Set or clear an alarm; nothing is written if it is already in that state."""
        if is_on is not (name in self.memory.alarms):
            self.note(now_ms, "alarm", {"name": name, "is_on": is_on, "why": why})
            self.publish(f"{name} {'holds' if is_on else 'is over'}: {why}", is_alarm=is_on)
