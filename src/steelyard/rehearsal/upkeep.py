"""What happens of its own accord: prices move, orders that rest fill, funding, forced closings.

Funding is paid at the mark by whoever holds units when it falls due::

    payment = - units * mark * rate

An account whose margin balance is at or below its maintenance loses its orders first and then its
positions, the largest first, each at the mark and with the liquidation fee; what is below zero at
the end is paid by the insurance fund.
"""

from __future__ import annotations

from decimal import Decimal

from steelyard.rehearsal.account_entries import book_fill, pay, tell_order
from steelyard.rehearsal.book import take
from steelyard.rehearsal.contracts import STEP, Contract
from steelyard.rehearsal.margin import maintenance, margin_of
from steelyard.rehearsal.matching import cancel
from steelyard.rehearsal.records import Account, Change, Holding, Market, Order, World
from steelyard.venues.account import cut_to_position, rounded

__all__ = ["deleverage", "funding_rate", "move", "pay_funding"]

NOTHING = Decimal(0)
CLAMP = Decimal("0.0005")
RATE_STEP = Decimal("0.00000001")
KEPT_RATES = 1_000


def move(world: World, market: Market, index: Decimal, now_ms: int) -> None:
    """The price moves: the book is whole again, orders fill, accounts may be liquidated."""
    tick = market.contract.tick
    market.index = max(tick, rounded(index / tick, Decimal(1)) * tick)
    market.mark = rounded(market.index * (1 + market.premium), STEP)
    market.taken.clear()
    world.changes.append(Change("", market))
    for account in world.accounts.values():
        if account.open_ids:
            _fill_resting(world, account, market, now_ms)
        if account.holdings:
            _liquidate_if_due(world, account, now_ms)


def _fill_resting(world: World, account: Account, market: Market, now_ms: int) -> None:
    """Orders that the book now crosses fill at their own price."""
    for number in tuple(account.open_ids):
        order = account.orders[number]
        if order.symbol != market.contract.symbol:
            continue
        left = order.units - order.filled
        side = 1 if left > 0 else -1
        if order.reduce_only:
            held = account.holdings.get(order.symbol, Holding()).units
            left = cut_to_position(left, held)
        got = sum(
            (f.units for f in take(market, world.depth, side, abs(left), order.price)), NOTHING
        )
        if got == 0 and left != 0:
            continue
        if left == 0:
            account.open_ids.remove(number)
            order.status, order.update_ms = "EXPIRED", now_ms
            tell_order(world, account, order, "EXPIRED")
            continue
        maker = market.contract.maker
        trade = book_fill(
            world, account, order, side * got, order.price, now_ms, fee=maker, is_maker=True
        )
        market.taken[side] = market.taken.get(side, NOTHING) + abs(trade.quote)
        if order.status == "FILLED":
            account.open_ids.remove(number)
        tell_order(world, account, order, "TRADE", trade)
        world.changes.append(Change(account.name, account, "ORDER"))


# -- funding ---------------------------------------------------------------------------------------


def funding_rate(market: Market) -> Decimal:
    """The rate as the premium stands: premium plus interest, the latter clamped to 5 bps."""
    contract = market.contract
    premium = market.premium
    drift = min(CLAMP, max(-CLAMP, contract.interest - premium))
    cap = contract.funding_cap
    return rounded(min(cap, max(-cap, premium + drift)), RATE_STEP)


def pay_funding(
    world: World, market: Market, market_ms: int, now_ms: int, rate: Decimal | None = None
) -> None:
    """Pay all funding that has fallen due by an instant of the market's clock.

    Args:
        world: the exchange.
        market: of which.
        market_ms: the market's clock.
        now_ms: the exchange's clock, by which records are dated.
        rate: given by hand: one payment falls due now.
    """
    if rate is not None:
        _pay_once(world, market, rate, now_ms)
    while market.next_funding_ms <= market_ms:
        market.next_funding_ms += market.contract.funding_every_ms
        _pay_once(world, market, funding_rate(market), now_ms)


