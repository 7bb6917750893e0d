"""Market data in: prices, funding, rates, injections and books, read and checked.

Importing this package imports nothing heavy: what it offers is fetched when it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steelyard.market.books import Book, read_book
    from steelyard.market.check import check_report
    from steelyard.market.events import (
        Funding,
        Injections,
        Rates,
        read_funding,
        read_injections,
        read_rates,
    )
    from steelyard.market.prices import Gap, Gaps, Prices, read_prices
    from steelyard.market.sample import SAMPLE_NAMES, sample_prices
    from steelyard.market.times import format_duration, format_time, parse_time

__all__ = [
    "SAMPLE_NAMES",
    "Book",
    "Funding",
    "Gap",
    "Gaps",
    "Injections",
    "Prices",
    "Rates",
    "check_report",
    "format_duration",
    "format_time",
    "parse_time",
    "read_book",
    "read_funding",
    "read_injections",
    "read_prices",
    "read_rates",
    "sample_prices",
]

_MODULES = {
    "SAMPLE_NAMES": "sample",
    "Book": "books",
    "Funding": "events",
    "Gap": "prices",
    "Gaps": "prices",
    "Injections": "events",
    "Prices": "prices",
    "Rates": "events",
    "check_report": "check",
    "format_duration": "times",
    "format_time": "times",
    "parse_time": "times",
    "read_book": "books",
    "read_funding": "events",
    "read_injections": "events",
    "read_prices": "prices",
    "read_rates": "events",
    "sample_prices": "sample",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
