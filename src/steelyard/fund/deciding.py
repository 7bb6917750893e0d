"""The decision whether a trigger holds or a clock is due, which ends in an order.

The destination, the size and the permission to trade come from ``steelyard.rules``.
"""

from __future__ import annotations

from steelyard.fund.creations import Entered
from steelyard.fund.effects import ClockMoved, Effect
from steelyard.fund.events import Inputs
from steelyard.fund.group import Fund, Group
from steelyard.fund.ordering import carry_out, plan_order
from steelyard.fund.reserve import change_suspension, would_suspend
from steelyard.fund.state import Clips, Instants
from steelyard.rules.decide import Outcome, destination_of, is_clip_done
from steelyard.rules.leverage import leverage_of
from steelyard.rules.numbers import Num
from steelyard.rules.triggers import (
    Trigger,
    first_trigger,
    is_emergency,
    is_volatile,
    next_instant,
)

__all__ = ["check_triggers", "fire"]

DAY_S = 86_400
SENT = Outcome.TRADE
"""The outcome of a rebalance whose order was sent."""


def check_triggers(
    group: Group[Num],
    fund: Fund[Num],
    inputs: Inputs[Num],
    time: int,
    price: Num,
    entered: Entered[Num] | None,
) -> bool:
    """Test the triggers at a scheduled observation; one rebalance answers all that hold.

    ``entered`` are the books with the requests that would go out in the same order. Returns whether
    these requests were sent.
    """
    state, terms = fund.state, fund.terms
    rule = terms.rule
    cash, units = (state.cash, state.units) if entered is None else (entered.cash, entered.units)
    leverage = leverage_of(cash, units, price)
    clips = state.clips
    if clips is not None:
        if not is_clip_done(clips.destination, clips.raises, leverage):
            if is_emergency(rule, leverage) and clips.trigger != Trigger.EMERGENCY:
                urgent = Trigger.EMERGENCY
                return fire(group, fund, urgent, time, price, leverage, entered=entered) == SENT
            if time >= clips.last_time + terms.cooldown_s:
                return _next_clip(group, fund, clips, time, price, leverage, entered) == SENT
            return False
        group.emit(state, ClockMoved(terms.symbol, time, _instants(fund), None))
    if state.reference is None:
        return False
    volatile = terms.has_volatility and _is_volatile(fund, inputs, time)
    interval_due = terms.interval is not None and time >= state.next_interval
    daily_due = terms.daily is not None and time >= state.next_daily
    fallback_due = (
        terms.fallback is not None and time - state.last_rebalance >= terms.fallback.after_s
    )
    trigger = first_trigger(
        rule, leverage, price, state.reference, volatile, interval_due, daily_due, fallback_due
    )
    if trigger == Trigger.NONE:
        return False
    uses = None
    if volatile or interval_due or daily_due:
        uses = _instants_after(fund, time, volatile, interval_due, daily_due)
    outcome = fire(group, fund, trigger, time, price, leverage, entered=entered, uses=uses)
    if uses is not None and outcome == Outcome.NOTHING:
        group.emit(state, ClockMoved(terms.symbol, time, uses, state.clips))
    return outcome == SENT


def fire(
    group: Group[Num],
    fund: Fund[Num],
    trigger: int,
    time: int,
    price: Num,
    leverage: Num,
    *,
    entered: Entered[Num] | None = None,
    uses: Instants | None = None,
    scheduled: bool = True,
) -> int:
    """Decide and send a rebalance for ``trigger``; returns the ``Outcome`` of its plan.

    Args:
        group: the group of the fund.
        fund: the fund.
        trigger: the trigger that calls for the rebalance.
        time: the present time, epoch s.
        price: the present price, quote.
        leverage: the present leverage, signed.
        entered: the books with the creations that go out in the same order.
        uses: the due times after the rebalance, once its own due time has passed.
        scheduled: whether it was decided at a scheduled observation, and not at a crossing inside a
            bar.
    """
    state = fund.state
    suspended = False
    judged = None
    if group.terms is not None:
        cash, units = (
            (state.cash, state.units) if entered is None else (entered.cash, entered.units)
        )
        judged = would_suspend(group, fund, cash, units, price)
        suspended = judged[0]
    destination = destination_of(fund.terms.rule, trigger, leverage)
    plan = plan_order(group, fund, trigger, destination, price, suspended, entered)
    if plan.outcome == Outcome.NOTHING:
        # a trigger that has nothing to trade has no effect
        return plan.outcome
    if judged is not None:
        change_suspension(group, fund, judged, time, price)
    due = time + fund.terms.delay_s
    carry_out(
        group, fund, plan, trigger, time, price, leverage, due, entered, uses, True, scheduled
    )
    return plan.outcome


def _next_clip(
    group: Group[Num],
    fund: Fund[Num],
    clips: Clips[Num],
    time: int,
    price: Num,
    leverage: Num,
    entered: Entered[Num] | None,
) -> int:
    suspended = group.reserve.suspended
    plan = plan_order(group, fund, clips.trigger, clips.destination, price, suspended, entered)
    if plan.outcome in (Outcome.NOTHING, Outcome.WAIT):
        moved: Effect[Num] = ClockMoved(fund.terms.symbol, time, _instants(fund), None)
        group.emit(fund.state, moved)
    due = time + fund.terms.delay_s
    carry_out(group, fund, plan, clips.trigger, time, price, leverage, due, entered)
    return plan.outcome


def _is_volatile(fund: Fund[Num], inputs: Inputs[Num], time: int) -> bool:
    state, terms = fund.state, fund.terms
    if state.last_volatile is not None and time - state.last_volatile < terms.window_s:
        return False
    if inputs.volatile is not None:
        return inputs.volatile
    return is_volatile(state.squares, len(state.window), terms.window_s, terms.volatility)


def _instants(fund: Fund[Num]) -> Instants:
    state = fund.state
    return Instants(state.next_interval, state.next_daily, state.last_volatile)


def _instants_after(
    fund: Fund[Num], time: int, volatile: bool, interval_due: bool, daily_due: bool
) -> Instants:
    """The next due times after those that were due at ``time``."""
    state, terms = fund.state, fund.terms
    interval, daily, last_volatile = state.next_interval, state.next_daily, state.last_volatile
    if volatile:
        last_volatile = time
    if interval_due and terms.interval is not None:
        interval = next_instant(terms.interval.every_s, terms.interval.anchor_s, time)
    if daily_due and terms.daily is not None:
        daily = next_instant(DAY_S, terms.daily.at_s, time)
    return Instants(interval, daily, last_volatile)
