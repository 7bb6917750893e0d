"""The lens: a preview is what the transaction does, and an overview what the contracts say."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import boa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.chain.anvil import anvil, unavailable
from support.chain.deploying import deploy_source
from support.chain.driving import base_fee
from support.chain.periphery import (
    amounts,
    attempt,
    few,
    rebalance_is_as_previewed,
    same,
    situations,
)
from support.chain.series import CONTRACTS, WAD, Fund, Terms, Token, trigger
from support.chain.world import Setting, World

if TYPE_CHECKING:
    from support.chain.periphery import Situation

NEVER = 2**256 - 1
GWEI = 10**9
HELD = 990 * WAD
"""Of each token the depositor holds a little more."""


@pytest.fixture(scope="module")
def lens(world: World) -> Any:
    """The lens, on the chain of the world."""
    return deploy_source(CONTRACTS / "Lens.vy", sender=world.roles.deployer)


@pytest.fixture(scope="module")
def charging(world: World) -> Fund:
    """A long to the edge and a short in clips, both with fees: every term differs from nothing."""
    fees = {"creation_bps": 10, "redemption_bps": 25}
    return Fund(
        world,
        Terms(long=True, to_edge=True, **fees),
        Terms(long=False, max_trade_notional=5_000, **fees),
    )


@pytest.fixture(params=[0, 1], ids=["long", "short"])
def priced(request: pytest.FixtureRequest, charging: Fund) -> Token:
    """One of the tokens with fees."""
    return charging.tokens[request.param]


@few(33)
@given(
    situation=situations(),
    minted=amounts(4_000 * WAD),
    redeemed=amounts(HELD),
    gas_price=st.sampled_from([0, GWEI, 50 * GWEI]),
)
def test_a_preview_is_what_the_transaction_does(
    lens: Any, priced: Token, situation: Situation, minted: int, redeemed: int, gas_price: int
) -> None:
    """Scenario: any price, time, pool and size; each preview, then its transaction at once.

    Property: the same figures to the last unit, gas and all; what is refused is refused by both.
    """
    token, who = priced.contract, priced.world.roles.depositor
    with boa.env.anchor(), base_fee(gas_price):
        situation.arrange(priced.world)
        mint = attempt(lambda: lens.preview_mint(token, minted))
        done = attempt(lambda: token.mint(minted, 2**255, who, sender=who))
        same(mint and mint.assets, done, "mint")
        redeem = attempt(lambda: lens.preview_redeem(token, redeemed))
        done = attempt(lambda: token.redeem(redeemed, 0, who, sender=who))
        same(redeem and redeem.assets, done, "redeem")
        kind = attempt(lambda: lens.preview_redeem_in_kind(token, redeemed))
        done = attempt(lambda: token.redeem_in_kind(redeemed, 2**255, who, sender=who))
        same(kind, done, "redeem in kind")
        rebalance_is_as_previewed(lens, priced)


@pytest.mark.parametrize("price", [1_650, 2_500], ids=["falls", "rises"])
def test_a_rebalance_that_acts_is_previewed_with_its_pay(
    lens: Any, priced: Token, price: int
) -> None:
    """Scenario: the price has left a band, gas costs 30 gwei. Property: as the event, pay > 0."""
    go_to(priced, Fraction(price))
    with base_fee(30 * GWEI):
        assert lens.preview_rebalance(priced.contract).pay > 0
        rebalance_is_as_previewed(lens, priced)


@pytest.mark.skipif(unavailable() is not None, reason=str(unavailable()))
def test_the_pay_is_that_of_a_transaction_of_its_own() -> None:
    """Scenario: on a node, gas at 1 gwei: the preview by eth_call, then the transaction.

    Property: the same pay to the last wei, though the preview reads what the transaction finds
    cold.
    """
    with anvil() as env:
        world = World(Setting())
        token = Fund(world, Terms()).tokens[0]
        lens = deploy_source(CONTRACTS / "Lens.vy")
        world.move(1_650)
        boa.env.time_travel(seconds=61)
        world.set_feed(1_650)
        pays = []
        for gas_price in (1, GWEI):
            with boa.env.anchor():
                env.ask("anvil_setNextBlockBaseFeePerGas", hex(gas_price))
                preview = lens.preview_rebalance(token.contract, simulate=True)
                event = token.rebalance()
                assert int(env.receipt["effectiveGasPrice"], 16) == gas_price
                assert preview.pay == event.pay_by_reserve + event.pay_by_nav
                pays.append(preview.pay)
        gas = Fraction(pays[1] - pays[0], GWEI - 1)
        assert abs(gas / env.gas_used - 1) < Fraction(1, 10)


@pytest.mark.parametrize("long", [True, False], ids=["long", "short"])
def test_the_first_mint_is_previewed(lens: Any, world: World, long: bool) -> None:
    """Scenario: nothing minted yet. Property: assets, and the tokens less those locked."""
    token = Fund(world, Terms(long=long, creation_bps=10), launch=0).tokens[0]
    who = world.roles.depositor
    preview = lens.preview_mint(token.contract, 50 * WAD)
    assert token.mint(50) == preview.assets
    assert token.contract.balanceOf(who) == preview.tokens < 50 * WAD
    assert token.position.collateral == preview.collateral


def test_nothing_minted_is_seen_as_nothing(lens: Any, world: World) -> None:
    """Scenario: no supply. Property: an overview of zeros, no redemption, no rebalance."""
    token = Fund(world, Terms(), launch=0).tokens[0].contract
    seen = lens.overview(token)
    assert (seen.nav_quote, seen.token_quote, seen.leverage, seen.loan_to_value) == (0, 0, 0, 0)
    assert (seen.trigger, seen.danger, seen.fallback_at) == (0, 0, 0)
    assert lens.preview_rebalance(token).reason == "leveraged_token: nothing to do"
    for refused in (lens.preview_redeem, lens.preview_redeem_in_kind):
        with boa.reverts("lens: more than supply"):
            refused(token, 1)
    with boa.reverts("lens: not launched"):
        lens.preview_deposit(token, WAD)


def test_a_mint_is_refused_in_the_words_of_the_token(
    lens: Any, world: World, priced: Token
) -> None:
    """Scenario: too much for the pool's depth; an oracle that is stale at launch.

    Property: the preview reverts with the very reason of the transaction.
    """
    token, who = priced.contract, world.roles.depositor
    for call in (
        lambda: lens.preview_mint(token, 10**6 * WAD),
        lambda: token.mint(10**6 * WAD, 2**255, who, sender=who),
    ):
        with boa.reverts("leveraged_token: supply cap"):
            call()
    fresh = Fund(world, Terms(), launch=0).tokens[0].contract
    world.feed.set_fault(1)
    with boa.reverts("oracle_guard: refused"):
        lens.preview_mint(fresh, WAD)


def refused_beyond(token: Token, most: int) -> str:
    """What the token says against one more than so many; so many, if any, are minted."""
    who = token.world.roles.depositor
    if most:
        with boa.env.anchor():
            token.contract.mint(most, 2**255, who, sender=who)
    with boa.env.anchor(), pytest.raises(boa.BoaError) as refused:
        token.contract.mint(most + 1, 2**255, who, sender=who)
    return str(refused.value)


@few(33)
@given(situation=situations())
def test_the_most_that_can_be_minted_is_known_to_the_unit(
    lens: Any, token: Token, situation: Situation
) -> None:
    """Scenario: any situation in which Morpho leaves the position alone, however thin the pool.

    Property: so many tokens are minted, one more is over the cap. Where it is reached, nothing: one
    unit is over it, or no debt at all and refused as dust.
    """
    with boa.env.anchor():
        situation.arrange(token.world)
        if token.ltv >= Fraction(token.market.lltv, WAD):
            return
        most = lens.max_mint(token.contract)
        refused = refused_beyond(token, most)
        assert "supply cap" in refused or (most == 0 and "dust" in refused)


@pytest.mark.parametrize("long", [True, False], ids=["long", "short"])
@pytest.mark.parametrize("price", [2_000, "1777.77"])
def test_the_most_of_a_launch_is_known_to_the_unit(
    lens: Any, world: World, long: bool, price: Any
) -> None:
    """Scenario: nothing minted yet; then nearly no liquidity; then an old feed.

    Property: the most is launched and one more is over the cap; none where all would be locked, nor
    where the feed's answer is not fresh.
    """
    world.move(Fraction(price))
    token = Fund(world, Terms(long=long, initial_nav="0.0123"), launch=0).tokens[0]
    most = lens.max_mint(token.contract)
    assert most > 0
    assert "supply cap" in refused_beyond(token, most)
    with boa.env.anchor():
        world.pool.remove()
        assert lens.max_mint(token.contract) == 0
        assert "too few" in refused_beyond(token, 0)
    boa.env.time_travel(seconds=3_701)
    assert lens.max_mint(token.contract) == 0
    assert "oracle_guard: refused" in refused_beyond(token, 0)


def test_no_mint_is_promised_where_none_is_taken(lens: Any, token: Token) -> None:
    """Scenario: a pool that is gone; a debt that somebody repaid; minting that was closed.

    Property: 0, and the token refuses the first unit.
    """
    world, contract, who = token.world, token.contract, token.world.roles.attacker
    with boa.env.anchor():
        world.pool.remove()
        assert lens.max_mint(contract) == 0
        refused_beyond(token, 0)
    with boa.env.anchor():
        world.approve(token.loan, who, world.morpho)
        held = token.position.shares
        world.morpho.repay(tuple(token.market), 0, held, contract.address, b"", sender=who)
        assert lens.max_mint(contract) == 0
        assert "dust" in refused_beyond(token, 0)
    world.set_feed(1_000 if token.long else 4_500)
    contract.close_minting()
    assert lens.max_mint(contract) == 0
    assert "mint closed" in refused_beyond(token, 0)


@few(33)
@given(situation=situations(), assets=amounts(10**21))
def test_a_deposit_buys_what_it_is_said_to(
    lens: Any, priced: Token, situation: Situation, assets: int
) -> None:
    """Scenario: so much collateral to spend.

    Property: the tokens take at most it, and 1 % more tokens would take more than it: nearly all is
    used.
    """
    who = priced.world.roles.depositor
    assets = max(1, assets * 10 ** priced.collateral.decimals() // WAD)
    with boa.env.anchor():
        situation.arrange(priced.world)
        tokens = attempt(lambda: lens.preview_deposit(priced.contract, assets))
        if not tokens or not (more := attempt(lambda: lens.preview_mint(priced.contract, tokens))):
            return
        taken = priced.contract.mint(tokens, assets, who, sender=who)
        assert more.assets == taken <= assets


def test_little_of_a_deposit_is_over(lens: Any, priced: Token) -> None:
    """Scenario: a deposit of a twentieth of nav. Property: all but 1e-4 of it is used."""
    assets = priced.position.collateral // 100
    tokens = lens.preview_deposit(priced.contract, assets)
    taken = lens.preview_mint(priced.contract, tokens).assets
    assert assets * Fraction(9_999, 10_000) < taken <= assets
    assert lens.quote_mint(priced.contract, tokens) == taken


@few(33)
@given(situation=situations())
def test_an_overview_is_what_the_contracts_say(
    lens: Any, token: Token, situation: Situation
) -> None:
    """Scenario: any situation.

    Property: nav, leverage and the rest are the contract's own state in Fraction, rounded down.
    """
    world, contract = token.world, token.contract
    with boa.env.anchor():
        situation.arrange(world)
        seen = lens.overview(contract)
        state = contract.state()
        assert tuple(seen.state) == tuple(state)
        assert tuple(seen.config) == tuple(contract.config())
        assert seen.nav_underlying == contract.nav_underlying()
        value = state.position.collateral * state.price // 10**36
        nav = max(0, value - state.position.debt)
        quote = nav if token.long else nav * 10**36 // state.price
        assert seen.nav_quote == quote
        whole = Fraction(state.supply, WAD)
        assert seen.token_quote == int(Fraction(quote, 10**world.quote_decimals) / whole * WAD)
        assert seen.token_underlying == int(
            Fraction(seen.nav_underlying, 10**world.underlying_decimals) / whole * WAD
        )
        exposure = value if token.long else state.position.debt
        assert seen.leverage == (exposure * WAD // nav if nav else NEVER)
        assert abs(Fraction(seen.price, WAD) / world.feed_price - 1) < Fraction(1, 10**12)
        assert abs(Fraction(seen.pool_price, WAD) / world.pool.price - 1) < Fraction(1, 10**12)
        assert seen.trigger == contract.should_rebalance()
        assert seen.stale is False
        rule, market = seen.config.rule, seen.config.market
        calm = Fraction(rule.upper - WAD, rule.upper)
        if not token.long:
            calm = Fraction(rule.upper, rule.upper + WAD)
        reached = min(1, Fraction(seen.loan_to_value, WAD)) - calm
        danger = min(1, max(0, reached / (Fraction(market.lltv, WAD) - calm)))
        assert abs(Fraction(seen.danger, WAD) - danger) < Fraction(1, 10**15)
        low, high = seen.config.tolerance_normal, seen.config.tolerance_maximum
        assert seen.tolerance == low + (high - low) * seen.danger // WAD
        low, high = seen.config.deviation_normal, seen.config.deviation_maximum
        assert seen.deviation == low + (high - low) * seen.danger // WAD
        reserve = token.fund.reserve
        assert seen.reserve.value == world.underlying.balanceOf(reserve.address)
        standing = (seen.reserve.suspended, seen.reserve.available)
        assert standing == tuple(reserve.standing(contract.address))
        assert tuple(seen.reserve.health) == tuple(reserve.health())


def test_nav_is_known_to_the_second(lens: Any, token: Token) -> None:
    """Scenario: 100 s pass and nobody touches the market.

    Property: nav per token has fallen by the interest, and Morpho's own accrual then changes
    nothing.
    """
    before = lens.overview(token.contract)
    boa.env.time_travel(seconds=100)
    after = lens.overview(token.contract)
    assert after.state.position.debt > before.state.position.debt
    assert after.token_underlying < before.token_underlying
    token.world.morpho.accrueInterest(tuple(token.market), sender=token.world.roles.keeper)
    accrued = lens.overview(token.contract)
    assert accrued.token_underlying == after.token_underlying
    held = token.world.lending.position(token.market, token.contract)
    assert held.debt == after.state.position.debt


def go_to(token: Token, price: Fraction) -> None:
    """Feed, pool and the pool's mean at a price, in seconds that cost next to no interest."""
    token.world.move(price)
    boa.env.time_travel(seconds=61)
    token.world.pool.observe()
    token.world.set_feed(price)


