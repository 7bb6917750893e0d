"""The only place where a fund's state changes: each effect is applied to a state.

An effect holds the resulting balances (cash, units, tokens, reserve), so applying it assigns them.
Only the sums since launch are added to, by the amounts in the effect. No rule is evaluated here, so
a stored history gives the same state even after the rules have changed.

The effects of a plain backtest are unpacked at once, because reading the fields of a tuple one by
one takes several times as long.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from steelyard.fund.effects import (
    Accrued,
    Allocated,
    Blocked,
    Booked,
    ClockMoved,
    Closed,
    Decided,
    Effect,
    Injected,
    Launched,
    Passed,
    PauseChanged,
    PriceSettled,
    Requested,
    ReserveOpened,
    Resumed,
    Rolled,
    Seen,
    Settled,
    Split,
    Suspended,
    Unfilled,
    Withdrawn,
)
from steelyard.fund.state import Ended, Instants, State
from steelyard.rules.costs import TradeCost
from steelyard.rules.numbers import Num
from steelyard.rules.triggers import Trigger

__all__ = ["NOT_REBALANCES", "apply", "see"]

NOT_REBALANCES = frozenset(
    {Trigger.NONE, Trigger.LAUNCH, Trigger.ROLL, Trigger.FLOW, Trigger.WIND_DOWN}
)
"""The triggers of trades that count neither as rebalances nor as turnover."""


def apply(state: State[Num], effect: Effect[Num]) -> None:
    """Change the state of a fund and of its reserve by one effect.

    An effect on a shared reserve is applied once, through the state of any fund that uses the
    reserve.
    """
    CHANGES[type(effect)](state, effect)


def _launched(state: State[Num], effect: Launched[Num]) -> None:
    state.time = state.last_rebalance = effect.time
    state.price = state.reference = effect.price
    state.next_interval, state.next_daily = effect.next_interval, effect.next_daily
    state.expiry, state.mark = effect.expiry, effect.mark
    state.settled_price = effect.settled_price


def _reserve_opened(state: State[Num], effect: ReserveOpened) -> None:
    state.reserve.next_allocation = effect.next_allocation


def _split(state: State[Num], effect: Split[Num]) -> None:
    state.tokens, state.split = effect.tokens, effect.split
    state.intent, state.pending = effect.left, effect.pending


def _price_settled(state: State[Num], effect: PriceSettled[Num]) -> None:
    state.cash, state.settled_price = effect.cash, effect.price
    state.reserve.units = effect.reserve
    state.reserve.settled -= effect.paid


def _seen(state: State[Num], effect: Seen[Num]) -> None:
    see(state, effect.time, effect.price, effect.window)


def see(state: State[Num], time: int, price: Num, window: tuple[Num, int] | None) -> None:
    """Apply the changes of a ``Seen`` effect without making the effect."""
    if window is not None:
        _extend_window(state, window)
    state.time, state.price = time, price


def _accrued(state: State[Num], effect: Accrued[Num]) -> None:
    sums = state.totals
    _, time, price, window, funding, interest, management, cash, units, mark, pending_fees = effect
    if window is not None:
        _extend_window(state, window)
    for paid in funding:
        sums.funding += paid
    sums.interest += interest
    sums.management += management
    state.cash, state.units, state.mark = cash, units, mark
    state.reserve.pending_fees = pending_fees
    state.time, state.price = time, price


def _extend_window(state: State[Num], window: tuple[Num, int]) -> None:
    square, starts = window
    if state.time is None:
        return
    state.window.append((state.time, square))
    state.squares += square
    while state.window and state.window[0][0] < starts:
        state.squares -= state.window.popleft()[1]


def _passed(state: State[Num], effect: Passed[Num]) -> None:
    sums, reserve = state.totals, state.reserve
    for since, square, starts in effect.window:
        state.window.append((since, square))
        state.squares += square
        while state.window and state.window[0][0] < starts:
            state.squares -= state.window.popleft()[1]
    if effect.accrued is not None:
        _, _, _, state.units, state.mark, reserve.pending_fees, *_ = effect.accrued
        sums.funding = effect.accrued.funding_total
        sums.interest = effect.accrued.interest_total
        sums.management = effect.accrued.management_total
    if effect.settled is not None:
        _, _, state.settled_price, reserve.units, reserve.settled = effect.settled
    state.cash, state.time, state.price = effect.cash, effect.time, effect.price
    sums.blocked += effect.blocked


def _injected(state: State[Num], effect: Injected[Num]) -> None:
    state.reserve.units = effect.reserve
    state.reserve.injected += effect.quote


def _allocated(state: State[Num], effect: Allocated[Num]) -> None:
    reserve = state.reserve
    reserve.units, reserve.next_allocation = effect.reserve, effect.next_allocation
    reserve.received += effect.quote
    reserve.pending_fees = reserve.pending_fees * 0


def _suspended(state: State[Num], effect: Suspended[Num]) -> None:
    state.reserve.suspended, state.reserve.suspended_since = True, effect.time


def _resumed(state: State[Num], effect: Resumed[Num]) -> None:
    reserve = state.reserve
    reserve.suspended_s += effect.time - reserve.suspended_since
    reserve.suspended, reserve.suspended_since = False, 0


def _requested(state: State[Num], effect: Requested[Num]) -> None:
    state.pending += (effect.request,)


def _withdrawn(state: State[Num], _: Withdrawn) -> None:
    state.pending = ()


def _decided(state: State[Num], effect: Decided[Num]) -> None:
    state.intent = effect.intent
    if effect.intent.requests:
        state.pending = ()


def _blocked(state: State[Num], _: Blocked[Num]) -> None:
    state.totals.blocked += 1


def _clock_moved(state: State[Num], effect: ClockMoved[Num]) -> None:
    _set_instants(state, effect.instants)
    state.clips = effect.clips


def _set_instants(state: State[Num], instants: Instants) -> None:
    state.next_interval, state.next_daily, state.last_volatile = instants


def _settled(state: State[Num], effect: Settled[Num]) -> None:
    sums, reserve = state.totals, state.reserve
    _, time, price, trigger, notional, _, cost, received = effect[:8]
    cash, units, tokens, _, held, pending_fees, counts, instants, clips, left, pending = effect[13:]
    state.cash, state.units, state.tokens = cash, units, tokens
    reserve.units, reserve.pending_fees = held, pending_fees
    if received != 0:
        reserve.received += received
    _add_cost(state, cost)
    if trigger not in NOT_REBALANCES:
        sums.turnover += abs(notional)
        sums.clips += 1
    if counts:
        state.reference, state.last_rebalance = price, time
        sums.by_trigger[trigger] = sums.by_trigger.get(trigger, 0) + 1
    if instants is not None:
        _set_instants(state, instants)
    state.clips, state.intent, state.pending = clips, left, pending


def _add_cost(state: State[Num], cost: TradeCost[Num]) -> None:
    sums = state.totals
    fee, spread, impact, gas, paid_by_reserve, _ = cost
    sums.fee += fee
    sums.spread += spread
    sums.impact += impact
    sums.gas += gas
    if paid_by_reserve != 0:
        sums.paid_by_reserve += paid_by_reserve


def _unfilled(state: State[Num], effect: Unfilled[Num]) -> None:
    if effect.why in ("costs", "capacity"):
        state.totals.blocked += 1
    state.clips, state.intent, state.pending = effect.clips, None, effect.pending


def _rolled(state: State[Num], effect: Rolled[Num]) -> None:
    for cost in effect.costs:
        _add_cost(state, cost)
    state.cash, state.units = effect.cash, effect.units
    state.mark, state.expiry = effect.mark, effect.expiry
    state.reserve.units = effect.reserve
    state.intent = effect.left


def _booked(state: State[Num], effect: Booked[Num]) -> None:
    state.cash = effect.cash
    # totals count a cost that was paid as positive
    if effect.what == "funding":
        state.totals.funding -= effect.amount
    elif effect.what == "interest":
        state.totals.interest -= effect.amount


def _closed(state: State[Num], effect: Closed[Num]) -> None:
    state.cash, state.units, state.clips = effect.cash, effect.units, None
    state.ended = Ended(effect.time, effect.price, effect.reason)


def _pause_changed(state: State[Num], effect: PauseChanged) -> None:
    state.paused = effect.is_paused


CHANGES: dict[type, Callable[[State[Any], Any], None]] = {
    Launched: _launched,
    ReserveOpened: _reserve_opened,
    Split: _split,
    PriceSettled: _price_settled,
    Seen: _seen,
    Accrued: _accrued,
    Passed: _passed,
    Injected: _injected,
    Allocated: _allocated,
    Suspended: _suspended,
    Resumed: _resumed,
    Requested: _requested,
    Withdrawn: _withdrawn,
    Decided: _decided,
    Blocked: _blocked,
    ClockMoved: _clock_moved,
    Settled: _settled,
    Unfilled: _unfilled,
    Rolled: _rolled,
    Booked: _booked,
    Closed: _closed,
    PauseChanged: _pause_changed,
}
