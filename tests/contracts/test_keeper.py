"""The keeper: fills without capital, the profit to the receiver, nothing kept."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import boa
import pytest

from support.chain.deploying import deploy_double
from support.chain.periphery import FOREVER, Periphery
from support.chain.series import DAY, MOST, OPEN, WAD, Fund, Series, new_transaction
from support.page_figures import said

LOW = {True: "2.5", False: "0.7"}
HIGH = {True: "3.8", False: "1.5"}
RESCUE = {True: "5", False: "2.7"}


@pytest.fixture(scope="session")
def periphery(fund: Fund) -> Periphery:
    """Router, keeper and lens around the fund."""
    return Periphery(fund)


def due(series: Series, leverage: str, seconds: int = 1_140) -> Any:
    """An auction that has run for a while; its plan."""
    series.go(leverage)
    series.open()
    series.fund.sleep(seconds)
    boa.env.time_travel(seconds=61)
    series.accrue()
    return series.plan


@pytest.mark.parametrize("where", [LOW, HIGH, RESCUE], ids=["raise", "lower", "rescue"])
def test_a_fill_needs_no_capital(
    periphery: Periphery, series: Series, where: dict[bool, str]
) -> None:
    """The whole of what is due, over a level pool near the auction's top.

    Property: leverage is at the target; the receiver gets the profit in the asset that the series
    gave and pays nothing; nothing is kept. A profit of one unit more is refused.
    """
    plan, keeper = due(series, where[series.long]), series.world.roles.keeper
    assert plan.state == OPEN
    with boa.env.anchor():
        profit = periphery.take(series)
    with boa.reverts("keeper: less than least_profit"):
        periphery.take(series, least_profit=profit + 1)
    had = [token.balanceOf(keeper) for token in (series.collateral, series.loan)]
    assert periphery.take(series, least_profit=profit) == profit > 0
    moved = [
        token.balanceOf(keeper) - before
        for token, before in zip((series.collateral, series.loan), had, strict=True)
    ]
    assert moved == ([0, profit] if plan.up else [profit, 0])
    target = 3 if series.long else 1
    assert abs(series.leverage - target) < Fraction(1, 50)
    assert periphery.nothing_kept()


@pytest.mark.parametrize("off", [Fraction(0), Fraction("0.005")], ids=["level", "off by start"])
def test_what_is_left_of_the_top_is_what_the_least_nav_is_counted_with(
    periphery: Periphery, off: Fraction
) -> None:
    """Scenario: a long's raise from the band's edge at the auction's top; the feed is level or low.

    Property: it trades the part of nav that the page says, and of a small fill the keeper has left
    what the page says, to a basis point: from these the page has the least nav at each gas price.
    """
    series = periphery.fund.series[0]
    plan = due(series, "2.599")
    part, top, level, _, lagging = said(
        "trades is # of nav, and of the top of # basis points # are left after a pool's fee of #, "
        "or # where the feed is off against the taker by all of `start`",
        page="index.md",
    )
    assert abs(Fraction(plan.gap, plan.nav) - part) < Fraction(1, 500)
    assert Fraction(plan.premium, WAD) * 10**4 == top
    series.world.pool.move(series.world.feed_price * (1 + off))
    left = Fraction(periphery.take(series, plan.least), plan.least) * 10**4
    assert abs((lagging if off else level) - left) < 1


def test_without_a_profit_nothing_is_done(periphery: Periphery, series: Series) -> None:
    """At the auction's first premium, below zero, the swap costs more than was given."""
    due(series, LOW[series.long], 1)
    with boa.reverts("v3_path: more than most"):
        periphery.take(series)
    assert periphery.take_largest(series) == (0, 0)
    assert periphery.nothing_kept()


def test_expired_and_foreign_calls_are_refused(periphery: Periphery, series: Series) -> None:
    """Scenario: a late call, and strangers in the callbacks.

    Property: each is refused.
    """
    keeper, attacker = periphery.keeper, series.world.roles.attacker
    asset = series.collateral.address
    late = boa.env.timestamp - 1
    new_transaction()
    with boa.reverts("keeper: expired"):
        keeper.take(series.address, periphery.way, MOST, 0, attacker, late, sender=attacker)
    with boa.reverts("keeper: expired"):
        keeper.take_largest(series.address, periphery.way, 0, 0, attacker, late, sender=attacker)
    with boa.reverts("keeper: attempt"):
        keeper.attempt(series.address, periphery.way, MOST, 0, attacker, sender=attacker)
    with boa.reverts("keeper: foreign callback"):
        keeper.on_given(asset, 1, asset, 1, b"\1", sender=attacker)
    with boa.reverts("v3_path: foreign callback"):
        keeper.uniswapV3SwapCallback(10**18, -1, b"", sender=attacker)
    with boa.reverts("keeper: nothing on sale"):
        series.arrive()
        periphery.take_largest(series)