@pytest.mark.parametrize("name", ["band_up", "band_down", "emergency"])
def test_a_trigger_is_where_its_distance_says(lens: Any, token: Token, name: str) -> None:
    """Scenario: the price goes to a millionth before a trigger's price, and a millionth past it.

    Property: it is not due before, and due after; the ratio is that price to the present one.
    """
    seen = lens.overview(token.contract)
    distance = getattr(seen, name)
    assert abs(Fraction(distance.price, seen.price) - Fraction(distance.ratio, WAD)) < Fraction(
        1, 10**15
    )
    price = Fraction(distance.price, WAD)
    outward = 1 if distance.ratio > WAD else -1
    assert (outward == 1) == (token.long == (name == "band_up"))
    with boa.env.anchor():
        go_to(token, price * (1 - outward * Fraction(1, 10**6)))
        assert token.due in ({"band_down"} if name == "emergency" else {"idle"})
    go_to(token, price * (1 + outward * Fraction(1, 10**6)))
    assert token.due == name


def test_liquidation_is_where_its_distance_says(lens: Any, token: Token) -> None:
    """Scenario: the price goes to either side of the liquidation price.

    Property: Morpho refuses to liquidate before it, and liquidates after it.
    """
    seen = lens.overview(token.contract)
    price = Fraction(seen.liquidation.price, WAD)
    outward = -1 if token.long else 1
    who, morpho = token.world.roles.attacker, token.world.morpho
    token.world.approve(token.loan, who, morpho)
    seize = token.position.collateral // 100

    def liquidate() -> None:
        token.oracle.poke()
        morpho.liquidate(tuple(token.market), token.contract.address, seize, 0, b"", sender=who)

    token.world.set_feed(price * (1 - outward * Fraction(1, 10**6)))
    with boa.reverts():
        liquidate()
    token.world.set_feed(price * (1 + outward * Fraction(1, 10**6)))
    liquidate()


