"""The network to a simulated venue, on virtual time: it carries calls, and may lose answers.

A driver owns the clock. It hands calls to ``send``, asks ``next_ms`` when something happens next,
and gets what has reached the caller from ``advance``. No code here reads a clock, and one seed
decides every random choice, so the same driver and seed give the same history.

Times are ms of the driver's clock, which is true time. The venue's own clock is ``skew_ms`` ahead.
"""

from __future__ import annotations

import heapq
from decimal import Decimal
from enum import Enum
from random import Random
from typing import NamedTuple

from steelyard.venues.protocol import (
    Balance,
    BookLevels,
    CallOutcome,
    Failure,
    Limits,
    Mark,
    Movement,
    OrderRequest,
    OrderState,
    Position,
    Read,
    Trade,
)
from steelyard.venues.simulated.fault_chances import CALM, FaultChances
from steelyard.venues.simulated.market import MarketTerms, book_at
from steelyard.venues.simulated.simulated_exchange import SimulatedExchange
from steelyard.venues.simulated.turnstile import Turnstile

__all__ = ["Ask", "Reply", "SimulatedVenue", "Value", "VenueCall"]

Value = (
    int
    | Limits
    | Mark
    | BookLevels
    | Read[Position]
    | Read[Balance]
    | OrderState
    | Read[OrderState | None]
    | Read[tuple[Trade, ...]]
    | Read[tuple[Movement, ...]]
)
"""The value of a call, or a message of a stream."""


class Ask(Enum):
    """The kinds of call, by the names of the protocol."""

    TIME = "time"
    LIMITS = "limits"
    MARK = "mark"
    BOOK = "book"
    POSITION = "position"
    BALANCE = "balance"
    PLACE = "place"
    LOOK_UP = "look_up"
    TRADES_SINCE = "trades_since"
    MOVEMENTS_SINCE = "movements_since"


class VenueCall(NamedTuple):
    """One call; its kind decides which fields are used."""

    ask: Ask
    request: OrderRequest | None = None
    client_id: str = ""
    since_ms: int = 0


class Reply(NamedTuple):
    """A message that reaches the caller at an instant, as the answer to a call or from a stream."""

    at_ms: int
    ticket: int
    """The ticket of the call; 0: a stream's message."""
    value: Value | Failure


class _Arrival(NamedTuple):
    ticket: int
    call: VenueCall


