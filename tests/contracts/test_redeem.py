"""Redeeming in kind: the exit that no price, reserve, pool or feed can close."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import boa
import pytest

from support.chain.deploying import deploy_double
from support.chain.series import DEAD, DEAD_TOKENS, MOST, WAD, Series, wad

REVERTS, BURNS_GAS = 1, 2


def test_a_redemption_gives_collateral_and_takes_debt(series: Series) -> None:
    """Scenario: a holder redeems half of what it minted.

    Property: collateral is rounded down and debt up, to the unit; the fee stays as collateral.
    """
    series.mint(100)
    series.accrue()
    before = series.state
    got, debt = series.redeem(50)
    after = series.state
    collateral = before.collateral * wad(50) // before.supply
    fee = -(-collateral * Fraction(1, 1_000) / (3 if series.long else 2) // 1)
    assert got == collateral - fee
    assert after.fees - before.fees == fee
    assert before.shares - after.shares == -(-before.shares * wad(50) // before.supply)
    assert debt >= Fraction(before.debt * wad(50), before.supply) - 1
    assert after.collateral * before.supply >= before.collateral * after.supply
    assert after.shares * before.supply <= before.shares * after.supply


def test_the_fee_is_bounded_by_leverage(series: Series) -> None:
    """Property: what an exit costs is at most fee * (leverage / target) of nav."""
    series.mint(100)
    for leverage in ("2", "3", "6") if series.long else ("0.5", "1", "3"):
        with boa.env.anchor():
            series.go(leverage)
            series.accrue()
            nav = Fraction(series.nav * wad(100), series.state.supply)
            got, debt = series.redeem(100)
            value = Fraction(got * series.price, 10**36) - debt
            multiple = Fraction(3, 1) if series.long else Fraction(2, 1)
            at = series.leverage if series.long else series.leverage + 1
            assert (
                nav - value <= nav * Fraction(1, 1_000) * at / multiple * Fraction(1001, 1000) + 3
            )


@pytest.mark.parametrize("fault", [REVERTS, BURNS_GAS])
def test_no_failure_of_the_feed_closes_the_exit(series: Series, fault: int) -> None:
    """Scenario: the feed reverts, or burns all gas, for a week.

    Property: redemptions pass at any time.
    """
    series.mint(2)
    series.world.feed.set_fault(fault)
    series.redeem(1)
    boa.env.time_travel(seconds=7 * 86_400)
    series.redeem(1)


def test_the_exit_is_open_at_full_utilisation(series: Series) -> None:
    """Scenario: the lender takes out all that is not borrowed.

    Property: a redemption brings the debt that it frees, and passes.
    """
    series.mint(10)
    lending = series.world.lending
    lending.withdraw(series.market, lending.lendable(series.market))
    assert lending.lendable(series.market) == 0
    series.redeem(10)


def test_the_exit_is_open_from_one_to_the_threshold(series: Series) -> None:
    """Property: Morpho refuses above its threshold, and nothing else does below it."""
    series.mint(10)
    for leverage in ("1.2", "7") if series.long else ("0.1", "6"):
        with boa.env.anchor():
            series.go(leverage)
            series.redeem(10)
    series.go("7.3" if series.long else "6.5")
    with boa.reverts():
        series.redeem(10)


def test_a_callback_needs_no_debt_before(series: Series) -> None:
    """Scenario: a contract redeems with data.

    Property: it has the collateral when it is asked for the debt, and may not be a unit short.
    """
    taker = deploy_double("Taker")
    keeper = series.world.roles.keeper
    series.loan.transfer(taker.address, series.loan.balanceOf(keeper) // 10, sender=keeper)
    series.mint(10)
    series.contract.transfer(taker.address, wad(10), sender=series.world.roles.holder)
    call = series.contract.redeem.prepare_calldata(wad(5), MOST, taker.address, b"x")
    taker.load([], 1)
    with boa.reverts("morpho_position: owed"):
        taker.act(series.address, call)
    taker.load([], 0)
    taker.act(series.address, call)
    assert series.collateral.balanceOf(taker.address) >= taker.amount() > 0


def test_dead_tokens_stay(series: Series) -> None:
    """Scenario: everybody redeems everything.

    Property: the dead tokens remain with their share of the position, and a mint works again.
    """
    creator = series.world.roles.deployer
    series.world.approve(series.loan, creator, series.contract)
    series.redeem(Fraction(series.contract.balanceOf(creator), WAD), who=creator)
    assert series.state.supply == DEAD_TOKENS == series.contract.balanceOf(DEAD)
    assert series.state.collateral > 0
    series.mint(100)
    assert series.contract.balanceOf(series.world.roles.holder) == wad(100)


def test_a_redemption_respects_its_bound(series: Series) -> None:
    """Property: no more than `most` debt is paid, and no more tokens than are held are burnt."""
    series.mint(2)
    who = series.world.roles.holder
    with boa.env.anchor():
        _, debt = series.redeem(1)
    with boa.reverts("leveraged_token: more than most"):
        series.contract.redeem(wad(1), debt - 1, who, sender=who)
    with boa.reverts("erc20: burn amount exceeds balance"):
        series.redeem(3)


def test_after_a_full_liquidation_the_exit_is_empty_and_open(series: Series) -> None:
    """Scenario: the price jumps beyond all collateral, and Morpho liquidates everything.

    Property: tokens can be redeemed for what is left, and minting is refused.
    """
    world: Any = series.world
    series.mint(10)
    series.go("3.3" if series.long else "1.2")
    series.world.move(series.price_at(300))
    held = series.position
    world.morpho.liquidate(
        tuple(series.market), series.address, held.collateral, 0, b"",
        sender=world.roles.attacker,
    )  # fmt: skip
    assert series.state.collateral == 0
    with boa.reverts("leveraged_token: above the band"):
        series.mint(1)
    series.redeem(10)
