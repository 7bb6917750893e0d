"""The reserve as the counterparty of its funds (venue ``pool``): it settles their gains and losses.

At each observed price the reserve pays the gains of its funds and receives their losses. The net
exposure of the funds is kept within a share of the reserve's value.
"""

from __future__ import annotations

from steelyard.fund.effects import PriceSettled
from steelyard.fund.group import Fund, Group
from steelyard.rules.numbers import Num
from steelyard.rules.pool import (
    capacity_excess,
    capacity_room,
    is_over_capacity,
    payable,
    price_gain,
)
from steelyard.rules.reserve import units_left, units_received

__all__ = ["excess", "net_exposure", "over_capacity", "room_for", "settle_price", "settle_prices"]


def settle_prices(group: Group[Num], time: int, price: Num) -> None:
    """Settle the change of price with all funds; losses are collected before gains are paid."""
    if not group.is_counterparty:
        return
    for winners in (False, True):
        for fund in group.living:
            if _wins(fund, price) is winners:
                settle_price(group, fund, time, price)


def settle_price(group: Group[Num], fund: Fund[Num], time: int, price: Num) -> None:
    """Settle one fund's gain or loss from the change of price."""
    state, terms = fund.state, fund.terms
    if not terms.is_pool or state.settled_price is None or state.settled_price == price:
        return
    number, reserve = terms.number, group.reserve
    gain = number.amount(price_gain(state.units, state.settled_price, price))
    if gain > 0:
        paid = number.amount(payable(gain, reserve.units * price))
    else:
        nav = fund.nav(state.settled_price)
        paid = -number.amount(payable(-gain, nav)) if nav > 0 else gain * 0
    units = reserve.units
    if paid > 0:
        units = number.moved(units, units_left(units, paid, price))
    elif paid < 0:
        units = number.moved(units, units + units_received(-paid, price))
    shortfall = gain - paid
    cash = state.cash - shortfall
    group.emit(state, PriceSettled(terms.symbol, time, price, paid, shortfall, cash, units))


def _wins(fund: Fund[Num], price: Num) -> bool:
    """Whether the fund has gained at this price, so that its counterparty has to pay."""
    state = fund.state
    if not fund.terms.is_pool or state.settled_price is None:
        return False
    return price_gain(state.units, state.settled_price, price) > 0


def net_exposure(group: Group[Num], price: Num) -> Num:
    """The net exposure (signed, quote) of the funds that have the reserve as counterparty."""
    units = price * 0
    for fund in group.funds:
        if fund.terms.is_pool:
            units = units + fund.state.units
    return units * price


def room_for(
    group: Group[Num], fund: Fund[Num], units: Num, side: int, net_flow: Num, price: Num
) -> Num:
    """The largest notional that ``fund`` may open on ``side`` (1 long, -1 short), quote.

    ``units`` are the fund's units including creations that go out in the same order. ``net_flow``
    is the signed notional of these creations, and its fee is counted as received by the reserve.
    """
    terms, costs = fund.terms, fund.costs
    net = price * 0
    for each in group.funds:
        if each.terms.is_pool:
            net = net + (units if each is fund else each.state.units)
    return capacity_room(
        net * price,
        side,
        group.reserve.units * price + side * net_flow * terms.pool_fee,
        terms.max_utilisation,
        terms.pool_fee,
        costs.reserve_curve,
        terms.sqrt,
    )


def over_capacity(group: Group[Num], price: Num) -> list[Fund[Num]]:
    """The funds to deleverage: those on the larger side, where the net exposure is too large."""
    if not group.is_counterparty:
        return []
    return [fund for fund in group.funds if _is_over(group, fund, price)]


def _is_over(group: Group[Num], fund: Fund[Num], price: Num) -> bool:
    net = net_exposure(group, price)
    if not fund.terms.is_pool or fund.state.units * net <= 0:
        return False
    sizes = (abs(each.state.units) for each in group.funds if each.terms.is_pool)
    gross = sum(sizes, price * 0)
    value, limit = group.reserve.units * price, fund.terms.max_utilisation
    return is_over_capacity(net, gross * price, value, limit)


def excess(group: Group[Num], fund: Fund[Num], price: Num) -> Num:
    """The excess over the capacity (quote), if this fund alone were to close it."""
    net, terms = net_exposure(group, price), fund.terms
    if fund.state.units * net <= 0:
        # another fund has ended, so that the net exposure is now on the other side
        return net * 0
    return capacity_excess(
        net,
        group.reserve.units * price,
        terms.max_utilisation,
        terms.pool_fee,
        fund.costs.reserve_curve,
        terms.sqrt,
    )
