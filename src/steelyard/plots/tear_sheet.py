"""A tear sheet's page: chapters of charts and tables in one HTML file that needs nothing else.

It is a report page with other chapters: the same header, style and script, the same promises (no
address is asked, text is escaped by jinja2, data stands in one JSON island).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from steelyard.plots import formats
from steelyard.plots.columns import Packer
from steelyard.plots.digest import Tile
from steelyard.plots.figure_page import Table
from steelyard.plots.page import order_notes, packed_run, rendered, section_of
from steelyard.plots.panels import Panel
from steelyard.plots.view import View

__all__ = ["Blocks", "Chapter", "Heat", "HeatCell", "HeatRow", "heat_cell", "tear_sheet_page"]

_HOTTEST = 50
"""Percent of a colour in the strongest cell: figures stay readable on it."""


@dataclass(frozen=True)
class HeatCell:
    """A cell: its text, ``good`` or ``bad`` or nothing, how strongly (percent), and a hint."""

    text: str
    tone: str = ""
    heat: int = 0
    hint: str = ""


@dataclass(frozen=True)
class HeatRow:
    """A row: its name, and a cell a column."""

    name: str
    cells: Sequence[HeatCell]


@dataclass(frozen=True)
class Heat:
    """A table whose cells are coloured; its last column stands apart, it sums the row up."""

    title: str
    heading: Sequence[str]
    rows: Sequence[HeatRow]
    note: str = ""


Block: TypeAlias = Panel | Table | Heat
Blocks: TypeAlias = Sequence[Block | Sequence[Block | None] | None]
"""In order; those of an inner sequence stand side by side where there is room, None is left out."""


@dataclass(frozen=True)
class Chapter:
    """What stands under one heading.

    Args:
        key: its name in the page, where a link leads.
        title: its heading.
        words: sentences.
        blocks: charts and tables.
    """

    key: str
    title: str
    words: Sequence[str] = ()
    blocks: Blocks = ()

    @property
    def rows(self) -> list[list[tuple[str, Block]]]:
        """The blocks as the template shows them: rows of (kind, block), none of them empty."""
        found = [
            block if isinstance(block, Sequence) else [block]
            for block in self.blocks
            if block is not None
        ]
        rows = [[(_kind(each), each) for each in row if each is not None] for row in found]
        return [row for row in rows if row]


def heat_cell(share: float | None, most: float, hint: str = "") -> HeatCell:
    """A return as a cell; ``most`` is the size from which on it is as strong as can be."""
    if share is None:
        return HeatCell("")
    text = formats.number(share * 100, 1, signed=True)
    if not share or not most:
        return HeatCell(text, hint=hint)
    strength = min(abs(share) / most, 1.0)
    return HeatCell(
        text, "good" if share > 0 else "bad", round(4 + (_HOTTEST - 4) * strength), hint
    )


def tear_sheet_page(
    view: View,
    chapters: Sequence[Chapter],
    *,
    title: str,
    tiles: Sequence[Tile],
    notes: Sequence[str],
    source: str,
) -> str:
    """One self-contained HTML document, ready to be written as UTF-8.

    Args:
        view: the run; its facts, key figures and groups open the page.
        chapters: in their order, no chart's key twice.
        title: of the page.
        tiles: large figures, after those of the run.
        notes: sentences to stand above everything.
        source: where the prices came from, for the footer.
    """
    packer = Packer()
    blocks = [block for chapter in chapters for row in chapter.rows for _, block in row]
    panels = [block for block in blocks if isinstance(block, Panel)]
    section: dict[str, Any] = section_of(view, panels)
    section["tiles"] = [*section["tiles"], *tiles]
    packed = packed_run(view, panels, packer)
    return rendered(
        "tear_sheet.html.j2",
        {"blobs": packer.blobs, "runs": [packed], "overview": []},
        title=title,
        notes=[*order_notes([view]), *notes],
        source=source,
        overview=None,
        section=section,
        chapters=chapters,
    )


def _kind(block: Block) -> str:
    return "panel" if isinstance(block, Panel) else "heat" if isinstance(block, Heat) else "table"
