"""redeem_in_kind: collateral against debt; open whatever feed, pool and reserve do."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import boa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.chain.series import WAD

if TYPE_CHECKING:
    from support.chain.series import Fund, Token
    from support.chain.world import World


@pytest.fixture(autouse=True)
def _depositor_is_sender(world: World) -> None:
    """Calls without a sender are the depositor's."""
    boa.env.eoa = world.roles.depositor


def leave(token: Token, tokens: int, most: int = 2**255) -> tuple[int, int]:
    """Redeem raw tokens of the depositor in kind."""
    holder = token.world.roles.depositor
    return token.contract.redeem_in_kind(tokens, most, holder)


@pytest.mark.parametrize("launched", [0, 1], ids=["long", "short"])
@given(tokens=st.integers(10**13, 9 * 10**20), days=st.integers(0, 100))
@settings(max_examples=25, deadline=None)
def test_a_share_of_collateral_against_a_share_of_debt(
    fund: Fund, launched: int, tokens: int, days: int
) -> None:
    """Scenario: any amount after any accrual. Property: both shares exact to a unit, no fee."""
    token = fund.tokens[launched]
    with boa.env.anchor():
        boa.env.time_travel(seconds=days * 86_400 + 1)
        before = token.state
        collateral, debt = leave(token, tokens)
        after = token.state
    share = Fraction(tokens, before.supply)
    assert 0 <= before.position.collateral * share - collateral < 1
    assert 0 <= debt - before.position.debt * share < 2
    assert after.position.collateral == before.position.collateral - collateral


def test_no_more_debt_than_the_maximum_is_taken(token: Token) -> None:
    """Scenario: bounds one unit apart. Property: taken up to the bound, refused beyond it."""
    with boa.env.anchor():
        debt = leave(token, 100 * WAD)[1]
    with boa.reverts("leveraged_token: slippage"):
        leave(token, 100 * WAD, debt - 1)
    leave(token, 100 * WAD, debt)


@pytest.mark.parametrize("fault", [1, 2], ids=["reverts", "burns-gas"])
def test_it_is_open_with_a_dead_feed(token: Token, fault: int) -> None:
    """Scenario: the feed dead for seven days. Property: half the supply leaves."""
    token.world.feed.set_fault(fault)
    boa.env.time_travel(seconds=7 * 86_400)
    leave(token, 500 * WAD)


@pytest.mark.parametrize("answer", [0, -1, -(2**254), 2**200], ids=str)
def test_it_is_open_with_an_absurd_answer(token: Token, answer: int) -> None:
    """Scenario: zero, negative and enormous answers. Property: it is open."""
    token.world.feed.update(answer)
    leave(token, 500 * WAD)


def test_it_is_open_without_a_pool_and_a_reserve(token: Token) -> None:
    """Scenario: no liquidity, an empty reserve. Property: it is open."""
    world = token.world
    world.pool.remove(1)
    held = world.underlying.balanceOf(token.fund.reserve.address)
    with boa.env.prank(token.fund.reserve.address):
        world.underlying.transfer(world.roles.attacker, held)
    leave(token, 500 * WAD)


def test_it_is_open_up_to_the_liquidation_threshold(token: Token) -> None:
    """Scenario: prices around 86 % of the collateral. Property: open below, Morpho's above it."""
    held = token.position
    debt = Fraction(held.debt, 10 ** token.loan.decimals())
    collateral = Fraction(held.collateral, 10 ** token.collateral.decimals())
    threshold = debt / collateral / Fraction(86, 100)
    price = threshold if token.long else 1 / threshold
    safer, worse = (1.000001, 0.999999) if token.long else (0.999999, 1.000001)
    token.world.set_feed(price * Fraction(safer))
    with boa.env.anchor():
        leave(token, 500 * WAD)
    token.world.set_feed(price * Fraction(worse))
    with boa.reverts():
        leave(token, 500 * WAD)


def test_dust_is_refused(token: Token) -> None:
    """Scenario: one wei of tokens, worth no unit of collateral. Property: refused for a short."""
    if token.long:
        collateral, debt = leave(token, 10**3)
        assert (collateral > 0, debt) == (True, 1)
    else:
        with boa.reverts("leveraged_token: dust"):
            leave(token, 10**3)
