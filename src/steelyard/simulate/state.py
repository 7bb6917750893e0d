"""All that a running token is between two observations, and what a run writes down.

A state is complete: a run that stops after any bar and another that starts from its state do what
one run over both pieces does.
"""

from __future__ import annotations

import copy
from collections import deque
from dataclasses import dataclass, field
from typing import Generic, NamedTuple

from steelyard.rules.numbers import Num

__all__ = [
    "BarRow",
    "Clips",
    "Ended",
    "FlowRow",
    "Order",
    "RebalanceRow",
    "Record",
    "ReserveState",
    "State",
    "Totals",
]


@dataclass(frozen=True)
class Ended:
    """The token's end: when (epoch s), at what price, and by what.

    The reason is ``"liquidated"`` or ``"nav"`` where the token was wiped out, ``"wind_down"``
    where it was closed as planned.
    """

    time: int
    price: float
    reason: str


@dataclass
class Clips(Generic[Num]):
    """A rebalance that goes out in pieces: where to, which way, and when the last one went."""

    trigger: int
    destination: Num
    raises: bool
    last_time: int


@dataclass(frozen=True)
class Order(Generic[Num]):
    """A decided trade on its way to its fill."""

    trigger: int
    units: Num
    """Signed; contracts where the venue has them."""
    due: int
    """Epoch s from which it is filled."""
    destination: Num
    raises: bool
    clipped: bool
    """More clips follow it."""
    counts: bool
    """It is a rebalance of its own, not the next clip of one."""


@dataclass
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


@dataclass
class ReserveState(Generic[Num]):
    """A reserve, of one token or shared by several; sums since launch in quote."""

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
    suspended_s: int = 0

    @classmethod
    def of(cls, units: Num) -> ReserveState[Num]:
        """A reserve that holds ``units`` and has neither paid nor received yet."""
        nothing = units * 0
        return cls(units, nothing, nothing, nothing, nothing)


@dataclass
class State(Generic[Num]):
    """One token: its books, its clocks, its reserve; quote and units of the whole fund."""

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
    """The last clock observation, epoch s; None before the launch."""
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
    order: Order[Num] | None = None
    ended: Ended | None = None

    def copy(self) -> State[Num]:
        """A state of its own, so that a run never changes the one it was given."""
        return copy.deepcopy(self)


class RebalanceRow(NamedTuple, Generic[Num]):
    """One executed trade; nav per token, units, notional and costs of the whole fund, positive."""

    time: int
    trigger: str
    side: str
    units: Num
    price: Num
    notional: Num
    leverage_before: Num
    leverage_after: Num
    nav_before: Num
    nav_after: Num
    fee: Num
    spread: Num
    impact: Num
    gas: Num
    paid_by_reserve: Num


class FlowRow(NamedTuple):
    """One creation (tokens > 0) or redemption; quote of the party that came or went."""

    time: int
    tokens: float
    nav: float
    """Per token, before the trade."""
    fee: float
    """The issuer's."""
    notional: float
    """Exposure added or removed, signed."""
    cost: float
    """Of trading it, after what netting with a rebalance saved."""
    saved: float


class BarRow(NamedTuple):
    """The token at a bar's close; sums are since launch, quote, whole fund."""

    nav: float
    leverage: float
    tokens: float
    split: float
    reserve: float
    funding: float
    interest: float
    management: float


@dataclass
class Record(Generic[Num]):
    """What a run wrote down of one token: one row a bar, one a trade, one a flow."""

    bars: list[BarRow] = field(default_factory=list)
    trades: list[RebalanceRow[Num]] = field(default_factory=list)
    flows: list[FlowRow] = field(default_factory=list)
