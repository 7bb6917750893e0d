"""The token as a whole against the rules on Fraction: views, decisions and sizes.

Random series, prices and positions on real Morpho and Uniswap, long and short, tokens of 6, 8 and
18 decimals in both orders, feeds of 8 and 18. The rules are fed the token's own position and price.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

import boa
import pytest
from hypothesis import Phase, currently_in_test_context, event, given, settings
from hypothesis import strategies as st

from steelyard.rules.leverage import price_at_leverage
from steelyard.rules.liquidation import liquidation_price
from steelyard.rules.numbers import FRACTION
from support.chain.deploying import deploy_source
from support.chain.exact import (
    APART,
    LOWERING,
    LOWERING_TO_TARGET,
    NO_CLIP,
    RAISING,
    WAD,
    Law,
    figure,
)
from support.chain.seen import Due, Seen
from support.chain.series import CONTRACTS, Fund, ReserveTerms, Terms, Token, trigger
from support.chain.world import Setting, World

# no shrinking: an example takes a second, and its law and prices are printed whole
FEW = settings(
    max_examples=max(3, settings.default.max_examples // 33),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
POOL_FEE = 10_000
"""1 %: costs are large, and so may be the tolerance."""
SETTINGS = {
    "18-6": Setting(pool_fee=POOL_FEE),
    "8-6": Setting(
        underlying_decimals=8, pool_fee=POOL_FEE, underlying_first=False, feed_decimals=18
    ),
    "6-18": Setting(underlying_decimals=6, pool_fee=POOL_FEE, quote_decimals=18, feed_decimals=18),
    "18-8": Setting(
        quote_decimals=8, pool_fee=POOL_FEE, underlying_first=False, rate="AdaptingRate"
    ),
}
TOLERANCE = Fraction(3 * POOL_FEE, 10**6)
NEAR = Fraction(1, 2_000)
"""5 bp: how near a size comes where nav pays."""


@pytest.fixture(scope="module", params=SETTINGS.values(), ids=SETTINGS.keys())
def ground(request: pytest.FixtureRequest) -> World:
    """Real contracts of each decimals."""
    return World(request.param)


@pytest.fixture(scope="module")
def lens(ground: World) -> Any:
    """The Lens, on the chain of the ground."""
    return deploy_source(CONTRACTS / "Lens.vy", sender=ground.roles.deployer)


@st.composite
def chain_laws(draw: st.DrawFn, *, long: bool) -> Law:
    """A series that Morpho's 86 % has room for."""
    slack = draw(st.integers(1, 100))
    lower = draw(st.integers((1_050 if long else 100) + slack + 1, 3_500))
    target = lower + draw(st.integers(50, 800))
    upper = target + draw(st.integers(50, 800))
    return Law(
        long=long,
        target=target,
        lower=lower,
        upper=upper,
        emergency=draw(st.integers(upper + slack + 50, 6_100)),
        to_edge=draw(st.booleans()),
        slack=slack,
        max_trade_notional=draw(st.sampled_from([0, 0, 500, 7_000])),
        cooldown=draw(st.sampled_from([0, 600])),
        fallback_after=draw(st.sampled_from([3_600, 86_400])),
        lltv="0.86",
        pool_fee_bps=POOL_FEE // 100,
    )


def launched(ground: World, law: Law, tokens: int, reserve: Fraction) -> Token:
    """A token of this law, so many of it minted, beside a reserve of so many underlyings."""
    terms = Terms(
        long=law.long,
        target_leverage=figure(law.target),
        lower=figure(law.lower),
        upper=figure(law.upper),
        edge_slack=figure(law.slack),
        emergency_leverage=figure(law.emergency),
        to_edge=law.to_edge,
        max_trade_notional=law.max_trade_notional,
        cooldown=law.cooldown,
        fallback_after=law.fallback_after,
        tolerance_normal=TOLERANCE,
        lent=3_000_000,
    )
    fund = Fund(
        ground, terms, reserve=ReserveTerms(initial=reserve, tolerance=TOLERANCE), launch=tokens
    )
    return fund.tokens[0]