def test_the_fallback_is_due_when_it_says(lens: Any, token: Token) -> None:
    """Scenario: no rebalance for as long as the fallback waits.

    Property: due at `fallback_at`, not a second before.
    """
    token.world.move(2_050)
    seen = lens.overview(token.contract)
    assert seen.fallback_in == seen.fallback_at - boa.env.timestamp > 0
    boa.env.time_travel(seconds=seen.fallback_in - 1)
    token.world.pool.observe()
    token.world.set_feed(2_050)
    assert token.due == "idle"
    boa.env.time_travel(seconds=1)
    assert token.due == "fallback"
    assert lens.overview(token.contract).fallback_in == 0


@pytest.mark.parametrize("stranger", ["nobody", "coin", "feed"])
def test_what_is_no_leveraged_token_is_said_to_be_none(
    lens: Any, world: World, stranger: str
) -> None:
    """Scenario: an address without code, an ERC-20 and a feed are asked about.

    Property: refused in words by each function.
    """
    address = {
        "nobody": world.roles.attacker,
        "coin": world.quote.address,
        "feed": world.feed.address,
    }[stranger]
    for call in (
        lambda: lens.overview(address),
        lambda: lens.max_mint(address),
        lambda: lens.preview_mint(address, WAD),
        lambda: lens.preview_deposit(address, WAD),
        lambda: lens.preview_redeem(address, WAD),
        lambda: lens.preview_redeem_in_kind(address, WAD),
        lambda: lens.preview_rebalance(address),
    ):
        with boa.reverts("lens: not a leveraged token"):
            call()


