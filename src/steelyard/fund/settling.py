"""Settling: what came of an order, and what it makes of the books.

A fill may be whole or partial, in several pieces, better than the mark, or none; it is settled
whatever it is. Creations and redemptions enter the books in proportion to what was filled of the
order that holds them. What a final fill leaves undone goes on as clips, and what made it due
stays due until something is filled.
"""

from __future__ import annotations

from steelyard.fund.creations import Entered, creations_of, enter, own_cost
from steelyard.fund.effects import Rolled, Settled, Unfilled
from steelyard.fund.ending import end, end_if_gone
from steelyard.fund.events import Charges, Filled
from steelyard.fund.group import Fund, Group
from steelyard.fund.reserve import free_value, judge
from steelyard.fund.state import Clips, Intent, Request
from steelyard.rules.costs import TradeCost, no_cost, pay
from steelyard.rules.decide import is_clip_done
from steelyard.rules.futures import contract_at, mark_factor
from steelyard.rules.leverage import leverage_of, nav_of
from steelyard.rules.numbers import Num, Number
from steelyard.rules.reserve import units_left, units_received
from steelyard.rules.triggers import Trigger

__all__ = ["settle", "settle_roll", "settled_trade", "wound_down"]

UNCLIPPED = frozenset({Trigger.FLOW, Trigger.WIND_DOWN})
"""Orders that leave clips under way as they are."""


def settle(group: Group[Num], fund: Fund[Num], fill: Filled[Num]) -> None:
    """Take a fill into the books."""
    state, intent = fund.state, fund.state.intent
    time, price = fill.time, fill.price
    if intent is None:
        _settle_unasked(group, fund, fill)
        return
    is_late = intent.due > intent.time
    if fill.units == 0 and intent.units != 0:
        if fill.final:
            group.emit(state, _unfilled(fund, intent, fill))
        return
    if intent.trigger == Trigger.ROLL:
        settle_roll(group, fund, fill, None)
        return
    group.emit(state, _settled(group, fund, intent, fill))
    if intent.trigger == Trigger.WIND_DOWN:
        if state.intent is None and (state.units == 0 or fill.units == intent.units):
            wound_down(group, fund, time, price)
        return
    judge(group, fund, time, price)
    if is_late and state.ended is None:
        # the price is another than the one that it was planned at
        end_if_gone(group, fund, time, price)


def _settled(
    group: Group[Num], fund: Fund[Num], intent: Intent[Num], fill: Filled[Num]
) -> Settled[Num]:
    terms, price, charges = fund.terms, fill.price, fill.charges
    is_whole = fill.units == intent.units
    share = price * 0 + 1 if is_whole else fill.units / intent.units
    entered = None
    notional = fill.notional
    if intent.requests:
        entered = enter(fund, _share_of(intent, share, is_whole, terms.number), price)
        # what was planned together arrives as it was planned; else the rest is the rebalance's
        planned = fill.notional == intent.sent
        notional = intent.notional if planned else fill.notional - entered.flows.net
    value = free_value(group, fund, price)
    if intent.trigger == Trigger.FLOW:
        notional, cost = notional * 0, no_cost(notional * 0)
    elif entered is not None:
        cost = own_cost(fund, entered.flows, notional, charges, value)
    else:
        cost = pay(fund.costs.rates, *charges, value)
    filled_units = None
    if terms.number.round_amount is not None:
        filled_units = fill.units * fund.state.mark
    trade = settled_trade(
        group,
        fund,
        intent.trigger,
        fill.time,
        price,
        notional,
        cost,
        entered=entered,
        charges=charges,
        filled_units=filled_units,
        counts=intent.counts,
    )
    left, pending = None, fund.state.pending
    if not is_whole:
        rest = _rest(intent, fill, share, terms.number)
        if not fill.final:
            left = rest
        elif rest.requests:
            # what of them was not filled waits for another order
            pending = (*rest.requests, *pending)
    clips = fund.state.clips
    if intent.trigger not in UNCLIPPED:
        clips = _clips_after(fund, intent, fill, trade, is_whole)
    return trade._replace(instants=intent.uses, clips=clips, left=left, pending=pending)


