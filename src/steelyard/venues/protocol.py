"""The protocol of every venue: its requests, answers and readings.

A venue is one account that holds one position in one underlying. Amounts are ``Decimal``; units
and notionals are signed, and positive means bought or long. Times are ms UTC on the venue's own
clock, which may differ from the caller's. A request is accepted only while::

    stamp_ms - EARLY_MS < the venue's clock <= stamp_ms + window_ms

so that ``OrderRequest.last_ms`` is the last instant at which it can have any effect.

A call ends in one of four ways: it returns a value; it raises ``Rejected`` (it was refused and
nothing happened); it raises ``Unavailable`` (the venue cannot be asked now and nothing happened);
or it raises ``Unknown`` (anything may have happened). Every outcome that is not proved to be one of
the first three is ``Unknown``. ``Failure`` is the same as data, for the core, which takes it as an
event, and for the journal, which stores it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from steelyard.errors import InputError, Rejected, Unavailable, Unknown, VenueError
from steelyard.fund.events import Charges

__all__ = [
    "EARLY_MS",
    "Balance",
    "BookLevels",
    "CallOutcome",
    "Failure",
    "Heard",
    "Limits",
    "Mark",
    "Movement",
    "MovementKind",
    "OrderRequest",
    "OrderState",
    "OrderStatus",
    "Position",
    "Read",
    "Trade",
    "TradeCause",
    "Venue",
    "failure_of",
]

EARLY_MS = 1_000
"""How far a stamp may lie ahead of the venue's clock."""
CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
NOTHING = Decimal(0)

Value = TypeVar("Value")


class OrderStatus(StrEnum):
    """The status of an order; every status except ``OPEN`` is final."""

    OPEN = "open"
    FILLED = "filled"
    EXPIRED = "expired"
    """Immediate or cancel: the part that could not be filled was cancelled."""
    REJECTED = "rejected"


class TradeCause(StrEnum):
    """Why a trade happened."""

    ORDER = "order"
    LIQUIDATION = "liquidation"
    AUTO_DELEVERAGING = "auto_deleveraging"
    EXPIRY = "expiry"
    """A future that was held at its expiry was settled."""


class MovementKind(StrEnum):
    """The reason why money moved in the wallet."""

    TRANSFER = "transfer"
    COMMISSION = "commission"
    REALISED = "realised"
    """The profit or loss of a trade that reduced the position."""
    FUNDING = "funding"
    INTEREST = "interest"
    LIQUIDATION_FEE = "liquidation_fee"
    PURCHASE = "purchase"
    """On spot: the price paid for units bought, or received for units sold."""
    OTHER = "other"


class CallOutcome(StrEnum):
    """The outcomes of a call that gave no value."""

    REJECTED = "rejected"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order as it is stored and signed. It is immediate or cancel, so no order ever rests.

    Raises:
        InputError: no venue could accept such an order.
    """

    client_id: str
    """The sender's own id, 1 to 36 of ``.A-Z:/a-z0-9_-``; it is never used for a second order."""
    units: Decimal
    """Signed, not zero, in whole lots; in contracts where the venue has them."""
    limit: Decimal | None
    """The worst price; None: only the venue's own bounds apply."""
    reduce_only: bool
    """Whether the order may only reduce the position, and never reverse it."""
    stamp_ms: int
    """The venue's clock, ms, as the sender read it; the signature covers it."""
    window_ms: int
    notional: Decimal | None = None
    """The signed notional in quote from which ``units`` were rounded. A paper venue that fills at
    the mark of the decision books this amount; other venues ignore it."""
    contract: int = 0
    """The expiry of the future (epoch s); 0 if the underlying has only one contract."""

    def __post_init__(self) -> None:
        if not CLIENT_ID.fullmatch(self.client_id):
            message = (
                f"expected a client id of 1 to 36 of .A-Z:/a-z0-9_-, found {self.client_id!r}."
            )
            raise InputError(message, found=self.client_id)
        if not self.units.is_finite() or self.units == 0:
            message = f"{self.client_id}: expected units that are not zero, found {self.units}."
            raise InputError(message, found=str(self.units))
        if self.limit is not None and not (self.limit.is_finite() and self.limit > 0):
            message = f"{self.client_id}: expected a limit price above zero, found {self.limit}."
            raise InputError(message, found=str(self.limit))
        if self.window_ms <= 0:
            message = f"{self.client_id}: expected a window above zero, found {self.window_ms} ms."
            raise InputError(message, found=self.window_ms)

    @property
    def last_ms(self) -> int:
        """The last instant of the venue's clock, ms, at which the order can be accepted."""
        return self.stamp_ms + self.window_ms


