"""What every venue says and is asked: requests, answers, readings, and one protocol.

A venue is one account that holds one position in one underlying. Amounts are ``Decimal``; units
and notionals are signed, positive is bought or long. Times are ms UTC on the venue's own clock,
which is not the caller's. A request is accepted only while::

    stamp_ms - EARLY_MS < the venue's clock <= stamp_ms + window_ms

so that ``OrderRequest.last_ms`` is the last instant at which anything can come of it.

A call ends in one of four ways: a value; ``Rejected`` (it was refused and nothing happened);
``Unavailable`` (it cannot be asked now and nothing happened); ``Unknown`` (anything may have
happened). Whatever is not proved to be one of the first three is ``Unknown``. ``Failure`` is the
same as data, for a core that is told of it and a journal that stores it.
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
    """Where an order stands; all but ``OPEN`` are its end."""

    OPEN = "open"
    FILLED = "filled"
    EXPIRED = "expired"
    """Immediate or cancel: what could not be filled was cancelled; a part may be filled."""
    REJECTED = "rejected"


class TradeCause(StrEnum):
    """Why a trade happened."""

    ORDER = "order"
    LIQUIDATION = "liquidation"
    AUTO_DELEVERAGING = "auto_deleveraging"
    EXPIRY = "expiry"
    """A future that was held when it expired."""


class MovementKind(StrEnum):
    """What moved money in the wallet."""

    TRANSFER = "transfer"
    COMMISSION = "commission"
    REALISED = "realised"
    """Profit (or loss) of a trade that made the position smaller."""
    FUNDING = "funding"
    INTEREST = "interest"
    LIQUIDATION_FEE = "liquidation_fee"
    PURCHASE = "purchase"
    """On spot: what was bought is paid for, what was sold brings money."""
    OTHER = "other"


class CallOutcome(StrEnum):
    """How a call ended that gave no value."""

    REJECTED = "rejected"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order as it is stored and signed: immediate or cancel, so that nothing ever rests.

    Raises:
        InputError: it is none that a venue could take.
    """

    client_id: str
    """The sender's own id, 1 to 36 of ``.A-Z:/a-z0-9_-``; never used for a second order."""
    units: Decimal
    """Signed, not zero; contracts where the venue has them. Whole lots."""
    limit: Decimal | None
    """The worst price; None: the venue's own bounds alone."""
    reduce_only: bool
    """It may make the position smaller, and never turn it round."""
    stamp_ms: int
    """The venue's clock as the sender read it, and as it is signed."""
    window_ms: int
    notional: Decimal | None = None
    """Signed quote that ``units`` were rounded from. A paper venue that fills at the mark of the
    decision books this amount; others leave it out of account."""
    contract: int = 0
    """Expiry of the future (epoch s); 0 where the underlying has one contract only."""

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
        """The last instant of the venue's clock at which it can be accepted."""
        return self.stamp_ms + self.window_ms


@dataclass(frozen=True, slots=True)
class Trade:
    """One fill. Its id is the key under which it is booked, wherever it was heard of."""

    trade_id: str
    order_id: str
    """The venue's own id of the order."""
    client_id: str
    """The sender's id of the order, or the venue's where it closed the position itself."""
    time_ms: int
    units: Decimal
    price: Decimal
    """At which the venue filled; of a future the contract's, not the underlying's."""
    quote: Decimal
    """Signed as ``units``: what they were bought for, to the venue's last digit."""
    commission: Decimal
    """Paid, in quote; below 0: received."""
    realised: Decimal = NOTHING
    """Profit that moved into the wallet."""
    cause: TradeCause = TradeCause.ORDER
    contract: int = 0
    charges: Charges[Decimal] | None = None
    """Its cost by kind against ``mark``, where the venue knows (paper). They are all of the cost:
    ``quote + commission == notional at the mark + their sum``."""
    mark: Decimal | None = None
    """The underlying's price at which ``charges`` are counted."""


@dataclass(frozen=True, slots=True)
class OrderState:
    """What the venue says of an order, as the answer to it, by a look-up or by a stream."""

    client_id: str
    order_id: str
    status: OrderStatus
    units: Decimal
    """As the venue took it: a reduce-only order may have been cut to the position."""
    filled: Decimal
    """Units, signed. The trades that make it up may become visible later."""
    time_ms: int
    """Of its last change."""
    trades: tuple[Trade, ...] = ()
    """Those that the venue tells along: none, some or all. ``trades_since`` tells them all."""
    reason: str = ""

    @property
    def is_final(self) -> bool:
        """Whether nothing more can come of it."""
        return self.status is not OrderStatus.OPEN


@dataclass(frozen=True, slots=True)
class Position:
    """What the account holds."""

    units: Decimal
    entry_price: Decimal
    """0 where nothing is held, and on spot, where what is held is owned and not marked."""
    entry_cost: Decimal
    """``units`` times the entry price, to the venue's last digit: what was paid for what is held.
    The fund's cash is wallet less ``entry_cost``."""
    contract: int = 0
    liquidation_price: Decimal | None = None
    """None: there is none, or the venue does not tell."""


