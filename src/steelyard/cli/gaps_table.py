"""The worst moves of a history as a person reads them, held against a series."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from steelyard.cli.figures import MISSING, day, money, number, percent
from steelyard.cli.output import show
from steelyard.market import format_time
from steelyard.rules.series import Series

if TYPE_CHECKING:
    from steelyard.explain.gaps import GapTable, WorstMove

__all__ = ["print_gaps"]

WORDS = {
    "5m": "5 minutes",
    "1h": "1 hour",
    "1d": "1 day",
    "close_to_open": "close to open",
}


def print_gaps(found: GapTable, series: Series) -> None:
    """Print the worst moves, and what each would have wiped out."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("worst in", no_wrap=True)
    for heading in ("move", "from", "price", "to", "wipes out", "series"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in found.rows:
        table.add_row(*_cells(row))
    about = (
        f"The worst moves of {found.prices.source}, and the leverage that each would wipe out on "
        f"this venue ({series.venue.kind}) if nothing could be traded in it:"
    )
    show(Text(about, style="dim"), table, "")


def _cells(row: WorstMove) -> list[str]:
    if row.move is None or row.start is None:
        return [f"{WORDS[row.span]}, {row.side}", *[MISSING] * 6]
    return [
        f"{WORDS[row.span]}, {row.side}",
        percent(row.move, signed=True),
        day(format_time(row.start)),
        money(row.price_before),
        money(row.price_after),
        MISSING if row.wiped_out_from is None else f"{number(row.wiped_out_from, 2)}x",
        _fate(row),
    ]


def _fate(row: WorstMove) -> str:
    if row.target_survives is None:
        return MISSING
    if not row.target_survives:
        return "dies at target"
    return "lives" if row.highest_survives else "dies at its highest"