def test_the_largest_size_that_pays_is_taken(periphery: Periphery, series: Series) -> None:
    """Scenario: the pool is so thin that the whole fill would cost more than its premium.

    Property: a half, a quarter or less of it is taken at a profit, and leverage comes nearer.
    """
    world = series.world
    plan = due(series, HIGH[series.long])
    world.pool.remove(Fraction(9_925, 10_000))
    before = series.leverage
    with boa.reverts():
        periphery.take(series)
    size, profit = periphery.take_largest(series)
    assert plan.least <= size < plan.most
    assert profit > 0
    assert series.leverage < before
    assert periphery.nothing_kept()


def test_a_pushed_pool_is_levelled_first(periphery: Periphery, series: Series) -> None:
    """Scenario: a griefer pushes the pool by 4 % against the taker, beyond the premium.

    Property: without money the fill is refused; with a budget the keeper levels the pool at a
    gain, by the feed's price, takes all that is due, and keeps nothing.
    """
    world, keeper = series.world, series.world.roles.keeper
    due(series, HIGH[series.long])
    # a long's taker sells the underlying, a short's buys it
    push = Fraction(96, 100) if series.long else Fraction(104, 100)
    world.pool.move(world.feed_price * push)
    with boa.reverts():
        periphery.take(series)
    before = world.worth(keeper, world.feed_price)
    budget = series.loan.balanceOf(keeper) // 2
    size, profit = periphery.take_largest(series, budget)
    assert size > 0
    assert profit > 0
    assert world.worth(keeper, world.feed_price) > before
    assert abs(series.leverage - (3 if series.long else 1)) < Fraction(1, 50)
    assert periphery.nothing_kept()


def test_a_level_pool_is_left_alone(periphery: Periphery, series: Series) -> None:
    """With a budget and a level pool none of the keeper's money is spent."""
    due(series, HIGH[series.long])
    keeper = series.world.roles.keeper
    had = series.loan.balanceOf(keeper)
    periphery.take_largest(series, had)
    assert series.loan.balanceOf(keeper) == had


def test_levelling_stays_within_the_budget(periphery: Periphery, series: Series) -> None:
    """The keeper allows everything and names a budget: no unit more is spent."""
    world, keeper = series.world, series.world.roles.keeper
    due(series, HIGH[series.long])
    world.pool.move(world.feed_price * (Fraction(96, 100) if series.long else Fraction(104, 100)))
    had, budget = series.loan.balanceOf(keeper), 10**6 if series.long else 10**12
    periphery.take_largest(series, budget)
    assert had - series.loan.balanceOf(keeper) == budget
    assert periphery.nothing_kept()


def test_a_bad_feed_levels_nothing(periphery: Periphery, series: Series) -> None:
    """Scenario: the feed's answer is too old, and the keeper offers a budget.

    Property: none of it is spent at a price of long ago.
    """
    due(series, HIGH[series.long])
    boa.env.time_travel(seconds=series.terms.base_age + 1)
    with boa.reverts("keeper: no good price"):
        periphery.take_largest(series, 10**9)


def test_it_opens_publishes_and_allocates(periphery: Periphery, series: Series) -> None:
    """The keeper's other work, for anyone.

    Property: the auction is open; the refund of a publication goes to the receiver; a long's fees
    and a short's, bought over the pool, are in the reserve, with a profit for the receiver.
    """
    world, keeper = series.world, series.world.roles.keeper
    receiver = boa.env.generate_address("receiver")
    series.mint(100)
    series.go(LOW[series.long])
    new_transaction()
    assert periphery.keeper.open(series.address, sender=keeper) == boa.env.timestamp
    new_transaction()
    refund = periphery.keeper.publish(series.fund.reserve.address, receiver, sender=keeper)
    assert world.underlying.balanceOf(receiver) == refund
    series.fund.sleep(DAY + 1_150)
    boa.env.time_travel(seconds=61)
    had = world.underlying.balanceOf(series.fund.reserve.address)
    new_transaction()
    sent = periphery.keeper.allocate(
        series.address, periphery.way, -(2**255), 0, receiver, sender=keeper
    )
    assert sent > 0
    assert world.underlying.balanceOf(series.fund.reserve.address) - had == sent
    assert series.state.fees == 0
    assert series.long or world.quote.balanceOf(receiver) > 0
    assert periphery.nothing_kept()


def test_a_hostile_series_gets_nothing(periphery: Periphery, series: Series) -> None:
    """Scenario: a contract that is no series is named, and calls back as it likes.

    Property: it can spend nobody's money, though the keeper's caller allowed everything: a fill
    debits no caller.
    """
    hostile, keeper = deploy_double("HostileSeries", periphery.keeper.address), periphery.keeper
    caller = series.world.roles.keeper
    had = series.world.balances(caller)
    for owed, other in ((series.loan, series.collateral), (series.collateral, series.loan)):
        hostile.load(other.address, 10**18, owed.address, 10**6)
        new_transaction()
        with boa.reverts():
            keeper.take(hostile.address, periphery.way, MOST, 0, caller, FOREVER, sender=caller)
    assert series.world.balances(caller) == had
