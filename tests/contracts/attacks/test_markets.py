"""H2, M4, L3: attacks on the market in which a series lies, and its relaunch.

H2 is debt shares that overflow. Where a market has hardly any debt, one borrowed unit and one
repaid share leave a share of less debt than before; a hundred such rounds take Morpho's shares to
128 bits, and nobody is ever lent anything there again. Other debt in the market prevents it.
L3 is a series of which a cent was left and liquidated; M4 is lending that is gone for a block.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import boa
import pytest

from support.chain.attacking import fortune
from support.chain.mutants import Mutant
from support.chain.series import (
    DAY,
    DEAD,
    DEAD_TOKENS,
    MOST,
    WAD,
    Fund,
    Launch,
    Protocol,
    Series,
    Terms,
    launch_words,
    new_transaction,
    wad,
)
from support.page_figures import stated

ROUNDS = 140
"""Of one borrowed unit and one repaid share: 109 of them brick a market without other debt."""


def brick(series: Series, rounds: int = ROUNDS) -> int:
    """Borrow one unit and repay one share, again and again; how often that worked."""
    world, who, market = series.world, series.world.roles.attacker, tuple(series.market)
    for done in range(rounds):
        try:
            world.morpho.borrow(market, 1, 0, who, who, sender=who)
            world.morpho.repay(market, 0, 1, who, b"", sender=who)
        except boa.BoaError:
            return done
    return rounds


def debt_shares(series: Series) -> int:
    """All of the market's."""
    return series.world.morpho.market(series.market.id)[3]


def prepare(series: Series) -> None:
    """The attacker's own collateral."""
    world, who = series.world, series.world.roles.attacker
    amount = 10 ** series.collateral.decimals() // 100
    world.morpho.supplyCollateral(tuple(series.market), amount, who, b"", sender=who)


def abandon(series: Series) -> None:
    """Everybody leaves."""
    world, who = series.world, series.world.roles.deployer
    world.approve(series.loan, who, series.contract)
    series.contract.redeem(series.contract.balanceOf(who), MOST, who, sender=who)
    assert series.state.supply == DEAD_TOKENS


def test_h2_a_live_market_cannot_be_bricked(series: Series) -> None:
    """H2 after a launch: the series' own debt is what its shares are worth.

    Scenario: 140 rounds of one borrowed unit and one repaid share.
    Property: the market's debt shares hardly move; minting and raising work.
    """
    prepare(series)
    before = debt_shares(series)
    rounds = brick(series)
    after = debt_shares(series)
    print(f"H2, live: {rounds} rounds, debt shares {before:.3e} -> {after:.3e}")
    assert after <= before * Fraction(1_000_001, 1_000_000) + 10**6 * ROUNDS
    stated(f"{rounds} rounds of one borrowed unit and one repaid share | no effect")
    series.mint(100)
    series.arrive()


def test_h2_nothing_can_be_borrowed_before_a_launch(fund: Fund) -> None:
    """H2 as it was: between `createMarket` and the first mint no debt protects the market.

    Scenario: a stranger foresees the addresses, creates the market, lends and pledges there, and
    tries to borrow.
    Property: nobody can borrow, because the oracle does not exist; the launch uses the market.
    """
    world, factory = fund.world, fund.factory
    who, creator = world.roles.attacker, world.roles.deployer
    launch = Launch([launch_words(world, Terms())], world.underlying.address, salt=b"\7" * 32)
    with boa.env.anchor():
        _, (address,) = factory.launch(*launch.arguments(), sender=creator)
        market = tuple(fund.protocol.at("LeveragedToken", address).config().market)
    new_transaction()
    world.morpho.createMarket(market, sender=who)
    world.morpho.supply(market, 10**12, 0, who, b"", sender=who)
    world.morpho.supplyCollateral(market, WAD, who, b"", sender=who)
    with boa.reverts():
        world.morpho.borrow(market, 1, 0, who, who, sender=who)
    _, (made,) = factory.launch(*launch.arguments(), sender=creator)
    token = fund.protocol.at("LeveragedToken", made)
    assert made == address
    assert token.state().supply == wad(1_000)
    assert token.state().debt > 0