@pytest.mark.parametrize("fault", [1, 2], ids=["reverts", "burns gas"])
def test_a_dead_feed_hides_nothing(lens: Any, token: Token, fault: int) -> None:
    """Scenario: the feed fails.

    Property: the overview stands on the last good price and says that it is stale; exits are
    previewed exactly; no rebalance, with the reason.
    """
    world, who = token.world, token.world.roles.depositor
    go_to(token, Fraction(2_500))
    token.oracle.poke()
    world.feed.set_fault(fault)
    seen = lens.overview(token.contract)
    assert (seen.stale, seen.trigger, seen.price) == (True, 0, 2_500 * WAD)
    preview = lens.preview_rebalance(token.contract)
    assert (preview.trigger, preview.reason) == (0, "oracle_guard: refused")
    kind = lens.preview_redeem_in_kind(token.contract, WAD)
    with boa.env.anchor():
        assert token.contract.redeem_in_kind(WAD, 2**255, who, sender=who) == kind
    assert token.redeem(1) >= lens.preview_redeem(token.contract, WAD).assets > 0


def test_a_position_that_is_gone_is_seen(lens: Any, token: Token) -> None:
    """Scenario: the price goes where debt exceeds collateral.

    Property: nav 0, the largest leverage, danger full, and what Morpho refuses is refused.
    """
    token.world.set_feed(1_000 if token.long else 4_500)
    seen = lens.overview(token.contract)
    assert (seen.nav_quote, seen.token_quote, seen.leverage) == (0, 0, NEVER)
    assert (seen.loan_to_value, seen.danger) == (WAD, WAD)
    assert seen.tolerance == seen.config.tolerance_maximum
    who = token.world.roles.depositor
    with boa.reverts("lens: unhealthy"):
        lens.preview_redeem_in_kind(token.contract, WAD)
    with boa.reverts():
        token.contract.redeem_in_kind(WAD, 2**255, who, sender=who)


