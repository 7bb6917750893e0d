"""Where a test takes a token, and what an attacker has of it."""

from __future__ import annotations

from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import boa

from support.chain.series import WAD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.chain.series import Token

RAISES = {True: "2.58", False: "0.7"}
"""A leverage below the band, of a long and of a short."""
LOWERS = {True: "4", False: "1.6"}
"""A leverage above the band, before the emergency."""
EMERGENCY = {True: "5.5", False: "3"}
"""A leverage beyond the emergency's."""


def price_at(token: Token, leverage: Any) -> Fraction:
    """The price at which the position has this |leverage|."""
    wanted = Fraction(leverage)
    held = token.position
    debt = Fraction(held.debt, 10 ** token.loan.decimals())
    collateral = Fraction(held.collateral, 10 ** token.collateral.decimals())
    if token.long:
        return debt * wanted / (wanted - 1) / collateral
    return collateral * wanted / (1 + wanted) / debt


def go(token: Token, leverage: Any, seconds: int = 72) -> None:
    """Feed and pool to where the leverage is this; then time passes."""
    token.world.move(price_at(token, leverage))
    if seconds:
        token.world.pass_time(seconds)


def target_of(token: Token) -> int:
    """The target leverage of the usual long and short."""
    return 3 if token.long else 1


def tolerance_of(token: Token) -> Fraction:
    """How far from the feed's price a rebalance may end now, the pool's fee included."""
    config = token.contract.config()
    upper = Fraction(config.rule.upper, WAD)
    calm = 1 - 1 / upper if token.long else upper / (1 + upper)
    danger = (token.ltv - calm) / (Fraction(config.market.lltv, WAD) - calm)
    normal, most = config.tolerance_normal, config.tolerance_maximum
    return (normal + (most - normal) * min(max(danger, Fraction(0)), Fraction(1))) / WAD


def empty_reserve(token: Token) -> None:
    """Take all that the reserve holds, as no contract can."""
    world, reserve = token.world, token.fund.reserve.address
    held = world.underlying.balanceOf(reserve)
    world.underlying.transfer(world.roles.lender, held, sender=reserve)


def shares(token: Token) -> tuple[Fraction, Fraction]:
    """Collateral and debt shares per token: what no mint or redemption may worsen."""
    state = token.state
    return (
        Fraction(state.position.collateral, state.supply),
        Fraction(state.position.shares, state.supply),
    )


def claim(token: Token, who: Any) -> Fraction:
    """What somebody's tokens are worth in whole quote, at the feed's price."""
    held = Fraction(token.contract.balanceOf(getattr(who, "address", who)), WAD)
    supply = Fraction(token.state.supply, WAD)
    return token.nav * token.world.feed_price * held / supply if supply else Fraction(0)


def wealth(token: Token, who: Any) -> Fraction:
    """All that somebody has, in whole quote at the feed's price: both assets and the tokens."""
    return token.world.worth(who, token.world.feed_price) + claim(token, who)


@contextmanager
def base_fee(wei: int) -> Iterator[None]:
    """Blocks with this base fee."""
    context = boa.env.evm.vm.state.execution_context
    before = context._base_fee_per_gas
    context._base_fee_per_gas = wei
    try:
        yield
    finally:
        context._base_fee_per_gas = before
