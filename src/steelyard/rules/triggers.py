"""The tests of the rebalancing triggers, and the exact prices at which they first hold (SPEC 2).

Two figures count as different only if they differ by more than 1e-12 of their size, on every kind
of number. A leverage that is closer to an edge counts as being on the edge, and a price that is
closer to a threshold counts as being at the threshold.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Generic, NamedTuple

from steelyard.rules.accruals import YEAR_S
from steelyard.rules.leverage import price_at_leverage
from steelyard.rules.liquidation import VenueTerms, liquidation_price
from steelyard.rules.members import plain_members
from steelyard.rules.numbers import Num

__all__ = [
    "Crossing",
    "RebalanceRule",
    "Trigger",
    "crossing",
    "exceeds",
    "first_trigger",
    "has_moved",
    "is_emergency",
    "is_outside_band",
    "is_volatile",
    "next_instant",
]


@plain_members
class Trigger(IntEnum):
    """The triggers of rebalances, in the order in which they are tested."""

    NONE = 0
    LIQUIDATION = 1
    EMERGENCY = 2
    BAND = 3
    MOVE = 4
    VOLATILITY = 5
    INTERVAL = 6
    DAILY = 7
    FALLBACK = 8
    LAUNCH = 9
    CAPACITY = 10
    """The exposure is more than the reserve can carry as counterparty after its losses."""
    ROLL = 11
    """A future is replaced by the next one."""
    FLOW = 12
    """A creation or redemption is traded without a rebalance."""
    WIND_DOWN = 13


class RebalanceRule(NamedTuple, Generic[Num]):
    """A series' rule as scalars; a threshold applies only where its ``has_`` field is true.

    ``lower`` and ``upper`` are the edges of the band. ``lower_limit`` and ``upper_limit`` are the
    leverages at which it acts; with a move to the edge they are ``edge_slack`` farther out.
    """

    target: Num
    move_to: int
    recentering_speed: Num
    has_band: bool
    has_lower: bool
    lower: Num
    upper: Num
    lower_limit: Num
    upper_limit: Num
    has_emergency: bool
    emergency: Num
    has_move: bool
    move_threshold: Num
    move_losing_side_only: bool
    max_trade_notional: Num


class Crossing(NamedTuple, Generic[Num]):
    """The first threshold between one price and another, and the price at which it is met."""

    trigger: int
    price: Num


def exceeds(figure: Num, limit: Num) -> bool:
    """Whether ``figure`` is above a positive ``limit`` by more than 1e-12 of it."""
    return (figure - limit) * 1_000_000_000_000 > limit


def is_emergency(rule: RebalanceRule[Num], leverage: Num) -> bool:
    """Whether |leverage| has reached the emergency leverage."""
    return rule.has_emergency and not exceeds(rule.emergency, abs(leverage))


def is_outside_band(rule: RebalanceRule[Num], leverage: Num) -> bool:
    """Whether |leverage| is strictly beyond the limits at which the band acts."""
    if not rule.has_band:
        return False
    size = abs(leverage)
    return exceeds(size, rule.upper_limit) or (rule.has_lower and exceeds(rule.lower_limit, size))


def has_moved(rule: RebalanceRule[Num], price: Num, reference: Num) -> bool:
    """Whether the price has moved by the threshold since the last rebalance at ``reference``."""
    if not rule.has_move:
        return False
    losing_down = rule.target > 0
    if price > reference:
        counts = not (rule.move_losing_side_only and losing_down)
        return counts and not exceeds(reference * (1 + rule.move_threshold), price)
    counts = losing_down or not rule.move_losing_side_only
    return counts and not exceeds(price, reference * (1 - rule.move_threshold))


def is_volatile(sum_squares: Num, returns: int, window_s: int, annualised: Num) -> bool:
    """Whether ``sqrt(sum r^2 * 365 days / window)`` has reached ``annualised``.

    At least two returns are needed.
    """
    enough = returns >= 2  # noqa: PLR2004 (one return gives no volatility)
    return enough and sum_squares * YEAR_S >= annualised * annualised * window_s


def next_instant(every_s: int, anchor_s: int, after_s: int) -> int:
    """The first of the instants ``anchor + k * every`` that lies after ``after_s`` (epoch s)."""
    return anchor_s + every_s * ((after_s - anchor_s) // every_s + 1)


def first_trigger(
    rule: RebalanceRule[Num],
    leverage: Num,
    price: Num,
    reference: Num,
    volatile: bool,
    interval_due: bool,
    daily_due: bool,
    fallback_due: bool,
) -> int:
    """The first trigger that holds at a scheduled observation, or ``Trigger.NONE``."""
    if is_emergency(rule, leverage):
        return Trigger.EMERGENCY
    if is_outside_band(rule, leverage):
        return Trigger.BAND
    if has_moved(rule, price, reference):
        return Trigger.MOVE
    if volatile:
        return Trigger.VOLATILITY
    if interval_due:
        return Trigger.INTERVAL
    if daily_due:
        return Trigger.DAILY
    if fallback_due:
        return Trigger.FALLBACK
    return Trigger.NONE


def crossing(
    rule: RebalanceRule[Num],
    venue: VenueTerms[Num],
    cash: Num,
    units: Num,
    reference: Num,
    start: Num,
    end: Num,
    emergency_only: bool,
    spent: int,
) -> Crossing[Num]:
    """The first threshold that the price crosses on a continuous path from ``start`` to ``end``.

    Nothing is traded between the two, so leverage is monotone in price and every threshold has one
    price in closed form. A path that starts on a threshold and moves on crosses it. A path that
    ends on a threshold has not crossed it, except for ``move`` and for a nav of zero. Prices within
    1e-12 of each other count as equal; the first in the order of ``Trigger`` is then returned.

    Args:
        rule: the series' rule.
        venue: the venue's terms.
        cash: the fund's cash, quote.
        units: the units of the underlying that it holds.
        reference: the price of the last rebalance.
        start: the price at the start of the path.
        end: the price at the end of the path.
        emergency_only: whether band and move are ignored, as they are between clips.
        spent: bits ``1 << trigger`` of triggers that already acted here and changed nothing.
    """
    found = Crossing(Trigger.NONE, end)
    if start == end or units == 0:
        return found
    rising = end > start
    if rising == (units < 0):
        price = liquidation_price(venue, cash, units)
        # a margin or borrowing limit has to be passed, but a nav of zero ends the token when it is
        # reached
        gone = not venue.spot and venue.maintenance_margin == 0
        found = _earlier(found, Trigger.LIQUIDATION, price, start, end, reached=gone)
    # |leverage| rises with the price where cash is held, and falls where cash is borrowed
    away = cash != 0 and rising == (cash > 0)
    side = units * 0 + 1
    if units < 0:
        side = -side
    if rule.has_emergency and away and not spent & 1 << Trigger.EMERGENCY:
        found = _earlier_leverage(
            found, Trigger.EMERGENCY, side * rule.emergency, cash, units, start, end
        )
    if emergency_only:
        return found
    if rule.has_band and cash != 0 and not spent & 1 << Trigger.BAND:
        if away:
            found = _earlier_leverage(
                found, Trigger.BAND, side * rule.upper_limit, cash, units, start, end
            )
        elif rule.has_lower:
            found = _earlier_leverage(
                found, Trigger.BAND, side * rule.lower_limit, cash, units, start, end
            )
    if rule.has_move and not spent & 1 << Trigger.MOVE:
        losing = rising == (rule.target < 0)
        if losing or not rule.move_losing_side_only:
            threshold = rule.move_threshold
            if not rising:
                threshold = -threshold
            price = reference * (1 + threshold)
            if not _stands_at_or_past(start, price, rising):
                found = _earlier(found, Trigger.MOVE, price, start, end, reached=True)
    return found


def _earlier_leverage(
    found: Crossing[Num],
    trigger: int,
    leverage: Num,
    cash: Num,
    units: Num,
    start: Num,
    end: Num,
) -> Crossing[Num]:
    if leverage == 1:
        # no price gives a position with borrowed or idle cash a leverage of exactly one
        return found
    price = price_at_leverage(cash, units, leverage)
    return _earlier(found, trigger, price, start, end)


def _earlier(
    found: Crossing[Num],
    trigger: int,
    price: Num,
    start: Num,
    end: Num,
    reached: bool = False,
) -> Crossing[Num]:
    """``found``, or the new crossing if it is on the path and earlier by more than 1e-12."""
    if price <= 0:
        return found
    if end > start:
        if exceeds(start, price):
            return found
        if reached and exceeds(price, end):
            return found
        if not reached and not exceeds(end, price):
            return found
        if price < start:
            price = start
        if price > end:
            price = end
        earlier = exceeds(found.price, price)
    else:
        if exceeds(price, start):
            return found
        if reached and exceeds(end, price):
            return found
        if not reached and not exceeds(price, end):
            return found
        if price > start:
            price = start
        if price < end:
            price = end
        earlier = exceeds(price, found.price)
    if found.trigger == 0 or earlier:
        return Crossing(trigger, price)
    return found


def _stands_at_or_past(start: Num, price: Num, rising: bool) -> bool:
    if rising:
        return not exceeds(price, start)
    return not exceeds(start, price)
