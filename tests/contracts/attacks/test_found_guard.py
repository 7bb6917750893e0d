"""Found by attack: wrong answers and the guard against jumps, which looks back a few rounds.

An earlier version of the guard looked at the last round alone, and an answer that was given twice
passed it. What passes it still is measured here: six such answers, or small steps.
"""

from __future__ import annotations

from fractions import Fraction

import boa
import pytest

from support.chain.attacking import tried
from support.chain.series import OPEN, Fund
from support.page_figures import stated


@pytest.mark.parametrize("cut", ["0.88", "0.8"])
@pytest.mark.parametrize("rounds", [1, 2, 5])
def test_a_wrong_answer_that_is_repeated_is_no_better_than_once(
    fund: Fund, cut: str, rounds: int
) -> None:
    """Scenario: the feed is 12 or 20 % too low, once or in round after round, a second apart.

    Property: whoever takes the whole fill and sells at the fair price wins no more than after one
    such answer of that age, which at once is a loss. It holds for the five rounds that the guard
    looks back over.
    """
    fund.series[0].arrive()
    repeated = won(fund, Fraction(cut), [1] * (rounds - 1) + [0])
    once = won(fund, Fraction(cut), [rounds - 1])
    assert repeated <= once + Fraction(1, 10**5)
    assert won(fund, Fraction(cut), [0]) < 0


@pytest.mark.parametrize(
    "steps", [[1] * 6, [Fraction(1, 3), Fraction(2, 3), 1]], ids=["six times", "in three steps"]
)
def test_what_passes_the_guard_is_sold_into_at_once(fund: Fund, steps: list[Fraction]) -> None:
    """Two ways past the guard, which the pages state.

    Scenario: within a minute the feed gives an answer that is 12 % too low six times, so that the
    round before is out of sight; or it goes there in three steps of less than 5 %, as in a crash.

    Property: at once a taker wins what the pages say, which one such answer does not bring.
    """
    series = fund.series[0]
    series.arrive()
    cuts = [1 - Fraction(12, 100) * Fraction(step) for step in steps]
    at_once = walked(fund, cuts, [1] * (len(cuts) - 1) + [0])
    assert at_once > 0 > won(fund, Fraction("0.88"), [0])
    how = "six times" if len(cuts) == 6 else "in three steps"
    print(f"12 % too low {how}: ${float(at_once):,.0f} at once")
    stated(f"{how} within a minute brought {float(at_once):,.0f} USD at once")
    stated(f"{how} within a minute brought {float(at_once):,.0f} USD at once", page="index.md")


def test_where_the_guard_ends_is_morphos_threshold(fund: Fund) -> None:
    """Scenario: one answer takes a 3x long nearly to Morpho's threshold, or just past it.

    Property: at once a taker loses by the first and wins by the second; how far off that answer
    is stands on the page.
    """
    series = fund.series[0]
    series.arrive()
    series.accrue()
    cut = series.ltv / Fraction(86, 100)
    stated(f"from 3x one that is {float(1 - cut) * 100:.1f} % too low")
    near = Fraction(1, 1_000)
    assert won(fund, cut + near, [0]) < 0 < won(fund, cut - near, [0])


def test_what_one_wrong_answer_brings_by_the_seconds(fund: Fund) -> None:
    """Scenario: one answer that is 12 % too low; a taker waits, then takes all and sells it fairly.

    Property: after 12, 24 and 48 s it wins what the pages say, on the nav that they say.
    """
    series = fund.series[0]
    series.arrive()
    gains = [f"{float(won(fund, Fraction('0.88'), [wait])):,.0f}" for wait in (12, 24, 48)]
    nav = f"{round(series.nav / 10**6, -2):,.0f}"
    print(f"one answer 12 % too low, ${nav} of nav: {gains} after 12, 24 and 48 s")
    stated(f"on {nav} USD of nav")
    stated(f"{gains[0]} USD after 12 s, {gains[1]} USD after 24 s and {gains[2]} USD after 48 s")
    stated(f"on {nav} USD of nav", f"{gains[0]}, {gains[1]} and {gains[2]} USD", page="index.md")


@pytest.mark.parametrize("cut", ["0.94", "0.88", "0.8", "0.78"])
def test_at_once_a_wrong_answer_brings_the_premium_less_a_square(fund: Fund, cut: str) -> None:
    """Scenario: one answer that is 6 to 22 % too low is acted on in its own second.

    Property: of the notional at most `p (1 + j) - j^2` is won, with `p` the highest premium of an
    emergency and `j` the jump: what the guard takes off is the jump, at the wrong price.
    """
    fund.series[0].arrive()
    jump = 1 / Fraction(cut) - 1
    top = Fraction(fund.series[0].terms.emergency_top)
    with tried():
        fund.world.feed.update(int(fund.world.feed_price * Fraction(cut) * 10**8))
        plan = fund.series[0].plan
        assert plan.state == OPEN
        notional = Fraction(plan.whole, 10**6)
    most = notional * (top * (1 + jump) - jump**2)
    assert won(fund, Fraction(cut), [0]) <= most + notional / 10**6


def test_beyond_the_threshold_a_wrong_answer_is_sold_into_as_morpho_would(fund: Fund) -> None:
    """Scenario: one answer that is 24 % too low takes a 3x long past Morpho's threshold.

    Property: no guard acts there: a taker wins at once what the page says, which is less than a
    liquidator wins by the same answer.
    """
    series, world = fund.series[0], fund.world
    series.arrive()
    fair, who = world.feed_price, world.roles.attacker
    taker = won(fund, Fraction("0.76"), [0])
    with tried():
        world.feed.update(int(fair * 76 * 10**6))
        series.accrue()
        before, shares = world.worth(who, fair), series.state.shares
        given = (tuple(series.market), series.address, 0, shares, b"")
        world.morpho.liquidate(*given, sender=who)
        liquidator = world.worth(who, fair) - before
    assert taker < liquidator
    stated(f"a taker {float(taker):,.0f} USD and a liquidator {float(liquidator):,.0f} USD")


def won(fund: Fund, cut: Fraction, waits: list[int]) -> Fraction:
    """What a taker wins, whole quote, after one wrong answer, again after so many seconds each."""
    return walked(fund, [cut] * len(waits), waits)


def walked(fund: Fund, cuts: list[Fraction], waits: list[int]) -> Fraction:
    """What a taker wins, whole quote, after these answers, each followed by so many seconds."""
    series, world = fund.series[0], fund.world
    fair, who = world.feed_price, world.roles.attacker
    with tried():
        for place, (cut, wait) in enumerate(zip(cuts, waits, strict=True)):
            # the answers differ in their last digit, so that each is a round of its own
            world.feed.update(int(fair * cut * 10**8) - place)
            if wait:
                boa.env.time_travel(seconds=wait)
        series.accrue()
        assert series.plan.state == OPEN
        before = world.worth(who, fair)
        series.rebalance(who=who)
        return world.worth(who, fair) - before