def test_without_debt_nothing_is_reached_at_any_price(lens: Any, token: Token) -> None:
    """Scenario: somebody repaid all debt on behalf.

    Property: leverage is 1 or 0 at every price, so that every distance is the largest number.
    """
    world, who = token.world, token.world.roles.attacker
    world.approve(token.loan, who, world.morpho)
    held = token.position.shares
    world.morpho.repay(tuple(token.market), 0, held, token.contract.address, b"", sender=who)
    seen = lens.overview(token.contract)
    assert (seen.leverage, seen.loan_to_value) == (WAD if token.long else 0, 0)
    for name in ("band_up", "band_down", "emergency", "liquidation"):
        assert tuple(getattr(seen, name)) == (NEVER, NEVER), name


@pytest.mark.parametrize("sold", [0, 1], ids=["token0 sold", "token1 sold"])
def test_a_pool_at_its_end_does_not_hide_the_rest(lens: Any, token: Token, sold: int) -> None:
    """Scenario: next to all liquidity has left, and somebody pushed the pool to an end.

    Property: the overview stands; the pool's price is nothing, or the largest number.
    """
    world, who = token.world, token.world.roles.arbitrageur
    coin = world.pool.tokens[sold]
    if hasattr(coin, "mint"):
        coin.mint(who, 10**30, sender=who)
    world.pool.remove()
    world.pool.swap(coin, 10**26, 0, who)
    seen = lens.overview(token.contract)
    assert seen.price == 2_000 * WAD
    assert seen.pool_price == (NEVER if (sold == 1) == world.underlying_first else 0)


