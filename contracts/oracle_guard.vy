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
@dev Prices are debt units per collateral unit, times 1e36. The answer's sign, the feed's
     decimals and the last good price are the adapter's (MorphoOracle); its age is judged here.
"""


from .interfaces import IMorphoOracle
from .interfaces import IUniswapV3Pool

from . import feed_reader


# @dev Seconds of the pool's time-weighted price.
TWAP_WINDOW: constant(uint32) = 60

# @dev What `_refusal` says.
FINE: constant(uint256) = 0
NO_ANSWER: constant(uint256) = 1
OLD: constant(uint256) = 2
SEQUENCER: constant(uint256) = 3
NO_HISTORY: constant(uint256) = 4
TWAP_APART: constant(uint256) = 5
POOL_APART: constant(uint256) = 6

WAD: constant(uint256) = 10**18

# @dev 1.0001 and 1, scaled so that a power squared still fits; 1e-24 is exact enough for bounds.
TICK_BASE: constant(uint256) = 1000100000000000000000000
TICK_ONE: constant(uint256) = 10**24

# @dev 1.0001**600000 is 1e26: no pair of assets trades beyond it, and no product overflows.
MOST_TICKS: constant(uint256) = 600_000

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

# @dev The L2 sequencer's uptime feed; empty where there is none.
SEQUENCER_FEED: immutable(address)

# @dev Seconds for which it has to be up.
SEQUENCER_GRACE: immutable(uint256)


@deploy
def __init__(
    oracle: address,
    pool: address,
    collateral: address,
    loan: address,
    max_age: uint256,
    sequencer_feed: address,
    sequencer_grace: uint256,
):
    """
    @param oracle The price adapter; it has to be for these two assets.
    @param pool The pool of these two assets, with a minute of history.
    @param collateral The asset that prices are of.
    @param loan The asset that prices are in.
    @param max_age Seconds after which an answer is too old.
    @param sequencer_feed The sequencer's uptime feed, or the zero address.
    @param sequencer_grace Seconds for which the sequencer has to be up.
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
    assert room >= convert(TWAP_WINDOW, uint256), "oracle_guard: history"
    assert max_age > 0 and max_age <= 86_400 * 2, "oracle_guard: max_age"
    assert sequencer_feed == empty(address) or sequencer_grace > 0, "oracle_guard: grace"
    ORACLE = IMorphoOracle(oracle)
    POOL = IUniswapV3Pool(pool)
    COLLATERAL_IS_0 = token0 == collateral
    POOL_FEE = convert(staticcall IUniswapV3Pool(pool).fee(), uint256) * 10**12
    MAX_AGE = max_age
    SEQUENCER_FEED = sequencer_feed
    SEQUENCER_GRACE = sequencer_grace


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
    if updated > block.timestamp or block.timestamp - updated > MAX_AGE:
        return OLD
    if SEQUENCER_FEED != empty(address) and not self._is_sequencer_up():
        return SEQUENCER
    mean: uint256 = self._mean_price()
    if mean == 0:
        return NO_HISTORY
    if (max(price, mean) - min(price, mean)) * WAD > deviation * price:
        return TWAP_APART
    now: uint256 = staticcall POOL.slot0()
    bought: uint256 = self._limit(price, True, tolerance)
    sold: uint256 = self._limit(price, False, tolerance)
    if now <= min(bought, sold) or now >= max(bought, sold):
        return POOL_APART
    return FINE


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
def _mean_price() -> uint256:
    """
    @notice The pool's geometric mean price of the last minute; 0 where it has no such history.
    """
    success: bool = False
    response: Bytes[320] = b""
    success, response = raw_call(
        POOL.address,
        abi_encode(
            convert(32, uint256),
            convert(2, uint256),
            convert(TWAP_WINDOW, uint256),
            convert(0, uint256),
            method_id=method_id("observe(uint32[])"),
        ),
        max_outsize=320,
        is_static_call=True,
        revert_on_failure=False,
    )
    if not success or len(response) < 160:
        return 0
    passed: int256 = extract32(response, 128, output_type=int256) - extract32(
        response, 96, output_type=int256
    )
    tick: int256 = passed // convert(TWAP_WINDOW, int256)
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
    for _: uint256 in range(20):
        if left & 1 == 1:
            power = power * base // TICK_ONE
        left = left >> 1
        if left == 0:
            break
        base = base * base // TICK_ONE
    return power


@internal
@view
def _is_sequencer_up() -> bool:
    down: int256 = 0
    started: uint256 = 0
    updated: uint256 = 0
    down, started, updated = feed_reader._read(SEQUENCER_FEED)
    if updated == 0 or down != 0 or started == 0 or started > block.timestamp:
        return False
    return block.timestamp - started > SEQUENCER_GRACE