@dataclass(frozen=True, slots=True)
class Trade:
    """One fill. It is booked once, under its id, whichever way it was reported."""

    trade_id: str
    order_id: str
    """The venue's own id of the order."""
    client_id: str
    """The sender's id of the order, or the venue's where the venue itself closed the position."""
    time_ms: int
    units: Decimal
    price: Decimal
    """The price of the fill; for a future it is the contract's price, not the underlying's."""
    quote: Decimal
    """What the units were bought for, with their sign, to the venue's last digit."""
    commission: Decimal
    """The commission paid, in quote; negative: received."""
    realised: Decimal = NOTHING
    """The profit that moved into the wallet, in quote."""
    cause: TradeCause = TradeCause.ORDER
    contract: int = 0
    charges: Charges[Decimal] | None = None
    """The cost by kind against ``mark``, where the venue knows it (paper). The kinds add up to all
    of it: ``quote + commission == notional at the mark + their sum``."""
    mark: Decimal | None = None
    """The underlying's price against which ``charges`` are measured."""


@dataclass(frozen=True, slots=True)
class OrderState:
    """The state of an order, as an answer, a look-up or a stream reports it."""

    client_id: str
    order_id: str
    status: OrderStatus
    units: Decimal
    """The units that the venue accepted; it may have cut a reduce-only order to the position."""
    filled: Decimal
    """The units filled, signed. The trades that make them up may become visible later."""
    time_ms: int
    """The time of its last change."""
    trades: tuple[Trade, ...] = ()
    """The trades reported with the order: none, some or all. ``trades_since`` lists them all."""
    reason: str = ""

    @property
    def is_final(self) -> bool:
        """Whether the order can trade no more."""
        return self.status is not OrderStatus.OPEN


@dataclass(frozen=True, slots=True)
class Position:
    """The position that the account holds."""

    units: Decimal
    entry_price: Decimal
    """0 without a position, and on spot, where what is held is owned and not marked."""
    entry_cost: Decimal
    """``units`` times the entry price, to the venue's last digit: the cost of the position. The
    fund's cash is the wallet less ``entry_cost``."""
    contract: int = 0
    liquidation_price: Decimal | None = None
    """None: there is none, or the venue does not report it."""


@dataclass(frozen=True, slots=True)
class Balance:
    """The wallet: the sum of transfers, commissions, realised profit, funding and interest."""

    asset: str
    wallet: Decimal
    """Negative if quote is borrowed (spot margin)."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One record in the venue's list of money movements; each has its own id."""

    movement_id: str
    kind: MovementKind
    asset: str
    amount: Decimal
    """Positive: into the wallet. Interest on borrowed units is in units; the asset is the base."""
    time_ms: int
    """The time at which it fell due; the record may become visible later."""
    trade_id: str = ""
    """The id of the trade that it belongs to; empty: none."""
    rate: Decimal | None = None
    """The rate of funding, or of interest a year, where the venue reports it."""
    seconds: int | None = None
    """The length of time for which interest was charged."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark price, at which the venue values and liquidates positions."""

    price: Decimal
    """The underlying's mark price, in quote."""
    time_ms: int
    index: Decimal | None = None
    is_clock: bool = False
    """Whether a scheduled observation is due here by the venue's clock (paper: each bar)."""


