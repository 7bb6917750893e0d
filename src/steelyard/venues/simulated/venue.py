"""The simulated venue as the asynchronous protocol: calls wait on a clock for their answers."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from typing import TypeVar

from steelyard.errors import InvariantError
from steelyard.venues.clocks import Clock
from steelyard.venues.protocol import (
    Balance,
    BookLevels,
    CallOutcome,
    Failure,
    Heard,
    Limits,
    Mark,
    Movement,
    OrderRequest,
    OrderState,
    Position,
    Read,
    Trade,
)
from steelyard.venues.simulated.network import Ask, SimulatedVenue, Value, VenueCall

__all__ = ["SimulatedFace"]

Answer = TypeVar("Answer")
STREAM_EVERY_MS = 100


class SimulatedFace:
    """One caller of a simulated venue.

    Args:
        venue: the venue.
        clock: the caller's clock, which is the venue's true time.
        timeout_ms: the longest time to wait for an answer, ms.
        name: the venue's name.
    """

    def __init__(
        self,
        venue: SimulatedVenue,
        clock: Clock,
        timeout_ms: int = 1_500,
        name: str = "simulated",
    ) -> None:
        self.name = name
        self.venue = venue
        self._clock = clock
        self._timeout_ms = timeout_ms
        self._waited_for: set[int] = set()
        self._answers: dict[int, Value | Failure] = {}
        self._heard: deque[Heard] = deque()

    async def time(self) -> int:
        """The venue's clock, ms UTC."""
        return _of_kind(int, await self._ask(VenueCall(Ask.TIME)))

    async def limits(self) -> Limits:
        """The venue's limits."""
        return _of_kind(Limits, await self._ask(VenueCall(Ask.LIMITS)))

    async def mark(self) -> Mark:
        """The mark price now."""
        return _of_kind(Mark, await self._ask(VenueCall(Ask.MARK)))

    async def book(self) -> BookLevels:
        """The order book now."""
        return _of_kind(BookLevels, await self._ask(VenueCall(Ask.BOOK)))

    async def position(self) -> Read[Position]:
        """The position that the account holds."""
        return _of_kind(Read, await self._ask(VenueCall(Ask.POSITION)))

    async def balance(self) -> Read[Balance]:
        """The wallet."""
        return _of_kind(Read, await self._ask(VenueCall(Ask.BALANCE)))

    async def place(self, request: OrderRequest) -> OrderState:
        """Send an order once."""
        return _of_kind(OrderState, await self._ask(VenueCall(Ask.PLACE, request)))

    async def look_up(self, client_id: str) -> Read[OrderState | None]:
        """The last order with this id, as far as it is visible."""
        return _of_kind(Read, await self._ask(VenueCall(Ask.LOOK_UP, client_id=client_id)))

    async def trades_since(self, since_ms: int) -> Read[tuple[Trade, ...]]:
        """The visible trades at or after ``since_ms``."""
        return _of_kind(Read, await self._ask(VenueCall(Ask.TRADES_SINCE, since_ms=since_ms)))

    async def movements_since(self, since_ms: int) -> Read[tuple[Movement, ...]]:
        """The visible money movements at or after ``since_ms``."""
        return _of_kind(Read, await self._ask(VenueCall(Ask.MOVEMENTS_SINCE, since_ms=since_ms)))

    async def stream(self) -> AsyncIterator[Heard]:
        """The messages of the venue's stream, for one listener."""
        while True:
            self._take()
            while self._heard:
                yield self._heard.popleft()
            await self._clock.sleep_until(self._clock.now_ms() + STREAM_EVERY_MS)

    async def close(self) -> None:
        """Do nothing, since no connection is open."""

    async def _ask(self, call: VenueCall) -> Value:
        """Make a call, and return its value.

        Raises:
            VenueError: the call failed, or no answer arrived in time.
        """
        now_ms = self._clock.now_ms()
        deadline = now_ms + self._timeout_ms
        ticket = self.venue.send(now_ms, call)
        self._waited_for.add(ticket)
        try:
            while True:
                self._take()
                answer = self._answers.pop(ticket, None)
                if isinstance(answer, Failure):
                    raise answer.error()
                if answer is not None:
                    return answer
                if self._clock.now_ms() >= deadline:
                    reason = f"No answer within {self._timeout_ms} ms."
                    raise Failure(CallOutcome.UNKNOWN, reason).error()
                due = self.venue.next_ms
                await self._clock.sleep_until(deadline if due is None else min(due, deadline))
        finally:
            self._waited_for.discard(ticket)

    def _take(self) -> None:
        """Give arrived answers to their calls; a second answer to a call is dropped."""
        for told in self.venue.advance(self._clock.now_ms()):
            if told.ticket == 0:
                if isinstance(told.value, Mark | OrderState):
                    self._heard.append(told.value)
            elif told.ticket in self._waited_for:
                self._answers.setdefault(told.ticket, told.value)


def _of_kind(kind: type[Answer], value: object) -> Answer:
    """The answer, whose type must be the one that was requested."""
    if not isinstance(value, kind):
        message = f"expected an answer of the kind {kind.__name__}, found {value!r}."
        raise InvariantError(message)
    return value
