"""The state of a running fund between two events.

A state is complete: a fund that is restarted from the state after any event behaves as if it had
never stopped. Only ``apply`` changes a state.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Generic, NamedTuple

from steelyard.rules.costs import TradeCost
from steelyard.rules.numbers import Num, Number
from steelyard.rules.series import Series

__all__ = [
    "Clips",
    "Ended",
    "Instants",
    "Intent",
    "Request",
    "ReserveState",
    "State",
    "Totals",
    "new_state",
]


class Ended(NamedTuple, Generic[Num]):
    """The end of a fund: its time (epoch s), price and reason.

    The reason is ``"liquidated"`` or ``"nav"`` where the token was wiped out, and ``"wind_down"``
    where it was closed as planned.
    """

    time: int
    price: Num
    reason: str


class Clips(NamedTuple, Generic[Num]):
    """A rebalance that is sent in clips: its destination, direction and last clip's time."""

    trigger: int
    destination: Num
    raises: bool
    last_time: int


class Request(NamedTuple, Generic[Num]):
    """A creation (tokens > 0) or redemption that is not filled yet, with its quote."""

    time: int
    """The time of the request, epoch s."""
    tokens: Num
    nav: Num
    """The nav per token when it was quoted; it is priced at the nav at its fill."""
    notional: Num
    """The exposure (signed, quote) that it was quoted to add."""


class Instants(NamedTuple):
    """The next due times of the clock's triggers, epoch s."""

    interval: int
    daily: int
    last_volatile: int | None


class Intent(NamedTuple, Generic[Num]):
    """A decided order whose outcome is not known yet."""

    trigger: int
    units: Num
    """The units of the whole order, signed; contracts where the venue trades contracts."""
    sent: Num
    """The notional of the whole order at ``price``, signed, quote."""
    notional: Num
    """The notional of its rebalance, signed; the rest is for creations and redemptions."""
    destination: Num
    raises: bool
    """Whether the rebalance raises |leverage|."""
    clipped: bool
    """Whether more clips have to follow it."""
    counts: bool
    """Whether it counts as a rebalance, and not as a further clip of one."""
    time: int
    """The time of the decision, epoch s."""
    price: Num
    leverage: Num
    """The leverage at the decision, which together with the series' thresholds is its reason."""
    scheduled: bool
    """Whether it was decided at a scheduled observation, and not at a crossing inside a bar."""
    due: int
    """The time from which a simulated venue fills it, epoch s."""
    limit: Num | None
    """The worst price at which it may be filled; None where there is no limit."""
    requests: tuple[Request[Num], ...]
    """The creations and redemptions that go out in the same order."""
    cost: TradeCost[Num]
    """The planned cost of the rebalance."""
    uses: Instants | None
    """The due times after its first fill; None where they do not change."""
    is_rest: bool = False
    """Whether a part of it is already filled."""


@dataclass(slots=True)
class Totals(Generic[Num]):
    """Sums since launch for the whole fund, in quote.

    Costs include the part that the reserve paid.
    """

    fee: Num
    spread: Num
    impact: Num
    gas: Num
    funding: Num
    interest: Num
    management: Num
    paid_by_reserve: Num
    turnover: Num
    clips: int = 0
    blocked: int = 0
    by_trigger: dict[int, int] = field(default_factory=dict)

    @classmethod
    def none(cls, nothing: Num) -> Totals[Num]:
        """The sums before the launch; ``nothing`` is zero in the wanted kind of number."""
        n = nothing
        return cls(n, n, n, n, n, n, n, n, n)


@dataclass(slots=True)
class ReserveState(Generic[Num]):
    """The state of a reserve, of one fund or shared by several; sums since launch are in quote."""

    units: Num
    pending_fees: Num
    """Its share of the fees that were charged and are not allocated yet."""
    received: Num
    """The fees that were allocated to it, or paid in by trades against it."""
    injected: Num
    settled: Num
    """As counterparty: the losses of its tokens less their gains."""
    next_allocation: int = 0
    suspended: bool = False
    suspended_since: int = 0
    """The beginning of the present suspension, epoch s."""
    suspended_s: int = 0
    """The total length of all earlier suspensions, in seconds."""

    @classmethod
    def of(cls, units: Num) -> ReserveState[Num]:
        """A new reserve that holds ``units`` and has neither paid nor received anything."""
        nothing = units * 0
        return cls(units, nothing, nothing, nothing, nothing)


@dataclass(slots=True)
class State(Generic[Num]):
    """One fund: its books, clock and reserve, in quote and units of the whole fund."""

    cash: Num
    units: Num
    """The exposure in units of the underlying; a future's contracts times ``mark``."""
    tokens: Num
    reserve: ReserveState[Num]
    mark: Num
    """The mark of a future divided by the underlying's price; 1 for other positions."""
    split: Num
    """The number of tokens today for one token at launch."""
    squares: Num
    """The sum of the squared returns in ``window``."""
    totals: Totals[Num]
    time: int | None = None
    """The time of the last scheduled observation, epoch s; None before the launch."""
    price: Num | None = None
    """The price at that observation."""
    reference: Num | None = None
    """The price of the last rebalance."""
    last_rebalance: int = 0
    next_interval: int = 0
    next_daily: int = 0
    expiry: int = 0
    """The expiry of the future that is held, epoch s."""
    settled_price: Num | None = None
    """The price up to which a reserve has settled as counterparty."""
    last_volatile: int | None = None
    window: deque[tuple[int, Num]] = field(default_factory=deque)
    """The start and square of each return in the trailing window of the volatility trigger."""
    clips: Clips[Num] | None = None
    pending: tuple[Request[Num], ...] = ()
    """The creations and redemptions that are in no order yet."""
    intent: Intent[Num] | None = None
    """The order whose outcome is not known; no other order is decided meanwhile."""
    paused: bool = False
    """Whether the operator paused the fund, so that no trigger acts."""
    ended: Ended[Num] | None = None

    def copy(self) -> State[Num]:
        """An independent copy, so that a run never changes the state that it was given."""
        copied = State(*_STATE_VALUES(self))
        copied.reserve = ReserveState(*_RESERVE_VALUES(self.reserve))
        copied.totals = Totals(*_TOTAL_VALUES(self.totals))
        copied.totals.by_trigger = dict(self.totals.by_trigger)
        copied.window = self.window.copy()
        return copied


# the module ``copy`` takes about twenty times as long, and opening a journal copies states often
_STATE_VALUES = attrgetter(*(each.name for each in fields(State)))
_RESERVE_VALUES = attrgetter(*(each.name for each in fields(ReserveState)))
_TOTAL_VALUES = attrgetter(*(each.name for each in fields(Totals)))


def new_state(
    series: Series, number: Number[Num], reserve: ReserveState[Num] | None = None
) -> State[Num]:
    """The state before the launch: only cash, and no position; ``reserve`` may be a shared one."""
    nothing = number.of(0)
    tokens = number.of(series.initial_tokens)
    if reserve is None:
        reserve = ReserveState.of(
            number.of(series.reserve.initial_units) if series.reserve else nothing
        )
    return State(
        cash=number.amount(number.of(series.initial_nav) * tokens),
        units=nothing,
        tokens=tokens,
        reserve=reserve,
        mark=number.of(1),
        split=number.of(1),
        squares=nothing,
        totals=Totals.none(nothing),
    )
