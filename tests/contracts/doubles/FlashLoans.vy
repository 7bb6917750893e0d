# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
"""
@title An attacker's contract
@notice A double. It takes two free flash loans from Morpho and makes any calls on them, in one
        transaction and with no capital of its own.
"""

interface ILender:
    def flashLoan(token: address, assets: uint256, data: Bytes[32]): nonpayable

struct Call:
    target: address
    data: Bytes[1024]

_lender: address
_second: address
_amount: uint256
_inside: bool
_calls: DynArray[Call, 64]


@external
def load(calls: DynArray[Call, 64]):
    """
    @notice What will be done; stored before, only so that calldata stays small in the test.
    """
    self._calls = calls


@external
def go(lender: address, first: address, amount: uint256, second: address, more: uint256):
    self._lender = lender
    self._second = second
    self._amount = more
    self._inside = False
    extcall ILender(lender).flashLoan(first, amount, b"")


@external
def onMorphoFlashLoan(assets: uint256, data: Bytes[32]):
    if not self._inside:
        self._inside = True
        extcall ILender(self._lender).flashLoan(self._second, self._amount, b"")
        return
    for each: Call in self._calls:
        raw_call(each.target, each.data)
