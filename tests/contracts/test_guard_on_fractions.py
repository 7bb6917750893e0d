"""The oracle guard's bounds against Fraction: on the safe side, and as near as is said here."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any, NamedTuple

import boa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from support.chain.counterparties import code
from support.chain.deploying import at, deploy_double, deploy_source
from support.chain.exact import WAD
from support.chain.series import CONTRACTS, ZERO
from support.chain.ticks import ratio_of, sqrt_price_of
from support.chain.world import Setting, World

SLOW = settings(max_examples=max(10, settings.default.max_examples // 4))
RARE = settings(max_examples=max(10, settings.default.max_examples // 10))
FINE, TWAP_APART, POOL_APART = 0, 4, 5
LOWEST, HIGHEST = 4295128740, 1461446703485210103287273052203988822378723970341
WINDOW = 60
MOST_TICKS = 500_000

PRICES = st.integers(10**18, 10**54) | st.builds(
    lambda digits, power: digits * 10**power, st.integers(10**6, 10**7), st.integers(12, 47)
)
"""Raw debt per raw collateral times 1e36, of whole prices from 1e-6 to 1e6 at any decimals."""
TICK = Fraction(10_001, 10_000)
HAIR = Fraction(1, 10**9)


class Guarded(NamedTuple):
    """A guard of a real pool, whose fee is a share, and the side that its collateral is on."""

    contract: Any
    world: World
    pool: Any
    fee: Fraction
    long: bool

    @property
    def collateral_first(self) -> bool:
        """Whether the collateral is the pool's token0."""
        return self.world.underlying_first == self.long

    def price_of(self, sqrt_price: int) -> Fraction:
        """Raw debt per raw collateral at a pool's square root price, exact."""
        ratio = ratio_of(sqrt_price)
        return ratio if self.collateral_first else 1 / ratio


def guard(world: World, pool: Any, *, long: bool) -> Guarded:
    """The guard of a long's or a short's market on a pool."""
    adapter = deploy_source(
        CONTRACTS / "MorphoOracle.vy",
        world.feed.address,
        world.underlying.address,
        world.quote.address,
        long,
        ZERO,
        0,
    )
    pair = world.lending.tokens(long=long)
    contract = deploy_double(
        "OracleGuard", adapter.address, pool.address, *(t.address for t in pair), 3_600
    )
    return Guarded(contract, world, pool, Fraction(pool.fee(), 10**6), long)


@pytest.fixture(scope="module")
def world() -> World:
    """WETH and a USDC; beside the pool that they trade in, others can be made."""
    return World(Setting(liquidity=Fraction(50_000)))


def pool_at(world: World, fee: int, sqrt_price: int) -> Any:
    """Another real pool of the two tokens, without liquidity, a minute old, at any price."""
    factory = at("UniswapV3Factory", code("UniswapV3Factory").abi, world.pool.contract.factory())
    address = factory.createPool(world.underlying.address, world.quote.address, fee)
    pool = at("UniswapV3Pool", code("UniswapV3Pool").abi, address)
    pool.initialize(sqrt_price)
    pool.increaseObservationCardinalityNext(WINDOW + 1)
    boa.env.time_travel(seconds=WINDOW)
    return pool


@pytest.fixture(scope="module")
def guards(world: World) -> list[Guarded]:
    """Of a long and a short, the collateral first and second, at 5 bp and at 1 %."""
    pools = [world.pool.contract, pool_at(world, 10_000, 2**96)]
    return [guard(world, pool, long=long) for pool in pools for long in (True, False)]


