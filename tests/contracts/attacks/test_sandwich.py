"""Sandwiches: whoever moves the pool before and after, and how much it can bring at most.

Let f be the pool's fee and r = tolerance - f what a rebalance may move the pool's price. In a pool
of constant product, to first order, with R the reserve of the asset in question: an attacker who
moves the price by d before a rebalance that moves it by m has R d / 2 (m - 2 f) more from it than
by trading afterwards alone, and d + m <= r, or the rest is not filled. So no front-run pays where
r <= 2 f, that is where the tolerance is at most three times the pool's fee. Beyond, the most per
notional R m / 2 is at m = sqrt(2 f r): (sqrt(r) - sqrt(2 f))^2.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import boa
import pytest

from support.chain.driving import (
    EMERGENCY,
    LOWERS,
    RAISES,
    go,
    price_at,
    shares,
    tolerance_of,
    wealth,
)
from support.chain.series import WAD, Fund, ReserveTerms, Terms

if TYPE_CHECKING:
    from support.chain.series import Token
    from support.chain.world import World

FEE = Fraction(5, 10_000)
BP = Fraction(1, 10_000)
PUSHES = [Fraction(k, 8) for k in range(1, 8)]
"""Of the room that the tolerance leaves."""


class Taken(NamedTuple):
    """What a sandwich brought, in whole quote, and the notional that the token moved in it."""

    profit: Fraction
    notional: Fraction


def most_of_notional(tolerance: Fraction) -> float:
    """The most that a front-run adds, as a share of the notional (see above)."""
    room = tolerance - FEE
    return max(0.0, float(room) ** 0.5 - float(2 * FEE) ** 0.5) ** 2 if room > 2 * FEE else 0.0


def sandwich(token: Token, push: Fraction, *, up: bool) -> Taken | None:
    """The attacker moves the pool by a share, the keeper rebalances, the attacker moves it back."""
    world, attacker = token.world, token.world.roles.attacker
    price = world.feed_price
    with boa.env.anchor():
        before = world.worth(attacker, price)
        if push:
            side = 1 if up == token.long else -1
            world.pool.move(price * (1 + side * push), attacker)
        try:
            told = token.rebalance()
        except boa.BoaError as refused:
            if not any(word in str(refused) for word in ("tiny fill", "oracle_guard: refused")):
                raise
            return None
        world.pool.move(price, attacker)
        profit = world.worth(attacker, price) - before
        return Taken(profit, Fraction(told.notional, 10**6))


def best(token: Token, tolerance: Fraction, *, up: bool) -> tuple[Taken, Taken]:
    """What trading afterwards alone brings, and the most that any front-run does."""
    alone = sandwich(token, Fraction(0), up=up)
    assert alone is not None
    tried = [sandwich(token, push * (tolerance - FEE), up=up) for push in PUSHES]
    done = [each for each in tried if each is not None]
    assert len(done) > 1, "no front-run was filled at all: the search says nothing"
    return alone, max(done)


@pytest.mark.parametrize("left", [Fraction(1), Fraction(1, 5), Fraction(1, 15)], ids=str)
def test_at_three_times_the_pools_fee_no_front_run_pays(world: World, left: Fraction) -> None:
    """Scenario: any push before a rebalance at a tolerance of 3 f. Property: it costs its author.

    Short of the tolerance's room nothing is gained either by trading afterwards alone.
    """
    terms = Terms(long=world.underlying_first, tolerance_maximum="0.0015")
    fund = Fund(world, terms, launch=100)
    if left < 1:
        world.pool.remove(1 - left)
    for token in fund.tokens:
        for up, where in ((True, RAISES), (False, LOWERS)):
            with boa.env.anchor():
                go(token, where[token.long])
                alone, front = best(token, Fraction(15, 10_000), up=up)
                assert front.profit < alone.profit
                assert alone.profit < alone.notional * BP / 100


def test_as_danger_grows_a_sandwich_takes_what_the_closed_form_says(either: Token) -> None:
    """Scenario: delevers from the edge to liquidation. Property: its formula is the most.

    In all, trading afterwards included, (tolerance - f) of the notional.
    """
    token = either
    profits, adds = [], []
    for leverage in ("3.5", "4.5", "6.5") if token.long else ("1.3", "2.2", "5"):
        with boa.env.anchor():
            go(token, leverage)
            tolerance = tolerance_of(token)
            alone, front = best(token, tolerance, up=False)
            assert alone.profit <= (tolerance - FEE) * alone.notional
            assert front.profit <= (tolerance - FEE) * front.notional
            profits.append(front.profit / front.notional)
            adds.append(float((front.profit - alone.profit) / front.notional))
            assert adds[-1] <= most_of_notional(tolerance) * 1.02
    assert profits == sorted(profits)
    assert max(adds) > 0, "beyond three times the fee some push pays: the bound is not idle"


def test_liquidity_just_in_time_takes_at_most_the_tolerance(either: Token) -> None:
    """Scenario: pushed near the limit, all liquidity there the attacker's. Property: bounded.

    This pays at any tolerance, the pool's fee included, as the notional outgrows the pool: the
    tolerance is the bound, and no guard against swaps alone goes below it.
    """
    token = either
    world, attacker = token.world, token.world.roles.attacker
    for up, where in ((True, RAISES), (False, "3.41" if token.long else "1.251")):
        with boa.env.anchor():
            go(token, where[token.long] if up else where)
            world.pool.remove(Fraction(9, 10))
            price = world.feed_price
            before = world.worth(attacker, price)
            tolerance = tolerance_of(token)
            side = 1 if up == token.long else -1
            world.pool.move(price * (1 + side * (tolerance - FEE) * Fraction(9, 10)), attacker)
            own = world.pool.add(20_000, 0.0005, attacker)
            told = token.rebalance()
            world.pool.remove(1, own, attacker)
            world.pool.move(price, attacker)
            profit = world.worth(attacker, price) - before
            notional = Fraction(told.notional, 10**6)
            assert profit <= notional * tolerance
            assert not told.clipped


def test_whoever_grows_the_token_for_its_emergency_gains_within_the_tolerance(
    either: Token,
) -> None:
    """Scenario: mint, front-run the delever, leave in kind. Property: bounded; holders unharmed.

    Supply goes up to its cap at once, so the notional that the reserve pays for is larger. What
    the attacker takes is the reserve's, at most (tolerance - f) of that notional and the
    reserve's share of a day; nav per token is what it was.
    """
    token = either
    world, attacker = token.world, token.world.roles.attacker
    go(token, EMERGENCY[token.long])
    price, nav, reserve = world.feed_price, token.nav / token.state.supply, token.fund.value
    tolerance = tolerance_of(token)
    gained = []
    for grown in (1_000, 4_000):
        for push in (Fraction(0), Fraction(1, 100), Fraction(2, 100)):
            with boa.env.anchor():
                before = wealth(token, attacker)
                token.mint(grown, who=attacker)
                side = -1 if token.long else 1
                world.pool.move(price * (1 + side * push), attacker)
                told = token.rebalance()
                world.pool.move(price, attacker)
                token.contract.redeem_in_kind(grown * WAD, 2**255, attacker, sender=attacker)
                profit = wealth(token, attacker) - before
                gained.append(profit)
                assert profit <= (tolerance - FEE) * Fraction(told.notional, 10**6)
                lost = reserve - token.fund.value
                assert profit <= lost * price
                assert lost <= reserve / 2
                assert token.nav / token.state.supply >= nav
    with boa.env.anchor(), boa.reverts("leveraged_token: supply cap"):
        token.mint(16_000, who=attacker)
    # told, not hidden: it pays, which is why the reserve's day and the supply are capped
    assert max(gained) > 0


@pytest.mark.parametrize("tolerance", [Fraction(3, 1_000), Fraction(5, 100)], ids=["0.3%", "5%"])
def test_a_minter_loses_at_most_what_he_allows(token: Token, tolerance: Fraction) -> None:
    """Scenario: a mint of 100 tokens is sandwiched. Property: at most his bound; no one else's."""
    world, attacker, victim = token.world, token.world.roles.attacker, token.world.roles.depositor
    price, before = world.feed_price, shares(token)
    unit = (price if token.long else 1) / 10 ** token.collateral.decimals()
    with boa.env.anchor():
        fair = token.mint(100)
    most = int(fair * (1 + tolerance))
    profits = []
    for push in (Fraction(k, 1_000) for k in (1, 2, 4, 8, 16, 32)):
        with boa.env.anchor():
            had = world.worth(attacker, price)
            world.pool.move(price * (1 + push if token.long else 1 - push), attacker)
            try:
                paid = token.contract.mint(100 * WAD, most, victim, sender=victim)
            except boa.BoaError as refused:
                if "leveraged_token: slippage" not in str(refused):
                    raise
                paid = fair
            world.pool.move(price, attacker)
            after = shares(token)
            assert after[0] >= before[0]
            assert after[1] <= before[1]
            profit = world.worth(attacker, price) - had
            assert profit <= (most - fair) * unit + (paid - fair) * unit
            profits.append(profit)
    assert min(profits) < 0


