# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title reserve_payments
@custom:contract-name reserve_payments
@license GNU Affero General Public License v3.0 only
@notice What a fill's premium costs a series' account, and in an emergency the common part. The
        caps are in reserve_account; here is what they remember.
"""


from .interfaces import IReserve

from . import reserve_account
from . import reserve_books
from . import reserve_config
uses: reserve_books


# @dev Emitted for each fill's premium: `paid` is below zero where the reserve gained. `asked` is
# the whole premium, `counted` what the cap left of it before scaling.
event Settled:
    series: indexed(address)
    paid: int256
    asked: uint256
    counted: uint256
    emergency: bool
    account: uint256


WAD: constant(uint256) = 10**18


# @dev paid << 160 | gained << 64 | settled at.
_memory: HashMap[address, uint256]

# @dev rescued << 64 | rescued at.
_rescues: HashMap[address, uint256]


@internal
def _calm(what: IReserve.Settlement, word: uint256) -> uint256:
    """
    @notice Outside an emergency, and for every gain.
    @param word The account's.
    """
    held: uint256 = reserve_books._held(word)
    memory: uint256 = self._memory[msg.sender]
    elapsed: uint256 = block.timestamp - (memory & reserve_books.TIME)
    counts: uint256 = min(what.mean_day, what.supply)
    weighted: uint256 = what.nav * counts // what.supply
    # what a cap leaves room for is told by the memory, which has to hold all of the cap
    cap: uint256 = min(weighted * what.rate // WAD, reserve_books.AMOUNT)
    paid: uint256 = memory >> 160
    most: uint256 = reserve_account._paying_cap(cap, held, paid)
    paid = reserve_account._remembered(paid, most, elapsed, reserve_account.WEEK)
    gained: uint256 = reserve_account._remembered(
        memory >> 64 & reserve_books.AMOUNT, cap, elapsed, reserve_account.WEEK
    )
    counted: uint256 = 0
    due: uint256 = 0
    if what.gains:
        counted = reserve_account._within(what.amount, cap, gained)
        gained += counted
        due = counted * counts // what.supply
        held = reserve_books._take_in(msg.sender, word, due, weighted)
    else:
        counted = reserve_account._within(what.amount, most, paid)
        paid += counted
        due = min(counted * counts // what.supply, held)
        held -= due
        reserve_books._keep(msg.sender, word, held)
    self._memory[msg.sender] = paid << 160 | gained << 64 | block.timestamp
    self._log_settled(what, due, counted, held)
    if not what.gains:
        reserve_config._send(what.receiver, due)
    return due


@internal
def _rescue(what: IReserve.Settlement, word: uint256) -> uint256:
    """
    @notice What is paid in an emergency: from the account, then from the common part.
    @param word The account's.
    """
    held: uint256 = reserve_books._held(word)
    memory: uint256 = self._rescues[msg.sender]
    counts: uint256 = min(what.mean_day, what.supply)
    most: uint256 = what.nav * counts // what.supply // reserve_account.RESCUE_PARTS
    used: uint256 = reserve_account._remembered_whole(
        memory >> 64, block.timestamp - (memory & reserve_books.TIME)
    )
    counted: uint256 = reserve_account._within(what.amount, most, used)
    due: uint256 = counted * counts // what.supply
    own: uint256 = min(due, held)
    due = own + reserve_books._draw(due - own)
    if counted > 0:
        self._rescues[msg.sender] = (used + counted) << 64 | block.timestamp
    if own > 0:
        held -= own
        reserve_books._keep(msg.sender, word, held)
    self._log_settled(what, due, counted, held)
    reserve_config._send(what.receiver, due)
    return due


@internal
def _log_settled(
    what: IReserve.Settlement, due: uint256, counted: uint256, held: uint256
):
    paid: int256 = convert(due, int256)
    log Settled(
        series=msg.sender,
        paid=-paid if what.gains else paid,
        asked=what.amount,
        counted=counted,
        emergency=what.emergency,
        account=held,
    )
