"""Documents of a price file's report and of an order book."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from steelyard.market import format_time
from steelyard.report.document import Column, Document, Fact, KeyFigures, Table, TableRow
from steelyard.report.number_format import count, counted, day, money, number, percent
from steelyard.rules.describe import duration_words

if TYPE_CHECKING:
    from steelyard.market import OrderBook

__all__ = ["book_document", "check_document"]


def check_document(report: Mapping[str, Any]) -> Document:
    """The report of ``data check``."""
    price, told = report["price"], [("layout", report["layout"]), ("rows", _rows(report))]
    told.append(("time", f"{day(report['start'])} to {day(report['end'])} UTC"))
    told.append(("price", f"{money(price['first'])} to {money(price['last'])}"))
    told.append(("", f"lowest {money(price['min'])}, highest {money(price['max'])}"))
    for word, label in (("largest_fall", "deepest fall"), ("largest_rise", "highest rise")):
        if report["moves"] is not None:
            told.append((label, _move(report["moves"][word])))
    told.append(("gaps", _gaps(report["gaps"])))
    if report["short_spacings"]:
        told.append(("", f"{count(report['short_spacings'])} spacings shorter than a bar"))
    inside = "open, high and low are there" if report["path"] else "no: closes only"
    told += [("inside bars", inside), ("volume", "yes" if report["volume"] else "no")]
    facts = [Fact(name, words) for name, words in told]
    return Document(f"{report['source']}: fit to simulate on", [KeyFigures("", facts, "terms")])


def book_document(found: OrderBook, orders: Sequence[int]) -> Document:
    """The levels of a book, and what market orders cost in it."""
    levels = [
        TableRow([number(bps, 3), money(bid), money(ask)])
        for bps, bid, ask in zip(*found.columns, strict=True)
    ]
    costs = []
    for size in orders:
        paid = (found.cost(size), found.cost(-size))
        words = ("too large" if cost is None else number(cost / size * 10_000, 3) for cost in paid)
        costs.append(TableRow([money(size), *words]))
    of_orders = ("market order", "buying costs, bps", "selling costs, bps")
    return Document(
        _book_words(found),
        [
            Table("", [*map(Column, ("bps from mid", "bids", "asks"))], levels),
            Table("", [*map(Column, of_orders)], costs),
        ],
    )


def _book_words(found: OrderBook) -> str:
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
