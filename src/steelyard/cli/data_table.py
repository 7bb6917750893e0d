"""The report on a price file, and an order book, as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from steelyard.cli.figures import count, counted, day, money, number, percent
from steelyard.cli.output import show
from steelyard.market import format_time
from steelyard.rules.describe import duration_words

if TYPE_CHECKING:
    from steelyard.market import Book

__all__ = ["print_book", "print_report"]


def print_report(report: Mapping[str, Any]) -> None:
    """Print the report of ``data check``, on standard output."""
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column()
    table.add_row("layout", report["layout"])
    table.add_row("rows", _rows(report))
    table.add_row("time", f"{day(report['start'])} to {day(report['end'])} UTC")
    price = report["price"]
    table.add_row("price", f"{money(price['first'])} to {money(price['last'])}")
    table.add_row("", f"lowest {money(price['min'])}, highest {money(price['max'])}")
    for word, label in (("largest_fall", "deepest fall"), ("largest_rise", "highest rise")):
        if report["moves"] is not None:
            table.add_row(label, _move(report["moves"][word]))
    table.add_row("gaps", _gaps(report["gaps"]))
    if report["short_spacings"]:
        table.add_row("", f"{count(report['short_spacings'])} spacings shorter than a bar")
    inside = "open, high and low are there" if report["path"] else "no: closes only"
    table.add_row("inside bars", inside)
    table.add_row("volume", "yes" if report["volume"] else "no")
    show("", Text(f"{report['source']}: fit to simulate on", style="bold"), "", table, "")


def print_book(found: Book, orders: Sequence[int]) -> None:
    """Print the levels of a book and what market orders cost in it, on standard output."""
    levels = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("bps from mid", "bids", "asks"):
        levels.add_column(heading, justify="right")
    for bps, bid, ask in zip(*found.columns, strict=True):
        levels.add_row(number(bps, 3), money(bid), money(ask))
    costs = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("market order", "buying costs, bps", "selling costs, bps"):
        costs.add_column(heading, justify="right")
    for size in orders:
        paid = (found.cost(size), found.cost(-size))
        words = ("too large" if cost is None else number(cost / size * 10_000, 3) for cost in paid)
        costs.add_row(money(size), *words)
    show("", Text(_book_words(found), style="bold"), "", levels, "", costs, "")


def _book_words(found: Book) -> str:
    words = " ".join(word for word in (found.venue, found.symbol) if word)
    if found.time is not None:
        words += f" at {day(format_time(found.time))} UTC"
    elif found.snapshots:
        words += f", median of {counted(found.snapshots, 'snapshot')}"
    return f"{found.source}: {words.removeprefix(', ') or counted(len(found), 'level')}"


def _rows(report: Mapping[str, Any]) -> str:
    if not report["step_s"]:
        return f"{counted(report['rows'], 'price')}, each at its own time"
    return f"{count(report['rows'])} bars of {duration_words(report['step_s'])}"


def _move(move: Mapping[str, Any]) -> str:
    change = percent(move["move"], signed=True)
    return f"{change} from close to close, {day(move['time'])} UTC (row {count(move['row'])})"


def _gaps(gaps: Mapping[str, Any]) -> str:
    if not gaps["count"]:
        return "none"
    longest = gaps["longest"]
    return (
        f"{count(gaps['count'])}, {duration_words(gaps['missing_s'])} in all; the longest "
        f"{duration_words(longest['missing_s'])} from {day(longest['start'])} UTC "
        f"(before row {count(longest['row'])})"
    )
