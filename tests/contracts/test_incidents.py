"""What has befallen leveraged tokens, on the chain: crashes, dead venues, empty reserves.

The incidents that a contract can answer, each with its test:

- 2018-02-05, XIV's own rebalance moved its market:
  `test_xiv_an_own_rebalance_ends_at_the_tolerance`
- 2020-03-12, -39 % in a day: `test_2020_march_several_rebalances_in_one_day`
- 2021-05-19, gas spike, caps raised by vote: `test_2021_may_gas_spikes_and_the_cap_follows_depth`
- 2022-05, LUNA, the short lost too: `test_luna_down_to_a_ten_thousandth`
- 2022-08-30, a feed dead for seven days: `test_a_bad_feed_for_a_week_closes_no_exit` (attacks)
- 2023-01-07, Mycelium, bad oracle data: `test_mycelium_a_wrong_feed_trades_nothing`
- 2025-02-02, Seamless, a fixed guard in -30 % in 5 minutes: `test_a_crash_is_survived`,
  `test_a_crash_that_a_fixed_guard_does_not_survive`
- 2025-10-06, AMD, +38 % overnight: `test_amd_a_gap_of_38_percent_against_a_short`
- 2026-01-13, a swap of $3.84m returned $122k: `test_2026_january_no_swap_ends_beyond_its_bound`
- any day, a rebalance sent twice: `test_a_rebalance_sent_twice_acts_once` (attacks)

The others (custody, flows at announced times, a margin coin's own price, exchanges that close
positions) are not a contract's to answer.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import boa
import pytest
from hypothesis import settings

from support.chain import series
from support.chain.driving import (
    EMERGENCY,
    LOWERS,
    RAISES,
    base_fee,
    empty_reserve,
    go,
    target_of,
)
from support.chain.mutants import Mutant
from support.chain.series import WAD, Fund, ReserveTerms, Terms
from support.chain.world import Setting, World

if TYPE_CHECKING:
    from pathlib import Path

    from support.chain.series import Token

LLTV = Fraction(86, 100)
PATIENT = ("tiny fill", "oracle_guard: refused")
"""Why a keeper comes again later; nothing else may make a rebalance that is due fail."""
THOROUGH = settings.default.max_examples > 1_000
"""By hand: pytest --hypothesis-profile thorough."""


FIXED_GUARD = Mutant(
    "a tolerance of 1 % whatever the danger",
    "LeveragedToken.vy",
    (("        and config_.tolerance_normal <= 3 * oracle_guard.POOL_FEE\n", ""),),
)
"""As elsewhere: our constructor refuses it."""


class Crash(NamedTuple):
    """What a crash did: the worst loan-to-value at the feed's price, when it was liquidatable."""

    worst: Fraction
    liquidatable_at: int | None
    rebalances: int
    nav: Fraction


@pytest.fixture(scope="module")
def deep() -> World:
    """A pool in which 100 WETH of nav can be launched: 100,000 WETH a side."""
    made = World(Setting(liquidity=Fraction(5_000)))
    made.pool.add(95_000)
    return made


@pytest.fixture
def either_side(fund: Fund) -> Token:
    """The long where WETH is token0, the short where USDC is."""
    return fund.tokens[0 if fund.world.underlying_first else 1]


def fund_of(world: World, left: int, **terms: Any) -> Token:
    """100 WETH of nav at 3x; then so many WETH of liquidity a side are left."""
    reserve = ReserveTerms(initial=20)
    token = Fund(world, Terms(cooldown=30, **terms), launch=10_000, reserve=reserve).tokens[0]
    world.pool.remove(1, world.pool.token_ids[1])
    if left < 5_000:
        world.pool.remove(Fraction(5_000 - left, 5_000), world.pool.token_ids[0])
    world.pass_time(72)
    return token


def keep(token: Token, price: Any, tries: int = 3) -> int:
    """A keeper tries so often in one block, arbitrageurs taking the pool back to a price."""
    done = 0
    for _ in range(tries):
        if token.due == "idle":
            break
        try:
            token.rebalance()
        except boa.BoaError as refused:
            if not any(word in str(refused) for word in PATIENT):
                raise
            break
        done += 1
        token.world.pool.move(price)
    return done


