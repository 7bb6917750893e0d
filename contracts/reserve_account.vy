# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title reserve_account
@custom:contract-name reserve_account
@license GNU Affero General Public License v3.0 only
@notice What a reserve pays of a premium and takes of one, as pure functions; amounts in the
        underlying. W is the nav of the supply that counts: the lesser of present supply and its
        mean over a day. What is paid follows W, an account and time, never the notional, because
        whoever fills chooses the notional.
@dev The same as `rules/reserve_account.py`; payments are rounded down.
"""


DAY: constant(uint256) = 86_400
WEEK: constant(uint256) = 7 * DAY

# @dev Outside an emergency an account pays at most so small a part of itself: a 25th.
ACCOUNT_PARTS: constant(uint256) = 25

# @dev In an emergency the reserve pays at most a 50th of W, 2 %, until a day has passed without
# such a payment.
RESCUE_PARTS: constant(uint256) = 50

# @dev All series together draw at most a quarter of the common part, likewise.
COMMON_PARTS: constant(uint256) = 4

# @dev An account that holds a quarter of W is full: fees and gains go to the common part.
FULL_PARTS: constant(uint256) = 4


@internal
@pure
def _remembered(used: uint256, cap: uint256, elapsed: uint256, period: uint256) -> uint256:
    """
    @notice What is left of `used` where `cap` is forgotten evenly within `period`; rounded up.
    """
    return used - min(used, cap * elapsed // period)


@internal
@pure
def _remembered_whole(used: uint256, elapsed: uint256) -> uint256:
    """
    @notice All of `used`, until a day has passed since the last use. Forgotten evenly, a cap
            could be used up twice within 24 hours.
    """
    return 0 if elapsed >= DAY else used


@internal
@pure
def _within(wanted: uint256, cap: uint256, used: uint256) -> uint256:
    """
    @notice What of `wanted` a cap leaves room for.
    """
    return min(wanted, cap - min(cap, used))


@internal
@pure
def _paying_cap(cap: uint256, account: uint256, paid: uint256) -> uint256:
    """
    @notice The lesser of K * W and a 25th of the account with what is remembered as paid, so
            that nobody empties an account quickly.
    """
    return min(cap, (account + paid) // ACCOUNT_PARTS)


@internal
@pure
def _kept(account: uint256, amount: uint256, weighted: uint256) -> uint256:
    """
    @notice What of an amount an account takes in before it holds a quarter of W.
    """
    full: uint256 = weighted // FULL_PARTS
    return min(amount, full - min(full, account))
