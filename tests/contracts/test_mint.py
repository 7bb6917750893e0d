"""Minting in kind: what it takes, what it gives, and when it is closed."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import boa
import pytest

from support.chain.deploying import deploy_double
from support.chain.series import MOST, WAD, Series, base_fee, wad

if TYPE_CHECKING:
    from typing import Any

REVERTS = 1


@pytest.fixture
def taker(series: Series) -> Any:
    """A contract with a callback that can pay for anything."""
    made = deploy_double("Taker")
    for asset in (series.collateral, series.loan):
        asset.transfer(
            made.address, asset.balanceOf(series.world.roles.keeper) // 10,
            sender=series.world.roles.keeper,
        )  # fmt: skip
        for spender in (series.contract, series.world.morpho):
            made.approve(asset.address, spender.address)
    return made


def test_a_mint_takes_collateral_and_debt_in_proportion(series: Series) -> None:
    """Scenario: a holder mints a tenth of the supply.

    Property: collateral is rounded up and debt down, to the unit; the fee is a thousandth of nav
    at the target, in collateral; the holder gets the tokens and the debt.
    """
    who = series.world.roles.holder
    series.accrue()
    before, held = series.state, series.loan.balanceOf(who)
    paid, debt = series.mint(100)
    after = series.state
    collateral = -(-before.collateral * wad(100) // before.supply)
    multiple = Fraction(3 if series.long else 2)
    fee = -(-collateral * Fraction(1, 1_000) / multiple // 1)
    assert paid == collateral + fee
    assert after.fees - before.fees == fee
    assert after.shares - before.shares == before.shares * wad(100) // before.supply
    assert series.loan.balanceOf(who) - held == debt
    assert series.contract.balanceOf(who) == wad(100)
    assert after.supply == before.supply + wad(100)


def test_a_mint_worsens_no_share(series: Series) -> None:
    """Property: collateral per token never falls and debt shares per token never rise."""
    for tokens in (1, 7, wad(3) + 1):
        before = series.state
        who = series.world.roles.holder
        series.contract.mint(tokens, MOST, who, sender=who)
        after = series.state
        assert after.collateral * before.supply >= before.collateral * after.supply
        assert after.shares * before.supply <= before.shares * after.supply


def test_the_event_says_the_state_after(series: Series) -> None:
    """Property: what the event says of the state is what the state is."""
    series.mint(10)
    (event,) = (each for each in series.contract.get_logs() if type(each).__name__ == "Minted")
    assert tuple(event.after) == tuple(series.state)


def test_a_callback_needs_no_loan(series: Series, taker: Any) -> None:
    """Scenario: a contract mints with data.

    Property: it has the debt before it is asked for the collateral, is told both amounts, and
    may not be a unit short.
    """
    call = series.contract.mint.prepare_calldata(wad(10), MOST, taker.address, b"told")
    taker.load([], 0)
    taker.act(series.address, call)
    assert (taker.given(), taker.owed()) == (series.loan.address, series.collateral.address)
    assert taker.told() == b"told"
    assert series.contract.balanceOf(taker.address) == wad(10)
    taker.load([], 1)
    with boa.reverts("morpho_position: owed"):
        taker.act(series.address, call)


def test_minting_is_closed_above_the_band(series: Series) -> None:
    """Scenario: leverage is above the band's upper edge, and at it.

    Property: a late entrant cannot share in the cover of a rescue; redeeming is open.
    """
    series.mint(1)
    series.go(series.terms.figure("upper") if not series.long else "3.39")
    series.go("3.39" if series.long else "1.24")
    series.mint(1)
    series.go("3.42" if series.long else "1.27")
    with boa.reverts("leveraged_token: above the band"):
        series.mint(1)
    series.redeem(1)


def test_minting_is_closed_without_a_good_price(series: Series) -> None:
    """Scenario: the feed reverts, and then is too old.

    Property: minting is closed and redeeming is open.
    """
    series.mint(2)
    with boa.env.anchor():
        series.world.feed.set_fault(REVERTS)
        with boa.reverts("series_state: no good price"):
            series.mint(1)
        series.redeem(1)
    boa.env.time_travel(seconds=series.terms.base_age + 1)
    with boa.reverts("series_state: no good price"):
        series.mint(1)
    series.redeem(1)


def test_a_mint_respects_its_bounds(series: Series) -> None:
    """Property: neither more than `most` is paid nor debt taken beyond the cap."""
    who = series.world.roles.holder
    paid, _ = series.mint(1)
    with boa.reverts("leveraged_token: more than most"):
        series.contract.mint(wad(1), paid - 1, who, sender=who)
    with boa.reverts("leveraged_token: more than most"):
        series.contract.mint(0, MOST, who, sender=who)
    state = series.state
    too_many = (series.config.debt_cap - state.debt) * state.supply // state.debt + WAD
    series.lend(10**12)
    with boa.reverts("leveraged_token: debt_cap"):
        series.contract.mint(too_many, MOST, who, sender=who)


def test_a_series_without_debt_is_minted(series: Series) -> None:
    """Scenario: somebody repaid the whole debt on the series' behalf.

    Property: a mint borrows nothing, which Morpho would refuse, and takes collateral alone.
    """
    world = series.world
    series.accrue()
    shares = series.position.shares
    world.morpho.repay(
        tuple(series.market), 0, shares, series.address, b"", sender=world.roles.keeper
    )
    paid, debt = series.mint(1)
    assert paid > 0
    assert debt == 0
    assert series.state.shares == 0


def test_the_implementation_cannot_be_used(series: Series) -> None:
    """Property: every function that acts is refused in the implementation itself."""
    token, who = series.fund.protocol.token, series.world.roles.attacker
    acts = {
        "launch": (WAD, MOST, who),
        "mint": (WAD, MOST, who),
        "open": (),
        "rebalance": (1, 0),
        "allocate": (0,),
        "permit": (who, who, 1, 2**64, 27, bytes(32), bytes(32)),
    }
    for name, arguments in acts.items():
        with boa.reverts("series_config: implementation"):
            getattr(token, name)(*arguments, sender=who)


def test_gas_price_changes_nothing(series: Series) -> None:
    """Property: a mint does not depend on the base fee."""
    with boa.env.anchor():
        one = series.mint(1)
    with base_fee(10**12):
        assert series.mint(1) == one
