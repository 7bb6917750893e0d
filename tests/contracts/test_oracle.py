"""The oracle: a price that never reverts for want of an answer, and what may be acted on."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import boa
import pytest

from support.chain.deploying import deploy_double, deploy_source
from support.chain.series import CONTRACTS, Fund, Series, Terms, wad
from support.chain.world import Setting, World

REVERTS, BURNS_GAS = 1, 2


@pytest.fixture(scope="module")
def composite() -> Fund:
    """A long and a short whose prices are ETH/USD over USDC/USD."""
    return Fund(World(Setting()), Terms(composite=True), Terms(long=False, composite=True))


def test_the_price_is_the_feeds_in_raw_units(series: Series) -> None:
    """Property: debt units per collateral unit, times 1e36, rounded down."""
    for price in ("2000", "1234.56789", "99999.99999999"):
        series.world.set_feed(Fraction(price))
        assert series.oracle.price() == series.world.lending.oracle_price(
            series.world.feed_price, long=series.long
        )
        assert series.oracle.latest(False) == (series.oracle.price(), boa.env.timestamp, 0)


@pytest.mark.parametrize("answer", [0, -1, 2**112, 2**255 - 1])
def test_a_bad_answer_is_no_price(series: Series, answer: int) -> None:
    """Property: Morpho is told the last good price, and whoever acts that there is none."""
    series.oracle.poke()
    good = series.oracle.price()
    series.world.feed.update(answer)
    assert series.oracle.price() == good
    assert series.oracle.latest(False) == (good, 0, 0)
    series.oracle.poke()
    assert series.oracle.price() == good


@pytest.mark.parametrize("fault", [REVERTS, BURNS_GAS])
def test_a_dead_feed_costs_bounded_gas(series: Series, fault: int) -> None:
    """A feed that reverts or burns gas is bounded.

    Property: the last good price is said within 150,000 gas; with too little gas to read the
    feed it is not chosen over the new one.
    """
    series.oracle.poke()
    good = series.oracle.price()
    with boa.env.anchor():
        series.world.feed.set_fault(fault)
        assert series.oracle.price() == good
        assert series.oracle._computation.get_gas_used() < 150_000
    series.world.set_feed(3_000)
    with boa.reverts("feed_reader: gas"):
        series.oracle.price(gas=100_000)


def test_age_and_future_are_told_to_who_acts(series: Series) -> None:
    """Morpho is told a price of any age.

    Property: an answer that is too old is Morpho's price still, and nobody else's; one from
    the future is none.
    """
    age = series.terms.base_age
    boa.env.time_travel(seconds=age + 1)
    price = series.oracle.price()
    assert series.oracle.latest(False) == (price, 0, 0)
    series.world.feed.set_times(0, boa.env.timestamp - age)
    assert series.oracle.latest(False)[1] == boa.env.timestamp - age
    series.world.feed.set_times(0, boa.env.timestamp + 1)
    assert series.oracle.latest(False)[1] == 0


def test_a_jump_fades_within_a_minute(series: Series) -> None:
    """The guard against jumps, in figures.

    Property: max / min - 1 from a round to the next of the last minute, above 5 %, fading evenly
    in 60 s, rounded up; nothing where the round before cannot be read.
    """
    before, world = series.world.feed_price, series.world
    world.feed.update(int(before * 11 // 10 * 10**8))
    jump = Fraction(world.feed.answer(), before * 10**8) - 1
    for seconds in (0, 30, 59):
        with boa.env.anchor():
            boa.env.time_travel(seconds=seconds)
            said = series.oracle.latest(True)[2]
            assert 0 <= said - jump * wad(1) * (60 - seconds) / 60 < 2
    with boa.env.anchor():
        boa.env.time_travel(seconds=60)
        assert series.oracle.latest(True)[2] == 0
    with boa.env.anchor():
        world.feed.change_phase()
        assert series.oracle.latest(True)[2] == 0
    world.feed.update(int(before * 11 // 10 * 10**8 * 104 // 100))
    # a second step of 4 % does not make one forget the first, and is no jump itself
    assert 0 <= series.oracle.latest(True)[2] - jump * wad(1) < 2


def test_a_depeg_is_a_price(composite: Fund) -> None:
    """Scenario: the quote asset falls to 0.8 dollars.

    Property: a long's debt is worth less and a short's collateral too; nothing stops.
    """
    world = composite.world
    prices = [each.oracle.price() for each in composite.series]
    world.quote_feed.update(8 * 10**7)
    long, short = (each.oracle for each in composite.series)
    assert abs(Fraction(long.price(), prices[0]) - Fraction(10, 8)) < Fraction(1, 10**9)
    assert abs(Fraction(short.price(), prices[1]) - Fraction(8, 10)) < Fraction(1, 10**9)
    assert long.latest(True)[2] == wad("0.25")
    world.quote_feed.set_fault(REVERTS)
    assert long.latest(False)[1] == 0


def test_a_sequencer_that_was_down_stops_who_acts() -> None:
    """Scenario: a rollup's sequencer goes down, comes up, and its grace period passes.

    Property: until then there is no price to act on, and Morpho has one all the same.
    """
    world = World(Setting())
    uptime: Any = deploy_double("PriceFeed", 0, 0)
    boa.env.time_travel(seconds=3_601)
    fund = Fund(world, Terms(sequencer=uptime, grace=3_600))
    oracle = fund.series[0].oracle
    assert oracle.latest(False)[1] > 0
    uptime.update(1)
    price = oracle.price()
    assert oracle.latest(False) == (price, 0, 0)
    uptime.update(0)
    boa.env.time_travel(seconds=3_600)
    world.refresh_feeds()
    assert oracle.latest(False)[1] == 0
    boa.env.time_travel(seconds=1)
    assert oracle.latest(False)[1] > 0


def test_the_oracle_of_no_clone_says_nothing() -> None:
    """Property: the implementation has no configuration of its own to read."""
    bare = deploy_source(CONTRACTS / "Oracle.vy")
    with boa.reverts():
        bare.price()
