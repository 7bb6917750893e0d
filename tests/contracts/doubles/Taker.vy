# pragma version 0.4.3
# pragma evm-version cancun
# pragma nonreentrancy off
"""
@title A taker with a callback
@notice A double. Inside its callback it makes the calls that it was loaded with, remembers which
        worked and what it was told, and pays what it owes less `short`.
"""

from ethereum.ercs import IERC20

struct Call:
    target: address
    data: Bytes[1024]

_calls: DynArray[Call, 16]
worked: public(DynArray[bool, 16])
short: public(uint256)
given: public(address)
amount: public(uint256)
owed: public(address)
owes: public(uint256)
told: public(Bytes[512])


@external
def load(calls: DynArray[Call, 16], short: uint256):
    """
    @notice What to do in the next callback.
    """
    self._calls = calls
    self.short = short
    self.worked = []


@external
def approve(token: address, spender: address):
    extcall IERC20(token).approve(spender, max_value(uint256), default_return_value=True)


@external
def act(target: address, data: Bytes[1024]) -> Bytes[64]:
    """
    @notice Calls anything, and reverts as it does.
    """
    return raw_call(target, data, max_outsize=64)


@external
def on_given(
    given: address, amount: uint256, owed: address, owes: uint256, data: Bytes[512]
):
    self.given = given
    self.amount = amount
    self.owed = owed
    self.owes = owes
    self.told = data
    for each: Call in self._calls:
        self.worked.append(raw_call(each.target, each.data, revert_on_failure=False))
    extcall IERC20(owed).transfer(msg.sender, owes - self.short, default_return_value=True)
