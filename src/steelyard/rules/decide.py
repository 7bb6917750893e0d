"""The decision from a trigger to a trade: its destination, its size, and what forbids it.

``plan_trade`` is the only place where a rebalance is decided. The simulator and the keeper both
call it and execute its plan.
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
"""These triggers always trade to the target, without clips, even during a suspension."""


@plain_members
class MoveTo(IntEnum):
    """The rule for the destination of a rebalance."""

    TARGET = 0
    EDGE = 1
    """The nearest edge of the band, where leverage is outside it; inside the band nothing is
    traded."""
    PARTWAY = 2
    EDGE_OR_TARGET = 3
    """The nearest edge for a rebalance by the trigger ``band``, and the target for any other."""


@plain_members
class Outcome(IntEnum):
    """The outcome of a plan."""

    NOTHING = 0
    """There is nothing to trade."""
    TRADE = 1
    BLOCKED = 2
    """The trade is forbidden: it would raise leverage during a suspension, or cost the whole
    nav."""
    WAIT = 3
    """The trade is smaller than the venue accepts, so it waits, and its trigger stays due."""


class TradeLimits(NamedTuple, Generic[Num]):
    """The limits of the venue, in quote at the present price; 0 where there is no such limit."""

    lot_notional: Num
    min_notional: Num
    has_room: bool
    """Whether the counterparty's capacity limits trades that raise leverage to ``room``."""
    room: Num


class Plan(NamedTuple, Generic[Num]):
    """A decided trade; ``notional`` (quote) is signed, and zero unless the outcome is TRADE."""

    outcome: int
    destination: Num
    notional: Num
    cost: TradeCost[Num]
    is_clip: bool
    """Whether it is one clip of a larger trade: the largest clip, or the whole depth of a book."""
    clipped: bool
    """Whether more clips have to follow before leverage is at its destination."""
    raises: bool
    """Whether |leverage| rises on the way to its destination; false where nothing is to be
    traded."""
    cut: bool
    """Whether it is too small to land on the destination, because of clips, lots or capacity."""


def _no_trade(outcome: int, destination: Num, nothing: Num, raises: bool) -> Plan[Num]:
    return Plan(outcome, destination, nothing, no_cost(nothing), False, False, raises, False)


def destination_of(rule: RebalanceRule[Num], trigger: int, leverage: Num) -> Num:
    """The destination (signed leverage) of a rebalance that ``trigger`` calls for.

    With a move to the edge the destination is the nearest edge where leverage is outside the band.
    Inside the band it is the present leverage. With ``EDGE_OR_TARGET`` every trigger but ``band``
    goes to the target. An emergency and the launch always go to the target.
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
    """Whether leverage has reached or passed the destination of a series of clips."""
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

    A suspension forbids trades that raise leverage, and never those that lower it. A trade is also
    forbidden where its costs would take the whole nav, or where costs rise so steeply that no trade
    brings leverage nearer to the destination. Clips and suspensions do not apply to an emergency or
    a launch, but a trade that takes the whole depth of a book is always a clip. Lots, the smallest
    trade and the counterparty's capacity apply to every trade.
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
        # exposure beyond the counterparty's capacity is not opened now or later, so it is no clip
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
        # where only rounding is missing to the destination, leverage has arrived
        leverage = (exposure + notional) / (nav - cost.paid_by_nav)
        clipped = not is_clip_done(destination, raises, leverage)
    cut = is_clip or notional != wanted
    return Plan(Outcome.TRADE, destination, notional, cost, is_clip, clipped, raises, cut)
