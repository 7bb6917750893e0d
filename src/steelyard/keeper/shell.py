"""The shell: it carries out the core's commands and reports their results; it decides nothing.

Events wait in one queue. Each event is given to the core, and its commands are carried out in their
order before the next event; a ``Store`` is on disk before the commands after it begin. The venue's
answers, timers, prices, the lease and requests enter the queue as they happen. If the journal
cannot be written, or another keeper has taken over, the shell ends with that error. What was stored
becomes known when the journal is opened again.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

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
    Timer,
)
from steelyard.keeper.keeper_events import (
    Answered,
    Event,
    LookedUp,
    Priced,
    Stored,
    Streamed,
    TimerRang,
    WasRead,
)
from steelyard.ledger.writer import Writer
from steelyard.rules.numbers import DECIMAL18
from steelyard.venues.clocks import Clock
from steelyard.venues.protocol import CallOutcome, Failure, Mark, Read, Venue, failure_of
from steelyard.version import __version__

__all__ = ["KILLED", "Shell"]

STOPS_WITHIN_S = 5.0
"""Seconds (machine time) for which a venue that does not answer may delay a stop."""
KILLED = Failure(
    CallOutcome.UNAVAILABLE, "the kill switch is there: nothing is sent", "kill", is_sent=False
)


class Shell:
    """One process of the keeper.

    Args:
        keeper: the core's state, with the desks as the journal left them.
        writer: the journal's writer, under this process's lease.
        venues: the account of each fund, by its symbol.
        clock: the clock of this machine, or the virtual one of a paper venue.
        owner: a short name for who runs the keeper.
        kill_file: no order is sent while this file exists.
        say: is called with each line's fund and text, and with whether it is an alarm.
        waits: whether a venue's next price is requested only when no call is under way, as for a
            paper venue whose clock stands still meanwhile.
        once: end when everything that can be done at the first price is done.
    """

    def __init__(
        self,
        keeper: core.Keeper,
        writer: Writer,
        venues: Mapping[str, Venue],
        clock: Clock,
        *,
        owner: str = "keeper",
        kill_file: Path | None = None,
        say: Callable[[str, str, bool], None] = lambda *_: None,
        waits: bool = False,
        once: bool = False,
    ) -> None:
        self._keeper, self._writer, self._venues, self._clock = keeper, writer, venues, clock
        self._owner, self._kill_file, self._say = owner, kill_file, say
        self._waits, self._once = waits or once, once
        self._finishes = once and not waits
        """Whether unfinished work is completed before ``once`` ends the run, by timers too."""
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._timers: list[tuple[int, int, SetTimer]] = []
        self._due: deque[SetTimer] = deque()
        """Scheduled observations that are due; they are told one by one, so others come between."""
        self._is_clock_told = False
        self._seen_ms = 0
        """The clock, ms, when the timers were last checked."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way = 0
        self._number = 0
        self._heard = set[str]()
        """The funds whose stream has reported something or has ended."""
        self._quiet = asyncio.Event()
        """Set while no call is under way and no event waits."""
        self._arrived = asyncio.Event()
        self._ended = asyncio.Event()
        self._is_stopping = False
        self._failed: BaseException | None = None

    def tell(self, event: Event) -> None:
        """Put an event from outside into the queue, such as a lease or a request."""
        self._events.put_nowait(event)
        self._quiet.clear()
        self._arrived.set()

    def fail(self, error: BaseException) -> None:
        """End ``run`` with an error from outside, such as a lost lease."""
        self._failed = self._failed or error
        self._ended.set()

    def stop(self) -> None:
        """End ``run`` when the calls under way are done, or ``STOPS_WITHIN_S`` later.

        No more prices are taken. If an order's outcome is still open then, the next process follows
        it to its end, as after a crash.
        """
        if self._is_stopping:
            return
        self._is_stopping = True
        for task in self._tasks:
            if task.get_name() == "feed":
                task.cancel()
        asyncio.get_running_loop().call_later(STOPS_WITHIN_S, self._ended.set)
        self._arrived.set()

    async def run(self) -> None:
        """Run the funds until ``stop``, or until all histories end.

        Raises:
            JournalError: the journal could not be written (``Fenced``: another keeper took over).
            InvariantError: an invariant of the program was violated.
        """
        with DECIMAL18.context():
            now_ms, token = self._clock.now_ms(), self._writer.lease.token
            self._carry_out(core.start(self._keeper, now_ms, self._owner, token, __version__))
        feeds = []
        if not self._is_stopping:
            feeds = [self._begin(self._feed(*each)) for each in self._venues.items()]
        try:
            await self._listen(feeds)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        with DECIMAL18.context():
            self._carry_out(core.stop(self._keeper))

    # -- events --------------------------------------------------------------------------------

    async def _listen(self, feeds: list[asyncio.Task[None]]) -> None:
        """Give the core one event after another."""
        while True:
            if self._failed is not None:
                raise self._failed
            if self._ended.is_set():
                return
            self._ring_due()
            if self._events.empty():
                if self._under_way == 0 and not (self._finishes and core.is_busy(self._keeper)):
                    self._quiet.set()
                    is_all_heard = self._finishes and self._heard >= self._venues.keys()
                    if is_all_heard or all(feed.done() for feed in feeds):
                        return
                await self._something()
                continue
            event = self._events.get_nowait()
            with DECIMAL18.context():
                self._carry_out(core.step(self._keeper, event))
            if type(event) is TimerRang and event.timer is Timer.CLOCK:
                self._is_clock_told = False
                await asyncio.sleep(0)  # events that arrived meanwhile come before the next fund

    async def _something(self) -> None:
        """Wait for an event, the next timer, the end, or the end of a feed."""
        self._arrived.clear()
        waits: list[asyncio.Task[Any]] = [
            asyncio.create_task(self._arrived.wait()),
            asyncio.create_task(self._ended.wait()),
        ]
        if self._timers:
            waits.append(asyncio.create_task(self._until(self._timers[0][0])))
        feeds = [task for task in self._tasks if task.get_name() == "feed" and not task.done()]
        try:
            await asyncio.wait([*waits, *feeds], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _until(self, at_ms: int) -> None:
        await self._clock.sleep_until(at_ms)

    def _ring_due(self) -> None:
        now_ms = self._clock.now_ms()
        if now_ms < self._seen_ms:
            # the clock was set back: shift the timers, so that they still ring after the same wait
            back_ms = self._seen_ms - now_ms
            self._timers = [
                (at_ms - back_ms, number, timer) for at_ms, number, timer in self._timers
            ]
        self._seen_ms = now_ms
        while self._timers and self._timers[0][0] <= now_ms:
            _, _, timer = heapq.heappop(self._timers)
            if timer.timer is Timer.CLOCK:
                self._due.append(timer)
            else:
                self._ring(now_ms, timer)
        if self._due and not self._is_clock_told:
            self._is_clock_told = True
            self._ring(now_ms, self._due.popleft())

    def _ring(self, now_ms: int, timer: SetTimer) -> None:
        self.tell(TimerRang(now_ms, timer.fund, timer.timer, timer.serial))

    async def _feed(self, symbol: str, venue: Venue) -> None:
        """Pass the messages of a venue's stream on as events."""
        underlying = self._keeper.desks[symbol].market.underlying
        async for heard in venue.stream():
            now_ms = self._clock.now_ms()
            if isinstance(heard, Mark):
                self.tell(Priced(now_ms, underlying, heard))
            else:
                self.tell(Streamed(now_ms, symbol, heard))
            self._heard.add(symbol)
            if self._finishes:
                continue  # unfinished work, such as a launch, may need more prices
            if self._waits:
                await self._turn(venue)
            if self._once:
                return
        self._heard.add(symbol)

    async def _turn(self, venue: Venue) -> None:
        """Wait until no call is under way and no other history's next price is earlier."""
        while True:
            await self._quiet.wait()
            due = getattr(venue, "next_ms", None)
            others = [getattr(each, "next_ms", None) for each in self._venues.values()]
            if due is None or due <= min(each for each in others if each is not None):
                self._quiet.clear()
                return
            await asyncio.sleep(0)

    # -- commands ------------------------------------------------------------------------------

    def _carry_out(self, commands: Iterable[Command]) -> None:
        """Carry commands out in their order; commands that follow from a store come after them."""
        todo = list(commands)
        for command in todo:
            if isinstance(command, Store):
                self._writer.append(command.events)
                todo.extend(core.step(self._keeper, Stored(self._clock.now_ms(), command.number)))
            elif isinstance(command, TakeSnapshot):
                self._writer.snapshot(command.fund, command.state)
            elif isinstance(command, SetTimer):
                self._number += 1
                heapq.heappush(self._timers, (command.at_ms, self._number, command))
            elif isinstance(command, Publish):
                self._say(command.fund, command.text, command.is_alarm)
            else:
                self._ask(command)

    def _ask(self, command: Send | LookUp | ReadVenue) -> None:
        venue = self._venues[command.fund]
        if isinstance(command, Send):
            self._begin(self._sent(command, venue))
        elif isinstance(command, LookUp):
            self._begin(self._looked_up(command, venue))
        else:
            self._begin(self._read(command, venue))

    async def _sent(self, command: Send, venue: Venue) -> None:
        name = command.request.client_id
        if self._kill_file is not None and _is_there(self._kill_file):
            found: Any = KILLED
        else:
            found = await _outcome(venue.place(command.request))
        self.tell(Answered(self._clock.now_ms(), command.fund, name, found))

    async def _looked_up(self, command: LookUp, venue: Venue) -> None:
        found = await _outcome(venue.look_up(command.client_id))
        now_ms = self._clock.now_ms()
        self.tell(LookedUp(now_ms, command.fund, command.client_id, command.asked_ms, found))

    async def _read(self, command: ReadVenue, venue: Venue) -> None:
        call: Callable[[], Awaitable[Any]] = {
            AccountReading.LIMITS: venue.limits,
            AccountReading.POSITION: venue.position,
            AccountReading.BALANCE: venue.balance,
            AccountReading.TRADES: lambda: venue.trades_since(command.since_ms),
            AccountReading.MOVEMENTS: lambda: venue.movements_since(command.since_ms),
        }[command.what]
        found = await _outcome(call())
        if not isinstance(found, Failure | Read):
            found = Read(0, found)
        now_ms = self._clock.now_ms()
        self.tell(WasRead(now_ms, command.fund, command.what, command.asked_ms, found))

    def _begin(self, work: Any) -> asyncio.Task[None]:  # noqa: ANN401 (a coroutine of any kind)
        """Start a task beside the event loop; a failure other than a venue's ends the shell."""
        is_feed = work.__name__ == "_feed"
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        task.set_name("feed" if is_feed else "call")
        self._tasks.add(task)
        self._under_way += not is_feed
        task.add_done_callback(self._is_done)
        return task

    def _is_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._under_way -= task.get_name() == "call"
        if not task.cancelled() and task.exception() is not None:
            error = task.exception()
            assert error is not None  # noqa: S101 (just asked)
            self.fail(error)


def _is_there(path: Path) -> bool:
    """Whether a file exists, even as a broken link; a path that cannot be checked counts too."""
    try:
        path.lstat()
    except OSError as error:
        return not isinstance(error, FileNotFoundError)
    return True


async def _outcome(call: Awaitable[Any]) -> Any:  # noqa: ANN401 (whatever the venue gives)
    """The value of a call, or its failure as data: any other error counts as unknown."""
    try:
        return await call
    except Exception as error:  # noqa: BLE001 (an outcome that is not proved is unknown)
        return failure_of(error)
