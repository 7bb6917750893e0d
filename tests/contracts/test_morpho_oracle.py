"""MorphoOracle: never reverts, keeps the last good price, cannot be starved into the old one."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import boa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.chain.deploying import deploy_double, deploy_source
from support.chain.series import CONTRACTS, ZERO, Fund, Terms

if TYPE_CHECKING:
    from support.chain.series import Token
    from support.chain.world import World


@pytest.fixture(params=[True, False], ids=["long", "short"])
def oracle(request: pytest.FixtureRequest, world: World) -> Any:
    """The adapter of a long or of a short, at 2,000."""
    pair = (world.feed.address, world.underlying.address, world.quote.address)
    return deploy_source(CONTRACTS / "MorphoOracle.vy", *pair, request.param, ZERO, 0)


def expected(world: World, oracle: Any, price: Any) -> int:
    """Morpho's price: raw debt per raw collateral times 1e36, rounded down."""
    return world.lending.oracle_price(price, long=oracle.long())


@pytest.mark.parametrize("price", ["2000", "0.00000001", "1234567.89012345"])
def test_the_price_is_the_feeds(world: World, oracle: Any, price: str) -> None:
    """Scenario: prices over the whole range. Property: Morpho's scale, rounded down."""
    world.feed.update(int(Fraction(price) * 10**8))
    assert oracle.price() == expected(world, oracle, Fraction(price))


@pytest.mark.parametrize("decimals", [(6, 18, 8), (18, 6, 18), (8, 8, 0), (18, 18, 18)], ids=str)
@pytest.mark.parametrize("long", [True, False], ids=["long", "short"])
def test_any_decimals_make_a_price(decimals: tuple[int, int, int], long: bool) -> None:
    """Scenario: assets and feeds of many decimals. Property: the price is exact, rounded down."""
    underlying, quote, feed = decimals
    tokens = [deploy_double("HostileToken", each) for each in (underlying, quote)]
    source = deploy_double("PriceFeed", feed, 1_500 * 10**feed)
    adapter = deploy_source(
        CONTRACTS / "MorphoOracle.vy",
        source.address,
        *(each.address for each in tokens),
        long,
        ZERO,
        0,
    )
    raw = Fraction(1_500 * 10**quote, 10**underlying)
    assert adapter.price() == int((raw if long else 1 / raw) * 10**36)


@pytest.mark.parametrize("decimals", [(0, 18, 0), (2, 18, 8), (6, 18, 8), (18, 0, 18)], ids=str)
@pytest.mark.parametrize("long", [True, False], ids=["long", "short"])
def test_no_answer_is_too_large_for_any_decimals(
    decimals: tuple[int, int, int], long: bool
) -> None:
    """Scenario: enormous answers where raw prices are large. Property: a price, never a revert."""
    underlying, quote, feed = decimals
    tokens = [deploy_double("HostileToken", each).address for each in (underlying, quote)]
    source = deploy_double("PriceFeed", feed, 1_500 * 10**feed)
    adapter = deploy_source(CONTRACTS / "MorphoOracle.vy", source.address, *tokens, long, ZERO, 0)
    for power in range(64, 256):
        source.update(2**power - 1)
        assert adapter.price() > 0
        adapter.poke()
        assert adapter.price() > 0


def test_a_bad_answer_leaves_the_last_good_price(world: World, oracle: Any) -> None:
    """Scenario: each kind of bad answer, for a week. Property: the last poked price, no revert."""
    world.feed.update(1_900 * 10**8)
    oracle.poke()
    good = expected(world, oracle, 1_900)
    for answer in (0, -1, -(2**255), 2**112, 2**255 - 1):
        world.feed.update(answer)
        boa.env.time_travel(seconds=86_400)
        assert oracle.price() == good
        assert oracle.latest() == (good, 0)
        oracle.poke()
        assert oracle.last_good()[0] == 1_900 * 10**8
    for fault in (1, 2):
        world.feed.update(1_500 * 10**8)
        world.feed.set_fault(fault)
        assert oracle.price() == good
        oracle.poke()
        assert oracle.latest() == (good, 0)
    world.feed.set_fault(0)
    assert oracle.price() == expected(world, oracle, 1_500)


