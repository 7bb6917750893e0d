"""Found by attack: launches at the edge of each bound, and assets of any number of decimals."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import boa
import pytest

from support.chain.attacking import fortune, reserve_holds
from support.chain.deploying import deploy_double
from support.chain.lending import Market
from support.chain.series import (
    COOLING,
    DAY,
    LEAST_PREMIUM,
    MOST,
    OPEN,
    SCALE,
    WAD,
    Fund,
    Series,
    Terms,
    base_fee,
    new_transaction,
    wad,
)
from support.chain.sisters import Sisters
from support.chain.world import Setting, World
from support.page_figures import stated

LLTV = Fraction(86, 100)


def test_an_emergency_near_the_threshold_is_refused(launch: Callable[..., Fund]) -> None:
    """Bounds of an emergency.

    Scenario: a 3x long whose emergency begins just below Morpho's threshold, and whose cooldown
    is hours long: a tenth that somebody takes would hold takers off until it is liquidated.

    Property: it is launched only with a quarter of the way from the band to the threshold left.
    """
    for emergency in ("7.1", "5.61"):
        with boa.env.anchor(), boa.reverts("series_checks: emergency near the threshold"):
            launch(Terms(emergency=emergency))
    launch(Terms(emergency="5.6"))


def test_a_tenth_does_not_hold_a_lowering_off_until_it_is_liquidated(
    launch: Callable[..., Fund],
) -> None:
    """(h): the longest cooldown and the latest emergency that can be launched.

    Scenario: as soon as a lowering is due somebody takes a tenth of it. The price falls by half a
    per cent every five minutes; a taker fills whenever something is on sale.
    Property: nothing is on sale until the emergency; there the rest is sold, and the position
    never reaches the threshold.
    """
    hours = {"duration": 21_600, "cooldown": 21_600, "emergency": "5.6"}
    fund = launch(Terms(**hours))
    (series,) = fund.series
    world, who = fund.world, fund.world.roles.attacker
    series.go("3.45")
    series.open(who)
    before = fortune(fund, who)
    series.rebalance(series.plan.least, who=who)
    cost = before - fortune(fund, who)
    worst, waited = Fraction(0), 0
    for _ in range(60):
        world.move(world.feed_price * 995 / 1_000)
        fund.sleep(300)
        series.accrue()
        worst = max(worst, series.ltv)
        if series.plan.state == OPEN:
            series.rebalance()
            break
        assert series.plan.state == COOLING
        waited += 300
    print(
        f"a tenth taken at 3.45x: nothing was on sale for {waited} s, highest loan-to-value "
        f"{float(worst):.4f}; it cost ${float(cost):,.2f}"
    )
    assert worst < LLTV
    assert series.leverage < Fraction("3.2")
    stated(f"nothing was on sale for {waited} s, up to a loan-to-value of {float(worst):.4f}")


@pytest.mark.parametrize(
    ("underlying", "quote", "price", "nav"),
    [(18, 0, 2_000, "0.5"), (2, 6, 2_000, 10), (24, 6, 2_000, "0.01")],
    ids=["quote-without-decimals", "underlying-of-2", "underlying-of-24"],
)
@pytest.mark.parametrize("long", [True, False], ids=["long", "short"])
def test_raw_units_of_any_worth_round_against_the_attacker(
    underlying: int, quote: int, price: int, nav: Any, long: bool
) -> None:
    """Decimals of 0 to 24.

    Scenario: an asset's raw unit is worth from 2e-21 to 20 USD. Somebody mints and redeems from
    one raw token upward, again and again, and takes the least fills.

    Property: no mint and no redemption makes collateral per token fall or debt per token rise; all
    of them cost; no taker gets more than the premium, and none takes leverage across the target.
    """
    world = World(
        Setting(underlying_decimals=underlying, quote_decimals=quote, price=Fraction(price))
    )
    each = nav if long else Fraction(str(nav)) * price
    fund = Fund(world, Terms(long=long, initial_nav=each), lent=10**7, age=DAY)
    (series,) = fund.series
    who, token = world.roles.attacker, series.contract
    token.mint(10**15, MOST, who, sender=who)
    held, last = world.balances(who), per_token(series)
    for place in range(24):
        tokens = (1, 10**9, 10**12, 10**15)[place % 4]
        for act in (token.mint, token.redeem):
            act(tokens, MOST, who, sender=who)
            now = per_token(series)
            assert now[0] >= last[0]
            assert now[1] <= last[1]
            last = now
    lost = [before - after for before, after in zip(held, world.balances(who), strict=True)]
    assert min(lost) >= 24
    for leverage in ("2.5", "3.6", "5") if long else ("0.7", "1.4", "2.6"):
        with boa.env.anchor():
            series.go(leverage)
            series.open()
            fund.sleep(600)
            series.accrue()
            plan, side = series.plan, series.leverage > plan_target(series)
            given, owes = series.rebalance(plan.least, who=who)
            worth = Fraction(series.price, SCALE)
            got = given - owes * worth if plan.up else given * worth - owes
            assert got <= Fraction(plan.premium, WAD) * plan.least
            assert (series.leverage > plan_target(series)) == side
    print(
        f"{underlying} over {quote} decimals, long={long}: 48 acts of up to 1e-3 token cost {lost}"
    )


def per_token(series: Series) -> tuple[Fraction, Fraction]:
    """Collateral and debt shares of a raw token, exactly."""
    state = series.state
    return Fraction(state.collateral, state.supply), Fraction(state.shares, state.supply)


def plan_target(series: Series) -> int:
    """Its target, which is whole here."""
    return int(series.terms.figure("target"))


def test_caps_hold_for_amounts_beyond_96_bits() -> None:
    """Scenario: an underlying of 30 decimals, of which `K * W` is more than 96 bits hold.

    Property: an account pays no more at once than what is remembered of it; an earlier version
    forgot what was beyond 96 bits, and paid a 25th of the account with every fill.
    """
    fund = Fund(World(Setting(underlying_decimals=30)), Terms(tokens=10**6, injects=1), lent=0)
    (series,) = fund.series
    nav, supply, _ = series.contract.standing()
    assert nav // 1_000 > 2**96
    start, most = series.account.held, wad("0.001")
    what = (nav, False, False, False, most, nav, supply, supply, supply, fund.world.roles.attacker)
    for _ in range(20):
        fund.reserve.settle(what, sender=series.address)
    paid = start - series.account.held
    print(f"20 settlements at once: {float(Fraction(paid, start)):.3e} of the account")
    assert 0 < paid <= min(nav // 1_000, 2**96 - 1)
    assert series.account.paid >= paid


def test_gifts_before_a_launch_change_nothing_but_its_nav(fund: Fund) -> None:
    """A launch that was foreseen.

    Scenario: somebody foresees a launch, creates its market, lends there, supplies collateral on
    the token's behalf, and sends both assets to token and reserve.

    Property: the launch goes on, its holders have the gift, and the reserve counts nothing of it.
    """
    world, who = fund.world, fund.world.roles.attacker
    with boa.env.anchor():
        seen = Sisters(fund, Terms(), lent=0)
        market, token = Market(*seen.series[0].market), seen.series[0].address
        reserve, held = seen.reserve.address, reserve_holds(seen)
    morpho = world.morpho
    morpho.createMarket(tuple(market), sender=who)
    morpho.supply(tuple(market), 10**6, 0, who, b"", sender=who)
    morpho.supplyCollateral(tuple(market), WAD, token, b"", sender=who)
    for asset in (world.underlying, world.quote):
        for receiver in (token, reserve):
            asset.transfer(receiver, 10**6, sender=who)
    made = Sisters(fund, Terms())
    (series,) = made.series
    assert (series.address, made.reserve.address) == (token, reserve)
    assert reserve_holds(made) == held
    assert series.state.collateral == 31 * WAD
    assert series.leverage < 3
    series.mint(10)
    series.redeem(10)


def test_an_underlying_that_calls_back_gets_one_refund() -> None:
    """Re-entrancy of a refund.

    Scenario: the underlying calls its creator's code whenever the reserve sends: that publishes,
    settles, claims and injects again.

    Property: none of it works, and one refund is paid.
    """
    underlying = deploy_double("HostileToken", 18)
    world = World(Setting(), underlying=underlying)
    fund = Fund(world, Terms(injects=1))
    reserve, who = fund.reserve, world.roles.attacker
    for method, args in (("publish", ()), ("claim", (who,)), ("inject", ("0x" + "00" * 20, 1))):
        data = getattr(reserve, method).prepare_calldata(*args)
        underlying.set_hook(reserve.address, reserve.address, data)
        before = reserve_holds(fund)
        with base_fee(10**9):
            refund = reserve.publish(sender=who)
        assert refund > 0
        assert (underlying.hook_calls(), underlying.hook_succeeded()) == (1, 0)
        assert before - reserve_holds(fund) == refund
        underlying.set_hook("0x" + "00" * 20, "0x" + "00" * 20, b"")
        fund.sleep(3_600)


def test_a_sister_whose_emergencies_come_daily(fund: Fund) -> None:
    """(e), day after day.

    Scenario: beside a 3x series of 100,000 USD stands a 5x one whose emergency begins at its band's
    edge. A stranger holds a million USD of it; on ten days the price falls by 3.7 %, and the
    stranger fills first.
    Property: each day it is paid at most 2 % of `W`, of the common part at most a quarter; the
    other account is as before. The page says what is left.
    """
    near = Terms(tokens=100, target=5, lower="4.5", upper="5.2", emergency="5.21", injects="0.12")
    pair = Sisters(fund, Terms(tokens=5_000, injects="0.12"), near, common=40 * WAD)
    other, sister = pair.series
    world, who = fund.world, fund.world.roles.attacker
    start, account = pair.reserve.common(), other.account.held
    sister.contract.mint(wad(50_000), MOST, who, sender=who)
    pair.sleep(7 * DAY)
    for _ in range(10):
        sister.accrue()
        world.move(sister.price_at("5.95"))
        pair.sleep(72)
        common, held = pair.reserve.common(), sister.account.held
        nav = Fraction(sister.nav * SCALE, sister.price)
        sister.contract.rebalance(MOST, LEAST_PREMIUM, sender=who)
        new_transaction()
        paid = common - pair.reserve.common()
        assert paid <= common // 4
        assert paid + held - sister.account.held <= nav / 50 + 1
        pair.sleep(DAY)
    left = Fraction(pair.reserve.common(), start)
    print(f"ten emergencies in ten days: {float(left):.4f} of the common part is left")
    assert other.account.held == account
    stated(f"{float(left) * 100:.1f} % of the common part is left")
