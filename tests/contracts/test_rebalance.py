"""rebalance: nearer and never across, exact while the reserve pays, partial where it is thin."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import boa
import pytest

from support.chain.driving import EMERGENCY, LOWERS, RAISES, empty_reserve, go, target_of
from support.chain.series import WAD, Fund, ReserveTerms, Terms, trigger
from support.chain.world import Setting, World

if TYPE_CHECKING:
    from support.chain.series import Token

BP = Fraction(1, 10_000)


@pytest.mark.parametrize(
    ("where", "name"), [(RAISES, "band_up"), (LOWERS, "band_down"), (EMERGENCY, "emergency")]
)
def test_it_lands_on_the_target_while_the_reserve_pays(
    token: Token, where: dict[bool, str], name: str
) -> None:
    """Scenario: below, above, far above. Property: the target to 1e-8, nav untouched."""
    go(token, where[token.long])
    nav = token.nav
    told = token.rebalance()
    assert trigger(told.trigger) == name
    assert abs(token.leverage / target_of(token) - 1) < Fraction(1, 10**8)
    assert abs(token.nav / nav - 1) < Fraction(1, 10**8)
    assert told.covered > 0
    assert not told.clipped
    assert token.due == "idle"


def test_a_swap_better_than_the_oracle_is_the_reserves(token: Token) -> None:
    """Scenario: a pool ahead of the feed in our favour. Property: exact; the gain is kept safe."""
    # deep, or the impact would eat what is better
    token.world.pool.add(100_000)
    for where in (RAISES, LOWERS):
        with boa.env.anchor():
            go(token, where[token.long])
            world = token.world
            buys = (where is RAISES) == token.long
            ahead = 1 + Fraction(95, 100_000) * (-1 if buys else 1)
            world.pool.move(world.feed_price * ahead)
            reserve = token.fund.value
            told = token.rebalance()
            assert told.gained > 0
            assert told.covered == 0
            assert told.impact < 0
            assert abs(token.leverage / target_of(token) - 1) < Fraction(1, 10**8)
            gain = Fraction(told.gained - told.pay_by_reserve, WAD)
            assert token.fund.value == reserve + gain


@pytest.mark.parametrize("where", [RAISES, LOWERS, EMERGENCY])
def test_with_an_empty_reserve_it_lands_within_5_bp(token: Token, where: dict[bool, str]) -> None:
    """Scenario: nav pays the cost. Property: within 5 bp of the target, on the near side."""
    go(token, where[token.long])
    empty_reserve(token)
    before, nav = token.leverage, token.nav
    told = token.rebalance()
    assert told.covered == told.pay_by_reserve == 0
    error = token.leverage / target_of(token) - 1
    assert abs(error) <= 5 * BP
    assert (error <= 0) == (before < target_of(token))
    cost = Fraction(told.pool_fee + told.impact, 10**6) / token.world.feed_price
    paid = Fraction(told.pay_by_nav, WAD)
    assert abs(nav - token.nav - cost - paid) < nav / 10**6
    assert (told.pay_by_nav > 0) == (where is EMERGENCY)


def test_a_move_to_the_edge_stops_at_the_edge_that_was_left(world: World) -> None:
    """Scenario: out on either side. Property: at that edge; an emergency goes to the target."""
    token = Fund(world, Terms(to_edge=True, edge_slack="0.05")).tokens[0]
    for where, edge in (("2.4", "2.6"), ("4", "3.4"), ("5.5", "3")):
        go(token, where)
        token.rebalance()
        assert abs(token.leverage / Fraction(edge) - 1) < Fraction(1, 10**8)


def test_thin_liquidity_is_a_partial_fill(token: Token) -> None:
    """Scenario: a pool that fills a part within the tolerance. Property: nearer, a clip open."""
    world = token.world
    go(token, RAISES[token.long])
    world.pool.remove(Fraction(9, 10))
    before = token.leverage
    told = token.rebalance()
    assert told.clipped
    assert before < token.leverage < target_of(token)
    cost = Fraction(told.pool_fee + told.impact, told.notional)
    assert cost <= Fraction(15, 10_000)
    state = token.state
    assert state.clip == 1
    wait = state.ready_at - boa.env.timestamp
    assert 60 <= wait < 600
    assert token.due == "idle"
    with boa.reverts("leveraged_token: nothing to do"):
        token.rebalance()
    world.pass_time(wait)
    world.move(world.feed_price)
    assert token.due == "clip"
    last = state.last_rebalance
    token.rebalance()
    assert token.state.last_rebalance == last, "the fallback's clock runs from the first clip"


def test_a_tiny_fill_is_refused_outside_emergencies(token: Token) -> None:
    """Scenario: liquidity for a hundredth of what is wanted. Property: refused, but in need."""
    world = token.world
    go(token, LOWERS[token.long])
    with boa.env.anchor():
        world.pool.remove(Fraction(9_995, 10_000))
        with boa.reverts("leveraged_token: tiny fill"):
            token.rebalance()
        assert token.due == "idle", "as the view sees by the liquidity in range"
    go(token, EMERGENCY[token.long])
    world.pool.remove(Fraction(9_995, 10_000))
    before = token.leverage
    told = token.rebalance()
    assert told.clipped
    assert told.notional * 10 < told.nav_before
    assert token.leverage < before
    world.pool.move(world.feed_price)
    assert token.due == "emergency", "which knows no cooldown"


def test_clips_go_out_one_by_one(world: World) -> None:
    """Scenario: at most 4,000 of quote a trade. Property: clips, a cooldown between, then done."""
    most = 4_000
    fund = Fund(world, Terms(max_trade_notional=most), Terms(long=False, max_trade_notional=most))
    for token in fund.tokens:
        go(token, RAISES[token.long])
        told = token.rebalance()
        assert told.clipped
        assert abs(Fraction(told.notional, 10**6) / most - 1) < Fraction(5, 1_000)
        clips = 1
        while token.leverage < target_of(token) * (1 - BP):
            assert token.due == "idle"
            world.pool.move(world.feed_price)
            world.pass_time(600)
            assert token.due == "clip"
            assert trigger(token.rebalance().trigger) == "clip"
            clips += 1
        assert clips > 1
        assert token.state.clip == 0
        world.pool.move(world.feed_price)


def test_an_emergency_knows_no_clip_and_no_cooldown(world: World) -> None:
    """Scenario: a clip just went out, then a crash. Property: all of it at once."""
    token = Fund(world, Terms(max_trade_notional=4_000, cooldown=3_600)).tokens[0]
    go(token, "4")
    assert token.rebalance().clipped
    go(token, "5.5")
    assert token.due == "emergency"
    token.rebalance()
    assert abs(token.leverage / 3 - 1) < Fraction(1, 10**8)


def test_a_clip_ends_where_the_price_has_done_the_rest(world: World) -> None:
    """Scenario: clips under way, the price takes leverage past the target and back.

    Property: idle beyond it; nobody has stored that, so back on the near side the clip goes on.
    """
    token = Fund(world, Terms(max_trade_notional=4_000)).tokens[0]
    go(token, "4")
    assert token.rebalance().clipped
    world.pass_time(600)
    go(token, "2.9")
    assert token.due == "idle"
    with boa.env.anchor():
        go(token, "3.01")
        assert token.due == "clip"
        assert not token.rebalance().clipped
        assert token.state.clip == 0
    go(token, "2.4")
    assert token.due == "band_up"


def test_it_is_capped_by_what_morpho_lends(token: Token) -> None:
    """Scenario: half of what is wanted can be lent. Property: about half goes out."""
    world = token.world
    go(token, RAISES[token.long])
    held = token.position
    wanted = 3 * 10 ** token.loan.decimals() * (2_000 if token.long else 1)
    world.lending.withdraw(token.market, held.lendable - wanted // 2)
    before = token.leverage
    told = token.rebalance()
    assert told.clipped
    assert before < token.leverage < target_of(token)


def test_the_tolerance_widens_as_liquidation_nears(token: Token) -> None:
    """Scenario: a pool 1 % ahead of the feed, against us. Property: idle in a calm, not in need."""
    world = token.world
    against = Fraction(99, 100) if token.long else Fraction(101, 100)
    go(token, "3.45" if token.long else "1.27")
    with boa.env.anchor():
        world.pool.move(world.feed_price * against)
        world.pool.pass_time(72)
        assert token.due == "idle"
    go(token, EMERGENCY[token.long])
    world.pool.move(world.feed_price * against)
    world.pool.pass_time(72)
    assert token.due == "emergency"
    told = token.rebalance()
    assert token.leverage < Fraction(EMERGENCY[token.long])
    assert Fraction(told.pool_fee + told.impact, told.notional) < Fraction(5, 100)


def test_raising_is_suspended_under_the_floor_and_lowering_is_not(world: World) -> None:
    """Scenario: a reserve of 5 % of nav. Property: no raise; a delever goes through."""
    fund = Fund(world, Terms(), reserve=ReserveTerms(initial=Fraction(1, 2)))
    token = fund.tokens[0]
    fund.reserve.publish_health()
    go(token, "2.4")
    assert token.due == "idle"
    with boa.reverts("leveraged_token: not to be raised"):
        token.rebalance()
    go(token, "4")
    assert token.due == "band_down"
    token.rebalance()


def test_the_event_tells_all(token: Token) -> None:
    """Scenario: one rebalance down. Property: its figures add up without another call."""
    go(token, LOWERS[token.long])
    before, world = token.position, token.world
    told = token.rebalance()
    after = token.position
    price = Fraction(told.price, 10**36) * Fraction(WAD, 10**6)
    assert abs(price / world.feed_price - 1) < Fraction(1, 10**10)
    assert told.up is False
    assert told.buys is (not token.long)
    sold = before.collateral - after.collateral
    if token.long:
        assert told.units - told.covered == sold
    else:
        assert told.units + told.covered == before.debt - after.debt
    assert abs(Fraction(told.leverage_after, WAD) / token.leverage - 1) < Fraction(1, 10**6)
    assert told.leverage_before > told.leverage_after
    units = Fraction(told.units, WAD)
    assert abs(Fraction(told.notional, 10**6) / (units * price) - 1) < Fraction(1, 10**6)
    lost = Fraction(told.pool_fee + told.impact, 10**6)
    assert abs(Fraction(told.covered, WAD) * price / lost - 1) < Fraction(1, 10**3)
    assert told.keeper == world.roles.keeper


def test_the_keeper_is_paid_by_distance_and_progress(token: Token) -> None:
    """Scenario: nearer and farther past the band. Property: the premium's share grows, bounded."""
    shares = []
    for leverage in ("3.5", "4.5", "6") if token.long else ("1.3", "2.2", "4"):
        with boa.env.anchor():
            go(token, leverage)
            before = token.world.underlying.balanceOf(token.world.roles.keeper)
            told = token.rebalance()
            got = token.world.underlying.balanceOf(token.world.roles.keeper) - before
            assert got == told.pay_by_reserve
            shares.append(Fraction(got, told.units))
    assert shares == sorted(shares)
    assert shares[0] < shares[-1] <= Fraction(1, 100)


