"""The effect of one trade on the books: on cash, units, tokens and the reserve's units."""

from __future__ import annotations

from steelyard.fund.costing import rounded_cost
from steelyard.fund.creations import Entered
from steelyard.fund.effects import Creation, Settled
from steelyard.fund.group import Fund, Group
from steelyard.fund.state import Clips, Instants, Intent, Request
from steelyard.rules.costs import TradeCost
from steelyard.rules.decide import is_clip_done
from steelyard.rules.leverage import leverage_of, nav_of
from steelyard.rules.numbers import Num
from steelyard.rules.reserve import units_left, units_received

__all__ = ["settled_trade"]


def settled_trade(
    group: Group[Num],
    fund: Fund[Num],
    trigger: int,
    time: int,
    price: Num,
    notional: Num,
    cost: TradeCost[Num],
    entered: Entered[Num] | None = None,
    creations: tuple[Creation[Num], ...] = (),
    filled_units: Num | None = None,
    counts: bool = False,
    instants: Instants | None = None,
    clips: Clips[Num] | None = None,
    left: Intent[Num] | None = None,
    pending: tuple[Request[Num], ...] | None = None,
    is_clip: bool = False,
) -> Settled[Num]:
    """The books after a trade of ``notional`` (signed, quote) and the requests booked before it.

    Args:
        group: the group of the fund.
        fund: the fund.
        trigger: the trigger that called for the trade.
        time: the time of the trade, epoch s.
        price: the mark, quote.
        notional: the signed notional of the rebalance, quote.
        cost: the cost of the rebalance.
        entered: the books with the creations and redemptions that went out in the same order.
        creations: these creations and redemptions, with what each of them paid.
        filled_units: the units of the whole order as the venue filled them, in units of the
            underlying; None where they follow from notional and price.
        counts: whether it counts as a rebalance, and not as a further clip of one.
        instants: the next due times, where the trade completes what was due.
        clips: the clips that follow.
        left: the order that stays open.
        pending: the requests that are in no order; None where they do not change.
        is_clip: whether ``clips`` belong to this trade, and end where it reaches the destination.
    """
    state, reserve, number = fund.state, group.reserve, fund.terms.number
    cash, units, tokens = state.cash, state.units, state.tokens
    pending_fees, sent = reserve.pending_fees, notional
    if entered is not None:
        _, _, flows, cash, units, tokens, pending_fees = entered
        sent = notional + flows.net
    nav_before = nav_of(cash, units, price)
    leverage_before = leverage_of(cash, units, price) if nav_before != 0 else price * 0
    if number.round_amount is not None:
        notional, cost = number.amount(notional), rounded_cost(number, cost)
    _, _, _, _, paid_by_reserve, paid_by_nav = cost
    cash = cash - notional
    if filled_units is None:
        units = number.moved(units, units + notional / price)
    else:
        # the total is exactly the units that the venue reports, whatever part creations took
        units = state.units + number.amount(filled_units)
    cash = cash - paid_by_nav
    held = reserve.units
    if paid_by_reserve != 0:
        held = number.moved(held, units_left(held, paid_by_reserve, price))
    received = price * 0
    if fund.terms.is_pool:
        received = number.amount(abs(sent) * fund.terms.pool_fee)
        held = number.moved(held, held + units_received(received, price))
    nav_after = nav_of(cash, units, price)
    leverage_after = leverage_of(cash, units, price) if nav_after > 0 else price * 0
    if is_clip and clips is not None:
        _, destination, raises, _ = clips
        if nav_after <= 0 or is_clip_done(destination, raises, leverage_after):
            clips = None
    return Settled(
        fund.terms.symbol,
        time,
        price,
        trigger,
        notional,
        sent,
        cost,
        received,
        creations,
        nav_before,
        leverage_before,
        nav_after,
        leverage_after,
        cash,
        units,
        tokens,
        state.mark,
        held,
        pending_fees,
        counts,
        instants,
        clips,
        left,
        state.pending if pending is None else pending,
    )
