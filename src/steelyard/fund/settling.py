"""Settling: the fill of an order is booked.

A fill may be whole or partial, come in several pieces, be better than the mark, or be empty. Every
fill is settled. Creations and redemptions are booked in proportion to the filled part of their
order. The rest after a final fill continues as clips, and the trigger stays due until something is
filled.
"""

from __future__ import annotations

from steelyard.fund.creations import Entered, creations_of, enter, own_cost
from steelyard.fund.effects import Creation, Settled, Unfilled, Withdrawn
from steelyard.fund.ending import end_if_gone, wound_down
from steelyard.fund.events import Charges, Filled, Traded
from steelyard.fund.group import Fund, Group
from steelyard.fund.reserve import free_value, judge
from steelyard.fund.rolling import check_whole_roll, settle_roll
from steelyard.fund.state import Clips, Instants, Intent, Request
from steelyard.fund.trading import settled_trade
from steelyard.rules.costs import TradeCost, pay
from steelyard.rules.decide import Plan
from steelyard.rules.flows import is_nothing_sent
from steelyard.rules.numbers import Num, Number
from steelyard.rules.triggers import Trigger

__all__ = ["settle", "settle_as_planned", "settle_unasked"]

UNCLIPPED = frozenset({Trigger.FLOW, Trigger.WIND_DOWN})
"""The triggers of orders that do not change a series of clips in progress."""


def settle(group: Group[Num], fund: Fund[Num], fill: Filled[Num]) -> None:
    """Book a fill.

    Raises:
        InputError: a roll is filled only in part.
    """
    state, intent = fund.state, fund.state.intent
    time, price = fill.time, fill.price
    if intent is None:
        settle_unasked(group, fund, fill)
        return
    is_late = intent.due > intent.time
    if fill.units == 0 and intent.units != 0:
        _settle_nothing(group, fund, intent, fill)
        return
    if intent.trigger == Trigger.ROLL:
        check_whole_roll(fund, intent, fill)
        settle_roll(group, fund, fill, None)
        return
    group.emit(state, _settled(group, fund, intent, fill))
    _give_back_after_end(group, fund, time)
    if intent.trigger == Trigger.WIND_DOWN and state.ended is None:
        if state.intent is None and (state.units == 0 or fill.units == intent.units):
            wound_down(group, fund, time, price)
        return
    judge(group, fund, time, price)
    if is_late and state.ended is None:
        # the price differs from the one that the order was planned at
        end_if_gone(group, fund, time, price)


def settle_as_planned(
    group: Group[Num],
    fund: Fund[Num],
    plan: Plan[Num],
    trigger: int,
    time: int,
    price: Num,
    uses: Instants | None,
    counts: bool,
) -> None:
    """Settle a rebalance that is filled whole at its planned cost, faster than ``settle`` does.

    A backtest spends most of its time here, so the plan is not turned into an intent.
    """
    state, number, clips = fund.state, fund.terms.number, None
    _, destination, notional, cost, _, clipped, raises, _ = plan
    if clipped:
        clips = Clips(trigger, destination, raises, time)
    filled_units = None
    if number.round_amount is not None:
        filled_units = number.amount(notional / price / state.mark) * state.mark
    # arguments are passed by position for speed: a backtest comes here at each of its rebalances
    trade = settled_trade(
        group,
        fund,
        trigger,
        time,
        price,
        notional,
        cost,
        None,
        (),
        filled_units,
        counts,
        uses,
        clips,
        None,
        None,
        True,
    )
    group.emit(state, trade)
    if group.terms is not None:
        judge(group, fund, time, price)


def _settled(
    group: Group[Num], fund: Fund[Num], intent: Intent[Num], fill: Filled[Num]
) -> Settled[Num]:
    state, number, price = fund.state, fund.terms.number, fill.price
    is_whole = _fills_whole(intent, fill)
    share = price * 0
    if is_whole:
        share = share + 1
    elif fill.units * intent.units > 0:
        share = fill.units / intent.units
    requests = intent.requests
    if requests and (state.ended is not None or fund.nav(price) <= 0):
        # without nav there is no price for creations or redemptions, so the whole fill is the
        # fund's own
        intent = intent._replace(requests=())
    entered, notional = None, fill.notional
    if intent.requests:
        entered = enter(fund, _share_of(intent, share, is_whole, number), price)
        # a whole fill as planned is split as planned; otherwise the rebalance gets the rest
        is_planned = is_whole and fill.notional == intent.notional + entered.flows.net
        notional = intent.notional if is_planned else fill.notional - entered.flows.net
    left: Intent[Num] | None = None
    pending: tuple[Request[Num], ...] = state.pending
    if not is_whole:
        rest = _rest(intent, fill, share, number)
        if fill.final:
            # the unfilled part of its requests waits for another order
            pending = rest.requests + pending
        else:
            left = rest
    if requests and not intent.requests:
        pending = requests + pending
    clips, is_clip = state.clips, intent.trigger not in UNCLIPPED
    if is_clip:
        clips = _clips_after(fund, intent, fill, is_whole)
    cost, creations = _shared_cost(group, fund, intent, fill, entered, notional)
    return settled_trade(
        group,
        fund,
        intent.trigger,
        fill.time,
        price,
        notional,
        cost,
        entered=entered,
        creations=creations,
        filled_units=None if number.round_amount is None else fill.units * state.mark,
        counts=intent.counts,
        instants=intent.uses,
        clips=clips,
        left=left,
        pending=pending,
        is_clip=is_clip,
    )


