"""The function ``step``, which turns an event into effects.

At a scheduled observation all funds of a group first book their accruals. Then the reserve receives
its payments and its level is tested once. Then each fund acts in order, and an order that is filled
at once is settled before the next fund acts. Between scheduled observations, inside a bar, the
driver reports which threshold is crossed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from steelyard.errors import InputError
from steelyard.fund.accruing import accrue, split
from steelyard.fund.capacity import keep_capacity
from steelyard.fund.counterparty import settle_prices
from steelyard.fund.creations import Entered, enter, request
from steelyard.fund.deciding import check_triggers, fire
from steelyard.fund.effects import Booked, Decided, Effect, PauseChanged, Requested
from steelyard.fund.ending import close, end, end_if_gone, withdraw_order, wound_down
from steelyard.fund.events import (
    NOTHING_DUE,
    Arrived,
    Crossed,
    Event,
    Filled,
    Inputs,
    Liquidated,
    MoneyMoved,
    Observed,
    Paused,
    Traded,
    Visited,
)
from steelyard.fund.group import Fund, Group
from steelyard.fund.launching import launch
from steelyard.fund.ordering import order, send
from steelyard.fund.reserve import feed, judge, open_reserve
from steelyard.fund.rolling import settle_roll
from steelyard.fund.settling import settle, settle_unasked
from steelyard.fund.sound import unsound
from steelyard.rules.decide import Outcome
from steelyard.rules.numbers import Num
from steelyard.rules.triggers import Trigger

__all__ = ["step"]


def step(group: Group[Num], event: Event[Num]) -> list[Effect[Num]]:
    """Apply ``event`` to a group; returns its effects in order, which are already applied.

    Raises:
        InputError: a launch, redemption or order is impossible. A live fund also refuses an event
            that cannot have happened (``sound``) before anything changes.
    """
    if group.fills is None:
        # the inputs of a backtest were checked when they were read
        why = unsound(group, event)
        if why is not None:
            raise InputError(f"{group.name}: {why}.", fund=group.name)
    effects: list[Effect[Num]] = []
    group.effects = effects
    ACTS[type(event)](group, event)
    return effects


def _observe(group: Group[Num], event: Observed[Num]) -> None:
    """Process a scheduled observation, at which every rule may act."""
    time, price, is_out, _, inputs = event
    fund = group.funds[0]
    if fund.state.time is None:
        _launch_all(group, event)
    elif not group.is_alone:
        _observe_together(group, event)
    elif fund.state.ended is None:
        # the most frequent case: a single fund without a reserve
        due = inputs[0]
        _begin(group, fund, due, time, price)
        if fund.state.ended is None:
            _act(group, fund, due, time, price, is_out)


def _launch_all(group: Group[Num], event: Observed[Num]) -> None:
    """Launch the funds in their order at the first observation."""
    time, price, _, _, inputs = event
    open_reserve(group, time)
    for fund, due in zip(group.funds, inputs, strict=True):
        if due.impact is not None:
            fund.see_impact(due.impact)
        launch(group, fund, time, price)
        _after_trades(group, time, price)


def _observe_together(group: Group[Num], event: Observed[Num]) -> None:
    """Process a scheduled observation of a group: accruals, the reserve, then each fund."""
    time, price, is_out, injections, inputs = event
    settle_prices(group, time, price)
    for fund, due in zip(group.funds, inputs, strict=True):
        if fund.state.ended is None:
            _begin(group, fund, due, time, price)
    living = group.living
    if not living:
        return
    if group.terms is not None:
        feed(group, injections, time, price)
        judge(group, living[0], time, price)
        _after_trades(group, time, price)
    for fund, due in zip(group.funds, inputs, strict=True):
        # a trade of one fund may end another fund that comes after it
        if fund.state.ended is None:
            _act(group, fund, due, time, price, is_out)


def _begin(group: Group[Num], fund: Fund[Num], inputs: Inputs[Num], time: int, price: Num) -> None:
    """Begin a scheduled observation of a fund: splits, accruals, and possibly its end."""
    if inputs is not NOTHING_DUE:
        if inputs.impact is not None:
            fund.see_impact(inputs.impact)
        if inputs.splits:
            split(group, fund, inputs.splits, time)
    accrue(group, fund, inputs, time, price)
    end_if_gone(group, fund, time, price)


def _act(
    group: Group[Num],
    fund: Fund[Num],
    inputs: Inputs[Num],
    time: int,
    price: Num,
    is_out: bool,
) -> None:
    """Act at a scheduled observation: roll, process requests, and test the triggers."""
    state, terms = fund.state, fund.terms
    _, _, _, flows, ends, _, _ = inputs
    # a simulated fund without nav has already ended; a real one waits for its venue
    is_gone = group.fills is None and fund.nav(price) <= 0
    rests = is_out or state.paused or is_gone
    if terms.is_future and not (rests or ends) and _roll(group, fund, time, price):
        return
    if flows:
        for asked in request(fund, flows, time, price):
            group.emit(state, Requested(terms.symbol, asked))
    if state.intent is None and not (rests or ends or state.pending):
        # the most frequent case: none of the following applies
        check_triggers(group, fund, inputs, time, price, None)
    elif ends:
        _wind_down(group, fund, time, price)
    elif state.intent is not None:
        if group.fills is not None and time >= state.intent.due:
            settle(group, fund, group.fills.fill(group, fund, time, price))
    elif not is_gone:
        entered = enter(fund, state.pending, price) if state.pending else None
        went_out = not rests and check_triggers(group, fund, inputs, time, price, entered)
        if entered is not None and not went_out:
            _send_flows(group, fund, entered, time, price, terms.delay_s)
    if group.is_counterparty:
        keep_capacity(group, time, price)


def _send_flows(
    group: Group[Num],
    fund: Fund[Num],
    entered: Entered[Num],
    time: int,
    price: Num,
    delay_s: int,
) -> None:
    """Send creations and redemptions in an order of their own, without a rebalance."""
    trigger = Trigger.FLOW
    intent = order(fund, trigger, time, price, price * 0, entered, delay_s)
    send(group, fund, intent)


def _wind_down(group: Group[Num], fund: Fund[Num], time: int, price: Num) -> None:
    """Close the position for good; requests that can still be filled at once are filled first."""
    state = fund.state
    if state.intent is not None:
        if group.fills is None:
            # the outcome of the open order is not known; the position is closed when it is
            return
        withdraw_order(group, fund, time, price)
    if state.pending and fund.terms.delay_s == 0 and group.fills is not None:
        _send_flows(group, fund, enter(fund, state.pending, price), time, price, 0)
    if state.units == 0:
        wound_down(group, fund, time, price)
        return
    notional = -state.units * price
    send(group, fund, order(fund, Trigger.WIND_DOWN, time, price, notional))


def _roll(group: Group[Num], fund: Fund[Num], time: int, price: Num) -> bool:
    """Roll the future that is held if its roll is due; returns whether the fund ended."""
    state = fund.state
    is_due = time + fund.terms.roll_s >= state.expiry
    on_its_way = state.intent
    if not is_due or (group.fills is None and on_its_way is not None):
        return False
    intent = order(fund, Trigger.ROLL, time, price, state.units * price)
    if group.fills is None:
        send(group, fund, intent)
        return False
    group.emit(state, Decided(fund.terms.symbol, intent))
    settle_roll(group, fund, group.fills.fill(group, fund, time, price), on_its_way)
    if not end_if_gone(group, fund, time, price):
        return False
    _after_trades(group, time, price)
    return True


def _after_trades(group: Group[Num], time: int, price: Num) -> None:
    """Keep exposure within the counterparty's capacity, which the reserve's payments lower too."""
    if group.is_counterparty:
        keep_capacity(group, time, price)


def _cross(group: Group[Num], event: Crossed[Num]) -> None:
    """Act on the threshold that is crossed at this price inside a bar."""
    time, price, place, trigger = event
    fund = group.funds[place]
    state = fund.state
    if state.ended is not None:
        return
    if trigger == Trigger.LIQUIDATION:
        venue = fund.terms.venue
        bites = venue.spot or venue.maintenance_margin > 0
        close(group, fund, time, price, "liquidated" if bites else "nav")
    elif state.intent is not None or state.paused or fund.nav(price) <= 0:
        return
    else:
        settle_prices(group, time, price)
        leverage = fund.leverage(price)
        outcome = fire(group, fund, trigger, time, price, leverage, scheduled=False)
        if outcome != Outcome.TRADE:
            return
    _after_trades(group, time, price)


def _visit(group: Group[Num], event: Visited[Num]) -> None:
    """Settle the change of price with all funds that have the reserve as counterparty."""
    settle_prices(group, event.time, event.price)


def _arrive(group: Group[Num], event: Arrived[Num]) -> None:
    """Test for an end at a path price, since a trade's costs may have used up the margin."""
    time, price = event
    if group.is_counterparty:
        settle_prices(group, time, price)
    for fund in group.funds:
        if fund.state.ended is None:
            end_if_gone(group, fund, time, price)
    if group.is_counterparty:
        keep_capacity(group, time, price)


