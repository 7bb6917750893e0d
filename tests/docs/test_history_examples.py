"""The examples on real history are run too, where that history is at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.doc_pages import HISTORY, REPOSITORY, blocks, histories, pages, run_page

READING = [page for page in pages() if any(block.kind in HISTORY for block in blocks(page))]
STUDIES = sorted((REPOSITORY / "docs" / "case-studies").glob("*-20??.md"))


@pytest.mark.skipif(
    histories() is None, reason="needs real history in ../shared/data or where STEELYARD_DATA says"
)
@pytest.mark.parametrize("page", READING, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_examples_that_read_history(page: Path, tmp_path: Path) -> None:
    """Each prints what the page says: the figures of a case study are those of the program."""
    outcomes = list(run_page(page, tmp_path / "page", also="history"))
    wrong = [
        f"{one.place} says\n{one.expected}\nand prints\n{one.found}"
        for one in outcomes
        if not one.agrees
    ]
    assert not wrong, "\n\n".join(wrong)
    assert len(outcomes) >= sum(block.kind in HISTORY for block in blocks(page))


@pytest.mark.parametrize("page", STUDIES, ids=lambda page: page.stem)
def test_a_case_study_has_its_pictures(page: Path) -> None:
    """A light and a dark one, small enough for a page, and the command that makes them."""
    text = page.read_text(encoding="utf-8")
    for theme in ("light", "dark"):
        picture = f"../images/{page.stem}-{theme}.png"
        assert f'"{picture}"' in text
        assert 10_000 < (page.parent / picture).stat().st_size < 150_000
    assert f"make_case_images.py {page.stem}" in " ".join(text.split())
