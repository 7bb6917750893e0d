"""A document as lines of text, for a terminal and for plain text: the same words, without colours.

No text is cut and no word is broken. A table that is too wide first wraps its columns of words,
then drops the columns that are marked as dispensable, then reduces the gap between columns. If that
is not enough, each row becomes a paragraph of names and figures.
"""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from steelyard.report.document import (
    Block,
    Cell,
    Column,
    Document,
    KeyFigures,
    Paragraph,
    Section,
    SideBySide,
    Table,
    legend,
)

__all__ = ["Piece", "as_text", "lines_of"]

TEXT_WIDTH = 100
GAP = 2
LEAST_WORDS = 14
"""Least width to which a column of words may be wrapped, in characters."""
LEAST_HINT = 16
OTHERS = Column("others", "the sum of the columns for which there is no room")


class Piece(NamedTuple):
    """A part of a line in one style: ``strong``, ``quiet``, ``good``, ``bad`` or empty."""

    text: str
    style: str = ""


Line = Sequence[Piece]


def as_text(document: Document, width: int = TEXT_WIDTH) -> str:
    """The document as plain text of ``width`` characters, with its notes below it."""
    lines = ["".join(piece.text for piece in line) for line in lines_of(document, width)]
    for note in document.notes:
        lines += ["", *_wrapped(f"Note: {note}", width)]
    return "\n".join(line.rstrip() for line in lines)


def lines_of(document: Document, width: int) -> list[Line]:
    """The lines of the document without its notes; a line does not include a newline."""
    facts = _Facts.of(document.blocks)
    lines = [*_head(document, width)]
    for block in _shown(document.blocks):
        found = list(_block(block, width, facts))
        if lines and found:
            lines.append([])
        lines += found
    return lines


def _shown(blocks: Sequence[Block]) -> Iterator[Block]:
    """The blocks that are not for pages only, with the titles of their sections as paragraphs."""
    for block in blocks:
        if isinstance(block, Section):
            if not block.page_only:
                if block.title:
                    yield Paragraph(block.title, "title")
                yield from _shown(block.blocks)
        elif isinstance(block, SideBySide):
            yield from _shown(block.blocks)
        elif isinstance(block, Paragraph | KeyFigures | Table):
            yield block


def _head(document: Document, width: int) -> Iterator[Line]:
    if not document.title:
        return
    badges = "".join(f"  [{badge.words.replace(' ', KEPT)}]" for badge in document.badges)
    for text in _wrapped(document.title + badges, width):
        yield [Piece(text, "strong")]
    if document.subtitle:
        yield from _styled(document.subtitle, width, "quiet")


def _block(block: Block, width: int, facts: _Facts) -> Iterator[Line]:
    if isinstance(block, Paragraph):
        style = {"small": "quiet", "title": "strong"}.get(block.kind, "")
        yield from _styled(block.words, width, style)
    elif isinstance(block, KeyFigures):
        yield from facts.lines(block, width)
    elif isinstance(block, Table):
        yield from _table(block, width)


def _styled(words: str, width: int, style: str = "") -> Iterator[Line]:
    for text in _wrapped(words, width):
        yield [Piece(text, style)]


class _Facts(NamedTuple):
    """The widths of labels and values of all key figures, so that they can be aligned."""

    label: int
    value: int

    @classmethod
    def of(cls, blocks: Sequence[Block]) -> _Facts:
        facts = [
            fact
            for block in _shown(blocks)
            if isinstance(block, KeyFigures) and block.kind != "terms"
            for fact in block.facts
        ]
        return cls(
            max((_wide(fact.label) + GAP for fact in facts), default=0),
            max((_wide(fact.value) for fact in facts), default=0),
        )

    def lines(self, block: KeyFigures, width: int) -> Iterator[Line]:
        if block.title:
            yield [Piece(block.title, "strong")]
        if block.kind == "terms":
            yield from _terms(block, width)
            return
        room = width - self.label - self.value - 2 * GAP
        for fact in block.facts:
            start = [
                Piece(_padded("  " + fact.label, self.label + GAP)),
                Piece(_padded(fact.value, self.value, right=True), fact.tone),
            ]
            if room >= LEAST_HINT:
                yield from _hanging(start, fact.hint, width - room, room)
            else:
                yield start
                for text in _wrapped(fact.hint, width - 2 * GAP):
                    yield [Piece(" " * 2 * GAP + text, "quiet")]


