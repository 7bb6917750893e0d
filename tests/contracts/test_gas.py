"""What a step of leverage costs in gas is committed, and is what receipts say."""

from __future__ import annotations

import json

import pytest

from support.chain import gas
from support.chain.anvil import unavailable

pytestmark = pytest.mark.skipif(unavailable() is not None, reason=str(unavailable()))


@pytest.fixture(scope="module")
def bill() -> gas.Bill:
    """What each step costs now."""
    return gas.measured()


def test_the_committed_bill_is_what_receipts_say(bill: gas.Bill) -> None:
    """Every figure is the committed one, to the last unit of gas, and none is missing."""
    committed = json.loads(gas.SNAPSHOT.read_text(encoding="utf-8"))
    moved = {name: (committed.get(name), used) for name, used in bill.items()}
    moved = {name: pair for name, pair in moved.items() if pair[0] != pair[1]}
    assert not moved, f"committed, measured; refresh by `{gas.REFRESH}`, and say why it moved"
    assert list(committed) == list(bill)


def test_a_step_is_all_its_calls(bill: gas.Bill) -> None:
    """Three calls cost three times the 21,000 of any transaction, and a swap, at the least."""
    swap = 100_000
    assert all(used > 3 * 21_000 + swap for used in bill.values())
    assert {name.partition(",")[0] for name in bill} >= {"step up", "step down"}
