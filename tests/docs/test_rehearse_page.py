"""``docs/how-to/rehearse.md``: five commands from the launch to the end, run as the page says.

What is asserted is what came of it, never a time.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from support.doc_pages import PROCESSES, REPOSITORY, blocks, pages, run_page
from support.doc_processes import Terminal
from support.exchange_keeper import ExchangeFolder

pytestmark = pytest.mark.xdist_group("processes")

PAGE = REPOSITORY / "docs" / "how-to" / "rehearse.md"
WAIT_S = 120


def test_no_other_page_has_such_examples() -> None:
    """They would not be run."""
    assert [page for page in pages() if any(b.kind in PROCESSES for b in blocks(page))] == [PAGE]


def test_a_fund_is_launched_traded_and_wound_down(tmp_path: Path) -> None:
    """The five commands print what the page says; books and exchange agree at the end."""
    terminal = Terminal(tmp_path / "terminal.log")
    folder = tmp_path / "page"
    try:
        outcomes = list(run_page(PAGE, folder, also="processes", shell=terminal.run))
        wrong = [
            f"{each.place} says\n{each.expected}\nand prints\n{each.found}"
            for each in outcomes
            if not each.agrees
        ]
        assert not wrong, "\n\n".join(wrong)
        assert len(outcomes) == 5
        place = ExchangeFolder.of_another(folder)
        # what the account paid until the end is read after the end
        until = time.monotonic() + WAIT_S
        while not place.status()["venue"]["agrees"] and time.monotonic() < until:
            time.sleep(0.2)
        assert place.status()["state"] == "ended"
        assert place.units() == 0
        place.check_agreement()
    finally:
        terminal.end()
    decided = [each["intent"]["trigger"] for each in place.rows("decided")]
    assert decided[:2] == ["launch", "emergency"]
    assert decided[-1] == "wind_down"
    place.verify()
