# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title clock_slot
@custom:contract-name clock_slot
@license GNU Affero General Public License v3.0 only
@notice What a series remembers of its auctions, in one slot. What the times mean is told in
        auction_clock.
"""


struct Clock:
    arrived: uint256           # when leverage last arrived at a destination; a launch is one
    opened: uint256            # when the auction that was opened began; 0: none was
    opened_up: bool
    filled: uint256            # when that one was last filled in part; 0: it was not
    filled_trigger: uint256    # what named that fill: it says where the rest goes
    allocated: uint256         # when fees last left


# @dev arrived | opened << 40 | filled << 80 | allocated << 120 | filled_trigger << 160 | opened_up
# << 168: times have 40 bits, a trigger has 8. Shifts to and fro are shorter code than a mask.
_slot: uint256


@internal
@view
def _read() -> Clock:
    slot: uint256 = self._slot
    return Clock(
        arrived=slot << 216 >> 216,
        opened=slot << 176 >> 216,
        opened_up=slot >> 168 & 1 == 1,
        filled=slot << 136 >> 216,
        filled_trigger=slot << 88 >> 248,
        allocated=slot << 96 >> 216,
    )


@internal
def _write(clock: Clock):
    self._slot = (
        clock.arrived
        | clock.opened << 40
        | clock.filled << 80
        | clock.allocated << 120
        | clock.filled_trigger << 160
        | convert(clock.opened_up, uint256) << 168
    )
