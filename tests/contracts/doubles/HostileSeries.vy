# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
"""
@title A contract that answers as a series where it is traded with
@notice A double. It says that it gave what it did not give, calls back as often as it was loaded
        to, and tries to enter its caller again from within.
"""

from ethereum.ercs import IERC20

interface Back:
    def on_given(given: address, amount: uint256, owed: address, owes: uint256, data: Bytes[512]): nonpayable

BACK: immutable(address)
_given: address
_amount: uint256
_owed: address
_owes: uint256
_times: uint256
_entry: Bytes[1024]
entered: public(bool)


@deploy
def __init__(back: address):
    BACK = back


@external
def load(given: address, amount: uint256, owed: address, owes: uint256, times: uint256 = 1, entry: Bytes[1024] = b""):
    """
    @notice What to say in the next callback, how often, and what to call before it.
    """
    self._given = given
    self._amount = amount
    self._owed = owed
    self._owes = owes
    self._times = times
    self._entry = entry


@internal
def _back():
    if len(self._entry) > 0:
        self.entered = raw_call(BACK, self._entry, revert_on_failure=False)
    for place: uint256 in range(8):
        if place < self._times:
            extcall Back(BACK).on_given(self._given, self._amount, self._owed, self._owes, b"")


@external
def rebalance(most: uint256, limit: int256, data: Bytes[512]) -> (uint256, uint256):
    self._back()
    return 0, 0


@external
def mint(tokens: uint256, most: uint256, receiver: address, data: Bytes[512]) -> (uint256, uint256):
    self._back()
    return 0, 0
