"""What followed from an event: frozen records, each with what it left in the books.

``fund`` names whom it concerns: a fund's symbol, or of effects on a shared reserve the reserve's
name. Amounts are quote and units of the whole fund; times are epoch seconds.
"""

from __future__ import annotations

from typing import Generic, NamedTuple

from steelyard.fund.state import Clips, Instants, Intent, Request
from steelyard.rules.costs import TradeCost
from steelyard.rules.numbers import Num

__all__ = [
    "Accruals",
    "Accrued",
    "Allocated",
    "Blocked",
    "Booked",
    "ClockMoved",
    "Closed",
    "Creation",
    "Decided",
    "Effect",
    "Injected",
    "Launched",
    "Passed",
    "PauseChanged",
    "PriceSettled",
    "PricesSettled",
    "Requested",
    "ReserveOpened",
    "Resumed",
    "Rolled",
    "Seen",
    "Settled",
    "Split",
    "Suspended",
    "Unfilled",
    "Withdrawn",
]


class Launched(NamedTuple, Generic[Num]):
    """The fund's clock starts; its first position is decided next."""

    fund: str
    time: int
    price: Num
    next_interval: int
    next_daily: int
    expiry: int
    mark: Num
    settled_price: Num | None


class ReserveOpened(NamedTuple):
    """The reserve's clock starts with the launch of its funds."""

    fund: str
    time: int
    next_allocation: int


class Split(NamedTuple, Generic[Num]):
    """``ratio`` new tokens for one old."""

    fund: str
    time: int
    ratio: Num
    tokens: Num
    split: Num
    left: Intent[Num] | None
    """The open order: its creations in new tokens."""
    pending: tuple[Request[Num], ...]


class PriceSettled(NamedTuple, Generic[Num]):
    """The reserve, as the counterparty, paid what a change of price won (``paid`` > 0) or got it.

    ``shortfall`` is what the side that had to pay could not.
    """

    fund: str
    time: int
    price: Num
    paid: Num
    shortfall: Num
    cash: Num
    reserve: Num


class Seen(NamedTuple, Generic[Num]):
    """A scheduled observation at which nothing accrued."""

    fund: str
    time: int
    price: Num
    window: tuple[Num, int] | None
    """Squared return since the last observation, and the start of the trailing window."""


class Accrued(NamedTuple, Generic[Num]):
    """What time cost up to a scheduled observation (positive = paid)."""

    fund: str
    time: int
    price: Num
    window: tuple[Num, int] | None
    funding: tuple[Num, ...]
    """Each payment of its own."""
    interest: Num
    """On cash and on borrowed units, in quote."""
    management: Num
    cash: Num
    units: Num
    mark: Num
    pending_fees: Num
    """The reserve's share of fees that is not allocated yet."""


class Accruals(NamedTuple, Generic[Num]):
    """What time cost over several observations (positive = paid), and what that left."""

    funding: Num
    interest: Num
    management: Num
    units: Num
    mark: Num
    pending_fees: Num
    funding_total: Num
    """Since the launch, as the other totals."""
    interest_total: Num
    management_total: Num


class PricesSettled(NamedTuple, Generic[Num]):
    """What the reserve, as the counterparty, paid over several observations (``paid`` > 0)."""

    paid: Num
    shortfall: Num
    price: Num
    """Up to which it is settled."""
    reserve: Num
    total: Num
    """Since the launch: what it got less what it paid."""


class Passed(NamedTuple, Generic[Num]):
    """Time passed, with observations at which nothing but accruals happened; what it left.

    A journal holds this in the place of each of them.
    """

    fund: str
    time: int
    """Of the last scheduled observation among them."""
    price: Num
    """There."""
    cash: Num
    blocked: int
    """How often a trigger held and was blocked as before."""
    window: tuple[tuple[int, Num, int], ...]
    """Of the volatility trigger: each return's start and square, and the window's start."""
    accrued: Accruals[Num] | None
    """None: nothing accrued."""
    settled: PricesSettled[Num] | None


class Injected(NamedTuple, Generic[Num]):
    """Quote was paid into the reserve, and became units at this price."""

    fund: str
    time: int
    price: Num
    quote: Num
    is_capital: bool
    reserve: Num


class Allocated(NamedTuple, Generic[Num]):
    """The reserve's share of fees became units."""

    fund: str
    time: int
    price: Num
    quote: Num
    reserve: Num
    next_allocation: int


class Suspended(NamedTuple, Generic[Num]):
    """The reserve fell under its floor: what raises leverage is suspended."""

    fund: str
    time: int
    price: Num
    value: Num
    """Of the reserve, quote."""
    nav: Num
    """Of all that it serves."""


