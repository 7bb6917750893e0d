"""Deciding: which trigger holds, and the order that it asks for. It ends in an intent.

What to trade, how much and whether it may be made comes from ``steelyard.rules``; when it is asked
for, and what is due by the clock, is decided here.
"""

from __future__ import annotations

from steelyard.fund.counterparty import room_for
from steelyard.fund.creations import Entered
from steelyard.fund.effects import Blocked, ClockMoved, Decided, Effect
from steelyard.fund.events import Charges, Filled, Inputs
from steelyard.fund.group import Fund, Group
from steelyard.fund.reserve import change_suspension, free_value, would_suspend
from steelyard.fund.settling import settle, settle_as_planned
from steelyard.fund.state import Clips, Instants, Intent
from steelyard.rules.costs import no_cost
from steelyard.rules.decide import (
    UNCONDITIONAL,
    Outcome,
    Plan,
    TradeLimits,
    destination_of,
    is_clip_done,
    plan_trade,
)
from steelyard.rules.flows import netted_plan
from steelyard.rules.leverage import leverage_of, nav_of
from steelyard.rules.numbers import Num
from steelyard.rules.sizing import Payers
from steelyard.rules.triggers import (
    Crossing,
    Trigger,
    crossing,
    first_trigger,
    is_emergency,
    is_volatile,
    next_instant,
)

__all__ = [
    "check_triggers",
    "fire",
    "next_crossing",
    "order",
    "plan_order",
    "planned_order",
    "send",
]

DAY_S = 86_400
AT_REST = 1 << Trigger.EMERGENCY | 1 << Trigger.BAND | 1 << Trigger.MOVE
"""As ``spent`` of a crossing: nothing but a liquidation acts."""


def check_triggers(
    group: Group[Num],
    fund: Fund[Num],
    inputs: Inputs[Num],
    time: int,
    price: Num,
    entered: Entered[Num] | None,
) -> bool:
    """Test the triggers at a clock observation; one rebalance serves all that hold.

    ``entered`` are the books with the requests that would go out in the same order; whether they
    did is given back.
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


SENT = Outcome.TRADE


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
    """Decide the rebalance that ``trigger`` names, and send it; the ``Outcome`` of its plan.

    Args:
        group: what the fund belongs to.
        fund: the fund.
        trigger: what names the rebalance.
        time: epoch s.
        price: now.
        leverage: now, signed.
        entered: the books with the creations that go out in the same order.
        uses: the clock, once what made it due is used up.
        scheduled: it was found at a clock observation, not at a crossing inside a bar.
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
        # a trigger with nothing to trade changes nothing
        return plan.outcome
    if judged is not None:
        change_suspension(group, fund, judged, time, price)
    if plan.outcome == Outcome.TRADE:
        due = time + fund.terms.delay_s
        intent = planned_order(
            fund, plan, trigger, time, price, leverage, due, entered, uses, True, scheduled
        )
        send(group, fund, intent)
    elif plan.outcome == Outcome.BLOCKED:
        _block(group, fund, plan, trigger, time, price, leverage, scheduled)
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
    elif plan.outcome == Outcome.TRADE:
        due = time + fund.terms.delay_s
        intent = planned_order(
            fund, plan, clips.trigger, time, price, leverage, due, entered, None, False, True
        )
        send(group, fund, intent)
    else:
        _block(group, fund, plan, clips.trigger, time, price, leverage, True)
    return plan.outcome


def _block(
    group: Group[Num],
    fund: Fund[Num],
    plan: Plan[Num],
    trigger: int,
    time: int,
    price: Num,
    leverage: Num,
    scheduled: bool,
) -> None:
    """Say that a plan may not be carried out, and why."""
    why = _why_blocked(group, fund, plan, trigger, price)
    blocked = Blocked(fund.terms.symbol, time, price, trigger, leverage, scheduled, why)
    group.emit(fund.state, blocked)


def planned_order(
    fund: Fund[Num],
    plan: Plan[Num],
    trigger: int,
    time: int,
    price: Num,
    leverage: Num,
    due: int,
    entered: Entered[Num] | None,
    uses: Instants | None,
    counts: bool,
    scheduled: bool,
) -> Intent[Num]:
    """The intent of a plan's rebalance, with the requests in ``entered`` in the same order."""
    notional = sent = plan.notional
    if entered is not None:
        sent = notional + entered.flows.net
    return Intent(
        trigger,
        fund.terms.number.amount(sent / price / fund.state.mark),
        sent,
        notional,
        plan.destination,
        plan.raises,
        plan.clipped,
        counts,
        time,
        price,
        leverage,
        scheduled,
        due,
        None,
        () if entered is None else entered.requests,
        plan.cost,
        uses,
    )


