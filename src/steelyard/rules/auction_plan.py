"""The decision of an auction: whether a rebalance is due, its destination, size and premium.

``plan_auction`` returns what anyone may take at a given time. The contract, its lens and its keeper
compute the same plan. Tests compare the contract's integers with this plan on ``Fraction``.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Generic, NamedTuple

from steelyard.rules.auction import (
    AuctionTerms,
    collateral_multiple,
    danger_at,
    guarded_premium,
    premium_at,
)
from steelyard.rules.auction_clock import (
    AuctionClock,
    arrived_clock,
    auction_began,
    filled_clock,
    is_daily_due,
    is_fallback_due,
    is_under_way,
    void_clock,
)
from steelyard.rules.auction_size import (
    LEAST_PARTS,
    fill_least,
    fill_most,
    has_arrived,
    lendable_size,
    rescue_least,
)
from steelyard.rules.decide import destination_of, is_clip_done
from steelyard.rules.members import plain_members
from steelyard.rules.numbers import Num
from steelyard.rules.reserve_account import RESCUE_PARTS
from steelyard.rules.sizing import gap_to, is_nothing_to_trade
from steelyard.rules.triggers import RebalanceRule, Trigger, first_trigger, is_emergency

__all__ = [
    "AuctionBooks",
    "AuctionPlan",
    "AuctionState",
    "auction_trigger",
    "clock_after_call",
    "clock_after_fill",
    "plan_auction",
]


@plain_members
class AuctionState(IntEnum):
    """What anyone may do about a rebalance now."""

    IDLE = 0
    """Nothing is due."""
    UNOPENED = 1
    """Leverage is outside the band, and nobody has opened the auction yet."""
    OPEN = 2
    """A fill is accepted."""
    COOLING = 3
    """A part was filled, and its cooldown is not over."""
    SUSPENDED = 4
    """The rebalance would raise leverage, which is suspended because the reserve is short."""
    UNLENT = 5
    """The rebalance would raise leverage, and the lender has nothing left to lend."""
    LOST = 6
    """No fill can bring the position below the lender's threshold; only liquidation remains."""
    JUMPED = 7
    """After a large jump of the feed the taker would pay so much that a raise lowers leverage."""


class AuctionBooks(NamedTuple, Generic[Num]):
    """The position of a series at the oracle's price, in quote.

    Collateral and debt are both positive.
    """

    collateral: Num
    debt: Num
    lendable: Num
    """The amount that can still be borrowed, quote."""
    shift: Num
    """The share of notional that the guard against jumps takes off the premium (``jump_shift``)."""


class AuctionPlan(NamedTuple, Generic[Num]):
    """The rebalance on sale; amounts are notional in quote, and zero unless the state is OPEN."""

    state: int
    trigger: int
    """The trigger of the rebalance; once it is partly filled, the trigger of its first fill."""
    emergency: bool
    """Whether |leverage| is at or above the emergency leverage now."""
    raises: bool
    destination: Num
    """Signed leverage."""
    began_s: int
    """The time at which the auction began, epoch s; -1 where it is on sale because of danger
    alone."""
    danger: Num
    premium: Num
    gap: Num
    """Notional missing to the destination, before the premium and the reserve's payment."""
    whole: Num
    """The largest fill that does not overshoot the destination; ``has_arrived`` measures by it."""
    most: Num
    """The largest fill accepted now: ``whole``, limited by the largest clip and by the lender."""
    least: Num
    """The smallest fill accepted. Where the lender can lend so little that ``most`` is smaller, a
    fill of all of ``most`` is accepted, and it does not count as a partial fill."""


