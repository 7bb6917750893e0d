"""Orders: what is refused, what is filled, what rests, what is cancelled.

Everything is checked before anything changes, so a refusal leaves the exchange as it was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from steelyard.rehearsal.account_entries import book_fill, tell_order
from steelyard.rehearsal.book import LevelFill, best, take
from steelyard.rehearsal.contracts import STEP, Contract
from steelyard.rehearsal.margin import leverage_of, margin_of
from steelyard.rehearsal.records import Account, Change, Holding, Market, Order, World
from steelyard.rehearsal.refusals import Refused
from steelyard.venues import account as books
from steelyard.venues.account import cut_to_position, rounded

__all__ = ["NewOrder", "cancel", "find", "market_of", "open_orders", "place"]

NOTHING = Decimal(0)
CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
RESTS = {"GTC", "GTX"}


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order as it is asked for."""

    symbol: str
    units: Decimal
    """Signed."""
    kind: str
    tif: str = "GTC"
    price: Decimal = NOTHING
    client_id: str = ""
    reduce_only: bool = False
    position_side: str = "BOTH"


def market_of(world: World, symbol: str) -> Market:
    """The market of a symbol."""
    if symbol not in world.markets:
        raise Refused("bad_symbol")
    return world.markets[symbol]


def place(world: World, account: Account, asked: NewOrder, now_ms: int) -> Order:
    """Take an order: fill what fills, let rest what may rest, and expire what is left.

    Raises:
        Refused: it is refused, and nothing has changed.
    """
    market = market_of(world, asked.symbol)
    contract = market.contract
    _check_sides(account, asked)
    _check_filters(market, asked)
    _check_id(account, asked.client_id)
    units = _size(account, asked)
    if not asked.reduce_only and abs(units) * _least_price(market, asked) < contract.least_notional:
        raise Refused("least_notional", notional=contract.least_notional)
    side, is_market = (1 if units > 0 else -1), asked.kind == "MARKET"
    worst = _bound(market, side) if is_market else asked.price
    fills = take(market, world.depth, side, abs(units), worst)
    _check_fills(world, market, asked, units, fills)
    _check_margin(world, account, market, asked, units, fills)

    number = world.next_number()
    order = Order(
        order_id=number,
        client_id=asked.client_id or f"web_{number}",
        symbol=asked.symbol,
        kind=asked.kind,
        tif="GTC" if is_market else asked.tif,
        price=NOTHING if is_market else asked.price,
        units=units,
        reduce_only=asked.reduce_only,
        time_ms=now_ms,
        update_ms=now_ms,
        seen_ms=now_ms + world.lag_ms,
    )
    account.orders[number] = order
    account.latest[order.client_id] = number
    tell_order(world, account, order, "NEW")
    for price, got in fills:
        _fill(world, account, market, order, side * got, price, now_ms)
    if order.status != "FILLED":
        _leave(world, account, order, is_resting=not is_market and asked.tif in RESTS)
    if fills:
        world.changes.append(Change(account.name, account, "ORDER"))
    return order


def _fill(
    world: World,
    account: Account,
    market: Market,
    order: Order,
    units: Decimal,
    price: Decimal,
    now_ms: int,
) -> None:
    side = 1 if units > 0 else -1
    trade = book_fill(world, account, order, units, price, now_ms, fee=market.contract.taker)
    market.taken[side] = market.taken.get(side, NOTHING) + abs(trade.quote)
    tell_order(world, account, order, "TRADE", trade)


def _leave(world: World, account: Account, order: Order, *, is_resting: bool) -> None:
    """Let the rest of an order rest, or end it."""
    if is_resting:
        account.open_ids.append(order.order_id)
        return
    order.status = "EXPIRED"
    tell_order(world, account, order, "EXPIRED")


# -- what is refused -------------------------------------------------------------------------------


def _check_sides(account: Account, asked: NewOrder) -> None:
    if asked.kind not in {"MARKET", "LIMIT"}:
        raise Refused("algo_order" if "STOP" in asked.kind or "TAKE" in asked.kind else "bad_type")
    if asked.kind == "LIMIT" and asked.tif not in {"GTC", "IOC", "FOK", "GTX"}:
        raise Refused("bad_tif")
    # Trading in hedge mode is not built: whoever set it gets no order through.
    if account.is_hedge or asked.position_side != "BOTH":
        raise Refused("position_side")


def _check_filters(market: Market, asked: NewOrder) -> None:
    contract, size = market.contract, abs(asked.units)
    if size == 0:
        raise Refused("too_small")
    if size > (contract.most_market if asked.kind == "MARKET" else contract.most_limit):
        raise Refused("most_units")
    if size % contract.lot != 0:
        raise Refused("precision")
    if asked.kind == "LIMIT":
        _check_price(contract, market, asked)


