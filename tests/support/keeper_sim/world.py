"""The world of a simulated keeper: one seed decides all that happens, so a seed repeats exactly.

Time is virtual, ms. The venue is the project's simulated one, with its faults; the journal's
database is ``disk``; processes are killed, stopped, replaced while they live. From time to time
nothing fails for a while, so that it can be asked whether the books and the venue are equal.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random
from typing import Any

from steelyard.errors import InvariantError
from steelyard.fund.terms import fund_terms
from steelyard.keeper.commands import Command, LookUp, ReadVenue, Send, SetTimer
from steelyard.keeper.desk import Guards
from steelyard.keeper.desk_opening import open_desk
from steelyard.keeper.keeper_events import (
    Answered,
    Event,
    LookedUp,
    NewRequest,
    Priced,
    Streamed,
    TimerRang,
    WasRead,
)
from steelyard.ledger.audit import Audit
from steelyard.ledger.journal import Journal
from steelyard.rules.numbers import DECIMAL18
from steelyard.rules.series import Band, Costs, Fees, Reserve, Series, Venue
from steelyard.simulation.fills import ModelFills
from steelyard.venues.protocol import Failure, Mark, OrderState, Read
from steelyard.venues.simulated.fault_chances import ROUGH, FaultChances
from steelyard.venues.simulated.market import MarketTerms
from steelyard.venues.simulated.network import SimulatedVenue, VenueCall
from support.keeper_sim import words
from support.keeper_sim.disk import Connection, Disk
from support.keeper_sim.laws import Broken, Laws
from support.keeper_sim.process import Process
from support.tokens import T0, token

__all__ = ["Fates", "Life", "World", "live"]

MINUTE_MS = 60_000
START_MS = T0 * 1000 - 6 * MINUTE_MS
"""A full hour falls into each life."""
STEP_MS = 1_000
"""Between two prices."""
CALM_MS = 85_000
"""Longer than funding may be late, and a minute in which the account is read."""
STILL_MS = 15_000
"""The price stands still for so long before the books are asked for."""
LAG_MS = 3_000
FUNDING_RATE = Decimal("0.0001")
QUIET = FaultChances(lag=1e-12, lag_ms=LAG_MS, late_funding=1e-12, late_funding_ms=20_000)
"""Nothing fails; what the venue says of its lag stays true."""


@dataclass(frozen=True)
class Fates:
    """What happens to processes and their disk, as chances at each store and send."""

    crash: float = 0.01
    stop: float = 0.012
    torn: float = 0.006
    takeover: float = 0.004
    """At each price: another process takes over from one that lives."""


def a_series(chance: Random) -> Series:
    """One of four tokens: long, short, in clips, with a reserve that suspends."""
    kind = chance.randrange(4)
    venue, fees = Venue(maintenance_margin=0.004), Fees(management_per_year=0.02)
    costs = Costs(taker_fee_bps=5.0, half_spread_bps=0.5)
    if kind == 0:
        return token(3.0, band=Band(2.9, 3.1), venue=venue, fees=fees, costs=costs)
    if kind == 1:
        return token(-1.0, band=Band(0.97, 1.03), venue=venue, fees=fees, costs=costs)
    if kind == 2:
        return token(
            3.0,
            band=Band(2.8, 3.2),
            emergency_leverage=4.5,
            max_trade_notional=6_000.0,
            venue=venue,
            fees=fees,
            costs=costs,
        )
    # near its floor, and far from where it resumes: most of its life it is suspended
    reserve = Reserve(initial_units=0.133, floor_ratio=0.09, resume_ratio=0.12, bears=("spread",))
    return token(2.0, band=Band(1.95, 2.05), venue=venue, fees=fees, costs=costs, reserve=reserve)


class World:
    """Everything outside the core.

    Args:
        seed: of every choice.
        fates: of processes.
        faults: of the venue.
        is_told: whether the history is kept in words.
    """

    def __init__(
        self,
        seed: int,
        fates: Fates | None = None,
        faults: FaultChances = ROUGH,
        *,
        is_told: bool = False,
    ) -> None:
        self.chance = Random(seed)  # noqa: S311 (a simulation, no secret)
        self.now_ms = START_MS
        self.steps = 0
        self.is_told, self.lines = is_told, list[str]()
        self.counts: dict[str, int] = {}
        self.fates = fates or Fates()
        self.faults = replace(faults, lag_ms=LAG_MS, late_funding_ms=20_000)
        self.is_calm = False
        self.series = a_series(self.chance)
        self.rule = fund_terms(self.series, DECIMAL18).rule
        self.tokens = DECIMAL18.of(self.series.initial_tokens)
        # clocks are off by more than a keeper bears: what it does is not to rest on its own
        most = self.chance.choice((60, 60, 10))
        self.guards = Guards(max_orders_per_hour=most, clock_off_ms=10_000)
        self.lease_ms = self.chance.choice((12_000, 10**9))
        self.sigma = self.chance.uniform(0.0005, 0.0022)
        self.disk = Disk()
        self.laws = Laws(self)
        self.disk.look = self.laws.stored
        self.venue = self._venue(self.chance.randrange(2**32))
        self.processes: list[Process] = []
        self.changed: Process | None = None
        self._calls: dict[int, tuple[Process, Command]] = {}
        self._heap: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = 0
        self._requests = [("launch-1", "launch", {})]

    def _venue(self, seed: int) -> SimulatedVenue:
        wallet = Decimal(str(self.series.initial_nav * self.series.initial_tokens))
        # funding every three minutes, so that a short life sees some
        terms = MarketTerms(funding_every_ms=3 * MINUTE_MS)
        price = Decimal("68000.0")
        venue = SimulatedVenue(seed, price, wallet, self.faults, terms, self.now_ms)
        venue.exchange.funding_rate = FUNDING_RATE
        accept = venue.exchange._accepted

        def accepted(state: OrderState) -> None:
            self.laws.accepted(state)
            accept(state)

        venue.exchange._accepted = accepted  # type: ignore[method-assign]  # the truth is looked at
        return venue

    # -- time ----------------------------------------------------------------------------------

    def at(self, at_ms: int, do: Callable[..., None], *args: Any) -> None:
        """Something is to happen."""
        self._order += 1
        heapq.heappush(self._heap, (at_ms, self._order, do, args))

    def run(self, minutes: int) -> None:
        """Live, with a calm after every four minutes and at the end."""
        start = self.now_ms
        self._begin()
        end = start + minutes * MINUTE_MS
        for calm in range(start + 4 * MINUTE_MS, end + 1, 4 * MINUTE_MS):
            self.at(calm, self._calm_down)
        self.at(end + 3 * MINUTE_MS, lambda: None)
        while self._heap and self.now_ms <= end + 2 * MINUTE_MS:
            self.one_step()

    def one_step(self) -> None:
        """The next thing that happens, and whether the laws hold after it."""
        self.steps += 1
        due = self.venue.next_ms
        if due is not None and due <= self._heap[0][0]:
            self.now_ms = max(self.now_ms, due)
            for told in self.venue.advance(due):
                self._hear(told.ticket, told.value)
        else:
            at_ms, _, do, args = heapq.heappop(self._heap)
            self.now_ms = max(self.now_ms, at_ms)
            do(*args)
        process, self.changed = self.changed, None
        if process is not None and process is self.newest:
            self.laws.books(process)

    @property
    def newest(self) -> Process | None:
        """The process that holds the right to write, if it lives."""
        newest = self.processes[-1] if self.processes else None
        return newest if newest is not None and newest.is_alive else None

    # -- words ---------------------------------------------------------------------------------

    def say(self, text: str, *args: object) -> None:
        """A line of the history."""
        if self.is_told:
            seconds = (self.now_ms - START_MS) / 1000
            self.lines.append(f"{seconds:9.3f} s  {text % args}")

    def count(self, what: str) -> None:
        """One more of these."""
        self.counts[what] = self.counts.get(what, 0) + 1

    # -- what fails ----------------------------------------------------------------------------

    def fate(self) -> str | None:
        """What happens to a process at a store or a send."""
        if self.is_calm:
            return None
        roll = self.chance.random()
        if roll < self.fates.crash:
            return "crash"
        return "stop" if roll < self.fates.crash + self.fates.stop else None

    def torn(self) -> str | None:
        """What happens to a commit."""
        if self.is_calm or self.chance.random() >= self.fates.torn:
            return None
        return self.chance.choice(("lost", "kept"))

    def died(self, process: Process) -> None:
        """A process has ended: where it was the newest, another is started."""
        if process is self.processes[-1]:
            self.at(self.now_ms + self.chance.randrange(5_000), self._start_if_none)

    def stopped(self, process: Process) -> None:
        """A process is stopped: a successor takes over, before or after it goes on."""
        self.at(self.now_ms + self.chance.randrange(12_000), process.go_on)
        if process is self.processes[-1]:
            self.at(self.now_ms + self.chance.randrange(8_000), self._start)

    def _start_if_none(self) -> None:
        if self.newest is None:
            self._start()

    def _start(self) -> None:
        skew = self.chance.randrange(-2_500, 2_500)
        try:
            process = Process(self, len(self.processes) + 1, skew)
        except InvariantError as error:
            raise Broken(f"the journal cannot be opened again: {error}") from error
        self.processes.append(process)
        self.say("process %d starts, its clock %d ms ahead", process.number, skew)
        process.start()
        self._renew(process)
        self._ask(process)

    def _renew(self, process: Process) -> None:
        if process.is_alive:
            process.renew_lease()
            self.at(self.now_ms + 3_000, self._renew, process)

    def _ask(self, process: Process) -> None:
        """The table of requests is read from time to time."""
        if process.is_alive:
            for key, what, content in self._requests:
                event = NewRequest(
                    process.now_ms, self.series.symbol, key, "operator", what, content
                )
                process.hear(event)
            self.at(self.now_ms + 5_000, self._ask, process)

    # -- calm ----------------------------------------------------------------------------------

    def _calm_down(self) -> None:
        self.say("nothing fails for a while")
        self.is_calm, self.venue.faults = True, QUIET
        self.venue.exchange.funding_rate = Decimal(0)
        for process in self.processes:
            process.go_on()
        self.at(self.now_ms + CALM_MS, self._weigh)

    def _weigh(self) -> None:
        self.laws.calm(self.newest)
        self.say("books and venue are equal")
        self.is_calm, self.venue.faults = False, self.faults
        self.venue.exchange.funding_rate = FUNDING_RATE

    # -- the venue and its market --------------------------------------------------------------

    def _begin(self) -> None:
        self._start()
        self.at(self.now_ms, self._move, 0)

    def _move(self, still_ms: int) -> None:
        chance, exchange = self.chance, self.venue.exchange
        price = exchange.price
        calm_for = self._calm_until()
        if calm_for is None or calm_for > STILL_MS:
            moved = chance.gauss(0, self.sigma)
            if not self.is_calm and chance.random() < 0.002:
                moved += chance.choice((-0.05, -0.03, 0.03, 0.05))
            price = (price * Decimal(1 + moved)).quantize(Decimal("0.1"))
        self.venue.move(self.now_ms, price)
        if not self.is_calm and chance.random() < self.fates.takeover:
            self.count("takeover")
            self.say("another process takes over")
            self._start()
        self.at(self.now_ms + STEP_MS, self._move, still_ms)

    def _calm_until(self) -> int | None:
        """How long the present calm lasts still."""
        if not self.is_calm:
            return None
        return (
            min((at for at, _, do, _ in self._heap if do == self._weigh), default=0) - self.now_ms
        )

    def set_timer(self, process: Process, timer: SetTimer) -> None:
        """Ring later, by the process's own clock."""
        true_ms = max(timer.at_ms - process.skew_ms, self.now_ms)
        self.at(true_ms, self._ring, process, timer)

    def _ring(self, process: Process, timer: SetTimer) -> None:
        process.hear(TimerRang(process.now_ms, timer.fund, timer.timer, timer.serial))

    def call(self, process: Process, command: Command, call: VenueCall) -> None:
        """A process asks the venue."""
        self._calls[self.venue.send(self.now_ms, call)] = process, command

    def _hear(self, ticket: int, value: Any) -> None:
        if ticket == 0:
            self._stream(value)
            return
        process, command = self._calls[ticket]
        event = _event_of(process, command, value)
        if event is not None:
            if self.is_told:
                self.say("process %d %s", process.number, words.heard(event))
            process.hear(event)

    def _stream(self, heard: Mark | OrderState) -> None:
        symbol = self.series.symbol
        for process in self.processes[-3:]:
            if isinstance(heard, Mark):
                process.hear(Priced(process.now_ms, self.series.underlying, heard))
            elif heard.client_id.startswith("sy-"):
                process.hear(Streamed(process.now_ms, symbol, heard))


