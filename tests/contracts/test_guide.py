"""The guide to the contracts is run, line by line, on real Morpho Blue and Uniswap v3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boa
import pytest

from support.chain.series import new_transaction
from support.chain.world import Setting, World
from support.doc_pages import CHAIN, blocks, pages, run_page

if TYPE_CHECKING:
    from pathlib import Path

ON_A_CHAIN = [page for page in pages() if any(block.kind in CHAIN for block in blocks(page))]


@pytest.mark.parametrize("page", ON_A_CHAIN, ids=lambda page: page.name)
def test_examples_on_a_chain(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shipped is deployed, launched, rebalanced and left as the page says, and prints it.

    The chain gives the page no more than it says that it takes as given.
    """
    world = World(Setting())
    monkeypatch.setattr(boa.env, "eoa", world.roles.holder)

    def later(seconds: int, price: Any = None) -> None:
        new_transaction()
        if price:
            world.move(price)
        world.pass_time(seconds, seconds)

    given = {
        "feed": world.feed,
        "morpho": world.morpho,
        "rates": world.irm,
        "pool": world.pool.contract,
        "weth": world.underlying,
        "usdc": world.quote,
        "you": str(world.roles.holder),
        "later": later,
    }
    outcomes = list(run_page(page, tmp_path / "page", also="chain", given=given))
    wrong = [f"{one.place} prints\n" + "\n".join(one.found) for one in outcomes if not one.agrees]
    assert not wrong, "\n\n".join(wrong)
    assert len(outcomes) >= sum(block.kind in CHAIN for block in blocks(page))
