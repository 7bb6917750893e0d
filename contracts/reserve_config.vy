# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title reserve_config
@custom:contract-name reserve_config
@license GNU Affero General Public License v3.0 only
@notice What is fixed for a reserve, in its clone's code, and the sending of what it holds.
"""


from ethereum.ercs import IERC20


# @dev What is fixed.
struct Config:
    factory: address
    underlying: address
    native_oracle: address     # underlying per wei of the native coin, times 1e36; empty: the
    creator: address           # underlying is the wrapped native coin itself


# @dev Bytes of a clone's code before what is appended, and words of Config.
PREFIX: constant(uint256) = 45
WORDS: constant(uint256) = 4


@external
@view
def underlying() -> address:
    """
    @notice What the reserve holds.
    """
    return self._underlying()


@external
@view
def creator() -> address:
    """
    @notice Who launched it.
    """
    return self._config().creator


@external
@view
def config() -> Config:
    """
    @notice All that is fixed.
    """
    return self._config()


@internal
@view
def _config() -> Config:
    me: address = self
    return abi_decode(slice(me.code, PREFIX, 32 * WORDS), Config)


@internal
@view
def _underlying() -> address:
    """
    @notice The second word alone.
    """
    me: address = self
    return convert(convert(slice(me.code, PREFIX + 32, 32), bytes32), address)


@internal
def _send(receiver: address, amount: uint256):
    if amount > 0:
        assert extcall IERC20(self._underlying()).transfer(
            receiver, amount, default_return_value=True
        ), "reserve: send"
