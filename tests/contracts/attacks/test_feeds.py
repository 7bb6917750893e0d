"""Attacks on the price: feeds that fail for a week, a sequencer down, a pool pushed away."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import boa
import pytest

from support.chain.deploying import deploy_double
from support.chain.driving import EMERGENCY, LOWERS, RAISES, go, target_of
from support.chain.series import WAD, Fund, ReserveTerms, Terms

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.chain.series import Token
    from support.chain.world import World

WEEK = 7 * 86_400
FAULTS: dict[str, Callable[[World], Any]] = {
    "stale": lambda world: world.feed.set_times(boa.env.timestamp, boa.env.timestamp),
    "zero": lambda world: world.feed.update(0),
    "negative": lambda world: world.feed.update(-1),
    "reverting": lambda world: world.feed.set_fault(1),
    "burning gas": lambda world: world.feed.set_fault(2),
    "enormous": lambda world: world.feed.update(2**200),
}


def leave(token: Token) -> None:
    """A redemption of each kind by the depositor: both go through."""
    holder = token.world.roles.depositor
    before = token.collateral.balanceOf(holder)
    token.redeem(10)
    token.contract.redeem_in_kind(10 * WAD, 2**255, holder, sender=holder)
    assert token.collateral.balanceOf(holder) > before


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_bad_feed_for_a_week_closes_no_exit(token: Token, fault: Callable[[World], Any]) -> None:
    """Scenario: each kind of bad answer, for seven days. Property: every day both exits are open.

    Nothing is rebalanced meanwhile, emergencies included; on the first good answer it is.
    """
    world = token.world
    go(token, EMERGENCY[token.long])
    assert token.due == "emergency"
    price = world.feed_price
    fault(world)
    for day in range(8):
        if day:
            boa.env.time_travel(seconds=86_400)
            assert token.due == "idle"
            with boa.reverts("oracle_guard: refused"):
                token.rebalance()
        leave(token)
        world.pool.move(price)
    world.feed.set_fault(0)
    world.move(price)
    world.pass_time(72)
    assert token.due == "emergency"
    token.rebalance()
    assert abs(token.leverage / target_of(token) - 1) < Fraction(1, 10**5)


def test_a_dead_feed_in_a_crash_leaves_the_exit_in_kind(token: Token) -> None:
    """Scenario: the feed dies, then the market goes 40 % against. Property: in kind stays open."""
    world = token.world
    world.feed.set_fault(1)
    world.pool.move(1_200 if token.long else 3_500)
    boa.env.time_travel(seconds=WEEK)
    holder = world.roles.depositor
    token.contract.redeem_in_kind(900 * WAD, 2**255, holder, sender=holder)


@pytest.mark.parametrize("leverage", [RAISES, LOWERS, EMERGENCY], ids=["up", "down", "emergency"])
def test_a_sequencer_that_is_or_was_down_stops_rebalances_only(
    world: World, leverage: dict[bool, str]
) -> None:
    """Scenario: down for an hour, then up within its grace. Property: idle, exits open; then due.

    So nobody acts on a price of before the outage while others cannot answer it.
    """
    sequencer = deploy_double("PriceFeed", 0, 0)
    grace = 1_800
    terms = ReserveTerms(sequencer_feed=sequencer, sequencer_grace=grace)
    boa.env.time_travel(seconds=grace + 1)
    world.set_feed(2_000)
    token = Fund(world, Terms(long=world.underlying_first), reserve=terms).tokens[0]
    go(token, leverage[token.long])
    due = token.due
    assert due != "idle"
    sequencer.update(1)
    boa.env.time_travel(seconds=3_600)
    for answer, wait in ((1, 0), (0, 0), (0, grace - 60)):
        if sequencer.answer() != answer:
            sequencer.update(answer)
        if wait:
            boa.env.time_travel(seconds=wait)
        world.set_feed(world.feed_price)
        assert token.due == "idle"
        with boa.reverts("oracle_guard: refused"):
            token.rebalance()
        leave(token)
        world.pool.move(world.feed_price)
    world.pass_time(72)
    assert token.due == due
    token.rebalance()


@pytest.mark.parametrize("apart", [Fraction(k, 100) for k in (-20, -6, 6, 20)], ids=str)
def test_a_pool_pushed_apart_costs_its_author_and_moves_nothing(
    token: Token, apart: Fraction
) -> None:
    """Scenario: an attacker pushes the pool beyond every tolerance. Property: no rebalance in it.

    Exits stay open, with the redeemer's own bound against the push; pushing and taking back costs
    the pool's fee twice, and nobody pays it but the attacker.
    """
    world, attacker = token.world, token.world.roles.attacker
    for where in (RAISES, EMERGENCY):
        with boa.env.anchor():
            go(token, where[token.long])
            price, before = world.feed_price, token.position
            had = world.worth(attacker, price)
            with boa.env.anchor():
                fair = token.redeem(10)
            world.pool.move(price * (1 + apart), attacker)
            assert token.due == "idle"
            with boa.reverts("oracle_guard: refused"):
                token.rebalance()
            assert token.position == before
            worse = (apart < 0) == token.long
            if worse:
                # by the bound, or because the debt's price is more than all that is sold for it
                with boa.reverts():
                    token.redeem(10, least=fair * 99 // 100)
            holder = world.roles.depositor
            with boa.env.anchor():
                token.contract.redeem_in_kind(10 * WAD, 2**255, holder, sender=holder)
            world.pool.move(price, attacker)
            cost = had - world.worth(attacker, price)
            # twice the fee on what the push has to trade: 10,000,000 sqrt(p / 2,000) a side
            traded = 10_000_000 * abs(float(1 + apart) ** 0.5 - 1) * 0.8
            assert cost > 2 * 0.0005 * traded
            assert token.due != "idle"


def test_the_minutes_mean_cannot_be_taken_in_one_block(either: Token) -> None:
    """Scenario: the pool is pushed 25 % for one block, then back. Property: no price is made by it.

    The feed is the price; the mean only refuses. A push delays a rebalance by at most the minute
    that it stays in the mean, and an emergency's wider bound lets it through before.
    """
    token = either
    world, attacker = token.world, token.world.roles.attacker
    go(token, RAISES[token.long])
    price = world.feed_price
    world.pool.move(price * Fraction(125, 100), attacker)
    world.pool.pass_time(12)
    world.pool.move(price, attacker)
    world.set_feed(price)
    assert token.due == "idle", "25 % for 12 s of 60 are 4.6 % in the mean, more than 3 %"
    world.pass_time(60)
    assert token.due == "band_up"


def test_a_feed_pushed_away_from_the_pool_trades_nothing(either: Token) -> None:
    """Scenario: the feed alone says 5 to 40 % more or less. Property: not one unit is traded."""
    token = either
    before = token.position
    for wrong in (Fraction(k, 100) for k in (60, 85, 95, 105, 115, 140)):
        with boa.env.anchor():
            token.world.set_feed(2_000 * wrong)
            assert token.due == "idle"
            with pytest.raises(boa.BoaError) as refused:
                token.rebalance()
            said = str(refused.value)
            assert "oracle_guard: refused" in said or "nothing to do" in said
            assert token.position == before
