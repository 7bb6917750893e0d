"""Several series on one reserve as a person reads them: a row a token, and the reserve."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from steelyard.cli.figures import count, number, percent
from steelyard.cli.output import show
from steelyard.cli.run_table import add_reserve, history_words
from steelyard.cli.shelf_table import return_cell
from steelyard.rules.costs import COST_KINDS
from steelyard.rules.describe import rule_words

if TYPE_CHECKING:
    from steelyard.simulate.run import Run
    from steelyard.simulate.shelf import ShelfRun

__all__ = ["print_shared"]


def print_shared(shelf: ShelfRun) -> None:
    """Print what ``simulate`` found of several series, on standard output."""
    first = shelf.runs[0]
    tokens = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for heading in ("token", "trades when", "target"):
        tokens.add_column(heading, no_wrap=heading != "trades when")
    for heading in ("return", "rebal.", "blocked", "cost", "by reserve", "error", "drawdown"):
        tokens.add_column(heading, justify="right", no_wrap=True)
    for run in shelf.runs:
        tokens.add_row(*_cells(run))
    reserve = Table.grid(padding=(0, 2))
    reserve.add_column()
    reserve.add_column(justify="right")
    reserve.add_column(style="dim")
    base, quote = first.series.underlying.partition("/")[0], first.series.quote
    add_reserve(reserve, shelf.summary["reserve"], base, quote)
    legend = (
        "Cost and what the reserve paid of it: of initial assets. Error: of the exposure, a year."
    )
    show("", Text(history_words(first), style="dim"), "", tokens, "", reserve, "")
    show(Text(legend, style="dim"), "")


def _cells(run: Run) -> list[str | Text]:
    summary, series = run.summary, run.series
    assets = series.initial_nav * series.initial_tokens
    rebalances, costs = summary["rebalances"], summary["costs"]
    return [
        series.symbol,
        rule_words(series),
        f"{series.target_leverage:+g}x",
        return_cell(summary),
        count(rebalances["count"]),
        count(rebalances["blocked"]),
        percent(sum(costs[kind] for kind in COST_KINDS) / assets),
        percent(costs["paid_by_reserve"] / assets),
        number(summary["tracking"]["error"], 3),
        percent(summary["max_drawdown"]),
    ]
