"""Candles: those of the index by the minute, and longer ones that are made of these.

There are none from before the exchange was set up. Volumes are those of its own accounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from steelyard.rehearsal.records import MINUTE_MS, Candle, Market, Trade, World

__all__ = ["INTERVALS", "Bar", "bars", "note_price", "trades_between"]

DAY_MS = 1_440 * MINUTE_MS
INTERVALS = {
    **{f"{count}m": count * MINUTE_MS for count in (1, 3, 5, 15, 30)},
    **{f"{count}h": count * 60 * MINUTE_MS for count in (1, 2, 4, 6, 8, 12)},
    **{f"{count}d": count * DAY_MS for count in (1, 3)},
    "1w": 7 * DAY_MS,
}
WEEK = INTERVALS["1w"]
MONDAY_MS = 4 * DAY_MS
"""The first Monday, 5 January 1970; weeks begin on Mondays."""


class Bar(NamedTuple):
    """A candle of any length; prices in quote."""

    time_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


def note_price(market: Market, at_ms: int) -> Candle:
    """Add the present price to the candle of its minute, and return the candle."""
    price, latest = market.index, next(reversed(market.candles), 0)
    # if the clock was set back, the price is added to the latest candle
    time_ms = max(latest, at_ms // MINUTE_MS * MINUTE_MS)
    candle = market.candles.get(time_ms)
    if candle is None:
        candle = Candle(market.contract.symbol, time_ms, price, price, price, price)
        market.candles[time_ms] = candle
    candle.high, candle.low = max(candle.high, price), min(candle.low, price)
    candle.close = price
    return candle


def bars(market: Market, length_ms: int, now_ms: int) -> Iterator[Bar]:
    """All candles of a length up to now, oldest first; they are flat where no price moved."""
    begins = MONDAY_MS if length_ms == WEEK else 0
    last: Bar | None = None
    for candle in market.candles.values():
        time_ms = (candle.time_ms - begins) // length_ms * length_ms + begins
        if last is not None and time_ms == last.time_ms:
            high, low = max(last.high, candle.high), min(last.low, candle.low)
            last = Bar(time_ms, last.open, high, low, candle.close)
            continue
        if last is not None:
            yield last
            yield from _flat(last, length_ms, time_ms)
        last = Bar(time_ms, candle.open, candle.high, candle.low, candle.close)
    if last is not None:
        yield last
        yield from _flat(last, length_ms, now_ms + 1)


def _flat(before: Bar, length_ms: int, until_ms: int) -> Iterator[Bar]:
    """The flat candles after a bar that begin before ``until_ms``."""
    price = before.close
    for time_ms in range(before.time_ms + length_ms, until_ms, length_ms):
        yield Bar(time_ms, price, price, price, price)


def trades_between(world: World, symbol: str, since_ms: int, until_ms: int) -> list[Trade]:
    """The trades of all accounts in a symbol from an instant until before another."""
    found: Iterable[Trade] = (
        trade
        for account in world.accounts.values()
        for trade in account.trades
        if trade.symbol == symbol and since_ms <= trade.time_ms < until_ms
    )
    return sorted(found, key=lambda trade: trade.trade_id)
