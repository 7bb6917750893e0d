"""Effects: the consequences of an event, as frozen records with the resulting balances.

``fund`` is the symbol of the fund, or the name of the reserve for effects on a shared reserve.
Amounts are in quote and in units of the whole fund; times are epoch seconds.
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
    """The fund is launched: its clock starts, and its first position is decided next."""

    fund: str
    time: int
    price: Num
    next_interval: int
    next_daily: int
    expiry: int
    mark: Num
    settled_price: Num | None


class ReserveOpened(NamedTuple):
    """The clock of the reserve starts with the launch of its funds."""

    fund: str
    time: int
    next_allocation: int


class Split(NamedTuple, Generic[Num]):
    """Each token was replaced by ``ratio`` new tokens."""

    fund: str
    time: int
    ratio: Num
    tokens: Num
    split: Num
    left: Intent[Num] | None
    """The open order, with its creations counted in new tokens."""
    pending: tuple[Request[Num], ...]


class PriceSettled(NamedTuple, Generic[Num]):
    """The reserve, as counterparty, paid a fund's gain (``paid`` > 0) or received its loss.

    ``shortfall`` is the amount that the paying side owed and could not pay.
    """

    fund: str
    time: int
    price: Num
    paid: Num
    shortfall: Num
    cash: Num
    reserve: Num


class Seen(NamedTuple, Generic[Num]):
    """A scheduled observation passed at which nothing accrued."""

    fund: str
    time: int
    price: Num
    window: tuple[Num, int] | None
    """The squared return since the last observation, and the start of the trailing window."""


class Accrued(NamedTuple, Generic[Num]):
    """Funding, interest and fees accrued up to a scheduled observation (positive = paid)."""

    fund: str
    time: int
    price: Num
    window: tuple[Num, int] | None
    funding: tuple[Num, ...]
    """Each funding payment separately."""
    interest: Num
    """The interest on cash and on borrowed units, in quote."""
    management: Num
    cash: Num
    units: Num
    mark: Num
    pending_fees: Num
    """The reserve's share of the fees that is not allocated yet."""


class Accruals(NamedTuple, Generic[Num]):
    """The accruals over several observations (positive = paid), and the resulting balances."""

    funding: Num
    interest: Num
    management: Num
    units: Num
    mark: Num
    pending_fees: Num
    funding_total: Num
    """The total since launch, like the other totals below."""
    interest_total: Num
    management_total: Num


class PricesSettled(NamedTuple, Generic[Num]):
    """The reserve's payments as counterparty over several observations (``paid`` > 0)."""

    paid: Num
    shortfall: Num
    price: Num
    """The price up to which gains and losses are settled."""
    reserve: Num
    total: Num
    """Receipts less payments since launch."""


class Passed(NamedTuple, Generic[Num]):
    """Time passed with observations at which nothing but accruals happened.

    A journal holds one such record in place of these observations.
    """

    fund: str
    time: int
    """The time of the last scheduled observation among them."""
    price: Num
    """There."""
    cash: Num
    blocked: int
    """The number of times that a trigger held and was blocked again."""
    window: tuple[tuple[int, Num, int], ...]
    """For the volatility trigger: each return's start and square, and the start of the window."""
    accrued: Accruals[Num] | None
    """The accruals; None where nothing accrued."""
    settled: PricesSettled[Num] | None


class Injected(NamedTuple, Generic[Num]):
    """Quote was paid into the reserve and converted to units at this price."""

    fund: str
    time: int
    price: Num
    quote: Num
    is_capital: bool
    reserve: Num


class Allocated(NamedTuple, Generic[Num]):
    """The reserve's share of the fees was converted to units."""

    fund: str
    time: int
    price: Num
    quote: Num
    reserve: Num
    next_allocation: int


class Suspended(NamedTuple, Generic[Num]):
    """The reserve fell below its floor, so trades that raise leverage are suspended."""

    fund: str
    time: int
    price: Num
    value: Num
    """The value of the reserve, quote."""
    nav: Num
    """The nav of all funds that it serves, quote."""


class Resumed(NamedTuple, Generic[Num]):
    """The reserve's level has recovered, so trades that raise leverage resume."""

    fund: str
    time: int
    price: Num
    value: Num
    nav: Num


class Requested(NamedTuple, Generic[Num]):
    """A creation or redemption was requested; it waits for its order."""

    fund: str
    request: Request[Num]


class Withdrawn(NamedTuple):
    """Requests that are in no order were returned, because the fund ends."""

    fund: str
    time: int
    requests: int
    """The number of requests."""


class Decided(NamedTuple, Generic[Num]):
    """An order was decided and is to be sent."""

    fund: str
    intent: Intent[Num]


class Blocked(NamedTuple, Generic[Num]):
    """A trigger holds, but its trade is not allowed."""

    fund: str
    time: int
    price: Num
    trigger: int
    leverage: Num
    scheduled: bool
    why: str
    """The reason: ``suspended``, ``costs`` (they would take the whole nav) or ``capacity``."""


class ClockMoved(NamedTuple, Generic[Num]):
    """The due times moved on without a trade, or a series of clips is complete."""

    fund: str
    time: int
    instants: Instants
    clips: Clips[Num] | None


class Creation(NamedTuple, Generic[Num]):
    """A filled creation (tokens > 0) or redemption; amounts are in quote."""

    time: int
    tokens: Num
    nav: Num
    """The nav per token before the trade."""
    fee: Num
    """The issuer's fee."""
    notional: Num
    """The exposure that it added or removed, signed."""
    cost: Num
    """The cost of trading that exposure, less the saving from netting."""
    saved: Num
    brought: Num
    """The amount that came into the fund at nav; negative where the fund paid it out."""


class Settled(NamedTuple, Generic[Num]):
    """An order was filled, in part or whole, or traded with the counterparty."""

    fund: str
    time: int
    price: Num
    trigger: int
    notional: Num
    """The notional of the rebalance, signed."""
    sent: Num
    """The notional of the whole order, signed."""
    cost: TradeCost[Num]
    """The cost of the rebalance."""
    received: Num
    """The trading fee that the reserve received as counterparty."""
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
    """The next due times, where the fill completed what was due."""
    clips: Clips[Num] | None
    left: Intent[Num] | None
    """The part of the order that is still open."""
    pending: tuple[Request[Num], ...]
    """The creations and redemptions that are in no order."""


class Unfilled(NamedTuple, Generic[Num]):
    """An order ended without a further fill."""

    fund: str
    time: int
    price: Num
    trigger: int
    why: str | None
    clips: Clips[Num] | None
    pending: tuple[Request[Num], ...]
    """The creations and redemptions of the order, which wait for another order."""


class Rolled(NamedTuple, Generic[Num]):
    """A future was replaced by the same number of contracts of the next one, in two trades."""

    fund: str
    time: int
    price: Num
    notional: Num
    """The notional bought of the new contract, signed."""
    traded: Num
    """The notional of both trades together, not negative."""
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
    """Another order, which stays open."""


class Booked(NamedTuple, Generic[Num]):
    """Money that the venue moved on its own was booked in a live fund."""

    fund: str
    time: int
    price: Num
    what: str
    amount: Num
    """The amount in quote; negative where the fund paid it."""
    cash: Num


class Closed(NamedTuple, Generic[Num]):
    """The fund ended: ``liquidated``, ``nav`` (no nav is left) or ``wind_down``."""

    fund: str
    time: int
    price: Num
    reason: str
    cash: Num
    units: Num


class PauseChanged(NamedTuple):
    """The operator paused or resumed the fund."""

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
