"""The keeper's core: a function from events to commands.

It does no input or output. The shell carries the commands out in their order and reports the
result of each as an event; a simulator carries out the same commands under a seed. A start and a
recovery share one path: the journal is folded, the venue is read, and what was begun is finished.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from steelyard.fund.events import Paused
from steelyard.keeper import following, observing, reconciliation, request_adoption, sending
from steelyard.keeper.commands import AccountReading, Command, Store, TakeSnapshot, Timer
from steelyard.keeper.desk import Desk, Phase
from steelyard.keeper.keeper_events import (
    Answered,
    Event,
    HealthTold,
    LeaseChanged,
    LookedUp,
    NewRequest,
    Priced,
    Stored,
    Streamed,
    TimerRang,
    WasRead,
)
from steelyard.keeper.sorted_thresholds import WatchedMarket
from steelyard.keeper.unreadable import readable, unreadable
from steelyard.ledger.snapshots import snapshot_of

__all__ = ["Keeper", "add_desk", "is_busy", "start", "step", "stop"]

SNAPSHOT_EVERY = 1_000
"""Rows of a fund between two snapshots: opening a journal folds about this many rows at most."""


@dataclass(slots=True)
class Keeper:
    """The desks of one process, by the symbols of their funds."""

    desks: dict[str, Desk] = field(default_factory=dict)
    markets: dict[str, WatchedMarket] = field(default_factory=dict)
    """The markets, by the names of their underlyings."""
    stores: int = 0
    """The number of ``Store`` commands so far."""
    snapshot_every: int = field(default_factory=lambda: SNAPSHOT_EVERY)


def start(keeper: Keeper, now_ms: int, owner: str, token: int, program: str) -> list[Command]:
    """The commands that follow from the start of a process, once its journal is folded.

    Args:
        keeper: with a desk for each fund.
        now_ms: this machine's clock, ms UTC.
        owner: who runs the process.
        token: the fencing token of its lease.
        program: the version of the program.
    """
    commands: list[Command] = []
    for desk in keeper.desks.values():
        fields = {"owner": owner, "token": token, "program": program}
        desk.note(now_ms, "keeper_started", fields)
        reconciliation.start(desk, now_ms)
        if desk.memory.order is not None:
            # the journal proves that the order was stored, but not whether it was sent
            following.ask(desk, now_ms)
        observing.arm(desk)
        if desk.guards.clock_every_s > 0:
            desk.set_timer(now_ms, Timer.CLOCK, desk.guards.clock_every_s * 1000)
        commands += _out(keeper, desk)
    return commands


def step(keeper: Keeper, event: Event) -> list[Command]:
    """The commands that follow from an event. The keeper is changed in place."""
    if type(event) is Priced:
        touched = observing.priced(keeper.markets[event.underlying], keeper.desks, event)
        return [command for desk in touched for command in _out(keeper, desk)]
    if type(event) is Stored:
        return _stored(keeper, event)
    if type(event) is LeaseChanged:
        for desk in keeper.desks.values():
            desk.lease_until_ms = event.until_ms
        return []
    desk = keeper.desks[event.fund]  # type: ignore[union-attr]  # all other events name a fund
    ACTS[type(event)](desk, event)
    return _out(keeper, desk)


def stop(keeper: Keeper) -> list[Command]:
    """The last commands of a process: they save snapshots, so that the next start is quick."""
    commands: list[Command] = []
    for desk in keeper.desks.values():
        if desk.recorder.stop():
            commands += [_store(keeper, desk), _snapshot(desk)]
    return commands


def is_busy(keeper: Keeper) -> bool:
    """Whether any fund waits for a timer or an answer, for example for the end of an order."""
    return any(
        desk.memory.order is not None or desk.launch is not None or desk.is_reading or desk.is_due
        for desk in keeper.desks.values()
    )


def add_desk(keeper: Keeper, desk: Desk) -> None:
    """Add a fund. Funds that trade on one market share its record and its thresholds."""
    desk.market = keeper.markets.setdefault(desk.market.underlying, desk.market)
    keeper.desks[desk.symbol] = desk


def _out(keeper: Keeper, desk: Desk) -> list[Command]:
    """The commands of this step: its rows as one transaction, then the commands that need them."""
    commands = desk.commands
    desk.commands = []
    if not desk.rows:
        return commands
    desk.rows_since_snapshot += len(desk.rows)
    is_due = desk.rows_since_snapshot >= keeper.snapshot_every and desk.phase is Phase.IDLE
    if is_due and desk.recorder.stop():
        commands = [_snapshot(desk), *commands]
    store = _store(keeper, desk)
    if desk.phase is Phase.STORING and desk.store is None:
        desk.store = keeper.stores
    return arranged(desk, store, commands)


def _store(keeper: Keeper, desk: Desk) -> Store:
    keeper.stores += 1
    store = Store(keeper.stores, tuple(desk.rows))
    desk.rows.clear()
    return store


def _snapshot(desk: Desk) -> TakeSnapshot:
    """A snapshot; it follows the store whose last row, ``stopped``, holds its hash."""
    desk.rows_since_snapshot = 0
    return TakeSnapshot(desk.symbol, snapshot_of(desk.recorder.books))


def arranged(_desk: Desk, store: Store, commands: list[Command]) -> list[Command]:
    """The store first, so that no command is carried out before its rows are on disk."""
    return [store, *commands]


def _stored(keeper: Keeper, event: Stored) -> list[Command]:
    commands: list[Command] = []
    for desk in keeper.desks.values():
        if desk.phase is Phase.STORING:
            sending.stored(desk, event.now_ms, event.number)
            commands += _out(keeper, desk)
    return commands


# -- events ----------------------------------------------------------------------------------------


def _rang(desk: Desk, event: TimerRang) -> None:
    if desk.serials.get(event.timer) != event.serial:
        return
    RINGS[event.timer](desk, event.now_ms)


def _ring_clock(desk: Desk, now_ms: int) -> None:
    observing.ring_clock(desk, now_ms)
    reconciliation.start(desk, now_ms)


def _retry(desk: Desk, now_ms: int) -> None:
    if not desk.is_due:
        observing.observe(desk, now_ms)


def _answered(desk: Desk, event: Answered) -> None:
    following.answered(desk, readable(event))
    _after(desk, event.now_ms)


def _looked_up(desk: Desk, event: LookedUp) -> None:
    following.looked_up(desk, readable(event))
    _after(desk, event.now_ms)


def _streamed(desk: Desk, event: Streamed) -> None:
    if unreadable(event.order) is None:
        following.streamed(desk, event)


def _was_read(desk: Desk, event: WasRead) -> None:
    event = readable(event)
    units = desk.state.units
    is_complete = reconciliation.read(desk, event)
    if event.what in (AccountReading.TRADES, AccountReading.MOVEMENTS, AccountReading.POSITION):
        following.read_for_proof(desk, event)
    if is_complete:
        _came_round(desk, event.now_ms)
        if desk.is_told and not desk.is_reading:
            desk.is_told = False
            reconciliation.start_soon(desk, event.now_ms)
    if desk.state.units != units and desk.memory.order is None:
        # the position changed without an order of the fund, so the rules are evaluated again
        observing.observe(desk, event.now_ms)
    _after(desk, event.now_ms)


def _came_round(desk: Desk, now_ms: int) -> None:
    """Compare the books with the account, all of which has now been read."""
    reconciliation.judge_clock(desk, now_ms)
    if not desk.memory.is_open:
        launch_if_asked(desk, now_ms)
        return
    reconciliation.end_if_liquidated(desk, now_ms)
    was_ready = desk.is_ready
    desk.is_ready = reconciliation.compare(desk, now_ms) or desk.is_ready
    if desk.is_due:
        desk.is_due = False
        observing.observe(desk, now_ms)
    elif desk.is_ready and not was_ready:
        observing.resume(desk, now_ms)


def _after(desk: Desk, now_ms: int) -> None:
    """After the end of an order, read the account again and find the next thresholds."""
    if desk.ended_now:
        desk.ended_now = False
        reconciliation.start(desk, now_ms)
        observing.arm(desk)


# -- requests --------------------------------------------------------------------------------------


def _requested(desk: Desk, event: NewRequest) -> None:
    """Adopt a request once; a second request with the same key changes nothing."""
    if request_adoption.is_known(desk, event.key):
        return
    now_ms = event.now_ms
    why = request_adoption.unfit(desk, event)
    if why is not None:
        request_adoption.note_request(desk, now_ms, event, why)
    elif event.what == "launch":
        desk.launch = event
        reconciliation.start(desk, now_ms)
    elif event.what in ("pause", "resume"):
        request_adoption.note_request(desk, now_ms, event, None)
        desk.tell(Paused(desk.time(now_ms), event.what == "pause"))
        observing.arm(desk)
    elif event.what == "wind_down":
        request_adoption.note_request(desk, now_ms, event, None)
        observing.observe(desk, now_ms)
    else:
        desk.asked_for.append(event)
        observing.observe(desk, now_ms)


def launch_if_asked(desk: Desk, now_ms: int) -> None:
    """Open the account and order the first position; a refusal is recorded and changes nothing."""
    asked = desk.launch
    if asked is None:
        return
    if not reconciliation.is_still(desk) or observing.is_stale(desk, now_ms):
        lag_ms = 0 if desk.limits is None else desk.limits.lag_ms
        desk.set_timer(now_ms, Timer.READ, max(lag_ms, desk.guards.ask_every_ms))
        return
    desk.launch = None
    why = reconciliation.unfit_for_launch(desk) or observing.launch_refusal(desk, now_ms)
    request_adoption.note_request(desk, now_ms, asked, why)
    if why is None:
        reconciliation.open_account(desk, now_ms)
        desk.is_ready, desk.is_due = True, False
        observing.launch(desk, now_ms)


def _health_told(desk: Desk, event: HealthTold) -> None:
    why = event.why or "it is delivered again"
    desk.alarm(event.now_ms, "health_not_delivered", why, is_on=event.why is not None)


RINGS: dict[Timer, Callable[[Desk, int], None]] = {
    Timer.CLOCK: _ring_clock,
    Timer.LATE: following.late,
    Timer.ASK: following.ask,
    Timer.READ: reconciliation.start,
    Timer.RETRY: _retry,
}

ACTS: dict[type, Callable[[Desk, Any], None]] = {
    TimerRang: _rang,
    Answered: _answered,
    LookedUp: _looked_up,
    Streamed: _streamed,
    WasRead: _was_read,
    NewRequest: _requested,
    HealthTold: _health_told,
}
