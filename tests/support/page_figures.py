"""Figures that are measured by a test and stand on a page: each is held to the other.

A page's sentence is found wherever its lines end. A figure that moved is a claim that moved, and
so is a sentence that was written anew: both fail the test that measures the figure.
"""

from __future__ import annotations

import re
from fractions import Fraction

from support.doc_pages import REPOSITORY

PAGES = REPOSITORY / "docs" / "contracts"
RESERVES = "../explanation/what-a-reserve-loses.md"
"""The page on what a reserve can lose, and what it is worth."""
FIGURE = r"([+-]?[\d,]*\d(?:\.\d+)?)"
"""With commas between thousands, and with a sign."""


def page_text(page: str) -> str:
    """A page on one line; named from the folder of the contracts' pages."""
    return " ".join((PAGES / page).read_text(encoding="utf-8").split())


def said(sentence: str, page: str = "attacks.md") -> list[Fraction]:
    """The figures that stand in a sentence of the page where this one has ``#``."""
    pattern = re.escape(sentence).replace(re.escape("#"), FIGURE)
    found = re.findall(pattern, page_text(page))
    assert len(found) == 1, f"docs/contracts/{page} says {len(found)} times: {sentence!r}"
    figures = found[0] if isinstance(found[0], tuple) else found
    return [Fraction(figure.replace(",", "")) for figure in figures]


def stated(*figures: str, page: str = "attacks.md") -> None:
    """The page says all of these."""
    text = page_text(page)
    missing = [figure for figure in figures if figure not in text]
    assert not missing, f"measured, and not on docs/contracts/{page}: {missing}"
