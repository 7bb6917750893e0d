"""The document of a result: blocks that a result builds once and that every back end renders.

Words and figures are plain ASCII, as ``number_format`` writes them; a back end may replace signs.
Terminals and plain text leave out the blocks that only a page has room for: charts, long listings
and members.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import (
    TYPE_CHECKING,
    Any,
    Protocol,
    TypeAlias,
    TypeVar,
    overload,
    runtime_checkable,
)

if TYPE_CHECKING:
    from steelyard.report.panels import Panel

__all__ = [
    "Badge",
    "Block",
    "Cell",
    "Column",
    "Document",
    "Fact",
    "KeyFigures",
    "Lazily",
    "Listing",
    "ListingColumn",
    "Paragraph",
    "Reported",
    "Section",
    "SideBySide",
    "Span",
    "Table",
    "TableRow",
    "legend",
    "walked",
]


Made = TypeVar("Made")


class Lazily(Sequence[Made]):
    """A sequence that is computed at its first use, for slow parts that only a page shows."""

    def __init__(self, make: Callable[[], Sequence[Made]]) -> None:
        self._make = cache(make)

    @overload
    def __getitem__(self, place: int) -> Made: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Made]: ...

    def __getitem__(self, place: int | slice) -> Made | Sequence[Made]:
        """The element or slice, as for a list."""
        return self._make()[place]

    def __len__(self) -> int:
        """The number of elements."""
        return len(self._make())


@dataclass(frozen=True)
class Badge:
    """A label beside a name.

    Args:
        words: text of the label.
        tone: ``good``, ``bad`` or empty.
        mark: the sign that stands for it in plain text.
        hint: an explanation, where there is room for it.
    """

    words: str
    tone: str = ""
    mark: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; ``kind`` is ``lead`` for the opening and ``small`` for less important text."""

    words: str
    kind: str = ""


@dataclass(frozen=True)
class Fact:
    """A figure with its name; ``hint`` explains the figure or gives its unit."""

    label: str
    value: str
    hint: str = ""
    tone: str = ""


@dataclass(frozen=True)
class KeyFigures:
    """A group of key figures.

    Args:
        title: title of the group.
        facts: the figures.
        kind: ``large`` for the most important figures, ``terms`` where the values are words.
    """

    title: str
    facts: Sequence[Fact]
    kind: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Args:
        text: text of the cell.
        sort: value by which the cell is sorted; None is sorted last.
        tone: ``good``, ``bad`` or empty.
        heat: strength of the background colour, in percent.
        hint: an explanation, where there is room for it.
        under: a short second line.
        link: key of the member to which the cell links.
        badges: labels beside the text.
        spark: SVG path of a small line chart of 116 by 26 pixels.
    """

    text: str
    sort: float | None = None
    tone: str = ""
    heat: int = 0
    hint: str = ""
    under: str = ""
    link: str = ""
    badges: Sequence[Badge] = ()
    spark: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        name: heading of the column.
        hint: meaning of the column, without a full stop; it is shown below the table.
        words: whether the column holds words, which are aligned left and may be wrapped.
        drop: order in which columns are dropped where there is no room, 1 first; 0: never.
        strong: whether the column sums up the others and is emphasised.
        under: heading of the cells' second lines, which form a separate column in plain text.
        page_only: whether only a page shows the column.
    """

    name: str
    hint: str = ""
    words: bool = False
    drop: int = 0
    strong: bool = False
    under: str = ""
    page_only: bool = False


