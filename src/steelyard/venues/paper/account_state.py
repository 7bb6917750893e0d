"""The state of a paper account between two events, and the records that a change leaves.

Changes are pure functions: a state goes in and an ``AccountChange`` comes out, which the caller
stores completely or not at all. Amounts are rounded to 18 places before they are booked, as in the
books of a live fund.
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
    """The complete state of a paper account."""

    account: OneWayAccount
    place: int
    """The place in its feed."""
    price: Decimal
    """The mark, which may lie between the prices of this place and the next."""
    charged_s: int
    """The last scheduled observation, epoch s, up to which funding and interest are charged."""
    is_clock: bool
    """Whether the present price is a scheduled observation."""
    number: int
    """The last number given to an order, trade or movement."""


class AccountChange(NamedTuple):
    """A new state of an account, and the records of the change."""

    state: PaperState
    orders: tuple[OrderState, ...] = ()
    trades: tuple[Trade, ...] = ()
    movements: tuple[Movement, ...] = ()

    def then(self, other: AccountChange) -> AccountChange:
        """This change followed by another, which began at its state."""
        return AccountChange(
            other.state,
            self.orders + other.orders,
            self.trades + other.trades,
            self.movements + other.movements,
        )


@dataclass(frozen=True, eq=False)
class PaperTerms:
    """The terms of an account: its series' venue and costs, and its history."""

    series: Series
    rules: Terms[Decimal]
    feed: AccountFeed

    @classmethod
    def of(cls, series: Series, feed: AccountFeed) -> PaperTerms:
        """The terms of an account for this series."""
        return cls(series, series.terms(DECIMAL18, feed.market.book), feed)

    @property
    def is_future(self) -> bool:
        """Whether the account trades contracts that expire."""
        return self.series.venue.kind == "future"

    def factor(self, contract: int, time_s: int) -> Decimal:
        """The mark of the traded instrument divided by the underlying's price."""
        return mark_factor(self.rules.basis, contract, time_s) if contract else Decimal(1)

    def contract_at(self, time_s: int) -> int:
        """The expiry of the future that is traded at a time, both epoch s; 0: not a future."""
        if not self.is_future:
            return 0
        return contract_at(time_s, round(self.series.venue.roll_days * DAY_S))

    def holdings(self, state: PaperState, time_s: int) -> tuple[Decimal, Decimal]:
        """The cash in quote, and the units of the underlying, as the rules count them."""
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
    """Book an amount into the wallet (negative: out of it) that belongs to no trade."""
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
    """Book an order at its end, with its fill as one trade or none.

    Args:
        terms: the terms of the account.
        state: the state before the order.
        order: the final order, without the venue's id and without its trade.
        contract: the contract traded, by its expiry.
        quote: the quote of the filled part, with the sign of its units.
        charges: the charges of the fill, of which spread and impact are part of ``quote``.
        cause: the cause of the trade.
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
        # on spot the wallet pays the price of the units itself
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
    """An order at its end; ``with_order`` adds its id and its trade."""
    status = OrderStatus.FILLED if filled == units else OrderStatus.EXPIRED
    return OrderState(client_id, "", status, units, filled, time_ms, reason=reason)