def order(
    fund: Fund[Num],
    trigger: int,
    time: int,
    price: Num,
    notional: Num,
    entered: Entered[Num] | None = None,
    delay_s: int = 0,
) -> Intent[Num]:
    """The intent of an order that is no rebalance: creations alone, a roll, a wind-down."""
    nothing = price * 0
    plan = Plan(Outcome.TRADE, nothing, notional, no_cost(nothing), False, False, False, False)
    due = time + delay_s
    return planned_order(fund, plan, trigger, time, price, nothing, due, entered, None, False, True)


def send(group: Group[Num], fund: Fund[Num], intent: Intent[Num]) -> None:
    """Decide an order; settle it where fills are simulated and it is due at once.

    An order of nothing (creations and redemptions that cancel) needs no venue.
    """
    group.emit(fund.state, Decided(fund.terms.symbol, intent))
    if group.fills is not None:
        if intent.due > intent.time:
            return
        if group.fills.as_planned and not intent.requests and intent.trigger != Trigger.WIND_DOWN:
            settle_as_planned(group, fund, intent)
            return
        settle(group, fund, group.fills.fill(group, fund, intent.time, intent.price))
    elif intent.units == 0:
        nothing = intent.units
        charges = Charges(nothing, nothing, nothing, nothing)
        settle(group, fund, Filled(intent.time, intent.price, nothing, nothing, charges))


def plan_order(
    group: Group[Num],
    fund: Fund[Num],
    trigger: int,
    destination: Num,
    price: Num,
    suspended: bool,
    entered: Entered[Num] | None = None,
) -> Plan[Num]:
    """The trade that takes leverage to ``destination``, by the rules."""
    state, terms, costs = fund.state, fund.terms, fund.costs
    value = free_value(group, fund, price)
    cash, units = (state.cash, state.units) if entered is None else (entered.cash, entered.units)
    limits = terms.no_limits
    if terms.has_limits:
        limits = _limits(group, fund, destination, price, entered)
    nav, exposure = nav_of(cash, units, price), units * price
    plan = plan_trade(
        terms.rule,
        costs.rates,
        Payers(costs.nav_curve, costs.reserve_curve, value),
        limits,
        trigger,
        destination,
        nav,
        exposure,
        suspended,
        terms.sqrt,
    )
    if entered is None or plan.outcome != Outcome.TRADE:
        return plan
    return netted_plan(plan, costs.rates, entered.flows, nav, exposure, value, terms.sqrt)


def _limits(
    group: Group[Num],
    fund: Fund[Num],
    destination: Num,
    price: Num,
    entered: Entered[Num] | None,
) -> TradeLimits[Num]:
    """What the venue takes now, with creations in the same order."""
    terms, room = fund.terms, price * 0
    if terms.is_pool:
        side = 1 if destination > 0 else -1
        units, net_flow = fund.state.units, price * 0
        if entered is not None:
            units, net_flow = entered.units, entered.flows.net
        room = room_for(group, fund, units, side, net_flow, price)
    lot = terms.lot_units * price * fund.state.mark
    return TradeLimits(lot, terms.min_notional, terms.is_pool, room)


def _why_blocked(
    group: Group[Num], fund: Fund[Num], plan: Plan[Num], trigger: int, price: Num
) -> str:
    if group.reserve.suspended and plan.raises and trigger not in UNCONDITIONAL:
        return "suspended"
    if fund.terms.is_pool and plan.raises:
        room = _limits(group, fund, plan.destination, price, None).room
        return "costs" if room > 0 else "capacity"
    return "costs"


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
    """The clock once what is due at ``time`` is used up."""
    terms = fund.terms
    interval, daily, last_volatile = _instants(fund)
    if volatile:
        last_volatile = time
    if interval_due and terms.interval is not None:
        interval = next_instant(terms.interval.every_s, terms.interval.anchor_s, time)
    if daily_due and terms.daily is not None:
        daily = next_instant(DAY_S, terms.daily.at_s, time)
    return Instants(interval, daily, last_volatile)


def next_crossing(fund: Fund[Num], is_out: bool, start: Num, end: Num, spent: int) -> Crossing[Num]:
    """The first threshold that acts as the price goes from ``start`` to ``end`` inside a bar.

    In an outage, a pause, and while an order is on its way, only a liquidation does. ``spent``:
    bits ``1 << trigger`` of triggers that fired on this way and traded nothing.
    """
    state = fund.state
    if state.reference is None:
        return Crossing(Trigger.NONE, end)
    clips = state.clips
    if state.intent is not None or is_out or state.paused:
        spent |= AT_REST
    if clips is not None and clips.trigger == Trigger.EMERGENCY:
        # an emergency that goes out piece by piece, as a book fills up, is not a new one
        spent |= 1 << Trigger.EMERGENCY
    return crossing(
        fund.terms.rule,
        fund.terms.venue,
        state.cash,
        state.units,
        state.reference,
        start,
        end,
        clips is not None,
        spent,
    )
