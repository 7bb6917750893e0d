"""M1 and the wrong answers of a feed, and the order in which a rescue moves assets."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import boa
import pytest

from support.chain.attacking import INCENTIVE, fortune, tried
from support.chain.series import WAD, Fund, Series, Terms, new_transaction

LLTV = Fraction(86, 100)


def test_m1_one_wrong_answer_closes_nothing_for_good(series: Series) -> None:
    """M1: a fresh answer at which there is no nav, for one round.

    Scenario: the feed says that the series is worth nothing, health is published, then it is
    right again.
    Property: minting, raising, lowering and leaving work as before.
    """
    world, fund, who = series.world, series.fund, series.world.roles.attacker
    series.go("3" if series.long else "1")
    right = world.feed_price
    world.set_feed(right * (Fraction(1, 2) if series.long else 3))
    with boa.reverts("leveraged_token: above the band"):
        series.mint(1)
    with boa.reverts("leveraged_token: nothing on sale"):
        series.rebalance(who=who)
    fund.reserve.publish(sender=who)
    world.set_feed(right)
    fund.sleep(61)
    series.mint(10)
    series.redeem(5)
    for leverage in ("2.5", "4", "5.2") if series.long else ("0.7", "1.6", "2.7"):
        with boa.env.anchor():
            series.go(leverage)
            if series.plan.state == 1:
                series.open()
                fund.sleep(1_200)
            series.rebalance()
            assert abs(series.leverage - (3 if series.long else 1)) < Fraction(1, 20)


@pytest.mark.parametrize("off", [-4, -6, -10, -14, -20])
def test_a_wrong_answer_is_not_sold_into(launch: Callable[..., Fund], off: int) -> None:
    """A wrong fresh answer of a long's feed, while the market stays.

    Scenario: the fill that follows it is taken at once, and 12, 30 and 60 s later; then the feed
    is right again.
    Property: at once a taker wins at the true price no more than the emergency's premium, where
    the answer is 5 % off or more and below Morpho's threshold; what it wins later is printed.
    """
    (series,) = launch(Terms()).series
    fund, world, who = series.fund, series.world, series.world.roles.keeper
    series.go("3")
    true = world.feed_price
    nav = Fraction(series.nav, 10**6)
    row = []
    for after in (0, 12, 30, 60):
        with tried():
            before = fortune(fund, who, true)
            world.feed.update(world.feed.answer() * (100 + off) // 100)
            boa.env.time_travel(seconds=after)
            series.accrue()
            plan = series.plan
            if plan.state != 2:
                row.append(f"{after} s: nothing on sale")
                continue
            beyond = series.ltv > LLTV
            series.rebalance(who=who)
            won = fortune(fund, who, true) - before
            row.append(f"{after} s: {plan.premium / WAD:+.2%}, ${float(won):+,.0f}")
            notional = Fraction(plan.whole, 10**6)
            if after == 0 and not beyond and off <= -6:
                assert won <= notional * Fraction(series.terms.emergency_top)
            # never more than what the answer is off, of what may be sold
            room = notional * (Fraction(-off, 100 + off) + Fraction(plan.premium, WAD) + 1)
            assert won <= room
    print(f"a feed {off} % off, series of ${float(nav):,.0f}: " + "; ".join(row))


def test_a_true_jump_is_left_to_takers_at_once_beyond_the_threshold(series: Series) -> None:
    """Scenario: the price falls (rises, for a short) past Morpho's threshold in one answer.

    Property: a taker is offered the highest premium in the same second, no less than a minute
    later, and less than Morpho's liquidator is.
    """
    series.go("3.5" if series.long else "1.3", 3_600)
    series.world.move(series.price_at("7.5" if series.long else "6.6"))
    series.accrue()
    assert series.ltv > LLTV
    at_once = series.plan.premium
    boa.env.time_travel(seconds=60)
    later = series.plan.premium
    print(
        f"one jump past the threshold: a taker is offered {at_once / WAD:.2%} at once, a "
        f"liquidator {float(INCENTIVE - 1):.2%}"
    )
    assert at_once == later == int(Fraction(325, 10_000) * WAD)


@pytest.mark.parametrize("ltv", ["0.8", "0.85", "0.88", "0.92", "0.96"])
def test_withdrawing_first_would_fail_where_the_callback_works(
    launch: Callable[..., Fund], ltv: str
) -> None:
    """The order of a rescue: position first, inside Morpho's callback.

    Scenario: from a loan-to-value in an emergency the fill's collateral is withdrawn before the
    debt is repaid; against the fill itself.
    Property: Morpho refuses the first, the second arrives below the threshold; nav after it is
    more than after a full liquidation.
    """
    (series,) = launch(Terms()).series
    world, morpho, market = series.world, series.world.morpho, tuple(series.market)
    series.go(1 / (1 - Fraction(ltv)))
    series.accrue()
    plan, nav, me = series.plan, series.nav, series.address
    needed = plan.most * 10**36 // series.price
    with boa.env.anchor(), boa.reverts():
        morpho.withdrawCollateral(market, needed, me, me, sender=me)
    left = 0
    if Fraction(ltv) > LLTV:
        with boa.env.anchor():
            shares = morpho.position(series.market.id, me)[1]
            seized = series.position.collateral
            whole = series.ltv * INCENTIVE < 1
            given = (0, shares) if whole else (seized, 0)
            morpho.liquidate(market, me, *given, b"", sender=world.roles.attacker)
            left = series.nav
    new_transaction()
    series.rebalance()
    print(
        f"order, loan-to-value {ltv}: {needed / series.position.collateral:.0%} would have to "
        f"leave first; nav {series.nav / nav - 1:+.1%} by the fill"
        + (f", {left / nav - 1:+.1%} by a liquidation" if left else "")
    )
    assert series.ltv < LLTV
    assert series.nav > left


@pytest.mark.parametrize("leverage", ["3.41", "3.6", "4", "4.6", "5", "6"])
def test_what_an_uncontested_lowering_costs(launch: Callable[..., Fund], leverage: str) -> None:
    """Danger is a floor of the premium: one taker alone gets it at once.

    Property: the series and its reserve pay at most premium * notional, less than a liquidation.
    """
    (series,) = launch(Terms()).series
    series.go(leverage)
    series.accrue()
    plan, nav = series.plan, Fraction(series.nav)
    if plan.state == 1:
        series.open()
        plan = series.plan
    cost = Fraction(plan.premium * plan.whole, WAD) / nav
    print(
        f"cost: at {leverage}x the premium begins at {plan.premium / WAD:+.2%}, "
        f"{float(cost):+.2%} of nav"
    )
    assert cost < (INCENTIVE - 1) * (Fraction(leverage) - 1)
