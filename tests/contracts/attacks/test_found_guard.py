"""Found by attack: a wrong answer that a feed gives twice passes the guard against jumps."""

from __future__ import annotations

from fractions import Fraction

import boa
import pytest

from support.chain.series import OPEN, Fund


@pytest.mark.parametrize("cut", ["0.88", "0.8"])
@pytest.mark.parametrize("rounds", [1, 2, 4])
def test_a_wrong_answer_that_is_repeated_is_no_better_than_once(
    fund: Fund, cut: str, rounds: int
) -> None:
    """Scenario: the feed is 12 or 20 % too low, once or in round after round, a second apart.

    Property: whoever takes the whole fill at once, and sells at the fair price, loses.
    """
    series, world = fund.series[0], fund.world
    series.arrive()
    fair, who = world.feed_price, world.roles.attacker
    for place in range(rounds):
        world.feed.update(int(fair * Fraction(cut) * 10**8) - place)
        if place + 1 < rounds:
            boa.env.time_travel(seconds=1)
    series.accrue()
    assert series.plan.state == OPEN
    before = world.worth(who, fair)
    series.rebalance(who=who)
    assert world.worth(who, fair) <= before + fair * (rounds - 1) / 10
