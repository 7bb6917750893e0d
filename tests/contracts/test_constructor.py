"""A series that could not work is refused at deployment, in words; one that can names no owner."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from eth._utils.address import generate_contract_address

from support.chain.counterparties import code
from support.chain.deploying import at, deploy_double, deploy_source
from support.chain.driving import EMERGENCY, LOWERS, RAISES, go, target_of
from support.chain.series import CONTRACTS, WAD, ZERO, Fund, Terms, wad

if TYPE_CHECKING:
    from support.chain.series import Token
    from support.chain.world import World

STRANGER = "0x" + "11" * 20
NEARLY = Fraction(1, 10**6)


def rule(target: Any, lower: Any, upper: Any, slack: Any, emergency: Any, to_edge: bool) -> Any:
    """The contract's Rule, from whole figures."""
    return (*(wad(each) for each in (target, lower, upper, slack, emergency)), to_edge)


def refusal(world: World, long: bool = True, **raw: Any) -> str:
    """Why a series is refused that differs from a good one in some entries."""
    return Fund(world, Terms(long=long, raw=raw), launch=0, deploy=False).tokens[0].refusal()


@pytest.mark.parametrize("long", [True, False], ids=["long", "short"])
def test_a_good_series_is_taken(world: World, long: bool) -> None:
    """Scenario: the terms that every other test changes in one entry. Property: not refused."""
    assert refusal(world, long) == ""


