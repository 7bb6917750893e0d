"""One simulated process: it carries the core's commands out, and dies or stops on the way.

It decides nothing. Before and after each store and each send it may be killed; it may be stopped
there as well, and go on seconds later with what it was about to do, when a successor has long
taken over. It has a clock of its own, which is wrong.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from steelyard.errors import Fenced, JournalError
from steelyard.keeper import core
from steelyard.keeper.commands import (
    AccountReading,
    Command,
    LookUp,
    Publish,
    ReadVenue,
    Send,
    SetTimer,
    Store,
    TakeSnapshot,
)
from steelyard.keeper.desk import Desk
from steelyard.keeper.desk_opening import open_desk
from steelyard.keeper.keeper_events import Event, LeaseChanged, Stored
from steelyard.ledger.journal import Journal
from steelyard.ledger.store import Owner
from steelyard.ledger.writer import Writer
from steelyard.venues.simulated.network import Ask, VenueCall
from support.keeper_sim import words
from support.keeper_sim.disk import Connection

if TYPE_CHECKING:
    from support.keeper_sim.world import World

__all__ = ["Process"]

DANGEROUS = {Store: "storing", TakeSnapshot: "taking a snapshot", Send: "sending"}
"""Before and after these a process may be killed or stopped."""
SNAPSHOT_EVERY = 25
"""Rows: lives are short."""
ASKS = {
    AccountReading.LIMITS: Ask.LIMITS,
    AccountReading.TRADES: Ask.TRADES_SINCE,
    AccountReading.MOVEMENTS: Ask.MOVEMENTS_SINCE,
    AccountReading.POSITION: Ask.POSITION,
    AccountReading.BALANCE: Ask.BALANCE,
}


class Process:
    """A keeper that runs, until it does not.

    Args:
        world: time, chance and the venue.
        number: from 1.
        skew_ms: how far its clock is ahead of true time.
    """

    def __init__(self, world: World, number: int, skew_ms: int) -> None:
        self.world, self.number, self.skew_ms = world, number, skew_ms
        self.is_alive, self.is_stopped = True, False
        self.granted_until_ms = 0
        """The end of the last lease that it was told of, by its own clock."""
        self._waiting: deque[Event] = deque()
        self._rest: list[Command] = []
        self._connection = Connection(world.disk)
        lease = self._connection.take_lease(Owner(f"keeper {number}", "host", number, 0))
        self.token = lease.token
        self._writer = Writer(self._connection, lease)
        self.desk: Desk = open_desk(Journal(self._connection), world.series, world.guards)
        self._keeper = core.Keeper(snapshot_every=SNAPSHOT_EVERY)
        core.add_desk(self._keeper, self.desk)

    @property
    def now_ms(self) -> int:
        """Its own clock."""
        return self.world.now_ms + self.skew_ms

    def start(self) -> None:
        """Go on from where the journal stands."""
        self.renew_lease()
        if self.is_alive:
            name = f"keeper {self.number}"
            self._carry_out(core.start(self._keeper, self.now_ms, name, self.token, "simulated"))

    def renew_lease(self) -> None:
        """The database says whether the lease is still this process's."""
        is_mine = self.token == self.world.disk.lease.token
        until_ms = self.now_ms + self.world.lease_ms if is_mine else None
        if until_ms is not None and not self.is_stopped:
            self.granted_until_ms = until_ms
        self.hear(LeaseChanged(self.now_ms, until_ms))

    def hear(self, event: Event) -> None:
        """Something happened; a stopped process hears of it when it goes on."""
        if not self.is_alive:
            return
        if self.is_stopped:
            self._waiting.append(event)
        else:
            self._carry_out(core.step(self._keeper, event))

    def go_on(self) -> None:
        """Do what was about to be done, and hear what happened meanwhile."""
        if not self.is_alive or not self.is_stopped:
            return
        self.is_stopped = False
        rest, self._rest = self._rest, []
        self.world.say("process %d goes on", self.number)
        self._carry_out(rest)
        while self._waiting and self.is_alive and not self.is_stopped:
            self._carry_out(core.step(self._keeper, self._waiting.popleft()))

    def die(self, why: str) -> None:
        """The end of this process."""
        self.is_alive = False
        self.world.say("process %d dies: %s", self.number, why)
        self.world.died(self)

    # -- commands ------------------------------------------------------------------------------

    def _carry_out(self, commands: Iterable[Command]) -> None:
        todo = deque(commands)
        world = self.world
        while todo:
            command = todo[0]
            is_dangerous = type(command) in DANGEROUS
            if is_dangerous and self._fails("before", command):
                self._rest = list(todo)
                return
            todo.popleft()
            if type(command) is Store:
                if not self._store(command):
                    return
                todo.extend(core.step(self._keeper, Stored(self.now_ms, command.number)))
                world.changed = self
            elif type(command) is TakeSnapshot:
                if not self._take_snapshot(command):
                    return
            else:
                self._do(command)
            if is_dangerous and self._fails("after", command):
                self._rest = list(todo)
                return

    def _fails(self, when: str, command: Command) -> bool:
        """Whether the process is killed, or stopped, at this point."""
        fate = self.world.fate()
        if fate is None:
            return False
        what = DANGEROUS[type(command)]
        if fate == "crash":
            self.world.count("crash")
            self.die(f"killed {when} {what}")
        else:
            self.world.count("stop")
            self.is_stopped = True
            self.world.say("process %d is stopped %s %s", self.number, when, what)
            self.world.stopped(self)
        return True

    def _store(self, command: Store) -> bool:
        self._connection.torn = self.world.torn()
        try:
            self._writer.append(command.events)
        except Fenced:
            self.world.count("fenced")
            return self._is_fenced(command)
        except JournalError as error:
            self.world.count("torn")
            self.die(str(error))
            return False
        if self.world.is_told:
            for event in command.events:
                self.world.say("process %d %s", self.number, words.stored(event))
        return True

    def _take_snapshot(self, command: TakeSnapshot) -> bool:
        try:
            self._writer.snapshot(command.fund, command.state)
        except JournalError as error:
            self.world.count("fenced")
            self.die(str(error))
            return False
        self.world.count("snapshot")
        return True

    def _is_fenced(self, command: Store) -> bool:  # noqa: ARG002 (of the store that failed)
        """Another process has taken over: this one must stop."""
        self.die("another process has taken over")
        return False

    def _do(self, command: Command) -> None:
        world = self.world
        if type(command) is Send:
            self._send(command)
        elif type(command) is LookUp:
            world.call(self, command, VenueCall(Ask.LOOK_UP, client_id=command.client_id))
        elif type(command) is ReadVenue:
            world.call(self, command, VenueCall(ASKS[command.what], since_ms=command.since_ms))
        elif type(command) is SetTimer:
            world.set_timer(self, command)
        elif type(command) is Publish:
            world.say("process %d: %s", self.number, command.text)

    def _send(self, command: Send) -> None:
        request = command.request
        self.world.laws.sent(self, request)
        self.world.say("process %d sends %s", self.number, request.client_id)
        self.world.call(self, command, VenueCall(Ask.PLACE, request))
