"""What a step of leverage costs in gas is committed, and is what receipts say."""

from __future__ import annotations

import json

import pytest

from support.chain import gas
from support.chain.anvil import unavailable
from support.chain.token_gas import TRANSFER_OVER_SNEKMATE, bar

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
    steps = {name: used for name, used in bill.items() if name.startswith("step ")}
    assert all(used > 3 * 21_000 + swap for used in steps.values())
    assert {name.partition(",")[0] for name in steps} == {"step up", "step down"}


def test_each_call_is_under_its_bar(bill: gas.Bill) -> None:
    """Every rebalance, mint and redemption takes at most what is promised; none is left out."""
    barred = {name: (used, most) for name, used in bill.items() if (most := bar(name)) is not None}
    assert not {name: pair for name, pair in barred.items() if pair[0] > pair[1]}
    # long and short: three rebalances, each with both rates and a sequencer; four other calls
    assert len(barred) == 2 * (3 * 3 + 4 * 2)


def test_a_transfer_is_snekmates(bill: gas.Bill) -> None:
    """A transfer, to a holder or to a new one, takes at most 100 more than snekmate's own."""
    ours = [name for name in bill if name.startswith("transfer") and ", ours" in name]
    assert len(ours) == 2 * 2
    for name in ours:
        assert bill[name] <= bill[name.replace("ours", "snekmate's")] + TRANSFER_OVER_SNEKMATE


def test_a_rebalance_is_cheaper_than_the_peers_steps(bill: gas.Bill) -> None:
    """Reserve, keeper's pay, guard and event included: less than a step on Aave or Perpetual."""
    peers = [bill[name] for name in bill if "Aave" in name or "Perpetual" in name]
    assert max(used for name, used in bill.items() if ", rebalance" in name) < min(peers)
