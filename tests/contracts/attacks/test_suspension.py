"""H1: suspending a series from outside, by capital that comes for a moment or for a day.

The first edition was suspended for an hour by $2.15: mint, publish, leave.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import exp

import boa
import pytest

from support.chain.attacking import WEEK, fortune, reserve_holds, tried
from support.chain.series import DAY, MOST, WAD, Fund, Series, Terms, wad
from support.page_figures import stated

LAUNCHED = Fraction(12, 100)
FLOOR = Fraction(1, 10)
FEE = Fraction(1, 1_000)


def level(series: Series) -> Fraction:
    """Account over nav at the week's mean supply; there is no common part."""
    nav, supply, mean = series.contract.standing()
    return Fraction(series.account.held * supply, nav * mean)


@pytest.fixture
def series(launch: Callable[..., Fund]) -> Series:
    """A long of $100,000 with an account of 12 % of its nav."""
    (made,) = launch(Terms(tokens=5_000, injects=LAUNCHED)).series
    return made


def test_h1_mint_publish_leave(series: Series) -> None:
    """H1 as it was.

    Scenario: a hundred supplies are minted, health is published, all is redeemed; at once.
    Property: the level moves by less than a thousandth of itself, nothing is suspended, and the
    series is raised afterwards; the attacker has paid its fees.
    """
    fund, who = series.fund, series.world.roles.attacker
    start, before = level(series), fortune(fund, who)
    with boa.env.anchor():
        series.contract.mint(wad(500_000), MOST, who, sender=who)
        inside = level(series)
        fund.reserve.publish(sender=who)
        assert not series.account.suspended
        series.contract.redeem(wad(500_000), MOST, who, sender=who)
        after, lost = level(series), before - fortune(fund, who)
        assert abs(inside - start) < start / 1_000
        assert abs(after - start) < start / 1_000
        assert not fund.reserve.suspended(series.address)
        series.go("2.58")
        series.rebalance()
        assert series.leverage > Fraction("2.9")
    print(
        f"H1: 100 supplies minted for a moment: level {float(start):.4f}, inside "
        f"{float(inside):.4f}, after {float(after):.4f}; it cost ${float(lost):,.2f}"
    )
    assert lost > 0
    stated(f"the level stays at {float(after):.4f}; it costs {float(lost):,.0f} USD")


def test_a_flash_mint_moves_what_is_published_of_the_present(series: Series) -> None:
    """Scenario: ten supplies are minted, health is published, all is redeemed; at once.

    Property: the published level of the whole reserve, which nothing on the chain reads, falls to
    an eleventh, for what the pages say; whether raising is suspended does not change.
    """
    fund, who = series.fund, series.world.roles.attacker
    before, whole = fortune(fund, who), reserve_holds(fund)
    series.contract.mint(wad(50_000), MOST, who, sender=who)
    fund.reserve.publish(sender=who)
    series.contract.redeem(wad(50_000), MOST, who, sender=who)
    nav = Fraction(series.nav * 10**36, series.price)
    published = Fraction(fund.reserve.health().level, WAD)
    assert abs(published / (whole / nav) * 11 - 1) < Fraction(1, 1_000)
    assert not fund.reserve.suspended(series.address)
    said = f"50,000 tokens for {float(before - fortune(fund, who)):,.0f} USD"
    stated(said)
    stated(said, page="index.md")


def suspends(series: Series, tokens: int, held: int) -> tuple[bool, Fraction]:
    """Whether so many tokens, held for so long, suspend the series; what they cost."""
    fund, who = series.fund, series.world.roles.attacker
    with tried():
        before = fortune(fund, who)
        series.contract.mint(tokens, MOST, who, sender=who)
        fund.sleep(held)
        is_suspended = fund.reserve.suspended(series.address)
        series.contract.redeem(tokens, MOST, who, sender=who)
        return is_suspended, before - fortune(fund, who)


def cheapest(series: Series, held: int) -> tuple[int, Fraction]:
    """The least tokens that suspend a series when they are held for so long, and what they cost."""
    # without the fees that come in with the capital, and raise the level, this would be enough
    enough = series.state.supply * float(level(series) / FLOOR - 1) * (WEEK + held) / held
    low, high = int(enough / 2), int(enough * 2.5)
    assert suspends(series, high, held)[0]
    for _ in range(9):
        middle = (low + high) // 2
        low, high = (low, middle) if suspends(series, middle, held)[0] else (middle, high)
    return high, suspends(series, high, held)[1]


def formula(series: Series, held: int) -> Fraction:
    """2 fee * (level / floor - 1) * N / (1 - exp(-held / week)), in whole quote."""
    honest = Fraction(series.nav, 10**6)
    return 2 * FEE * (level(series) / FLOOR - 1) * honest / Fraction(1 - exp(-held / WEEK))


@pytest.mark.parametrize("held", [600, 3_600, DAY])
def test_h1_suspending_by_capital_held_for_a_time(series: Series, held: int) -> None:
    """(f): what a suspension costs whoever brings capital and takes it away again.

    Scenario: leverage is at the target; the least capital that takes the level from 12 % below
    the floor, for ten minutes, an hour, a day.
    Property: it costs at least 2 fee * (level / floor - 1) * N / (1 - exp(-held / week)), and a
    part of that as leverage is a part of the target, because fees are a part of the collateral.
    """
    supply, honest, least = series.state.supply, series.nav / 10**6, formula(series, held)
    tokens, cost = cheapest(series, held)
    print(
        f"(f) suspending a series of ${honest:,.0f} from 12 % by capital held {held} s: "
        f"{tokens / supply:,.2f} supplies, ${float(cost):,.2f}; the formula's least "
        f"${float(least):,.2f}"
    )
    assert cost >= least
    stated(f"{float(cost):,.2f} USD" if held == DAY else f"{float(cost):,.0f} USD")
    if held == DAY:
        stated(f"the formula says {float(least):,.2f}")


