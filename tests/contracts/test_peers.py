"""The peers in the bill for gas really do the step that they are billed for."""

from __future__ import annotations

from fractions import Fraction

from support.chain.aave import Aave
from support.chain.perpetual import Perpetual
from support.chain.world import World

WETH, USDC = 10**18, 10**6


def aave_leverage(peer: Aave, who: object) -> Fraction:
    """Collateral over what is left of it after the debt, as Aave reports both."""
    collateral, debt, *_ = peer.pool.getUserAccountData(who)
    return Fraction(collateral, collateral - debt)


def test_a_step_on_aave_changes_leverage(world: World) -> None:
    """From 3x, 2,000 USDC more are 3.1x of 20,000; the same in WETH sold are 3x again."""
    peer, who = Aave(world), world.roles.holder
    peer.supply(world.quote, 10**7 * USDC, world.roles.lender)
    peer.supply(world.underlying, 30 * WETH, who)
    peer.up(40_000 * USDC, who)[0]()
    assert aave_leverage(peer, who) == 3
    for step in peer.up(2_000 * USDC, who):
        step()
    assert abs(aave_leverage(peer, who) - Fraction(31, 10)) < 0.001
    for step in peer.down(WETH, who):
        step()
    assert abs(aave_leverage(peer, who) - 3) < 0.001


def test_a_step_on_perpetual_changes_leverage(world: World) -> None:
    """From 30 ETH long, 2,000 dollars more are one ETH more, and as many less one less."""
    peer, who = Perpetual(world), world.roles.holder
    peer.deposit(20_000, who)
    peer.up(60_000, who)[0]()
    opened = Fraction(peer.position(who), WETH)
    assert abs(opened / 30 - 1) < 0.01
    peer.up(2_000, who)[0]()
    raised = Fraction(peer.position(who), WETH)
    assert abs(raised - opened - 1) < 0.02
    peer.down(2_000, who)[0]()
    # The fee is on top of what is sold for, so that a little more is sold than was bought.
    assert 0 < opened - Fraction(peer.position(who), WETH) < 0.01
