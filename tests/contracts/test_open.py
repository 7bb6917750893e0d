"""Opening an auction: the clock of a band's rebalance, and when it is void."""

from __future__ import annotations

import boa
import pytest

from support.chain.series import BAND, OPEN, UNOPENED, Series


@pytest.fixture(autouse=True)
def arrived(series: Series) -> None:
    """No fallback is due."""
    series.arrive()


def low(series: Series) -> str:
    """A leverage below the band."""
    return "2.5" if series.long else "0.7"


def high(series: Series) -> str:
    """One above it."""
    return "3.8" if series.long else "1.5"


def test_a_band_is_sold_once_it_is_opened(series: Series) -> None:
    """Scenario: leverage falls below the band, and somebody opens.

    Property: before that nothing is on sale; from then the premium rises from -start to its top.
    """
    series.go(low(series), 1)
    assert (series.plan.trigger, series.plan.state) == (BAND, UNOPENED)
    with boa.reverts("leveraged_token: nothing on sale"):
        series.rebalance()
    assert series.open(series.world.roles.attacker) == boa.env.timestamp
    boa.env.time_travel(seconds=61)
    premiums = []
    for _ in range(3):
        premiums.append(series.plan.premium)
        boa.env.time_travel(seconds=569)
    assert series.plan.state == OPEN
    assert -5 * 10**15 < premiums[0] < premiums[1] < premiums[2] <= 8 * 10**15


def test_an_auction_is_void_after_two_durations(series: Series) -> None:
    """Scenario: nobody takes an opened raise for two durations.

    Property: it is closed, cannot be taken stale, and can be opened anew.
    """
    series.go(low(series))
    series.open()
    with boa.reverts("leveraged_token: nothing to open"):
        series.open()
    boa.env.time_travel(seconds=2 * series.terms.duration)
    assert series.plan.state == OPEN
    boa.env.time_travel(seconds=1)
    assert series.plan.state == UNOPENED
    series.open()
    assert series.plan.began == boa.env.timestamp


def test_an_auction_is_void_in_the_other_direction(series: Series) -> None:
    """Scenario: an opened raise is overtaken by a fall of the price.

    Property: the lowering that is due then has its own clock.
    """
    series.go(low(series))
    opened = series.open()
    series.go(high(series))
    assert series.plan.began == 0
    assert series.open() > opened
    assert series.plan.began == boa.env.timestamp


def test_a_call_that_finds_nothing_due_ends_an_auction(series: Series) -> None:
    """Scenario: leverage comes back into the band, somebody calls, and it leaves again.

    Property: the old clock is gone: the auction begins at its first price.
    """
    series.go(low(series))
    series.open()
    series.go("3" if series.long else "1")
    assert series.open() == 0
    assert series.contract.facts().opened == 0
    with boa.reverts("leveraged_token: nothing to open"):
        series.open()
    series.go(low(series))
    assert series.plan.state == UNOPENED


def test_danger_needs_no_opening(series: Series) -> None:
    """Scenario: leverage is above the band, and nobody has opened.

    Property: a fill is on sale at the premium of the danger, without a clock; a gift across the
    edge and back restarts no clock that runs.
    """
    series.go(high(series), 100)
    plan = series.plan
    assert (plan.state, plan.began) == (OPEN, 0)
    assert plan.danger > 0
    series.open()
    began = series.plan.began
    boa.env.time_travel(seconds=600)
    assert series.plan.began == began
    assert series.plan.premium > plan.premium


def test_opening_has_the_oracle_remember_its_price(series: Series) -> None:
    """Property: after an opening the last good price is the present one."""
    series.go(low(series))
    assert series.oracle.last_good() != series.oracle.price()
    series.open()
    assert series.oracle.last_good() == series.oracle.price()
