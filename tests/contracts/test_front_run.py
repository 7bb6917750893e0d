"""A front-run of a rebalance: what it can add to what the rebalance itself leaves to be taken.

With a pool of even liquidity D a side, a tolerance t, its fee f and c = t - f, a rebalance of N
that fits moves the pool by 2 N / D. Who pushes the pool ahead of it by d buys D d / 2, pays f of it
twice, and sells N of it to the token d dearer: it adds d (N - D f). It can push by c - 2 N / D at
most; beyond, it shrinks the fill and loses. The best of it, at N / D = sqrt(c f / 2), adds

    (sqrt(t - f) - sqrt(2 f))^2    of the notional,

and nothing where t <= 3 f.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import boa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.chain.refusals import reason
from support.chain.series import Fund, Terms
from support.chain.world import Setting, World

if TYPE_CHECKING:
    from support.chain.series import Token

FEE = Fraction(5, 10_000)
SLACK = Fraction(2, 10**6)
"""Of the notional: the pool's price is not quite even over the way."""


@pytest.fixture(scope="module")
def tight() -> list[Token]:
    """A long and a short whose tolerance is three times the pool's fee."""
    return Fund(
        World(Setting()),
        Terms(long=True, tolerance_normal="0.0015"),
        Terms(long=False, tolerance_normal="0.0015"),
    ).tokens


@pytest.fixture(scope="module")
def wide() -> list[Token]:
    """The same with a tolerance of 0.3 %, six times the fee."""
    return Fund(World(Setting()), Terms(long=True), Terms(long=False)).tokens


def out_of_band(token: Token) -> None:
    """Feed and pool to where leverage has to rise: no danger, the tolerance is the normal one."""
    held = token.position
    debt = Fraction(held.debt, 10 ** token.loan.decimals())
    collateral = Fraction(held.collateral, 10 ** token.collateral.decimals())
    leverage = Fraction(255, 100) if token.long else Fraction(75, 100)
    price = debt * leverage / (leverage - 1) / collateral
    if not token.long:
        price = collateral * leverage / (1 + leverage) / debt
    token.world.move(price)
    token.world.pass_time(72)


def gain(token: Token, push: Fraction) -> tuple[Fraction, Fraction] | None:
    """What an attacker gains by push, rebalance and the way back, pay aside; and the notional."""
    world, attacker = token.world, token.world.roles.attacker
    price = world.feed_price
    with boa.env.anchor():
        start = world.worth(attacker, price)
        if push:
            world.pool.move(price * (1 + push if token.long else 1 - push), attacker)
        try:
            told = token.rebalance()
        except boa.BoaError:
            assert reason(token.contract) in {"leveraged_token: tiny fill", "oracle_guard: refused"}
            return None
        world.pool.move(price, attacker)
        notional = Fraction(told.notional, 10**world.quote_decimals)
        return world.worth(attacker, price) - start, notional


def added(token: Token, liquidity: int, push: Fraction) -> Fraction | None:
    """What the push added to the way back alone, as a share of the notional without it."""
    world = token.world
    with boa.env.anchor():
        if liquidity < 5_000:
            world.pool.remove(1 - Fraction(liquidity, 5_000))
        out_of_band(token)
        alone = gain(token, Fraction(0))
        assert alone is not None, "liquidity is enough for a rebalance"
        pushed = gain(token, push)
        return None if pushed is None else (pushed[0] - alone[0]) / alone[1]


LIQUIDITY = st.integers(1_500, 5_000)
PUSH = st.integers(1, 24).map(lambda points: Fraction(points, 10_000))


@pytest.mark.parametrize("side", [0, 1], ids=["long", "short"])
@given(liquidity=LIQUIDITY, push=PUSH)
@settings(max_examples=8, deadline=None)
def test_at_three_times_the_fee_a_front_run_never_pays(
    tight: list[Token], side: int, liquidity: int, push: Fraction
) -> None:
    """Scenario: any push, any even liquidity. Property: it adds nothing."""
    more = added(tight[side], liquidity, push)
    assert more is None or more <= SLACK


@pytest.mark.parametrize("side", [0, 1], ids=["long", "short"])
@given(liquidity=LIQUIDITY, push=PUSH)
@settings(max_examples=8, deadline=None)
def test_at_a_wider_tolerance_a_front_run_adds_what_the_formula_says(
    wide: list[Token], side: int, liquidity: int, push: Fraction
) -> None:
    """Scenario: the same at 0.3 %. Property: at most (sqrt(t - f) - sqrt(2 f))^2, 3.4 bp."""
    more = added(wide[side], liquidity, push)
    # the squares of the two roots, and twice their product, rounded up
    bound = Fraction(25 + 10, 10_000) - 2 * Fraction(158_113, 10**8)
    assert more is None or more <= bound + SLACK


def test_the_formula_is_reached(wide: list[Token]) -> None:
    """Scenario: the liquidity and the push that it names. Property: a front-run does pay there."""
    reached = [
        more
        for liquidity in (3_800, 4_200, 4_600, 5_000)
        for points in (6, 9, 12)
        if (more := added(wide[0], liquidity, Fraction(points, 10_000))) is not None
    ]
    assert max(reached) > 0