def test_a_feed_that_is_gone_is_a_bad_answer(world: World) -> None:
    """Scenario: no code at the feed's address any more. Property: the last good price."""
    source = deploy_double("PriceFeed", 8, 2_000 * 10**8)
    pair = (world.underlying.address, world.quote.address)
    adapter = deploy_source(CONTRACTS / "MorphoOracle.vy", source.address, *pair, True, ZERO, 0)
    boa.env.set_code(source.address, b"")
    assert adapter.latest() == (expected(world, adapter, 2_000), 0)
    # what answers with too little is no feed either: it returns one word
    boa.env.set_code(source.address, bytes.fromhex("602a60005260206000f3"))
    assert adapter.latest() == (expected(world, adapter, 2_000), 0)


def test_an_old_answer_is_still_an_answer(world: World, oracle: Any) -> None:
    """Scenario: no update for a month. Property: the price stays; how old it is, is said."""
    then = world.feed.updated_at()
    boa.env.time_travel(seconds=30 * 86_400)
    assert oracle.latest() == (expected(world, oracle, 2_000), then)


def test_poke_is_everybodys_and_stores_what_is_new(world: World, oracle: Any) -> None:
    """Scenario: anybody pokes. Property: the new answer and its time are the last good ones."""
    world.feed.update(2_100 * 10**8)
    assert oracle.last_good()[0] == 2_000 * 10**8
    oracle.poke(sender=world.roles.attacker)
    assert oracle.last_good() == (2_100 * 10**8, world.feed.updated_at())


def test_a_caller_cannot_starve_it_into_the_old_price(world: World, oracle: Any) -> None:
    """Scenario: every amount of gas, the feed good. Property: the new price, or a revert."""
    oracle.poke()
    world.feed.update(1_000 * 10**8)
    new = expected(world, oracle, 1_000)
    answered = 0
    for gas in (*range(22_000, 160_000, 2_500), 400_000):
        try:
            assert oracle.price(gas=gas) == new
            answered += 1
        except boa.BoaError:
            assert answered == 0, "what went through with less goes through with more"
    assert answered > 0


@given(answer=st.integers(-(2**255), 2**255 - 1))
def test_no_answer_makes_it_revert(world: World, answer: int) -> None:
    """Scenario: any answer that fits into a word. Property: a positive price, never a revert."""
    pair = (world.feed.address, world.underlying.address, world.quote.address)
    with boa.env.anchor():
        for long in (True, False):
            adapter = deploy_source(CONTRACTS / "MorphoOracle.vy", *pair, long, ZERO, 0)
            world.feed.update(answer)
            assert adapter.price() > 0
            adapter.poke()
            world.set_feed(2_000)


def test_the_token_pokes_where_it_acts(token: Token) -> None:
    """Scenario: a rebalance after a move. Property: its price is the last good one from then on."""
    world = token.world
    world.move(2_260 if token.long else 1_600)
    world.pass_time(72)
    token.rebalance()
    assert token.oracle.last_good()[0] == world.feed.answer()


def test_the_token_pokes_at_its_launch(world: World) -> None:
    """Scenario: an old adapter, a launch at twice its price, a dead feed. Property: the latter."""
    fund = Fund(world, Terms(), launch=0)
    token = fund.tokens[0]
    world.move(4_000)
    world.pass_time(72)
    token.mint(100)
    world.feed.set_fault(1)
    assert token.oracle.price() == expected(world, token.oracle, 4_000)
    attacker = world.roles.attacker
    with boa.reverts():
        world.morpho.liquidate(
            tuple(token.market), token.contract.address, 10**15, 0, b"", sender=attacker
        )