def _check_price(contract: Contract, market: Market, asked: NewOrder) -> None:
    if asked.price < contract.least_price:
        raise Refused("least_price")
    if asked.price > contract.most_price:
        raise Refused("most_price")
    if asked.price % contract.tick != 0:
        raise Refused("price_step")
    side = 1 if asked.units > 0 else -1
    bound = _bound(market, side)
    if side > 0 and asked.price > bound:
        raise Refused("price_too_high", price=bound)
    if side < 0 and asked.price < bound:
        raise Refused("price_too_low", price=bound)


def _bound(market: Market, side: int) -> Decimal:
    """The worst price that an order of a side may have, by the PERCENT_PRICE filter."""
    tick = market.contract.tick
    return (market.mark * (1 + side * market.contract.bound)) // tick * tick


def _check_id(account: Account, client_id: str) -> None:
    """An id is taken only while an order of it is open: a filled one's is accepted again."""
    if client_id and not CLIENT_ID.fullmatch(client_id):
        raise Refused("bad_client_id")
    if account.latest.get(client_id) in account.open_ids:
        raise Refused("same_client_id")


def _size(account: Account, asked: NewOrder) -> Decimal:
    """What is ordered: of a reduce-only order at most the position."""
    if not asked.reduce_only:
        return asked.units
    held = account.holdings.get(asked.symbol, Holding()).units
    units = cut_to_position(asked.units, held)
    if units == 0:
        raise Refused("reduce_only")
    return units


def _least_price(market: Market, asked: NewOrder) -> Decimal:
    return market.mark if asked.kind == "MARKET" else asked.price


def _check_fills(
    world: World, market: Market, asked: NewOrder, units: Decimal, fills: list[LevelFill]
) -> None:
    side = 1 if units > 0 else -1
    got = sum((fill.units for fill in fills), NOTHING)
    if asked.kind == "MARKET" and not fills:
        raise Refused("percent_price")
    if asked.tif == "FOK" and asked.kind == "LIMIT" and got < abs(units):
        raise Refused("fill_or_kill")
    if asked.tif == "GTX" and fills and best(market, world.depth, side) is not None:
        raise Refused("post_only")


def _check_margin(
    world: World,
    account: Account,
    market: Market,
    asked: NewOrder,
    units: Decimal,
    fills: list[LevelFill],
) -> None:
    """What makes a position larger needs its initial margin, and the tier allows only so much."""
    held = account.holdings.get(asked.symbol, Holding())
    if asked.reduce_only or abs(held.units + units) <= abs(held.units):
        return
    notional = abs(held.units + units) * market.mark
    setting = leverage_of(account, asked.symbol)
    if notional > market.contract.cap_at(setting):
        raise Refused("above_tier")
    side = 1 if units > 0 else -1
    after = books.OneWayAccount(account.wallet, held.units, held.cost)
    for price, got in fills:
        quote = rounded(side * got * price, STEP)
        fee = rounded(abs(quote) * market.contract.taker, STEP)
        after, _ = books.traded(after, side * got, quote, fee, STEP)
    left = abs(units) - sum((fill.units for fill in fills), NOTHING)
    resting = left * asked.price / setting if asked.tif in RESTS else NOTHING
    holdings = {**account.holdings, asked.symbol: Holding(after.units, after.cost)}
    margin = margin_of(world, account, after.wallet, holdings)
    if margin.balance < margin.positions_initial + margin.orders_initial + resting:
        raise Refused("margin")


# -- orders that are there -------------------------------------------------------------------------


def find(
    account: Account, symbol: str, order_id: int | None, client_id: str | None, now_ms: int
) -> Order | None:
    """An order by the exchange's id or by its owner's: the newest of it that is seen."""
    if order_id is not None:
        order = account.orders.get(order_id)
        return order if order and order.symbol == symbol and order.seen_ms <= now_ms else None
    newest = account.latest.get(client_id or "")
    order = account.orders[newest] if newest is not None else None
    if order is None or order.symbol != symbol:
        return None
    if order.seen_ms <= now_ms:
        return order
    # the id was used before, and its newest order is not seen yet
    older = (one for one in reversed(account.orders.values()) if one.client_id == client_id)
    return next((one for one in older if one.seen_ms <= now_ms and one.symbol == symbol), None)


def open_orders(account: Account, symbol: str | None, now_ms: int) -> list[Order]:
    """Orders that rest, oldest first, as far as they are seen."""
    resting = (account.orders[number] for number in account.open_ids)
    return [
        order
        for order in resting
        if order.seen_ms <= now_ms and (symbol is None or order.symbol == symbol)
    ]


def cancel(world: World, account: Account, order: Order | None, now_ms: int) -> Order:
    """Cancel an order that rests.

    Raises:
        Refused: there is none, or it has ended.
    """
    if order is None or order.order_id not in account.open_ids:
        raise Refused("cancel_unknown")
    account.open_ids.remove(order.order_id)
    order.status, order.update_ms = "CANCELED", now_ms
    tell_order(world, account, order, "CANCELED")
    return order
