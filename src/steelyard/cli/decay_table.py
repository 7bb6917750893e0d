"""Decay across assets as a person reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from steelyard.cli.output import show
from steelyard.explain.decay_words import ASSETS, LEGEND, PAIRS, asset_cells, pair_rows, title

if TYPE_CHECKING:
    from rich.console import RenderableType

    from steelyard.explain.decay_found import DecayAcross

__all__ = ["print_decay"]


def print_decay(found: DecayAcross) -> None:
    """Print the assets, the pairs a way to match, and what the intervals say."""
    parts: list[RenderableType] = [
        Text(title(found), style="bold"),
        "",
        _table(ASSETS, asset_cells(found), words=1),
    ]
    for way, rows in pair_rows(found).items():
        parts += ["", Text(way, style="bold"), _table(PAIRS, rows, words=2)]
    show(*parts, "", Text(found.words), "", Text(LEGEND, style="dim"))


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]], *, words: int) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    for place, name in enumerate(heading):
        is_word = place < words
        table.add_column(name, justify="left" if is_word else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table
