"""rebalance: nearer and never across, exact while the reserve pays, partial where it is thin."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import boa
import pytest

from support.chain.series import WAD, Fund, ReserveTerms, Terms, trigger
from support.chain.world import Setting, World

if TYPE_CHECKING:
    from support.chain.series import Token

BP = Fraction(1, 10_000)


def target(token: Token) -> int:
    """The target leverage."""
    return 3 if token.long else 1


def to_leverage(token: Token, leverage: Any) -> None:
    """Feed and pool to where the leverage is this; a minute passes."""
    wanted = Fraction(leverage)
    held = token.position
    debt = Fraction(held.debt, 10 ** token.loan.decimals())
    collateral = Fraction(held.collateral, 10 ** token.collateral.decimals())
    price = debt * wanted / (wanted - 1) / collateral
    if not token.long:
        price = collateral * wanted / (1 + wanted) / debt
    token.world.move(price)
    token.world.pass_time(72)


def low(token: Token) -> str:
    """A leverage below the band."""
    return "2.58" if token.long else "0.7"


def high(token: Token) -> str:
    """A leverage above the band, below the emergency."""
    return "4" if token.long else "1.6"


def worst(token: Token) -> str:
    """A leverage at which it is an emergency."""
    return "5.5" if token.long else "3"


def empty_reserve(token: Token) -> None:
    """Take all that the reserve holds."""
    world = token.world
    reserve = token.fund.reserve.address
    held = world.underlying.balanceOf(reserve)
    world.underlying.transfer(world.roles.lender, held, sender=reserve)


@pytest.mark.parametrize(
    ("where", "name"), [(low, "band_up"), (high, "band_down"), (worst, "emergency")]
)
def test_it_lands_on_the_target_while_the_reserve_pays(token: Token, where: Any, name: str) -> None:
    """Scenario: below, above, far above. Property: the target to 1e-8, nav untouched."""
    to_leverage(token, where(token))
    nav = token.nav
    told = token.rebalance()
    assert trigger(told.trigger) == name
    assert abs(token.leverage / target(token) - 1) < Fraction(1, 10**8)
    assert abs(token.nav / nav - 1) < Fraction(1, 10**8)
    assert told.covered > 0
    assert not told.clipped
    assert token.due == "idle"


def test_a_swap_better_than_the_oracle_is_the_reserves(token: Token) -> None:
    """Scenario: a pool ahead of the feed in our favour. Property: exact; the gain is kept safe."""
    # deep, or the impact would eat what is better
    token.world.pool.add(100_000)
    for where in (low, high):
        with boa.env.anchor():
            to_leverage(token, where(token))
            world = token.world
            buys = (where is low) == token.long
            ahead = 1 + Fraction(95, 100_000) * (-1 if buys else 1)
            world.pool.move(world.feed_price * ahead)
            reserve = token.fund.value
            told = token.rebalance()
            assert told.gained > 0
            assert told.covered == 0
            assert told.impact < 0
            assert abs(token.leverage / target(token) - 1) < Fraction(1, 10**8)
            gain = Fraction(told.gained - told.pay_by_reserve, WAD)
            assert token.fund.value == reserve + gain


@pytest.mark.parametrize("where", [low, high, worst])
def test_with_an_empty_reserve_it_lands_within_5_bp(token: Token, where: Any) -> None:
    """Scenario: nav pays the cost. Property: within 5 bp of the target, on the near side."""
    to_leverage(token, where(token))
    empty_reserve(token)
    before, nav = token.leverage, token.nav
    told = token.rebalance()
    assert told.covered == told.pay_by_reserve == 0
    error = token.leverage / target(token) - 1
    assert abs(error) <= 5 * BP
    assert (error <= 0) == (before < target(token))
    cost = Fraction(told.pool_fee + told.impact, 10**6) / token.world.feed_price
    paid = Fraction(told.pay_by_nav, WAD)
    assert abs(nav - token.nav - cost - paid) < nav / 10**6
    assert (told.pay_by_nav > 0) == (where is worst)


def test_a_move_to_the_edge_stops_at_the_edge_that_was_left(world: World) -> None:
    """Scenario: out on either side. Property: at that edge; an emergency goes to the target."""
    token = Fund(world, Terms(to_edge=True, edge_slack="0.05")).tokens[0]
    for where, edge in (("2.4", "2.6"), ("4", "3.4"), ("5.5", "3")):
        to_leverage(token, where)
        token.rebalance()
        assert abs(token.leverage / Fraction(edge) - 1) < Fraction(1, 10**8)


def test_thin_liquidity_is_a_partial_fill(token: Token) -> None:
    """Scenario: a pool that fills a part within the tolerance. Property: nearer, a clip open."""
    world = token.world
    to_leverage(token, low(token))
    world.pool.remove(Fraction(9, 10))
    before = token.leverage
    told = token.rebalance()
    assert told.clipped
    assert before < token.leverage < target(token)
    cost = Fraction(told.pool_fee + told.impact, told.notional)
    assert cost <= Fraction(3, 1_000)
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
    to_leverage(token, high(token))
    with boa.env.anchor():
        world.pool.remove(Fraction(9_995, 10_000))
        with boa.reverts("leveraged_token: tiny fill"):
            token.rebalance()
        assert token.due == "idle", "as the view sees by the liquidity in range"
    to_leverage(token, worst(token))
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
        to_leverage(token, low(token))
        told = token.rebalance()
        assert told.clipped
        assert abs(Fraction(told.notional, 10**6) / most - 1) < Fraction(5, 1_000)
        clips = 1
        while token.leverage < target(token) * (1 - BP):
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
    to_leverage(token, "4")
    assert token.rebalance().clipped
    to_leverage(token, "5.5")
    assert token.due == "emergency"
    token.rebalance()
    assert abs(token.leverage / 3 - 1) < Fraction(1, 10**8)


def test_a_clip_ends_where_the_price_has_done_the_rest(world: World) -> None:
    """Scenario: clips under way, the price takes leverage past the target and back.

    Property: idle beyond it; nobody has stored that, so back on the near side the clip goes on.
    """
    token = Fund(world, Terms(max_trade_notional=4_000)).tokens[0]
    to_leverage(token, "4")
    assert token.rebalance().clipped
    world.pass_time(600)
    to_leverage(token, "2.9")
    assert token.due == "idle"
    with boa.env.anchor():
        to_leverage(token, "3.01")
        assert token.due == "clip"
        assert not token.rebalance().clipped
        assert token.state.clip == 0
    to_leverage(token, "2.4")
    assert token.due == "band_up"


def test_it_is_capped_by_what_morpho_lends(token: Token) -> None:
    """Scenario: half of what is wanted can be lent. Property: about half goes out."""
    world = token.world
    to_leverage(token, low(token))
    held = token.position
    wanted = 3 * 10 ** token.loan.decimals() * (2_000 if token.long else 1)
    world.lending.withdraw(token.market, held.lendable - wanted // 2)
    before = token.leverage
    told = token.rebalance()
    assert told.clipped
    assert before < token.leverage < target(token)


def test_the_tolerance_widens_as_liquidation_nears(token: Token) -> None:
    """Scenario: a pool 1 % ahead of the feed, against us. Property: idle in a calm, not in need."""
    world = token.world
    against = Fraction(99, 100) if token.long else Fraction(101, 100)
    to_leverage(token, "3.45" if token.long else "1.27")
    with boa.env.anchor():
        world.pool.move(world.feed_price * against)
        world.pool.pass_time(72)
        assert token.due == "idle"
    to_leverage(token, worst(token))
    world.pool.move(world.feed_price * against)
    world.pool.pass_time(72)
    assert token.due == "emergency"
    told = token.rebalance()
    assert token.leverage < Fraction(worst(token))
    assert Fraction(told.pool_fee + told.impact, told.notional) < Fraction(5, 100)


def test_raising_is_suspended_under_the_floor_and_lowering_is_not(world: World) -> None:
    """Scenario: a reserve of 5 % of nav. Property: no raise; a delever goes through."""
    fund = Fund(world, Terms(), reserve=ReserveTerms(initial=Fraction(1, 2)))
    token = fund.tokens[0]
    fund.reserve.publish_health()
    to_leverage(token, "2.4")
    assert token.due == "idle"
    with boa.reverts("leveraged_token: not to be raised"):
        token.rebalance()
    to_leverage(token, "4")
    assert token.due == "band_down"
    token.rebalance()


def test_the_event_tells_all(token: Token) -> None:
    """Scenario: one rebalance down. Property: its figures add up without another call."""
    to_leverage(token, high(token))
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
            to_leverage(token, leverage)
            before = token.world.underlying.balanceOf(token.world.roles.keeper)
            told = token.rebalance()
            got = token.world.underlying.balanceOf(token.world.roles.keeper) - before
            assert got == told.pay_by_reserve
            shares.append(Fraction(got, told.units))
    assert shares == sorted(shares)
    assert shares[0] < shares[-1] <= Fraction(1, 100)


def test_an_emergency_with_an_empty_reserve_is_paid_by_nav(token: Token) -> None:
    """Scenario: no reserve. Property: the keeper is paid from the position, in need only."""
    to_leverage(token, high(token))
    empty_reserve(token)
    with boa.env.anchor():
        assert token.rebalance().pay_by_nav == 0
    to_leverage(token, worst(token))
    keeper = token.world.roles.keeper
    before = token.world.underlying.balanceOf(keeper)
    told = token.rebalance()
    assert told.pay_by_nav > 0
    assert token.world.underlying.balanceOf(keeper) - before == told.pay_by_nav
    assert Fraction(told.pay_by_nav, told.units) <= Fraction(1, 100)


def test_the_pay_goes_where_the_keeper_says(token: Token) -> None:
    """Scenario: a recipient is named. Property: it gets the pay, the event names it."""
    to_leverage(token, worst(token))
    recipient = boa.env.generate_address("recipient")
    token.contract.rebalance(recipient, sender=token.world.roles.keeper)
    told = token.event("Rebalanced")
    assert told.keeper == recipient
    assert token.world.underlying.balanceOf(recipient) == told.pay_by_reserve > 0


def test_nobody_but_the_pool_calls_back(token: Token) -> None:
    """Scenario: a stranger calls the swap's callback. Property: refused."""
    with boa.reverts("leveraged_token: not the pool"):
        token.contract.uniswapV3SwapCallback(1, -1, b"", sender=token.world.roles.attacker)
    with boa.reverts("leveraged_token: no swap"):
        token.contract.uniswapV3SwapCallback(1, -1, b"", sender=token.world.pool.address)


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
        for where in (low, high, worst):
            to_leverage(token, where(token))
            token.rebalance()
            assert abs(token.leverage / target(token) - 1) < Fraction(1, 10**5)
            token.world.pool.move(token.world.feed_price)


def test_a_crash_of_30_percent_in_300_s_is_survived(world: World) -> None:
    """Scenario: 30 steps of 10 s, the feed a step late. Property: never liquidatable; open."""
    world.pool.add(95_000)
    fund = Fund(world, Terms(cooldown=30), launch=10_000, reserve=ReserveTerms(initial=20))
    token = fund.tokens[0]
    world.pass_time(600)
    world.pool.remove(1, world.pool.token_ids[-1])
    before = Fraction(2_000)
    for step in range(1, 31):
        price = 2_000 * (1 - Fraction(3, 10) * step / 30)
        world.set_feed(before)
        world.pool.move(price)
        world.pool.pass_time(10, every=10)
        before = price
        for _ in range(3):
            if token.due == "idle":
                break
            try:
                token.rebalance()
            except boa.BoaError as refused:
                # nothing but a pool that gives too little for now
                if "leveraged_token: tiny fill" not in str(refused):
                    raise
                break
            world.pool.move(price)
        ltv = world.lending.ltv(token.market, token.contract, price)
        assert ltv < Fraction(86, 100)
    token.contract.redeem_in_kind(
        5_000 * WAD, 2**255, world.roles.depositor, sender=world.roles.depositor
    )
    assert token.nav > 15
