"""The oracle guard's bounds against Fraction: on the safe side, and as near as is said here."""

from __future__ import annotations

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
from support.chain.ticks import MAX_TICK, ratio_of
from support.chain.world import Setting, World

SLOW = settings(max_examples=max(10, settings.default.max_examples // 4))
FINE, TWAP_APART, POOL_APART = 0, 5, 6
LOWEST, HIGHEST = 4295128740, 1461446703485210103287273052203988822378723970341
WINDOW = 60
MOST_TICKS = 600_000

PRICES = st.integers(10**18, 10**54) | st.builds(
    lambda digits, power: digits * 10**power, st.integers(10**6, 10**7), st.integers(12, 47)
)
"""Raw debt per raw collateral times 1e36, of whole prices from 1e-6 to 1e6 at any decimals."""
TICK = Fraction(10_001, 10_000)


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
    )
    pair = world.lending.tokens(long=long)
    contract = deploy_double(
        "OracleGuard", adapter.address, pool.address, *(t.address for t in pair), 3_600, ZERO, 0
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
    pool.increaseObservationCardinalityNext(WINDOW)
    boa.env.time_travel(seconds=WINDOW)
    return pool


@pytest.fixture(scope="module")
def guards(world: World) -> list[Guarded]:
    """Of a long and a short, the collateral first and second, at each usual fee."""
    pools = [world.pool.contract, *(pool_at(world, fee, 2**96) for fee in (3_000, 10_000))]
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
