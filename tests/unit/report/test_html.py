"""A document as a page and as a fragment; how pages behave in a browser is tested in tests/e2e."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import steelyard as sy
from steelyard.errors import InputError
from steelyard.report.document import (
    Badge,
    Cell,
    Column,
    Document,
    Paragraph,
    Section,
    Table,
    TableRow,
)
from steelyard.report.html import fragment, page
from steelyard.report.number_format import typeset

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u2028&amp;'\"{{7*7}}"


def example(words: str) -> Document:
    """A document that says one thing everywhere."""
    badge = Badge(words, hint=words)
    cell = Cell(words, hint=words, under=words, link=words, badges=[badge])
    columns = [Column(words, words), Column(words, words=True)]
    table = Table(words, columns, [TableRow([cell, words], words)], words, words)
    blocks = [Paragraph(words, "lead"), Section(words, [table], key="k")]
    return Document(
        words, blocks, words, [badge], [words], [words], members=[Document(words, [], key=words)]
    )


@pytest.mark.parametrize("show", [page, fragment])
def test_hostile_words_stay_words(show: Any) -> None:
    """As many scripts and images as of quiet words, wherever they stand."""
    loud, quiet = show(example(HOSTILE)), show(example("quiet"))
    for tag in ("<script", "<img", "onerror=alert(2)>"):
        assert loud.count(tag) == quiet.count(tag)
    assert not re.search(r"\b49\b", loud.partition("<style>")[0])


def test_nothing_is_asked_of_the_network() -> None:
    """No address, and a policy that forbids each."""
    text = page(example("quiet"))
    assert not re.search(r'(src|href)="(https?:)?//', text)
    assert "default-src 'none'" in text


def test_a_page_without_charts_carries_no_library_for_them() -> None:
    """Five million bytes less."""
    assert len(page(example("quiet"))) < 100_000


def test_two_members_of_one_name_are_refused() -> None:
    """A link could lead to one of them only."""
    twice = [Document("A", [], key="A"), Document("B", [], key="A")]
    with pytest.raises(InputError, match="found 'A' twice"):
        page(Document("all", [], members=twice))


def test_what_is_no_result_has_no_page(tmp_path: Path) -> None:
    """Said in our words, and nothing is written."""
    for wrong in (5, None, Document, "BTC"):
        with pytest.raises(InputError, match="result: expected what a function of steelyard found"):
            sy.write_report(wrong, tmp_path / "page.html")
    assert list(tmp_path.iterdir()) == []
    sy.write_report(example("quiet"), tmp_path / "page.html")
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.parametrize(
    ("plain", "set_"),
    [
        ("-36.8 %", "−36.8\u202f%"),
        ("<-99.9 %", "<−99.9\u202f%"),
        ("3x BTC, -1x", "3× BTC, −1×"),
        ("2020-03-12", "2020-03-12"),
        ("-", "–"),
        ("0x12 and ftx-3x", "0x12 and ftx-3×"),
        ("band 2.5x to 3.5x", "band 2.5× to 3.5×"),
    ],
)
def test_figures_are_set_as_pages_write_them(plain: str, set_: str) -> None:
    """True signs, units that do not part from their figures; dates stay dates."""
    assert typeset(plain) == set_