def _terms(block: KeyFigures, width: int) -> Iterator[Line]:
    label = max(_wide(fact.label) for fact in block.facts) + GAP
    for fact in block.facts:
        words = " ".join(filter(None, (fact.value, fact.hint)))
        start = [Piece(_padded(fact.label, label), "quiet")]
        yield from _hanging(start, words, label, width - label, gap="", style="")


def _hanging(
    start: Sequence[Piece], words: str, at: int, room: int, *, gap: str = "  ", style: str = "quiet"
) -> Iterator[Line]:
    """Words to the right of ``start``, wrapped with a hanging indent."""
    first, *rest = _wrapped(words, room) or [""]
    yield [*start, Piece(gap + first, style)] if first else start
    for text in rest:
        yield [Piece(" " * at + text, style)]


def _table(table: Table, width: int) -> Iterator[Line]:
    if table.title:
        yield from _styled(table.title, width, "strong")
    if table.caption:
        yield from _styled(table.caption, width)
    grid = _Grid.of(table)
    if grid.cells:
        fitting = grid.fitted(width)
        grid = grid if fitting is None else fitting
        yield from grid.stacked(width) if fitting is None else grid.lines(width)
    told = " ".join(filter(None, (_left_out(table), table.note, legend(grid.columns))))
    if told:
        yield []
        yield from _styled(told, width, "quiet")


def _left_out(table: Table) -> str:
    if not table.most or len(table.rows) <= table.most:
        return ""
    first, rows = table.most, len(table.rows)
    return f"These are the first {first} of {rows:,} rows; a page and --json show more."


