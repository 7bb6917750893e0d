"""A document as lines: whole words and whole figures, in whatever room there is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.report.document import (
    Badge,
    Cell,
    Column,
    Document,
    Fact,
    KeyFigures,
    Paragraph,
    Section,
    Table,
    TableRow,
)
from steelyard.report.lines import as_text, lines_of

WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=12)
SENTENCES = st.lists(WORDS, min_size=1, max_size=30).map(" ".join)


def table(columns: int, **first: object) -> Document:
    """A table of so many columns of eight figures each, under a name."""
    names = [Column("name", words=True), *(Column(f"figure {i}", drop=i) for i in range(columns))]
    row = TableRow([Cell("BTC3L", **first), *("1,234.56" for _ in range(columns))])  # type: ignore[arg-type]
    return Document("", [Table("", names, [row, row])])


@given(SENTENCES, st.sampled_from([60, 120]))
def test_law_words_stay_whole_and_in_their_room(words: str, width: int) -> None:
    """All words, in their order, and no line is wider."""
    fact = Fact("label", "1.00", words)
    document = Document(words, [Paragraph(words), KeyFigures("Group", [fact])], notes=[words])
    text = as_text(document, width)
    assert text.split() == f"{words} {words} Group label 1.00 {words} Note: {words}".split()
    assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("width", [40, 60, 120])
def test_columns_leave_before_figures_are_cut(width: int) -> None:
    """The first to go are those that can be spared soonest; what is left is whole."""
    lines = as_text(table(12), width).splitlines()
    assert max(map(len, lines)) <= width
    shown = [i for i in range(12) if f"figure {i}  " in lines[0] + "  "]
    assert shown == [0, *range(13 - len(shown), 12)]
    assert lines[1].split() == ["BTC3L", *["1,234.56"] * len(shown)]


def test_a_table_that_nothing_makes_fit_is_stacked() -> None:
    """Each row by its name, then each figure beside its heading, on one line with it."""
    columns = [Column("asset"), *(Column(f"figure {i}") for i in range(9))]
    document = Document("", [Table("", columns, [TableRow(["BTC", *"123456789"])])])
    assert as_text(document, 60).splitlines() == [
        "BTC",
        "  figure 0 1  figure 1 2  figure 2 3  figure 3 4  figure 4 5",
        "  figure 5 6  figure 6 7  figure 7 8  figure 8 9",
    ]


def test_columns_of_words_are_wrapped_at_words() -> None:
    """Down to a width; the legend tells of the columns that are there, and of no other."""
    columns = [
        Column("token", "what is compared", words=True, under="trades when"),
        Column("nav", "per token"),
        Column("error", "a year", drop=2),
    ]
    badges = [Badge("efficient", "good", "*")]
    rule = "to the edge of a band of 2.5x to 3.5x"
    document = Document(
        "", [Table("", columns, [TableRow([Cell("A", badges=badges, under=rule), "1", "2"])])]
    )
    wide, narrow, least = (as_text(document, width) for width in (100, 40, 12))
    assert wide.splitlines()[1] == f"A *    {rule}    1      2"
    assert "of 2.5x" in narrow
    assert "Error: a year." in wide
    assert "trades when" not in least
    assert "Error" not in least


def test_what_only_a_page_shows_is_left_out() -> None:
    """Sections and columns of a page alone."""
    section = Section("Charts", [Paragraph("long")], page_only=True)
    columns = [Column("a"), Column("line", page_only=True)]
    blocks = [Section("Figures", [Table("", columns, [TableRow(["1", "2"])])]), section]
    assert as_text(Document("T", blocks)).splitlines() == ["T", "", "Figures", "", "a", "1"]


def test_styles_are_said_beside_the_words() -> None:
    """A terminal colours what is good and bad, and nothing else changes."""
    facts = [Fact("return", "-5.00 %", "of a year", "bad")]
    document = Document("T", [KeyFigures("Result", facts)], badges=[Badge("wiped out", "bad")])
    pieces = [piece for line in lines_of(document, 80) for piece in line]
    assert ("-5.00 %", "bad") in pieces
    assert ("T  [wiped out]", "strong") in pieces


def test_wide_letters_take_two_columns() -> None:
    """A column lines up in a terminal that shows them so."""
    columns = [Column("token"), Column("nav")]
    document = Document(
        "", [Table("", columns, [TableRow(["比特", "1"]), TableRow(["AAAA", "2"])])]
    )
    assert as_text(document).splitlines()[1:] == ["比特     1", "AAAA     2"]
