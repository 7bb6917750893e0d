"""All that a running fund is between two events.

A state is complete: a fund that stops after any event and another that starts from its state do
what one fund does that lives through both histories. Only ``apply`` changes it.
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
    """The end of a fund: when (epoch s), at what price, and why.

    The reason is ``"liquidated"`` or ``"nav"`` where the token was wiped out, ``"wind_down"``
    where it was closed as planned.
    """

    time: int
    price: Num
    reason: str


class Clips(NamedTuple, Generic[Num]):
    """A rebalance that goes out in pieces: where to, which way, and when the last one went."""

    trigger: int
    destination: Num
    raises: bool
    last_time: int


class Request(NamedTuple, Generic[Num]):
    """A creation (tokens > 0) or redemption that is not filled yet, and what it was quoted."""

    time: int
    """Epoch s of the request."""
    tokens: Num
    nav: Num
    """Per token, when it was quoted; it is priced at the nav of its fill."""
    notional: Num
    """Exposure that it adds (signed, quote), when it was quoted."""


class Instants(NamedTuple):
    """What is due next by the clock, epoch s."""

    interval: int
    daily: int
    last_volatile: int | None


class Intent(NamedTuple, Generic[Num]):
    """A decided order whose outcome is not known."""

    trigger: int
    units: Num
    """Of the whole order, signed; contracts where the venue has them."""
    sent: Num
    """Notional of the whole order at ``price``, signed."""
    notional: Num
    """Of the rebalance in it, signed; the rest are creations and redemptions."""
    destination: Num
    raises: bool
    """Whether the rebalance raises |leverage|."""
    clipped: bool
    """More clips have to follow it."""
    counts: bool
    """It is a rebalance of its own, not the next clip of one."""
    time: int
    """Epoch s of the decision."""
    price: Num
    leverage: Num
    """When it was decided: the reason, with the series' own thresholds."""
    scheduled: bool
    """It was decided at a scheduled observation, and not at a crossing inside a bar."""
    due: int
    """Epoch s from which a simulated venue fills it."""
    limit: Num | None
    """The worst price at which it may be filled; None: any."""
    requests: tuple[Request[Num], ...]
    """Creations and redemptions that go out in the same order."""
    cost: TradeCost[Num]
    """Of the rebalance, as planned."""
    uses: Instants | None
    """The clock after its first fill: what made it due is used up then. None: as it is."""
    is_rest: bool = False
    """A piece of it is filled already."""


@dataclass(slots=True)
class Totals(Generic[Num]):
    """Sums since launch, quote, whole fund (costs gross of what the reserve paid)."""

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
        """Sums before the launch: ``nothing`` is zero in the wanted kind of number."""
        n = nothing
        return cls(n, n, n, n, n, n, n, n, n)


@dataclass(slots=True)
class ReserveState(Generic[Num]):
    """A reserve, of one fund or shared by several; sums since launch in quote."""

    units: Num
    pending_fees: Num
    """Its share of fees taken and not yet allocated."""
    received: Num
    """Fees, allocated or paid in by trades against it."""
    injected: Num
    settled: Num
    """As a counterparty: what tokens lost to it less what they won from it."""
    next_allocation: int = 0
    suspended: bool = False
    suspended_since: int = 0
    """Epoch s of the present suspension."""
    suspended_s: int = 0
    """Length of all earlier suspensions."""

    @classmethod
    def of(cls, units: Num) -> ReserveState[Num]:
        """A reserve that holds ``units`` and has neither paid nor received yet."""
        nothing = units * 0
        return cls(units, nothing, nothing, nothing, nothing)


@dataclass(slots=True)
class State(Generic[Num]):
    """One fund: its books, its clock, its reserve; quote and units of the whole fund."""

    cash: Num
    units: Num
    """The exposure in units of the underlying; a future's contracts times ``mark``."""
    tokens: Num
    reserve: ReserveState[Num]
    mark: Num
    """The price of what is held over the underlying's: a future's; else 1."""
    split: Num
    """Tokens today for one token of the launch."""
    squares: Num
    """Sum of the squared returns in ``window``."""
    totals: Totals[Num]
    time: int | None = None
    """The last scheduled observation, epoch s; None before the launch."""
    price: Num | None = None
    """The price at that observation."""
    reference: Num | None = None
    """Price of the last rebalance."""
    last_rebalance: int = 0
    next_interval: int = 0
    next_daily: int = 0
    expiry: int = 0
    """Of the future that is held, epoch s."""
    settled_price: Num | None = None
    """The price up to which a reserve as the counterparty has settled."""
    last_volatile: int | None = None
    window: deque[tuple[int, Num]] = field(default_factory=deque)
    """Start and square of each return in the trailing window of the volatility trigger."""
    clips: Clips[Num] | None = None
    pending: tuple[Request[Num], ...] = ()
    """Creations and redemptions that no order holds yet."""
    intent: Intent[Num] | None = None
    """The order whose outcome is not known; nothing is decided meanwhile."""
    paused: bool = False
    """Its operator stopped it: nothing triggers."""
    ended: Ended[Num] | None = None

    def copy(self) -> State[Num]:
        """A state of its own, so that a run never changes the one it was given."""
        copied = State(*_STATE_VALUES(self))
        copied.reserve = ReserveState(*_RESERVE_VALUES(self.reserve))
        copied.totals = Totals(*_TOTAL_VALUES(self.totals))
        copied.totals.by_trigger = dict(self.totals.by_trigger)
        copied.window = self.window.copy()
        return copied


# the module copy takes some twenty times as long, and a journal is opened by copies of states
_STATE_VALUES = attrgetter(*(each.name for each in fields(State)))
_RESERVE_VALUES = attrgetter(*(each.name for each in fields(ReserveState)))
_TOTAL_VALUES = attrgetter(*(each.name for each in fields(Totals)))


def new_state(
    series: Series, number: Number[Num], reserve: ReserveState[Num] | None = None
) -> State[Num]:
    """A fund before its launch: all cash, nothing held; ``reserve`` may be a shared one."""
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