def price_for(token: Token, law: Law, leverage: Fraction, around: Fraction) -> Fraction:
    """The whole price at which the position has this |leverage|, within a factor of 4 of one."""
    seen = Seen(token, law)
    price = price_at_leverage(seen.cash, seen.units, law.side * leverage)
    whole = price * 10**token.world.underlying_decimals / 10**token.world.quote_decimals
    # where no price gives it, toward less
    return min(max(whole, around / 4), 4 * around) if whole > 0 or not law.long else 4 * around


def bring(token: Token, law: Law, leverage: Fraction, seconds: int) -> None:
    """Time passes, the mean settles, and feed and pool stand where leverage is the wanted one."""
    around = token.world.feed_price
    boa.env.time_travel(seconds=seconds)
    token.world.move(price_for(token, law, leverage, around))
    boa.env.time_travel(seconds=61)
    # with the interest of that minute
    token.world.move(price_for(token, law, leverage, around))


@st.composite
def wanted(draw: st.DrawFn, law: Law) -> Fraction:
    """A leverage: anywhere up to past the emergency, or within a hair of an edge."""
    if draw(st.booleans()):
        low = 1_010 if law.long else 20
        return Fraction(draw(st.integers(low, law.emergency + 300)), 1_000)
    edges = [law.target, law.lower, law.upper, law.emergency]
    edges += [law.lower - law.slack, law.upper + law.slack]
    return Fraction(draw(st.sampled_from(edges)), 1_000) * (1 + draw(st.sampled_from(APART)))


def check_views(seen: Seen) -> None:
    """What is shown is what the rules make of the position, rounded in the named direction."""
    contract = seen.token.contract
    if seen.nav > 0:
        exact = seen.exact_nav / seen.quote_per_underlying
        assert 0 <= exact - contract.nav_underlying() < 1 / seen.underlying + 1
    else:
        assert contract.nav_underlying() == 0
    held = seen.held
    owed = Fraction(held.shares * held.total_assets, held.total_shares)
    assert owed <= held.debt < owed + 1
    # what Morpho stores once it has accrued, in this very block
    token, morpho = seen.token, seen.token.world.morpho
    with boa.env.anchor():
        morpho.accrueInterest(tuple(token.market))
        market = morpho.market(token.market.id)
        stored = token.world.lending.position(token.market, contract)
        assert (market[2] + 1, market[3] + 10**6) == (held.total_assets, held.total_shares)
        assert stored == (held.collateral, held.debt, held.shares)
        assert market[0] - market[2] == held.lendable
        assert contract.state() == seen.state


def check_lens(seen: Seen, lens: Any) -> None:
    """What the Lens shows is that too: nav per token, leverage, and the price of each threshold."""
    law, world, said = seen.law, seen.token.world, lens.overview(seen.token.contract)
    whole = Fraction(10**world.underlying_decimals, 10**world.quote_decimals)
    price = seen.quote_per_underlying * whole
    assert abs(Fraction(said.price, WAD) / price - 1) < Fraction(1, 10**15)
    nav = max(seen.nav, Fraction(0))
    assert said.nav_quote == floor(nav / seen.quote)
    assert said.nav_underlying == floor(nav / seen.underlying)
    tokens = Fraction(seen.state.supply, WAD)
    for told, raw, decimals in (
        (said.token_quote, said.nav_quote, world.quote_decimals),
        (said.token_underlying, said.nav_underlying, world.underlying_decimals),
    ):
        assert told == floor(Fraction(raw, 10**decimals) / tokens * WAD)
    if nav > 0:
        assert said.leverage == floor(abs(seen.exposure) / nav * WAD)
    rule, venue = law.rule, law.series.terms(FRACTION).venue
    held = (seen.cash, seen.units)
    expected = {
        "band_up": price_at_leverage(*held, law.side * rule.lower_limit),
        "band_down": price_at_leverage(*held, law.side * rule.upper_limit),
        "emergency": price_at_leverage(*held, law.side * rule.emergency),
        "liquidation": liquidation_price(venue, *held),
    }
    # the collateral is counted in whole units of debt
    hair = 2 * seen.unit / min(seen.held.debt, abs(seen.nav + seen.held.debt)) + Fraction(1, 10**15)
    for name, exact in expected.items():
        told = getattr(said, name)
        assert abs(Fraction(told.price, WAD) / (exact * whole) - 1) < hair, name
        assert abs(Fraction(told.ratio, WAD) / (exact * whole / price) - 1) < hair, name


