"""From a trigger to a trade: where leverage goes, how much that takes, and what forbids it.

``plan_trade`` is the one place where a rebalance is decided; the simulator and the keeper both
call it and carry out what it says.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Generic, NamedTuple

from steelyard.rules.costs import CostRates, TradeCost, no_cost, trade_cost
from steelyard.rules.members import plain_members
from steelyard.rules.numbers import Num
from steelyard.rules.sizing import (
    Payers,
    clip_notional,
    gap_to,
    is_all_of_a_book,
    is_nothing_to_trade,
    size_trade,
    whole_lots,
)
from steelyard.rules.triggers import RebalanceRule, Trigger, exceeds

__all__ = [
    "MoveTo",
    "Outcome",
    "Plan",
    "TradeLimits",
    "destination_of",
    "is_clip_done",
    "plan_trade",
]


UNCONDITIONAL = (int(Trigger.EMERGENCY), int(Trigger.LAUNCH))
"""They always go to the target, whole, and whatever is suspended."""


@plain_members
class MoveTo(IntEnum):
    """Where a rebalance takes leverage."""

    TARGET = 0
    EDGE = 1
    """The edge that was left; inside the band nothing is traded."""
    PARTWAY = 2
    EDGE_OR_TARGET = 3
    """A band's goes to the edge that was left, any other to the target."""


@plain_members
class Outcome(IntEnum):
    """What a plan says."""

    NOTHING = 0
    """There is nothing to trade."""
    TRADE = 1
    BLOCKED = 2
    """It must not be made: suspended while it raises leverage, or its costs take the nav."""
    WAIT = 3
    """It is smaller than the venue takes: it waits, and what made it due stays due."""


class TradeLimits(NamedTuple, Generic[Num]):
    """What the venue takes, in quote at the present price; 0 where there is no such limit."""

    lot_notional: Num
    min_notional: Num
    has_room: bool
    """The counterparty's capacity limits what raises leverage, to ``room``."""
    room: Num


class Plan(NamedTuple, Generic[Num]):
    """A decided trade; ``notional`` is signed, and zero unless the outcome is TRADE."""

    outcome: int
    destination: Num
    notional: Num
    cost: TradeCost[Num]
    is_clip: bool
    """It is a part of what is wanted: the largest clip, or all that a book holds."""
    clipped: bool
    """More clips have to follow before leverage is at its destination."""
    raises: bool
    """|leverage| rises on the way to its destination; false where there is nothing to trade."""
    cut: bool
    """It is smaller than what lands on the destination: clipped, in whole lots, at capacity."""


def _no_trade(outcome: int, destination: Num, nothing: Num, raises: bool) -> Plan[Num]:
    return Plan(outcome, destination, nothing, no_cost(nothing), False, False, raises, False)


def destination_of(rule: RebalanceRule[Num], trigger: int, leverage: Num) -> Num:
    """The signed leverage that a rebalance named by ``trigger`` goes to.

    With a move to the edge that is the edge that was left, and the leverage itself inside the
    band, unless what is not the band's goes to the target. An emergency and the launch always do.
    """
    if trigger in UNCONDITIONAL or rule.move_to == MoveTo.TARGET:
        return rule.target
    if rule.move_to == MoveTo.EDGE_OR_TARGET and trigger != Trigger.BAND:
        return rule.target
    size = abs(leverage)
    if rule.move_to == MoveTo.PARTWAY:
        speed = rule.recentering_speed
        size = size * (1 - speed) + abs(rule.target) * speed
    if rule.has_band:
        if rule.has_lower and size < rule.lower:
            size = rule.lower
        if size > rule.upper:
            size = rule.upper
    if rule.target < 0:
        return -size
    return size


def is_clip_done(destination: Num, raises: bool, leverage: Num) -> bool:
    """Whether leverage has reached or passed the destination of the clips under way."""
    size = abs(leverage)
    reach = abs(destination)
    if raises:
        return not exceeds(reach, size)
    return not exceeds(size, reach)


def plan_trade(
    rule: RebalanceRule[Num],
    rates: CostRates[Num],
    payers: Payers[Num],
    limits: TradeLimits[Num],
    trigger: int,
    destination: Num,
    nav: Num,
    exposure: Num,
    suspended: bool,
    sqrt: Callable[[Num], Num],
) -> Plan[Num]:
    """Decide the trade that takes ``exposure`` (signed notional, quote) to ``destination``.

    A suspension forbids what raises leverage, never what lowers it. Costs that would take the
    whole nav forbid any trade, as does a cost so steep that no trade brings leverage nearer. An
    emergency and the launch know neither clips nor suspensions, but whatever takes all that a book
    holds is a clip. Lots, the smallest trade and the counterparty's capacity hold for all.
    """
    gap = gap_to(destination, nav, exposure)
    raises = gap > 0
    if is_nothing_to_trade(gap, nav):
        return _no_trade(Outcome.NOTHING, destination, exposure * 0, False)
    unconditional = trigger in UNCONDITIONAL
    if suspended and raises and not unconditional:
        return _no_trade(Outcome.BLOCKED, destination, exposure * 0, raises)
    wanted = size_trade(destination, nav, exposure, payers, sqrt)
    notional = wanted
    if not unconditional:
        notional = clip_notional(wanted, rule.max_trade_notional)
    is_clip = notional != wanted or is_all_of_a_book(payers, notional)
    opens = (notional > 0) == (destination > 0)
    lot_notional, min_notional, has_room, room = limits
    if has_room and opens and abs(notional) > room:
        # what the counterparty cannot carry is not opened, now or later: these are no clips
        is_clip = False
        notional = room
        if wanted < 0:
            notional = -room
    if notional == 0:
        return _no_trade(Outcome.BLOCKED, destination, exposure * 0, raises)
    if lot_notional > 0:
        notional = whole_lots(notional, lot_notional)
    if notional == 0 or exceeds(min_notional, abs(notional)):
        return _no_trade(Outcome.WAIT, destination, exposure * 0, raises)
    cost = trade_cost(rates, notional, payers.reserve_value, sqrt)
    if cost.paid_by_nav >= nav:
        return _no_trade(Outcome.BLOCKED, destination, exposure * 0, raises)
    clipped = False
    if is_clip:
        # it may be all but the last digits of what is wanted: then it has arrived
        leverage = (exposure + notional) / (nav - cost.paid_by_nav)
        clipped = not is_clip_done(destination, raises, leverage)
    cut = is_clip or notional != wanted
    return Plan(Outcome.TRADE, destination, notional, cost, is_clip, clipped, raises, cut)
