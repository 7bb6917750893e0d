"""The only module that moves an account's money and units; each movement leaves a record.

Whatever happens to a position::

    wallet - cost  changes by exactly  - quote - commission
"""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_UP, Decimal

from steelyard.rehearsal.contracts import STEP
from steelyard.rehearsal.margin import leverage_of
from steelyard.rehearsal.records import (
    Account,
    Change,
    Holding,
    Income,
    Order,
    Trade,
    VisibleAccount,
    World,
    key_of,
)
from steelyard.venues import account as books
from steelyard.venues.account import rounded

__all__ = ["book_fill", "filled", "pay", "show", "tell_order"]


def show(world: World, account: Account, now_ms: int) -> None:
    """Show the account's present state in look-ups, after the lag."""
    account.update_ms = now_ms
    shown = VisibleAccount(now_ms + world.lag_ms, account.wallet, dict(account.holdings), now_ms)
    account.seen.append(shown)
    seen_now = [place for place, seen in enumerate(account.seen) if seen.seen_ms <= now_ms]
    for _ in range(seen_now[-1] if seen_now else 0):
        account.seen.popleft()


def tell_order(
    world: World, account: Account, order: Order, event: str, trade: Trade | None = None
) -> None:
    """Record a change of an order, as the order is at this instant."""
    world.changes.append(Change(account.name, replace(order), event, trade))


def filled(
    wallet: Decimal,
    held: Holding,
    units: Decimal,
    quote: Decimal,
    commission: Decimal,
    setting: int | None,
) -> tuple[Decimal, Holding, Decimal]:
    """The wallet and position after a fill, and the profit that moved into the wallet.

    An isolated position sets the initial margin of the opened part apart; closing a part releases
    its share.

    Args:
        wallet: the wallet before the fill.
        held: the position before the fill.
        units: the units filled, signed, not zero.
        quote: the quote of the fill, with the sign of the units.
        commission: the commission paid, quote.
        setting: the leverage setting of an isolated position; None: its margin is crossed.
    """
    before = books.OneWayAccount(wallet, held.units, held.cost)
    after, realised = books.traded(before, units, quote, commission, STEP)
    margin = Decimal(0)
    if setting is not None:
        size = abs(after.units)
        there = abs(held.units) if after.units * held.units > 0 else Decimal(0)
        kept = min(size, there)
        if kept > 0:
            margin = rounded(held.margin * kept / there, STEP)
        opened = abs(quote) * (size - kept) / abs(units)
        margin += (opened / setting).quantize(STEP, ROUND_UP)
    return after.wallet, Holding(after.units, after.cost, margin), realised


def pay(
    world: World,
    account: Account,
    kind: str,
    amount: Decimal,
    now_ms: int,
    *,
    symbol: str = "",
    trade_id: str = "",
    asset: str = "",
) -> None:
    """Move money into the wallet (negative: out of it), with its record.

    Args:
        world: the exchange.
        account: the account.
        kind: the exchange's name of the kind of movement.
        amount: the amount, in the quote or another asset.
        now_ms: the exchange's clock, ms.
        symbol: the market's symbol, if it belongs to one.
        trade_id: the trade's id, if it belongs to one.
        asset: the asset; empty: the quote.
    """
    if asset:
        account.assets[asset] = account.assets.get(asset, Decimal(0)) + amount
    else:
        account.wallet += amount
    _record(world, account, kind, amount, now_ms, symbol, trade_id, asset)
    show(world, account, now_ms)
    world.changes.append(Change(account.name, account, kind))


def _record(
    world: World,
    account: Account,
    kind: str,
    amount: Decimal,
    now_ms: int,
    symbol: str,
    trade_id: str,
    asset: str = "",
) -> None:
    number, seen = world.next_number(), now_ms + world.lag_ms
    income = Income(number, kind, symbol, amount, kind, trade_id, now_ms, seen, asset)
    account.incomes.append(income)
    world.changes.append(Change(account.name, income))


def book_fill(
    world: World,
    account: Account,
    order: Order,
    units: Decimal,
    price: Decimal,
    now_ms: int,
    *,
    fee: Decimal,
    is_maker: bool = False,
) -> Trade:
    """Fill part of an order: update the position and the wallet, and record a trade.

    Args:
        world: the exchange.
        account: the owner of the order.
        order: the order, whose ``filled``, ``quote`` and ``status`` are updated.
        units: the units filled, signed, not zero, at most those left of the order.
        price: the price of the fill.
        now_ms: the exchange's clock, ms.
        fee: the fee as a share of the notional.
        is_maker: whether the order was resting.
    """
    symbol = order.symbol
    quote = rounded(units * price, STEP)
    commission = rounded(abs(quote) * fee, STEP)
    key = key_of(symbol, order.position_side)
    held = account.holdings.get(key, Holding())
    setting = leverage_of(account, symbol) if symbol in account.isolated else None
    account.wallet, after, realised = filled(
        account.wallet, held, units, quote, commission, setting
    )
    if after.units == 0:
        account.holdings.pop(key, None)
    else:
        account.holdings[key] = after
    number, seen = world.next_number(), now_ms + world.lag_ms
    trade = Trade(
        number,
        order.order_id,
        symbol,
        units,
        price,
        quote,
        commission,
        realised,
        is_maker,
        now_ms,
        seen,
        order.position_side,
    )
    account.trades.append(trade)
    order.filled += units
    order.quote += quote
    order.update_ms = now_ms
    order.status = "FILLED" if order.filled == order.units else "PARTIALLY_FILLED"
    world.changes.append(Change(account.name, trade))
    if commission != 0:
        _record(world, account, "COMMISSION", -commission, now_ms, symbol, str(number))
    if realised != 0:
        _record(world, account, "REALIZED_PNL", realised, now_ms, symbol, str(number))
    show(world, account, now_ms)
    return trade