@dataclass(frozen=True, slots=True)
class BookLevels:
    """An order book: price and units of each level, bids from the highest, asks from the lowest."""

    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]
    time_ms: int


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits that the venue sets on orders and calls; 0 means no limit."""

    lot: Decimal
    """Order sizes are multiples of it, in units."""
    min_notional: Decimal
    """The smallest notional of an order, in quote; only reduce-only orders may be smaller."""
    max_units: Decimal
    """The largest size of one order."""
    price_step: Decimal
    price_bound: Decimal
    """A share of the mark: a limit price farther from it is refused. An order that may go farther
    therefore has no limit price, and only the venue's own bounds apply."""
    quote_step: Decimal
    """The venue's last digit of quote, to which each trade is rounded."""
    requests_per_minute: int
    orders_per_minute: int
    lag_ms: int
    """How much later than it happened the venue may show an order, a trade or a position, while it
    works normally."""
    late_ms: int = 0
    """Likewise, how much later than its due time a money movement may appear: funding may be booked
    late. So a list is requested from this much before its last record."""
    is_at_once: bool = False
    """Whether no request is ever under way, as at a venue in this process: an order that the venue
    does not know was never sent."""


@dataclass(frozen=True, slots=True)
class Read(Generic[Value]):
    """A value that the venue shows; it may lag behind (``Limits.lag_ms``)."""

    time_ms: int
    """An instant of the venue's clock that is not later than the reading."""
    value: Value


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that gave no value: its outcome, and the reason."""

    outcome: CallOutcome
    reason: str
    code: str = ""
    """The venue's own error code."""
    until_ms: int | None = None
    """The venue's time before which it must not be asked, after a ban or too many requests."""
    is_sent: bool = True
    """Whether the request may have left this machine; False if it was held back."""

    def error(self) -> VenueError:
        """The error that a caller of the protocol gets for this failure."""
        details = {"code": self.code, "until_ms": self.until_ms, "is_sent": self.is_sent}
        return _ERRORS[self.outcome](self.reason, **details)


_ERRORS: dict[CallOutcome, type[VenueError]] = {
    CallOutcome.REJECTED: Rejected,
    CallOutcome.UNAVAILABLE: Unavailable,
    CallOutcome.UNKNOWN: Unknown,
}


def failure_of(error: BaseException) -> Failure:
    """An error of a call as data; an error that is not a ``VenueError`` has an unknown outcome."""
    for outcome, kind in _ERRORS.items():
        if isinstance(error, kind):
            found = error.details
            until = found.get("until_ms")
            code = str(found.get("code") or "")
            until_ms = until if isinstance(until, int) else None
            return Failure(outcome, str(error), code, until_ms, found.get("is_sent") is not False)
    return Failure(CallOutcome.UNKNOWN, f"{type(error).__name__}: {error}")


Heard = Mark | OrderState
"""The messages of a stream."""


class Venue(Protocol):
    """One account at one venue.

    Every call may raise a ``VenueError``, and ends within the venue's own time-out. If no answer
    arrives within it, the outcome is ``Unknown``.
    """

    name: str

    async def time(self) -> int:
        """The venue's clock, ms UTC."""

    async def limits(self) -> Limits:
        """The venue's limits."""

    async def mark(self) -> Mark:
        """The mark price now."""

    async def book(self) -> BookLevels:
        """The order book now."""

    async def position(self) -> Read[Position]:
        """The position that the account holds."""

    async def balance(self) -> Read[Balance]:
        """The wallet."""

    async def place(self, request: OrderRequest) -> OrderState:
        """Send an order once; no venue repeats it by itself."""

    async def look_up(self, client_id: str) -> Read[OrderState | None]:
        """The last order with this id; None: the venue knows none, or does not show it yet."""

    async def trades_since(self, since_ms: int) -> Read[tuple[Trade, ...]]:
        """All visible trades at or after ``since_ms``, in the order of time."""

    async def movements_since(self, since_ms: int) -> Read[tuple[Movement, ...]]:
        """All visible money movements at or after ``since_ms``, in the order of time."""

    def stream(self) -> AsyncIterator[Heard]:
        """Report marks and orders as they change.

        A stream only speeds things up. Its messages may be late, repeated, out of order or missing,
        and no books change because of a message alone.
        """

    async def close(self) -> None:
        """Close all connections."""
