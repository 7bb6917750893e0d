"""Attacks of those who call `rebalance`, and on them: pay, cooldown, gas, the pool's callback."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import boa
import pytest

from support.chain.deploying import deploy_double
from support.chain.driving import (
    EMERGENCY,
    LOWERS,
    RAISES,
    base_fee,
    empty_reserve,
    go,
    target_of,
    tolerance_of,
)
from support.chain.series import WAD, Fund, ReserveTerms, Terms
from support.chain.ticks import sqrt_price_of

if TYPE_CHECKING:
    from support.chain.series import Token
    from support.chain.world import World

FEE = Fraction(5, 10_000)
COOLDOWN = 600


def squeeze(token: Token, share: Any, *, up: bool) -> None:
    """The attacker takes this share of the room that the tolerance leaves a rebalance."""
    side = 1 if up == token.long else -1
    room = (tolerance_of(token) - FEE) * Fraction(share)
    token.world.pool.move(token.world.feed_price * (1 + side * room), token.world.roles.attacker)


def test_partial_fills_cannot_keep_a_token_waiting(either: Token) -> None:
    """Scenario: before each clip a griefer leaves little room. Property: waits are of what fits.

    Each wait is the filled share of the cooldown, and under a tenth is no fill: so what is left
    falls by a factor e in one cooldown or less. A griefer pays twice the pool's fee for each.
    """
    token = either
    world, attacker = token.world, token.world.roles.attacker
    go(token, "2.4" if token.long else "0.65")
    if not token.long:
        # its gap is smaller: in a deep pool the room that is left would do for all of it
        world.pool.remove(Fraction(2, 3))
    price = world.feed_price
    begun, gap = boa.env.timestamp, target_of(token) - token.leverage
    had, fills = world.worth(attacker, price), 0
    while target_of(token) - token.leverage > gap / 5:
        squeeze(token, "0.6", up=True)
        left = target_of(token) - token.leverage
        token.rebalance()
        world.pool.move(price, attacker)
        share = 1 - (target_of(token) - token.leverage) / left
        wait = token.state.ready_at - boa.env.timestamp
        assert wait < COOLDOWN
        assert share >= Fraction(1, 10)
        world.pass_time(wait, every=60)
        fills += 1
    assert fills > 1
    waited = boa.env.timestamp - begun
    assert waited <= 2 * COOLDOWN  # ln 5 = 1.6 cooldowns
    assert world.worth(attacker, price) - had < 20
    assert fills <= 20


def test_a_griefed_cooldown_holds_up_no_emergency(either: Token) -> None:
    """Scenario: a tiny clip just filled, then a crash. Property: due at once."""
    token = either
    go(token, "3.6" if token.long else "1.4")
    world, attacker = token.world, token.world.roles.attacker
    world.pool.remove(Fraction(4, 5))
    squeeze(token, "0.8", up=False)
    assert token.rebalance(who=attacker).clipped
    assert token.due == "idle"
    go(token, EMERGENCY[token.long], seconds=36)
    assert boa.env.timestamp < token.state.ready_at
    assert token.due == "emergency"
    token.rebalance()
    assert token.due == "idle"


@pytest.mark.parametrize("where", [RAISES, EMERGENCY], ids=["band", "emergency"])
def test_many_small_fills_earn_what_one_earns(either: Token, where: dict[bool, str]) -> None:
    """Scenario: one keeper fills at once, one in parts that he makes small. Property: no more pay.

    The premium is a share of the notional by distance, and distance shrinks with each part.
    """
    token = either
    world, attacker = token.world, token.world.roles.attacker
    go(token, where[token.long])
    price, up = world.feed_price, where is RAISES
    if not up:
        # an emergency's tolerance is wide: in a deep pool one fill would be all of it
        world.pool.remove(Fraction(4, 5) if token.long else Fraction(9, 10))
    with base_fee(0):
        with boa.env.anchor():
            at_once, clips = 0, 0
            while token.leverage != target_of(token) and token.due != "idle":
                told = token.rebalance(who=attacker)
                at_once += told.pay_by_reserve + told.pay_by_nav
                world.pool.move(price)
                world.pass_time(COOLDOWN, every=60)
                clips += 1
        in_parts, parts = 0, 0
        while token.due != "idle" and parts < 40:
            squeeze(token, "0.8", up=up)
            told = token.rebalance(who=attacker)
            in_parts += told.pay_by_reserve + told.pay_by_nav
            world.pool.move(price, attacker)
            world.pass_time(COOLDOWN, every=60)
            parts += 1
    assert parts > clips
    assert in_parts <= at_once * Fraction(101, 100)


def test_pay_for_gas_is_bounded_by_the_notional_at_any_base_fee(either: Token) -> None:
    """Scenario: 10 to 100,000 gwei, one fill or many in an emergency. Property: 1 % of notional.

    From the reserve, and from nav where it is empty.
    """
    token = either
    go(token, EMERGENCY[token.long])
    world, attacker = token.world, token.world.roles.attacker
    price = world.feed_price
    for empty in (False, True):
        for gwei in (10, 1_000, 100_000):
            with boa.env.anchor(), base_fee(gwei * 10**9):
                if empty:
                    empty_reserve(token)
                paid = moved = 0
                for _ in range(3):
                    if token.due != "emergency":
                        break
                    squeeze(token, "0.9", up=False)
                    told = token.rebalance(who=attacker)
                    assert told.pay_by_reserve == 0 or not empty
                    paid += told.pay_by_reserve + told.pay_by_nav
                    moved += told.units
                    world.pool.move(price, attacker)
                # of what was moved at the feed's price; units are at the swap's, up to 5 % off
                assert 0 < paid <= moved * Fraction(105, 10_000)


@pytest.mark.parametrize("where", [RAISES, EMERGENCY], ids=["up", "emergency"])
def test_a_starved_rebalance_is_whole_or_nothing(either: Token, where: dict[bool, str]) -> None:
    """Scenario: every amount of gas from too little to enough. Property: the same, or nothing.

    So neither the callback, nor the feed's read, nor the reserve can be left out by a caller who
    saves on gas; the pay differs with the gas, as it must.
    """
    token = either
    go(token, where[token.long])
    before = tuple(token.state)

    def outcome() -> tuple[Any, ...]:
        told = token.event("Rebalanced")
        figures = (told.trigger, told.price, told.units, told.notional, told.leverage_after)
        return (*figures, told.covered, told.gained, told.clipped)

    with boa.env.anchor(), base_fee(0):
        token.rebalance()
        expected = outcome()
    done = 0
    for gas in (*range(60_000, 900_000, 28_000), 2_000_000):
        with boa.env.anchor(), base_fee(0):
            try:
                token.contract.rebalance(sender=token.world.roles.keeper, gas=gas)
            except boa.BoaError:
                assert done == 0, "what went through with less goes through with more"
                assert tuple(token.state) == before
            else:
                assert outcome() == expected
                done += 1
    assert done > 0


def test_a_position_larger_than_the_pool_leaves_by_its_exit_in_kind(either: Token) -> None:
    """Scenario: liquidity goes to a hundredth of the debt. Property: no bad fill; in kind is open.

    Redeeming through the pool is refused or bounded by its caller; a delever goes out in parts,
    each within the tolerance, as liquidity comes back to the price; nothing more can be minted.
    """
    token = either
    world = token.world
    go(token, EMERGENCY[token.long])
    world.pool.remove(Fraction(99_996, 100_000))
    holder = world.roles.depositor
    with boa.env.anchor():
        token.contract.redeem_in_kind(400 * WAD, 2**255, holder, sender=holder)
    for refused in (lambda: token.redeem(400, least=1), lambda: token.mint(1)):
        with boa.env.anchor(), boa.reverts():
            refused()
    before = token.leverage
    for _ in range(3):
        told = token.rebalance()
        assert told.clipped
        cost = Fraction(told.pool_fee + told.impact, told.notional)
        assert cost <= Fraction(5, 100)
        assert token.leverage < before
        before = token.leverage
        world.pool.move(world.feed_price)
        assert token.due == "emergency"


def test_another_pools_callback_is_refused(either: Token) -> None:
    """Scenario: a pool of other fees, a fake one, a swap to the token. Property: refused.

    Only its own pool, in a swap that the token began, is heard; output that somebody directs to
    the token is a gift, and changes no position.
    """
    token = either
    world, attacker = token.world, token.world.roles.attacker
    intruder = deploy_double("Intruder")
    callback = token.contract.uniswapV3SwapCallback.prepare_calldata(10**18, -(10**18), b"")
    with boa.reverts():
        intruder.run([(token.contract.address, callback)], sender=attacker)
    other = world.deploy("UniswapV3Factory")
    token0, token1 = (each.address for each in world.pool.tokens)
    other.createPool(token0, token1, 3_000)
    fake = other.getPool(token0, token1, 3_000)
    with boa.reverts("leveraged_token: not the pool"):
        token.contract.uniswapV3SwapCallback(10**18, -(10**18), b"", sender=fake)
    with boa.reverts("leveraged_token: no swap"):
        token.contract.uniswapV3SwapCallback(10**18, -(10**18), b"", sender=world.pool.address)
    before, position = token.state.supply, token.position
    for asset in world.pool.tokens:
        wanted = (
            asset.address,
            world.pool.tokens[asset is world.pool.tokens[0]].address,
            500,
            token.contract.address,
            2**63,
            10**8,
            0,
            0,
        )
        world.router.exactInputSingle(wanted, sender=attacker)
    assert (token.state.supply, token.position) == (before, position)
    token.contract.collect_fees()


@pytest.mark.parametrize("where", [RAISES, LOWERS, EMERGENCY], ids=["up", "down", "emergency"])
def test_no_rebalance_in_the_middle_of_anothers_swap(either: Token, where: dict[bool, str]) -> None:
    """Scenario: called from inside a swap of its pool. Property: refused; a flash loan is no help.

    The pool is locked while it waits to be paid, so mint, redeem and rebalance fail there; exits
    in kind do not need it. Lent money changes nothing of what a rebalance does.
    """
    token = either
    world, attacker = token.world, token.world.roles.attacker
    go(token, where[token.long])
    intruder = deploy_double("Intruder")
    for asset, amount in zip(world.pool.tokens, (10**6, 10**6), strict=True):
        asset.transfer(intruder.address, amount * 10**3, sender=attacker)
    token.contract.transfer(intruder.address, 10 * WAD, sender=world.roles.depositor)
    before = token.position
    contract = token.contract
    calls = {
        "rebalance": contract.rebalance.prepare_calldata(),
        "redeem": contract.redeem.prepare_calldata(WAD, 0, attacker),
        "mint": contract.mint.prepare_calldata(WAD, 2**255, attacker),
    }
    limit = sqrt_price_of(world.pool.ratio(world.feed_price * Fraction(9, 10)))
    one = world.underlying_first
    for name, data in calls.items():
        inner = (contract.address, data)
        intruder.in_swap(world.pool.address, one, 10**6, limit if one else 2**159, inner)
        assert not intruder.succeeded(), name
        assert token.position == before
    world.pool.move(world.feed_price)
    with boa.env.anchor(), base_fee(0):
        token.rebalance()
        expected = tuple(token.position)
    with base_fee(0):
        intruder.in_flash_loan(
            world.morpho.address,
            token.loan.address,
            10 ** token.loan.decimals(),
            (contract.address, calls["rebalance"]),
        )
    assert intruder.succeeded()
    assert tuple(token.position) == expected


def test_a_keeper_that_reverts_is_paid_and_stops_nothing(either: Token) -> None:
    """Scenario: pay to a contract that answers no call, to the token, to nobody. Property: goes on.

    Pay is a plain transfer of the underlying: no code of the keeper's runs, with reserve or not.
    """
    token = either
    go(token, EMERGENCY[token.long])
    intruder = deploy_double("Intruder")
    for empty in (False, True):
        for keeper in (intruder.address, token.contract.address, token.world.pool.address):
            with boa.env.anchor():
                if empty:
                    empty_reserve(token)
                token.contract.rebalance(keeper, sender=token.world.roles.attacker)
                told = token.event("Rebalanced")
                assert told.pay_by_reserve + told.pay_by_nav > 0
                assert abs(token.leverage / target_of(token) - 1) < Fraction(5, 10_000)


def test_a_rebalance_sent_twice_acts_once(token: Token) -> None:
    """Scenario: a keeper killed after sending sends again. Property: the second changes nothing."""
    go(token, LOWERS[token.long])
    token.rebalance()
    after = tuple(token.state)
    with boa.reverts("leveraged_token: nothing to do"):
        token.rebalance()
    assert tuple(token.state) == after


def test_fees_cannot_be_collected_into_a_better_price(world: World) -> None:
    """Scenario: fees lie in the token; an attacker mints, collects, redeems. Property: it loses."""
    terms = {"creation_bps": 50, "redemption_bps": 50}
    fund = Fund(world, Terms(long=world.underlying_first, **terms))
    token, attacker = fund.tokens[0], world.roles.attacker
    price = world.feed_price
    before = world.worth(attacker, price)
    token.mint(500, who=attacker)
    token.contract.collect_fees(sender=attacker)
    token.redeem(500, who=attacker)
    token.contract.collect_fees(sender=attacker)
    world.pool.move(price, attacker)
    assert world.worth(attacker, price) < before


def test_a_suspension_that_is_bought_stops_what_raises_only(world: World) -> None:
    """A suspension that is bought stops what raises only.

    Scenario: reserve at 11 % of nav; in one transaction an attacker mints a sixth more, publishes
    the health and redeems.
    Property: it pays both swaps' fees and gains nothing. What raises is suspended, an hour later
    still, until the level is 12 %; what lowers is not. A reserve over 10 % of the grown nav is not
    touched.
    """
    fund = Fund(world, Terms(), reserve=ReserveTerms(initial=Fraction(11, 10)))
    token, attacker = fund.tokens[0], world.roles.attacker

    def push(tokens: int) -> Fraction:
        before = world.worth(attacker, world.feed_price)
        token.mint(tokens, attacker)
        fund.reserve.publish_health(sender=attacker)
        token.redeem(tokens, attacker)
        return before - world.worth(attacker, world.feed_price)

    with boa.env.anchor():
        push(95)
        assert not fund.reserve.suspended()
    cost = push(160)
    # the debt of the mint is sold, and bought back
    drawn = 160 * Fraction("0.01") * 2 * 2_000
    assert abs(cost / (2 * FEE * drawn) - 1) < Fraction(1, 10)
    boa.env.time_travel(seconds=3_600)
    world.set_feed(2_000)
    fund.reserve.publish_health()
    assert fund.reserve.suspended()
    with boa.env.anchor():
        go(token, LOWERS[True])
        token.rebalance()
    go(token, RAISES[True])
    with boa.reverts("leveraged_token: not to be raised"):
        token.rebalance()
    fund.inject(Fraction(1, 2))
    token.rebalance()
