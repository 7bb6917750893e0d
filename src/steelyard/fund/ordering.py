"""Orders: the intent that a plan of the rules becomes, and how it is sent.

``rules.decide`` decides the trade and whether it is allowed. The rebalance of a plan and the
creations that go with it are one order. Where fills are simulated, an order that is due is settled
at once.
"""

from __future__ import annotations

from steelyard.fund.counterparty import room_for
from steelyard.fund.creations import Entered
from steelyard.fund.effects import Blocked, Decided
from steelyard.fund.events import Charges, Filled
from steelyard.fund.group import Fund, Group
from steelyard.fund.reserve import free_value
from steelyard.fund.settling import settle, settle_as_planned
from steelyard.fund.state import Instants, Intent, Request
from steelyard.rules.costs import no_cost
from steelyard.rules.decide import UNCONDITIONAL, Outcome, Plan, TradeLimits, plan_trade
from steelyard.rules.flows import netted_plan
from steelyard.rules.leverage import nav_of
from steelyard.rules.numbers import Num
from steelyard.rules.sizing import Payers

__all__ = ["carry_out", "order", "plan_order", "send"]


def plan_order(
    group: Group[Num],
    fund: Fund[Num],
    trigger: int,
    destination: Num,
    price: Num,
    suspended: bool,
    entered: Entered[Num] | None = None,
) -> Plan[Num]:
    """The trade that takes leverage to ``destination``, as the rules plan it."""
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
    """The venue's limits at present, when creations go out in the same order."""
    terms, room = fund.terms, price * 0
    if terms.is_pool:
        side = 1 if destination > 0 else -1
        units, net_flow = fund.state.units, price * 0
        if entered is not None:
            units, net_flow = entered.units, entered.flows.net
        room = room_for(group, fund, units, side, net_flow, price)
    lot = terms.lot_units * price * fund.state.mark
    return TradeLimits(lot, terms.min_notional, terms.is_pool, room)


def carry_out(
    group: Group[Num],
    fund: Fund[Num],
    plan: Plan[Num],
    trigger: int,
    time: int,
    price: Num,
    leverage: Num,
    due: int,
    entered: Entered[Num] | None = None,
    uses: Instants | None = None,
    counts: bool = False,
    scheduled: bool = True,
) -> None:
    """Send the rebalance of a plan, or record that it is blocked and why.

    Args:
        group: the group of the fund.
        fund: the fund.
        plan: the plan of the rules; a plan that trades nothing or waits has no effect.
        trigger: the trigger that calls for the rebalance.
        time: the present time, epoch s.
        price: the present price, quote.
        leverage: the present leverage, signed.
        due: the time from which a simulated venue fills the order, epoch s.
        entered: the books with the creations that go out in the same order.
        uses: the due times after the rebalance, once its own due time has passed.
        counts: whether it counts as a rebalance, and not as a further clip of one.
        scheduled: whether it was decided at a scheduled observation, and not at a crossing inside a
            bar.
    """
    outcome, destination, notional, cost, _, clipped, raises, _ = plan
    if outcome == Outcome.BLOCKED:
        why = _why_blocked(group, fund, plan, trigger, price)
        blocked = Blocked(fund.terms.symbol, time, price, trigger, leverage, scheduled, why)
        group.emit(fund.state, blocked)
        return
    if outcome != Outcome.TRADE:
        return
    fills = group.fills
    if entered is None and due == time and fills is not None and fills.as_planned:
        settle_as_planned(group, fund, plan, trigger, time, price, uses, counts)
        return
    sent = notional
    requests: tuple[Request[Num], ...] = ()
    if entered is not None:
        sent, requests = notional + entered.flows.net, entered.requests
    intent = Intent(
        trigger,
        _units(fund, sent, price),
        sent,
        notional,
        destination,
        raises,
        clipped,
        counts,
        time,
        price,
        leverage,
        scheduled,
        due,
        None,
        requests,
        cost,
        uses,
    )
    send(group, fund, intent)


def _why_blocked(
    group: Group[Num], fund: Fund[Num], plan: Plan[Num], trigger: int, price: Num
) -> str:
    """The reason why a plan is blocked: ``suspended``, ``capacity`` or ``costs``."""
    if group.reserve.suspended and plan.raises and trigger not in UNCONDITIONAL:
        return "suspended"
    if fund.terms.is_pool and plan.raises:
        room = _limits(group, fund, plan.destination, price, None).room
        return "costs" if room > 0 else "capacity"
    return "costs"


def order(
    fund: Fund[Num],
    trigger: int,
    time: int,
    price: Num,
    notional: Num,
    entered: Entered[Num] | None = None,
    delay_s: int = 0,
) -> Intent[Num]:
    """The intent of an order that is not a rebalance: creations alone, a roll, a wind-down."""
    nothing, sent = price * 0, notional
    requests: tuple[Request[Num], ...] = ()
    if entered is not None:
        sent, requests = notional + entered.flows.net, entered.requests
    return Intent(
        trigger,
        _units(fund, sent, price),
        sent,
        notional,
        destination=nothing,
        raises=False,
        clipped=False,
        counts=False,
        time=time,
        price=price,
        leverage=fund.leverage(price) if fund.nav(price) > 0 else nothing,
        scheduled=True,
        due=time + delay_s,
        limit=None,
        requests=requests,
        cost=no_cost(nothing),
        uses=None,
    )


def _units(fund: Fund[Num], sent: Num, price: Num) -> Num:
    """The units of an order of this notional; contracts where the venue trades contracts."""
    return fund.terms.number.amount(sent / price / fund.state.mark)


def send(group: Group[Num], fund: Fund[Num], intent: Intent[Num]) -> None:
    """Record an order as decided, and settle it if fills are simulated and it is due.

    An order of zero (creations and redemptions that cancel) needs no venue.
    """
    group.emit(fund.state, Decided(fund.terms.symbol, intent))
    if group.fills is not None:
        if intent.due > intent.time:
            return
        settle(group, fund, group.fills.fill(group, fund, intent.time, intent.price))
    elif intent.units == 0:
        nothing = intent.units
        charges = Charges(nothing, nothing, nothing, nothing)
        settle(group, fund, Filled(intent.time, intent.price, nothing, nothing, charges))