@pytest.mark.parametrize("tolerance", [Fraction(3, 1_000), Fraction(5, 100)], ids=["0.3%", "5%"])
def test_a_redeemer_loses_at_most_what_he_allows(token: Token, tolerance: Fraction) -> None:
    """Scenario: 100 tokens' redemption is sandwiched. Property: at most his bound; not others'."""
    world, attacker, victim = token.world, token.world.roles.attacker, token.world.roles.depositor
    price, before = world.feed_price, shares(token)
    unit = (price if token.long else 1) / 10 ** token.collateral.decimals()
    with boa.env.anchor():
        fair = token.redeem(100)
    least = int(fair * (1 - tolerance))
    profits = []
    for push in (Fraction(k, 1_000) for k in (1, 2, 4, 8, 16, 32)):
        with boa.env.anchor():
            had = world.worth(attacker, price)
            world.pool.move(price * (1 - push if token.long else 1 + push), attacker)
            try:
                token.contract.redeem(100 * WAD, least, victim, sender=victim)
            except boa.BoaError as refused:
                if "leveraged_token: slippage" not in str(refused):
                    raise
            world.pool.move(price, attacker)
            after = shares(token)
            assert after[0] >= before[0]
            assert after[1] <= before[1]
            profit = world.worth(attacker, price) - had
            # what trading afterwards alone brings is in `fair` already, as the victim's own impact
            assert profit <= (fair - least) * unit + fair * unit * BP
            profits.append(profit)
    assert min(profits) < 0


