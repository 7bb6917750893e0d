# pragma version 0.4.3
# pragma nonreentrancy off
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title auction_clock
@custom:contract-name auction_clock
@license GNU Affero General Public License v3.0 only
@notice Since when an auction runs, as pure functions. Fallback and daily auctions run from their
        known due time and begin anew every two durations. A band auction runs from its opening
        and is void after two durations, or where leverage would have to go the other way. Where
        several run, the oldest counts, so that a gift across the band's edge restarts nothing.

        A partial fill leaves its rest under way, in an auction that is as old as the one that
        was filled, less the cooldown. Only an arrival begins fallback and day anew.
@dev The same as `rules/auction_clock.py`.
"""


from .interfaces import IDecision


DAY: constant(uint256) = 86_400

# @dev No clock runs.
NEVER: constant(uint256) = max_value(uint256)


@internal
@pure
def _daily_due(daily_at: uint256, arrived: uint256) -> uint256:
    """
    @notice The first instant at `daily_at` of a UTC day after the last arrival.
    """
    if daily_at >= DAY:
        return NEVER
    # an arrival is later than the first day of any chain
    return daily_at + DAY * ((arrived - daily_at) // DAY + 1)


@internal
@pure
def _began(terms: IDecision.Terms, facts: IDecision.Facts, up: bool, now: uint256) -> uint256:
    """
    @notice When the oldest running auction began; NEVER where none runs, ahead in a cooldown.
    """
    began: uint256 = NEVER
    kept: uint256 = 0
    ends: uint256 = facts.opened + 2 * terms.duration
    # the auction that was opened still runs, in this direction
    if facts.opened > 0 and now <= ends and facts.opened_up == up:
        began = facts.opened
        kept = facts.filled
    began = min(
        began, self._round(facts.arrived + terms.fallback_after, kept, terms.duration, now)
    )
    daily: uint256 = self._daily_due(terms.daily_at, facts.arrived)
    return min(began, self._round(daily, kept, terms.duration, now))


@internal
@pure
def _round(due: uint256, kept: uint256, duration: uint256, now: uint256) -> uint256:
    """
    @notice When the present round of a due auction began; NEVER before it is due, and while the
            rest of a later fill is under way.
    """
    if now < due or due <= kept:
        return NEVER
    return now - (now - due) % (2 * duration)
