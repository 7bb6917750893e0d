"""Lens, upkeep and zap where raw units are coarse or fine: 6, 8 and 18 decimals, BTC and SHIB."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import boa
import pytest

from support.chain.deploying import deploy_source
from support.chain.periphery import (
    MAX_LOSS,
    deploy_zap,
    nothing_is_left,
    rebalance_is_as_previewed,
)
from support.chain.series import CONTRACTS, WAD, Fund, ReserveTerms, Terms, Token
from support.chain.world import Setting, World

LATER = 2**40
LONG, SHORT = {"long": True, "creation_bps": 10}, {"long": False, "redemption_bps": 25}
WORLDS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], Any]] = {
    "BTC 8/6": (
        {"underlying_decimals": 8, "price": Fraction(60_000)},
        LONG,
        SHORT,
        1_000,
    ),
    "8/18, quote first": (
        {"underlying_decimals": 8, "quote_decimals": 18, "underlying_first": False},
        LONG,
        SHORT,
        1_000,
    ),
    "6/18, a feed of 18": (
        {"underlying_decimals": 6, "quote_decimals": 18, "feed_decimals": 18},
        LONG,
        SHORT,
        1_000,
    ),
    "SHIB 18/6": (
        {"price": Fraction(1, 100_000), "liquidity": Fraction(400_000_000)},
        {**LONG, "initial_nav": 1_000, "lent": 1_000},
        {**SHORT, "initial_nav": "0.01", "lent": 1_000},
        10**7,
    ),
}
"""Of each: the setting, the long's and the short's terms, and the reserve in whole underlyings."""


@pytest.fixture(scope="module", params=WORLDS.values(), ids=WORLDS.keys())
def fund(request: pytest.FixtureRequest) -> Fund:
    """A long and a short of 1,000 tokens each."""
    setting, long, short, initial = request.param
    reserve = ReserveTerms(initial=initial)
    return Fund(World(Setting(**setting)), Terms(**long), Terms(**short), reserve=reserve)


@pytest.fixture(scope="module")
def lens() -> Any:
    """One lens serves every token."""
    return deploy_source(CONTRACTS / "Lens.vy")


@pytest.fixture(scope="module")
def zap(fund: Fund) -> Any:
    """A zap for the fund's tokens."""
    return deploy_zap(fund)


def go(fund: Fund, factor: Any) -> None:
    """Feed, pool and the pool's mean at so many times the first price."""
    world = fund.world
    price = world.setting.price * Fraction(factor)
    world.move(price)
    boa.env.time_travel(seconds=61)
    world.pool.observe()
    world.set_feed(price)