def test_an_own_mint_around_a_rebalance_brings_nothing(either: Token) -> None:
    """Scenario: mint, rebalance paid by nav, redeem; and the reverse. Property: a loss."""
    token = either
    world, attacker = token.world, token.world.roles.attacker
    held = world.underlying.balanceOf(token.fund.reserve.address)
    world.underlying.transfer(world.roles.lender, held, sender=token.fund.reserve.address)
    token.mint(1_000, who=attacker)
    world.pool.move(world.feed_price)
    for where in (RAISES, LOWERS, EMERGENCY):
        with boa.env.anchor():
            world.move(price_at(token, where[token.long]))
            world.pass_time(72)
            for first in ("mint", "redeem"):
                with boa.env.anchor():
                    before = wealth(token, attacker)
                    if first == "mint":
                        token.mint(500, who=attacker)
                    else:
                        token.redeem(500, who=attacker)
                    world.pool.move(world.feed_price)
                    told = token.rebalance()
                    if first == "mint":
                        token.redeem(500, who=attacker)
                    else:
                        token.mint(500, who=attacker)
                    world.pool.move(world.feed_price)
                    assert told.covered == 0
                    assert wealth(token, attacker) < before


def test_a_sandwich_of_an_allocation_takes_at_most_its_tolerance(world: World) -> None:
    """Scenario: the pool is pushed before 100,000 of quote are swapped, and brought back after.

    Property: at most the reserve's tolerance, less the fee, of what was swapped; a push beyond the
    tolerance stops the swap, and the quote waits.
    """
    fund = Fund(world, Terms(long=False), reserve=ReserveTerms(initial=0))
    attacker, tolerance = world.roles.attacker, Fraction(1, 100)
    held = 100_000
    world.quote.transfer(fund.reserve.address, held * 10**6, sender=world.roles.depositor)
    boa.env.time_travel(seconds=86_400)
    world.pass_time(72)

    def gain(push: Fraction) -> tuple[Fraction, Fraction]:
        with boa.env.anchor():
            before = world.worth(attacker, 2_000)
            world.pool.move(2_000 * (1 + push), attacker)
            fund.reserve.allocate(sender=attacker)
            left = Fraction(world.quote.balanceOf(fund.reserve.address), 10**6)
            world.pool.move(2_000, attacker)
            return world.worth(attacker, 2_000) - before, held - left

    for eighths in range(9):
        gained, swapped = gain(tolerance * eighths / 8)
        assert gained <= (tolerance - FEE) * swapped
        assert (swapped == 0) == (eighths == 8)