class SimulatedVenue:
    """One account at a venue that fails as its faults say.

    Args:
        seed: decides every random choice.
        price: the mark at the start.
        wallet: the deposit at the start, quote.
        faults: what goes wrong, and how often; they may be replaced at any time.
        terms: the terms of the contract.
        now_ms: the driver's clock at the start, ms.
    """

    def __init__(
        self,
        seed: int,
        price: Decimal,
        wallet: Decimal = Decimal(100_000),
        faults: FaultChances = CALM,
        terms: MarketTerms | None = None,
        now_ms: int = 0,
    ) -> None:
        self.faults = faults
        self.now_ms = now_ms
        self.counts: dict[str, int] = {}
        """The number of times that each fault has happened."""
        self._random = Random(seed)  # noqa: S311 (a simulation, not a secret)
        self.skew_ms = self._random.randint(-faults.skew_ms, faults.skew_ms)
        self.exchange = SimulatedExchange(
            terms or MarketTerms(),
            wallet,
            price,
            now_ms + self.skew_ms,
            self._lag,
            self._late_funding,
        )
        self._turnstile = Turnstile(self.exchange.terms)
        self._tickets = 0
        self._on_its_way: list[tuple[int, int, _Arrival | Reply]] = []
        self._order = 0

    # -- the driver's side -----------------------------------------------------------------------

    @property
    def next_ms(self) -> int | None:
        """The time of the next event, ms; None: none until a call is sent or the price moves."""
        return self._on_its_way[0][0] if self._on_its_way else None

    def send(self, now_ms: int, call: VenueCall) -> int:
        """Send a call, and return its ticket, which the answers from ``advance`` carry."""
        self._tickets += 1
        ticket, faults = self._tickets, self.faults
        if any(start <= now_ms < end for start, end in faults.down) or self._is("refused"):
            reason = "There is no connection, and nothing was sent."
            self._tell(now_ms + self._way(), ticket, Failure(CallOutcome.UNAVAILABLE, reason))
        elif self._is("lost_before"):
            pass
        elif self._is("dropped_before"):
            self._tell(now_ms + self._way(), ticket, _BROKEN)
        else:
            self._put(now_ms + self._way(), _Arrival(ticket, call))
        return ticket

    def advance(self, to_ms: int) -> list[Reply]:
        """Everything that reaches the caller up to an instant, in the order of arrival."""
        told = []
        while self._on_its_way and self._on_its_way[0][0] <= to_ms:
            at_ms, _, what = heapq.heappop(self._on_its_way)
            self._run_to(at_ms)
            if isinstance(what, Reply):
                told.append(what)
            else:
                self._arrive(what.ticket, what.call)
        self._run_to(to_ms)
        return told

    def move(self, now_ms: int, price: Decimal) -> None:
        """Move the mark, after advancing to now.

        Whatever has reached the caller by then is kept for the next ``advance``.
        """
        for told in self.advance(now_ms):
            self._put(told.at_ms, told)
        self.exchange.move(price)
        if self.exchange.account.units != 0 and self._is("deleveraged"):
            self.exchange.deleverage(Decimal(self._random.randint(1, 100)) / 100)
        self._stream(self.exchange.mark())

    # -- the venue's side ------------------------------------------------------------------------

    def _run_to(self, at_ms: int) -> None:
        self.now_ms = max(self.now_ms, at_ms)
        self.exchange.run_to(self.now_ms + self.skew_ms)
        self._tell_stream()

    def _arrive(self, ticket: int, call: VenueCall) -> None:
        """Handle a call that reaches the venue: refuse it, carry it out, or let a fault strike."""
        turned_away = self._turned_away(call)
        if turned_away is not None:
            self._tell(self.now_ms + self._way(), ticket, turned_away)
            return
        value = self._carried_out(call)
        if not isinstance(value, Failure):
            if self._is("lost_after"):
                return
            if self._is("dropped_after"):
                value = _BROKEN
            elif self._is("garbled"):
                value = Failure(CallOutcome.UNKNOWN, "The answer cannot be read.")
        self._tell(self.now_ms + self._way(), ticket, value)
        if self._is("duplicate"):
            self._tell(self.now_ms + self._way(), ticket, value)

    def _turned_away(self, call: VenueCall) -> Failure | None:
        venue_ms, faults = self.exchange.now_ms, self.faults
        closed = self._turnstile.enter(venue_ms, is_order=call.ask is Ask.PLACE)
        if closed is None and self._is("banned"):
            closed = self._turnstile.close(venue_ms, faults.ban_ms, faults.ban_times)
        if closed is not None:
            self._count(closed.code)
            return closed
        if self._is("unavailable"):
            reason = ("Service Unavailable.", "Internal error; unable to process your request.")
            return Failure(CallOutcome.UNAVAILABLE, reason[self._random.random() < 0.5], "503")  # noqa: PLR2004
        is_exempt = call.request is not None and call.request.reduce_only
        if not is_exempt and self._is("overloaded"):
            return Failure(CallOutcome.UNAVAILABLE, "Server is currently overloaded.", "-1008")
        return None

    def _carried_out(self, call: VenueCall) -> Value | Failure:
        """The result of a call; a time-out inside the venue may or may not have carried it out."""
        if not self._is("unknown"):
            return self._answer(call)
        if self._random.random() < 0.5:  # noqa: PLR2004 (half of them)
            self._answer(call)
            self._count("unknown_done")
        reason = "Unknown error, please check your request or try again later."
        return Failure(CallOutcome.UNKNOWN, reason, "503")

    def _answer(self, call: VenueCall) -> Value | Failure:
        exchange = self.exchange
        match call.ask:
            case Ask.PLACE:
                return self._place(call.request)
            case Ask.LOOK_UP:
                read = exchange.look_up(call.client_id)
                return Read(read.time_ms, read.value and self._without_trades(read.value))
            case Ask.TRADES_SINCE:
                return exchange.trades_since(call.since_ms)
            case Ask.MOVEMENTS_SINCE:
                return exchange.movements_since(call.since_ms)
            case Ask.POSITION:
                return exchange.position()
            case Ask.BALANCE:
                return exchange.balance()
            case Ask.TIME:
                return exchange.now_ms
            case Ask.MARK:
                return exchange.mark()
            case Ask.BOOK:
                return book_at(exchange.terms, exchange.price, exchange.now_ms)
            case Ask.LIMITS:
                lag_ms = self.faults.lag_ms if self.faults.lag else 0
                late_ms = self.faults.late_funding_ms if self.faults.late_funding else 0
                return exchange.terms.limits(lag_ms, lag_ms + late_ms)

    def _place(self, request: OrderRequest | None) -> OrderState | Failure:
        if request is None:
            message = "expected a request with the call that places it, found none."
            raise AssertionError(message)
        depth = None
        if self._is("thin"):
            # from an empty book to the usual one, which may be larger than any order
            there = abs(request.units) * self._random.randint(0, 120) / 100
            whole = self.exchange.terms.level_units * self.exchange.terms.levels
            depth = there / whole
        state = self.exchange.place(request, depth)
        self._tell_stream()
        return state if isinstance(state, Failure) else self._without_trades(state)

    def _without_trades(self, state: OrderState) -> OrderState:
        if state.trades and not self._is("tells_trades"):
            return OrderState(
                state.client_id,
                state.order_id,
                state.status,
                state.units,
                state.filled,
                state.time_ms,
            )
        return state

    # -- the way back ----------------------------------------------------------------------------

    def _tell_stream(self) -> None:
        told = self.exchange.told
        if told:
            for state in told:
                self._stream(state)
            told.clear()

    def _stream(self, heard: Mark | OrderState) -> None:
        """Send a stream message, which may arrive late, twice or not at all."""
        if self._is("lost_after"):
            return
        self._tell(self.now_ms + self._way(), 0, heard)
        if self._is("duplicate"):
            self._tell(self.now_ms + self._way(), 0, heard)

    def _tell(self, at_ms: int, ticket: int, value: Value | Failure) -> None:
        self._put(at_ms, Reply(at_ms, ticket, value))

    def _put(self, at_ms: int, what: _Arrival | Reply) -> None:
        self._order += 1
        heapq.heappush(self._on_its_way, (at_ms, self._order, what))

    # -- chance ----------------------------------------------------------------------------------

    def _is(self, fault: str) -> bool:
        """Whether a fault happens now, which is counted."""
        chance: float = getattr(self.faults, fault)
        if chance > 0 and self._random.random() < chance:
            self._count(fault)
            return True
        return False

    def _count(self, fault: str) -> None:
        self.counts[fault] = self.counts.get(fault, 0) + 1

    def _way(self) -> int:
        """The time, ms, that one way takes."""
        mean = self.faults.delay_ms / 2
        way = mean + self._random.expovariate(1 / mean) if mean > 0 else 0.0
        if self._is("slow"):
            way += self._random.random() * self.faults.slow_ms
        return int(way)

    def _lag(self) -> int:
        return self._random.randint(1, self.faults.lag_ms) if self._is("lag") else 0

    def _late_funding(self) -> int:
        longest = self.faults.late_funding_ms
        return self._random.randint(1, longest) if self._is("late_funding") else 0


_BROKEN = Failure(CallOutcome.UNKNOWN, "The connection broke before an answer came.")
