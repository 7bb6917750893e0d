"""The margin of an account, which is one pot for all positions (cross).

It is::

    margin balance = wallet + sum over positions of (units * mark - cost)
    available      = margin balance - initial margin of positions and open orders

A position is closed by the exchange once the margin balance is at or below the maintenance.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_UP, Decimal
from typing import NamedTuple

from steelyard.rehearsal.contracts import STEP, tier_of
from steelyard.rehearsal.records import Account, Holding, Market, World

__all__ = ["Margin", "leverage_of", "liquidation_price", "maintenance", "margin_of"]

NOTHING = Decimal(0)
USUAL_LEVERAGE = 20


class Margin(NamedTuple):
    """How an account stands; amounts in quote."""

    wallet: Decimal
    unrealised: Decimal
    positions_initial: Decimal
    orders_initial: Decimal
    maintenance: Decimal

    @property
    def balance(self) -> Decimal:
        """What the account is worth."""
        return self.wallet + self.unrealised

    @property
    def available(self) -> Decimal:
        """What new positions may be opened with."""
        used = self.positions_initial + self.orders_initial
        return max(NOTHING, self.balance - used)


def leverage_of(account: Account, symbol: str) -> int:
    """The leverage setting of a symbol, 20 where none was chosen."""
    return account.leverages.get(symbol, USUAL_LEVERAGE)


def maintenance(market: Market, units: Decimal) -> Decimal:
    """What a position needs at the mark so that it is not closed, rounded up."""
    notional = abs(units * market.mark)
    tier = tier_of(market.contract, notional)
    return (notional * tier.rate - tier.cum).quantize(STEP, ROUND_UP)


def margin_of(
    world: World,
    account: Account,
    wallet: Decimal | None = None,
    holdings: Mapping[str, Holding] | None = None,
) -> Margin:
    """How the account stands, or would with another wallet or other holdings."""
    wallet = account.wallet if wallet is None else wallet
    holdings = account.holdings if holdings is None else holdings
    unrealised = initial = needed = NOTHING
    for symbol, (units, cost) in holdings.items():
        market = world.markets[symbol]
        worth = units * market.mark
        unrealised += worth - cost
        initial += (abs(worth) / leverage_of(account, symbol)).quantize(STEP, ROUND_UP)
        needed += maintenance(market, units)
    return Margin(wallet, unrealised.quantize(STEP), initial, orders_initial(account), needed)


def orders_initial(account: Account) -> Decimal:
    """What open orders that could make a position larger hold back."""
    held = NOTHING
    for order_id in account.open_ids:
        order = account.orders[order_id]
        if not order.reduce_only:
            left = abs(order.units - order.filled) * order.price
            held += (left / leverage_of(account, order.symbol)).quantize(STEP, ROUND_UP)
    return held


def liquidation_price(
    world: World, account: Account, symbol: str, wallet: Decimal, holdings: Mapping[str, Holding]
) -> Decimal:
    """The mark at which this position is closed while all others stand still; 0: none.

    Solves ``wallet + rest + units * p - cost = |units| * p * rate - cum + needed`` for p, tier by
    tier: the price that lies in the tier it was solved with is the one.
    """
    units, cost = holdings.get(symbol, Holding())
    if units == 0:
        return NOTHING
    market = world.markets[symbol]
    others = {name: held for name, held in holdings.items() if name != symbol}
    rest = margin_of(world, account, wallet, others)
    for tier in market.contract.tiers:
        slope = abs(units) * tier.rate - units
        if slope == 0:
            continue
        price = (rest.balance - rest.maintenance - cost + tier.cum) / slope
        if price > 0 and tier.floor <= abs(units) * price <= tier.cap:
            return price
    return NOTHING
