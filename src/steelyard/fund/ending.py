"""The end of a fund: the venue liquidates it, it has no nav left, or it is wound down."""

from __future__ import annotations

from steelyard.fund.counterparty import settle_price
from steelyard.fund.effects import Closed, Unfilled, Withdrawn
from steelyard.fund.group import Fund, Group
from steelyard.fund.reserve import judge
from steelyard.rules.liquidation import is_liquidated, is_nav_gone, nav_after_liquidation
from steelyard.rules.numbers import Num

__all__ = ["close", "end", "end_if_gone", "withdraw_order", "wound_down"]


def end_if_gone(group: Group[Num], fund: Fund[Num], time: int, price: Num) -> bool:
    """Close the position if a simulated venue would liquidate it or no nav is left.

    Returns whether the fund ended. A real venue reports a liquidation itself: see ``Liquidated``.
    """
    if group.fills is None:
        return False
    state = fund.state
    if is_liquidated(fund.terms.venue, state.cash, state.units, price):
        close(group, fund, time, price, "liquidated")
    elif is_nav_gone(state.cash, state.units, price):
        close(group, fund, time, price, "nav")
    return state.ended is not None


def close(group: Group[Num], fund: Fund[Num], time: int, price: Num, reason: str) -> None:
    """Close the position at a simulated venue; the remaining nav becomes cash."""
    settle_price(group, fund, time, price)
    state, number = fund.state, fund.terms.number
    left = nav_after_liquidation(fund.terms.venue, state.cash, state.units, price)
    end(group, fund, time, price, reason, number.moved(state.cash, left), state.units * 0)


def end(
    group: Group[Num],
    fund: Fund[Num],
    time: int,
    price: Num,
    reason: str,
    cash: Num,
    units: Num,
) -> None:
    """End the fund with these books; open orders and requests are returned."""
    state = fund.state
    if group.fills is not None:
        withdraw_order(group, fund, time, price)
    if state.pending:
        group.emit(state, Withdrawn(fund.terms.symbol, time, len(state.pending)))
    group.emit(state, Closed(fund.terms.symbol, time, price, reason, cash, units))


def wound_down(group: Group[Num], fund: Fund[Num], time: int, price: Num) -> None:
    """End the fund after its position is closed; every token is redeemed at the remaining nav."""
    state = fund.state
    nothing = state.units * 0
    if state.cash < 0:
        end(group, fund, time, price, "nav", state.cash - state.cash, nothing)
    else:
        end(group, fund, time, price, "wind_down", state.cash, nothing)
    judge(group, fund, time, price)


def withdraw_order(group: Group[Num], fund: Fund[Num], time: int, price: Num) -> None:
    """Withdraw an order that a simulated venue has not filled yet."""
    state, intent = fund.state, fund.state.intent
    if intent is None:
        return
    given_back = intent.requests + state.pending
    effect = Unfilled(
        fund.terms.symbol, time, price, intent.trigger, "cancelled", state.clips, given_back
    )
    group.emit(state, effect)
