"""The margin of an account: cross margin, which positions share, and isolated margins.

Cross margin is::

    margin balance = wallet - isolated margins + sum over its positions of (units * mark - cost)
    available      = margin balance - initial margin of its positions and of open orders

In multi-asset mode it includes the other assets, valued at the index with a discount. The exchange
closes the positions with cross margin once the margin balance is at or below their maintenance
margin. A position with isolated margin has its own balance: its margin and its unrealised profit.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_UP, Decimal
from itertools import product
from typing import NamedTuple

from steelyard.rehearsal.contracts import COLLATERAL, STEP, tier_of
from steelyard.rehearsal.records import Account, Holding, Market, Order, World, symbol_of
from steelyard.venues.account import rounded

__all__ = [
    "Margin",
    "collateral",
    "held_back",
    "isolated_of",
    "leverage_of",
    "liquidation_price",
    "maintenance",
    "margin_of",
    "profit_and_needs",
]

NOTHING = Decimal(0)
USUAL_LEVERAGE = 20


class Margin(NamedTuple):
    """Cross margin, or the isolated margins together; amounts in quote."""

    wallet: Decimal
    unrealised: Decimal
    positions_initial: Decimal
    orders_initial: Decimal
    maintenance: Decimal

    @property
    def balance(self) -> Decimal:
        """The margin balance: the margin with the unrealised profit."""
        return self.wallet + self.unrealised

    @property
    def available(self) -> Decimal:
        """The margin that is available for new positions."""
        used = self.positions_initial + self.orders_initial
        return max(NOTHING, self.balance - used)


def leverage_of(account: Account, symbol: str) -> int:
    """The leverage setting of a symbol; 20 if none was chosen."""
    return account.leverages.get(symbol, USUAL_LEVERAGE)


def maintenance(market: Market, units: Decimal) -> Decimal:
    """The maintenance margin of a position at the mark, rounded up."""
    notional = abs(units * market.mark)
    tier = tier_of(market.contract, notional)
    return (notional * tier.rate - tier.cum).quantize(STEP, ROUND_UP)


def collateral(world: World, account: Account) -> Decimal:
    """The value of the other assets as margin, in quote; 0 outside multi-asset mode."""
    if not account.is_multi_asset:
        return NOTHING
    prices = {market.contract.base: market.index for market in world.markets.values()}
    worth = (
        amount * COLLATERAL.get(asset, NOTHING) * prices.get(asset, Decimal(1))
        for asset, amount in account.assets.items()
    )
    return rounded(sum(worth, NOTHING), STEP)


def margin_of(
    world: World,
    account: Account,
    wallet: Decimal | None = None,
    holdings: Mapping[str, Holding] | None = None,
) -> Margin:
    """The cross margin, at present or with the given wallet or holdings."""
    wallet = account.wallet if wallet is None else wallet
    holdings = account.holdings if holdings is None else holdings
    apart = sum((held.margin for held in holdings.values()), NOTHING)
    mine = {key: held for key, held in holdings.items() if symbol_of(key) not in account.isolated}
    orders = sum((held_back(account, account.orders[each]) for each in account.open_ids), NOTHING)
    crossed = wallet - apart + collateral(world, account)
    return Margin(crossed, *profit_and_needs(world, account, mine, orders))


def isolated_of(
    world: World, account: Account, holdings: Mapping[str, Holding] | None = None
) -> Margin:
    """The sum of an account's isolated margins, or of those of some positions.

    Args:
        world: the exchange.
        account: the account.
        holdings: the positions; None: all. Positions with cross margin are left out.
    """
    holdings = account.holdings if holdings is None else holdings
    own = {key: held for key, held in holdings.items() if symbol_of(key) in account.isolated}
    wallet = sum((held.margin for held in own.values()), NOTHING)
    return Margin(wallet, *profit_and_needs(world, account, own))


def profit_and_needs(
    world: World, account: Account, holdings: Mapping[str, Holding], orders: Decimal = NOTHING
) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """The profit, the initial margin of positions and of orders, and the maintenance margin."""
    unrealised = initial = needed = NOTHING
    for key, held in holdings.items():
        symbol = symbol_of(key)
        market = world.markets[symbol]
        worth = held.units * market.mark
        unrealised += worth - held.cost
        initial += (abs(worth) / leverage_of(account, symbol)).quantize(STEP, ROUND_UP)
        needed += maintenance(market, held.units)
    return unrealised.quantize(STEP), initial, orders, needed


def held_back(account: Account, order: Order) -> Decimal:
    """The initial margin that an open order holds back if it could enlarge a position."""
    if order.reduce_only:
        return NOTHING
    left = abs(order.units - order.filled) * order.price
    return (left / leverage_of(account, order.symbol)).quantize(STEP, ROUND_UP)


def liquidation_price(
    world: World, account: Account, key: str, wallet: Decimal, holdings: Mapping[str, Holding]
) -> Decimal:
    """The mark at which a position is closed if all other markets stay unchanged; 0: none.

    Solves ``rest + sum(units * p - cost) = sum(|units| * p * rate - cum) + needed`` for p over the
    positions that share its margin and its mark (both sides in hedge mode), tier by tier. The
    solution is the price that lies in the tiers that it was solved with.
    """
    if key not in holdings:
        return NOTHING
    symbol = symbol_of(key)
    if symbol in account.isolated:
        moved = [holdings[key]]
        rest, needed = holdings[key].margin, NOTHING
    else:
        same = {name: held for name, held in holdings.items() if symbol_of(name) == symbol}
        moved = list(same.values())
        others = {name: held for name, held in holdings.items() if name not in same}
        crossed = margin_of(world, account, wallet, others)
        rest, needed = crossed.balance, crossed.maintenance
    market, found = world.markets[symbol], []
    for tiers in product(market.contract.tiers, repeat=len(moved)):
        legs = list(zip(moved, tiers, strict=True))
        slope = sum((abs(held.units) * tier.rate - held.units for held, tier in legs), NOTHING)
        if slope == 0:
            continue
        known = sum((tier.cum - held.cost for held, tier in legs), NOTHING)
        price = (rest - needed + known) / slope
        sizes = ((abs(held.units) * price, tier) for held, tier in legs)
        if price > 0 and all(tier.floor <= size <= tier.cap for size, tier in sizes):
            found.append(price)
    if len(moved) == 1:
        return found[0] if found else NOTHING
    # a fall moves against longs, a rise against shorts
    if holdings[key].units > 0:
        return max((price for price in found if price <= market.mark), default=NOTHING)
    return min((price for price in found if price >= market.mark), default=NOTHING)