def mark(what: str) -> None:
    """Count it among the examples of Hypothesis, where it is one."""
    if currently_in_test_context():
        event(what)


def check_rebalance(before: Seen, due: Due) -> None:
    """A rebalance does what the plan of the rules says, and says what it did."""
    plan, law = due.plan, before.law
    assert plan is not None
    said = before.token.rebalance()
    after = Seen(before.token, law)
    was, now = (abs(each.exposure) / each.nav for each in (before, after))
    assert trigger(said.trigger) == due.name
    assert (said.leverage_before, said.leverage_after) == (floor(was * WAD), floor(now * WAD))
    for seen, told in ((before, said.nav_before), (after, said.nav_after)):
        assert told == floor(seen.nav / seen.quote)
    assert (said.up, said.buys) == (plan.raises, plan.raises == law.long)
    check_clock(before, after, due, clipped=said.clipped)
    # nearer, and across by no more than rounding
    room = 8 * before.unit * (1 + abs(plan.destination))
    destination, hair = abs(plan.destination), room / before.nav
    assert was < now <= destination + hair if plan.raises else was > now >= destination - hair
    traded, lost = after.exposure - before.exposure, before.nav - after.nav
    world = before.token.world
    moved = abs(world.pool.price / world.feed_price - 1)
    if moved > TOLERANCE - Fraction(world.pool.fee, 10**6) - Fraction(1, 1_000):
        mark(f"{due.name}: as far as the pool goes")
        return
    # raising, the token counts on a reserve that holds the whole tolerance's cost, of what is paid
    most = abs(plan.notional) * TOLERANCE / (1 - TOLERANCE)
    sure = not plan.raises or before.standing()[1] > most
    if plan.cost.paid_by_nav == 0 and sure and said.pay_by_nav == 0:
        mark(f"{due.name}: the reserve pays")
        assert abs(traded - plan.notional) <= room
        assert abs(lost) <= room
        assert said.clipped == plan.clipped
        assert plan.clipped or abs(now - destination) <= hair
    elif not plan.cut and said.pay_by_nav == 0:
        mark(f"{due.name}: nav pays")
        assert not said.clipped
        assert abs(now - destination) <= NEAR * destination + hair
        held = max(abs(before.exposure), abs(after.exposure))
        assert abs(traded - plan.notional) <= NEAR * held * (1 + destination)
        # the keeper's pay may have taken what would have covered the swap
        paid = plan.cost.paid_by_nav + said.pay_by_reserve * before.underlying
        assert lost <= paid * (1 + 20 * NEAR) + room
    else:
        mark(f"{due.name}: nav pays a clip, or the keeper")


def check_clock(before: Seen, after: Seen, due: Due, *, clipped: bool) -> None:
    """When the last rebalance was, how long the next clip waits, and where it goes."""
    state, follows = after.state, due.name == "clip"
    assert state.last_rebalance == (before.state.last_rebalance if follows else before.now)
    clip = NO_CLIP
    if clipped and due.plan is not None:
        lowering = LOWERING
        if due.plan.destination == before.law.rule.target:
            lowering = LOWERING_TO_TARGET
        clip = RAISING if due.plan.raises else lowering
    assert state.clip == clip
    assert before.now <= state.ready_at <= before.now + (before.law.cooldown if clipped else 0)


STEPS = 5


@pytest.mark.parametrize("long", [True, False], ids=["long", "short"])
@FEW
@given(st.data())
def test_views_decisions_and_sizes_are_those_of_the_rules(
    ground: World, lens: Any, long: bool, data: st.DataObject
) -> None:
    """Over any prices and times: the views, what `should_rebalance` says, and what it then does.

    The views are the token's own and the Lens's.

    Where the reserve pays, the size is that of the rules and leverage at its destination, to the
    rounding of a few raw units; where nav pays, within 5 bp.
    """
    law = data.draw(chain_laws(long=long))
    reserve = data.draw(st.sampled_from([Fraction(0), Fraction(1, 1_000), Fraction(1_000)]))
    with boa.env.anchor():
        token = launched(ground, law, data.draw(st.sampled_from([50, 1_000])), reserve)
        rule = token.contract.config().rule
        assert tuple(rule) == (*law.words[:3], law.words[3] * law.to_edge, *law.words[4:])
        for _ in range(STEPS):
            seconds = data.draw(st.sampled_from([0, 300, 3_700, 90_000]))
            bring(token, law, data.draw(wanted(law)), seconds)
            if seconds > 3_600 and data.draw(st.booleans()):
                token.fund.reserve.publish_health()
            seen = Seen(token, law)
            check_views(seen)
            check_lens(seen, lens)
            if seen.nav <= 0:
                break
            due = seen.due()
            assert token.due == due.name
            event(due.name)
            if due.name == "idle":
                with boa.reverts():
                    token.contract.rebalance()
            else:
                check_rebalance(seen, due)