def _shared_cost(
    group: Group[Num],
    fund: Fund[Num],
    intent: Intent[Num],
    fill: Filled[Num],
    entered: Entered[Num] | None,
    notional: Num,
) -> tuple[TradeCost[Num], tuple[Creation[Num], ...]]:
    """The parts of an order's charges that its rebalance and each of its creations bear."""
    value, charges = free_value(group, fund, fill.price), fill.charges
    if entered is None:
        return pay(fund.costs.rates, *charges, value), ()
    if intent.trigger == Trigger.FLOW and is_nothing_sent(notional, entered.flows.size):
        # a rounding difference between an order and its creations is not a rebalance
        notional = notional * 0
    cost = own_cost(fund, entered.flows, notional, charges, value)
    return cost, creations_of(fund, entered, fill.time, notional, charges)


def _fills_whole(intent: Intent[Num], fill: Filled[Num]) -> bool:
    """Whether an order is completely filled, also where more was filled than was ordered."""
    asked, filled = intent.units, fill.units
    return filled == asked or (filled > asked >= 0) or (filled < asked <= 0)


def _share_of(
    intent: Intent[Num], share: Num, is_whole: bool, number: Number[Num]
) -> tuple[Request[Num], ...]:
    """The part of each request that a partial fill of its order fills."""
    if is_whole:
        return intent.requests
    return tuple(
        each._replace(tokens=number.amount(each.tokens * share)) for each in intent.requests
    )


def _rest(intent: Intent[Num], fill: Filled[Num], share: Num, number: Number[Num]) -> Intent[Num]:
    """The part of an order that is still open after a partial fill."""
    left = 1 - share
    tokens = (each.tokens - number.amount(each.tokens * share) for each in intent.requests)
    requests = tuple(
        each._replace(tokens=rest)
        for each, rest in zip(intent.requests, tokens, strict=True)
        if rest != 0
    )
    planned = intent.cost
    return intent._replace(
        units=intent.units - fill.units,
        sent=intent.sent * left,
        notional=intent.notional * left,
        requests=requests,
        cost=TradeCost(*(part * left for part in planned)),
        counts=False,
        uses=None,
        is_rest=True,
    )


def _clips_after(
    fund: Fund[Num], intent: Intent[Num], fill: Filled[Num], is_whole: bool
) -> Clips[Num] | None:
    """The clips that follow a completed order, unless leverage has reached the destination."""
    goes_on = intent.clipped if is_whole else fill.goes_on and fill.final
    if not goes_on or fund.state.ended is not None:
        return None
    return Clips(intent.trigger, intent.destination, intent.raises, fill.time)


def _settle_nothing(
    group: Group[Num], fund: Fund[Num], intent: Intent[Num], fill: Filled[Num]
) -> None:
    """Settle the end of an order without a further fill."""
    if any(fill.charges):
        # an order without a fill may still cost something
        settle_unasked(group, fund, fill)
    if not fill.final:
        return
    state, clips = fund.state, fund.state.clips
    goes_on = fill.goes_on and (intent.is_rest or intent.trigger == Trigger.LAUNCH)
    if state.ended is not None:
        clips = None
    elif goes_on and intent.trigger not in UNCLIPPED:
        clips = Clips(intent.trigger, intent.destination, intent.raises, fill.time)
    pending = intent.requests + state.pending
    group.emit(
        state,
        Unfilled(
            fund.terms.symbol, fill.time, fill.price, intent.trigger, fill.why, clips, pending
        ),
    )
    _give_back_after_end(group, fund, fill.time)


def settle_unasked(group: Group[Num], fund: Fund[Num], fill: Filled[Num] | Traded[Num]) -> None:
    """Book a fill that belongs to no open order, because the venue has traded anyway."""
    charges: Charges[Num] = fill.charges
    if fill.units == 0 and not any(charges):
        return
    state = fund.state
    trade = settled_trade(
        group,
        fund,
        Trigger.NONE,
        fill.time,
        fill.price,
        fill.notional,
        pay(fund.costs.rates, *charges, free_value(group, fund, fill.price)),
        filled_units=fill.units * state.mark,
        clips=state.clips,
        left=state.intent,
    )
    group.emit(state, trade)
    judge(group, fund, fill.time, fill.price)


def _give_back_after_end(group: Group[Num], fund: Fund[Num], time: int) -> None:
    """Return requests that come back from an order after the end of the fund."""
    state = fund.state
    if state.ended is not None and state.pending:
        group.emit(state, Withdrawn(fund.terms.symbol, time, len(state.pending)))