def crash(token: Token, ahead: Fraction, steps: int = 30) -> Crash:
    """-30 % in 300 s: the pool a share ahead of the feed, keepers after each step."""
    world, worst, done = token.world, Fraction(0), 0
    for step in range(1, steps + 1):
        price = 2_000 * (1 - Fraction(3, 10) * step / steps)
        world.pool.move(price * (1 - ahead))
        boa.env.time_travel(seconds=300 // steps)
        world.set_feed(price)
        if token.ltv > LLTV:
            return Crash(token.ltv, step, done, token.nav)
        done += keep(token, price * (1 - ahead))
        worst = max(worst, token.ltv)
    return Crash(worst, None, done, token.nav)


LEVEL, AHEAD = Fraction(0), Fraction(1, 100)
DEPTHS = (5_000, 2_000, 1_000, 500) if THOROUGH else (5_000, 500)
CRASHES = [(left, ahead) for left in DEPTHS for ahead in (LEVEL, AHEAD)]


@pytest.mark.parametrize(("left", "ahead"), CRASHES, ids=str)
def test_a_crash_is_survived(deep: World, left: int, ahead: Fraction) -> None:
    """Scenario: 100 WETH at 3x, -30 % in 300 s in 30 steps. Property: never liquidatable.

    At every step debt <= lltv * the collateral's value, from 5,000 to 500 WETH of liquidity a
    side, the pool level with the feed and 1 % ahead of it.
    """
    token = fund_of(deep, left)
    told = crash(token, ahead)
    assert told.liquidatable_at is None
    assert told.worst <= LLTV
    assert told.rebalances > 0
    assert told.nav > 20


def test_a_crash_that_a_fixed_guard_does_not_survive(
    deep: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scenario: the pool 1 % ahead of the feed; a guard fixed at 1 %, and ours.

    Property: theirs never rebalances and can be liquidated before the end; ours never can.
    """
    with boa.env.anchor(), monkeypatch.context() as patched:
        patched.setattr(series, "CONTRACTS", FIXED_GUARD.write(tmp_path))
        fixed = fund_of(deep, 1_000, tolerance_normal="0.01", tolerance_maximum="0.01")
        theirs = crash(fixed, Fraction(1, 100))
    ours = crash(fund_of(deep, 1_000), Fraction(1, 100))
    assert theirs.liquidatable_at is not None
    assert theirs.rebalances == 0
    assert ours.liquidatable_at is None


GRID = 25 if THOROUGH else 7


@pytest.mark.parametrize("settled", [True, False], ids=["a minute later", "at once"])
def test_an_emergency_delever_succeeds_up_to_liquidation(either_side: Token, settled: bool) -> None:
    """Scenario: a grid of leverages from the emergency to liquidation. Property: it goes through.

    With a minute's mean that agrees, in one call to the target; after a jump from the target (the
    short's is 43 to 72 %) as soon as the mean is inside the bound that widens with danger: within
    4 s for the long, 36 s for the short.
    """
    token = either_side
    first = Fraction("4.8") if token.long else Fraction("2.5")
    last = 1 / (1 - LLTV) if token.long else LLTV / (1 - LLTV)
    for k in range(GRID):
        leverage = first + (last - first) * (Fraction(k, GRID - 1) * Fraction(998, 1_000))
        leverage *= Fraction(1_000_001, 1_000_000)
        with boa.env.anchor():
            go(token, leverage, seconds=72 if settled else 0)
            waited = 0
            while token.due == "idle" and waited < (4 if token.long else 36):
                token.world.pass_time(2, every=2)
                waited += 2
            assert token.due == "emergency", f"{float(leverage)} after {waited} s"
            token.rebalance()
            assert abs(token.leverage / target_of(token) - 1) < Fraction(1, 10**6)
            assert token.ltv < LLTV


@pytest.mark.parametrize("paid", ["by the reserve", "by nav"])
def test_morpho_with_nothing_to_lend_stops_what_raises_only(either_side: Token, paid: str) -> None:
    """Scenario: lenders take out all they can. Property: raising is idle, and never a failed call.

    A keeper that calls whenever the view says so has no call that reverts; what lowers works, with
    an empty reserve too, exits are open, and raising is due again once there is something to lend.
    """
    token = either_side
    world = token.world
    lendable = token.position.lendable
    world.lending.withdraw(token.market, lendable)
    if paid == "by nav":
        empty_reserve(token)
    holder = world.roles.depositor
    for where, due in ((RAISES, "idle"), (LOWERS, "band_down"), (EMERGENCY, "emergency")):
        with boa.env.anchor():
            go(token, where[token.long])
            assert token.due == due
            if due != "idle":
                token.rebalance()
                assert abs(token.leverage / target_of(token) - 1) < Fraction(5, 10_000)
            token.contract.redeem_in_kind(10 * WAD, 2**255, holder, sender=holder)
            token.redeem(10)
    # a delever repays: what is repaid can be lent, and is lent again before the price turns
    go(token, RAISES[token.long])
    world.lending.lend(token.market, lendable)
    assert token.due == "band_up"
    token.rebalance()


def test_a_reserve_under_its_floor_in_a_crash_suspends_what_raises_only(deep: World) -> None:
    """Scenario: -30 % in 300 s with a reserve at 10.5 % of nav.

    Property: it goes under its floor, every delever goes through, and what raises waits until the
    level is back at 12 %.
    """
    deep_fund = Fund(
        deep, Terms(cooldown=30), launch=10_000, reserve=ReserveTerms(initial=Fraction(21, 2))
    )
    token = deep_fund.tokens[0]
    deep.pool.remove(1, deep.pool.token_ids[1])
    deep.pool.remove(Fraction(1, 2), deep.pool.token_ids[0])
    deep.pass_time(72)
    deep_fund.reserve.publish_health()
    assert not deep_fund.reserve.suspended()
    told = crash(token, Fraction(1, 100))
    assert told.liquidatable_at is None
    assert deep_fund.reserve.suspended()
    deep.move(1_400)
    # so much that a rise fits into the normal tolerance
    deep.pool.add(20_000)
    deep.pass_time(600)
    go(token, "2.5")
    assert token.due == "idle"
    with boa.reverts("leveraged_token: not to be raised"):
        token.rebalance()
    deep_fund.inject(5)
    assert token.due in ("band_up", "clip")
    token.rebalance()


def test_an_empty_reserve_in_a_crash_leaves_the_cost_to_holders(deep: World) -> None:
    """Scenario: -30 % in 300 s, 1,000 WETH a side, no reserve. Property: survived, nav pays."""
    token = fund_of(deep, 1_000)
    empty_reserve(token)
    told = crash(token, Fraction(0))
    assert told.liquidatable_at is None
    assert token.fund.value == 0
    # 0.7^3 of 100 WETH' worth is 49 WETH at the new price; holders pay the swaps
    assert 35 < told.nav < 49


def test_xiv_an_own_rebalance_ends_at_the_tolerance(either_side: Token) -> None:
    """Scenario: the pool's depth goes to a tenth, then a move.

    Property: no swap of its own moves the market farther than the tolerance; the rest goes out as
    clips, a cooldown between.
    """
    token = either_side
    world = token.world
    go(token, RAISES[token.long])
    world.pool.remove(Fraction(9, 10))
    clips = 0
    while token.due != "idle" and clips < 3:
        told = token.rebalance()
        assert abs(world.pool.price / world.feed_price - 1) <= Fraction(101, 100_000)
        assert Fraction(told.pool_fee + told.impact, told.notional) <= Fraction(15, 10_000)
        world.pool.move(world.feed_price)
        clips += 1
        assert token.due == "idle"
        world.pass_time(600, every=60)
    assert clips > 1
    with boa.reverts("leveraged_token: supply cap"):
        token.mint(1_000)


def test_2020_march_several_rebalances_in_one_day(either_side: Token) -> None:
    """Scenario: -39 % in a day by the hour (for the short +64 %). Property: each is made, nav > 0.

    3 x -39 % would be less than nothing; several rebalances in one session keep it alive, and at
    nav (P/P0)^L as rebalanced often, within a tenth.
    """
    token = either_side
    world, begun = token.world, token.nav * token.world.feed_price
    hours, done = 24, 0
    end = Fraction(61, 100) if token.long else Fraction(100, 61)
    for hour in range(1, hours + 1):
        price = 2_000 * Fraction(float(end) ** (hour / hours)).limit_denominator(10**6)
        world.move(price)
        boa.env.time_travel(seconds=3_600)
        world.set_feed(price)
        done += keep(token, price)
        assert token.ltv < LLTV
    assert done >= 3
    factor = float(end) ** (3 if token.long else -1)
    nav = float(token.nav * world.feed_price / begun)
    # what band and hours leave of continuous rebalancing
    assert abs(nav / factor - 1) < 0.1


def test_2021_may_gas_spikes_and_the_cap_follows_depth(token: Token) -> None:
    """Scenario: 2,000 gwei, liquidity halves. Property: pay stays under 1 %; minting by the pool.

    The cap needs no vote: what may be minted is what the pool can take in an emergency.
    """
    world = token.world
    with boa.env.anchor():
        token.mint(10_000)
    world.pool.remove(Fraction(1, 2))
    with boa.env.anchor(), boa.reverts("leveraged_token: supply cap"):
        token.mint(10_000)
    go(token, EMERGENCY[token.long])
    with base_fee(2_000 * 10**9):
        told = token.rebalance()
    assert told.pay_by_reserve + told.pay_by_nav <= told.units * 102 // 10_000
    assert token.due == "idle"


def test_luna_down_to_a_ten_thousandth(either_side: Token) -> None:
    """Scenario: the short through -99.99 % in 15 % steps, the long through -90 %.

    Property: never liquidatable; exits open at the end.

    A long of 20,000 is worth 5 after -90 %, and nothing in units of USDC after -99.99 %.
    """
    token = either_side
    world = token.world
    price = Fraction(2_000)
    steps = 0
    while price > (200 if token.long else Fraction(2, 10)):
        price = (price * Fraction(85, 100)).limit_denominator(10**7)
        world.move(price)
        boa.env.time_travel(seconds=72)
        world.set_feed(price)
        assert token.ltv < LLTV
        keep(token, price, tries=2)
        boa.env.time_travel(seconds=600)
        steps += 1
    assert steps == (15 if token.long else 57)
    assert token.nav > 0
    holder = world.roles.depositor
    token.redeem(100)
    token.contract.redeem_in_kind(100 * WAD, 2**255, holder, sender=holder)


def test_mycelium_a_wrong_feed_trades_nothing(token: Token) -> None:
    """Scenario: the feed is 10 to 90 % wrong, the pool is right. Property: not one unit traded."""
    before = token.position
    for wrong in (Fraction(1, 10), Fraction(7, 10), Fraction(9, 10), Fraction(12, 10), 3):
        with boa.env.anchor():
            token.world.set_feed(2_000 * wrong)
            assert token.due == "idle"
            assert token.position == before


def test_amd_a_gap_of_38_percent_against_a_short(world: World) -> None:
    """Scenario: +38 % at once for a 1x short; for a 2x short, which it wipes out.

    Property: the first delevers at once; the second is over, its minting can be closed, nothing is
    stuck.
    """
    fund = Fund(
        world,
        Terms(long=False),
        Terms(long=False, target_leverage=2, lower="1.6", upper="2.5", emergency_leverage="3.5"),
        launch=500,
    )
    once, twice = fund.tokens
    world.move(2_000 * Fraction(138, 100))
    world.pass_time(72)
    assert once.ltv < LLTV < twice.ltv
    keep(once, world.feed_price, tries=1)
    assert once.leverage < Fraction("1.3")
    world.move(2_000 * Fraction(155, 100))
    world.pass_time(72)
    assert twice.nav == 0
    twice.contract.close_minting()
    with boa.reverts("leveraged_token: mint closed"):
        twice.mint(1)
    assert twice.due == "idle"
    assert once.nav > 0


def test_2026_january_no_swap_ends_beyond_its_bound(token: Token) -> None:
    """Scenario: all but a thousandth of liquidity is gone as each swap comes.

    Property: each has a bound: mint and redeem their caller's, a rebalance and an allocation the
    tolerance.
    """
    world = token.world
    go(token, LOWERS[token.long])
    with boa.env.anchor():
        fair_in, fair_out = token.mint(100), token.redeem(100)
    world.pool.remove(Fraction(999, 1_000))
    with boa.reverts():
        token.mint(100, most=fair_in * 101 // 100)
    with boa.reverts():
        token.redeem(100, least=fair_out * 99 // 100)
    with boa.reverts("leveraged_token: tiny fill"):
        token.rebalance()
    go(token, EMERGENCY[token.long])
    told = token.rebalance()
    assert Fraction(told.pool_fee + told.impact, told.notional) <= Fraction(5, 100)
