"""The guard: the pool's minute as the pool itself tells it, and bounds exactly where they are."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import boa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.chain.deploying import deploy_double
from support.chain.series import WAD, Fund, Terms
from support.chain.ticks import ratio_of_tick, sqrt_price_of
from support.chain.world import Setting, World

if TYPE_CHECKING:
    from support.chain.pool import Pool

FINE, NO_ANSWER, OLD, NO_HISTORY, TWAP_APART, POOL_APART = range(6)


def probe(world: World, long: bool) -> Any:
    """The guard of a long or a short, its answers 3,700 s old at most."""
    fund = Fund(world, Terms(long=long), launch=0, deploy=False)
    pair = (world.underlying.address, world.quote.address)
    oracle = fund.oracles[long].address
    return deploy_double(
        "GuardProbe", oracle, world.pool.address, *(pair if long else pair[::-1]), 3_700
    )


@pytest.fixture(params=[True, False], ids=["long", "short"])
def guard(request: pytest.FixtureRequest, world: World) -> Any:
    """The guard on the session's world."""
    made = probe(world, request.param)
    made.long = request.param
    return made


def price_of(world: World, long: bool, price: Any) -> int:
    """A price of the underlying as the guard's."""
    return world.lending.oracle_price(price, long=long)


def told_by_the_pool(world: World, long: bool) -> Fraction:
    """The minute's mean by `observe`, as the guard's price."""
    pool: Pool = world.pool
    (then, now), _ = pool.contract.observe([60, 0])
    ratio = ratio_of_tick((now - then) / 60) * 10**36
    return ratio if long == world.underlying_first else 10**72 / ratio


@given(
    steps=st.lists(
        st.tuples(st.integers(1, 90), st.integers(1_500, 2_600)), min_size=1, max_size=12
    ),
    wait=st.integers(0, 90),
)
@settings(max_examples=10, deadline=None)
def test_the_mean_is_the_pools_own(world: World, steps: list[tuple[int, int]], wait: int) -> None:
    """Scenario: any moves at any times. Property: what `observe` says, to two ticks."""
    with boa.env.anchor():
        for long in (True, False):
            guard = probe(world, long)
            for seconds, price in steps:
                boa.env.time_travel(seconds=seconds)
                world.pool.move(price)
            boa.env.time_travel(seconds=wait)
            expected = told_by_the_pool(world, long)
            assert abs(guard.mean_price() / expected - 1) < Fraction(2, 10_000)


def test_the_mean_survives_the_ring_of_observations() -> None:
    """Scenario: more observations than the pool has room for. Property: the pool's own mean."""
    world = World(Setting(observations=61, warm_up=0))
    guard = probe(world, long=True)
    for second in range(1, 150):
        boa.env.time_travel(seconds=1)
        world.pool.move(2_000 + second)
        if second >= 60:
            expected = told_by_the_pool(world, long=True)
            assert abs(guard.mean_price() / expected - 1) < Fraction(2, 10_000)


def test_without_a_minute_of_history_there_is_no_mean() -> None:
    """Scenario: a pool half a minute old. Property: refused as such, not reverted."""
    world = World(Setting(warm_up=24))
    guard = probe(world, long=True)
    price = price_of(world, True, 2_000)
    assert guard.mean_price() == 0
    now = boa.env.timestamp
    assert guard.refusal(price, now, WAD // 100, WAD // 10) == NO_HISTORY
    world.pass_time(60)
    assert guard.refusal(price, boa.env.timestamp, WAD // 100, WAD // 10) == FINE


def test_answers_are_taken_up_to_their_age(world: World, guard: Any) -> None:
    """Scenario: none, from the future, just young enough, too old. Property: each as it is."""
    price = price_of(world, guard.long, 2_000)
    now = boa.env.timestamp
    bounds = (WAD // 100, WAD // 10)
    assert guard.refusal(price, 0, *bounds) == NO_ANSWER
    assert guard.refusal(0, now, *bounds) == NO_ANSWER
    assert guard.refusal(price, now + 1, *bounds) == OLD
    assert guard.refusal(price, now - 3_700, *bounds) == FINE
    assert guard.refusal(price, now - 3_701, *bounds) == OLD


@pytest.mark.parametrize("tolerance", ["0.003", "0.01", "0.05"])
def test_the_pool_has_to_be_within_the_tolerance(world: World, guard: Any, tolerance: str) -> None:
    """Scenario: the pool at both ends of the tolerance. Property: fine inside, apart outside."""
    price = price_of(world, guard.long, 2_000)
    bound = int(Fraction(tolerance) * WAD)
    room = Fraction(tolerance) - Fraction(5, 10_000)
    for side in (1, -1):
        # as a price of collateral; for a short that is the inverse
        for share, said in ((Fraction(999, 1_000), FINE), (Fraction(1_001, 1_000), POOL_APART)):
            moved = 1 + side * room * share
            with boa.env.anchor():
                world.pool.move(2_000 * moved if guard.long else 2_000 / moved)
                assert guard.refusal(price, boa.env.timestamp, bound, WAD // 2) == said


def test_the_mean_has_to_be_within_the_deviation(world: World, guard: Any) -> None:
    """Scenario: a mean 2 % off. Property: fine at 2.1 %, apart at 1.9 %, of the oracle's price."""
    for off in (Fraction(102, 100), Fraction(98, 100)):
        price = int(price_of(world, guard.long, 2_000) * off)
        apart = abs(1 - 1 / off)
        now = boa.env.timestamp
        wide = WAD // 10
        assert guard.refusal(price, now, wide, int(apart * WAD * 101 // 100)) == FINE
        assert guard.refusal(price, now, wide, int(apart * WAD * 99 // 100)) == TWAP_APART


def test_the_limit_is_the_tolerance_less_the_fee(world: World, guard: Any) -> None:
    """Scenario: limits of buying and selling. Property: the marginal price, fee included."""
    price = price_of(world, guard.long, 2_000)
    for buys in (True, False):
        room = Fraction(1, 100) - Fraction(5, 10_000)
        worst = Fraction(price, 10**36) * (1 + room if buys else 1 - room)
        ratio = worst if guard.long == world.underlying_first else 1 / worst
        expected = sqrt_price_of(ratio)
        assert abs(guard.limit(price, buys, WAD // 100) / Fraction(expected) - 1) < Fraction(
            1, 10**9
        )


def test_powers_of_a_tick_are_exact_enough(world: World) -> None:
    """Scenario: ticks over the whole range. Property: 1.0001**tick within 1e-12, from below."""
    guard = probe(world, long=True)
    for ticks in (0, 1, 2, 3, 1_023, 4_095, 46_054, 100_000):
        exact = Fraction(10_001, 10_000) ** ticks
        assert 0 <= 1 - Fraction(guard.tick_power(ticks), 10**24) / exact < Fraction(1, 10**12)
    for ticks in (200_311, 276_324, 499_999, 500_000):
        found = float(Fraction(guard.tick_power(ticks), 10**24))
        assert abs(found / 1.0001**ticks - 1) < 1e-9
