"""What a creator may choose that harms: assets that take a fee, freeze or rebase, and markets."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import boa
import pytest

from support.chain.deploying import deploy_double
from support.chain.series import (
    DAY,
    MOST,
    OPEN,
    PLACES,
    WAD,
    ZERO,
    Fund,
    Launch,
    Series,
    Terms,
    launch_words,
    new_transaction,
    wad,
)
from support.chain.sisters import Sisters
from support.chain.world import Setting, World
from support.page_figures import stated

YES = True
UP, DOWN, RESCUE = "up", "down", "rescue"
AWAY = {
    True: {UP: "2.5", DOWN: "3.8", RESCUE: "5.2"},
    False: {UP: "0.7", DOWN: "1.5", RESCUE: "2.8"},
}
"""Leverages from which a long or a short is rebalanced."""


def pair_on(double: str) -> Fund:
    """A long and a short on two assets of a kind, in a small market."""
    world = World(Setting(), deploy_double(double, 18), deploy_double(double, 6))
    fund = Fund(world, Terms(), Terms(long=False), common=WAD, lent=10**6)
    for each in fund.series:
        each.mint(100)
    fund.ready = boa.env.timestamp
    return fund


@pytest.fixture(scope="module")
def hostile() -> Fund:
    """On assets that may take a fee, and of which anybody may say what an account holds."""
    return pair_on("HostileToken")


@pytest.fixture(scope="module")
def freezable() -> Fund:
    """On assets whose issuer may freeze an account."""
    return pair_on("Freezable")


def passes(act: Callable[[], Any]) -> bool:
    """Whether a transaction goes through; it is undone."""
    new_transaction()
    with boa.env.anchor():
        try:
            act()
        except boa.BoaError:
            return False
    return True


def rebalances(series: Series, way: str) -> bool:
    """Whether a fill goes through that takes leverage back from where it went."""
    with boa.env.anchor():
        series.world.set_feed(series.price_at(AWAY[series.long][way]))
        series.fund.sleep(72)
        series.accrue()
        if series.plan.began == 0:
            series.open()
        series.fund.sleep(600)
        series.accrue()
        assert series.plan.state == OPEN
        return passes(series.rebalance)


def what_passes(series: Series) -> dict[str, bool]:
    """All that a holder or a taker may do."""
    found = {way: rebalances(series, way) for way in (UP, DOWN, RESCUE)}
    found["mint"] = passes(lambda: series.mint(1))
    found["redeem"] = passes(lambda: series.redeem(1))
    return found


ASSETS = ("underlying", "quote")
SIDES = pytest.mark.parametrize("long", [True, False], ids=["long", "short"])
NAMED = pytest.mark.parametrize("asset", ASSETS)


def is_collateral(asset: str, *, long: bool) -> bool:
    """Whether a series holds this asset, rather than owe it."""
    return (asset == "underlying") == long


# -- a fee ---------------------------------------------------------------------------------------


@SIDES
@NAMED
def test_an_asset_that_takes_a_fee_launches_nothing(hostile: Fund, asset: str, long: bool) -> None:
    """Scenario: one of the two assets takes a basis point of each transfer.

    Property: a long and a short on it are refused, because Morpho takes the whole amount.
    """
    world, factory = hostile.world, hostile.factory
    count = factory.reserve_count()
    prepared = Launch(
        [launch_words(world, Terms(long=long))], world.underlying.address, salt=b"\4" * 32
    )
    with boa.env.anchor():
        factory.launch(*prepared.arguments(), sender=world.roles.deployer)
    getattr(world, asset).set_fee_bps(1)
    new_transaction()
    with boa.reverts("transferFrom reverted"):
        factory.launch(*prepared.arguments(), sender=world.roles.deployer)
    assert factory.reserve_count() == count


@SIDES
@NAMED
def test_a_fee_that_begins_later_is_paid_ahead(hostile: Fund, asset: str, long: bool) -> None:
    """Scenario: after the launch an asset begins to take 1 % of each transfer.

    Property: whatever has to bring it to the series is refused, with one asset exits too; nothing
    else is. Whoever sends the missing part ahead gets out, and Morpho is short by the fee.
    """
    series = hostile.series[0 if long else 1]
    hostile.begin()
    world, coin = hostile.world, getattr(hostile.world, asset)
    assert all(what_passes(series).values())
    coin.set_fee_bps(100)
    brings = is_collateral(asset, long=long)
    assert what_passes(series) == {
        UP: not brings,
        DOWN: brings,
        RESCUE: brings,
        "mint": not brings,
        "redeem": brings,
    }
    if brings:
        return
    who, morpho = world.roles.holder, world.morpho.address
    held = coin.balanceOf(morpho)
    missing = -(-series.state.debt * wad(100) // series.state.supply) // 50
    coin.transfer(series.address, missing, sender=who)
    new_transaction()
    _, paid = series.redeem(100)
    short = Fraction(held + paid - coin.balanceOf(morpho), paid)
    assert abs(short - Fraction(1, 100)) < Fraction(1, 10**4)
    stated(f"Morpho is short by that {float(short) * 100:.0f} %")


# -- a frozen account ----------------------------------------------------------------------------


@SIDES
def test_a_frozen_reserve_stops_every_rebalance_and_no_exit(freezable: Fund, long: bool) -> None:
    """A reserve is an account as any other, and pays or gets something in nearly every fill.

    Scenario: the issuer of the underlying freezes the reserve, and the market goes either way.

    Property: fills, rescues too, publication and a long's allocation are refused; minting and
    exits work. So leverage goes where the price takes it: the position can be liquidated, until
    the reserve is thawed, and then the same rescue works.
    """
    series = freezable.series[0 if long else 1]
    freezable.begin()
    reserve, coin = freezable.reserve, freezable.world.underlying
    coin.freeze(reserve.address, YES)
    assert what_passes(series) == {UP: False, DOWN: False, RESCUE: False, "mint": True,
                                   "redeem": True}  # fmt: skip
    assert not passes(reserve.publish)
    if long:
        assert not passes(lambda: series.contract.allocate(0))
    start = series.price_at(series.terms.figure("target"))
    series.go("5.2")
    with boa.reverts("freezable: frozen"):
        series.rebalance()
    series.redeem(1)
    # past Morpho's threshold: leverage 1 / (1 - ltv) of a long, ltv / (1 - ltv) of a short
    at = series.price_at("7.15" if long else "6.15")
    series.world.move(at)
    series.accrue()
    assert series.ltv > Fraction(86, 100)
    who, shares = series.world.roles.attacker, series.state.shares // 10
    new_transaction()
    liquidate = series.world.morpho.liquidate
    liquidate(tuple(series.market), series.address, 0, shares, b"", sender=who)
    moved = abs(float(at / start - 1)) * 100
    print(f"frozen reserve, {'long' if long else 'short'}: liquidated after {moved:.1f} %")
    if long:
        stated(f"liquidated after a fall of {moved:.1f} %")
    coin.freeze(reserve.address, not YES)
    series.rebalance()


@SIDES
@NAMED
def test_a_frozen_series_can_be_left_where_it_need_not_hold_the_asset(
    freezable: Fund, asset: str, long: bool
) -> None:
    """Scenario: an issuer freezes the series itself.

    Property: where it freezes the collateral, that goes from Morpho to the holder, and exits work;
    where it freezes the debt's asset they do not, until somebody repays the debt on the series'
    behalf: then nothing is owed, and all exits work.
    """
    series = freezable.series[0 if long else 1]
    freezable.begin()
    world = freezable.world
    getattr(world, asset).freeze(series.address, YES)
    if is_collateral(asset, long=long):
        assert passes(lambda: series.redeem(100))
        assert not passes(lambda: series.mint(1))
        return
    assert not passes(lambda: series.redeem(1))
    assert passes(lambda: series.mint(1))
    shares, who = series.state.shares, world.roles.attacker
    world.morpho.repay(tuple(series.market), 0, shares, series.address, b"", sender=who)
    assert passes(lambda: series.redeem(100))


@SIDES
def test_a_frozen_holder_lets_another_address_leave(freezable: Fund, long: bool) -> None:
    """Scenario: an issuer freezes a holder, for one asset or the other; then Morpho itself.

    Property: the holder's tokens can be sent, and whoever has them leaves; the other holders and
    the takers notice nothing. With Morpho frozen nobody mints, leaves or takes anything.
    """
    series = freezable.series[0 if long else 1]
    freezable.begin()
    world = freezable.world
    holder, other = world.roles.holder, world.roles.keeper
    for asset in ASSETS:
        with boa.env.anchor():
            getattr(world, asset).freeze(holder, YES)
            assert not passes(lambda: series.redeem(1, holder))
            series.contract.transfer(other, wad(100), sender=holder)
            assert passes(lambda: series.redeem(100, other))
            assert all(rebalances(series, way) for way in (UP, DOWN, RESCUE))
        with boa.env.anchor():
            getattr(world, asset).freeze(world.morpho.address, YES)
            assert not any(what_passes(series).values())


# -- an asset that rebases -----------------------------------------------------------------------


@pytest.mark.parametrize("left", ["0.5", "1.5"], ids=["down", "up"])
def test_a_rebase_changes_no_nav_and_the_last_to_leave_bears_it(hostile: Fund, left: str) -> None:
    """Scenario: balances of the underlying change by themselves, as those of a rebasing asset do.

    Property: nav, leverage and accounts are as before, since Morpho and the reserve count by their
    books. After a fall who leaves first is paid whole, and the last are refused; what a rise
    brings is nobody's.
    """
    world, (long, _) = hostile.world, hostile.series
    hostile.begin()
    coin, morpho, reserve = world.underlying, world.morpho.address, hostile.reserve
    creator = world.roles.deployer
    lender = world.roles.lender
    # what others lend of it lies there too, and pays who leaves first
    hostile.series[1].accrue()
    market, most = hostile.series[1].market, world.lending.lendable(hostile.series[1].market)
    world.morpho.withdraw(tuple(market), most, 0, lender, lender, sender=lender)
    books = (long.nav, long.leverage, long.account, reserve.common())
    for who in (morpho, reserve.address):
        coin.set_balance(who, int(coin.balanceOf(who) * Fraction(left)))
    assert (long.nav, long.leverage, long.account, reserve.common()) == books
    held = coin.balanceOf(morpho)
    collateral = long.state.collateral
    first = Fraction(long.contract.balanceOf(creator), 2 * WAD)
    given, _ = long.redeem(int(first), creator)
    assert given >= collateral * 999 // 1_000 * int(first) * WAD // (1_100 * WAD)
    whole = passes(lambda: long.redeem(int(first), creator))
    assert whole == (left == "1.5")
    # the reserve's account is not wholly there either: what it owes is more than it has
    holds = long.account.held + hostile.series[1].account.held + reserve.common()
    assert (coin.balanceOf(reserve.address) >= holds) == (left == "1.5")
    print(f"rebase to {left}: Morpho held {held / WAD:.2f}, the long counts {collateral / WAD:.2f}")


# -- markets -------------------------------------------------------------------------------------


REFUSED = {
    "0": "series_checks: emergency near the threshold",
    "0.385": "series_checks: emergency near the threshold",
    "0.625": "series_checks: emergency near the threshold",
    "0.77": "series_checks: emergency near the threshold",
    "0.915": "series_checks: emergency_top above the incentive",
    "0.945": "series_checks: emergency_top above the incentive",
    "0.965": "series_checks: emergency_top above the incentive",
    "0.98": "series_checks: emergency_top above the incentive",
}
"""Each threshold that Morpho has beside 86 %, and why the suggested long is refused there."""


@pytest.mark.parametrize("lltv", REFUSED)
def test_a_threshold_that_leaves_no_way_for_a_rescue_is_refused(fund: Fund, lltv: str) -> None:
    """Scenario: the suggested 3x long on each threshold that Morpho knows.

    Property: below it a rescue would begin too near the threshold, above it a liquidator would
    get less than the least that takers must be offered; both are refused, whatever the terms'
    `emergency_top` from 3 % upward, and at 77 % a lower emergency is launched.
    """
    world, figure = fund.world, wad(lltv)
    world.morpho.enableLltv(figure, sender=world.roles.deployer)
    for top in ("0.03", "0.0325", "0.04"):
        with boa.env.anchor(), boa.reverts(REFUSED[lltv]):
            Sisters(fund, Terms(emergency_top=top), changes=({"lltv": figure},))
    if lltv == "0.915":
        stated("From 91.5 % upward")
    if lltv == "0.77":
        Sisters(fund, Terms(emergency="3.9"), changes=({"lltv": figure},))


def with_irm(fund: Fund, irm: str) -> Series:
    """A long of a market with this interest model, which Morpho's owner allows."""
    world = fund.world
    world.morpho.enableIrm(irm, sender=world.roles.deployer)
    return Sisters(fund, Terms(), changes=({"irm": irm},)).series[0]