@dataclass(frozen=True)
class TableRow:
    """A row of a table, with one cell for each column; ``hint`` explains the row."""

    cells: Sequence[Cell | str]
    hint: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Table:
    """A table; the first column names the row.

    Args:
        title: title above the table.
        columns: the columns.
        rows: the rows.
        note: a sentence or two below the table.
        caption: a sentence or two above the table.
        sortable: whether readers can sort the table on a page.
        most: largest number of rows that a terminal shows; 0: all rows.
        others: function that formats the sum of dropped columns as a column ``others``; None:
            dropped columns are left out without a sum.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[TableRow]
    note: str = ""
    caption: str = ""
    sortable: bool = False
    most: int = 0
    others: Callable[[float], str] | None = None

    @property
    def cells(self) -> list[list[Cell]]:
        """The cells of each row, with plain text turned into cells."""
        return [
            [cell if isinstance(cell, Cell) else Cell(cell) for cell in row.cells]
            for row in self.rows
        ]

    @property
    def inline(self) -> Table:
        """The table without the columns that only a page shows."""
        kept = [place for place, column in enumerate(self.columns) if not column.page_only]
        rows = [replace(row, cells=[row.cells[place] for place in kept]) for row in self.rows]
        return replace(self, columns=[self.columns[place] for place in kept], rows=rows)

    @property
    def legend(self) -> str:
        """The sentences that explain the headings."""
        return legend(self.columns)


def legend(columns: Sequence[Column]) -> str:
    """The meaning of each column that has a hint, in one sentence for each column."""
    told = [(column.name, column.hint) for column in columns if column.hint]
    return " ".join(f"{name[:1].upper()}{name[1:]}: {hint}." for name, hint in told)


@dataclass(frozen=True)
class ListingColumn:
    """A column of a listing.

    Args:
        label: heading of the column.
        kind: ``time``, ``text`` or ``number``.
        column: the values, as ``figure_encoding`` takes them.
        decimals: number of decimals, for numbers.
    """

    label: str
    kind: str
    column: Any
    decimals: int = 0


@dataclass(frozen=True)
class Listing:
    """A long table that only a page shows, and whose script builds it from packed columns."""

    title: str
    caption: str
    columns: Sequence[ListingColumn]


@dataclass(frozen=True)
class SideBySide:
    """Blocks that are placed side by side where there is room."""

    blocks: Sequence[Block]


@dataclass(frozen=True)
class Section:
    """Blocks under a heading.

    Args:
        title: the heading; empty where the section only groups its blocks.
        blocks: the blocks of the section.
        key: anchor to which links lead; empty where there are none.
        page_only: whether only a page shows the section.
    """

    title: str
    blocks: Sequence[Block]
    key: str = ""
    page_only: bool = False


Block: TypeAlias = "Paragraph | KeyFigures | Table | Panel | Listing | SideBySide | Section"


@dataclass(frozen=True)
class Span:
    """The time range that charts share.

    Args:
        first: start, epoch s.
        last: end, epoch s.
        worst: start of the worst day, epoch s, around which a page offers to zoom; None: none.
    """

    first: int
    last: int
    worst: int | None = None


@dataclass(frozen=True)
class Document:
    """A result, ready to be rendered.

    Args:
        title: heading of the document.
        blocks: blocks of the document in order.
        subtitle: text beside the heading.
        badges: labels beside the heading, for what must be known at first sight.
        notes: warnings that must not be overlooked, one sentence each; every back end shows them.
        closing: sentences for the footer of a page.
        key: name of the document on a page with several; unique on that page.
        group: heading under which the document is listed among several.
        span: time range of its charts.
        members: documents that a page shows one at a time, by their keys.
    """

    title: str
    blocks: Sequence[Block]
    subtitle: str = ""
    badges: Sequence[Badge] = ()
    notes: Sequence[str] = ()
    closing: Sequence[str] = ()
    key: str = ""
    group: str = ""
    span: Span | None = None
    members: Sequence[Document] = field(default=())

    @property
    def chapters(self) -> list[Section]:
        """The sections that have a key, to which links can lead."""
        return [block for block in self.blocks if isinstance(block, Section) and block.key]

    @property
    def groups(self) -> Mapping[str, Sequence[Document]]:
        """The members by the heading under which they are listed."""
        found: dict[str, list[Document]] = {}
        for member in self.members:
            found.setdefault(member.group, []).append(member)
        return found


@runtime_checkable
class Reported(Protocol):
    """A result that can build its document."""

    def document(self) -> Document:
        """Build the document of the result."""
        ...


def walked(blocks: Sequence[Block]) -> Iterator[Block]:
    """All blocks in order, including the blocks inside other blocks."""
    for block in blocks:
        yield block
        if isinstance(block, Section | SideBySide):
            yield from walked(block.blocks)
