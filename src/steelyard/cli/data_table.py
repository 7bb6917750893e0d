"""The report on a price file as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from steelyard.cli.figures import count, counted, day, money, percent
from steelyard.cli.output import show
from steelyard.rules.describe import duration_words

__all__ = ["print_report"]


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
