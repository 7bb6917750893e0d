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


# @dev Times have 40 bits, a trigger has 8.
TIME: constant(uint256) = 2**40 - 1
TRIGGER: constant(uint256) = 2**8 - 1


_slot: uint256


@internal
@view
def _read() -> Clock:
    slot: uint256 = self._slot
    return Clock(
        arrived=slot & TIME,
        opened=slot >> 40 & TIME,
        opened_up=slot >> 168 & 1 == 1,
        filled=slot >> 80 & TIME,
        filled_trigger=slot >> 160 & TRIGGER,
        allocated=slot >> 120 & TIME,
    )


@internal
def _write(clock: Clock):
    self._slot = (
        clock.arrived
        | clock.opened << 40
        | clock.filled << 80
        | clock.allocated << 120
        | clock.filled_trigger << 160
        | (1 if clock.opened_up else 0) << 168
    )
