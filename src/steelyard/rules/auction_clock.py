"""The time at which an auction began, which decides its premium.

The auction of a fallback or of the daily rebalance begins when that rebalance is due. It begins
again every two durations, so an auction that nobody took restarts at its lowest premium. The
auction of a band begins when someone calls ``open``, and is void after twice its duration. Where
several auctions run, the oldest one counts, so a donation that pushes leverage across the band's
edge cannot restart the premium.

After a partial fill the rest of the rebalance stays on sale. The auction of the rest counts as
being as old as the filled one less the cooldown, and the due times that the fill belonged to do not
count until that auction is over. Only an arrival at the destination restarts the fallback and the
daily rebalance. All times are epoch seconds.
"""

from __future__ import annotations

from typing import NamedTuple

from steelyard.rules.accruals import DAY_S
from steelyard.rules.auction import AuctionTerms
from steelyard.rules.numbers import Num
from steelyard.rules.triggers import Trigger, next_instant

__all__ = [
    "AuctionClock",
    "arrived_clock",
    "auction_began",
    "filled_clock",
    "is_daily_due",
    "is_fallback_due",
    "is_running",
    "is_under_way",
    "opened_clock",
    "void_clock",
]

NEVER = -1


class AuctionClock(NamedTuple):
    """The state that a series keeps of its auctions; a launch counts as an arrival."""

    arrived_s: int
    """The time at which leverage last arrived at a destination."""
    opened_s: int
    """The time at which the running auction began; 0 where none was opened."""
    opened_raises: bool
    """Whether the running auction raises leverage."""
    filled_s: int
    """The time of the last partial fill of the running auction; 0 where there was none."""
    filled_trigger: int
    """The trigger of that partial fill, which decides the destination of the rest."""


def arrived_clock(now_s: int) -> AuctionClock:
    """The clock after an arrival at ``now_s``.

    No auction runs, and the fallback and the daily rebalance count from this time.
    """
    return AuctionClock(now_s, 0, False, 0, Trigger.NONE)


def opened_clock(clock: AuctionClock, raises: bool, now_s: int) -> AuctionClock:
    """The clock after a call of ``open``."""
    return AuctionClock(clock.arrived_s, now_s, raises, 0, Trigger.NONE)


def void_clock(clock: AuctionClock) -> AuctionClock:
    """The clock after a call that found nothing due, or a rebalance in the other direction.

    No auction is open afterwards.
    """
    return AuctionClock(clock.arrived_s, 0, False, 0, Trigger.NONE)


def filled_clock(
    clock: AuctionClock, began_s: int, raises: bool, trigger: int, pause_s: int, now_s: int
) -> AuctionClock:
    """The clock after a partial fill of the rebalance that ``trigger`` called for.

    Args:
        clock: the clock before the fill.
        began_s: the time at which the filled auction began. It is below 0 where none ran, because a
            position in danger is on sale without one; an auction then runs from now on.
        raises: whether the rebalance raises leverage.
        trigger: the trigger that called for the rebalance.
        pause_s: the cooldown in seconds; 0 in an emergency.
        now_s: the time of the fill.
    """
    opened_s = began_s
    if began_s < 0:
        opened_s = now_s
    return AuctionClock(clock.arrived_s, opened_s + pause_s, raises, now_s, trigger)


def is_running(clock: AuctionClock, duration_s: int, raises: bool, now_s: int) -> bool:
    """Whether the auction that was opened still runs, and runs in this direction."""
    fresh = clock.opened_s > 0 and now_s <= clock.opened_s + 2 * duration_s
    return fresh and clock.opened_raises == raises


def is_under_way(clock: AuctionClock, duration_s: int, now_s: int) -> bool:
    """Whether the rest of a partly filled rebalance is still on sale."""
    return clock.filled_s > 0 and is_running(clock, duration_s, clock.opened_raises, now_s)


def is_fallback_due(terms: AuctionTerms[Num], clock: AuctionClock, now_s: int) -> bool:
    """Whether the fallback's time has passed since leverage last arrived at a destination."""
    return terms.fallback_s > 0 and now_s >= clock.arrived_s + terms.fallback_s


def is_daily_due(terms: AuctionTerms[Num], clock: AuctionClock, now_s: int) -> bool:
    """Whether the time of the daily rebalance has come since the last arrival."""
    if terms.daily_at_s < 0:
        return False
    return now_s >= next_instant(DAY_S, terms.daily_at_s, clock.arrived_s)


def auction_began(terms: AuctionTerms[Num], clock: AuctionClock, raises: bool, now_s: int) -> int:
    """The time at which the oldest running auction began; -1 where none runs.

    During a cooldown this time can lie in the future.
    """
    began = NEVER
    kept_s = NEVER
    if is_running(clock, terms.duration_s, raises, now_s):
        began = clock.opened_s
        if clock.filled_s > 0:
            kept_s = clock.filled_s
    if is_fallback_due(terms, clock, now_s):
        due = clock.arrived_s + terms.fallback_s
        if due > kept_s:
            began = _older(began, _round_began(due, terms.duration_s, now_s))
    if is_daily_due(terms, clock, now_s):
        due = next_instant(DAY_S, terms.daily_at_s, clock.arrived_s)
        if due > kept_s:
            began = _older(began, _round_began(due, terms.duration_s, now_s))
    return began


def _round_began(due_s: int, duration_s: int, now_s: int) -> int:
    """The start of the current round of an auction that restarts every two durations."""
    return now_s - (now_s - due_s) % (2 * duration_s)


def _older(one_s: int, other_s: int) -> int:
    if one_s < 0 or other_s < one_s:
        return other_s
    return one_s
