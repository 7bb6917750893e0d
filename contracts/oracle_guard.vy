# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title oracle_guard
@custom:contract-name oracle_guard
@license GNU Affero General Public License v3.0 only
@notice Whether a price may be traded on: its answer is positive and not too old, the pool's
        time-weighted price of the last minute and its present price agree with it within
        bounds, and, on a chain with a sequencer feed, the sequencer has been up for long enough.

        The bounds are arguments: a fixed bound kills, for in a crash the minute's mean lags.
        A price that is refused stops rebalances and nothing else.
@dev Prices are debt units per collateral unit, times 1e36. The adapter (MorphoOracle) knows the
     feed's decimals and says that there is no answer where it is not positive or the sequencer
     was not up; how old an answer may be is judged here, and only here.
"""


from .interfaces import IMorphoOracle
from .interfaces import IUniswapV3Pool


# @dev Seconds of the pool's time-weighted price.
TWAP_WINDOW: constant(int256) = 60

# @dev Observations that a window holds at most, one a second, and one before it.
MOST_OBSERVATIONS: constant(uint256) = 61

# @dev What `_refusal` says.
FINE: constant(uint256) = 0
NO_ANSWER: constant(uint256) = 1
OLD: constant(uint256) = 2
NO_HISTORY: constant(uint256) = 3
TWAP_APART: constant(uint256) = 4
POOL_APART: constant(uint256) = 5

WAD: constant(uint256) = 10**18

# @dev 1.0001 and 1, scaled so that a power squared still fits; 1e-24 is exact enough for bounds.
TICK_BASE: constant(uint256) = 1000100000000000000000000
TICK_ONE: constant(uint256) = 10**24

# @dev 1.0001**500000 is 5e21: no pair of assets trades beyond it, and no product overflows.
MOST_TICKS: constant(uint256) = 500_000

# @dev The lowest and the highest limit that a Uniswap v3 swap takes.
MIN_SQRT_PRICE: constant(uint256) = 4295128740
MAX_SQRT_PRICE: constant(uint256) = 1461446703485210103287273052203988822378723970341


# @dev The price adapter.
ORACLE: immutable(IMorphoOracle)

# @dev The pool that is traded in.
POOL: immutable(IUniswapV3Pool)

# @dev Whether the collateral is the pool's token0.
COLLATERAL_IS_0: immutable(bool)

# @dev The pool's fee, times 1e18.
POOL_FEE: immutable(uint256)

# @dev Seconds after which an answer is too old.
MAX_AGE: immutable(uint256)


@deploy
def __init__(
    oracle: address,
    pool: address,
    collateral: address,
    loan: address,
    max_age: uint256,
):
    """
    @param oracle The price adapter; it has to be for these two assets.
    @param pool The pool of these two assets, with a minute of history.
    @param collateral The asset that prices are of.
    @param loan The asset that prices are in.
    @param max_age Seconds after which an answer is too old.
    """
    assert staticcall IMorphoOracle(oracle).collateral() == collateral, "oracle_guard: collateral"
    assert staticcall IMorphoOracle(oracle).loan() == loan, "oracle_guard: loan"
    token0: address = staticcall IUniswapV3Pool(pool).token0()
    token1: address = staticcall IUniswapV3Pool(pool).token1()
    assert (token0 == collateral and token1 == loan) or (
        token0 == loan and token1 == collateral
    ), "oracle_guard: pool"
    slot: Bytes[224] = raw_call(
        pool, method_id("slot0()"), max_outsize=224, is_static_call=True
    )
    # one observation a second fills the window
    room: uint256 = extract32(slot, 128, output_type=uint256)
    assert room >= MOST_OBSERVATIONS, "oracle_guard: history"
    assert max_age > 0 and max_age <= 86_400 * 2, "oracle_guard: max_age"
    ORACLE = IMorphoOracle(oracle)
    POOL = IUniswapV3Pool(pool)
    COLLATERAL_IS_0 = token0 == collateral
    POOL_FEE = convert(staticcall IUniswapV3Pool(pool).fee(), uint256) * 10**12
    MAX_AGE = max_age


@internal
@view
def _refusal(
    price: uint256, updated: uint256, tolerance: uint256, deviation: uint256
) -> uint256:
    """
    @notice Why this price may not be traded on, or FINE.
    @param price The adapter's price.
    @param updated When the feed updated it; 0: it is no answer of now.
    @param tolerance How far from it a trade may end, fee included; above the pool's fee.
    @param deviation How far from it the pool's mean of the last minute may be.
    """
    if updated == 0 or price == 0:
        return NO_ANSWER
    if not self._is_fresh(updated):
        return OLD
    slot: IUniswapV3Pool.Slot0 = staticcall POOL.slot0()
    mean: uint256 = self._mean_price(slot)
    if mean == 0:
        return NO_HISTORY
    if (max(price, mean) - min(price, mean)) * WAD > deviation * price:
        return TWAP_APART
    bought: uint256 = self._limit(price, True, tolerance)
    sold: uint256 = self._limit(price, False, tolerance)
    root: uint256 = slot.sqrtPriceX96
    if root <= min(bought, sold) or root >= max(bought, sold):
        return POOL_APART
    return FINE


@internal
@view
def _is_fresh(updated: uint256) -> bool:
    """
    @notice Whether an answer is from the last MAX_AGE seconds; no answer is not.
    """
    return updated <= block.timestamp and updated + MAX_AGE >= block.timestamp


@internal
@view
def _limit(price: uint256, buys: bool, tolerance: uint256) -> uint256:
    """
    @notice Where a trade of collateral has to stop: the pool's price at which one unit more,
            fee included, would be `tolerance` worse than `price`; rounded towards `price`. As
            sqrt(token1/token0) * 2^96.
    """
    room: uint256 = tolerance - POOL_FEE
    worst: uint256 = isqrt(price * (WAD + room if buys else WAD - room) // WAD)
    if not buys:
        worst += 1
    limit: uint256 = (worst << 96) // WAD
    if not COLLATERAL_IS_0:
        limit = (WAD << 96) // worst
    if buys != COLLATERAL_IS_0:
        # a swap that takes the pool's price down stops above it
        limit += 1
    return min(max(limit, MIN_SQRT_PRICE), MAX_SQRT_PRICE)


@internal
@view
def _mean_price(slot: IUniswapV3Pool.Slot0) -> uint256:
    """
    @notice The pool's geometric mean price of the last minute; 0 where it has no such history.
    @dev As the pool's own `observe`, which searches all its observations by halves: from the
         newest back there are five to the minute where a block takes 12 s, at a third of the gas.
    """
    # ticks are 24 bits, times 32, cumulatives 56: nothing here comes near 256
    now: int256 = convert(block.timestamp, int256)
    then: int256 = unsafe_sub(now, TWAP_WINDOW)
    tick: int256 = slot.tick
    index: uint256 = slot.observationIndex
    after: IUniswapV3Pool.Observation = staticcall POOL.observations(index)
    if after.blockTimestamp > then:
        end: int256 = unsafe_add(
            after.tickCumulative, unsafe_mul(tick, unsafe_sub(now, after.blockTimestamp))
        )
        found: bool = False
        for _: uint256 in range(MOST_OBSERVATIONS):
            index = unsafe_sub(index + slot.observationCardinality, 1) % slot.observationCardinality
            before: IUniswapV3Pool.Observation = staticcall POOL.observations(index)
            between: int256 = unsafe_sub(after.blockTimestamp, before.blockTimestamp)
            if not before.initialized or between <= 0:
                break
            if before.blockTimestamp <= then:
                passed: int256 = unsafe_div(
                    unsafe_mul(
                        unsafe_sub(after.tickCumulative, before.tickCumulative),
                        unsafe_sub(then, before.blockTimestamp),
                    ),
                    between,
                )
                start: int256 = unsafe_add(before.tickCumulative, passed)
                tick = unsafe_div(unsafe_sub(end, start), TWAP_WINDOW)
                found = True
                break
            after = before
        if not found:
            return 0
    if not COLLATERAL_IS_0:
        tick = -tick
    power: uint256 = self._tick_power(min(convert(abs(tick), uint256), MOST_TICKS))
    if tick < 0:
        return 10**60 // power
    return power * 10**12


@internal
@pure
def _tick_power(ticks: uint256) -> uint256:
    """
    @notice 1.0001**ticks, times 1e24, rounded down.
    """
    left: uint256 = ticks
    power: uint256 = TICK_ONE
    base: uint256 = TICK_BASE
    # unchecked, for below MOST_TICKS no product is above 1e75
    for _: uint256 in range(20):
        if left & 1 == 1:
            power = unsafe_div(unsafe_mul(power, base), TICK_ONE)
        left = left >> 1
        if left == 0:
            break
        base = unsafe_div(unsafe_mul(base, base), TICK_ONE)
    return power
