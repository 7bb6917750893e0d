"""The exchange's answers about orders, trades and markets, with the same fields as Binance USD-M's.

Amounts are decimal strings. Units are signed inside, and shown as a side and a size.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from steelyard.rehearsal.book import levels
from steelyard.rehearsal.candles import Bar, trades_between
from steelyard.rehearsal.contracts import Contract
from steelyard.rehearsal.records import Income, Market, Order, Trade, World
from steelyard.rehearsal.upkeep import funding_rate

__all__ = [
    "answer_view",
    "average",
    "book_ticker_view",
    "brackets_view",
    "candle_view",
    "day_view",
    "depth_view",
    "forced_view",
    "income_view",
    "order_view",
    "premium_index_view",
    "side_of",
    "text",
    "trade_view",
]

NOTHING = Decimal(0)
DAY_MS = 86_400_000


def text(amount: Decimal) -> str:
    """A decimal number as text, without an exponent."""
    return f"{amount:zf}"


def side_of(units: Decimal) -> str:
    """The side of an order for signed units."""
    return "BUY" if units > 0 else "SELL"


def average(order: Order) -> Decimal:
    """The average price of the filled part; 0 if nothing was filled."""
    return (order.quote / order.filled).quantize(Decimal("0.00000001")) if order.filled else NOTHING


def order_view(order: Order) -> dict[str, Any]:
    """An order as a look-up shows it."""
    return {
        "orderId": order.order_id,
        "symbol": order.symbol,
        "status": order.status,
        "clientOrderId": order.client_id,
        "price": text(order.price),
        "avgPrice": text(average(order)),
        "origQty": text(abs(order.units)),
        "executedQty": text(abs(order.filled)),
        "cumQuote": text(abs(order.quote)),
        "timeInForce": order.tif,
        "type": order.kind,
        "reduceOnly": order.reduce_only,
        "closePosition": order.close_position,
        "side": side_of(order.units),
        "positionSide": order.position_side,
        "stopPrice": "0",
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": order.kind,
        "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "goodTillDate": 0,
        "time": order.time_ms,
        "updateTime": order.update_ms,
    }


def answer_view(order: Order) -> dict[str, Any]:
    """An order as the answer to its placing or cancellation, which leaves out its time."""
    told = {**order_view(order), "cumQty": text(abs(order.filled))}
    del told["time"]
    return told


def forced_view(order: Order) -> dict[str, Any]:
    """A forced order, as ``forceOrders`` lists it."""
    told = order_view(order)
    for name in ("priceMatch", "selfTradePreventionMode", "goodTillDate"):
        del told[name]
    return told


def trade_view(trade: Trade, quote: str) -> dict[str, Any]:
    """A fill, as ``userTrades`` lists it."""
    return {
        "symbol": trade.symbol,
        "id": trade.trade_id,
        "orderId": trade.order_id,
        "side": side_of(trade.units),
        "price": text(trade.price),
        "qty": text(abs(trade.units)),
        "realizedPnl": text(trade.realised),
        "quoteQty": text(abs(trade.quote)),
        "commission": text(trade.commission),
        "commissionAsset": quote,
        "time": trade.time_ms,
        "positionSide": trade.position_side,
        "maker": trade.is_maker,
        "buyer": trade.units > 0,
    }


def income_view(income: Income, quote: str) -> dict[str, Any]:
    """A movement of money, as ``income`` lists it."""
    return {
        "symbol": income.symbol,
        "incomeType": income.kind,
        "income": text(income.amount),
        "asset": income.asset or quote,
        "info": income.info,
        "time": income.time_ms,
        "tranId": income.tran_id,
        "tradeId": income.trade_id,
    }


# -- markets ---------------------------------------------------------------------------------------


def premium_index_view(market: Market, next_funding_ms: int, now_ms: int) -> dict[str, Any]:
    """The mark, the index and the next funding."""
    return {
        "symbol": market.contract.symbol,
        "markPrice": text(market.mark),
        "indexPrice": text(market.index),
        "estimatedSettlePrice": text(market.index),
        "lastFundingRate": text(funding_rate(market)),
        "interestRate": text(market.contract.interest),
        "nextFundingTime": next_funding_ms,
        "time": now_ms,
    }


def depth_view(world: World, market: Market, limit: int, now_ms: int) -> dict[str, Any]:
    """The best levels of both sides."""
    sides = {
        name: [[text(price), text(units)] for price, units in levels(market, world.depth, side)]
        for name, side in (("bids", -1), ("asks", 1))
    }
    cut = {name: rows[:limit] for name, rows in sides.items()}
    return {"lastUpdateId": now_ms, "E": now_ms, "T": now_ms, **cut}


def book_ticker_view(world: World, market: Market, now_ms: int) -> dict[str, Any]:
    """The best bid and ask."""
    found = {}
    for name, side in (("bid", -1), ("ask", 1)):
        rows = levels(market, world.depth, side)
        price, units = rows[0] if rows else (NOTHING, NOTHING)
        found[f"{name}Price"], found[f"{name}Qty"] = text(price), text(units)
    return {"symbol": market.contract.symbol, **found, "lastUpdateId": now_ms, "time": now_ms}


def candle_view(world: World, symbol: str, bar: Bar, end_ms: int) -> list[Any]:
    """A candle, as ``klines`` lists it; its volume is that of the accounts here."""
    done = trades_between(world, symbol, bar.time_ms, end_ms)
    volume, quote = _volumes(done)
    # the taker is the buyer, unless the buyer's order was resting
    bought, paid = _volumes([one for one in done if (one.units > 0) != one.is_maker])
    prices = [text(bar.open), text(bar.high), text(bar.low), text(bar.close)]
    row = [bar.time_ms, *prices, text(volume), end_ms - 1, text(quote), len(done)]
    return [*row, text(bought), text(paid), "0"]


def _volumes(trades: list[Trade]) -> tuple[Decimal, Decimal]:
    """The traded volume, in base and in quote."""
    base = sum((abs(one.units) for one in trades), NOTHING)
    return base, sum((abs(one.quote) for one in trades), NOTHING)


def day_view(world: World, market: Market, bars: list[Bar], now_ms: int) -> dict[str, Any]:
    """The last 24 hours, as ``ticker/24hr`` lists them, from the candles that begin in them."""
    symbol, first, last = market.contract.symbol, bars[0], bars[-1]
    done = trades_between(world, symbol, now_ms - DAY_MS, now_ms + 1)
    volume, quote = _volumes(done)
    change = last.close - first.open
    mean = quote / volume if volume else last.close
    return {
        "symbol": symbol,
        "priceChange": text(change),
        "priceChangePercent": text((change / first.open * 100).quantize(Decimal("0.001"))),
        "weightedAvgPrice": text(mean.quantize(market.contract.tick)),
        "lastPrice": text(last.close),
        "lastQty": text(abs(done[-1].units) if done else NOTHING),
        "openPrice": text(first.open),
        "highPrice": text(max(bar.high for bar in bars)),
        "lowPrice": text(min(bar.low for bar in bars)),
        "volume": text(volume),
        "quoteVolume": text(quote),
        "openTime": now_ms - DAY_MS,
        "closeTime": now_ms,
        "firstId": done[0].trade_id if done else -1,
        "lastId": done[-1].trade_id if done else -1,
        "count": len(done),
    }


def brackets_view(contract: Contract) -> dict[str, Any]:
    """The margin tiers, as ``leverageBracket`` lists them."""
    rows = []
    for place, tier in enumerate(contract.tiers, 1):
        row = {
            "bracket": place,
            "initialLeverage": tier.leverage,
            "notionalCap": int(tier.cap),
            "notionalFloor": int(tier.floor),
            "maintMarginRatio": float(tier.rate),
            "cum": float(tier.cum),
        }
        rows.append(row)
    return {"symbol": contract.symbol, "notionalCoef": 1.0, "brackets": rows}