class Resumed(NamedTuple, Generic[Num]):
    """The reserve's level is back: what raises leverage goes on."""

    fund: str
    time: int
    price: Num
    value: Num
    nav: Num


class Requested(NamedTuple, Generic[Num]):
    """A creation or redemption was asked for; it waits for its order."""

    fund: str
    request: Request[Num]


class Withdrawn(NamedTuple):
    """Requests that no order holds are given back: the fund ends."""

    fund: str
    time: int
    requests: int
    """How many."""


class Decided(NamedTuple, Generic[Num]):
    """An order is to be sent."""

    fund: str
    intent: Intent[Num]


class Blocked(NamedTuple, Generic[Num]):
    """A trigger holds and nothing may be traded."""

    fund: str
    time: int
    price: Num
    trigger: int
    leverage: Num
    scheduled: bool
    why: str
    """``suspended``, ``costs`` (they would take the nav) or ``capacity``."""


class ClockMoved(NamedTuple, Generic[Num]):
    """What was due is used up without a trade, or the clips under way are done."""

    fund: str
    time: int
    instants: Instants
    clips: Clips[Num] | None


class Creation(NamedTuple, Generic[Num]):
    """A creation (tokens > 0) or redemption that was filled; quote of that order."""

    time: int
    tokens: Num
    nav: Num
    """Per token, before the trade."""
    fee: Num
    """The issuer's."""
    notional: Num
    """Exposure added or removed, signed."""
    cost: Num
    """Of trading it, after what netting saved."""
    saved: Num
    brought: Num
    """Quote that came into the fund at nav; below 0: that it paid out."""


class Settled(NamedTuple, Generic[Num]):
    """A piece of an order was filled, or a trade with the counterparty made; the books after it."""

    fund: str
    time: int
    price: Num
    trigger: int
    notional: Num
    """Of the rebalance, signed."""
    sent: Num
    """Of the whole order, signed."""
    cost: TradeCost[Num]
    """Of the rebalance."""
    received: Num
    """Trading fee that the reserve received as the counterparty."""
    creations: tuple[Creation[Num], ...]
    nav_before: Num
    leverage_before: Num
    nav_after: Num
    leverage_after: Num
    cash: Num
    units: Num
    tokens: Num
    mark: Num
    reserve: Num
    pending_fees: Num
    counts: bool
    instants: Instants | None
    """The clock, where the fill used up what was due."""
    clips: Clips[Num] | None
    left: Intent[Num] | None
    """What of the order is still open."""
    pending: tuple[Request[Num], ...]
    """Creations and redemptions that no order holds."""


class Unfilled(NamedTuple, Generic[Num]):
    """An order came to its end, and this time nothing was filled."""

    fund: str
    time: int
    price: Num
    trigger: int
    why: str | None
    clips: Clips[Num] | None
    pending: tuple[Request[Num], ...]
    """Its creations and redemptions: they wait for another order."""


class Rolled(NamedTuple, Generic[Num]):
    """A future was replaced by the next: as many contracts, two trades."""

    fund: str
    time: int
    price: Num
    notional: Num
    """Bought of the new contract, signed."""
    traded: Num
    """Of both trades, not negative."""
    costs: tuple[TradeCost[Num], TradeCost[Num]]
    nav_before: Num
    leverage_before: Num
    nav_after: Num
    leverage_after: Num
    cash: Num
    units: Num
    tokens: Num
    mark: Num
    expiry: int
    reserve: Num
    left: Intent[Num] | None
    """Another order that stays open."""


class Booked(NamedTuple, Generic[Num]):
    """Money that the venue moved by itself is in the books of a live fund."""

    fund: str
    time: int
    price: Num
    what: str
    amount: Num
    """Below 0: the fund paid it."""
    cash: Num


class Closed(NamedTuple, Generic[Num]):
    """The fund ended: ``liquidated``, ``nav`` (none is left) or ``wind_down``."""

    fund: str
    time: int
    price: Num
    reason: str
    cash: Num
    units: Num


class PauseChanged(NamedTuple):
    """The operator paused the fund, or let it go on."""

    fund: str
    time: int
    is_paused: bool


Effect = (
    Launched[Num]
    | ReserveOpened
    | Split[Num]
    | PriceSettled[Num]
    | Seen[Num]
    | Accrued[Num]
    | Passed[Num]
    | Injected[Num]
    | Allocated[Num]
    | Suspended[Num]
    | Resumed[Num]
    | Requested[Num]
    | Withdrawn
    | Decided[Num]
    | Blocked[Num]
    | ClockMoved[Num]
    | Settled[Num]
    | Unfilled[Num]
    | Rolled[Num]
    | Booked[Num]
    | Closed[Num]
    | PauseChanged
)
