"""Found by attack: feeds that go apart, rounds that go back, and a feed that dies long after."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import boa
import pytest

from support.chain.attacking import fortune, tried, wait_for_fallback
from support.chain.series import OPEN, SCALE, WAD, Fund, Series, Terms
from support.chain.world import Setting, World
from support.page_figures import stated

REVERTS = 1


@pytest.fixture(scope="module")
def composite() -> Fund:
    """A 3x long whose price is ETH/USD over USDC/USD."""
    return Fund(World(Setting()), Terms(composite=True))


def apart(fund: Fund, by: Fraction) -> None:
    """Both feeds are wrong at once: the underlying's is too low, the quote's too high."""
    world = fund.world
    world.feed.update(int(world.feed.answer() * (1 - by)))
    world.quote_feed.update(int(world.quote_feed.answer() * (1 + by)))


@pytest.mark.parametrize("percent", [6, 8, 10])
def test_feeds_that_go_apart_are_guarded_by_the_move_of_the_price(
    composite: Fund, percent: int
) -> None:
    """Scenario: one feed is too low and the other too high, in the same second; all is taken.

    Property: as of one feed, a taker that sells at the fair price wins of the notional at most
    `p (1 + j) - j^2`, with `j` the price's jump. The larger of both feeds' jumps, which an earlier
    version took off, would have left it several times that.
    """
    series, world = composite.series[0], composite.world
    by, who = Fraction(percent, 100), world.roles.attacker
    fair = world.feed_price
    jump = (1 + by) / (1 - by) - 1
    top = Fraction(series.terms.emergency_top)
    with tried():
        apart(composite, by)
        plan = series.plan
        assert plan.state == OPEN
        before = world.worth(who, fair)
        series.rebalance(who=who)
        won = world.worth(who, fair) - before
        notional = Fraction(plan.whole, 10**6)
        earlier = notional * (
            (1 + Fraction(plan.premium, WAD) + jump - by / (1 - by)) * (1 + jump) - 1
        )
    print(
        f"two feeds {percent} % apart each, taken at once: ${float(won):,.0f} of "
        f"${float(notional):,.0f}; with the larger jump alone ${float(earlier):,.0f}"
    )
    assert won <= notional * (top * (1 + jump) - jump**2) + notional / 10**6
    assert earlier > won
    if percent == 10:
        stated(
            f"cost a taker {float(-won):,.0f} USD at once",
            f"would have brought {float(earlier):,.0f} USD",
        )


def test_feeds_that_go_apart_by_little_are_not_guarded_against(composite: Fund) -> None:
    """Scenario: both feeds move by 4.6 %, one up and one down.

    Property: neither is a jump, so the price's move of 9.6 % is none: the page says so.
    """
    oracle, before = composite.series[0].oracle, composite.series[0].price
    apart(composite, Fraction(46, 1_000))
    price, _, jump = oracle.latest(True)
    assert jump == 0
    stated(f"{float(Fraction(before, price) - 1) * 100:.1f} % of the price")


@pytest.mark.parametrize("stale", ["base", "quote"])
def test_one_leg_that_is_stale_stops_who_acts(composite: Fund, stale: str) -> None:
    """Scenario: one feed falls silent, the other goes on, and jumps.

    Property: there is no price to act on once the silent one is too old, and Morpho has one.
    """
    world, (series,) = composite.world, composite.series
    silent = world.feed if stale == "base" else world.quote_feed
    other = world.quote_feed if stale == "base" else world.feed
    boa.env.time_travel(seconds=series.terms.base_age)
    other.update(other.answer() * 11 // 10)
    assert series.oracle.latest(True)[1] == silent.updated_at()
    boa.env.time_travel(seconds=1)
    other.update(other.answer())
    price = series.oracle.price()
    assert series.oracle.latest(True) == (price, 0, 0)
    with boa.reverts("series_state: no good price"):
        series.rebalance()


def test_rounds_that_go_back_hold_nobody_off_for_longer(composite: Fund) -> None:
    """Scenario: the round before the latest says that it was given in the future.

    Property: its jump counts until the latest is a minute old, as any, and no longer.
    """
    world, oracle = composite.world, composite.series[0].oracle
    answer = world.feed.answer()
    world.feed.update(answer * 8 // 10)
    world.feed.set_times(0, 2**100)
    world.feed.update(answer)
    assert 0 < oracle.latest(True)[2] <= WAD // 4 + 1
    boa.env.time_travel(seconds=59)
    assert oracle.latest(True)[2] > 0
    boa.env.time_travel(seconds=1)
    assert oracle.latest(True)[2] == 0


@pytest.mark.parametrize("poked", [False, True], ids=["nobody-pokes", "poked-daily"])
def test_a_feed_that_dies_leaves_the_last_price_that_was_poked(
    launch: Callable[..., Fund], poked: bool
) -> None:
    """Scenario: ether doubles in 18 days of 4 %; the fallback raises each day. Then the feed dies.

    Property: where nobody opened an auction, published or poked, Morpho is told the price of the
    launch, and a liquidator takes the series; who pokes daily, for nothing but gas, prevents it.
    """
    fund = launch(Terms())
    (series,) = fund.series
    world, who = fund.world, fund.world.roles.attacker
    for _ in range(18):
        world.set_feed(world.feed_price * 104 / 100)
        wait_for_fallback(series)
        series.rebalance()
        if poked:
            series.oracle.poke()
    fair, nav = world.feed_price, Fraction(series.nav, 10**6)
    before = fortune(fund, who, fair)
    world.feed.set_fault(REVERTS)
    if poked:
        with boa.reverts():
            liquidated(series, who)
        return
    liquidated(series, who)
    won = fortune(fund, who, fair) - before
    print(f"a feed that dies after ether doubled: ${float(won):,.0f} of ${float(nav):,.0f}")
    stated(f"{float(won):,.0f} USD of {float(nav):,.0f} USD")


def liquidated(series: Series, who: object) -> None:
    """All of a position's collateral is seized at the price that Morpho is told."""
    seized = series.position.collateral
    series.world.morpho.liquidate(tuple(series.market), series.address, seized, 0, b"", sender=who)
    assert series.price * SCALE > 0
