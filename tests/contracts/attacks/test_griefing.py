"""H3, M2, M3 and (h): griefing without profit, around keepers, pools and a series' account."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import boa
import pytest

from support.chain.attacking import WEEK, fortune, gift, tried, wait_for_fallback
from support.chain.series import DAY, LEAST_PREMIUM, MOST, WAD, Fund, Series, Terms, wad
from support.page_figures import RESERVES, stated

LLTV = Fraction(86, 100)
STEPS = 30


def crash(fund: Fund, *, griefed: bool) -> tuple[Fraction, int, Fraction]:
    """-30 % in 300 s, one taker who has the asset; the griefer pushes the pool around each call.

    Highest loan-to-value after a call, fills, and what the griefer lost in whole quote.
    """
    (series,) = fund.series
    world = fund.world
    griefer, start = world.roles.attacker, world.feed_price
    worst, fills, lost = Fraction(0), 0, Fraction(0)
    for step in range(1, STEPS + 1):
        price = start * (1 - Fraction(3, 10) * step / STEPS)
        world.pool.move(price)
        fund.sleep(10)
        world.set_feed(price)
        series.accrue()
        before = world.worth(griefer, price)
        if griefed:
            world.pool.move(price * Fraction(95, 100), griefer)
        plan = series.plan
        if plan.state == 2 and plan.premium > 0:
            series.rebalance()
            fills += 1
        if griefed:
            world.pool.move(price, griefer)
        lost += before - world.worth(griefer, price)
        worst = max(worst, series.ltv)
    return worst, fills, lost


def test_h3_a_crash_with_a_griefer_around_each_call(launch: Callable[..., Fund]) -> None:
    """H3 as it was: -30 % in 300 s, the pool pushed by 5 % before each call and back after it.

    Scenario: a taker fills whenever the premium is above zero, with assets that it holds.
    Property: the series' path is the same to the unit with the griefer and without, it never
    comes near the threshold, and the griefer only pays the pool's fees.
    """
    fund = launch(Terms(tokens=10_000))
    fund.series[0].go("3")
    found = {}
    for griefed in (False, True):
        with tried():
            worst, fills, lost = crash(fund, griefed=griefed)
            found[griefed] = (worst, fills, fund.series[0].state.shares)
            print(
                f"H3 {'griefed' if griefed else 'alone'}: highest loan-to-value after a call "
                f"{float(worst):.4f}, {fills} fills, the griefer lost ${float(lost):,.0f}"
            )
    assert found[True] == found[False]
    assert found[True][0] < LLTV - Fraction(5, 100)
    assert lost > 0
    stated(
        f"loan-to-value at most {float(worst):.4f}, {fills} fills; the griefer lost "
        f"{float(lost):,.0f} USD"
    )


@pytest.mark.parametrize("apart", [-200, -11, 11, 200])
def test_m2_a_pool_apart_from_the_feed_stops_nothing(series: Series, apart: int) -> None:
    """M2: the pool stands 11 bp or 2 % away from the feed for a day.

    Scenario: a band's rebalance is due all that time.
    Property: what is on sale does not know it, and a taker who has the asset fills at the
    feed's price and the premium.
    """
    series.go("2.5" if series.long else "0.7")
    series.open()
    series.fund.sleep(600)
    series.accrue()
    plan = tuple(series.plan)
    series.world.pool.move(series.world.feed_price * (1 + Fraction(apart, 10_000)))
    assert tuple(series.plan) == plan
    series.rebalance()
    assert abs(series.leverage - (3 if series.long else 1)) < Fraction(1, 50)


def test_m3_a_busy_pool_costs_no_gas(series: Series) -> None:
    """M3: the pool trades at every second.

    Scenario: 120 observations, one a second, before the fill; against none.
    Property: the fill costs the same gas.
    """
    used = []
    for busy in (False, True):
        with boa.env.anchor():
            series.go("2.5" if series.long else "0.7", 0)
            series.open()
            if busy:
                series.world.pool.pass_time(120, every=1)
                series.world.refresh_feeds()
            else:
                series.fund.sleep(120)
            series.rebalance()
            used.append(series.contract._computation.get_gas_used())
    print(f"M3: gas of a fill in process, calm pool and busy pool: {used}")
    assert abs(used[0] - used[1]) < 500


@pytest.mark.parametrize("supplies", [10, 50, 200])
def test_a_holder_of_nearly_all_makes_its_own_fills(
    launch: Callable[..., Fund], supplies: int
) -> None:
    """(h), (b): the account emptied by whoever owns nearly the whole series.

    Scenario: an account so large that nothing is suspended. Somebody mints many supplies, and
    each day for 14 days gives what leaves room for a raise, and takes that at the fallback's
    highest premium.
    Property: in 14 days it takes at most three 25ths of the account, and loses in all.
    """
    fund = launch(Terms(tokens=100, injects=40))
    (series,) = fund.series
    who = fund.world.roles.attacker
    before = fortune(fund, who)
    series.contract.mint(wad(100 * supplies), MOST, who, sender=who)
    start = series.account.held
    for _ in range(14):
        wait_for_fallback(series)
        gift(series, "2.97", who)
        series.contract.rebalance(MOST, LEAST_PREMIUM, sender=who)
        fund.sleep(1)
    left = series.account.held
    series.contract.redeem(wad(100 * supplies), MOST, who, sender=who)
    fund.sleep(DAY)
    series.contract.allocate(0)
    lost = before - fortune(fund, who)
    taken = Fraction(start - left, WAD) * fund.world.feed_price
    print(
        f"(h) holding {supplies} supplies of $2,000 for 14 days: it took ${float(taken):,.2f} of "
        f"an account of {start / WAD:.2f} WETH ({left / start - 1:+.2%}), which got "
        f"{(series.account.held + fund.reserve.common() - left) / WAD:.4f} WETH of fees, and lost "
        f"${float(lost):,.2f}"
    )
    assert lost > 0
    assert start - left <= start * Fraction(3, 25) + 1
    how = " held for 14 days, own fills" if supplies == 10 else ""
    stated(f"| {supplies} supplies{how} | {float(lost):.0f} USD | {float(taken):.0f} USD |")


def test_a_holder_of_nearly_all_suspends_raising_first(launch: Callable[..., Fund]) -> None:
    """(h): with an account of usual size the same attack ends itself.

    Scenario: a hundred supplies are held for three days, with an account of half of the honest nav.
    Property: the level falls below the floor, and no raise is paid for any more; lowering works.
    """
    fund = launch(Terms(tokens=100))
    (series,) = fund.series
    who = fund.world.roles.attacker
    before, held = fortune(fund, who), series.account.held
    series.contract.mint(wad(10_000), MOST, who, sender=who)
    for _ in range(3):
        fund.sleep(DAY)
    wait_for_fallback(series)
    gift(series, "2.97", who)
    with boa.reverts("reserve: raising is suspended"):
        series.rebalance(who=who)
    series.contract.redeem(wad(10_000), MOST, who, sender=who)
    lost = before - fortune(fund, who)
    print(
        f"(h) 100 supplies of $2,000 held for 3 days suspend raising; it cost ${float(lost):,.2f}"
    )
    assert series.account.held >= held
    row = "100 supplies for three days, an account of usual size"
    stated(f"| {row} | {float(lost):.0f} USD | raising is suspended |")
    series.go("3.6")
    series.rebalance()


def test_a_sole_holder_takes_its_own_account(launch: Callable[..., Fund]) -> None:
    """(b): whoever holds a whole series, but for the locked thousandth of a token.

    Scenario: an account so large that nothing is suspended. Each day for six weeks the holder
    gives what leaves room for a raise, and takes that at the fallback's highest premium.
    Property: it gains what the pages say, from its own account alone: at most `K * W` at once and
    then `K * W` a week. Its gifts make `W` larger.
    """
    fund = launch(Terms(injects=1))
    (series,) = fund.series
    who = fund.world.roles.deployer
    for token in (fund.world.underlying, fund.world.quote):
        fund.world.approve(token, who, series.contract, fund.world.morpho)
    nav, start, common = Fraction(series.nav, 10**6), series.account.held, fund.reserve.common()
    before, began = fortune(fund, who), boa.env.timestamp
    for _ in range(42):
        wait_for_fallback(series)
        gift(series, "2.97", who)
        series.contract.rebalance(MOST, LEAST_PREMIUM, sender=who)
        fund.sleep(1)
    gained = fortune(fund, who) - before
    taken = Fraction(start - series.account.held, WAD) * fund.world.feed_price
    print(
        f"(b) the sole holder of ${float(nav):,.0f} in six weeks: ${float(taken):,.2f} from its "
        f"account, ${float(gained):,.2f} gained"
    )
    grown, weeks = Fraction(series.nav, 10**6), Fraction(boa.env.timestamp - began, WEEK)
    assert gained <= taken <= grown / 1_000 * (1 + weeks)
    assert fund.reserve.common() == common
    said = f"{float(nav):,.0f} USD, which its gifts made {round(float(grown), -2):,.0f}"
    stated(f"On {said}, this gained {float(gained):.0f} USD in six weeks")
    stated(f"{float(gained):.0f} USD in six weeks on {said}", page="index.md")
    stated(f"gained {float(gained):.0f} in six weeks on a nav of {float(nav):,.0f}", page=RESERVES)


def test_a_gift_ends_a_lowering_at_its_givers_cost(series: Series) -> None:
    """The limit that the pages state: a gift lowers leverage, and that is all that it does.

    Scenario: a lowering is open; somebody repays on the series' behalf until it is at its target.
    Property: nothing is on sale any more, the holders have all of the gift, and its giver none.
    """
    who = series.world.roles.attacker
    series.arrive()
    series.go("3.45" if series.long else "1.27")
    series.open()
    series.fund.sleep(600)
    series.accrue()
    assert series.plan.state == 2
    nav, had = series.nav, fortune(series.fund, who)
    given = gift(series, series.terms.figure("target"), who)
    assert series.plan.state == 0
    with boa.reverts("leveraged_token: nothing on sale"):
        series.rebalance()
    worth = Fraction(given, 10 ** series.loan.decimals())
    worth *= 1 if series.long else series.world.feed_price
    assert abs(had - fortune(series.fund, who) - worth) < Fraction(1, 10**5)
    assert abs(series.nav - nav - given) <= 2


def test_gifts_across_the_edge_restart_nothing(series: Series) -> None:
    """A gift cannot send an auction back to its beginning.

    Scenario: a lowering has been open for ten minutes, and small gifts take leverage into the
    band and a move of the feed out again.
    Property: inside the band the auction is not void unless somebody calls `open`, which costs
    the giver its gift again; the premium goes on from where it was.
    """
    who = series.world.roles.attacker
    series.arrive()
    series.go("3.45" if series.long else "1.27")
    series.open()
    series.fund.sleep(600)
    series.accrue()
    before = series.plan
    gift(series, "3.39" if series.long else "1.24", who)
    assert series.plan.state == 0
    series.go("3.45" if series.long else "1.27", 0)
    after = series.plan
    assert (after.state, after.began) == (before.state, before.began)
    assert after.premium >= before.premium - wad("0.0001")
