"""A paper account between two things that happen to it, and the records that a change leaves.

A change is pure: a state goes in and an ``AccountChange`` comes out, which whoever keeps it stores
whole or not at all. Amounts are rounded to 18 places before they move, as in the books of a live
fund.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from steelyard.fund.events import Charges
from steelyard.rules.futures import contract_at, mark_factor
from steelyard.rules.numbers import DECIMAL18
from steelyard.rules.series import Series, Terms
from steelyard.venues.account import OneWayAccount, traded
from steelyard.venues.paper.account_feed import AccountFeed
from steelyard.venues.protocol import (
    Movement,
    MovementKind,
    OrderState,
    OrderStatus,
    Trade,
    TradeCause,
)

__all__ = ["STEP", "AccountChange", "PaperState", "PaperTerms", "booked", "order_of", "with_order"]

STEP = Decimal("1e-18")
DAY_S = 86_400
NOTHING = Decimal(0)
NO_CHARGES = Charges(NOTHING, NOTHING, NOTHING, NOTHING)


@dataclass(frozen=True, slots=True)
class PaperState:
    """All that a paper account is."""

    account: OneWayAccount
    place: int
    """In its feed."""
    price: Decimal
    """The mark, which may stand between this place and the next."""
    charged_s: int
    """The last scheduled observation: time is charged up to it."""
    is_clock: bool
    """A scheduled observation falls where the price stands."""
    number: int
    """The last that was given to an order, trade or movement."""


class AccountChange(NamedTuple):
    """A step of an account and the records of it."""

    state: PaperState
    orders: tuple[OrderState, ...] = ()
    trades: tuple[Trade, ...] = ()
    movements: tuple[Movement, ...] = ()

    def then(self, other: AccountChange) -> AccountChange:
        """This change and another that began at its state."""
        return AccountChange(
            other.state,
            self.orders + other.orders,
            self.trades + other.trades,
            self.movements + other.movements,
        )


@dataclass(frozen=True, eq=False)
class PaperTerms:
    """What an account lives by: its series' venue and costs, and its history."""

    series: Series
    rules: Terms[Decimal]
    feed: AccountFeed

    @classmethod
    def of(cls, series: Series, feed: AccountFeed) -> PaperTerms:
        """The terms of an account for this series."""
        return cls(series, series.terms(DECIMAL18, feed.market.book), feed)

    @property
    def is_future(self) -> bool:
        """Whether it trades contracts that expire."""
        return self.series.venue.kind == "future"

    def factor(self, contract: int, time_s: int) -> Decimal:
        """The mark of what is traded over the underlying's price."""
        return mark_factor(self.rules.basis, contract, time_s) if contract else Decimal(1)

    def contract_at(self, time_s: int) -> int:
        """The future that is traded at a time (epoch s); 0 where there is none."""
        if not self.is_future:
            return 0
        return contract_at(time_s, round(self.series.venue.roll_days * DAY_S))

    def holdings(self, state: PaperState, time_s: int) -> tuple[Decimal, Decimal]:
        """Cash, and units of the underlying, as the rules take them."""
        account = state.account
        units = account.units * self.factor(account.contract, time_s)
        return account.wallet - account.cost, units


def booked(
    state: PaperState,
    kind: MovementKind,
    asset: str,
    amount: Decimal,
    time_ms: int,
    *,
    rate: Decimal | None = None,
    seconds: int | None = None,
) -> AccountChange:
    """Quote moves into the wallet (below 0: out of it), of no trade."""
    number = state.number + 1
    movement = Movement(
        f"{kind}:{number}", kind, asset, amount, time_ms, rate=rate, seconds=seconds
    )
    account = state.account._replace(wallet=state.account.wallet + amount)
    return AccountChange(replace(state, account=account, number=number), movements=(movement,))


def with_order(
    terms: PaperTerms,
    state: PaperState,
    order: OrderState,
    contract: int,
    quote: Decimal,
    charges: Charges[Decimal] = NO_CHARGES,
    cause: TradeCause = TradeCause.ORDER,
) -> AccountChange:
    """An order came to its end, filled as it says, by one trade or none.

    Args:
        terms: of the account.
        state: before it.
        order: without its id and its trade.
        contract: that is traded.
        quote: of the part that was filled, signed as its units.
        charges: that the fill paid, spread and impact being in ``quote``.
        cause: why it was traded.
    """
    asset, units, number = terms.series.quote, order.filled, state.number + 1
    order_id = str(number)
    if units == 0:
        ended = replace(order, order_id=order_id)
        return AccountChange(replace(state, number=number), (ended,))
    commission = charges.fee + charges.gas
    account, realised = traded(
        state.account, units, quote, commission, STEP, is_spot=terms.rules.venue.spot
    )
    account = account._replace(contract=contract if account.units != 0 else 0)
    trade = Trade(
        str(number + 1),
        order_id,
        order.client_id,
        order.time_ms,
        units,
        DECIMAL18.amount(quote / units),
        quote,
        commission,
        realised,
        cause,
        contract,
        charges,
        state.price,
    )
    parts = [(MovementKind.COMMISSION, -commission), (MovementKind.REALISED, realised)]
    if terms.rules.venue.spot:
        # what is bought is paid for: on spot the price itself moves the wallet
        parts.append((MovementKind.PURCHASE, -quote))
    movements = tuple(
        Movement(f"{kind}:{number + 2}", kind, asset, moved, order.time_ms, trade.trade_id)
        for kind, moved in parts
        if moved != 0
    )
    state = replace(state, account=account, number=number + 2)
    return AccountChange(
        state, (replace(order, order_id=order_id, trades=(trade,)),), (trade,), movements
    )


def order_of(
    client_id: str, units: Decimal, filled: Decimal, time_ms: int, reason: str = ""
) -> OrderState:
    """An order at its end; its id and trade come with ``with_order``."""
    status = OrderStatus.FILLED if filled == units else OrderStatus.EXPIRED
    return OrderState(client_id, "", status, units, filled, time_ms, reason=reason)
