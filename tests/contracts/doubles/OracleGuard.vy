# pragma version 0.4.3
# pragma evm-version cancun
"""
@title oracle_guard, each of its functions to be called alone
@notice A window and no double: nothing is computed here.
"""

from ....contracts import oracle_guard

initializes: oracle_guard


@deploy
def __init__(
    oracle: address,
    pool: address,
    collateral: address,
    loan: address,
    max_age: uint256,
):
    oracle_guard.__init__(oracle, pool, collateral, loan, max_age)


@external
@view
def refusal(price: uint256, updated: uint256, tolerance: uint256, deviation: uint256) -> uint256:
    return oracle_guard._refusal(price, updated, tolerance, deviation)


@external
@view
def limit(price: uint256, buys: bool, tolerance: uint256) -> uint256:
    return oracle_guard._limit(price, buys, tolerance)


@external
@view
def mean_price() -> uint256:
    return oracle_guard._mean_price(staticcall oracle_guard.POOL.slot0())


@external
@pure
def tick_power(ticks: uint256) -> uint256:
    return oracle_guard._tick_power(ticks)
