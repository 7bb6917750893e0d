"""mint: exact tokens, in proportion to the position, no oracle, within the pool's depth."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import boa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.chain.series import WAD, Fund, ReserveTerms, Terms
from support.chain.world import World

if TYPE_CHECKING:
    from support.chain.series import Token


def shares_of(token: Token) -> tuple[Fraction, Fraction]:
    """Collateral and debt shares per token."""
    state = token.state
    return (
        Fraction(state.position.collateral, state.supply),
        Fraction(state.position.shares, state.supply),
    )


def test_the_first_mint_is_at_the_target(token: Token) -> None:
    """Scenario: 1,000 tokens were launched. Property: target leverage, initial nav, dead shares."""
    assert abs(token.leverage / (3 if token.long else 1) - 1) < Fraction(1, 10**6)
    nav = 10 if token.long else Fraction(20_000) / 2_000
    assert abs(token.nav / nav - 1) < Fraction(1, 10**6)
    assert token.contract.totalSupply() == 1_000 * WAD
    locked = token.contract.balanceOf("0x000000000000000000000000000000000000dEaD")
    worth = token.nav * locked / token.state.supply * 2_000
    # 10,000 units of USDC, the coarser of the two, are a cent
    assert Fraction(1, 100) <= worth < Fraction(11, 1_000)


def test_a_first_mint_of_less_than_what_it_locks_is_refused(world: World) -> None:
    """Scenario: a first mint of dust. Property: refused; nobody becomes a sole dust holder."""
    fund = Fund(world, Terms(), launch=0, reserve=ReserveTerms(initial=0))
    with boa.reverts("leveraged_token: too few"):
        fund.tokens[0].contract.mint(10**10, 2**255, world.roles.attacker)


def test_the_first_mint_needs_a_fresh_price(world: World) -> None:
    """Scenario: a launch on an old answer. Property: refused, as its leverage would be unknown."""
    fund = Fund(world, Terms(), launch=0, reserve=ReserveTerms(initial=0))
    boa.env.time_travel(seconds=3_701)
    with boa.reverts("oracle_guard: refused"):
        fund.tokens[0].mint(1)
    world.set_feed(2_000)
    fund.tokens[0].mint(1)


@pytest.mark.parametrize("launched", [0, 1], ids=["long", "short"])
@given(tokens=st.integers(10**13, 10**20), days=st.integers(0, 400))
@settings(max_examples=25, deadline=None)
def test_position_and_supply_grow_by_one_factor(
    fund: Fund, launched: int, tokens: int, days: int
) -> None:
    """Scenario: any mint after any accrual. Property: nobody's share of it shrinks, exactly."""
    token = fund.tokens[launched]
    with boa.env.anchor():
        boa.env.time_travel(seconds=days * 86_400 + 1)
        before = shares_of(token)
        token.contract.mint(tokens, 2**255, fund.world.roles.depositor)
        after = shares_of(token)
    # in favour of those who were there, by less than one unit of collateral and one share
    assert 0 <= after[0] - before[0] < Fraction(1, 1_000 * WAD)
    assert 0 <= before[1] - after[1] < Fraction(1, 1_000 * WAD)


@pytest.fixture(autouse=True)
def _depositor_is_sender(world: World) -> None:
    """Calls without a sender are the depositor's."""
    boa.env.eoa = world.roles.depositor


def test_the_minter_pays_for_the_swap_and_no_more(token: Token) -> None:
    """Scenario: 10 tokens. Property: their nav, the swap's cost on top, nothing for the others."""
    nav = token.nav / 1_000 * 10
    taken = Fraction(token.mint(10), 10 ** token.collateral.decimals())
    paid = taken if token.long else taken / 2_000
    # the debt drawn is twice nav for the long, once for the short; it pays 5 bp and some impact
    drawn = nav * (2 if token.long else 1)
    assert drawn * Fraction(5, 10_000) < paid - nav < drawn * Fraction(7, 10_000)


def test_no_more_than_the_maximum_is_taken(token: Token) -> None:
    """Scenario: bounds one unit apart. Property: taken up to the bound, refused beyond it."""
    with boa.env.anchor():
        taken = token.mint(10)
    with boa.reverts("leveraged_token: slippage"):
        token.mint(10, most=taken - 1)
    assert token.mint(10, most=taken) == taken


def test_minting_asks_no_oracle(token: Token) -> None:
    """Scenario: the feed reverts for a week. Property: minting goes on at the last good price."""
    world = token.world
    world.feed.set_fault(1)
    boa.env.time_travel(seconds=7 * 86_400)
    token.mint(1)


def test_the_supply_cap_follows_the_pool(token: Token) -> None:
    """Scenario: liquidity halves. Property: what could be minted before is refused after."""
    world = token.world
    # 12,500 WETH a side sell 2.5 % of 25,000,000 within 5 %: twice nav is that much at 155 nav
    with boa.env.anchor():
        token.mint(10_000)
    with boa.env.anchor(), boa.reverts("leveraged_token: supply cap"):
        token.mint(17_000)
    world.pool.remove(Fraction(1, 2))
    with boa.reverts("leveraged_token: supply cap"):
        token.mint(10_000)
    token.mint(2_500)


def test_dust_is_refused(token: Token) -> None:
    """Scenario: so few tokens that they owe nothing. Property: refused, not given away."""
    with boa.reverts("leveraged_token: dust"):
        token.contract.mint(1, 2**255, token.world.roles.depositor)


def test_fees_are_on_the_assets_brought(world: World) -> None:
    """Scenario: a creation fee of 50 bp. Property: that share of the nav brought lies here."""
    terms = (Terms(creation_bps=50), Terms(long=False, creation_bps=50))
    fund = Fund(world, *terms, reserve=ReserveTerms(initial=0))
    for token in fund.tokens:
        before = token.collateral.balanceOf(token.contract.address)
        taken = token.mint(10)
        fee = token.collateral.balanceOf(token.contract.address) - before
        assert token.event("Minted").fee == fee
        assert abs(fee - (taken - fee) * 50 // 10_000) <= 1


def test_nothing_is_minted_while_nav_is_zero(token: Token) -> None:
    """Scenario: nav is 0, nobody has closed minting. Property: refused; for good if asked."""
    world = token.world
    world.set_feed(1_300 if token.long else 4_100)
    assert token.nav == 0
    with boa.env.anchor():
        with boa.reverts():
            token.mint(1)
        world.set_feed(2_000)
        token.mint(1)
    token.contract.close_minting(sender=world.roles.attacker)
    world.set_feed(2_000)
    assert token.nav > 0
    with boa.reverts("leveraged_token: mint closed"):
        token.mint(1)
    token.redeem(1)


def test_minting_closes_for_good_at_nav_zero(token: Token) -> None:
    """Scenario: liquidated to nothing, then somebody gives it collateral. Property: closed."""
    world = token.world
    with boa.reverts("leveraged_token: not wiped out"):
        token.contract.close_minting()
    held = token.position
    gone = 1_000 if token.long else 4_000
    world.set_feed(gone)
    params = tuple(token.market)
    attacker = world.roles.attacker
    world.morpho.liquidate(params, token.contract.address, held.collateral, 0, b"", sender=attacker)
    assert token.position.collateral == 0
    token.contract.close_minting()
    assert token.state.minting_closed
    world.set_feed(2_000)
    world.morpho.supplyCollateral(params, 10**9, token.contract.address, b"", sender=attacker)
    with boa.reverts("leveraged_token: mint closed"):
        token.mint(1)
    assert token.due == "idle"
