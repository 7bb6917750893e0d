"""The public calls: contracts, the clock, prices, books, and funding that was paid."""

from __future__ import annotations

from typing import Any

from steelyard.rehearsal.calls import Call
from steelyard.rehearsal.candles import INTERVALS, bars
from steelyard.rehearsal.contracts import exchange_info
from steelyard.rehearsal.exchange import QUOTE
from steelyard.rehearsal.records import MINUTE_MS, Market
from steelyard.rehearsal.refusals import Refused
from steelyard.rehearsal.views import (
    book_ticker_view,
    candle_view,
    day_view,
    depth_view,
    premium_index_view,
    text,
)

__all__ = [
    "book_ticker",
    "candles",
    "contracts",
    "day_tickers",
    "depth",
    "funding_rates",
    "ping",
    "premium_index",
    "server_time",
]

LEAST_LEVELS = 5
DAY_MS = 86_400_000


def ping(_: Call) -> Any:  # noqa: ANN401 (JSON)
    """An empty answer, which shows that the exchange is running."""
    return {}


def server_time(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The exchange's clock."""
    return {"serverTime": call.now_ms}


def contracts(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The listed contracts, with filters and limits."""
    markets = call.exchange.world.markets.values()
    return {
        "timezone": "UTC",
        "serverTime": call.now_ms,
        "futuresType": "U_MARGINED",
        "rateLimits": call.exchange.throttle.rate_limits(),
        "exchangeFilters": [],
        "assets": [{"asset": QUOTE, "marginAvailable": True, "autoAssetExchange": "-10000"}],
        "symbols": [exchange_info(market.contract) for market in markets],
    }


def depth(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The order book."""
    limit = max(LEAST_LEVELS, call.limit(500, 1_000))
    return depth_view(call.exchange.world, call.market(), limit, call.now_ms)


def premium_index(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The mark, index and funding of one market or of all."""

    def tell(market: Market) -> dict[str, Any]:
        due = call.exchange.next_funding_ms(market, call.now_ms)
        return premium_index_view(market, due, call.now_ms)

    if call.maybe("symbol"):
        return tell(call.market())
    return [tell(market) for market in call.exchange.world.markets.values()]


def book_ticker(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The best bid and ask of one market or of all."""
    world = call.exchange.world
    if call.maybe("symbol"):
        return book_ticker_view(world, call.market(), call.now_ms)
    return [book_ticker_view(world, market, call.now_ms) for market in world.markets.values()]


def funding_rates(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The funding that was paid, oldest first."""
    chosen = call.maybe_symbol()
    since, until = call.whole("startTime") or 0, call.whole("endTime") or call.now_ms
    rows = [
        {
            "symbol": symbol,
            "fundingTime": time,
            "fundingRate": text(rate),
            "markPrice": text(mark),
        }
        for symbol, market in call.exchange.world.markets.items()
        if chosen in {None, symbol}
        for time, rate, mark in market.rates
        if since <= time <= until
    ]
    limit = call.limit(100, 1_000)
    return rows[:limit] if call.whole("startTime") else rows[-limit:]


def candles(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """Candles of the index since the exchange was set up, from a minute to a week."""
    market, world = call.market(), call.exchange.world
    length_ms = INTERVALS.get(call.text("interval"))
    if length_ms is None:
        raise Refused("bad_interval")
    since, until = call.whole("startTime"), call.whole("endTime")
    limit = call.limit(500, 1_500)
    found = [
        bar
        for bar in bars(market, length_ms, call.now_ms)
        if (since is None or bar.time_ms >= since) and (until is None or bar.time_ms <= until)
    ]
    chosen = found[-limit:] if since is None else found[:limit]
    symbol = market.contract.symbol
    return [candle_view(world, symbol, bar, bar.time_ms + length_ms) for bar in chosen]


def day_tickers(call: Call) -> Any:  # noqa: ANN401 (JSON)
    """The last 24 hours of one market or of all."""

    def tell(market: Market) -> dict[str, Any]:
        found = list(bars(market, MINUTE_MS, call.now_ms))
        day = [bar for bar in found if bar.time_ms > call.now_ms - DAY_MS]
        return day_view(call.exchange.world, market, day, call.now_ms)

    if call.maybe("symbol"):
        return tell(call.market())
    return [tell(market) for market in call.exchange.world.markets.values()]
