"""Orders: which are refused, filled, left resting or cancelled.

Everything is checked before anything changes, so a refusal leaves the exchange unchanged.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from steelyard.rehearsal.account_entries import book_fill, filled, tell_order
from steelyard.rehearsal.book import LevelFill, best, take
from steelyard.rehearsal.contracts import STEP, Contract
from steelyard.rehearsal.margin import leverage_of, margin_of
from steelyard.rehearsal.records import Account, Change, Holding, Market, Order, World, key_of
from steelyard.rehearsal.refusals import Refused
from steelyard.venues.account import cut_to_position, rounded

__all__ = ["NewOrder", "cancel", "find", "market_of", "open_orders", "place"]

NOTHING = Decimal(0)
CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
RESTS = {"GTC", "GTX"}


@dataclass(frozen=True, slots=True)
class NewOrder:
    """A new order as it was requested."""

    symbol: str
    units: Decimal
    """The units to trade, signed."""
    kind: str
    tif: str = "GTC"
    price: Decimal = NOTHING
    client_id: str = ""
    reduce_only: bool = False
    position_side: str = "BOTH"

    @property
    def key(self) -> str:
        """The key of the position that it changes."""
        return key_of(self.symbol, self.position_side)

    @property
    def closes(self) -> bool:
        """Whether it can only reduce a position; in hedge mode its sides decide that."""
        against = self.units < 0 if self.position_side == "LONG" else self.units > 0
        return self.reduce_only or (self.position_side != "BOTH" and against)


def market_of(world: World, symbol: str) -> Market:
    """The market of a symbol."""
    if symbol not in world.markets:
        raise Refused("bad_symbol")
    return world.markets[symbol]


def place(world: World, account: Account, asked: NewOrder, now_ms: int) -> Order:
    """Take an order: fill what can be filled, and let the rest stay on the book or expire.

    Raises:
        Refused: the order is refused, and nothing has changed.
    """
    market = market_of(world, asked.symbol)
    contract = market.contract
    _check_sides(account, asked)
    _check_filters(market, asked)
    _check_id(account, asked.client_id)
    units = _size(account, asked)
    if not asked.closes and abs(units) * _least_price(market, asked) < contract.least_notional:
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
        reduce_only=asked.closes,
        time_ms=now_ms,
        update_ms=now_ms,
        seen_ms=now_ms + world.lag_ms,
        position_side=asked.position_side,
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
    """Leave the rest of an order on the book, or end the order."""
    if is_resting:
        account.open_ids.append(order.order_id)
        return
    order.status = "EXPIRED"
    tell_order(world, account, order, "EXPIRED")


# -- refusals --------------------------------------------------------------------------------------


def _check_sides(account: Account, asked: NewOrder) -> None:
    if asked.kind not in {"MARKET", "LIMIT"}:
        raise Refused("algo_order" if "STOP" in asked.kind or "TAKE" in asked.kind else "bad_type")
    if asked.kind == "LIMIT" and asked.tif not in {"GTC", "IOC", "FOK", "GTX"}:
        raise Refused("bad_tif")
    if asked.position_side not in {"BOTH", "LONG", "SHORT"}:
        raise Refused("bad_position_side")
    if account.is_hedge == (asked.position_side == "BOTH"):
        raise Refused("position_side")
    if account.is_hedge and asked.reduce_only:
        raise Refused("not_required", name="reduceonly")


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
    """The worst price that the filter PERCENT_PRICE allows an order of a side."""
    tick = market.contract.tick
    return (market.mark * (1 + side * market.contract.bound)) // tick * tick


def _check_id(account: Account, client_id: str) -> None:
    """Refuse an id while an order with it is open; the id of a filled order is accepted again."""
    if client_id and not CLIENT_ID.fullmatch(client_id):
        raise Refused("bad_client_id")
    if account.latest.get(client_id) in account.open_ids:
        raise Refused("same_client_id")


def _size(account: Account, asked: NewOrder) -> Decimal:
    """The units of an order; a reduce-only order is cut to the position."""
    if not asked.closes:
        return asked.units
    held = account.holdings.get(asked.key, Holding()).units
    units = cut_to_position(asked.units, held)
    # in hedge mode an order that is too large is refused instead of cut
    if units == 0 or (account.is_hedge and units != asked.units):
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
    """Refuse an order that enlarges or reverses a position beyond its initial margin or tier."""
    held = account.holdings.get(asked.key, Holding())
    after_units = held.units + units
    is_turned = after_units * held.units < 0
    if asked.closes or (not is_turned and abs(after_units) <= abs(held.units)):
        return
    notional = abs(after_units) * market.mark
    setting = leverage_of(account, asked.symbol)
    if notional > market.contract.cap_at(setting):
        raise Refused("above_tier")
    side = 1 if units > 0 else -1
    apart = setting if asked.symbol in account.isolated else None
    wallet, after = account.wallet, held
    for price, got in fills:
        quote = rounded(side * got * price, STEP)
        fee = rounded(abs(quote) * market.contract.taker, STEP)
        wallet, after, _ = filled(wallet, after, side * got, quote, fee, apart)
    left = abs(units) - sum((fill.units for fill in fills), NOTHING)
    resting = left * asked.price / setting if asked.tif in RESTS else NOTHING
    margin = margin_of(world, account, wallet, {**account.holdings, asked.key: after})
    if margin.balance < margin.positions_initial + margin.orders_initial + resting:
        raise Refused("margin")


# -- existing orders -------------------------------------------------------------------------------


def find(
    account: Account, symbol: str, order_id: int | None, client_id: str | None, now_ms: int
) -> Order | None:
    """The newest visible order with the exchange's id or the client's; None: there is none."""
    if order_id is not None:
        order = account.orders.get(order_id)
        return order if order and order.symbol == symbol and order.seen_ms <= now_ms else None
    newest = account.latest.get(client_id or "")
    order = account.orders[newest] if newest is not None else None
    if order is None or order.symbol != symbol:
        return None
    if order.seen_ms <= now_ms:
        return order
    # the id was used more than once, and its newest order is not visible yet
    older = (one for one in reversed(account.orders.values()) if one.client_id == client_id)
    return next((one for one in older if one.seen_ms <= now_ms and one.symbol == symbol), None)


def open_orders(account: Account, symbol: str | None, now_ms: int) -> list[Order]:
    """The resting orders, oldest first, as far as they are visible."""
    resting = (account.orders[number] for number in account.open_ids)
    return [
        order
        for order in resting
        if order.seen_ms <= now_ms and (symbol is None or order.symbol == symbol)
    ]


def cancel(world: World, account: Account, order: Order | None, now_ms: int) -> Order:
    """Cancel a resting order.

    Raises:
        Refused: there is no such order, or it has ended.
    """
    if order is None or order.order_id not in account.open_ids:
        raise Refused("cancel_unknown")
    account.open_ids.remove(order.order_id)
    order.status, order.update_ms = "CANCELED", now_ms
    tell_order(world, account, order, "CANCELED")
    return order
