"""Attacks on the price of a share: the first deposit, donations of every kind, dust."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import boa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.chain.driving import LOWERS, RAISES, claim, go, shares, target_of, wealth
from support.chain.series import WAD, Fund, ReserveTerms, Terms
from support.chain.world import Setting, World

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.chain.series import Token

DEAD = "0x000000000000000000000000000000000000dEaD"
CENT = Fraction(1, 100)


def give_collateral(token: Token, whole_quote: int) -> None:
    """The attacker supplies collateral on the token's behalf."""
    world = token.world
    price = world.feed_price if token.long else 1
    amount = int(whole_quote / price * 10 ** token.collateral.decimals())
    world.morpho.supplyCollateral(
        tuple(token.market), amount, token.contract.address, b"", sender=world.roles.attacker
    )


def repay_debt(token: Token, whole_quote: int) -> None:
    """The attacker repays debt on the token's behalf; all of it, if that is less."""
    world, held = token.world, token.position
    price = 1 if token.long else world.feed_price
    amount = int(whole_quote / price * 10 ** token.loan.decimals())
    exact = (0, held.shares) if amount >= held.debt else (amount, 0)
    world.morpho.repay(
        tuple(token.market), *exact, token.contract.address, b"", sender=world.roles.attacker
    )


def send(which: str, to: str) -> Callable[[Token, int], None]:
    """The attacker sends one of the two assets to the token or to its reserve."""

    def give(token: Token, whole_quote: int) -> None:
        asset = token.collateral if which == "collateral" else token.loan
        price = token.world.feed_price if asset is token.world.underlying else 1
        receiver = token.contract if to == "token" else token.fund.reserve
        amount = int(whole_quote / price * 10 ** asset.decimals())
        asset.transfer(receiver.address, amount, sender=token.world.roles.attacker)

    return give


GIFTS = {
    "collateral on behalf": give_collateral,
    "debt on behalf": repay_debt,
    "collateral to the token": send("collateral", "token"),
    "debt asset to the token": send("loan", "token"),
    "collateral to the reserve": send("collateral", "reserve"),
    "debt asset to the reserve": send("loan", "reserve"),
}


@pytest.mark.parametrize("long", [True, False], ids=["long", "short"])
@pytest.mark.parametrize("gift", [1_000, 1_000_000])
def test_the_first_depositor_cannot_inflate_a_share(world: World, long: bool, gift: int) -> None:
    """Scenario: the least first mint, a large gift, then a victim. Property: it pays nobody.

    The victim asks for exact tokens and gets their share to a unit; the attacker loses what the
    locked tokens hold of the gift, which is nearly all of it.
    """
    fund = Fund(world, Terms(long=long), launch=0, reserve=ReserveTerms(initial=0))
    token, attacker, victim = fund.tokens[0], world.roles.attacker, world.roles.depositor
    before, had = wealth(token, attacker), wealth(token, victim)
    per_token = Fraction(str(token.terms.initial_nav or ("0.01" if long else 20)))
    nav = per_token * (world.feed_price if long else 1)
    least = int(CENT / nav * WAD * Fraction(101, 100)) + 10**6
    token.contract.mint(least, 2**255, attacker, sender=attacker)
    give_collateral(token, gift)
    supply, held = token.state.supply, token.position
    tokens = supply // 1_000
    taken = token.contract.mint(tokens, 2**255, victim, sender=victim)
    assert taken <= Fraction(held.collateral * tokens, supply) + 1
    # a gift only lowers leverage: nothing here is near the pool's depth or a liquidation
    token.contract.redeem_in_kind(tokens, 2**255, victim, sender=victim)
    world.pool.move(2_000)
    units = Fraction(3, 10 ** token.collateral.decimals()) * (world.feed_price if long else 1)
    debt_units = Fraction(3, 10 ** token.loan.decimals()) * (1 if long else world.feed_price)
    swapped = Fraction(held.debt * tokens, supply) / 10 ** token.loan.decimals()
    cost = swapped * (1 if long else world.feed_price) * Fraction(6, 10_000)
    assert had - wealth(token, victim) <= cost + units + debt_units
    own = token.contract.balanceOf(attacker)
    token.contract.redeem_in_kind(own, 2**255, attacker, sender=attacker)
    assert before - wealth(token, attacker) > gift * Fraction(9, 10)


