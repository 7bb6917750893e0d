"""The fill model of a simulation: orders fill at the series' own costs, at once or after a delay.

An order that is filled at once costs what it was planned to cost. After ``delay``, the units of the
order are traded at the price of that later time. Then an order that was sent to reduce exposure
does not reverse it, exposure that the counterparty cannot carry is not opened, and an order whose
costs would take the whole nav is refused.
"""

from __future__ import annotations

from typing import Generic

from steelyard.fund.costing import check_tradable, model_charges
from steelyard.fund.counterparty import room_for
from steelyard.fund.creations import enter, own_cost
from steelyard.fund.events import Charges, Filled
from steelyard.fund.group import Fund, Group
from steelyard.fund.reserve import free_value
from steelyard.fund.state import Intent
from steelyard.rules.costs import pay
from steelyard.rules.flows import is_nothing_sent
from steelyard.rules.futures import contract_at, mark_factor
from steelyard.rules.leverage import nav_of
from steelyard.rules.numbers import Num
from steelyard.rules.triggers import Trigger

__all__ = ["ModelFills"]


class ModelFills(Generic[Num]):
    """Fills from the series' own cost model; it has no state between orders."""

    as_planned = True

    def fill(self, group: Group[Num], fund: Fund[Num], time: int, price: Num) -> Filled[Num]:
        """The fill of the whole order ``fund.state.intent``, or the reason why it is not filled.

        Raises:
            InputError: an order must be filled, and the order book does not hold that much.
        """
        intent = fund.state.intent
        if intent is None:
            message = f"{fund.terms.symbol}: expected an open order, found none."
            raise AssertionError(message)
        if intent.due > intent.time:
            return _late(group, fund, intent, time, price)
        if intent.trigger == Trigger.ROLL:
            return _roll(fund, intent, time, price)
        if not intent.requests:
            if intent.trigger == Trigger.WIND_DOWN:
                check_tradable(fund, intent.sent)
                charges = model_charges(fund, intent.sent)
            else:
                fee, spread, impact, gas, _, _ = intent.cost
                charges = Charges(fee, spread, impact, gas)
            return Filled(time, price, intent.units, intent.sent, charges)
        if intent.trigger == Trigger.FLOW:
            check_tradable(fund, intent.sent)
        sizes = enter(fund, intent.requests, price).flows.size + abs(intent.notional)
        charges = _together(fund, intent.sent, sizes)
        return Filled(time, price, intent.units, intent.sent, charges)


def _together(fund: Fund[Num], sent: Num, sizes: Num) -> Charges[Num]:
    """The cost of one order that combines parts of these sizes; zero if the parts cancel."""
    return model_charges(fund, sent * 0 if is_nothing_sent(sent, sizes) else sent)


def _roll(fund: Fund[Num], intent: Intent[Num], time: int, price: Num) -> Filled[Num]:
    """Two orders: one sells the future that is held, one buys as many contracts of the next one."""
    state, terms = fund.state, fund.terms
    old = intent.sent
    expiry = contract_at(time, terms.roll_s)
    new = old / state.mark * mark_factor(terms.basis, expiry, time)
    for notional in (-old, new):
        check_tradable(fund, notional)
    first, second = model_charges(fund, -old), model_charges(fund, new)
    return Filled(time, price, intent.units, new, first, second=second)


def _late(
    group: Group[Num], fund: Fund[Num], intent: Intent[Num], time: int, price: Num
) -> Filled[Num]:
    """The fill of an order after its delay: its units are traded at the price of that time."""
    state = fund.state
    notional = intent.units * state.mark * price
    if intent.requests:
        return _late_with_creations(group, fund, intent, time, price, notional)
    exposure, goes_on = state.units * price, intent.clipped
    opens = _opens(fund, notional)
    sent = notional
    if not opens and abs(sent) > abs(exposure):
        # an order that was sent to reduce exposure does not reverse it
        sent = -exposure
    if opens and fund.terms.is_pool:
        room = _room(group, fund, state.units, price * 0, price)
        if room == 0:
            return _none(fund, time, price, "capacity")
        if abs(sent) > room:
            # exposure that the counterparty cannot carry is not opened, neither now nor later
            sent, goes_on = room if sent > 0 else -room, False
    if sent == 0:
        return _none(fund, time, price, None)
    check_tradable(fund, sent)
    charges = model_charges(fund, sent)
    cost = pay(fund.costs.rates, *charges, free_value(group, fund, price))
    if cost.paid_by_nav >= fund.nav(price):
        return _none(fund, time, price, "costs")
    units = intent.units if sent == notional else sent / price / state.mark
    return Filled(time, price, units, sent, charges, goes_on=goes_on)


def _late_with_creations(
    group: Group[Num],
    fund: Fund[Num],
    intent: Intent[Num],
    time: int,
    price: Num,
    sent: Num,
) -> Filled[Num]:
    """The same for an order with creations: it is filled whole, or they wait for the next order."""
    entered = enter(fund, intent.requests, price)
    flows = entered.flows
    own = sent - flows.net
    if intent.trigger == Trigger.FLOW and is_nothing_sent(own, flows.size):
        own = own * 0
    sizes = flows.size + abs(own)
    if _opens(fund, own):
        if fund.terms.is_pool:
            room = _room(group, fund, entered.units, flows.net, price)
            if _is_above(abs(own), room, sizes):
                return _none(fund, time, price, "capacity")
    elif _is_above(abs(own), abs(entered.units * price), sizes):
        # an order that was sent to reduce exposure does not reverse it
        return _none(fund, time, price, None)
    check_tradable(fund, sent)
    charges = _together(fund, sent, sizes)
    value = free_value(group, fund, price)
    nav = nav_of(entered.cash, entered.units, price)
    if own_cost(fund, flows, own, charges, value).paid_by_nav >= nav:
        return _none(fund, time, price, "costs")
    return Filled(time, price, intent.units, sent, charges)


def _opens(fund: Fund[Num], notional: Num) -> bool:
    """Whether a trade is in the direction of the fund's target, so that it adds exposure."""
    return (notional > 0) == (fund.terms.rule.target > 0)


def _is_above(size: Num, most: Num, sizes: Num) -> bool:
    """Whether a size exceeds its limit by more than rounding, 1e-12 of the sum of its parts."""
    return (size - most) * 1_000_000_000_000 > sizes


def _room(
    group: Group[Num],
    fund: Fund[Num],
    units: Num,
    net_flow: Num,
    price: Num,
) -> Num:
    side = 1 if fund.terms.rule.target > 0 else -1
    return room_for(group, fund, units, side, net_flow, price)


def _none(fund: Fund[Num], time: int, price: Num, why: str | None) -> Filled[Num]:
    nothing = fund.state.units * 0
    charges = Charges(nothing, nothing, nothing, nothing)
    return Filled(time, price, nothing, nothing, charges, why=why)