@pytest.mark.parametrize("factor", ["0.85", "1.25"])
def test_previews_are_what_the_transactions_do(lens: Any, token: Token, factor: str) -> None:
    """Scenario: past a band. Property: mint, redemptions, rebalance and deposit as previewed."""
    go(token.fund, factor)
    contract, who = token.contract, token.world.roles.depositor
    for tokens in (WAD // 10, 3 * WAD):
        preview = lens.preview_mint(contract, tokens)
        assert contract.mint(tokens, 2**255, who, sender=who) == preview.assets
        preview = lens.preview_redeem(contract, tokens)
        assert contract.redeem(tokens, 0, who, sender=who) == preview.assets
        preview = lens.preview_redeem_in_kind(contract, tokens)
        assert contract.redeem_in_kind(tokens, 2**255, who, sender=who) == preview
    assets = token.position.collateral // 1_000
    tokens = lens.preview_deposit(contract, assets)
    assert assets * Fraction(9_995, 10_000) < contract.mint(tokens, assets, who, sender=who)
    rebalance_is_as_previewed(lens, token)
    assert token.due == "idle"


def test_the_overview_is_in_whole_assets(lens: Any, token: Token) -> None:
    """Scenario: 3 % off the first price. Property: prices, nav per token and distances."""
    go(token.fund, "1.03")
    world, seen = token.world, lens.overview(token.contract)
    price, supply = world.feed_price, Fraction(seen.state.supply, WAD)
    near = Fraction(1, 10**9)
    assert abs(Fraction(seen.price, WAD) / price - 1) < near
    assert abs(Fraction(seen.pool_price, WAD) / price - 1) < Fraction(1, 10**5)
    nav = Fraction(seen.nav_quote, 10**world.quote_decimals)
    assert abs(Fraction(seen.token_quote, WAD) * supply / nav - 1) < near
    assert abs(Fraction(seen.token_underlying, WAD) * supply * price / nav - 1) < Fraction(1, 10**4)
    side = 1 if token.long else -1
    for name, leverage in (
        ("band_down", seen.config.rule.upper),
        ("band_up", seen.config.rule.lower),
    ):
        distance = getattr(seen, name)
        held = token.position
        raw = Fraction(distance.price, WAD) * 10**world.quote_decimals
        raw /= 10**world.underlying_decimals
        value, debt = held.collateral * raw, Fraction(held.debt)
        if not token.long:
            value, debt = Fraction(held.collateral), held.debt * raw
        exposure = value if token.long else debt
        assert abs(exposure / (value - debt) / Fraction(leverage, WAD) - 1) < Fraction(1, 10**4)
        assert (distance.ratio < WAD) == (side == (1 if name == "band_down" else -1))


def test_the_most_that_is_minted_is_exact(lens: Any, token: Token) -> None:
    """Scenario: off the first price. Property: `max_mint` is minted, one unit more is refused."""
    go(token.fund, "0.97")
    contract, who = token.contract, token.world.roles.depositor
    most = lens.max_mint(contract)
    assert most > WAD
    with boa.reverts("leveraged_token: supply cap"):
        contract.mint(most + 1, 2**255, who, sender=who)
    contract.mint(most, 2**255, who, sender=who)


def test_a_zap_goes_in_and_out(zap: Any, token: Token) -> None:
    """Scenario: a thousandth of the token's worth of either asset in, exact tokens, and out.

    Property: within the guard, far inside of it there and back, and nothing is left.
    """
    world, who, address = token.world, token.world.roles.attacker, token.contract.address
    go(token.fund, "1.02")
    for coin in (world.underlying, world.quote):
        price = 1 if coin.address == world.underlying.address else world.feed_price
        amount = int(token.nav * price * 10 ** coin.decimals() / 1_000)
        tokens = zap.enter(address, coin.address, amount, 1, who, LATER, sender=who)
        worth = token.nav * price * 10 ** coin.decimals() * tokens
        worth /= token.contract.totalSupply()
        assert worth >= amount * (1 - MAX_LOSS) - 2
        nothing_is_left(zap, token)
        back = zap.exit(address, coin.address, tokens, 1, who, LATER, sender=who)
        assert amount * Fraction(97, 100) < back < amount
        nothing_is_left(zap, token)
        spent = zap.enter_exact(address, coin.address, tokens, 2 * amount, who, LATER, sender=who)
        assert abs(Fraction(spent, amount) - 1) < Fraction(1, 100)
        assert token.contract.balanceOf(who) >= tokens
        nothing_is_left(zap, token)


def test_an_upkeep_finds_both(fund: Fund) -> None:
    """Scenario: both bands are left. Property: both are named, rebalanced and paid for."""
    beneficiary = boa.env.generate_address("beneficiary")
    tokens = [token.contract.address for token in fund.tokens]
    upkeep = deploy_source(CONTRACTS / "Upkeep.vy", tokens, beneficiary)
    go(fund, "1.25")
    due, asked = upkeep.checkUpkeep(b"")
    assert (due, int.from_bytes(asked)) == (True, 3)
    upkeep.performUpkeep(asked)
    assert [token.due for token in fund.tokens] == ["idle", "idle"]
    assert fund.world.underlying.balanceOf(beneficiary) > 0
