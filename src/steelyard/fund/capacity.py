"""Deleveraging that keeps the net exposure of funds within the capacity of their reserve."""

from __future__ import annotations

from steelyard.fund.costing import forced_cost
from steelyard.fund.counterparty import excess, over_capacity
from steelyard.fund.ending import end_if_gone
from steelyard.fund.group import Fund, Group
from steelyard.fund.reserve import judge
from steelyard.fund.trading import settled_trade
from steelyard.rules.numbers import Num
from steelyard.rules.triggers import Trigger

__all__ = ["keep_capacity"]


def keep_capacity(group: Group[Num], time: int, price: Num) -> None:
    """Deleverage funds until their net exposure is within the capacity of the reserve.

    The funds on the larger side are deleveraged, each in proportion to its exposure. The cost of
    these trades, or the end of a fund, may leave other funds above their limits, which are then
    deleveraged in turn.
    """
    while over := over_capacity(group, price):
        left = sum(abs(fund.state.units) for fund in over)
        for fund in over:
            size = abs(fund.state.units)
            share = min(excess(group, fund, price) * size / left, size * price)
            left = left - size
            if share > 0:
                _deleverage(group, fund, share, time, price)


def _deleverage(group: Group[Num], fund: Fund[Num], notional: Num, time: int, price: Num) -> None:
    """Close ``notional`` (not negative, quote) at once and at any cost.

    No order is sent, because the reserve itself is the venue.
    """
    state = fund.state
    closes = (abs(state.units) * price - notional) * 1_000_000_000_000 <= notional
    side = -notional if state.units > 0 else notional
    cost = forced_cost(group, fund, side, price)
    trigger = Trigger.CAPACITY
    trade = settled_trade(group, fund, trigger, time, price, side, cost, counts=True)
    if closes:
        # a remainder from rounding would be deleveraged again at each price
        number = fund.terms.number
        cash = number.moved(trade.cash, trade.cash + trade.units * price)
        trade = trade._replace(cash=cash, units=trade.units * 0)
    group.emit(state, trade._replace(left=state.intent))
    end_if_gone(group, fund, time, price)
    judge(group, fund, time, price)