def test_h2_an_abandoned_series_is_bricked_with_exits_open(launch: Callable[..., Fund]) -> None:
    """H2, the limit that is stated: dead debt can be repaid by anyone, and then none protects.

    Scenario: everybody but one holder has left; a stranger repays dead debt and the series' own
    debt on their behalf, then makes the market's debt shares overflow.
    Property: the debt was paid in full by the attacker; the last holder redeems; minting works
    without debt or is refused; nothing of the reserve is lost.
    """
    (series,) = launch(Terms(tokens=100)).series
    fund, world, who = series.fund, series.world, series.world.roles.attacker
    series.mint(5)
    abandon_others(series)
    held, before = fund.reserve.account(series.address).held, fortune(fund, who)
    owed = series.state.debt
    prepare(series)
    for owner in (fund.factory.address, series.address):
        shares = world.morpho.position(series.market.id, owner)[1]
        world.morpho.repay(tuple(series.market), 0, shares, owner, b"", sender=who)
    rounds = brick(series)
    assert rounds < ROUNDS, "the market was not bricked: the page says that it can be"
    lost = before - fortune(fund, who)
    holder = world.roles.holder
    was = fortune(fund, holder)
    got, paid = series.redeem(5)
    gained = Fraction(got, 10**18) * world.feed_price
    print(
        f"H2, abandoned: {rounds} rounds, debt shares {debt_shares(series):.2e}; the series' debt "
        f"of ${owed / 10**6:,.2f} was its attacker's to repay (it lost ${float(lost):,.2f}); the "
        f"last holder left with ${float(gained):,.2f} for a debt of {paid}"
    )
    assert lost >= Fraction(owed, 10**6)
    stated(f"after {rounds} rounds and {float(lost):.0f} USD")
    assert paid == 0
    assert got > 0
    assert fortune(fund, holder) <= was
    assert fund.reserve.account(series.address).held == held
    # nobody can be lent anything any more
    series.fund.sleep(2 * DAY)
    new_transaction()
    with boa.reverts():
        series.rebalance()


def abandon_others(series: Series) -> None:
    """All but the holder leave."""
    world, who = series.world, series.world.roles.deployer
    world.approve(series.loan, who, series.contract)
    series.contract.redeem(series.contract.balanceOf(who), MOST, who, sender=who)


def test_h2_a_launch_where_something_was_borrowed_is_refused(fund: Fund) -> None:
    """Scenario: the same terms and salt again, for which a market with debt exists.

    Property: refused by the clone's address; a market that was used is never taken over.
    """
    launch = Launch(
        [launch_words(fund.world, Terms())], fund.world.underlying.address, salt=b"\6" * 32
    )
    creator = fund.world.roles.deployer
    fund.factory.launch(*launch.arguments(), sender=creator)
    new_transaction()
    with boa.reverts():
        fund.factory.launch(*launch.arguments(), sender=creator)


def test_m4_lending_is_drained_for_a_block(series: Series) -> None:
    """M4: what can be lent is borrowed before a taker's call and repaid after it.

    Scenario: in one block a stranger borrows all that is lendable, a taker wants to raise, then
    the stranger repays.
    Property: while it lasts the plan says so (UNLENT), with lending back the fill passes at the
    same auction's premium, and lowering and exits pass with nothing to lend; the next block's
    fill needs no new opening.
    """
    world, who, morpho = series.world, series.world.roles.attacker, series.world.morpho
    market = tuple(series.market)
    series.go("2.5" if series.long else "0.7")
    series.open()
    series.fund.sleep(600)
    series.accrue()
    offered = series.plan
    pledge = series.collateral.balanceOf(who) // 2
    morpho.supplyCollateral(market, pledge, who, b"", sender=who)
    before = fortune(series.fund, who)
    lendable = world.lending.lendable(series.market)
    morpho.borrow(market, lendable, 0, who, who, sender=who)
    assert series.plan.state == 5
    with boa.reverts("leveraged_token: nothing on sale"):
        series.rebalance()
    with boa.env.anchor():
        world.approve(series.loan, world.roles.deployer, series.contract)
        series.redeem(1, world.roles.deployer)
    shares = morpho.position(series.market.id, who)[1]
    morpho.repay(market, 0, shares, who, b"", sender=who)
    cost = before - fortune(series.fund, who)
    after = series.plan
    assert (after.state, after.trigger, after.began) == (2, offered.trigger, offered.began)
    assert after.premium == offered.premium
    series.rebalance()
    print(f"M4: {lendable} units borrowed for a block cost ${float(cost):.6f}; the auction went on")