@dataclass(frozen=True, slots=True)
class Balance:
    """The wallet: transfers, commissions, realised profit, funding and interest, summed."""

    asset: str
    wallet: Decimal
    """Below 0 where quote is borrowed (spot margin)."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One record of the venue's list of money movements; each id once."""

    movement_id: str
    kind: MovementKind
    asset: str
    amount: Decimal
    """Into the wallet; below 0: out of it. Of borrowed units' interest: units, asset the base."""
    time_ms: int
    """When it fell due; a record may become visible later than that."""
    trade_id: str = ""
    """Of the trade that it belongs to."""
    rate: Decimal | None = None
    """Of funding, or of interest per year, where the venue tells it."""
    seconds: int | None = None
    """For which interest was charged."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The price by which the venue values and liquidates."""

    price: Decimal
    """Of the underlying."""
    time_ms: int
    index: Decimal | None = None
    is_clock: bool = False
    """A scheduled observation is due here, whatever the caller's clock says (paper: each bar)."""


@dataclass(frozen=True, slots=True)
class BookLevels:
    """Bids from the highest, asks from the lowest: price and units at each level."""

    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]
    time_ms: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What the venue takes. A 0 says: any."""

    lot: Decimal
    """Sizes are multiples of it."""
    min_notional: Decimal
    """Smaller orders are refused unless they are reduce-only."""
    max_units: Decimal
    """Of one order."""
    price_step: Decimal
    price_bound: Decimal
    """Share of the mark: a limit farther off is refused, so an order that may go farther has
    none, and the venue's own bounds hold."""
    quote_step: Decimal
    """The last digit of amounts: each trade is rounded to it."""
    requests_per_minute: int
    orders_per_minute: int
    lag_ms: int
    """How much later than it happened an order, a trade or a position may be seen, while the venue
    is in good health."""
    late_ms: int = 0
    """How much later than its own time a money movement may be seen, likewise: funding may be
    booked after it was due. Lists are asked for from that much before the last record."""
    is_at_once: bool = False
    """Nothing is ever under way, as at a venue in this process: an order that is not known was
    never sent."""


@dataclass(frozen=True, slots=True)
class Read(Generic[Value]):
    """What the venue shows; it may lag behind what has happened (``Limits.lag_ms``)."""

    time_ms: int
    """An instant of the venue's clock that is not later than the reading."""
    value: Value


@dataclass(frozen=True, slots=True)
class Failure:
    """How a call ended that gave no value."""

    outcome: CallOutcome
    reason: str
    code: str = ""
    """The venue's own."""
    until_ms: int | None = None
    """Before which (venue's clock) it is not to be asked again: a ban, or too many requests."""
    is_sent: bool = True
    """Whether anything may have left; of a call that was held back nothing did."""

    def error(self) -> VenueError:
        """The same as the error that a caller of the protocol gets."""
        details = {"code": self.code, "until_ms": self.until_ms, "is_sent": self.is_sent}
        return _ERRORS[self.outcome](self.reason, **details)


_ERRORS: dict[CallOutcome, type[VenueError]] = {
    CallOutcome.REJECTED: Rejected,
    CallOutcome.UNAVAILABLE: Unavailable,
    CallOutcome.UNKNOWN: Unknown,
}


def failure_of(error: BaseException) -> Failure:
    """What an error of a call says as data; any that is not a venue's own is unknown."""
    for outcome, kind in _ERRORS.items():
        if isinstance(error, kind):
            found = error.details
            until = found.get("until_ms")
            code = str(found.get("code") or "")
            until_ms = until if isinstance(until, int) else None
            return Failure(outcome, str(error), code, until_ms, found.get("is_sent") is not False)
    return Failure(CallOutcome.UNKNOWN, f"{type(error).__name__}: {error}")


Heard = Mark | OrderState
"""What a stream tells."""


class Venue(Protocol):
    """One account at one venue.

    Every call may raise a ``VenueError``, and ends within the venue's own time-out: an answer that
    has not come by then is ``Unknown``.
    """

    name: str

    async def time(self) -> int:
        """The venue's clock, ms UTC."""

    async def limits(self) -> Limits:
        """What it takes."""

    async def mark(self) -> Mark:
        """The mark price now."""

    async def book(self) -> BookLevels:
        """The order book now."""

    async def position(self) -> Read[Position]:
        """What is held."""

    async def balance(self) -> Read[Balance]:
        """The wallet."""

    async def place(self, request: OrderRequest) -> OrderState:
        """Send an order, once: no venue sends it again by itself."""

    async def look_up(self, client_id: str) -> Read[OrderState | None]:
        """The last order of this id; None: the venue knows of none, or does not yet."""

    async def trades_since(self, since_ms: int) -> Read[tuple[Trade, ...]]:
        """All visible trades at or after ``since_ms``, in the order of time."""

    async def movements_since(self, since_ms: int) -> Read[tuple[Movement, ...]]:
        """All visible money movements at or after ``since_ms``, in the order of time."""

    def stream(self) -> AsyncIterator[Heard]:
        """Tell marks and orders as they change.

        It only makes things faster: what it tells may be late, twice, out of order or missing,
        and no book moves by it alone.
        """

    async def close(self) -> None:
        """Give connections back."""
