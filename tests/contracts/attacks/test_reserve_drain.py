"""C1: draining the reserve by a notional of one's own choice.

The first edition paid $9,089 in one transaction to an attacker without capital (flash-mint, gift
below the band, own liquidity, seven fills, exit), and $732,816 in an emergency.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import boa
import pytest

from support.chain.attacking import (
    FlashLoans,
    fortune,
    gift,
    reserve_holds,
    size_of_gift,
    tried,
    wait_for_fallback,
    winnings,
)
from support.chain.series import (
    DAY,
    LEAST_PREMIUM,
    MOST,
    WAD,
    ZERO,
    Fund,
    Series,
    Terms,
    new_transaction,
    wad,
)
from support.page_figures import said, stated

GROWTHS = (0, 1, 10, 1_000, 5_000)
"""What is minted, in present supplies."""
LEVELS = {True: ("2.99", "2.9", "2.61", "2.59", "2.09"), False: ("0.99", "0.9", "0.79", "0.65")}
"""Where gifts take leverage."""


@pytest.fixture(params=[True, False], ids=["long", "short"])
def small(launch: Callable[..., Fund], request: pytest.FixtureRequest) -> Series:
    """A series of 100 tokens with 15 WETH in its account and a fallback at its highest premium."""
    made = launch(Terms(long=request.param, tokens=100, injects=15 if request.param else 300))
    (series,) = made.series
    wait_for_fallback(series)
    return series


def raid(series: Series, growth: int, level: str) -> None:
    """Mint, gift, fill, leave; in one transaction."""
    who, tokens = series.world.roles.attacker, 100 * growth
    if growth:
        series.contract.mint(wad(tokens), MOST, who, sender=who)
    gift(series, level, who)
    series.contract.rebalance(MOST, LEAST_PREMIUM, sender=who)
    if growth:
        series.contract.redeem(wad(tokens), MOST, who, sender=who)


def test_c1_mint_gift_fill_leave(small: Series) -> None:
    """C1 in one transaction, with all that the attacker may choose.

    Scenario: up to 5,000 times the supply is minted, leverage is taken down by a gift to where
    the premium counts on more or less of the notional, the fill is at its highest premium.
    Property: the attacker loses, whatever it mints and gives.
    """
    fund, who = small.fund, small.world.roles.attacker
    best = max(
        (winnings(fund, who, lambda g=growth, at=level: raid(small, g, at)), growth, level)
        for growth in GROWTHS
        for level in LEVELS[small.long]
    )
    held = reserve_holds(fund)
    with tried():
        raid(small, best[1], best[2])
        lost = held - reserve_holds(fund)
    weight = Fraction(small.nav, 10 ** small.loan.decimals()) * (
        1 if small.long else small.world.feed_price
    )
    print(
        f"C1 {'long' if small.long else 'short'}: nav ${float(weight):,.0f}, best "
        f"${float(best[0]):+,.4f} "
        f"with {best[1]} supplies minted and a gift to {best[2]}x; the reserve lost "
        f"{lost / WAD:.6f} WETH"
    )
    assert best[0] < 0
    stated(f"one transaction; nav {float(weight):,.0f} USD |")
    tries = len(GROWTHS) * len(LEVELS[small.long])
    what = "what is minted and given: a long" if small.long else "a short"
    stated(f"of {tries}{' combinations of' if small.long else ','} {what} {float(best[0]):.2f} USD")
    # K * W, of the supply that was there before
    assert lost * small.world.feed_price / WAD <= weight / 1_000


def test_c1_on_flash_loans(small: Series) -> None:
    """C1 as it was: a contract without capital, on flash loans of Morpho.

    Scenario: mint ten supplies, gift, fill, gift, fill, leave, in one transaction.
    Property: the second fill is refused; with one fill the contract cannot gain.
    """
    fund, world = small.fund, small.world
    raider = FlashLoans(fund, 2_000 * WAD, 5_000_000 * 10**6)

    def steps(fills: int) -> None:
        for token in (world.underlying, world.quote):
            for spender in (small.contract, world.morpho):
                raider.do(token, "approve", spender.address, MOST)
        raider.do(small.contract, "mint", wad(1_000), MOST, raider.me)
        for _ in range(fills):
            amount = size_of_gift(small, LEVELS[small.long][1])
            raider.do(world.morpho, "repay", tuple(small.market), amount, 0, small.address, b"")
            raider.do(small.contract, "rebalance", MOST, LEAST_PREMIUM)
        raider.do(small.contract, "redeem", wad(1_000), MOST, raider.me)

    with boa.reverts("leveraged_token: filled before"):
        raider.run(lambda: steps(2))
    new_transaction()
    won = raider.run(lambda: steps(1))
    print(f"C1 on flash loans: ${float(won):+,.2f}")
    assert won < 0
    stated(f"{'long' if small.long else 'short'} {float(won):.2f} USD")


def test_c1_pool_and_own_liquidity_decide_nothing(small: Series) -> None:
    """Scenario: the pool is pushed by 5 % both ways, and own liquidity put beside the price.

    Property: size, premium and price of what is on sale are those of before.
    """
    world, who = small.world, small.world.roles.attacker
    gift(small, LEVELS[small.long][2], who)
    before = tuple(small.plan)
    for push in (Fraction(105, 100), Fraction(95, 100)):
        with tried():
            world.pool.move(world.feed_price * push, who)
            world.pool.add(3_000, 0.0005, who)
            assert tuple(small.plan) == before


@pytest.mark.parametrize("direction", ["raise", "lower"])
@pytest.mark.parametrize("held", [0, 3_600, DAY])
def test_minting_around_a_fill_brings_nothing(
    launch: Callable[..., Fund], direction: str, held: int
) -> None:
    """(a): nobody's capital brings more than the fill alone brings.

    Scenario: a fallback is due inside the band, and its premium is at the top. Somebody mints up
    to a hundred supplies, holds them for nothing, an hour or a day, fills and leaves; an honest
    holder of the supply is there all the time.
    Property: beyond what the fill alone brings it loses.
    """
    fund = launch(Terms(injects=200))
    (series,) = fund.series
    who = fund.world.roles.attacker
    series.go("2.7" if direction == "raise" else "3.3")
    wait_for_fallback(series)

    def around(growth: Fraction) -> None:
        tokens = int(growth * 1_000 * WAD)
        if tokens:
            series.contract.mint(tokens, MOST, who, sender=who)
        if held:
            fund.sleep(held)
            wait_for_fallback(series)
        new_transaction()
        series.contract.rebalance(MOST, LEAST_PREMIUM, sender=who)
        if tokens:
            series.contract.redeem(tokens, MOST, who, sender=who)

    alone = winnings(fund, who, lambda: around(Fraction(0)))
    more = {
        growth: winnings(fund, who, lambda g=growth: around(g)) - alone
        for growth in map(Fraction, ("0.01", "0.3", "1", "10", "100"))
    }
    # what a bigger series is filled with brings its taker the premium, and costs its holders that
    print(
        f"(a) {direction}, held {held} s: the fill alone ${float(alone):+.2f}; beyond it "
        + ", ".join(f"{float(g):g} supplies ${float(won):+.2f}" for g, won in more.items())
    )
    assert alone > 0
    assert max(more.values()) < 0
    # the page says the ends of all cases: the best is a lowering's, the worst a raise's at once
    best, worst = said("| # to # USD beyond what the fill alone brings |")
    found = round(max(more.values()), 2), round(min(more.values()))
    assert found[0] == best if direction == "lower" else found[0] < best
    assert found[1] == worst if (direction, held) == ("raise", 0) else found[1] > worst


def test_c1b_many_mint_before_a_rescue(launch: Callable[..., Fund]) -> None:
    """C1b, in the emergency that the first edition's page described.

    Scenario: 1,000 WETH in the reserve, leverage at 5.5x. Somebody wants to grow the series a
    hundredfold, to be paid by the reserve for the fill, and leave in kind.
    Property: minting above the band is refused; the rescue is paid at most 2 % of nav.
    """
    fund = launch(Terms(injects=100))
    (series,) = fund.series
    who = fund.world.roles.attacker
    series.go("5.5")
    series.accrue()
    new_transaction()
    with boa.reverts("leveraged_token: above the band"):
        series.contract.mint(wad(100_000), MOST, who, sender=who)
    held, nav = reserve_holds(fund), Fraction(series.nav * 10**36, series.price)
    before = fortune(fund, who)
    plan = series.plan
    series.rebalance(who=who)
    paid, won = held - reserve_holds(fund), fortune(fund, who) - before
    print(
        f"C1b: premium {plan.premium / WAD:.2%}; reserve paid {paid / WAD:.4f} WETH, "
        f"{float(paid / nav):.2%} of nav; its taker has the premium, ${float(won):,.2f}"
    )
    assert 0 < paid <= nav / 50
    stated(f"{float(paid / nav) * 100:.2f} % of nav", f"{float(won):.0f} USD")
    assert won <= Fraction(plan.premium * plan.whole, WAD * 10**6)


@pytest.mark.parametrize(("start", "wanted"), [("3.39", "4.81"), ("3.3", "5"), ("3.3", "5.5")])
def test_who_enters_before_an_emergency_gains_little(
    launch: Callable[..., Fund], start: str, wanted: str
) -> None:
    """(c): entering inside the band, hedged, before a fall that brings a rescue.

    Scenario: an account of 12 % and a common part of half of nav; leverage is at or near the band's
    upper edge. Somebody mints up to ten supplies, the feed falls into an emergency, it fills and
    leaves. The shortest way, from edge to emergency, is the best.
    Property: beyond the fill alone it gains at most 0.35 % of the honest nav at the fill, and so
    less of what that was before the fall.
    """
    fund = launch(Terms(injects="0.12"))
    (series,) = fund.series
    world, who = fund.world, fund.world.roles.attacker
    fund.reserve.inject(ZERO, 5 * WAD, sender=world.roles.lender)
    series.go(start, 3_600)
    honest = Fraction(series.nav, 10**6)
    after = series.price_at(wanted)
    with tried():
        world.move(after)
        series.accrue()
        left = Fraction(series.nav, 10**6)

    def enter(growth: Fraction) -> Fraction:
        tokens = int(growth * 1_000 * WAD)
        with tried():
            before = world.worth(who, after)
            if tokens:
                series.contract.mint(tokens, MOST, who, sender=who)
            world.move(after)
            fund.sleep(61)
            series.rebalance(who=who)
            if tokens:
                series.contract.redeem(tokens, MOST, who, sender=who)
            return world.worth(who, after) - before

    alone = enter(Fraction(0))
    gains = {g: enter(g) - alone for g in map(Fraction, ("0.1", "0.3", "0.5", "0.6", "1", "10"))}
    print(
        f"(c) rescue from {wanted}x: the fill alone ${float(alone):,.0f} of ${float(honest):,.0f}; "
        + ", ".join(f"{float(g):g} supplies {float(v / honest):+.3%}" for g, v in gains.items())
        + f"; nav at the fill ${float(left):,.0f}, of which {float(max(gains.values()) / left):.3%}"
    )
    best = max(gains.values())
    at_fill, before, bound = said(
        "the best gained # % of the honest nav at the fill, # % of what it was before the fall; "
        "the bound is # %"
    )
    assert bound == Fraction("0.35")
    assert best * 100 <= left * bound
    told = round(best / left * 100, 3), round(best / honest * 100, 3)
    if wanted == "4.81":
        assert told == (at_fill, before)
    else:
        assert told[0] <= at_fill
        assert told[1] <= before


@pytest.mark.parametrize("long", [True, False], ids=["long", "short"])
def test_no_gift_pays(launch: Callable[..., Fund], long: bool) -> None:
    """(d): what makes a raise due costs more than its premium.

    Scenario: at the target, a gift takes leverage out of the band or a little way off with a
    fallback due, then whoever gave it takes the fill at the highest premium there is, from no
    gift at all to one of nearly all debt.
    Property: it loses each time.
    """
    fund = launch(Terms(long=long))
    (series,) = fund.series
    who = fund.world.roles.attacker
    wait_for_fallback(series)
    levels = ("2.95", "2.7", "2.5", "2.0", "1.5", "1.1") if long else ("0.95", "0.7", "0.5", "0.1")

    def give(level: str) -> None:
        gift(series, level, who)
        series.contract.rebalance(MOST, LEAST_PREMIUM, sender=who)

    lost = {level: winnings(fund, who, lambda at=level: give(at)) for level in levels}
    print(
        f"(d) {'long' if long else 'short'}: gifts to "
        + ", ".join(f"{level}x ${float(won):+,.2f}" for level, won in lost.items())
    )
    assert max(lost.values()) < 0
    ends = [float(end(lost.values())) for end in (max, min)]
    stated(f"{'long' if long else 'short'} {ends[0]:,.0f} to {ends[1]:,.0f} USD")
