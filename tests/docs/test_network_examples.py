"""The examples that ask an exchange are run too, at an exchange on loopback.

Prices are made up there, so that pages show three dots for them; all else must be as a page says.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support.doc_pages import NETWORK, REPOSITORY, blocks, pages, run_page
from support.exchange_server import SINCE_S, serving

ASKING = [page for page in pages() if any(block.kind in NETWORK for block in blocks(page))]


@pytest.mark.parametrize("page", ASKING, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_examples_that_ask_an_exchange(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each prints what the page says."""
    with serving() as server:
        monkeypatch.setenv("STEELYARD_API_URL", server.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        server.now_s = SINCE_S + 60 * 86_400
        server.page_rows = 500
        outcomes = list(run_page(page, tmp_path / "page", also="network"))
    wrong = [
        f"{one.place} says\n{one.expected}\nand prints\n{one.found}"
        for one in outcomes
        if not one.agrees
    ]
    assert not wrong, "\n\n".join(wrong)
    assert len(outcomes) >= sum(block.kind in NETWORK for block in blocks(page))