def test_m4_a_part_is_lent(series: Series) -> None:
    """Scenario: half of what a raise needs can be lent.

    Property: the half is on sale, and the rest afterwards.
    """
    series.go("2.5" if series.long else "0.7")
    series.open()
    series.fund.sleep(600)
    series.accrue()
    whole = series.plan.most
    lending = series.world.lending
    lending.withdraw(series.market, lending.lendable(series.market) - whole // 2)
    plan = series.plan
    assert whole * 49 // 100 < plan.most <= whole // 2
    series.rebalance()
    lending.lend(series.market, whole)
    series.fund.sleep(61)
    series.rebalance()
    assert abs(series.leverage - (3 if series.long else 1)) < Fraction(1, 50)


def wipe_out(fund: Fund) -> Series:
    """Everybody leaves, and what was locked is liquidated; its bad debt is the lenders'."""
    (series,) = fund.series
    world = fund.world
    abandon(series)
    # fees count for Morpho: while they lie there, the cent is safe
    series.contract.allocate(0)
    world.move(1_300)
    fund.sleep(72)
    held = series.position
    world.morpho.liquidate(
        tuple(series.market), series.address, held.collateral, 0, b"", sender=world.roles.attacker
    )
    assert series.state.collateral == 0
    return series


@pytest.mark.parametrize("planted", [False, True], ids=["as it is", "H2 as it was"])
def test_h2_dead_debt_outlasts_a_liquidation(
    fund: Fund, launch: Callable[..., Fund], tmp_path: Path, planted: bool
) -> None:
    """H2 where no other debt is left: what the factory's dead debt is there for.

    Scenario: a series is wiped out by a liquidation, then 140 rounds of one borrowed unit and one
    repaid share.
    Property: the market's debt shares stay small; without dead debt they overflow.
    """
    how = {}
    if planted:
        line = "    extcall IMorpho(MORPHO).borrow(market, DEAD_DEBT, 0, self, msg.sender)\n"
        folder = Mutant("no dead debt", "Factory.vy", ((line, ""),)).write(tmp_path)
        how = {"protocol": Protocol(fund.world, folder=folder)}
    series = wipe_out(launch(Terms(tokens=100), **how))
    prepare(series)
    rounds, shares = brick(series), debt_shares(series)
    print(
        f"H2, wiped out{', no dead debt' if planted else ''}: {rounds} rounds, {shares:.2e} shares"
    )
    assert (rounds < ROUNDS) == planted
    assert (shares > 2**120) == planted


def test_l3_a_liquidated_cent_does_not_prevent_a_launch(launch: Callable[..., Fund]) -> None:
    """L3: everybody left, and what was locked is liquidated.

    Scenario: the dead tokens' position is wiped out by a crash.
    Property: minting is refused with a reason, redeeming is not; a new launch of the same terms
    works in one transaction, with another salt.
    """
    fund = launch(Terms(tokens=100))
    world, creator = fund.world, fund.world.roles.deployer
    series = wipe_out(fund)
    new_transaction()
    with boa.reverts("leveraged_token: above the band"):
        series.mint(1)
    words = Launch(
        [launch_words(world, Terms(tokens=100))], world.underlying.address, salt=b"\3" * 32
    )
    world.move(2_000)
    _, (again,) = fund.factory.launch(*words.arguments(), sender=creator)
    token = fund.protocol.at("LeveragedToken", again)
    assert token.totalSupply() == wad(100)
    assert token.balanceOf(DEAD) == DEAD_TOKENS
    assert fund.factory.is_series(again)


def test_inflation_of_a_share_does_not_pay(launch: Callable[..., Fund]) -> None:
    """The first depositor's attack: a gift so large that a small mint rounds to nothing.

    Scenario: everybody has left, a stranger gives the dead tokens' position a million times its
    collateral, then somebody mints.
    Property: who mints has what it paid for, less fee and a unit; the gift is lost.
    """
    (series,) = launch(Terms(tokens=100)).series
    fund, world, who = series.fund, series.world, series.world.roles.attacker
    abandon(series)
    before = fortune(fund, who)
    amount = series.state.collateral * 10**6
    world.morpho.supplyCollateral(tuple(series.market), amount, series.address, b"", sender=who)
    holder = world.roles.holder
    was = fortune(fund, holder)
    paid, _ = series.contract.mint(10**9 + 1, MOST, holder, sender=holder)
    lost = was - fortune(fund, holder)
    price = world.feed_price
    print(f"inflation: the gift of ${float(Fraction(amount, WAD) * price):,.2f} is lost")
    assert lost <= Fraction(paid, WAD) * price / 1_000 + Fraction(10, 10**6)
    assert before - fortune(fund, who) == Fraction(amount, WAD) * price


def test_debt_given_is_lost(series: Series) -> None:
    """Whoever repays for a series, lends the giver's own capital to all holders.

    Scenario: the attacker holds half of the supply and gives.
    Property: it loses what the others' share of it is.
    """
    world, who = series.world, series.world.roles.attacker
    series.contract.mint(wad(1_000), MOST, who, sender=who)
    before = fortune(series.fund, who)
    amount = series.state.debt // 4
    world.morpho.repay(tuple(series.market), amount, 0, series.address, b"", sender=who)
    given: Any = Fraction(amount, 10 ** series.loan.decimals())
    given *= 1 if series.long else world.feed_price
    assert before - fortune(series.fund, who) >= given * Fraction(49, 100)