class _Grid(NamedTuple):
    """The columns and cells of a table during its layout."""

    columns: Sequence[Column]
    cells: Sequence[Sequence[Cell]]
    strong: Sequence[bool]
    others: Callable[[float], str] | None = None
    gap: int = GAP

    @classmethod
    def of(cls, table: Table) -> _Grid:
        """The grid of a table, with second lines and hints of rows as separate columns."""
        table = table.inline
        columns, rows = list(table.columns), table.rows[: table.most or None]
        cells = [list(map(_marked, row)) for row in table.cells[: len(rows)]]
        for place, column in enumerate(columns):
            if column.under:
                columns.insert(place + 1, Column(column.under, words=True, drop=1))
                for row in cells:
                    row.insert(place + 1, Cell(row[place].under))
                break
        if any(row.hint for row in rows):
            columns.append(Column("", words=True, drop=1))
            for one, given in zip(cells, rows, strict=True):
                one.append(Cell(given.hint))
        return cls(columns, cells, [row.strong for row in rows], table.others)

    def fitted(self, width: int) -> _Grid | None:
        """The grid with as many columns as fit into ``width``; None where not even one fits."""
        order = sorted({column.drop for column in self.columns if column.drop})
        grid = self
        for least in (0, *order):
            grid = grid.without(least)
            if sum(grid.widths(narrow=True)) + grid.apart <= width:
                return grid
        closer = grid._replace(gap=1)
        fits = sum(closer.widths(narrow=True)) + closer.apart <= width
        return closer if fits and len(closer.columns) > 1 else None

    def without(self, drop: int) -> _Grid:
        """The grid without the columns whose ``drop`` has this value."""
        gone = [place for place, one in enumerate(self.columns) if drop and one.drop == drop]
        if not gone:
            return self
        kept = [place for place in range(len(self.columns)) if place not in gone]
        columns = [self.columns[place] for place in kept]
        cells = [[row[place] for place in kept] for row in self.cells]
        if self.others is not None:
            sums = [math.fsum(row[place].sort or 0.0 for place in gone) for row in self.cells]
            if columns[-1] != OTHERS:
                columns.append(OTHERS)
                cells = [[*row, Cell("", 0.0)] for row in cells]
            for row, more in zip(cells, sums, strict=True):
                total = (row[-1].sort or 0.0) + more
                row[-1] = Cell(self.others(total), total)
        return self._replace(columns=columns, cells=cells)

    @property
    def apart(self) -> int:
        """The total width of the gaps between the columns."""
        return self.gap * (len(self.columns) - 1)

    def widths(self, *, narrow: bool) -> list[int]:
        """The width of each column's longest cell; if ``narrow``, columns of words are wrapped."""
        found = []
        for column, cells in zip(self.columns, zip(*self.cells, strict=True), strict=True):
            texts = [column.name, *(cell.text for cell in cells)]
            longest = max(map(_wide, texts))
            if column.words and narrow:
                word = max((_wide(word) for text in texts for word in text.split()), default=0)
                longest = min(longest, max(word, LEAST_WORDS))
            found.append(longest)
        return found

    def lines(self, width: int) -> Iterator[Line]:
        """The lines of the table: one for each row, or more where words are wrapped."""
        widths = self.widths(narrow=True)
        spare = width - sum(widths) - self.apart
        for place, wanted in enumerate(self.widths(narrow=False)):
            more = min(wanted - widths[place], spare)
            widths[place] += more
            spare -= more
        right = [not column.words for column in self.columns]
        # the first column names the row; it is aligned right only if all its cells are figures
        right[0] = all(FIGURE.fullmatch(row[0].text) for row in self.cells)
        names = [Cell(column.name) for column in self.columns]
        if any(cell.text for cell in names):
            yield from self._row(names, widths, right, "quiet")
        for row, strong in zip(self.cells, self.strong, strict=True):
            yield from self._row(row, widths, right, "strong" if strong else "")

    def _row(
        self, row: Sequence[Cell], widths: Sequence[int], right: Sequence[bool], style: str
    ) -> Iterator[Line]:
        texts = [
            _wrapped(cell.text, wide) if column.words else [cell.text]
            for column, cell, wide in zip(self.columns, row, widths, strict=True)
        ]
        for parts in itertools.zip_longest(*texts, fillvalue=""):
            line: list[Piece] = []
            for place, text in enumerate(parts):
                padded = _padded(text, widths[place], right=right[place])
                line.append(Piece(padded + " " * self.gap, style or row[place].tone))
            line[-1] = line[-1]._replace(text=line[-1].text.rstrip())
            yield line

    def stacked(self, width: int) -> Iterator[Line]:
        """Each row as its name and, below it, pairs of a heading and a figure."""
        for row in self.cells:
            yield [Piece(row[0].text, "strong")]
            pairs = [
                f"{column.name} {cell.text}".strip().replace(" ", KEPT)
                for column, cell in zip(self.columns[1:], row[1:], strict=True)
                if cell.text
            ]
            for text in _wrapped("  ".join(pairs), width - GAP):
                yield [Piece(" " * GAP + text)]


FIGURE = re.compile(r"[+-]?[\d,.]+")
KEPT = "\N{NO-BREAK SPACE}"
"""The character between words that must stay on one line; it is replaced when lines are made."""
UNIT = re.compile(r"(?<=\d) (?=(?:%|h|d|min)(?:\W|$))")
"""The space between a figure and its unit."""


def _marked(cell: Cell) -> Cell:
    marks = "".join(f" {badge.mark}" for badge in cell.badges if badge.mark)
    return replace(cell, text=cell.text + marks) if marks else cell


def _wrapped(words: str, width: int) -> list[str]:
    """Wrap at whole words; a word wider than a line overflows, and a figure keeps its unit."""
    lines: list[str] = []
    line, wide = "", 0
    for word in UNIT.sub(KEPT, words).split(" "):
        own = _wide(word)
        if line and wide + 1 + own > width:
            lines.append(line)
            line, wide = word, own
        else:
            line, wide = (f"{line} {word}", wide + 1 + own) if line else (word, own)
    return [kept.rstrip().replace(KEPT, " ") for kept in [*lines, line] if kept]


def _padded(text: str, wide: int, *, right: bool = False) -> str:
    room = " " * (wide - _wide(text))
    return room + text if right else text + room


def _wide(text: str) -> int:
    """The number of terminal columns that a text occupies."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1
        for one in text
    )
