# pragma version 0.4.3
# pragma evm-version cancun
"""
@title leverage_math, each of its functions to be called alone
@notice A window and no double: nothing is computed here.
"""

from ....contracts import leverage_math


@external
@pure
def is_above(exposure: uint256, nav: uint256, limit: uint256) -> bool:
    return leverage_math._is_above(exposure, nav, limit)


@external
@pure
def is_below(exposure: uint256, nav: uint256, limit: uint256) -> bool:
    return leverage_math._is_below(exposure, nav, limit)


@external
@pure
def decide(
    rule: leverage_math.Rule,
    exposure: uint256,
    nav: uint256,
    clip: uint256,
    ready: bool,
    stale: bool,
) -> (uint256, uint256):
    return leverage_math._decide(rule, exposure, nav, clip, ready, stale)


@external
@pure
def gap_down(destination: uint256, exposure: uint256, nav: uint256) -> (bool, uint256):
    return leverage_math._gap_down(destination, exposure, nav)


@external
@pure
def times_up(leverage: uint256, amount: uint256) -> uint256:
    return leverage_math._times_up(leverage, amount)


@external
@pure
def leverage_down(exposure: uint256, nav: uint256) -> uint256:
    return leverage_math._leverage_down(exposure, nav)


@external
@pure
def danger_down(loan_to_value: uint256, calm: uint256, lltv: uint256) -> uint256:
    return leverage_math._danger_down(loan_to_value, calm, lltv)


@external
@pure
def widened_down(normal: uint256, maximum: uint256, danger: uint256) -> uint256:
    return leverage_math._widened_down(normal, maximum, danger)


@external
@pure
def distance_down(
    rule: leverage_math.Rule, exposure: uint256, nav: uint256, danger: uint256
) -> uint256:
    return leverage_math._distance_down(rule, exposure, nav, danger)


@external
@pure
def premium_down(filled: uint256, rate: uint256, distance: uint256) -> uint256:
    return leverage_math._premium_down(filled, rate, distance)


@external
@pure
def cooldown_up(cooldown: uint256, filled: uint256, wanted: uint256) -> uint256:
    return leverage_math._cooldown_up(cooldown, filled, wanted)


@external
@pure
def swap_cost_up(pool: uint256, fee_ppm: uint256, notional: uint256, buys: bool) -> uint256:
    return leverage_math._swap_cost_up(pool, fee_ppm, notional, buys)
