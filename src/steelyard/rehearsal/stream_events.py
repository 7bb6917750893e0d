"""The events of the streams, with the same fields as Binance USD-M's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from steelyard.rehearsal.exchange import QUOTE, Exchange
from steelyard.rehearsal.margin import maintenance, margin_of
from steelyard.rehearsal.records import (
    Account,
    Change,
    Holding,
    Market,
    Order,
    Trade,
    key_of,
    side_of_key,
    symbol_of,
)
from steelyard.rehearsal.upkeep import funding_rate
from steelyard.rehearsal.views import average, book_ticker_view, side_of, text

__all__ = [
    "account_event",
    "book_event",
    "margin_call",
    "mark_event",
    "order_event",
]

Event = dict[str, Any]
NOTHING = Decimal(0)


def mark_event(exchange: Exchange, market: Market, now: int) -> Event:
    """A mark price."""
    return {
        "e": "markPriceUpdate",
        "E": now,
        "s": market.contract.symbol,
        "p": text(market.mark),
        "i": text(market.index),
        "P": text(market.index),
        "r": text(funding_rate(market)),
        "T": exchange.next_funding_ms(market, now),
    }


def book_event(exchange: Exchange, market: Market, now: int) -> Event:
    """The best bid and ask."""
    row = book_ticker_view(exchange.world, market, now)
    return {
        "e": "bookTicker",
        "u": now,
        "E": now,
        "T": now,
        "s": row["symbol"],
        "b": row["bidPrice"],
        "B": row["bidQty"],
        "a": row["askPrice"],
        "A": row["askQty"],
    }


def order_event(order: Order, event: str, trade: Trade | None, now: int) -> Event:
    """An order that changed, with the fill that changed it."""
    told: Event = {
        "s": order.symbol,
        "c": order.client_id,
        "S": side_of(order.units),
        "o": "LIQUIDATION" if order.cause else order.kind,
        "f": order.tif,
        "q": text(abs(order.units)),
        "p": text(order.price),
        "ap": text(average(order)),
        "sp": "0",
        "x": event,
        "X": order.status,
        "i": order.order_id,
        "l": text(abs(trade.units)) if trade else "0",
        "z": text(abs(order.filled)),
        "L": text(trade.price) if trade else "0",
        "N": QUOTE,
        "n": text(trade.commission) if trade else "0",
        "T": order.update_ms,
        "t": trade.trade_id if trade else 0,
        "b": "0",
        "a": "0",
        "m": trade.is_maker if trade else False,
        "R": order.reduce_only,
        "wt": "CONTRACT_PRICE",
        "ot": order.kind,
        "ps": order.position_side,
        "cp": order.close_position,
        "rp": text(trade.realised) if trade else "0",
        "pP": False,
        "V": "EXPIRE_MAKER",
        "pm": "NONE",
        "gtd": 0,
    }
    return {"e": "ORDER_TRADE_UPDATE", "E": now, "T": order.update_ms, "o": told}


def _position(exchange: Exchange, account: Account, key: str) -> Event:
    units, cost, apart = account.holdings.get(key, Holding())
    symbol = symbol_of(key)
    market = exchange.world.markets[symbol]
    entry = (cost / units).quantize(Decimal("0.000000000001")) if units != 0 else NOTHING
    return {
        "s": symbol,
        "pa": text(units),
        "ep": text(entry),
        "bep": text(entry),
        "cr": "0",
        "up": text((units * market.mark - cost).quantize(Decimal("0.00000001"))),
        "mt": "isolated" if symbol in account.isolated else "cross",
        "iw": text(apart),
        "ps": side_of_key(key),
    }


def account_event(exchange: Exchange, account: Account, change: Change, now: int) -> Event:
    """The wallet and the positions after a change."""
    wallet = text(account.wallet)
    apart = sum((held.margin for held in account.holdings.values()), NOTHING)
    crossed = text(account.wallet - apart)
    balance = {"a": QUOTE, "wb": wallet, "cw": crossed, "bc": "0"}
    sides = ("LONG", "SHORT") if account.is_hedge else ("BOTH",)
    every = [key_of(symbol, side) for symbol in exchange.world.markets for side in sides]
    told_of = every if change.event == "ORDER" else account.holdings
    rows = [_position(exchange, account, key) for key in told_of]
    told = {"m": change.event, "B": [balance], "P": rows}
    return {"e": "ACCOUNT_UPDATE", "E": now, "T": account.update_ms, "a": told}


def margin_call(exchange: Exchange, account: Account, now: int) -> Event:
    """A margin call: the account is near its liquidation."""
    rows = []
    for key, (units, cost, apart) in account.holdings.items():
        symbol = symbol_of(key)
        market = exchange.world.markets[symbol]
        row = {
            "s": symbol,
            "ps": side_of_key(key),
            "pa": text(units),
            "mt": "ISOLATED" if symbol in account.isolated else "CROSSED",
            "iw": text(apart),
            "mp": text(market.mark),
            "up": text((units * market.mark - cost).quantize(Decimal("0.00000001"))),
            "mm": text(maintenance(market, units)),
        }
        rows.append(row)
    wallet = text(margin_of(exchange.world, account).wallet)
    return {"e": "MARGIN_CALL", "E": now, "cw": wallet, "p": rows}
