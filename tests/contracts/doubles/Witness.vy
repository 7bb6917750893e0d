# pragma version 0.4.3
# pragma evm-version cancun
"""
@title A position that only makes a pool write observations
@notice A pool writes one where its price or the liquidity around it changes. This holds liquidity
        over the full range, too little to matter, and takes one unit of it out when it is asked.
"""

from ethereum.ercs import IERC20

interface IPool:
    def mint(
        recipient: address, low: int24, high: int24, amount: uint128, data: Bytes[32]
    ) -> (uint256, uint256): nonpayable
    def burn(low: int24, high: int24, amount: uint128) -> (uint256, uint256): nonpayable
    def token0() -> address: view
    def token1() -> address: view


POOL: immutable(IPool)
LOW: immutable(int24)
HIGH: immutable(int24)


@deploy
def __init__(pool: address, low: int24, high: int24):
    POOL = IPool(pool)
    LOW = low
    HIGH = high


@external
def begin(liquidity: uint128):
    """
    @notice Take the position; its tokens must be here.
    """
    extcall POOL.mint(self, LOW, HIGH, liquidity, b"")


@external
def uniswapV3MintCallback(amount0: uint256, amount1: uint256, data: Bytes[32]):
    assert msg.sender == POOL.address, "witness: not the pool"
    assert extcall IERC20(staticcall POOL.token0()).transfer(POOL.address, amount0)
    assert extcall IERC20(staticcall POOL.token1()).transfer(POOL.address, amount1)


@external
def observe():
    extcall POOL.burn(LOW, HIGH, 1)