def test_an_emergency_with_an_empty_reserve_is_paid_by_nav(token: Token) -> None:
    """Scenario: no reserve. Property: the keeper is paid from the position, in need only."""
    go(token, LOWERS[token.long])
    empty_reserve(token)
    with boa.env.anchor():
        assert token.rebalance().pay_by_nav == 0
    go(token, EMERGENCY[token.long])
    keeper = token.world.roles.keeper
    before = token.world.underlying.balanceOf(keeper)
    told = token.rebalance()
    assert told.pay_by_nav > 0
    assert token.world.underlying.balanceOf(keeper) - before == told.pay_by_nav
    assert Fraction(told.pay_by_nav, told.units) <= Fraction(1, 100)


def test_the_pay_goes_where_the_keeper_says(token: Token) -> None:
    """Scenario: a recipient is named. Property: it gets the pay, the event names it."""
    go(token, EMERGENCY[token.long])
    recipient = boa.env.generate_address("recipient")
    token.contract.rebalance(recipient, sender=token.world.roles.keeper)
    told = token.event("Rebalanced")
    assert told.keeper == recipient
    assert token.world.underlying.balanceOf(recipient) == told.pay_by_reserve > 0


@pytest.mark.parametrize(
    "setting",
    [
        Setting(underlying_decimals=8, quote_decimals=6),
        Setting(underlying_decimals=8, quote_decimals=18, underlying_first=False),
        Setting(underlying_decimals=6, quote_decimals=18),
        Setting(underlying_decimals=18, quote_decimals=18, underlying_first=False),
    ],
    ids=lambda setting: f"{setting.underlying_decimals}-{setting.quote_decimals}",
)
def test_any_decimals_rebalance(setting: Setting) -> None:
    """Scenario: tokens of 6, 8 and 18 decimals. Property: up and down, to the target."""
    fund = Fund(World(setting), Terms(), Terms(long=False))
    for token in fund.tokens:
        for where in (RAISES, LOWERS, EMERGENCY):
            go(token, where[token.long])
            token.rebalance()
            assert abs(token.leverage / target_of(token) - 1) < Fraction(1, 10**5)
            token.world.pool.move(token.world.feed_price)