def test_a_thin_pool_is_named(lens: Any, fund: Fund) -> None:
    """Scenario: the pool cannot give the debt of 500 tokens.

    Property: the preview reverts as the redemption does; in kind is open.
    """
    token = fund.tokens[0]
    token.world.pool.remove(Fraction(999_999, 1_000_000))
    assert attempt(lambda: lens.preview_redeem(token.contract, 500 * WAD)) is None
    assert attempt(lambda: token.redeem(500)) is None
    assert lens.preview_redeem_in_kind(token.contract, 500 * WAD)[0] > 0


def test_a_preview_that_is_sent_changes_nothing(lens: Any, priced: Token) -> None:
    """Scenario: an attacker sends previews and their parts as transactions.

    Property: position, supply, reserve and pool are what they were, and the lens holds nothing.
    """
    go_to(priced, Fraction(2_500))
    world, who = priced.world, priced.world.roles.attacker

    def all_of_it() -> tuple[Any, ...]:
        held = (world.pool.address, priced.fund.reserve.address, lens.address, who)
        return (priced.state, world.pool.contract.slot0(), *(world.balances(h) for h in held))

    before = all_of_it()
    token = priced.contract
    assert lens.preview_rebalance(token, sender=who).reason == ""
    lens.preview_mint(token, WAD, sender=who)
    lens.preview_redeem(token, WAD, sender=who)
    for part in (
        lambda: lens.dry_rebalance(token, sender=who),
        lambda: lens.dry_mint(token, WAD, sender=who),
        lambda: lens.uniswapV3SwapCallback(1, 1, b"", sender=who),
    ):
        with pytest.raises(boa.BoaError):
            part()
    assert all_of_it() == before
    assert trigger(token.should_rebalance()) == ("band_up" if priced.long else "band_down")
    assert world.balances(lens.address) == (0, 0)