def test_a_market_without_an_interest_model_takes_no_interest(fund: Fund) -> None:
    """Scenario: no model at all, which Morpho knows as the zero address.

    Property: launched, minted, rebalanced and left as any other, and no debt grows in a year.
    """
    series = with_irm(fund, ZERO)
    series.mint(10)
    debt = series.state.debt
    series.fund.sleep(365 * DAY)
    series.accrue()
    assert series.state.debt == debt
    series.arrive()
    series.redeem(10)


def test_an_interest_model_that_reverts_closes_everything(fund: Fund) -> None:
    """An interest model is Morpho's owner's choice first, and the creator's among those.

    Scenario: one that says a rate of 1,000 % a year, and one that begins to revert.

    Property: one that is not allowed is refused. The rate takes of nav what the page says. While
    it reverts nothing can be done, exits neither, and all of it can again afterwards.
    """
    irm = deploy_double("HostileRate")
    words = launch_words(fund.world, Terms())
    words[PLACES.index("irm")] = irm.address
    prepared = Launch([words], fund.world.underlying.address, salt=b"\4" * 32)
    with boa.reverts("IRM not enabled"):
        fund.factory.launch(*prepared.arguments(), sender=fund.world.roles.deployer)
    series = with_irm(fund, irm.address)
    series.mint(100)
    nav = series.nav
    irm.set_rate(10 * WAD // (365 * DAY))
    series.fund.sleep(DAY)
    series.accrue()
    taken = 1 - Fraction(series.nav, nav)
    irm.set_rate(0)
    assert abs(taken - Fraction(2 * 10, 365)) < Fraction(1, 500)
    stated(f"{float(taken) * 100:.2f} % of a 3x long's nav in a day")
    irm.set_reverts(YES)
    series.fund.sleep(12)
    for act in (
        lambda: series.mint(1),
        lambda: series.redeem(1),
        lambda: series.contract.redeem(0, MOST, series.world.roles.holder),
        series.open,
        series.rebalance,
    ):
        assert not passes(act)
    irm.set_reverts(not YES)
    assert passes(lambda: series.redeem(1))
