"""The exchange's own events: price moves, fills of resting orders, funding, forced closings.

Funding is paid at the mark on the units held when it falls due::

    payment = - units * mark * rate

An account whose margin balance is at or below its maintenance margin first loses its orders, and
then its positions, the largest first, each at the mark and with the liquidation fee. The insurance
fund pays a balance that is below zero at the end. An isolated position is closed in the same way,
by its own margin alone.
"""

from __future__ import annotations

from decimal import Decimal

from steelyard.rehearsal.account_entries import book_fill, pay, tell_order
from steelyard.rehearsal.book import take
from steelyard.rehearsal.candles import note_price
from steelyard.rehearsal.contracts import STEP, Contract
from steelyard.rehearsal.margin import isolated_of, maintenance, margin_of
from steelyard.rehearsal.matching import cancel
from steelyard.rehearsal.records import (
    Account,
    Change,
    Holding,
    Market,
    Order,
    World,
    key_of,
    side_of_key,
    symbol_of,
)
from steelyard.venues.account import cut_to_position, rounded

__all__ = ["deleverage", "funding_rate", "move", "pay_funding"]

NOTHING = Decimal(0)
CLAMP = Decimal("0.0005")
RATE_STEP = Decimal("0.00000001")
KEPT_RATES = 1_000


def move(
    world: World, market: Market, index: Decimal, now_ms: int, at_ms: int | None = None
) -> None:
    """Move the price: the book is refilled, resting orders may fill, and accounts be liquidated.

    Args:
        world: the exchange.
        market: the market.
        index: the new index price.
        now_ms: the exchange's clock, ms, with which records are stamped.
        at_ms: the time of the move by the same clock, ms; None: now.
    """
    tick = market.contract.tick
    market.index = max(tick, rounded(index / tick, Decimal(1)) * tick)
    market.mark = rounded(market.index * (1 + market.premium), STEP)
    market.taken.clear()
    world.changes.append(Change("", market))
    world.changes.append(Change("", note_price(market, now_ms if at_ms is None else at_ms)))
    for account in world.accounts.values():
        if account.open_ids:
            _fill_resting(world, account, market, now_ms)
        if account.holdings:
            _liquidate_if_due(world, account, now_ms)


def _fill_resting(world: World, account: Account, market: Market, now_ms: int) -> None:
    """Fill the resting orders that the book now crosses, at their own price."""
    for number in tuple(account.open_ids):
        order = account.orders[number]
        if order.symbol != market.contract.symbol:
            continue
        left = order.units - order.filled
        side = 1 if left > 0 else -1
        if order.reduce_only:
            key = key_of(order.symbol, order.position_side)
            held = account.holdings.get(key, Holding()).units
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
    """The rate at the present premium: premium plus interest, the latter clamped to 5 bps."""
    contract = market.contract
    premium = market.premium
    drift = min(CLAMP, max(-CLAMP, contract.interest - premium))
    cap = contract.funding_cap
    return rounded(min(cap, max(-cap, premium + drift)), RATE_STEP)


