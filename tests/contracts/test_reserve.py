"""The reserve: pays its tokens alone, at most their share of a day, and publishes its health."""

from __future__ import annotations

from fractions import Fraction

import boa
import pytest

from steelyard.rules import reserve as rules
from support.chain.deploying import deploy_double, deploy_source
from support.chain.series import CONTRACTS, WAD, ZERO, Fund, ReserveTerms, Terms
from support.chain.world import Setting, World

DAY = 86_400


@pytest.fixture
def small(world: World) -> Fund:
    """A reserve of 2 WETH, a long and a short of 10 WETH nav each: exactly at the floor."""
    return Fund(world, Terms(), Terms(long=False), reserve=ReserveTerms(initial=2))


def take(fund: Fund, amount: int) -> None:
    """Move raw underlying out of the reserve, as no contract can."""
    address = fund.reserve.address
    fund.world.underlying.transfer(fund.world.roles.lender, amount, sender=address)


def test_nobody_but_its_tokens_is_paid(fund: Fund) -> None:
    """Scenario: strangers ask. Property: refused."""
    attacker = fund.world.roles.attacker
    with boa.reverts("reserve: not a token"):
        fund.reserve.settle(attacker, 1, sender=attacker)
    with boa.reverts("reserve: not a token"):
        fund.reserve.pay(attacker, 1, 1, 1, sender=attacker)
    with boa.reverts("reserve: not the pool"):
        fund.reserve.uniswapV3SwapCallback(1, 1, b"", sender=attacker)


def test_a_tokens_day_is_bounded(fund: Fund) -> None:
    """Scenario: a token asks for everything, day after day. Property: half of it a day, each."""
    world, reserve = fund.world, fund.reserve
    first, second = (token.contract.address for token in fund.tokens)
    receiver = boa.env.generate_address("receiver")
    assert reserve.settle(receiver, 2_000 * WAD, sender=first) == 500 * WAD
    assert reserve.settle(receiver, 1, sender=first) == 0
    assert reserve.pay(receiver, 0, WAD, WAD, sender=first) == (0, WAD)
    # another's bound is of what is there when it first asks
    assert reserve.settle(receiver, 2_000 * WAD, sender=second) == 250 * WAD
    assert world.underlying.balanceOf(receiver) == 750 * WAD
    boa.env.time_travel(seconds=DAY)
    assert reserve.standing(first)[1] == 125 * WAD
    assert reserve.settle(receiver, 100 * WAD, sender=first) == 100 * WAD
    assert reserve.settle(receiver, 100 * WAD, sender=first) == 25 * WAD
    assert reserve.paid_ever(first) == 625 * WAD


def test_a_day_is_the_calendars(fund: Fund) -> None:
    """Scenario: asked for everything in the last second of a UTC day and in the first of the next.

    Property: half, and half of the rest: two days' shares around midnight, and no more that day.
    """
    token = fund.tokens[0].contract.address
    receiver = boa.env.generate_address("receiver")
    boa.env.time_travel(seconds=DAY - 1 - boa.env.timestamp % DAY)
    assert fund.reserve.settle(receiver, 2_000 * WAD, sender=token) == 500 * WAD
    boa.env.time_travel(seconds=1)
    assert fund.reserve.settle(receiver, 2_000 * WAD, sender=token) == 250 * WAD
    boa.env.time_travel(seconds=DAY - 1)
    assert fund.reserve.settle(receiver, 1, sender=token) == 0


def test_what_is_asked_of_nothing_fixes_no_share(world: World) -> None:
    """Scenario: a token asks of an empty reserve, then there is an injection.

    Property: its share of the day is of what was injected, for nothing had been paid.
    """
    fund = Fund(world, Terms(), reserve=ReserveTerms(initial=0))
    token, reserve = fund.tokens[0].contract.address, fund.reserve
    receiver = boa.env.generate_address("receiver")
    assert reserve.pay(receiver, 3, 4, WAD, sender=token) == (0, 7)
    fund.inject(100)
    assert reserve.settle(receiver, 0, sender=token) == 0
    fund.inject(100)
    assert reserve.standing(token)[1] == 100 * WAD
    assert reserve.settle(receiver, 200 * WAD, sender=token) == 100 * WAD
    # from then on it is what it was
    fund.inject(100)
    assert reserve.standing(token)[1] == 0