def _fill(group: Group[Num], event: Filled[Num]) -> None:
    """Process the outcome of an order."""
    settle(group, group.funds[event.place], event)
    _after_trades(group, event.time, event.price)


def _liquidate(group: Group[Num], event: Liquidated[Num]) -> None:
    """Process the liquidation of a live fund by its venue."""
    fund = group.funds[event.place]
    state, number = fund.state, fund.terms.number
    cash = number.moved(state.cash, event.cash)
    time, price = event.time, event.price
    end(group, fund, time, price, "liquidated", cash, state.units * 0)
    judge(group, fund, time, price)


def _trade_unasked(group: Group[Num], event: Traded[Num]) -> None:
    """Book a trade that the venue made on its own; an open order does not change."""
    settle_unasked(group, group.funds[event.place], event)
    _after_trades(group, event.time, event.price)


def _move_money(group: Group[Num], event: MoneyMoved[Num]) -> None:
    """Book money that the venue moved; the next observation tests the reserve's level."""
    fund = group.funds[event.place]
    time, price, what, given, _ = event
    amount = fund.terms.number.amount(given)
    cash = fund.state.cash + amount
    group.emit(fund.state, Booked(fund.terms.symbol, time, price, what, amount, cash))


def _pause(group: Group[Num], event: Paused) -> None:
    fund = group.funds[event.place]
    if fund.state.paused is not event.is_paused:
        changed = PauseChanged(fund.terms.symbol, event.time, event.is_paused)
        group.emit(fund.state, changed)


ACTS: dict[type, Callable[[Group[Any], Any], None]] = {
    Observed: _observe,
    Crossed: _cross,
    Visited: _visit,
    Arrived: _arrive,
    Filled: _fill,
    Liquidated: _liquidate,
    Traded: _trade_unasked,
    MoneyMoved: _move_money,
    Paused: _pause,
}
