"""The calls about orders, trades and money movements."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from steelyard.rehearsal.calls import WEEK_MS, Call, page, within
from steelyard.rehearsal.exchange import QUOTE
from steelyard.rehearsal.matching import NewOrder, cancel, find, open_orders, place
from steelyard.rehearsal.records import Order
from steelyard.rehearsal.refusals import Refused
from steelyard.rehearsal.views import answer_view, forced_view, income_view, order_view, trade_view

__all__ = [
    "all_orders",
    "cancel_all",
    "cancel_order",
    "forced_orders",
    "incomes",
    "look_up",
    "new_order",
    "open_order",
    "resting",
    "trades",
]

DAY_MS = 86_400_000
UNFILLED_DAYS = 3
QUERY_DAYS = 90
TRADE_DAYS = 183
INCOME_DAYS = 92
ACKNOWLEDGED = {
    "status": "NEW",
    "executedQty": "0",
    "cumQty": "0",
    "cumQuote": "0",
    "avgPrice": "0",
}


def new_order(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """Place an order."""
    side = call.text("side")
    if side not in {"BUY", "SELL"}:
        raise Refused("bad_side")
    kind = call.text("type")
    is_limit = kind == "LIMIT"
    symbol = call.market().contract.symbol
    size = call.amount("quantity", Decimal(0) if call.flag("closePosition") else None)
    if size < 0:
        raise Refused("too_small")
    asked = NewOrder(
        symbol=symbol,
        units=size if side == "BUY" else -size,
        kind=kind,
        tif=call.text("timeInForce") if is_limit else "GTC",
        price=call.amount("price") if is_limit else Decimal(0),
        client_id=call.maybe("newClientOrderId") or "",
        reduce_only=call.flag("reduceOnly"),
        position_side=call.maybe("positionSide") or "BOTH",
    )
    told = answer_view(place(call.exchange.world, call.account, asked, call.now_ms))
    # without a request for the result, the answer only acknowledges the order
    return told if call.maybe("newOrderRespType") == "RESULT" else {**told, **ACKNOWLEDGED}


def _named(call: Call) -> Order | None:
    """The order that is named by one of its two ids."""
    order_id, client_id = call.whole("orderId"), call.maybe("origClientOrderId")
    if order_id is None and client_id is None:
        raise Refused("missing", name="orderId")
    symbol = call.market().contract.symbol
    return find(call.account, symbol, order_id, client_id, call.now_ms)


def _is_kept(order: Order, now_ms: int) -> bool:
    """Whether look-ups still find an order: for 3 days if nothing was filled, else for 90."""
    is_ended = order.status in {"CANCELED", "EXPIRED"} and order.filled == 0
    days = UNFILLED_DAYS if is_ended else QUERY_DAYS
    return now_ms - order.time_ms <= days * DAY_MS


def look_up(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """One order."""
    order = _named(call)
    if order is None or not _is_kept(order, call.now_ms):
        raise Refused("no_such_order")
    return order_view(order)


def open_order(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """One resting order."""
    order = _named(call)
    if order is None or order.order_id not in call.account.open_ids:
        raise Refused("no_such_order")
    return order_view(order)


def cancel_order(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """Cancel an order."""
    return answer_view(cancel(call.exchange.world, call.account, _named(call), call.now_ms))


def cancel_all(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """Cancel all orders of a symbol."""
    symbol = call.market().contract.symbol
    for order in open_orders(call.account, symbol, call.now_ms):
        cancel(call.exchange.world, call.account, order, call.now_ms)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def resting(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The resting orders."""
    found = open_orders(call.account, call.maybe_symbol(), call.now_ms)
    return [order_view(order) for order in found]


def all_orders(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """All orders of a symbol, in any status."""
    symbol = call.market().contract.symbol
    kept = (
        order
        for order in call.account.orders.values()
        if order.symbol == symbol and _is_kept(order, call.now_ms)
    )
    rows = page(call, kept, most=1_000, usual=500, from_id=("orderId", lambda row: row.order_id))
    return [order_view(order) for order in rows]


def trades(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The fills of a symbol, of one order or of all."""
    symbol, order_id = call.market().contract.symbol, call.whole("orderId")
    if call.maybe("fromId") and (call.maybe("startTime") or call.maybe("endTime")):
        raise Refused("combination")
    oldest = call.now_ms - TRADE_DAYS * DAY_MS
    kept = (
        trade
        for trade in call.account.trades
        if trade.symbol == symbol and order_id in {None, trade.order_id} and trade.time_ms >= oldest
    )
    rows = page(call, kept, most=1_000, usual=500, from_id=("fromId", lambda row: row.trade_id))
    return [trade_view(trade, QUOTE) for trade in rows]


def forced_orders(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The orders by which the exchange itself closed a position."""
    symbol, cause = call.maybe_symbol(), call.maybe("autoCloseType")
    kept = (
        order
        for order in call.account.orders.values()
        if order.cause and symbol in {None, order.symbol} and cause in {None, order.cause}
    )
    return [forced_view(order) for order in page(call, kept, most=100, usual=50)]


def incomes(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The money movements, of one kind or of all."""
    symbol, kind = call.maybe_symbol(), call.maybe("incomeType")
    kept = (
        income
        for income in call.account.incomes
        if symbol in {None, income.symbol} and kind in {None, income.kind}
    )
    place, limit = call.whole("page") or 1, call.limit(100, 1_000)
    if place < 1:
        raise Refused("bad_value", name="page")
    since, until = call.whole("startTime"), call.whole("endTime")
    if since is None and until is None:
        since = call.now_ms - WEEK_MS
    oldest = call.now_ms - INCOME_DAYS * DAY_MS
    rows = within(call, kept, oldest if since is None else max(since, oldest), until)
    if call.maybe("startTime") or call.maybe("page"):
        rows = rows[(place - 1) * limit : place * limit]
    else:
        rows = rows[-limit:]
    return [income_view(income, QUOTE) for income in rows]