@pytest.mark.parametrize("gift", GIFTS.values(), ids=GIFTS.keys())
def test_no_donation_pays_its_giver(token: Token, gift: Callable[[Token, int], None]) -> None:
    """Scenario: an attacker with half the tokens gives, mints, redeems, allocates. Property: loses.

    At least a third of the gift stays with others, and no one else's share is worse.
    """
    world, attacker = token.world, token.world.roles.attacker
    amount = 5_000
    token.mint(1_000, who=attacker)
    world.pool.move(world.feed_price)
    before, others = wealth(token, attacker), claim(token, world.roles.depositor)
    collateral, debt = shares(token)
    gift(token, amount)
    token.contract.collect_fees(sender=attacker)
    after = shares(token)
    assert after[0] >= collateral
    assert after[1] <= debt
    token.mint(10, who=attacker)
    token.contract.redeem_in_kind(1_010 * WAD, 2**255, attacker, sender=attacker)
    world.pool.move(world.feed_price)
    assert before - wealth(token, attacker) > Fraction(amount, 3)
    assert claim(token, world.roles.depositor) >= others - CENT


@pytest.mark.parametrize("gift", GIFTS.values(), ids=GIFTS.keys())
def test_a_donation_closes_nothing(token: Token, gift: Callable[[Token, int], None]) -> None:
    """Scenario: a gift of 8 % of nav, then days as usual. Property: all ways in and out work."""
    gift(token, 1_600)
    token.mint(10)
    token.redeem(5)
    holder = token.world.roles.depositor
    token.contract.redeem_in_kind(5 * WAD, 2**255, holder, sender=holder)
    for where in (RAISES, LOWERS):
        go(token, where[token.long])
        token.rebalance()
        assert abs(token.leverage / target_of(token) - 1) < Fraction(1, 10**6)


@pytest.mark.parametrize("decimals", [(6, 6), (18, 6), (6, 18)], ids=str)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["mint", "redeem", "in kind"]), st.integers(1, 10**14)),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=5, deadline=None)
def test_dust_never_adds_up(
    dusty: dict[tuple[int, int], Fund], decimals: tuple[int, int], steps: list[tuple[str, int]]
) -> None:
    """Scenario: mints and redemptions from 1 wei of tokens. Property: never a unit from others.

    What is too small is refused; what goes through leaves collateral per token no lower and debt
    shares per token no higher, exactly.
    """
    for token in dusty[decimals].tokens:
        attacker = token.world.roles.attacker
        with boa.env.anchor():
            token.contract.transfer(attacker, WAD, sender=token.world.roles.depositor)
            before = shares(token)
            for what, tokens in steps:
                try:
                    if what == "mint":
                        token.contract.mint(tokens, 2**255, attacker, sender=attacker)
                    elif what == "redeem":
                        token.contract.redeem(tokens, 0, attacker, sender=attacker)
                    else:
                        token.contract.redeem_in_kind(tokens, 2**255, attacker, sender=attacker)
                except boa.BoaError as refused:
                    said = str(refused)
                    # a unit of debt may not buy a unit of collateral: the pool then takes for free;
                    # or it costs more than the share holds, and WETH refuses without a word
                    costly = what == "redeem" and "external call failed" in said
                    words = ("dust", "thin pool", "slippage")
                    if not costly and not any(word in said for word in words):
                        raise
                after = shares(token)
                assert after[0] >= before[0]
                assert after[1] <= before[1]
                before = after


@pytest.fixture(scope="session")
def dusty() -> dict[tuple[int, int], Fund]:
    """A long and a short of each pair of decimals, 100 tokens launched."""
    made = {}
    for underlying, quote in ((6, 6), (18, 6), (6, 18)):
        setting = Setting(underlying_decimals=underlying, quote_decimals=quote)
        world = World(setting)
        made[underlying, quote] = Fund(world, Terms(), Terms(long=False), launch=100)
    return made


def test_whoever_repays_all_debt_makes_a_gift(token: Token) -> None:
    """Scenario: an attacker repays every unit of debt on behalf. Property: holders have it.

    The token goes on: it is raised to its target again, and minting opens with that.
    """
    others = claim(token, token.world.roles.depositor)
    repay_debt(token, 10**9)
    assert token.position.debt == 0
    gained = claim(token, token.world.roles.depositor) - others
    assert gained > 15_000
    holder = token.world.roles.depositor
    with boa.env.anchor():
        token.contract.redeem_in_kind(500 * WAD, 2**255, holder, sender=holder)
        token.redeem(100)
    assert token.due == "band_up"
    while token.due != "idle":
        token.rebalance()
        token.world.pool.move(token.world.feed_price)
        token.world.pass_time(612, every=60)
    assert abs(token.leverage / target_of(token) - 1) < Fraction(5, 10_000)
    token.mint(10)