def _pay_once(world: World, market: Market, rate: Decimal, now_ms: int) -> None:
    symbol = market.contract.symbol
    market.rates.append((now_ms, rate, market.mark))
    del market.rates[:-KEPT_RATES]
    world.changes.append(Change("", market))
    for account in world.accounts.values():
        units = account.holdings.get(symbol, Holding()).units
        amount = rounded(-units * market.mark * rate, STEP)
        if amount != 0:
            pay(world, account, "FUNDING_FEE", amount, now_ms, symbol=symbol)
            _liquidate_if_due(world, account, now_ms)


# -- forced closings -------------------------------------------------------------------------------


def _liquidate_if_due(world: World, account: Account, now_ms: int) -> None:
    margin = margin_of(world, account)
    if margin.balance > margin.maintenance:
        return
    for number in tuple(account.open_ids):
        cancel(world, account, account.orders[number], now_ms)
    while account.holdings and margin.balance <= margin.maintenance:
        symbol = max(account.holdings, key=lambda name: _needs(world, account, name))
        market = world.markets[symbol]
        units = account.holdings[symbol].units
        _close(world, account, market, -units, market.mark, now_ms, cause="LIQUIDATION")
        fee = rounded(abs(units * market.mark) * market.contract.liquidation_fee, STEP)
        fee = min(fee, max(NOTHING, margin_of(world, account).balance))
        if fee > 0:
            pay(world, account, "INSURANCE_CLEAR", -fee, now_ms, symbol=symbol)
        margin = margin_of(world, account)
    if account.wallet < 0 and not account.holdings:
        pay(world, account, "INSURANCE_CLEAR", -account.wallet, now_ms)


def _needs(world: World, account: Account, symbol: str) -> Decimal:
    return maintenance(world.markets[symbol], account.holdings[symbol].units)


def deleverage(
    world: World, account: Account, market: Market, units: Decimal, price: Decimal, now_ms: int
) -> Order | None:
    """Close a part of a position for another's loss (auto-deleveraging), at a given price.

    Args:
        world: the exchange.
        account: whose.
        market: of which.
        units: above zero: how much of the position, at most all of it.
        price: the bankrupt account's.
        now_ms: the exchange's clock.
    """
    held = account.holdings.get(market.contract.symbol, Holding()).units
    if held == 0 or units <= 0:
        return None
    part = min(units, abs(held))
    signed = -part if held > 0 else part
    return _close(world, account, market, signed, price, now_ms, cause="ADL")


def _close(
    world: World,
    account: Account,
    market: Market,
    units: Decimal,
    price: Decimal,
    now_ms: int,
    *,
    cause: str,
) -> Order:
    """An order of the exchange's own that closes (a part of) a position."""
    number, contract = world.next_number(), market.contract
    is_adl = cause == "ADL"
    order = Order(
        order_id=number,
        client_id="adl_autoclose" if is_adl else f"autoclose-{now_ms}{number}",
        symbol=contract.symbol,
        kind="LIMIT",
        tif="IOC",
        price=price,
        units=units,
        reduce_only=False,
        time_ms=now_ms,
        update_ms=now_ms,
        seen_ms=now_ms + world.lag_ms,
        cause=cause,
    )
    account.orders[number] = order
    account.latest[order.client_id] = number
    fee = _forced_fee(contract, is_adl=is_adl)
    trade = book_fill(world, account, order, units, price, now_ms, fee=fee)
    tell_order(world, account, order, "CALCULATED", trade)
    world.changes.append(Change(account.name, account, "ORDER"))
    return order


def _forced_fee(contract: Contract, *, is_adl: bool) -> Decimal:
    """A liquidation pays as a taker does, beside its own fee; a deleveraged account pays none."""
    return NOTHING if is_adl else contract.taker
