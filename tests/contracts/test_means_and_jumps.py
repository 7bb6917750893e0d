"""The supply's means and the guard against jumps are the rules' on fractions."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import boa
import pytest

from steelyard.rules.auction import jump_between, jump_shift
from steelyard.rules.supply_mean import mean_after
from support.chain.series import DAY, WAD, Fund, Series, Terms
from support.chain.world import Setting, World

WEEK = 7 * DAY
UNIT = 10**9
"""Raw tokens in a unit in which the contract keeps means."""


@pytest.mark.parametrize("seed", range(3))
def test_the_means_are_the_rules(series: Series, seed: int) -> None:
    """Property: after any mints and redemptions both means are the rules' on fractions.

    They are rounded down to a unit at each change.
    """
    random = Random(seed)  # noqa: S311 - a sequence that repeats
    # the means are kept at each change, and begin at one
    series.mint(10)
    day, week = (Fraction(mean) for mean in (series.state.mean_day, series.state.mean_week))
    then = boa.env.timestamp
    for change in range(1, 13):
        supply = Fraction(series.state.supply)
        boa.env.time_travel(seconds=random.choice([1, 12, 3_600, DAY, 9 * DAY]))
        series.world.refresh_feeds()
        if random.random() < 0.7:
            series.mint(random.randint(1, 500))
        else:
            series.redeem("0.5")
        elapsed, then = boa.env.timestamp - then, boa.env.timestamp
        day, week = mean_after(day, supply, elapsed, DAY), mean_after(week, supply, elapsed, WEEK)
        state = series.state
        slack = 2 * UNIT * change
        assert day - slack <= state.mean_day <= day
        assert week - slack <= state.mean_week <= week


@pytest.mark.parametrize("decimals", [6, 8, 18])
def test_the_jump_is_the_rules(decimals: int) -> None:
    """Property: the jump of any two answers at any age is the rules' on fractions.

    It is rounded up; feeds have 6, 8 or 18 decimals.
    """
    random = Random(decimals)  # noqa: S311 - a sequence that repeats
    world = World(Setting(feed_decimals=decimals))
    oracle = Fund(world, Terms(long=True), lent=0, age=0).series[0].oracle
    for _ in range(40):
        unit = 10**decimals
        before = random.randint(500 * unit, 5_000 * unit)
        latest = before * random.randint(40, 160) // 100
        # said again a minute later, so that nothing before it counts any more
        world.feed.update(before)
        boa.env.time_travel(seconds=61)
        world.feed.update(before)
        world.feed.update(latest)
        age = random.choice([0, 1, 12, 30, 59, 60, 61])
        boa.env.time_travel(seconds=age)
        truth = jump_shift(jump_between(Fraction(before), Fraction(latest)), age) * WAD
        # it is rounded up before it fades and once more; the auction counts a half at most
        assert truth <= min(oracle.latest(True)[2], WAD // 2) <= truth + 2
