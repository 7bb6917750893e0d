# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
"""
@title A contract that attacks
@notice A double. It makes any calls one after the other in one transaction, or one call from the
        middle of a swap or of a flash loan that it took. It takes no ether and answers nothing
        else: whoever expects it to be told of something finds that it reverts.
"""

from ethereum.ercs import IERC20

interface IPool:
    def swap(
        recipient: address, zero_for_one: bool, amount: int256, limit: uint160, data: Bytes[32]
    ) -> (int256, int256): nonpayable
    def token0() -> address: view
    def token1() -> address: view

interface ILender:
    def flashLoan(token: address, assets: uint256, data: Bytes[32]): nonpayable

struct Call:
    target: address
    data: Bytes[1024]

pool: IPool
call: Call
succeeded: public(bool)
response: public(Bytes[512])


@external
def run(calls: DynArray[Call, 16]):
    """
    @notice All of them, or nothing.
    """
    for each: Call in calls:
        raw_call(each.target, each.data)


@external
def in_swap(pool: address, zero_for_one: bool, amount: int256, limit: uint160, inner: Call):
    """
    @notice Swap what lies here, and make the call before the pool is paid.
    """
    self.pool = IPool(pool)
    self.call = inner
    extcall self.pool.swap(self, zero_for_one, amount, limit, b"")


@external
def in_flash_loan(lender: address, token: address, assets: uint256, inner: Call):
    """
    @notice Make the call while this much is lent.
    """
    self.call = inner
    assert extcall IERC20(token).approve(lender, assets)
    extcall ILender(lender).flashLoan(token, assets, b"")


@internal
def _inner():
    self.succeeded, self.response = raw_call(
        self.call.target, self.call.data, max_outsize=512, revert_on_failure=False
    )


@external
def uniswapV3SwapCallback(amount0: int256, amount1: int256, data: Bytes[32]):
    self._inner()
    if amount0 > 0:
        assert extcall IERC20(staticcall self.pool.token0()).transfer(
            msg.sender, convert(amount0, uint256)
        )
    if amount1 > 0:
        assert extcall IERC20(staticcall self.pool.token1()).transfer(
            msg.sender, convert(amount1, uint256)
        )


@external
def onMorphoFlashLoan(assets: uint256, data: Bytes[32]):
    self._inner()
