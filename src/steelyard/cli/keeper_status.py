"""The state of a keeper file's funds for the terminal: who runs them, and one line per fund."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

from steelyard.cli.journal_table import printable
from steelyard.cli.output import console, show
from steelyard.report.number_format import MISSING, count, counted, leverage, money, number

__all__ = ["print_status"]

WIDE = 116
AGES = ((86_400, "d"), (3_600, "h"), (60, "min"))
"""The seconds of each unit; an age of at least two units is shown in that unit."""


def print_status(found: Mapping[str, Any]) -> None:
    """Print the object of ``keeper status --json`` on standard output."""
    wide = console().width >= WIDE
    events = counted(found["journal"]["events"], "event")
    show("", f"{_kept(found['lease'])} The journal has {events}.", "")
    show(_table(found["funds"], wide=wide))
    remarks = [line for fund in found["funds"] for line in _remarks(fund)]
    show(*(["", *remarks] if remarks else []), "")


def _kept(lease: Mapping[str, str | None]) -> str:
    if lease["holder"] is None:
        return "No keeper is running."
    until = "while its process runs" if lease["until"] is None else f"until {lease['until']}"
    return f"Run by {printable(lease['holder'])} since {lease['since']}, {until}."


def _table(funds: list[Mapping[str, Any]], *, wide: bool) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("fund", overflow="fold")
    for heading in ("state", *(["since (UTC)"] if wide else [])):
        table.add_column(heading, no_wrap=True)
    figures = ("nav", "leverage", *(["price", "age"] if wide else []), "due\nbelow", "due\nabove")
    for heading in (*figures, *(["position", "reserve"] if wide else [])):
        table.add_column(heading, justify="right", no_wrap=True)
    for fund in funds:
        reserve = fund["reserve"]
        table.add_row(
            printable(fund["symbol"]),
            fund["state"],
            *([(fund["since"] or MISSING)[:16].replace("T", " ")] if wide else []),
            money(_float(fund["nav"])),
            leverage(_float(fund["leverage"])),
            *(_price(fund["price"]) if wide else ()),
            *(_due(fund["next"][side], wide=wide) for side in ("down", "up")),
            *([number(float(fund["venue"]["position"]), 3)] if wide else []),
            *([MISSING if reserve is None else number(float(reserve["units"]), 3)] if wide else []),
        )
    return table


def _float(amount: str | None) -> float | None:
    return None if amount is None else float(amount)


def _due(met: Mapping[str, str] | None, *, wide: bool) -> str:
    """The price at which a trigger is due; a wide table names the trigger too."""
    if met is None:
        return MISSING
    price = money(float(met["price"]))
    return f"{met['trigger'].replace('_', ' ')} {price}" if wide else price


def _price(price: Mapping[str, Any] | None) -> tuple[str, str]:
    """The last price and its age."""
    if price is None:
        return MISSING, MISSING
    return money(float(price["mark"])), _age(price["age_s"])


def _age(seconds: float | None) -> str:
    if seconds is None:
        return MISSING
    for length, unit in AGES:
        if seconds >= 2 * length:
            return f"{count(int(seconds // length))} {unit}"
    return f"{number(seconds, 1)} s"


def _remarks(fund: Mapping[str, Any]) -> Iterator[str]:
    """Open orders, differences from the venue, and alarms."""
    name, order = printable(fund["symbol"]), fund["intent"]
    if order is not None:
        units = float(order["units"])
        side = "sell" if units < 0 else "buy"
        what = f"{order['id']}, {side} {number(abs(units), 3)}"
        until = order["until"]
        yield f"{name}: {what}, has no known outcome yet; the venue can accept it until {until}"
    if fund["state"] not in ("waiting", "ended") and not fund["venue"]["agrees"]:
        yield f"{name}: the books and the venue differ"
    for alarm, why in fund["alarms"].items():
        yield f"{name}: alarm {alarm}: {printable(why)}"