def test_below_the_target_a_suspension_is_cheaper_by_leverage(series: Series) -> None:
    """(f) where it is cheaper, which the pages state: a fee is a part of the collateral.

    Scenario: leverage is 2.8, below the target of 3; the least capital that suspends within a day.
    Property: it costs at least leverage over target of the formula, and less than the formula.
    """
    series.go("2.8")
    least, part = formula(series, DAY), series.leverage / 3
    tokens, cost = cheapest(series, DAY)
    print(
        f"(f) at {float(series.leverage):.2f}x: {tokens / series.state.supply:.2f} supplies for a "
        f"day, ${float(cost):,.2f}; the formula says ${float(least):,.2f} at the target"
    )
    assert least * part <= cost < least


def test_the_mean_is_never_above_the_exponential_one(series: Series) -> None:
    """Scenario: a supply doubles, and the means are written up to 24 times in a day.

    Property: no pattern of writes brings either above the exponential mean.
    """
    who = series.world.roles.attacker
    series.fund.sleep(200 * DAY)
    series.contract.redeem(series.contract.balanceOf(who), MOST, who, sender=who)
    found = {}
    for writes in (1, 3, 24):
        with tried():
            series.contract.mint(wad(5_000), MOST, who, sender=who)
            start = series.state
            for _ in range(writes):
                boa.env.time_travel(seconds=DAY // writes)
                series.contract.redeem(1, MOST, who, sender=who)
            now = series.state
            for name, over in (("mean_day", DAY), ("mean_week", WEEK)):
                began, ended = getattr(start, name), getattr(now, name)
                mean = Fraction(ended - began, start.supply - began)
                found[writes, name] = float(mean)
                assert mean <= Fraction(1 - exp(-DAY / over)) + Fraction(1, 10**9)
    print("means after a day of a doubled supply, by writes:", found)


def test_nobody_else_is_touched(launch: Callable[..., Fund]) -> None:
    """(e): what one series is paid costs no other series anything, but a part of what is common.

    Scenario: a series asks for everything, calm and in emergencies, every hour for a day.
    Property: its account pays at most K * 8 / 7 of W, a rescue at most 2 % of W, the common part
    at most a quarter; the other series' account is as before.
    """
    fund = launch(Terms(injects=1), Terms(long=False, injects=1), common=40 * WAD)
    victim, other = fund.series
    reserve, world = fund.reserve, fund.world
    nav, supply = wad(10), wad(1_000)
    theirs, own, common = other.account.held, victim.account.held, reserve.common()

    def ask(*, emergency: bool) -> int:
        what = (nav, False, False, emergency, wad("0.001"), nav, supply, supply, supply)
        return reserve.settle((*what, world.roles.attacker), sender=victim.address)

    with boa.env.anchor():
        calm = 0
        for _ in range(25):
            calm += ask(emergency=False)
            fund.sleep(3_600)
        assert calm <= Fraction(nav, 1_000) * Fraction(8, 7) + 3_600
        assert other.account.held == theirs
        assert reserve.common() == common
    rescued = 0
    for _ in range(25):
        rescued += ask(emergency=True)
        boa.env.time_travel(seconds=3_400)
    assert rescued <= nav // 50
    assert other.account.held == theirs
    assert victim.account.held == own - rescued
    stated(f"calm: {float(Fraction(calm, nav)) * 100:.4f} % of `W`")
    stated(f"rescues: {rescued / nav * 100:.2f} % of `W`")
    # with an empty account it is the common part that pays, and no more than a quarter of it
    print(
        f"(e) asked every hour for a day: calm {float(Fraction(calm, nav)):.4%} of W "
        f"(K is 0.1 %), in emergencies {rescued / nav:.2%}; the other series' account: no change"
    )


def test_the_common_part_pays_a_quarter_at_most(launch: Callable[..., Fund]) -> None:
    """(e): in an emergency all series together draw at most a quarter of the common part a day.

    Scenario: both series' accounts are spent, and each asks for a rescue every hour.
    Property: the common part falls by a quarter at most.
    """
    fund = launch(Terms(injects="0.12"), Terms(long=False, injects="0.12"), common=WAD // 10)
    reserve, who = fund.reserve, fund.world.roles.attacker
    common = reserve.common()
    supply = wad(1_000)
    for _ in range(25):
        for series in fund.series:
            nav = series.account.held * 1_000 + 10 * WAD
            what = (nav, False, False, True, wad("0.001"), nav, supply, supply, supply, who)
            reserve.settle(what, sender=series.address)
        boa.env.time_travel(seconds=3_400)
    print(
        f"(e) both series in an emergency: the common part paid {1 - reserve.common() / common:.2%}"
    )
    assert common * 3 // 4 <= reserve.common() < common
    stated(f"the common part falls by {(1 - reserve.common() / common) * 100:.2f} %")
