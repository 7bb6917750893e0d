"""A result as a document: blocks that each result builds once, and every back end shows.

Words and figures are plain ASCII as ``number_format`` writes them; a back end may set them in other
signs. What only a page has room for (charts, long listings, members) a terminal and plain text
leave out.
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
    """What is made when it is first looked at: for what only a page shows, and which takes time."""

    def __init__(self, make: Callable[[], Sequence[Made]]) -> None:
        self._make = cache(make)

    @overload
    def __getitem__(self, place: int) -> Made: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Made]: ...

    def __getitem__(self, place: int | slice) -> Made | Sequence[Made]:
        """As of a list."""
        return self._make()[place]

    def __len__(self) -> int:
        """How many there are."""
        return len(self._make())


@dataclass(frozen=True)
class Badge:
    """A word beside a name: ``good``, ``bad`` or neither; ``mark`` is its sign in plain text."""

    words: str
    tone: str = ""
    mark: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Paragraph:
    """Sentences; ``kind`` is ``lead`` for what is said first, ``small`` for what may be skipped."""

    words: str
    kind: str = ""


@dataclass(frozen=True)
class Fact:
    """A figure by its name; ``hint`` says what it is or what it is measured in."""

    label: str
    value: str
    hint: str = ""
    tone: str = ""


@dataclass(frozen=True)
class KeyFigures:
    """Figures that belong together.

    Args:
        title: of the group.
        facts: the figures.
        kind: ``large`` for those that a reader looks for first, ``terms`` where values are words.
    """

    title: str
    facts: Sequence[Fact]
    kind: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Args:
        text: as it is shown.
        sort: as it is sorted; None goes last.
        tone: ``good``, ``bad`` or nothing.
        heat: how strongly it is coloured, percent.
        hint: more, where there is room for it.
        under: a second line in few words.
        link: key of the member that it leads to.
        badges: beside it.
        spark: path of a small line, 116 by 26.
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
        name: its heading.
        hint: what it means, in a sentence without its full stop; told below the table.
        words: whether it holds words, which stand to the left and may be wrapped.
        drop: the order in which columns leave where there is no room, 1 first; 0: never.
        strong: whether it sums up the others.
        under: heading of the cells' second lines, which are a column of their own in plain text.
        page_only: whether only a page shows it.
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
    """A row: a cell a column; ``hint`` says what it is."""

    cells: Sequence[Cell | str]
    hint: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under headings; the first column names the row.

    Args:
        title: above it.
        columns: what stands in them.
        rows: the rows.
        note: a sentence or two below it.
        caption: a sentence or two above it.
        sortable: whether a page lets its readers sort it.
        most: rows that a terminal shows of it; 0: all.
        others: writes the sum of what leaves where there is no room; None: it is left out.
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
        """The cells of each row."""
        return [
            [cell if isinstance(cell, Cell) else Cell(cell) for cell in row.cells]
            for row in self.rows
        ]

    @property
    def inline(self) -> Table:
        """Without the columns that only a page shows."""
        kept = [place for place, column in enumerate(self.columns) if not column.page_only]
        rows = [replace(row, cells=[row.cells[place] for place in kept]) for row in self.rows]
        return replace(self, columns=[self.columns[place] for place in kept], rows=rows)

    @property
    def legend(self) -> str:
        """What the headings mean."""
        return legend(self.columns)


def legend(columns: Sequence[Column]) -> str:
    """What the headings of columns mean, in a sentence each."""
    told = [(column.name, column.hint) for column in columns if column.hint]
    return " ".join(f"{name[:1].upper()}{name[1:]}: {hint}." for name, hint in told)


@dataclass(frozen=True)
class ListingColumn:
    """A column of a listing: ``kind`` is ``time``, ``text`` or ``number`` with so many decimals."""

    label: str
    kind: str
    column: Any
    decimals: int = 0


@dataclass(frozen=True)
class Listing:
    """A long table that only a page shows, and itself writes from packed columns."""

    title: str
    caption: str
    columns: Sequence[ListingColumn]


@dataclass(frozen=True)
class SideBySide:
    """Blocks that stand beside each other where there is room."""

    blocks: Sequence[Block]


@dataclass(frozen=True)
class Section:
    """Blocks under a heading; without a title only held together.

    Args:
        title: the heading.
        blocks: what stands under it.
        key: where a link leads.
        page_only: whether only a page has room for it.
    """

    title: str
    blocks: Sequence[Block]
    key: str = ""
    page_only: bool = False


Block: TypeAlias = "Paragraph | KeyFigures | Table | Panel | Listing | SideBySide | Section"


@dataclass(frozen=True)
class Span:
    """The time that charts share: epoch s; ``worst`` is the day to look at first."""

    first: int
    last: int
    worst: int | None = None


@dataclass(frozen=True)
class Document:
    """A result, ready to be shown.

    Args:
        title: its heading.
        blocks: in their order.
        subtitle: beside the heading.
        badges: likewise: what must be known at first sight.
        notes: what must not be overlooked, a sentence each; the same everywhere.
        closing: sentences for the foot of a page.
        key: its name on a page of several; unique there.
        group: by which members are chosen.
        span: the time of its charts.
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
        """The sections that a link can lead to."""
        return [block for block in self.blocks if isinstance(block, Section) and block.key]

    @property
    def groups(self) -> Mapping[str, Sequence[Document]]:
        """The members by what they are chosen by."""
        found: dict[str, list[Document]] = {}
        for member in self.members:
            found.setdefault(member.group, []).append(member)
        return found


@runtime_checkable
class Reported(Protocol):
    """A result that can be shown."""

    def document(self) -> Document:
        """All that is shown of it."""
        ...


def walked(blocks: Sequence[Block]) -> Iterator[Block]:
    """All blocks, those inside of others too, in their order."""
    for block in blocks:
        yield block
        if isinstance(block, Section | SideBySide):
            yield from walked(block.blocks)