def test_a_gap_of_dust_is_nothing_to_do(ground: World) -> None:
    """Fewer than four units of either asset missing: idle, where the rules would trade.

    Scenario: a fallback is due and leverage is a few units from its target. Property: what
    `should_rebalance` says is due can be done; a leg of a swap never rounds to nothing.
    """
    law = Law(
        False, 1_000, 800, 1_250, 2_500, to_edge=False, fallback_after=3_600, pool_fee_bps=100
    )
    token = launched(ground, law, 1_000, Fraction(0))
    bring(token, law, Fraction(1), 3_700)
    idle = 0
    for units in range(-8, 9):
        with boa.env.anchor():
            nudge(token, law, units)
            seen = Seen(token, law)
            assert token.due == seen.due().name
            if token.due == "idle":
                idle += 1
            else:
                token.rebalance()
    # eight decimals of the feed do not come that near to the target in the last world
    assert idle > 0 or ground.quote_decimals == 8


def nudge(token: Token, law: Law, units: int) -> None:
    """Leverage to so many units of the coarser asset from the target."""
    seen = Seen(token, law)
    off = units * seen.unit / seen.nav
    token.world.set_feed(price_for(token, law, 1 + off, token.world.feed_price))


def test_a_reserve_that_runs_dry_on_the_way_takes_nothing_across() -> None:
    """A raise whose cost the reserve pays in part stops before the target, in every pass.

    Scenario: the reserve holds enough for the last pass alone, and the first one takes it all.
    Property: a rebalance takes leverage nearer and never across, not even within the 5 bp.
    """
    ground = World(SETTINGS["8-6"])
    law = Law(True, 3_185, 2_483, 3_427, 4_796, to_edge=False, slack=38, pool_fee_bps=100)
    token = launched(ground, law, 50, Fraction(1, 1_000))
    bring(token, law, Fraction(104, 100), 90_000)
    seen = Seen(token, law)
    assert seen.standing()[1] > 0
    check_rebalance(seen, seen.due())


def test_a_reserve_that_nearly_pays_for_a_short_takes_nothing_across() -> None:
    """What is paid for a purchase, fee included, is more above the feed than the tolerance.

    Scenario: a short is raised from no debt to 3x, all of the swap at the limit of a pool of 1 %;
    the reserve holds 1.001 times the tolerance's share of the size, and the cost is 1.01 times it.
    Property: never across, not even within the 5 bp.
    """
    ground = World(SETTINGS["18-6"])
    law = Law(False, 3_000, 2_500, 3_500, 5_000, to_edge=False, pool_fee_bps=100)
    token = launched(ground, law, 50, Fraction(0))
    morpho, lender = ground.morpho, ground.roles.lender
    morpho.repay(
        tuple(token.market), 0, token.position.shares, token.contract.address, b"", sender=lender
    )
    ground.pool.add(10**8)
    room = TOLERANCE - Fraction(POOL_FEE, 10**6)
    ground.pool.move(ground.feed_price / (1 + room * Fraction(999, 1_000)))
    ground.pool.pass_time(72)
    # of the reserve half is for one token's day
    token.fund.inject(2 * 3 * token.nav * TOLERANCE * Fraction(1_001, 1_000))
    held = token.fund.reserve.standing(token.contract)[1]
    said = token.rebalance()
    assert said.covered + said.pay_by_reserve == held, "all of it, and it was not enough"
    assert 3 * (1 - NEAR) <= token.leverage <= 3