@pytest.mark.parametrize(
    ("entry", "value", "reason"),
    [
        ("rule", rule(3, 3, "3.4", 0, "4.8", False), "leveraged_token: band"),
        ("rule", rule(3, "2.6", 3, 0, "4.8", False), "leveraged_token: band"),
        ("rule", rule(3, "2.6", "3.4", 0, "4.8", True), "leveraged_token: edge_slack"),
        ("rule", rule(3, "2.6", "3.4", "0.02", "4.8", False), "leveraged_token: edge_slack"),
        ("rule", rule(3, "0.01", "3.4", "0.02", "4.8", True), "leveraged_token: edge_slack"),
        ("rule", rule(3, "2.6", "3.4", 0, "3.4", False), "leveraged_token: emergency_leverage"),
        ("rule", rule(3, "1", "3.4", 0, "4.8", False), "leveraged_token: lower"),
        (
            "rule",
            rule(3, "2.6", "3.4", 0, "7.2", False),
            "leveraged_token: emergency_leverage beyond lltv",
        ),
        ("tolerance_normal", 6 * WAD // 10_000 - 1, "leveraged_token: tolerance"),
        ("tolerance_normal", 15 * WAD // 10_000 + 1, "leveraged_token: tolerance"),
        ("tolerance_maximum", 14 * WAD // 10_000, "leveraged_token: tolerance"),
        ("tolerance_maximum", 7 * WAD // 100, "leveraged_token: tolerance"),
        ("deviation_normal", 14 * WAD // 10_000, "leveraged_token: deviation"),
        ("deviation_normal", 4 * WAD // 10, "leveraged_token: deviation"),
        ("deviation_maximum", 6 * WAD // 10, "leveraged_token: deviation"),
        ("cooldown", 86_401, "leveraged_token: cooldown"),
        ("fallback_after", 3_599, "leveraged_token: fallback_after"),
        ("fallback_after", 2**64, "leveraged_token: fallback_after"),
        ("max_trade_notional", 9_999, "leveraged_token: max_trade_notional"),
        ("max_trade_notional", 2**128, "leveraged_token: max_trade_notional"),
        ("initial_nav", 0, "leveraged_token: initial_nav"),
        ("premium", WAD // 100 + 1, "leveraged_token: premium"),
        ("creation_bps", 501, "leveraged_token: fees"),
        ("redemption_bps", 501, "leveraged_token: fees"),
        ("reserve_share_bps", 10_001, "leveraged_token: reserve_share_bps"),
        ("reserve_share_bps", 9_999, "leveraged_token: fee_recipient"),
        ("max_age", 0, "oracle_guard: max_age"),
        ("max_age", 172_801, "oracle_guard: max_age"),
    ],
    ids=str,
)
def test_a_bad_entry_is_refused_by_its_name(
    world: World, entry: str, value: Any, reason: str
) -> None:
    """Scenario: one entry out of its range. Property: refused, the reason naming it."""
    assert refusal(world, **{entry: value}) == reason


@pytest.mark.parametrize("long", [True, False], ids=["long", "short"])
def test_no_entry_that_is_taken_stops_rebalances_by_its_size(world: World, long: bool) -> None:
    """Scenario: the largest wait and the largest clip. Property: what is taken is computed with.

    A wait of 2**64 was added to a time, a short's clip multiplied by a price: beyond 256 bits every
    rebalance would have been refused, emergencies too.
    """
    for most in (10**27, 2**128 - 1):
        if not long:
            # a raw USDC is 5e8 raw WETH: of 256 bits 1e6 of room is left for prices to come
            assert refusal(world, long, max_trade_notional=most).endswith("max_trade_notional")
    terms = {"fallback_after": 2**64 - 1, "max_trade_notional": 2 * 10**26}
    token = Fund(world, Terms(long=long, raw=terms)).tokens[0]
    for leverage in (RAISES[long], LOWERS[long], EMERGENCY[long]):
        go(token, leverage)
        token.rebalance()
        assert abs(token.leverage / target_of(token) - 1) < NEARLY
        world.pool.move(world.feed_price)


def test_parts_that_do_not_belong_together_are_refused(world: World) -> None:
    """Scenario: a short's oracle, an unknown market, another pool. Property: refused, in words."""
    fund = Fund(world, Terms(), Terms(long=False), launch=0, deploy=False)
    long, short = fund.tokens
    market = tuple(long.market)
    swapped = (*market[:2], short.oracle.address, *market[3:])
    long.terms.raw = {"market": swapped}
    assert long.refusal() == "oracle_guard: collateral"
    long.terms.raw = {"market": (*market[:4], market[4] - 1)}
    assert long.refusal() == "leveraged_token: no such market"
    fee = 3_000
    other = world.positions.createAndInitializePoolIfNecessary(
        *(token.address for token in world.pool.tokens),
        fee,
        world.pool.contract.slot0()[0],
        sender=world.roles.deployer,
    )
    long.terms.raw = {"pool": other}
    assert long.refusal() == "oracle_guard: history"


def test_a_reserve_that_does_not_name_the_token_is_refused(world: World) -> None:
    """Scenario: a token at an address that its reserve was not told. Property: refused."""
    fund = Fund(world, Terms(), launch=0, deploy=False)
    fund.tokens[0].refusal()
    assert fund.tokens[0].refusal() == "leveraged_token: not named by the reserve"


def test_a_shorts_reserve_holds_the_quote_that_its_fees_come_in(world: World) -> None:
    """Scenario: a reserve of the underlying against another quote. Property: a long's only."""
    other = world.deploy("MintableERC20", "DAI", "DAI", 18)
    pair = (world.underlying.address, other.address)
    pool = world.positions.createAndInitializePoolIfNecessary(
        *sorted(pair, key=lambda address: int(address, 16)), 500, 2**96, sender=world.roles.deployer
    )
    contract = at("UniswapV3Pool", code("UniswapV3Pool").abi, pool)
    contract.increaseObservationCardinalityNext(61, sender=world.roles.deployer)
    adapter = deploy_source(CONTRACTS / "MorphoOracle.vy", world.feed.address, *pair, True, ZERO, 0)
    for long, reason in ((True, ""), (False, "leveraged_token: reserve's quote")):
        token = Fund(world, Terms(long=long), launch=0, deploy=False).tokens[0]
        named = (
            "0x"
            + generate_contract_address(
                bytes.fromhex(str(token.fund.issuer)[2:]), token.fund._nonce()
            ).hex()
        )
        bounds = (wad("0.5"), 86_400, wad("0.01"), wad("0.05"))
        reserve = deploy_source(
            CONTRACTS / "Reserve.vy",
            *([named], adapter.address, pool, *pair, ZERO, 3_700, *bounds),
        )
        token.terms.raw = {"reserve": reserve.address}
        assert token.refusal() == reason


def test_nobody_owns_it(token: Token) -> None:
    """Scenario: the token asked for its owner and its doors. Property: zero, and no such door."""
    assert token.contract.getOwner() == ZERO
    for door in ("owner", "transfer_ownership", "set_minter", "pause", "burn", "burn_from"):
        assert not hasattr(token.contract, door)


def test_the_config_is_what_was_asked(token: Token) -> None:
    """Scenario: a deployed token asked for its terms. Property: each entry as it was given."""
    said = token.contract.config()
    assert said.rule.target_leverage == (3 * WAD if token.long else WAD)
    assert tuple(said.market) == tuple(token.market)
    assert said.tolerance_maximum == 5 * WAD // 100
    assert said.long == token.long


def test_the_reserve_checks_its_own_terms(world: World) -> None:
    """Scenario: reserves with bad terms. Property: refused, the reason naming the term."""
    import boa

    from support.chain.series import ReserveTerms

    for terms, reason in (
        (ReserveTerms(daily_share=0), "reserve: daily_share"),
        (ReserveTerms(daily_share="1.1"), "reserve: daily_share"),
        (ReserveTerms(allocation_every=60), "reserve: allocation_every"),
        (ReserveTerms(tolerance="0.0005"), "reserve: tolerance"),
        (ReserveTerms(deviation="0.001"), "reserve: deviation"),
    ):
        with boa.reverts(reason):
            Fund(world, Terms(), reserve=terms, launch=0, deploy=False)


def test_an_adapter_without_an_answer_is_refused(world: World) -> None:
    """Scenario: a feed that says zero at deployment. Property: no adapter without a good price."""
    import boa

    silent = deploy_double("PriceFeed", 8, 0)
    pair = (world.underlying.address, world.quote.address)
    with boa.reverts("morpho_oracle: no answer"):
        deploy_source(CONTRACTS / "MorphoOracle.vy", silent.address, *pair, True, ZERO, 0)
    with boa.reverts("morpho_oracle: grace"):
        deploy_source(
            CONTRACTS / "MorphoOracle.vy", world.feed.address, *pair, True, silent.address, 0
        )
