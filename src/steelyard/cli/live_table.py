"""The findings of ``keeper demo`` for the terminal: a table per fund, the kills, the checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from steelyard.cli.journal_table import said
from steelyard.cli.output import console, show
from steelyard.report.number_format import count, counted, day, money, number
from steelyard.rules.describe import target_words

if TYPE_CHECKING:
    from steelyard.cli.live_compare import LiveComparison
    from steelyard.cli.live_findings import LiveFindings
    from steelyard.keeper.settings import Settings
    from steelyard.rules.series import Series

__all__ = ["print_found"]

WIDE = 116
LEGEND = (
    "Nav is per token; payments are for the whole fund. All trades of a day have the time of its "
    "open, because daily bars give no other time."
)
AT_VENUE = {
    None: "was in the journal but not yet at the venue",
    "filled": "was in the journal, and the venue had filled it",
}
ALIKE = {
    "reference": "yes: {trades} and {hours} of health, {fields} figures are those of the "
    "reference loop on Decimal, to the last digit",
    "fast": "yes: {trades}, {fields} figures are those of simulate on floats, to a part in 10^9",
}


def print_found(found: LiveFindings, settings: Settings) -> None:
    """Print the findings on standard output."""
    wide = console().width >= WIDE
    for fund in settings.funds:
        rows = [each for each in found.rebalances if each["symbol"] == fund.series.symbol]
        heading = Text(_heading(fund.series, rows), style="bold")
        show("", heading, _table(rows, wide=wide))
    show("", Text(LEGEND, style="dim"), "", Text("Killed twice", style="bold"))
    show(_kills(found.kills), "", Text("Checked", style="bold"), _checks(found), "")


def _heading(series: Series, rows: Sequence[Mapping[str, Any]]) -> str:
    last = f" to {money(float(rows[-1]['nav_after']))}" if rows else ""
    return (
        f"{series.symbol}, {target_words(series)}: {counted(len(rows), 'trade')}, nav "
        f"{money(series.initial_nav)}{last} {series.quote}"
    )


def _table(rows: Sequence[Mapping[str, Any]], *, wide: bool) -> Table:
    table = Table(box=None, padding=(0, 2 if wide else 1, 0, 0), pad_edge=False, header_style="dim")
    for heading in ("day", "trigger"):
        table.add_column(heading, no_wrap=True)
    figures = ("trade", "price", *(["leverage"] if wide else []), "nav before", "nav after")
    for heading in (*figures, "holders paid", "reserve paid"):
        shown = heading if wide else heading.replace(" ", "\n")
        table.add_column(shown, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in rows:
        before, after = (number(float(row[f"leverage_{when}"]), 2) for when in ("before", "after"))
        table.add_row(
            day(row["time"]),
            row["trigger"],
            f"{row['side']} {number(float(row['units']), 3)}",
            money(float(row["price"])),
            *([f"{before} to {after}"] if wide else []),
            number(float(row["nav_before"]), 2),
            number(float(row["nav_after"]), 2),
            number(float(row["paid_by_holders"]), 2),
            number(float(row["paid_by_reserve"]), 2),
            "" if row["killed"] is None else f"kill {row['killed']}",
        )
    return table


def _kills(kills: Sequence[Mapping[str, Any]]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right")
    for number_, kill in enumerate(kills, 1):
        head = f"{day(kill['time'])}, after event {count(kill['after_event'])}, with SIGKILL"
        table.add_row(f"  {number_}", head)
        for order in kill["orders"]:
            for words in _order_sentences(order):
                table.add_row("", words)
        if not kill["orders"]:
            table.add_row("", "No order was open; the next process continued from there.")
    return table


def _order_sentences(order: Mapping[str, Any]) -> tuple[str, str]:
    """What became of an order: before the kill, and by the next process."""
    units = float(order["units"])
    what = f"{'sell' if units < 0 else 'buy'} {number(abs(units), 3)}"
    other = f"was in the journal, and its state at the venue was {order['at_venue']}"
    state = AT_VENUE.get(order["at_venue"], other)
    if order["at_venue"] is not None:
        did = "looked it up by its id and booked the trade"
    elif order["times_booked"]:
        did = "confirmed that, sent it under the same id and booked the trade"
    else:
        did = f"confirmed that; the order ended: {order['outcome']}"
    booked = order["times_booked"]
    times = f" {'once' if booked == 1 else counted(booked, 'time')}" if booked else ""
    return f"Order {order['id']} ({what}) {state}.", f"The next process {did}{times}."


def _checks(found: LiveFindings) -> Table:
    table = Table.grid(padding=(0, 2))
    for each in found.health:
        files = f"{counted(each['published'], 'file')} in health/"
        hours = f"{counted(each['hours'], 'full hour')} of the reserve of {each['symbol']}"
        table.add_row("  health", f"{hours}, {files}")
    for name, proof in found.verdict.proofs.items():
        table.add_row(f"  {name}", said(name, proof))
    for one in found.comparisons:
        table.add_row(f"  {one.engine}", _compared(one))
    return table


def _compared(found: LiveComparison) -> str:
    if not found.differences:
        trades = counted(found.rebalances, "trade")
        hours = counted(found.hours, "hour")
        return ALIKE[found.engine].format(trades=trades, hours=hours, fields=count(found.fields))
    first = found.differences[0]
    return (
        f"NO: {counted(len(found.differences), 'figure')} of {count(found.fields)} differ, first "
        f"{first.fund} {first.field}: {first.found}, expected {first.expected}"
    )
