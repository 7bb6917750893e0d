"""redeem: exact tokens for their share of the position, paid in collateral, no oracle."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import boa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.chain.series import WAD, Fund, ReserveTerms, Terms

if TYPE_CHECKING:
    from support.chain.series import Token
    from support.chain.world import World


@pytest.fixture(autouse=True)
def _depositor_is_sender(world: World) -> None:
    """Calls without a sender are the depositor's."""
    boa.env.eoa = world.roles.depositor


@pytest.mark.parametrize("launched", [0, 1], ids=["long", "short"])
@given(tokens=st.integers(10**13, 9 * 10**20), days=st.integers(0, 100))
@settings(max_examples=25, deadline=None)
def test_what_stays_is_at_least_the_share_of_those_who_stay(
    fund: Fund, launched: int, tokens: int, days: int
) -> None:
    """Scenario: any redemption after any accrual. Property: exact, in favour of those who stay."""
    token = fund.tokens[launched]
    with boa.env.anchor():
        boa.env.time_travel(seconds=days * 86_400 + 1)
        before = token.state
        token.contract.redeem(tokens, 0, fund.world.roles.depositor)
        after = token.state
    left = Fraction(after.supply, before.supply)
    assert 0 <= after.position.collateral - before.position.collateral * left < 1
    assert 0 <= before.position.shares * left - after.position.shares < 1


def test_the_redeemer_gets_nav_less_the_swap(token: Token) -> None:
    """Scenario: 100 of 1,000 tokens. Property: a tenth of nav, less the swap's cost."""
    nav = token.nav / 10
    given_ = Fraction(token.redeem(100), 10 ** token.collateral.decimals())
    got = given_ if token.long else given_ / 2_000
    swapped = nav * (2 if token.long else 1)
    assert swapped * Fraction(5, 10_000) < nav - got < swapped * Fraction(10, 10_000)


def test_no_less_than_the_minimum_is_given(token: Token) -> None:
    """Scenario: bounds one unit apart. Property: given down to the bound, refused beyond it."""
    with boa.env.anchor():
        assets = token.redeem(100)
    with boa.reverts("leveraged_token: slippage"):
        token.redeem(100, least=assets + 1)
    assert token.redeem(100, least=assets) == assets


def test_everything_but_what_is_locked_can_leave(token: Token) -> None:
    """Scenario: the only holder redeems all. Property: it goes, and others can come again."""
    holder = token.world.roles.depositor
    token.contract.redeem(token.contract.balanceOf(holder), 0, holder)
    assert 0 < token.contract.totalSupply() < 10**15
    assert token.position.collateral > 0
    token.world.pool.move(2_000)
    token.mint(10)
    assert abs(token.leverage / (3 if token.long else 1) - 1) < Fraction(1, 100)


def test_what_one_does_not_hold_cannot_be_redeemed(token: Token) -> None:
    """Scenario: somebody without tokens. Property: refused."""
    with boa.reverts("erc20: burn amount exceeds balance"):
        token.redeem(1, who=token.world.roles.attacker)


@pytest.mark.parametrize("fault", [1, 2], ids=["reverts", "burns-gas"])
def test_a_dead_feed_closes_nothing(token: Token, fault: int) -> None:
    """Scenario: a feed dead for seven days. Property: redemption is open."""
    token.world.feed.set_fault(fault)
    boa.env.time_travel(seconds=7 * 86_400)
    token.redeem(100)


def test_a_pool_too_thin_is_said_so(token: Token) -> None:
    """Scenario: nearly all liquidity gone. Property: refused, in kind stays open."""
    token.world.pool.remove(Fraction(999_999, 1_000_000))
    with boa.reverts("leveraged_token: thin pool"):
        token.redeem(500)
    holder = token.world.roles.depositor
    token.contract.redeem_in_kind(500 * WAD, 2**255, holder)


def test_fees_are_on_the_assets_given(world: World) -> None:
    """Scenario: a redemption fee of 50 bp. Property: that share of what leaves stays here."""
    terms = (Terms(redemption_bps=50), Terms(long=False, redemption_bps=50))
    for token in Fund(world, *terms, reserve=ReserveTerms(initial=0)).tokens:
        assets = token.redeem(10)
        fee = token.collateral.balanceOf(token.contract.address)
        assert token.event("Redeemed").fee == fee
        assert abs(fee - (assets + fee) * 50 // 10_000) <= 1


def test_mint_and_redeem_leave_their_author_poorer(token: Token) -> None:
    """Scenario: there and back again. Property: it costs the swaps, whatever the order."""
    world, attacker = token.world, token.world.roles.attacker
    before = world.worth(attacker, 2_000)
    token.mint(50, who=attacker)
    token.redeem(25, who=attacker)
    token.contract.redeem_in_kind(25 * WAD, 2**255, attacker, sender=attacker)
    world.pool.move(2_000)
    assert world.worth(attacker, 2_000) < before