def pay_funding(
    world: World, market: Market, market_ms: int, now_ms: int, rate: Decimal | None = None
) -> None:
    """Pay all funding that has fallen due up to an instant of the market's clock.

    Args:
        world: the exchange.
        market: the market.
        market_ms: the market's clock, ms.
        now_ms: the exchange's clock, ms, with which records are stamped.
        rate: the rate of one payment that falls due now; None: pay what is due.
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
        for key, held in tuple(account.holdings.items()):
            amount = rounded(-held.units * market.mark * rate, STEP)
            if symbol_of(key) != symbol or amount == 0:
                continue
            if symbol in account.isolated:
                account.holdings[key] = held._replace(margin=held.margin + amount)
            pay(world, account, "FUNDING_FEE", amount, now_ms, symbol=symbol)
        _liquidate_if_due(world, account, now_ms)


# -- forced closings -------------------------------------------------------------------------------


def _liquidate_if_due(world: World, account: Account, now_ms: int) -> None:
    for key in [key for key in account.holdings if symbol_of(key) in account.isolated]:
        _liquidate_alone(world, account, key, now_ms)
    margin = margin_of(world, account)
    if margin.balance > margin.maintenance or not _crossed(account):
        return
    for number in tuple(account.open_ids):
        cancel(world, account, account.orders[number], now_ms)
    while _crossed(account) and margin.balance <= margin.maintenance:
        key = max(_crossed(account), key=lambda name: _needs(world, account, name))
        fee = _liquidate(world, account, key, now_ms)
        _pay_fee(world, account, key, min(fee, margin_of(world, account).balance), now_ms)
        margin = margin_of(world, account)
    if margin.balance < 0 and not _crossed(account):
        pay(world, account, "INSURANCE_CLEAR", -margin.balance, now_ms)


def _crossed(account: Account) -> list[str]:
    """The positions with cross margin."""
    return [key for key in account.holdings if symbol_of(key) not in account.isolated]


def _needs(world: World, account: Account, key: str) -> Decimal:
    return maintenance(world.markets[symbol_of(key)], account.holdings[key].units)


def _liquidate_alone(world: World, account: Account, key: str, now_ms: int) -> None:
    """Close an isolated position whose margin is used up; no more than that margin is lost."""
    held = account.holdings[key]
    margin = isolated_of(world, account, {key: held})
    if margin.balance > margin.maintenance:
        return
    symbol = symbol_of(key)
    for number in tuple(account.open_ids):
        if account.orders[number].symbol == symbol:
            cancel(world, account, account.orders[number], now_ms)
    before = account.wallet
    fee = _liquidate(world, account, key, now_ms)
    left = held.margin + account.wallet - before
    if left < 0:
        pay(world, account, "INSURANCE_CLEAR", -left, now_ms, symbol=symbol)
    _pay_fee(world, account, key, min(fee, left), now_ms)


def _liquidate(world: World, account: Account, key: str, now_ms: int) -> Decimal:
    """Close a position at the mark, and return the liquidation fee."""
    market, units = world.markets[symbol_of(key)], account.holdings[key].units
    side = side_of_key(key)
    _close(world, account, market, -units, market.mark, now_ms, cause="LIQUIDATION", side=side)
    return rounded(abs(units * market.mark) * market.contract.liquidation_fee, STEP)


def _pay_fee(world: World, account: Account, key: str, fee: Decimal, now_ms: int) -> None:
    if fee > 0:
        pay(world, account, "INSURANCE_CLEAR", -fee, now_ms, symbol=symbol_of(key))


def deleverage(
    world: World,
    account: Account,
    market: Market,
    units: Decimal,
    price: Decimal,
    now_ms: int,
    side: str = "BOTH",
) -> Order | None:
    """Close part of a position at a given price for another's loss (auto-deleveraging).

    Args:
        world: the exchange.
        account: the account.
        market: the market.
        units: the units to close, above zero, at most the whole position.
        price: the bankruptcy price of the other account.
        now_ms: the exchange's clock, ms.
        side: the side of the position, in hedge mode.
    """
    held = account.holdings.get(key_of(market.contract.symbol, side), Holding()).units
    if held == 0 or units <= 0:
        return None
    part = min(units, abs(held))
    signed = -part if held > 0 else part
    return _close(world, account, market, signed, price, now_ms, cause="ADL", side=side)


def _close(
    world: World,
    account: Account,
    market: Market,
    units: Decimal,
    price: Decimal,
    now_ms: int,
    *,
    cause: str,
    side: str,
) -> Order:
    """Close a position or part of it by an order of the exchange's own."""
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
        position_side=side,
    )
    account.orders[number] = order
    account.latest[order.client_id] = number
    fee = _forced_fee(contract, is_adl=is_adl)
    trade = book_fill(world, account, order, units, price, now_ms, fee=fee)
    tell_order(world, account, order, "CALCULATED", trade)
    world.changes.append(Change(account.name, account, "ORDER"))
    return order


def _forced_fee(contract: Contract, *, is_adl: bool) -> Decimal:
    """The trading fee: a liquidation pays a taker's, besides its own; auto-deleveraging none."""
    return NOTHING if is_adl else contract.taker
