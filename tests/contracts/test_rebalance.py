"""A fill of an auction: what changes hands, where leverage goes, and what is refused."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import boa
import pytest

from support.chain.attacking import wait_for_fallback
from support.chain.deploying import deploy_double
from support.chain.series import (
    BAND,
    DAY,
    EMERGENCY,
    FALLBACK,
    JUMPED,
    MOST,
    OPEN,
    WAD,
    Fund,
    Series,
    Terms,
    new_transaction,
    wad,
)
from support.chain.world import Setting, World

LOW = {True: "2.5", False: "0.7"}
HIGH = {True: "3.8", False: "1.5"}
RESCUE = {True: "5", False: "2.7"}
NEARLY = {True: "2.55", False: "0.75"}


def target(series: Series) -> int:
    """Its leverage."""
    return 3 if series.long else 1


def due(series: Series, leverage: str, seconds: int = 600) -> Any:
    """An auction that has run for a while, away from any jump of the feed; its plan."""
    series.go(leverage)
    series.open()
    series.fund.sleep(seconds)
    boa.env.time_travel(seconds=61)
    series.accrue()
    return series.plan


def filled(series: Series) -> Any:
    """The event of the last call."""
    (event,) = (e for e in series.contract.get_logs() if type(e).__name__ == "Rebalanced")
    return event


@pytest.fixture
def taker(series: Series) -> Any:
    """A contract with a callback that can pay for anything, and is allowed everywhere."""
    made, keeper = deploy_double("Taker"), series.world.roles.keeper
    for asset in (series.collateral, series.loan):
        asset.transfer(made.address, asset.balanceOf(keeper) // 10, sender=keeper)
        for spender in (series.contract, series.world.morpho):
            made.approve(asset.address, spender.address)
    return made


@pytest.mark.parametrize("where", [LOW, HIGH, RESCUE], ids=["raise", "lower", "rescue"])
@pytest.mark.parametrize("seconds", [1, 1_140])
def test_a_whole_fill_arrives_and_never_goes_across(
    series: Series, where: dict[bool, str], seconds: int
) -> None:
    """Scenario: the whole fill, at the auction's first price and near its top.

    Property: leverage ends within half a percent of the target on the side where it was, by the
    event and by the position; the clock says that it arrived.
    """
    plan = due(series, where[series.long], seconds)
    assert plan.state == OPEN
    before = series.leverage
    series.rebalance()
    event, after = filled(series), series.leverage
    assert event.notional == plan.most == plan.whole
    assert (before - target(series)) * (after - target(series)) >= 0
    assert abs(after - target(series)) <= abs(before - target(series)) / 50
    assert event.arrived
    assert series.contract.facts().arrived == boa.env.timestamp
    assert abs(Fraction(event.leverage_after, WAD) - after) < Fraction(1, 10**9)
    assert tuple(event.after) == tuple(series.state)


@pytest.mark.parametrize("where", [LOW, HIGH, RESCUE], ids=["raise", "lower", "rescue"])
@pytest.mark.parametrize("seconds", [1, 1_140])
def test_a_fill_costs_its_premium(series: Series, where: dict[bool, str], seconds: int) -> None:
    """A premium is paid to the unit.

    Property: what the taker won at the oracle's price is the premium, rounded against it; the
    reserve's books and the series' nav paid exactly that between them.
    """
    due(series, where[series.long], seconds)
    world, keeper = series.world, series.world.roles.keeper
    collateral, loan = series.collateral.balanceOf(keeper), series.loan.balanceOf(keeper)
    nav, price, common = series.nav, series.price, series.fund.reserve.common
    account = series.account.held + common()
    series.rebalance()
    event = filled(series)
    moved = Fraction((series.collateral.balanceOf(keeper) - collateral) * price, 10**36)
    won = moved + series.loan.balanceOf(keeper) - loan
    premium = Fraction(event.notional * event.premium, WAD)
    unit = max(Fraction(price, 10**36), Fraction(1))
    assert premium - 6 * unit <= won <= premium
    # an account that is full feeds the common part
    settled = account - series.account.held - common()
    assert settled == event.paid_by_reserve
    assert world.underlying.balanceOf(series.fund.reserve.address) >= sum(
        each.account.held for each in series.fund.series
    )
    worth = Fraction(settled * price, 10**36) if series.long else Fraction(settled)
    assert abs((nav - series.nav) - (won - worth)) <= 6 * unit
    assert abs(event.paid_by_nav - (nav - series.nav)) <= 6 * unit


def test_a_callback_pays_with_what_it_got(series: Series, taker: Any) -> None:
    """Scenario: a contract without an allowance takes a fill in its callback.

    Property: it has its asset before it pays, is told what it owes, and may not be a unit short.
    """
    for where in (LOW, HIGH):
        with boa.env.anchor():
            due(series, where[series.long])
            call = series.contract.rebalance.prepare_calldata(MOST, -(2**255), b"data")
            taker.load([], 1)
            new_transaction()
            with boa.reverts("morpho_position: owed"):
                taker.act(series.address, call)
            taker.load([], 0)
            new_transaction()
            taker.act(series.address, call)
            assert taker.told() == b"data"
            assert (taker.given() == series.collateral.address) == (where is HIGH)
            assert taker.amount() > 0
            assert abs(series.leverage - target(series)) < Fraction(1, 50)


def test_inside_a_callback_the_series_refuses(series: Series, taker: Any) -> None:
    """Scenario: the taker calls everything inside its callback.

    Property: this series and the publication refuse; a gift, the other series and a transfer are
    none of its business and pass.
    """
    other = next(each for each in series.fund.series if each is not series)
    holder = series.world.roles.holder
    series.mint(5)
    series.contract.transfer(taker.address, wad(5), sender=holder)
    for asset in (series.collateral, series.loan):
        taker.approve(asset.address, other.address)
    due(series, HIGH[series.long])
    token, me = series.contract, taker.address
    refused = [
        token.mint.prepare_calldata(wad(1), MOST, me),
        token.redeem.prepare_calldata(wad(1), MOST, me),
        token.rebalance.prepare_calldata(MOST, -(2**255)),
        token.open.prepare_calldata(),
        token.allocate.prepare_calldata(0),
        token.state.prepare_calldata(),
        token.facts.prepare_calldata(),
        token.standing.prepare_calldata(),
    ]
    calls = [(token.address, data) for data in refused]
    reserve = series.fund.reserve
    calls.append((reserve.address, reserve.publish.prepare_calldata()))
    passes = [(token.address, token.transfer.prepare_calldata(holder, 1))]
    taker.load([*calls, *passes], 0)
    new_transaction()
    taker.act(token.address, token.rebalance.prepare_calldata(MOST, -(2**255), b"x"))
    worked = [taker.worked(place) for place in range(len(calls) + len(passes))]
    assert worked == [False] * len(calls) + [True] * len(passes)


def test_one_fill_a_transaction(series: Series) -> None:
    """Property: a second fill of the series in one transaction is refused, not in the next."""
    plan = due(series, RESCUE[series.long])
    # so little that it stays an emergency, which knows no cooldown
    series.rebalance(plan.least)
    with boa.reverts("leveraged_token: filled before"):
        series.contract.rebalance(MOST, -(2**255), sender=series.world.roles.keeper)
    series.rebalance()


def test_a_partial_fill_leaves_the_rest_under_way(series: Series) -> None:
    """Scenario: a third is filled, then the rest after the cooldown.

    Property: the auction is as old as before, less the part of the cooldown that was filled of
    what could be; nothing is sold in the cooldown. It goes on inside the band until leverage has
    arrived; fallback and day wait for that.
    """
    plan = due(series, NEARLY[series.long], 500)
    arrived, now = series.contract.facts().arrived, boa.env.timestamp
    series.rebalance(plan.most // 3)
    assert not filled(series).arrived
    facts = series.contract.facts()
    assert (facts.arrived, facts.filled, facts.filled_trigger) == (arrived, now, BAND)
    cooldown = series.terms.cooldown
    assert facts.opened == plan.began + cooldown * (plan.most // 3) // plan.most
    with boa.reverts("leveraged_token: nothing on sale"):
        series.rebalance()
    boa.env.time_travel(seconds=cooldown)
    assert series.plan.trigger == BAND
    series.rebalance()
    assert filled(series).arrived
    assert series.contract.facts().opened == 0


def test_a_fill_is_a_tenth_at_least(series: Series) -> None:
    """Property: less than a tenth of what is on sale is refused, a hundredth in an emergency."""
    plan = due(series, HIGH[series.long])
    with boa.reverts("leveraged_token: fill too small"):
        series.rebalance(plan.least - 1)
    series.rebalance(plan.least)
    plan = due_again(series, RESCUE[series.long])
    assert plan.trigger == EMERGENCY
    with boa.reverts("leveraged_token: fill too small"):
        series.rebalance(plan.least - 1)
    series.rebalance(plan.least)
    # without a cooldown
    series.rebalance()


def due_again(series: Series, leverage: str) -> Any:
    """As `due`, where an auction may be open already."""
    series.go(leverage)
    boa.env.time_travel(seconds=61)
    series.accrue()
    return series.plan


def test_a_taker_names_its_least_premium(series: Series) -> None:
    """Property: a premium below the limit is refused."""
    plan = due(series, HIGH[series.long])
    with boa.reverts("leveraged_token: premium"):
        series.rebalance(limit=plan.premium + 1)
    series.rebalance(limit=plan.premium)


@pytest.mark.parametrize("ltv", ["0.861", "0.88", "0.92", "0.95"])
def test_a_rescue_works_beyond_the_threshold(series: Series, ltv: str) -> None:
    """Scenario: the price is past Morpho's threshold, and a taker comes before a liquidator.

    Property: the whole fill arrives; a fill that would end beyond the threshold is refused.
    """
    share = Fraction(ltv)
    leverage = 1 / (1 - share) if series.long else share / (1 - share)
    due(series, RESCUE[series.long], 1)
    plan = due_again(series, str(float(leverage)))
    assert plan.state == OPEN
    assert series.ltv > Fraction("0.86")
    with boa.env.anchor():
        series.rebalance(plan.least)
        assert series.ltv <= Fraction("0.8601")
    series.rebalance()
    assert abs(series.leverage - target(series)) < target(series) * Fraction(3, 10)


def test_a_fallback_needs_no_opening(series: Series) -> None:
    """Scenario: leverage has not arrived anywhere for a day, and is inside the band.

    Property: a fill takes it to the target, at the price that two durations allow.
    """
    series.fund.sleep(DAY)
    series.go("2.9" if series.long else "0.9")
    boa.env.time_travel(seconds=61)
    series.accrue()
    plan = series.plan
    assert (plan.trigger, plan.state) == (FALLBACK, OPEN)
    series.rebalance()
    assert abs(series.leverage - target(series)) < Fraction(1, 100)
    assert series.plan.trigger == 0


def test_a_raise_after_a_large_jump_never_lowers(series: Series) -> None:
    """Scenario: a raise is due inside the band, and the feed has just jumped by a half and more.

    Property: at once nobody can take it, since what the taker would pay would take leverage away
    from the target. It is on sale within the minute; the first fill then takes leverage nearer.
    """
    jumps = Fraction(3, 2) + Fraction(1, 20)
    wait_for_fallback(series, 0)
    nearly = series.price_at("2.9" if series.long else "0.995")
    series.world.move(nearly * jumps if series.long else nearly / jumps)
    series.fund.sleep(72)
    series.world.move(nearly)
    series.accrue()
    assert series.plan.state == JUMPED
    with boa.reverts("leveraged_token: nothing on sale"):
        series.rebalance()
    for _ in range(60):
        boa.env.time_travel(seconds=1)
        if series.plan.state != JUMPED:
            break
    before, plan = series.leverage, series.plan
    assert plan.state == OPEN
    assert plan.premium < -wad("0.3")
    series.rebalance()
    assert before < series.leverage <= target(series)


def test_a_band_inside_is_idle(series: Series) -> None:
    """Property: what is not due is not sold."""
    due(series, LOW[series.long])
    series.rebalance()
    series.go("2.9" if series.long else "0.9")
    assert series.plan.trigger == 0
    with boa.reverts("leveraged_token: nothing on sale"):
        series.rebalance()


def test_raising_is_capped_by_what_is_lent(series: Series) -> None:
    """Scenario: the market has little left to lend, and then nothing.

    Property: a raise borrows at most that; without any, nothing is on sale, and lowering is.
    """
    due(series, LOW[series.long])
    lending = series.world.lending
    lending.withdraw(series.market, lending.lendable(series.market) - 10**5)
    plan = series.plan
    assert 0 < plan.most <= 10**5
    series.rebalance()
    lending.withdraw(series.market, lending.lendable(series.market))
    boa.env.time_travel(seconds=series.terms.cooldown)
    with boa.reverts("leveraged_token: nothing on sale"):
        series.rebalance()
    due_again(series, HIGH[series.long])
    series.rebalance()


def test_a_jump_of_the_feed_is_not_sold_into(series: Series) -> None:
    """Scenario: one answer is 10 % away from the one before.

    Property: for a minute the premium is lower by the jump, fading; beyond the threshold of
    Morpho it is not.
    """
    due(series, HIGH[series.long], 1)
    world = series.world
    world.move(
        world.feed_price * Fraction(9, 10) if series.long else world.feed_price * Fraction(11, 10)
    )
    series.accrue()
    at_once = series.plan
    assert at_once.premium < -wad("0.06")
    boa.env.time_travel(seconds=30)
    later = series.plan.premium
    assert at_once.premium < later
    boa.env.time_travel(seconds=31)
    assert series.plan.premium > later
    assert series.plan.premium > 0


def test_a_day_and_an_edge_and_clips() -> None:
    """Scenario: a series with a set time of day, a move to the edge and clips.

    Property: the band's fill goes to the edge in clips; the day's, at its time, to the target.
    """
    terms = Terms(daily_at=3_600, to_edge=True, edge_slack="0.05", largest_clip=2_000, cooldown=60)
    fund = Fund(World(Setting()), terms)
    series = fund.series[0]
    # in the first hour after midnight nothing is due
    now = boa.env.timestamp
    fund.sleep(DAY - now % DAY + 3_600 - 1)
    series.go("3.3", 0)
    fund.sleep(1)
    assert series.plan.trigger == 7
    boa.env.time_travel(seconds=61)
    fills = 0
    while series.plan.trigger == 7:
        series.rebalance()
        assert filled(series).notional <= 2_000 * 10**6
        fills += 1
        fund.sleep(61)
    assert fills >= 2
    assert abs(series.leverage - 3) < Fraction(1, 100)
    series.go("3.6")
    plan = series.plan
    assert (plan.trigger, plan.destination) == (BAND, wad("3.4"))
    fills = 0
    while (plan := series.plan).trigger == BAND:
        series.rebalance()
        fund.sleep(61)
        fills += 1
    assert fills >= 2
    assert Fraction("3.39") < series.leverage < Fraction("3.402")
