"""A tear sheet as a person reads it in a terminal: its statistics, and what they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from steelyard.cli.output import show
from steelyard.cli.run_table import history_words
from steelyard.explain.tear_sheet_words import GROUPS, cells, days_words, headings
from steelyard.explain.words import headline
from steelyard.rules.describe import series_sentences

if TYPE_CHECKING:
    from steelyard.explain.tear_sheet import TearSheet

__all__ = ["print_tear_sheet"]


def print_tear_sheet(found: TearSheet) -> None:
    """Print the statistics of token, L times daily and underlying, on standard output."""
    show("", Text(series_sentences(found.run.series)))
    show(Text(history_words(found.run), style="dim"), "", Text(headline(found.explanation)), "")
    show(_statistics(found), "", Text(days_words(found), style="dim"))
    if found.forecast is not None:
        show("", Text(found.forecast.words))
    show("")


def _statistics(found: TearSheet) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    for _ in headings(found):
        table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim")
    for place, (group, statistics) in enumerate(GROUPS.items()):
        named = headings(found) if not place else ("", "", "")
        table.add_row(Text(group, style="bold"), *named, "")
        for name, statistic in statistics.items():
            row = cells(found, name, statistic)
            table.add_row(f"  {statistic.title}", *row, statistic.meaning)
        if place < len(GROUPS) - 1:
            table.add_row("")
    return table