def settled_trade(
    group: Group[Num],
    fund: Fund[Num],
    trigger: int,
    time: int,
    price: Num,
    notional: Num,
    cost: TradeCost[Num],
    *,
    entered: Entered[Num] | None = None,
    charges: Charges[Num] | None = None,
    filled_units: Num | None = None,
    counts: bool = False,
) -> Settled[Num]:
    """What a trade of ``notional`` (signed) makes of the books, with what enters them before it.

    Args:
        group: what the fund belongs to.
        fund: the fund.
        trigger: what names the trade.
        time: epoch s.
        price: the mark.
        notional: of the rebalance.
        cost: of the rebalance.
        entered: creations and redemptions that went out in the same order.
        charges: of the whole order; needed with ``entered``.
        filled_units: of the whole order, exactly as the venue filled them, in units of the
            underlying; None: they follow from notional and price.
        counts: it is a rebalance of its own.
    """
    state, reserve, number = fund.state, group.reserve, fund.terms.number
    cash, units, tokens = state.cash, state.units, state.tokens
    pending_fees, sent = reserve.pending_fees, notional
    creations = ()
    if entered is not None and charges is not None:
        _, _, flows, cash, units, tokens, pending_fees = entered
        sent = notional + flows.net
        creations = creations_of(fund, entered, time, notional, charges)
    nav_before = nav_of(cash, units, price)
    leverage_before = leverage_of(cash, units, price) if nav_before != 0 else price * 0
    if number.round_amount is not None:
        notional, cost = number.amount(notional), _rounded(fund, cost)
    cash = cash - notional
    if filled_units is None:
        units = units + notional / price
    else:
        # to the last unit what the venue says, whatever part of it creations took
        units = state.units + filled_units
    cash = cash - cost.paid_by_nav
    held = reserve.units
    if cost.paid_by_reserve != 0:
        held = number.moved(held, units_left(held, cost.paid_by_reserve, price))
    received = price * 0
    if fund.terms.is_pool:
        received = number.amount(abs(sent) * fund.terms.pool_fee)
        held = number.moved(held, held + units_received(received, price))
    nav_after = nav_of(cash, units, price)
    leverage_after = leverage_of(cash, units, price) if nav_after > 0 else price * 0
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
        None,
        None,
        None,
        state.pending,
    )


def _rounded(fund: Fund[Num], cost: TradeCost[Num]) -> TradeCost[Num]:
    """A cost whose parts are amounts that can move, and still add up."""
    amount = fund.terms.number.amount
    fee, spread, impact, gas = map(amount, cost[:4])
    by_reserve = amount(cost.paid_by_reserve)
    return TradeCost(fee, spread, impact, gas, by_reserve, fee + spread + impact + gas - by_reserve)


def _share_of(
    intent: Intent[Num], share: Num, is_whole: bool, number: Number[Num]
) -> tuple[Request[Num], ...]:
    """The part of each request that a piece of its order fills."""
    if is_whole:
        return intent.requests
    return tuple(
        each._replace(tokens=number.amount(each.tokens * share)) for each in intent.requests
    )


def _rest(intent: Intent[Num], fill: Filled[Num], share: Num, number: Number[Num]) -> Intent[Num]:
    """What of an order is still open after a piece of it."""
    requests = tuple(
        each._replace(tokens=each.tokens - number.amount(each.tokens * share))
        for each in intent.requests
    )
    return intent._replace(
        units=intent.units - fill.units,
        sent=intent.sent - intent.sent * share,
        notional=intent.notional - intent.notional * share,
        requests=requests,
        counts=False,
        uses=None,
        is_rest=True,
    )