def plan_auction(
    rule: RebalanceRule[Num],
    terms: AuctionTerms[Num],
    clock: AuctionClock,
    books: AuctionBooks[Num],
    suspended: bool,
    now_s: int,
) -> AuctionPlan[Num]:
    """Decide what is on sale now.

    An emergency goes to the target regardless of clips, cooldowns and suspensions. A fill that
    starts beyond the lender's threshold must end below it. Nothing is on sale for a series without
    nav. A raise is not on sale either where its taker would pay a share of nav / collateral of the
    notional or more, because nav would then gain so much that leverage falls.
    """
    nav = books.collateral - books.debt
    nothing = nav * 0
    if nav <= 0:
        return _no_sale(AuctionState.IDLE, Trigger.NONE, False, False, rule.target, -1, nothing)
    exposure = books.collateral
    if rule.target < 0:
        exposure = -books.debt
    leverage = exposure / nav
    trigger = auction_trigger(rule, terms, clock, leverage, now_s)
    destination = destination_of(rule, trigger, leverage)
    gap = gap_to(destination, nav, exposure)
    if trigger == Trigger.NONE or is_nothing_to_trade(gap, nav):
        return _no_sale(AuctionState.IDLE, Trigger.NONE, False, False, rule.target, -1, nothing)
    emergency = is_emergency(rule, leverage)
    raises = gap > 0
    gap = abs(gap)
    ltv = books.debt / books.collateral
    danger = danger_at(terms, ltv)
    began_s = auction_began(terms, clock, raises, now_s)
    state = _state(terms, clock, books, began_s, danger > 0, raises, emergency, suspended, now_s)
    if state != AuctionState.OPEN:
        return _no_sale(state, trigger, emergency, raises, destination, began_s, danger)
    elapsed_s = 0
    if 0 <= began_s < now_s:
        elapsed_s = now_s - began_s
    premium = guarded_premium(terms, premium_at(terms, elapsed_s, danger), books.shift, ltv)
    if raises and premium < 0 and -premium * books.collateral >= nav:
        state = AuctionState.JUMPED
        return _no_sale(state, trigger, emergency, raises, destination, began_s, danger)
    cap = nav * terms.reserve_cap
    if emergency:
        cap = nav / RESCUE_PARTS
    whole = fill_most(gap, collateral_multiple(destination), premium, cap, raises)
    if whole > books.debt and not raises:
        whole = books.debt
    rescue = rescue_least(books.debt, books.collateral, terms.threshold, premium, nothing)
    if rescue > whole:
        return _no_sale(AuctionState.LOST, trigger, emergency, raises, destination, began_s, danger)
    most = whole
    if 0 < rule.max_trade_notional < most and not emergency and rescue == 0:
        most = rule.max_trade_notional
    least = fill_least(most, emergency)
    if rescue > least:
        least = rescue
    if raises:
        most = lendable_size(most, premium, books.lendable)
    return AuctionPlan(
        AuctionState.OPEN,
        trigger,
        emergency,
        raises,
        destination,
        began_s,
        danger,
        premium,
        gap,
        whole,
        most,
        least,
    )


def auction_trigger(
    rule: RebalanceRule[Num],
    terms: AuctionTerms[Num],
    clock: AuctionClock,
    leverage: Num,
    now_s: int,
) -> int:
    """The trigger that makes a rebalance due, or ``Trigger.NONE``.

    A partly filled rebalance continues until leverage is at its destination. Only an emergency
    takes precedence over it.
    """
    if is_emergency(rule, leverage):
        return Trigger.EMERGENCY
    if is_under_way(clock, terms.duration_s, now_s):
        destination = destination_of(rule, clock.filled_trigger, leverage)
        if not is_clip_done(destination, clock.opened_raises, leverage):
            return clock.filled_trigger
    one = leverage * 0 + 1
    daily_due = is_daily_due(terms, clock, now_s)
    fallback_due = is_fallback_due(terms, clock, now_s)
    return first_trigger(rule, leverage, one, one, False, False, daily_due, fallback_due)


def clock_after_call(clock: AuctionClock, plan: AuctionPlan[Num]) -> AuctionClock:
    """The clock after a call that found this plan; an auction that no longer applies is voided."""
    if plan.state == AuctionState.IDLE or plan.raises != clock.opened_raises:
        return void_clock(clock)
    return clock


def clock_after_fill(
    terms: AuctionTerms[Num],
    clock: AuctionClock,
    plan: AuctionPlan[Num],
    size: Num,
    now_s: int,
) -> AuctionClock:
    """The clock after a fill of ``size``: an arrival, or a partial fill."""
    if size < plan.least:
        return clock
    if has_arrived(plan.whole, size, plan.gap):
        return arrived_clock(now_s)
    full = plan.most
    # anyone can change what the lender has left by borrowing for a moment, so the cooldown is in
    # proportion to what would be on sale without that limit; the tolerance covers rounding
    if plan.raises and (plan.least * LEAST_PARTS - full) * 10**9 > full:
        full = plan.least * LEAST_PARTS
    pause_s = int(terms.cooldown_s * size / full)
    if plan.emergency:
        pause_s = 0
    return filled_clock(clock, plan.began_s, plan.raises, plan.trigger, pause_s, now_s)


def _state(
    terms: AuctionTerms[Num],
    clock: AuctionClock,
    books: AuctionBooks[Num],
    began_s: int,
    dangerous: bool,
    raises: bool,
    emergency: bool,
    suspended: bool,
    now_s: int,
) -> int:
    if raises and suspended:
        return AuctionState.SUSPENDED
    if raises and books.lendable <= 0:
        return AuctionState.UNLENT
    if began_s < 0 and not dangerous:
        return AuctionState.UNOPENED
    if clock.filled_s > 0 and now_s < clock.filled_s + terms.cooldown_s and not emergency:
        return AuctionState.COOLING
    return AuctionState.OPEN


def _no_sale(
    state: int,
    trigger: int,
    emergency: bool,
    raises: bool,
    destination: Num,
    began_s: int,
    danger: Num,
) -> AuctionPlan[Num]:
    nothing = danger * 0
    return AuctionPlan(
        state,
        trigger,
        emergency,
        raises,
        destination,
        began_s,
        danger,
        nothing,
        nothing,
        nothing,
        nothing,
        nothing,
    )
