"""Found by attack: what series of one reserve can do to each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import exp
from typing import Any

import boa
import pytest

from support.chain.attacking import WEEK, fortune, reserve_holds
from support.chain.deploying import deploy_double
from support.chain.series import (
    DAY,
    LEAST_PREMIUM,
    MOST,
    WAD,
    Fund,
    Terms,
    base_fee,
    new_transaction,
    wad,
)
from support.chain.sisters import Sisters
from support.page_figures import stated

SMALL = "0.12"
"""Of nav, the least that a launch injects."""


def test_a_creators_sister_takes_a_quarter_of_the_common_part_a_day(fund: Fund) -> None:
    """A creator owes nothing to who holds its other series, but what is common.

    Scenario: beside an honest long its creator launched a short on a feed and a quote asset of its
    own making. It lends itself ether there against that asset, so that `W` is large for nothing,
    lets its feed say an emergency each day, and fills it itself.
    Property: the common part falls by a quarter a day at most, and all of it is the creator's; the
    honest series' account is as before.
    """
    world, who = fund.world, fund.world.roles.deployer
    fake, feed = deploy_double("HostileToken", 6), deploy_double("PriceFeed", 8, 2_000 * 10**8)
    fake.mint(who, 10**30)
    fake.approve(fund.factory.address, MOST, sender=who)
    terms = Terms(tokens=5_000, injects=SMALL), Terms(long=False, tokens=1, injects=SMALL)
    changes = {}, {"feed": feed, "quote": fake.address}
    pair = Sisters(fund, *terms, changes=changes, common=40 * WAD, lent=0)
    honest, trap = pair.series
    fake.approve(trap.address, MOST, sender=who)
    for token in (world.underlying, world.quote):
        world.approve(token, who, trap.contract, world.morpho)
    market = tuple(trap.market)

    def has() -> int:
        """Its ether, and what it can take out of its own market, where nobody else lends."""
        return int(world.underlying.balanceOf(who)) + int(world.lending.lendable(trap.market))

    def won() -> int:
        return has() - before

    start, account, given = pair.reserve.common(), honest.account.held, trap.account.held
    before = has()
    # what it lends it gets back as the debt of its own mint
    world.morpho.supply(market, 40_000 * WAD, 0, who, b"", sender=who)
    trap.contract.mint(wad(4_000_000), MOST, who, sender=who)
    left = [Fraction(1)]
    for _ in range(5):
        pair.sleep(DAY)
        pair.answers(1, trap.price_at("2.6"))
        trap.contract.rebalance(trap.plan.most // 8, LEAST_PREMIUM, sender=who)
        new_transaction()
        left.append(Fraction(pair.reserve.common(), start))
    taken = start - pair.reserve.common()
    print(
        f"a creator's sister series, five days: {[f'{float(x):.4f}' for x in left]} of the common "
        f"part is left, {taken / WAD:.2f} of {start / WAD:.2f} WETH taken; won {won() / WAD:.2f}"
    )
    assert all(b >= a * Fraction(3, 4) - Fraction(1, 10**9) for a, b in pairwise(left))
    # with the trap's own account, which the creator gave; what it repays lies in its own market
    assert taken <= won() <= taken + given
    assert honest.account.held == account
    assert taken > start / 2
    stated(
        f"{float(1 - left[1]) * 100:.0f} % in a day and {float(1 - left[5]) * 100:.0f} % in five"
    )


def test_a_sister_suspends_no_cheaper_than_the_series_itself(fund: Fund) -> None:
    """(f), where the common part is counted on and another series of the reserve is used.

    Scenario: a series of 200,000 USD is at 13 %, of which its account is 6 %. Somebody holds 2
    million USD of its sister, which asks the least fee, for a day, publishes and leaves.
    Property: raising is suspended for more than (f) says, since no series asks less than the least
    fee. Without any fee it would have cost 44 USD: such a sister is refused.
    """
    sister = Terms(tokens=500, injects=SMALL, fee="0.001", account_rate=0)
    for fee in ("0", "0.000999999999999999"):
        with boa.env.anchor(), boa.reverts("series_checks: fee"):
            Sisters(fund, Terms(), replace(sister, fee=fee), common=WAD)
    pair = Sisters(fund, Terms(tokens=5_000, injects=SMALL), sister, common=7 * WAD)
    series, other = pair.series
    series.mint(5_000)
    pair.sleep(60 * DAY)
    reserve, who = pair.reserve, fund.world.roles.attacker
    reserve.publish(sender=fund.world.roles.keeper)
    nav = series.contract.standing()[0]
    held = series.account.held * WAD + reserve.health().common_share * nav
    level = Fraction(held, nav * WAD)
    assert not reserve.suspended(series.address)
    before = fortune(pair, who)
    other.contract.mint(wad(100_000), MOST, who, sender=who)
    pair.sleep(DAY)
    reserve.publish(sender=who)
    other.contract.redeem(wad(100_000), MOST, who, sender=who)
    cost = before - fortune(pair, who)
    assert reserve.suspended(series.address)
    honest = Fraction(series.nav, 10**6)
    formula = 2 * Fraction(1, 1_000) * (level * 10 - 1) * honest / Fraction(1 - exp(-DAY / WEEK))
    print(
        f"(f) by a sister held for a day, level {float(level):.4f}: ${float(cost):,.2f}; "
        f"the formula ${float(formula):,.2f}"
    )
    assert cost > formula
    stated(f"{float(cost):,.0f} USD; the formula says {float(formula):,.0f}")


def test_fees_that_leave_at_a_launch_go_to_the_common_part(launch: Callable[..., Fund]) -> None:
    """Scenario: somebody allocates a series' fees in its first minute, and those of a day later.

    Property: `W` follows the day's mean supply, which begins at zero: the first fees are common,
    and nobody's gain. A day later the account takes in its own.
    """
    fund = launch(Terms(injects=SMALL), age=0, common=WAD)
    (series,) = fund.series
    reserve, common, held = fund.reserve, fund.reserve.common(), series.account.held
    series.mint(500)
    first = series.contract.allocate(0)
    assert (reserve.common() - common, series.account.held) == (first, held)
    fund.sleep(3 * DAY)
    series.mint(500)
    second = series.contract.allocate(0)
    assert (reserve.common() - common, series.account.held) == (first, held + second)


def call(contract: Any, method: str, *args: Any) -> tuple[str, bytes]:
    """A call that a callback is loaded with."""
    return contract.address, getattr(contract, method).prepare_calldata(*args)


@pytest.mark.parametrize("leverage", ["2.5", "5.2"])
def test_a_callback_into_the_other_series_gains_nothing(fund: Fund, leverage: str) -> None:
    """A fill of one series inside that of another.

    Scenario: in the callback of one series' fill the taker publishes, mints and fills there
    again, allocates, claims, injects, and does all that with the other series.

    Property: the series under way and publication refuse; the other series works as in a
    transaction of its own, pays the same, and all that the reserve counts is there.
    """
    taker, world = deploy_double("Taker"), fund.world
    one, other = fund.series
    reserve = fund.reserve
    for token in (world.underlying, world.quote):
        token.transfer(
            taker.address, token.balanceOf(world.roles.holder) // 2, sender=world.roles.holder
        )
        for spender in (one, other):
            taker.approve(token.address, spender.address)
        taker.approve(token.address, reserve.address)
    other.mint(10)
    one.mint(10)
    one.go(leverage)
    for each in (one, other):
        try:
            each.open()
        except boa.BoaError:
            continue
    fund.sleep(900)
    for each in (one, other):
        each.accrue()
    mine = [
        call(reserve, "publish"),
        call(one.contract, "mint", WAD, MOST, taker.address, b""),
        call(one.contract, "rebalance", MOST, LEAST_PREMIUM, b""),
        call(one.contract, "allocate", LEAST_PREMIUM, b""),
        call(one.contract, "open"),
    ]
    theirs = [
        call(other.contract, "rebalance", MOST, LEAST_PREMIUM, b""),
        call(other.contract, "mint", WAD, MOST, taker.address, b""),
        call(other.contract, "allocate", LEAST_PREMIUM, b""),
        call(reserve, "claim", taker.address),
        call(reserve, "inject", "0x" + "00" * 20, 10**15),
    ]
    fill = call(one.contract, "rebalance", MOST, LEAST_PREMIUM, b"\1")
    found = []
    for nested in (True, False):
        with boa.env.anchor():
            new_transaction()
            taker.load([*mine, *(theirs if nested else [])], 0)
            before = world.worth(taker.address, world.feed_price)
            taker.act(*fill)
            worked = [taker.worked(place) for place in range(len(mine))]
            assert not any(worked)
            apart = [taker.worked(5 + place) for place in range(len(theirs))] if nested else []
            if not nested:
                for target, data in theirs:
                    new_transaction()
                    try:
                        taker.act(target, data)
                        apart.append(True)
                    except boa.BoaError:
                        apart.append(False)
            gained = world.worth(taker.address, world.feed_price) - before
            found.append((apart, gained, reserve_holds(fund)))
            owed = reserve.owed("0x" + "00" * 20)
            assert world.underlying.balanceOf(reserve.address) >= reserve_holds(fund) + owed
            new_transaction()
    print(f"a callback into the other series at {leverage}x: {found}")
    assert found[0][0] == found[1][0]
    assert abs(found[0][1] - found[1][1]) < Fraction(1, 10**4)
    assert abs(found[0][2] - found[1][2]) < 10**6


def test_a_day_of_refunds_is_a_2000th_and_a_liar_gets_no_more(fund: Fund) -> None:
    """Refunds of gas by a creator's own `native_oracle`.

    Scenario: it says that gas is worth a fortune, and somebody publishes every hour, at any base
    fee. Then it says more than arithmetic holds.

    Property: at once a 4,000th of the reserve leaves, in no 24 hours more than a 2,000th; and what
    is said beyond all measure ends publication, and nothing else.
    """
    liar = boa.loads(LIAR)
    trap = Sisters(fund, Terms(injects=SMALL), native_oracle=liar.address, common=WAD)
    reserve, (series,) = trap.reserve, trap.series
    who, start = fund.world.roles.attacker, reserve_holds(trap)
    liar.say(10**60)
    paid = []
    with base_fee(1):
        for _ in range(48):
            paid.append(reserve.publish(sender=who))
            trap.sleep(3_600)
        days = [sum(paid[place : place + 24]) for place in range(len(paid) - 23)]
        print(
            f"refunds by a liar: at once {paid[0] / start:.6f}, in 24 h {max(days) / start:.6f}, "
            f"in 48 h {sum(paid) / start:.6f} of the reserve"
        )
        assert paid[0] <= start // 4_000
        assert start * 97 // 200_000 < max(days) <= start // 2_000
        liar.say(2**255)
        with boa.reverts():
            reserve.publish(sender=who)
    series.mint(10)
    series.go("3.8")
    series.rebalance()
    series.redeem(10)
    stated(f"{max(days) / start * 100:.4f} % of the reserve in 24 hours")


LIAR = """
# pragma version 0.4.3
price: uint256


@external
def say(price: uint256):
    self.price = price


@external
@view
def latest(with_jump: bool) -> (uint256, uint256, uint256):
    return self.price, block.timestamp, 0
"""