def _clips_after(
    fund: Fund[Num], intent: Intent[Num], fill: Filled[Num], trade: Settled[Num], is_whole: bool
) -> Clips[Num] | None:
    """The clips that have to follow once an order is at its end."""
    goes_on = intent.clipped if is_whole else fill.goes_on
    if not fill.final or not goes_on:
        return None
    # after a delay the price is another than the one it was planned at
    leverage = leverage_of(trade.cash, trade.units, trade.price)
    if is_clip_done(intent.destination, intent.raises, leverage):
        return None
    return Clips(intent.trigger, intent.destination, intent.raises, fill.time)


def _unfilled(fund: Fund[Num], intent: Intent[Num], fill: Filled[Num]) -> Unfilled[Num]:
    """The end of an order of which nothing (more) was filled."""
    state, clips = fund.state, fund.state.clips
    goes_on = fill.goes_on and (intent.is_rest or intent.trigger == Trigger.LAUNCH)
    if goes_on and intent.trigger not in UNCLIPPED:
        clips = Clips(intent.trigger, intent.destination, intent.raises, fill.time)
    return Unfilled(
        fund.terms.symbol,
        fill.time,
        fill.price,
        intent.trigger,
        fill.why,
        clips,
        (*intent.requests, *state.pending),
    )


def _settle_unasked(group: Group[Num], fund: Fund[Num], fill: Filled[Num]) -> None:
    """A fill of no open order: the venue has traded all the same, so the books follow it."""
    cost = pay(fund.costs.rates, *fill.charges, free_value(group, fund, fill.price))
    filled = fill.units * fund.state.mark
    trade = settled_trade(
        group,
        fund,
        Trigger.NONE,
        fill.time,
        fill.price,
        fill.notional,
        cost,
        filled_units=filled,
    )
    group.emit(fund.state, trade._replace(clips=fund.state.clips))
    judge(group, fund, fill.time, fill.price)


def settle_roll(
    group: Group[Num], fund: Fund[Num], fill: Filled[Num], on_its_way: Intent[Num] | None
) -> None:
    """Take both legs of a roll into the books: as many contracts of the next future.

    ``on_its_way`` is another order, of a simulated venue, that stays open meanwhile.
    """
    group.emit(fund.state, _rolled(group, fund, fill)._replace(left=on_its_way))
    judge(group, fund, fill.time, fill.price)


def _rolled(group: Group[Num], fund: Fund[Num], fill: Filled[Num]) -> Rolled[Num]:
    state, terms, number, price = fund.state, fund.terms, fund.terms.number, fill.price
    leverage, nav = fund.leverage(price), fund.nav(price)
    old = number.amount(state.units * price)
    expiry = contract_at(fill.time, terms.roll_s)
    mark = mark_factor(terms.basis, expiry, fill.time)
    new = number.amount(old / state.mark * mark)
    cash, held = state.cash, group.reserve.units
    costs = []
    for charges in (fill.charges, fill.second or fill.charges):
        cost = pay(fund.costs.rates, *charges, held * price)
        if number.round_amount is not None:
            cost = _rounded(fund, cost)
        cash = cash - cost.paid_by_nav
        if cost.paid_by_reserve != 0:
            held = number.moved(held, units_left(held, cost.paid_by_reserve, price))
        costs.append(cost)
    units = state.units / state.mark * mark
    cash = cash - (new - old)
    after = nav_of(cash, units, price)
    return Rolled(
        terms.symbol,
        fill.time,
        price,
        new,
        abs(old) + abs(new),
        (costs[0], costs[1]),
        nav,
        leverage,
        after,
        leverage_of(cash, units, price) if after > 0 else price * 0,
        cash,
        units,
        state.tokens,
        mark,
        expiry,
        held,
        None,
    )


def wound_down(group: Group[Num], fund: Fund[Num], time: int, price: Num) -> None:
    """The position is closed for good: every token is redeemed at the nav that is left."""
    state = fund.state
    nothing = state.units * 0
    if state.cash < 0:
        end(group, fund, time, price, "nav", state.cash - state.cash, nothing)
    else:
        end(group, fund, time, price, "wind_down", state.cash, nothing)
    judge(group, fund, time, price)