def _event_of(process: Process, command: Command, value: Any) -> Event | None:
    now_ms = process.now_ms
    if type(command) is Send:
        return Answered(now_ms, command.fund, command.request.client_id, value)
    if type(command) is LookUp:
        return LookedUp(now_ms, command.fund, command.client_id, command.asked_ms, value)
    if type(command) is ReadVenue:
        found = value if isinstance(value, Failure | Read) else Read(0, value)
        return WasRead(now_ms, command.fund, command.what, command.asked_ms, found)
    return None


def _audited(world: World) -> str | None:
    """What the journal's own proofs find: the chain, the books, the rules."""
    journal = Journal(Connection(world.disk))
    verdict = journal.verify(checks=[Audit(ModelFills(), journal.snapshots())])
    for name, proof in verdict.proofs.items():
        if proof.findings:
            return f"{name}: event {proof.findings[0].seq}: {proof.findings[0].why}"
    process = world.newest
    again = open_desk(journal, world.series, world.guards)
    if process is not None and process.is_stopped:
        return None  # what it was about to store is in no row
    if process is not None and again.memory != process.desk.memory:
        return "the keeper's rows, folded, are not what the keeper remembers"
    if process is not None and again.state != process.desk.state:
        return "the fund's rows, folded, are not the state that the keeper holds"
    return None


@dataclass(frozen=True)
class Life:
    """How a simulated life went."""

    seed: int
    steps: int
    counts: dict[str, int]
    broken: str | None
    lines: list[str]


def live(
    seed: int,
    minutes: int = 12,
    *,
    fates: Fates | None = None,
    faults: FaultChances = ROUGH,
    is_told: bool = False,
) -> Life:
    """Live one life, and say whether a law broke."""
    with DECIMAL18.context():
        world = World(seed, fates, faults, is_told=is_told)
        broken = None
        try:
            world.run(minutes)
        except AssertionError as error:
            broken = f"{type(error).__name__}: {error}"
            world.say("%s", broken)
        if broken is None:
            broken = _audited(world)
    counts = {**world.venue.counts, **world.laws.seen, **world.counts}
    return Life(seed, world.steps, counts, broken, world.lines)
