# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title reserve_books
@custom:contract-name reserve_books
@license GNU Affero General Public License v3.0 only
@notice What the accounts and the common part hold, each account in one slot with its two flags,
        and what the common part has paid in emergencies.
"""


from . import reserve_account


# @dev Emitted when a fill or an allocation changes what the common part holds.
event CommonChanged:
    common: uint256


# @dev Packed: amounts of 96 bits, times of 64, flags.
AMOUNT: constant(uint256) = 2**96 - 1
TIME: constant(uint256) = 2**64 - 1
IS_SERIES: constant(uint256) = 1
SUSPENDED: constant(uint256) = 2


# @dev held << 2 | SUSPENDED | IS_SERIES.
_accounts: HashMap[address, uint256]

# @dev The common part, and what was drawn from it << 64 | when.
common: public(uint256)
_drawn: uint256


@external
@view
def drawn() -> (uint256, uint256):
    """
    @notice What emergencies drew from the common part, and when they last did.
    """
    return self._drawn >> 64, self._drawn & TIME


@external
@view
def is_series(series_: address) -> bool:
    """
    @notice Whether a series was launched with this reserve.
    @param series_ The series.
    """
    return self._accounts[series_] & IS_SERIES != 0


@internal
@view
def _known(series_: address) -> uint256:
    """
    @notice The account's word; refuses a stranger.
    """
    word: uint256 = self._accounts[series_]
    assert word & IS_SERIES != 0, "reserve: not its series"
    return word


@internal
@pure
def _held(word: uint256) -> uint256:
    return word >> 2


@internal
def _keep(series_: address, word: uint256, held: uint256):
    """
    @notice Writes what an account holds, and leaves the flags of its word.
    """
    self._accounts[series_] = held << 2 | word & 3


@internal
def _keep_common(held: uint256):
    """
    @notice Writes what the common part holds, and says so: a fill that leaves it alone does not
            read it.
    """
    self.common = held
    log CommonChanged(common=held)


@internal
def _take_in(series_: address, word: uint256, amount: uint256, weighted: uint256) -> uint256:
    """
    @notice Into an account until it is full, the rest into the common part.
    @return uint256 What the account holds.
    """
    held: uint256 = self._held(word)
    kept: uint256 = reserve_account._kept(held, amount, weighted)
    if kept > 0:
        self._keep(series_, word, held + kept)
    if amount > kept:
        self._keep_common(self.common + amount - kept)
    return held + kept


@internal
def _draw(wanted: uint256) -> uint256:
    """
    @notice What the common part pays of an amount.
    """
    if wanted == 0:
        return 0
    word: uint256 = self._drawn
    common_: uint256 = self.common
    used: uint256 = reserve_account._remembered_whole(
        word >> 64, block.timestamp - (word & TIME)
    )
    most: uint256 = (common_ + used) // reserve_account.COMMON_PARTS
    paid: uint256 = reserve_account._within(wanted, most, used)
    if paid > 0:
        self._keep_common(common_ - paid)
        self._drawn = (used + paid) << 64 | block.timestamp
    return paid