@given(st.data(), PRICES, st.booleans(), st.integers(1, WAD // 4))
def test_a_limit_is_inside_the_tolerance_by_next_to_nothing(
    guards: list[Guarded], data: st.DataObject, price: int, buys: bool, room: int
) -> None:
    """What is bought ends at or below the price by which the fee is left of the tolerance.

    What is sold ends at or above it. Both within 1e-8, long and short, whichever token is first.
    """
    one = data.draw(st.sampled_from(guards))
    tolerance = int(one.fee * WAD) + room
    limit = one.contract.limit(price, buys, tolerance)
    assume(LOWEST < limit < HIGHEST)
    stop = one.price_of(limit)
    worst = Fraction(price, 10**36) * (1 + Fraction(room if buys else -room, WAD))
    assert stop <= worst if buys else stop >= worst
    assert abs(stop / worst - 1) < Fraction(1, 10**8)


@given(st.data(), PRICES, st.booleans(), st.integers(1, WAD // 4))
def test_the_last_unit_costs_the_tolerance_with_the_fee(
    guards: list[Guarded], data: st.DataObject, price: int, buys: bool, room: int
) -> None:
    """One unit more at the limit, the pool's fee included, is worse by the tolerance.

    Of what is sold never by more; of what is bought by at most fee / (1 - fee) of the tolerance
    more, since fee and tolerance are added and not multiplied.
    """
    one = data.draw(st.sampled_from(guards))
    tolerance = int(one.fee * WAD) + room
    limit = one.contract.limit(price, buys, tolerance)
    assume(LOWEST < limit < HIGHEST)
    kept = 1 - one.fee
    # the fee is taken from what is paid in: debt where collateral is bought
    unit = one.price_of(limit) / kept if buys else one.price_of(limit) * kept
    apart = unit / Fraction(price, 10**36) - 1
    worse = apart if buys else -apart
    bound = Fraction(tolerance, WAD)
    assert worse <= (bound / kept if buys else bound)
    assert abs(worse - bound) <= bound * one.fee / kept + one.fee**2 + Fraction(1, 10**8)


@given(st.integers(0, MOST_TICKS) | st.integers(0, 20_000))
def test_a_power_of_a_tick_is_rounded_down(guards: list[Guarded], ticks: int) -> None:
    """1.0001**ticks times 1e24, down by at most 1e-17 of it and one unit."""
    power = guards[0].contract.tick_power(ticks)
    exact = power_of(ticks)
    assert power <= exact * 10**24
    assert power > exact * 10**24 * (1 - Fraction(1, 10**17)) - 1


def power_of(ticks: int) -> Fraction:
    """1.0001**ticks, of any sign, to 120 digits."""
    with localcontext(prec=120, Emin=-(10**6)):
        return Fraction(Decimal("1.0001") ** ticks)


@RARE
@given(
    st.integers(-MOST_TICKS, MOST_TICKS) | st.integers(-210_000, -190_000),
    st.integers(1, 99),
    st.booleans(),
)
def test_the_mean_price_of_a_resting_pool_is_its_ticks(
    world: World, tick: int, inside: int, long: bool
) -> None:
    """A real pool that stood a minute at a price: 1.0001**tick, whichever token is collateral.

    Within 1e-17 where the price is above 1, within 1e-9 at any tick up to 500,000 either way; the
    pool's own price is less than a tick from it.
    """
    root = sqrt_price_of(power_of(tick) * (1 + inside * (TICK - 1) / 100))
    with boa.env.anchor():
        pool = pool_at(world, 3_000, root)
        assert pool.slot0()[1] == tick
        one = guard(world, pool, long=long)
        mean = Fraction(one.contract.mean_price(), 10**36)
        ticks = tick if one.collateral_first else -tick
        exact = power_of(ticks)
        assert abs(mean / exact - 1) < (HAIR if ticks < 0 else Fraction(1, 10**17))
        assert 1 / TICK - HAIR < mean / one.price_of(root) < TICK + HAIR


@SLOW
@given(
    st.lists(st.tuples(st.integers(1_500, 2_600), st.integers(1, 40)), min_size=1, max_size=6),
    st.booleans(),
)
def test_the_mean_price_of_a_moving_pool_is_its_mean_tick(
    world: World, moves: list[tuple[int, int]], long: bool
) -> None:
    """Over any moves of the last minute: 1.0001 to the time-weighted mean of its ticks.

    That of the pool's own `observe` too. The mean tick is rounded towards a price of 1, so it is
    off by less than a tick, 1 bp.
    """
    with boa.env.anchor():
        one = guard(world, world.pool.contract, long=long)
        since = [world.pool.tick] * WINDOW
        for price, seconds in moves:
            world.pool.move(price)
            boa.env.time_travel(seconds=seconds)
            since += [world.pool.tick] * seconds
        side = 1 if one.collateral_first else -1
        exact = Fraction(side * sum(since[-WINDOW:]), WINDOW)
        (then, now), _ = world.pool.contract.observe([WINDOW, 0])
        assert abs(Fraction(side * (now - then), WINDOW) - exact) < 1
        ticks = int(exact)
        mean = Fraction(one.contract.mean_price(), 10**36)
        assert abs(mean / power_of(ticks) - 1) < HAIR


@given(
    st.data(),
    st.integers(-WAD // 2, WAD // 2),
    st.sampled_from([0, 1, -1, 10**3, -(10**3)]) | st.integers(-WAD // 4, WAD // 4),
)
def test_the_mean_is_refused_beyond_the_deviation_exactly(
    guards: list[Guarded], data: st.DataObject, apart: int, more: int
) -> None:
    """The pool's mean is refused where it is farther from the oracle's price than the deviation.

    As a share of that price, on Fraction: at the deviation it is taken, 1e-18 beyond it is not.
    """
    one = data.draw(st.sampled_from(guards))
    mean = one.contract.mean_price()
    price = mean * (WAD + apart) // WAD
    exact = abs(Fraction(mean, price) - 1)
    deviation = max(0, int(exact * WAD) + more)
    said = one.contract.refusal(price, boa.env.timestamp, WAD // 5, deviation)
    assert (said == TWAP_APART) == (exact > Fraction(deviation, WAD))


@given(st.data(), st.integers(-WAD // 20, WAD // 20), st.integers(10**11, WAD // 20))
def test_the_pool_is_refused_beyond_the_tolerance_exactly(
    guards: list[Guarded], data: st.DataObject, apart: int, room: int
) -> None:
    """The pool's present price is refused where it is past what the fee leaves of the tolerance.

    On Fraction: never taken beyond, and taken up to 1e-8 before it.
    """
    one = data.draw(st.sampled_from(guards))
    now = one.price_of(one.pool.slot0()[0])
    price = int(now * 10**36) * (WAD + apart) // WAD
    tolerance = int(one.fee * WAD) + room
    said = one.contract.refusal(price, boa.env.timestamp, tolerance, WAD)
    off = now / Fraction(price, 10**36) - 1
    hair = Fraction(1, 10**8)
    if abs(off) >= Fraction(room, WAD):
        assert said == POOL_APART
    elif abs(off) < Fraction(room, WAD) - hair:
        assert said == FINE
