"""Market data: readers and checks for prices, funding, rates, injections and order books.

Importing this package loads nothing heavy: each name is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steelyard.market.check import check_report
    from steelyard.market.event_readers import (
        Flows,
        Funding,
        Injections,
        Outages,
        Rates,
        Splits,
        read_flows,
        read_funding,
        read_injections,
        read_outages,
        read_rates,
        read_splits,
    )
    from steelyard.market.order_books import OrderBook, read_book
    from steelyard.market.price_feed import Feed, feed_of, prices_of
    from steelyard.market.prices import Gap, Gaps, Prices, read_prices
    from steelyard.market.sample import SAMPLE_NAMES, sample_prices
    from steelyard.market.times import format_duration, format_time, parse_time

__all__ = [
    "SAMPLE_NAMES",
    "Feed",
    "Flows",
    "Funding",
    "Gap",
    "Gaps",
    "Injections",
    "OrderBook",
    "Outages",
    "Prices",
    "Rates",
    "Splits",
    "check_report",
    "feed_of",
    "format_duration",
    "format_time",
    "parse_time",
    "prices_of",
    "read_book",
    "read_flows",
    "read_funding",
    "read_injections",
    "read_outages",
    "read_prices",
    "read_rates",
    "read_splits",
    "sample_prices",
]

_MODULES = {
    "SAMPLE_NAMES": "sample",
    "OrderBook": "order_books",
    "Feed": "price_feed",
    "Flows": "event_readers",
    "Funding": "event_readers",
    "Gap": "prices",
    "Gaps": "prices",
    "Injections": "event_readers",
    "Outages": "event_readers",
    "Prices": "prices",
    "Rates": "event_readers",
    "Splits": "event_readers",
    "check_report": "check",
    "feed_of": "price_feed",
    "format_duration": "times",
    "format_time": "times",
    "parse_time": "times",
    "prices_of": "price_feed",
    "read_book": "order_books",
    "read_flows": "event_readers",
    "read_funding": "event_readers",
    "read_injections": "event_readers",
    "read_outages": "event_readers",
    "read_prices": "prices",
    "read_rates": "event_readers",
    "read_splits": "event_readers",
    "sample_prices": "sample",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