def test_pay_is_gas_and_premium_within_a_bound(fund: Fund) -> None:
    """Scenario: gas and premium under and over the bound. Property: their sum, or the bound."""
    token = fund.tokens[0].contract.address
    keeper = boa.env.generate_address("keeper")
    assert fund.reserve.pay(keeper, 30, 12, 100, sender=token) == (42, 42)
    assert fund.reserve.pay(keeper, 90, 12, 100, sender=token) == (100, 100)


def test_gas_is_priced_where_the_underlying_is_not_the_coin(world: World) -> None:
    """Scenario: a native coin of 500 against an underlying of 2,000. Property: a quarter."""
    native = deploy_double("PriceFeed", 8, 500 * 10**8)
    fund = Fund(world, Terms(), reserve=ReserveTerms(native_feed=native))
    token = fund.tokens[0].contract.address
    keeper = boa.env.generate_address("keeper")
    paid, _ = fund.reserve.pay(keeper, 10**16, 0, WAD, sender=token)
    assert abs(paid - 10**16 // 4) <= 1
    native.update(0)
    assert fund.reserve.pay(keeper, 10**16, 7, WAD, sender=token)[0] == 7


@pytest.mark.parametrize("decimals", [0, 8, 18])
def test_no_answer_of_the_native_feed_stops_a_payment(decimals: int) -> None:
    """Scenario: gas in an underlying of 8 decimals against 18; the native feed says anything.

    Property: priced exactly by a good answer of any age; a bad one pays the premium alone; none,
    however large, makes the payment revert, for that would stop the rebalance.
    """
    world = World(Setting(underlying_decimals=8, quote_decimals=18))
    native = deploy_double("PriceFeed", decimals, 500 * 10**decimals)
    fund = Fund(world, Terms(), reserve=ReserveTerms(native_feed=native))
    token, keeper = fund.tokens[0].contract.address, boa.env.generate_address("keeper")
    gas, most = 8 * 10**16, 10**9

    def owed() -> int:
        return fund.reserve.pay(keeper, gas, 7, most, sender=token)[1]

    # 0.08 of 500 each, at 2,000 for a whole underlying
    assert owed() == 8 * 10**8 // 400 + 7
    native.set_times(boa.env.timestamp - 90 * DAY, boa.env.timestamp - 90 * DAY)
    assert owed() == 8 * 10**8 // 400 + 7
    for answer in (2**111, 2**112 - 1):
        native.update(answer)
        assert owed() == most
    for answer in (0, -1, 2**112, 2**255 - 1):
        native.update(answer)
        assert owed() == 7
    for fault in (1, 2):
        native.update(500 * 10**decimals)
        native.set_fault(fault)
        assert owed() == 7


def test_gas_is_not_paid_wei_for_wei_in_another_coin() -> None:
    """Scenario: no native feed, an underlying of 8 decimals. Property: it cannot be deployed."""
    world = World(Setting(underlying_decimals=8))
    pair = (world.underlying.address, world.quote.address)
    oracle = deploy_source(
        CONTRACTS / "MorphoOracle.vy", world.feed.address, *pair, True, ZERO, 0
    ).address
    terms = ([oracle], oracle, world.pool.address, *pair, ZERO, 3_700, WAD, DAY, WAD // 100)
    with boa.reverts("reserve: native_feed"):
        deploy_source(CONTRACTS / "Reserve.vy", *terms, WAD // 20)


def test_injections_are_told_by_kind(fund: Fund) -> None:
    """Scenario: capital and trading fees. Property: both add, the event says which."""
    before = fund.value
    for kind in (1, 2):
        fund.inject(3, kind)
        told = fund.reserve.get_logs(strict=False)[-1]
        assert (told.amount, fund.reserve._computation.is_error) == (3 * WAD, False)
    assert fund.value == before + 6
    with boa.reverts("reserve: amount"):
        fund.inject(0)
    for kind in (0, 3):
        with boa.reverts("reserve: kind"):
            fund.inject(3, kind)


def test_suspension_is_as_the_rules_say(small: Fund) -> None:
    """Scenario: down through the floor, up through the resume ratio. Property: as rules/reserve."""
    small.reserve.publish_health()
    suspended = False
    nav = Fraction(small.reserve.health().nav, WAD)
    floor, resume = Fraction(1, 10), Fraction(12, 100)
    steps = (0, -1, 10**16, 2 * 10**17, 10**17, 3 * 10**17, -(5 * 10**17), -(10**17), 4 * 10**17)
    for step in steps:
        if step < 0:
            take(small, -step)
            # what a token is paid is noted at once; this was taken behind its back
            small.reserve.settle(small.issuer, 1, sender=small.tokens[0].contract.address)
        elif step > 0:
            small.inject(Fraction(step, WAD))
        suspended = rules.is_suspended(suspended, small.value, nav, floor, resume)
        assert small.reserve.standing(small.tokens[0].contract.address)[0] == suspended, step


def test_health_is_published_at_most_once_an_hour_by_anyone(small: Fund) -> None:
    """Scenario: published, again too soon, an hour later. Property: once an hour."""
    attacker = small.world.roles.attacker
    small.reserve.publish_health(sender=attacker)
    boa.env.time_travel(seconds=3_599)
    with boa.reverts("reserve: once an hour"):
        small.reserve.publish_health()
    boa.env.time_travel(seconds=1)
    small.reserve.publish_health(sender=attacker)


def test_health_is_as_the_rules_say(small: Fund) -> None:
    """Scenario: payments over two days. Property: value, nav, depth, utilisation as in SPEC 4."""
    world, reserve = small.world, small.reserve
    token = small.tokens[0].contract.address
    receiver = boa.env.generate_address("receiver")
    paid, values = [], []
    for hour in range(50):
        if hour % 7 == 3:
            paid.append((hour, reserve.settle(receiver, 10**16, sender=token)))
        values.append(small.value)
        reserve.publish_health()
        said = reserve.health()
        nav = sum(each.nav for each in small.tokens)
        assert abs(Fraction(said.nav, WAD) - nav) < Fraction(1, 10**17)
        assert Fraction(said.value, WAD) == small.value
        depth = rules.buffer_depth(small.value, Fraction(said.nav, WAD), Fraction(1, 10))
        assert abs(Fraction(said.buffer_depth, WAD) - depth) <= Fraction(1, 10**18)
        since = max(0, hour - 24)
        assert said.window == (hour - since) * 3_600
        trailing = sum(each for at, each in paid if since < at <= hour)
        used = rules.utilisation(Fraction(trailing, WAD), values[since])
        assert abs(Fraction(said.utilisation, WAD) - used) <= Fraction(1, 10**18)
        boa.env.time_travel(seconds=3_600)
        world.set_feed(2_000)


def test_a_token_whose_view_fails_blocks_nobody(small: Fund) -> None:
    """Scenario: one token's code reverts, burns gas, is gone. Property: its last nav counts."""
    small.reserve.publish_health()
    before = small.reserve.health().nav
    victim = small.tokens[0].contract.address
    code = boa.env.get_code(victim)
    for broken in (bytes.fromhex("60006000fd"), bytes.fromhex("fe"), b""):
        boa.env.set_code(victim, broken)
        boa.env.time_travel(seconds=3_600)
        small.reserve.publish_health()
        assert abs(small.reserve.health().nav - before) < before // 10**6
    boa.env.set_code(victim, code)


def test_a_publisher_cannot_starve_a_view(small: Fund) -> None:
    """Scenario: publications with any gas. Property: the true nav, or no publication."""
    for gas in range(100_000, 1_000_000, 75_000):
        with boa.env.anchor():
            try:
                small.reserve.publish_health(gas=gas)
            except boa.BoaError:
                continue
            assert small.reserve.health().nav > 19 * WAD


@pytest.mark.parametrize("share", [10_000, 4_000], ids=["all", "part"])
def test_fees_are_allocated_with_quote_swapped(world: World, share: int) -> None:
    """Scenario: fees of a long and a short, a day later. Property: their share, in underlying."""
    issuer = boa.env.generate_address("issuer")
    terms = {
        "creation_bps": 100,
        "reserve_share_bps": share,
        "fee_recipient": issuer,
    }
    fund = Fund(world, Terms(**terms), Terms(long=False, **terms), reserve=ReserveTerms(initial=0))
    with boa.reverts("reserve: not yet"):
        fund.reserve.allocate()
    boa.env.time_travel(seconds=DAY)
    world.pass_time(72)
    # one unit stays
    fees = [token.collateral.balanceOf(token.contract.address) - 1 for token in fund.tokens]
    fund.reserve.allocate(sender=world.roles.attacker)
    long, short = Fraction(fees[0], WAD), Fraction(fees[1], 2_000 * 10**6)
    expected = (long + short * Fraction(9_994, 10_000)) * share / 10_000
    assert abs(fund.value / expected - 1) < Fraction(1, 1_000)
    assert world.quote.balanceOf(fund.reserve.address) == 0
    rest = world.underlying.balanceOf(issuer), world.quote.balanceOf(issuer)
    assert rest == tuple(fee - fee * share // 10_000 for fee in fees)
    with boa.reverts("reserve: not yet"):
        fund.reserve.allocate()


def test_an_allocation_waits_for_a_good_price(world: World) -> None:
    """Scenario: the pool is pushed away, later back. Property: the quote stays, then is swapped."""
    fund = Fund(world, Terms(long=False, creation_bps=100), reserve=ReserveTerms(initial=0))
    boa.env.time_travel(seconds=DAY)
    world.pass_time(72)
    world.pool.move(2_100)
    fund.reserve.allocate()
    assert fund.value == 0
    assert world.quote.balanceOf(fund.reserve.address) > 0
    boa.env.time_travel(seconds=DAY)
    world.pool.move(2_000)
    world.pass_time(72)
    fund.reserve.allocate()
    assert fund.value > 0
    assert world.quote.balanceOf(fund.reserve.address) == 0


def test_an_allocation_without_liquidity_collects_and_waits(world: World) -> None:
    """Scenario: nobody provides liquidity in the pool. Property: fees come in, the quote waits."""
    fund = Fund(world, Terms(long=False, creation_bps=100), reserve=ReserveTerms(initial=0))
    boa.env.time_travel(seconds=DAY)
    world.pass_time(72)
    world.pool.remove()
    world.pool.leave()
    assert world.pool.contract.liquidity() == 0
    fund.reserve.allocate()
    assert fund.value == 0
    assert world.quote.balanceOf(fund.reserve.address) > 0


def test_one_that_fails_stops_no_allocation(world: World) -> None:
    """Scenario: a token reverts, burns its gas or is gone. Property: the other's fees come in."""
    terms = {"creation_bps": 100}
    fund = Fund(world, Terms(**terms), Terms(long=False, **terms), reserve=ReserveTerms(initial=0))
    boa.env.time_travel(seconds=DAY)
    world.pass_time(72)
    victim = fund.tokens[1].contract.address
    for broken in (bytes.fromhex("60006000fd"), bytes.fromhex("fe"), b""):
        with boa.env.anchor():
            boa.env.set_code(victim, broken)
            fund.reserve.allocate()
            assert fund.value > 0
