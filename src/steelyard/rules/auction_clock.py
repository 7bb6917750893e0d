"""When an auction began: a band's when it was opened, a fallback's and a day's when they were due.

A fallback and the daily rebalance run from their known due time and begin anew every two
durations, so that an auction nobody took starts again from its cheapest price. A band's auction
runs from ``open`` and is void after twice its duration. Where several run, the oldest counts:
a gift that brings leverage across the band's edge restarts nothing.

A partial fill leaves the rest of its rebalance under way. That auction is as old as the one that
was filled, less the cooldown; the clocks that it was taken from wait until it is over. Only an
arrival at the destination restarts the fallback and the day. All times are epoch seconds.
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
    """All that a series remembers of its auctions; a launch is an arrival."""

    arrived_s: int
    """When leverage last arrived at a destination."""
    opened_s: int
    """When the running auction began; 0 where none was opened."""
    opened_raises: bool
    """Whether that one raises leverage."""
    filled_s: int
    """When that one was last filled in part; 0 where it was not."""
    filled_trigger: int
    """What named the fill: it says where the rest goes."""


def arrived_clock(now_s: int) -> AuctionClock:
    """The clock after an arrival: nothing runs, and fallback and day count from here."""
    return AuctionClock(now_s, 0, False, 0, Trigger.NONE)


def opened_clock(clock: AuctionClock, raises: bool, now_s: int) -> AuctionClock:
    """The clock after ``open``."""
    return AuctionClock(clock.arrived_s, now_s, raises, 0, Trigger.NONE)


def void_clock(clock: AuctionClock) -> AuctionClock:
    """The clock after a call that found nothing due, or another direction: nothing is opened."""
    return AuctionClock(clock.arrived_s, 0, False, 0, Trigger.NONE)


def filled_clock(
    clock: AuctionClock, began_s: int, raises: bool, trigger: int, pause_s: int, now_s: int
) -> AuctionClock:
    """The clock after a partial fill, in a rebalance that ``trigger`` names.

    Args:
        clock: before the fill.
        began_s: when the auction that was filled began; below 0 where none ran, since danger
            needs no clock: then one runs from now on.
        raises: whether it raises leverage.
        trigger: what names the rebalance.
        pause_s: the cooldown; none in an emergency.
        now_s: the time of the fill.
    """
    opened_s = began_s
    if began_s < 0:
        opened_s = now_s
    return AuctionClock(clock.arrived_s, opened_s + pause_s, raises, now_s, trigger)


def is_running(clock: AuctionClock, duration_s: int, raises: bool, now_s: int) -> bool:
    """Whether the auction that was opened still runs, and in this direction."""
    fresh = clock.opened_s > 0 and now_s <= clock.opened_s + 2 * duration_s
    return fresh and clock.opened_raises == raises


def is_under_way(clock: AuctionClock, duration_s: int, now_s: int) -> bool:
    """Whether a partial fill left a rest that is still on sale."""
    return clock.filled_s > 0 and is_running(clock, duration_s, clock.opened_raises, now_s)


def is_fallback_due(terms: AuctionTerms[Num], clock: AuctionClock, now_s: int) -> bool:
    """Whether leverage has not arrived anywhere for the time of the fallback."""
    return terms.fallback_s > 0 and now_s >= clock.arrived_s + terms.fallback_s


def is_daily_due(terms: AuctionTerms[Num], clock: AuctionClock, now_s: int) -> bool:
    """Whether the set time of day has come since the last arrival."""
    if terms.daily_at_s < 0:
        return False
    return now_s >= next_instant(DAY_S, terms.daily_at_s, clock.arrived_s)


def auction_began(terms: AuctionTerms[Num], clock: AuctionClock, raises: bool, now_s: int) -> int:
    """When the oldest running auction began; -1 where none runs, ahead during a cooldown."""
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
    """The start of the present round of an auction that begins anew every two durations."""
    return now_s - (now_s - due_s) % (2 * duration_s)


def _older(one_s: int, other_s: int) -> int:
    if one_s < 0 or other_s < one_s:
        return other_s
    return one_s
