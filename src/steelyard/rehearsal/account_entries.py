"""The one place where money and units of an account move, each with its record.

Whatever happens to a position::

    wallet - cost  changes by exactly  - quote - commission
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from steelyard.rehearsal.contracts import STEP
from steelyard.rehearsal.records import (
    Account,
    Change,
    Holding,
    Income,
    Order,
    Trade,
    VisibleAccount,
    World,
)
from steelyard.venues import account as books
from steelyard.venues.account import rounded

__all__ = ["book_fill", "pay", "show", "tell_order"]


def show(world: World, account: Account, now_ms: int) -> None:
    """Let look-ups see the account as it is now, after the lag."""
    account.update_ms = now_ms
    shown = VisibleAccount(now_ms + world.lag_ms, account.wallet, dict(account.holdings), now_ms)
    account.seen.append(shown)
    seen_now = [place for place, seen in enumerate(account.seen) if seen.seen_ms <= now_ms]
    for _ in range(seen_now[-1] if seen_now else 0):
        account.seen.popleft()


def tell_order(
    world: World, account: Account, order: Order, event: str, trade: Trade | None = None
) -> None:
    """Name a change of an order, as it is at this instant."""
    world.changes.append(Change(account.name, replace(order), event, trade))


def pay(
    world: World,
    account: Account,
    kind: str,
    amount: Decimal,
    now_ms: int,
    *,
    symbol: str = "",
    trade_id: str = "",
) -> None:
    """Move money into the wallet (below 0: out of it), with its record."""
    account.wallet += amount
    _record(world, account, kind, amount, now_ms, symbol, trade_id)
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
) -> None:
    number, seen = world.next_number(), now_ms + world.lag_ms
    income = Income(number, kind, symbol, amount, kind, trade_id, now_ms, seen)
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
    """Fill a part of an order: the position, the wallet, and a trade that says what was paid.

    Args:
        world: the exchange.
        account: whose order it is.
        order: it; its ``filled``, ``quote`` and ``status`` follow.
        units: signed, not zero, no more than is left of the order.
        price: of the fill.
        now_ms: the exchange's clock.
        fee: share of the notional.
        is_maker: whether the order had rested.
    """
    symbol = order.symbol
    quote = rounded(units * price, STEP)
    commission = rounded(abs(quote) * fee, STEP)
    held = account.holdings.get(symbol, Holding())
    before = books.OneWayAccount(account.wallet, held.units, held.cost)
    after, realised = books.traded(before, units, quote, commission, STEP)
    account.wallet = after.wallet
    if after.units == 0:
        account.holdings.pop(symbol, None)
    else:
        account.holdings[symbol] = Holding(after.units, after.cost)
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
