# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title supply_mean
@custom:contract-name supply_mean
@license GNU Affero General Public License v3.0 only
@notice A series' supply averaged over a day and over seven, and its fees, in one slot. What the
        reserve pays follows the averages, because nobody can borrow a past: capital that stays
        for an hour moves the day's mean by a twenty-fifth of it.

        Before each change of the supply: mean += (supply - mean) * x / (1 + x), x = elapsed / T.
        That is exact on fractions and never above the exponential mean, however often it is
        updated.
@dev Means are kept in units of 1e-9 token and rounded down; so 64 bits hold 18 billion tokens;
     of more, 18 billion count.
     Fees beyond 96 bits are not counted and stay with the holders.
"""


DAY: constant(uint256) = 86_400
WEEK: constant(uint256) = 7 * DAY

# @dev Raw tokens in a unit of the means.
UNIT: constant(uint256) = 10**9

MEAN: constant(uint256) = 2**64 - 1
TIME: constant(uint256) = 2**32 - 1
MOST_FEES: constant(uint256) = 2**96 - 1


# @dev fees << 160 | day's mean << 96 | week's mean << 32 | when.
_slot: uint256


@internal
@view
def _means(supply: uint256) -> (uint256, uint256):
    """
    @notice Both means up to now, in raw tokens.
    @param supply The supply since the last change.
    """
    slot: uint256 = self._slot
    elapsed: uint256 = block.timestamp - (slot & TIME)
    now: uint256 = supply // UNIT
    day: uint256 = self._mean(slot << 96 >> 192, now, elapsed, DAY)
    week: uint256 = self._mean(slot << 160 >> 192, now, elapsed, WEEK)
    # neither is above both its old value and the supply: in raw tokens as well it is a word
    return unsafe_mul(day, UNIT), unsafe_mul(week, UNIT)


@internal
@pure
def _mean(mean: uint256, supply: uint256, elapsed: uint256, over: uint256) -> uint256:
    """
    @notice (mean * T + supply * elapsed) / (T + elapsed), rounded down.
    """
    # a mean has 64 bits, and a week fewer than 20
    return (unsafe_mul(mean, over) + supply * elapsed) // (over + elapsed)


@internal
@view
def _fees() -> uint256:
    """
    @notice Raw collateral that lies in Morpho as fees.
    """
    return self._slot >> 160


@internal
def _store(day: uint256, week: uint256, fees: uint256):
    """
    @notice Keeps the means of now and the fees; to be called before the supply changes.
    """
    # a mean that stops at its most pays and suspends as if there were fewer tokens; refusing to
    # keep it would close the exit
    self._slot = (
        min(fees, MOST_FEES) << 160
        | min(day // UNIT, MEAN) << 96
        | min(week // UNIT, MEAN) << 32
        | block.timestamp & TIME
    )


@internal
def _begin(supply: uint256):
    """
    @notice At launch the day's mean is zero, so that a new series is paid for nothing, and the
            week's is the launched supply, which the injection was measured by.
    """
    self._store(0, supply, 0)


@internal
def _take_fees() -> uint256:
    """
    @notice Forgets the fees, which are about to leave, and says how many they were.
    """
    fees: uint256 = self._slot >> 160
    self._slot = self._slot << 96 >> 96
    return fees
