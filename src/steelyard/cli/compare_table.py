"""A comparison as a person reads it: a row a series, and what the columns mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from steelyard.cli.figures import MISSING, count, money, number, percent
from steelyard.cli.output import console, show
from steelyard.cli.run_table import history_words
from steelyard.cli.shelf_table import return_cell
from steelyard.rules.describe import rule_words

if TYPE_CHECKING:
    from steelyard.simulate.compared import Compared
    from steelyard.simulate.comparison import Comparison

__all__ = ["print_comparison"]

LEGEND = {
    "": "*: efficient, no other of its target has both less error and less cost.",
    "difference": "Difference: to a daily reset without costs.",
    "error": "Error: how far the exposure was off, a year.",
    "cost": "Cost: of rebalances, share of nav a year.",
    "carry": "Carry: funding, interest and management, likewise.",
    "kappa": "Kappa: error times cost, rid of volatility, leverage and fees; where the price moves "
    "continuously to the edge of a band 0.289, reset at a band 0.408, reset by the clock 0.564.",
    "turnover": "Turnover: in multiples of nav, a year.",
}
LEAST_FIRST = ("trades when", "carry", "nav", "difference", "worst day", "turnover")
"""What is left out, one after the other, until a row fits the terminal."""
RULE_WIDTH = 30


def print_comparison(found: Comparison) -> None:
    """Print what ``compare`` found, on standard output."""
    first = found.entries[0].run
    words = f"{history_words(first)}, volatility {percent(found.volatility)} a year"
    rows = [_cells(entry) for entry in found.entries]
    shown = _shown(rows)
    legend = " ".join(sentence for heading, sentence in LEGEND.items() if heading in shown)
    show("", Text(words, style="dim"), "", _table(rows, shown), "")
    show(Text(legend, style="dim"), "")


def _shown(rows: Sequence[Mapping[str, str | Text]]) -> list[str]:
    """The headings for which there is room."""
    out = console()
    endless = out.options.update(max_width=1_000)  # otherwise all measures end at the terminal's
    carried = any(row["carry"] not in ("0.00 %", MISSING) for row in rows)
    headings = [heading for heading in rows[0] if carried or heading != "carry"]
    for least in LEAST_FIRST:
        if out.measure(_table(rows, headings), options=endless).maximum <= out.width:
            break
        headings = [heading for heading in headings if heading != least]
    return headings


def _table(rows: Sequence[Mapping[str, str | Text]], headings: Sequence[str]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in headings:
        if heading in ("token", "trades when"):
            table.add_column(heading, overflow="fold", max_width=RULE_WIDTH)
        else:
            table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(row[heading] for heading in headings))
    return table


def _cells(entry: Compared) -> dict[str, str | Text]:
    """A series' row by heading."""
    run, row = entry.run, entry.row
    return {
        "token": entry.name,
        "": "*" if entry.efficient else "",
        "trades when": rule_words(run.series),
        "target": f"{run.series.target_leverage:+g}x",
        "nav": money(row["nav"]),
        "return": return_cell(run.summary),
        "difference": percent(row["difference"], signed=True),
        "error": number(row["error"], 3),
        "cost": percent(row["cost_per_year"]),
        "carry": percent(row["carry_per_year"]),
        "kappa": Text(number(row["kappa"], 3), style="bold"),
        "turnover": number(row["turnover_per_year"], 1),
        "rebal.": count(row["rebalances"]),
        "worst day": percent(row["worst_day"], signed=True),
        "drawdown": percent(row["max_drawdown"]),
    }
