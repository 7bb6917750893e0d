"""What a step of leverage costs in gas is committed, and is what receipts say."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from support.chain import gas
from support.chain.anvil import unavailable
from support.chain.periphery_gas import FIRST_PAYMENT, KEEPER_BARS, ONE_ASSET_BAR
from support.chain.token_gas import ADAPTS, BARS, SERIES_BAR, TRANSFER_OVER_SNEKMATE, bar
from support.page_figures import stated

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
    """Each mint, redemption and fill, and each launched series, takes at most its bar."""
    barred = {name: (used, most) for name, used in bill.items() if (most := bar(name)) is not None}
    assert not {name: pair for name, pair in barred.items() if pair[0] > pair[1]}
    in_kind, fills = 2 * 2 * 2, 3 * 2 * 2 * 3
    assert len(barred) == in_kind + fills
    assert all(
        used <= 4 * SERIES_BAR for name, used in bill.items() if name.startswith("launch of 4")
    )


def test_a_transfer_is_snekmates(bill: gas.Bill) -> None:
    """A transfer takes at most 3,000 more than snekmate's own: the clone's proxy."""
    ours = [name for name in bill if name.startswith("transfer") and ", ours" in name]
    assert len(ours) == 2 * 2
    for name in ours:
        assert bill[name] <= bill[name.replace("ours", "snekmate's")] + TRANSFER_OVER_SNEKMATE


def test_the_page_says_the_bars() -> None:
    """The bars in words, and the least nav that is worth rebalancing, by its own formula.

    The dearest opening and fill by the keeper with one feed, at the mock rate, of one series.
    """
    bill = json.loads(gas.SNAPSHOT.read_text(encoding="utf-8"))

    def dearest(side: str, *calls: str) -> int:
        names = tuple(f"{side}, {call}" for call in calls)
        return max(bill[n] for n in bill if n.startswith(names) and n.endswith("(mock rate)"))

    taken = max(
        dearest(side, "later open") + dearest(side, "second fill", "third fill")
        for side in ("long", "short")
    )
    stated(f"by the keeper take {taken:,} gas", page="index.md")
    for gwei in ("0.01", "0.1", "1", "5", "20", "100"):
        usd = taken * Fraction(gwei) / 10**9 * 2_000 / Fraction("0.4")
        level, lagging = (round(float(usd * 10_000 / left)) for left in (75, 25))
        stated(f"| {gwei} | {level:,} | {lagging:,} |", page="index.md")
    keeper = [f"{most:,}" for most in KEEPER_BARS.values()]
    stated(
        f"at most {keeper[0]} with the mock rate, {keeper[1]} with the adapting one and "
        f"{keeper[2]} with two feeds",
        f"takes {FIRST_PAYMENT:,} more",
        f"A mint takes at most {BARS['mint by a new holder']:,}, a redemption {BARS['redeem']:,}",
        f"The adapting one adds {ADAPTS:,}",
        f"at most {ONE_ASSET_BAR:,}, and a series of a launch of four {SERIES_BAR:,}",
        page="index.md",
    )


def test_router_and_keeper_are_under_their_bars(bill: gas.Bill) -> None:
    """Fills through the keeper and mints with one asset, over pools that trade every 1 to 12 s."""
    for name, used in bill.items():
        said = name.removesuffix(")").partition(" (")[2]
        if "by keeper" in name:
            first = FIRST_PAYMENT if "first fill" in name else 0
            assert used <= KEEPER_BARS[said] + first, name
        if "one-asset mint" in name:
            assert used <= ONE_ASSET_BAR, name
    assert sum("by keeper" in name for name in bill) == 3 * 2 * 3 * 3
