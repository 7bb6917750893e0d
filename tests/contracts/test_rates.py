"""A series under Morpho's own interest model: who can leave when nothing is left to borrow."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import boa
import pytest

from support.chain.series import DAY, OPEN, UNLENT, Fund, Series, Terms
from support.chain.world import Setting, World
from support.page_figures import stated

YEAR = 365 * DAY
FALLBACK = 90 * DAY


@pytest.fixture(scope="module")
def drained() -> Series:
    """A 3x long at its target, of a market in which its creator alone lends, and no more."""
    world = World(Setting(rate="AdaptingRate"))
    fund = Fund(world, Terms(long=True, fallback_after=FALLBACK), lent=0, age=0)
    series = fund.series[0]
    drain(series)
    fund.ready = boa.env.timestamp
    return series


def drain(series: Series) -> None:
    """The creator takes out all that is not borrowed."""
    series.accrue()
    world, lendable = series.world, series.contract.facts().lendable
    if lendable:
        creator = world.roles.deployer
        params = tuple(series.market)
        world.morpho.withdraw(params, lendable, 0, creator, creator, sender=creator)


def rate_of(series: Series) -> float:
    """What its market's borrowers pay in a year, by the model."""
    world = series.world
    market = world.morpho.market(series.market.id)
    return world.irm.borrowRateView(tuple(series.market), tuple(market)) * YEAR / 1e18


@pytest.mark.parametrize("days", [0, 1, 5, 20, 40])
def test_the_double_is_the_published_formula(drained: Series, days: int) -> None:
    """Scenario: full utilisation for so many days, without an accrual.

    Property: the yearly rate is four times the mean of the rate at the target, which grows by
    exp(50 years) from 4 % to at most 200 %; the double's exponential is within 1 %.
    """
    start = drained.world.irm.rate_at_target(drained.market.id) * YEAR / 1e18
    boa.env.time_travel(seconds=days * DAY)
    grown = [min(2.0, start * math.exp(50 * days / 365 * part)) for part in (0.0, 0.5, 1.0)]
    mean = (grown[0] + 2 * grown[1] + grown[2]) / 4
    assert rate_of(drained) == pytest.approx(4 * mean, rel=0.01)


def test_exits_and_rescues_need_no_lender(drained: Series) -> None:
    """Scenario: nothing is left to borrow.

    Property: whoever holds tokens leaves, leverage is lowered, only what borrows waits: a raise
    is refused and a mint too.
    """
    series = drained
    series.redeem(10, series.world.roles.deployer)
    drain(series)
    with boa.reverts():
        series.mint(10)
    series.go("2.5")
    series.open()
    assert series.plan.state == UNLENT
    series.go("3.7")
    series.open()
    series.fund.sleep(1_000)
    assert series.plan.state == OPEN
    series.rebalance()
    assert series.leverage < Fraction(32, 10)


def test_the_rate_quadruples_and_grows_as_the_pages_say(drained: Series) -> None:
    """Scenario: full utilisation, at once and after a day.

    Property: borrowers pay four times the rate at the target, and that grows by what the pages say
    of a day.
    """
    model, market = drained.world.irm, drained.market.id
    start = model.rate_at_target(market)
    assert rate_of(drained) == pytest.approx(4 * start * YEAR / 1e18, rel=1e-6)
    boa.env.time_travel(seconds=DAY)
    drained.accrue()
    grown = model.rate_at_target(market) / start
    stated("quadruples the rate at full utilisation", f"raises it by the factor {grown:.3f} a day")
    stated(f"rate quadruples and grows by {(grown - 1) * 100:.1f} % a day", page="index.md")


LOST = {
    1: "{:.3f} % of a 3x long's nav in a day",
    7: "{:.2f} % in a week",
    28: "{:.1f} % in 28 days",
}
"""By days: how the page says what share of nav interest takes."""
LOST_INDEX = {7: "{:.2f} % of a 3x long's nav in a week", 28: "{:.1f} % in 28 days"}
"""How the index says it."""


@pytest.mark.parametrize("days", LOST)
def test_what_a_dominant_lender_takes(drained: Series, days: int) -> None:
    """Scenario: the lender keeps utilisation at 100 %, at a price that does not move.

    What a rebalance pays back is taken out at once; takers lower leverage when that is due.

    Property: nav loses what the pages say.
    """
    series = drained
    before: Any = Fraction(series.nav, 10**6)
    for _ in range(days):
        series.fund.sleep(DAY)
        series.accrue()
        if series.leverage > Fraction(34, 10):
            series.open()
            series.fund.sleep(500)
            series.rebalance()
        drain(series)
    lost = (1 - series.nav / 10**6 / before) * 100
    stated(LOST[days].format(float(lost)))
    if days in LOST_INDEX:
        stated(LOST_INDEX[days].format(float(lost)), page="index.md")
