"""The search for rebalances that were due between two rows and are missing in the journal.

Between two rows the books change only by accruals, and each threshold is a price, so the lowest and
the highest price show whether one was passed. The clock decides the rest. Cases that neither
decides are counted as not checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from steelyard.fund.counterparty import over_capacity
from steelyard.fund.creations import enter
from steelyard.fund.group import Fund, Group
from steelyard.fund.ordering import plan_order
from steelyard.fund.reserve import would_suspend
from steelyard.fund.state import Clips
from steelyard.fund.thresholds import next_crossing
from steelyard.rules.decide import Outcome, Plan, destination_of, is_clip_done
from steelyard.rules.leverage import leverage_of, nav_of
from steelyard.rules.liquidation import is_liquidated, is_nav_gone
from steelyard.rules.triggers import Trigger, first_trigger, is_volatile

__all__ = ["Between", "due_between", "due_now", "reserve_due"]

NOT_DUE = (False, False, False, False)


class Between(NamedTuple):
    """The observations between two rows."""

    low: Any
    high: Any
    start: Any
    """The last price before these observations."""
    out: bool
    """Whether the keeper was down at one of them."""
    intrabar: str | None


def due_between(
    group: Group[Any], fund: Fund[Any], before: tuple[Any, Any], seen: Between
) -> Iterator[str | None]:
    """The actions that were due at prices between two rows; None for a price that cannot decide.

    Args:
        group: the group of the fund, before the later row.
        fund: the fund.
        before: cash and units after the earlier row.
        seen: the observations between the rows.
    """
    state = fund.state
    if seen.low is None or state.reference is None or state.ended is not None:
        return
    rests = seen.out or state.paused or state.clips is not None or state.intent is not None
    for price in (seen.low, seen.high):
        trigger = _trigger_at(fund, state.cash, state.units, price)
        if trigger == Trigger.NONE:
            continue
        is_certain = _trigger_at(fund, *before, price) != Trigger.NONE
        if trigger == Trigger.LIQUIDATION:
            yield _missing(fund, trigger, price) if is_certain else None
        elif rests or not is_certain:
            yield None
        else:
            yield _missing_trade(group, fund, before, trigger, price, seen)


def _trigger_at(fund: Fund[Any], cash: Any, units: Any, price: Any) -> int:  # noqa: ANN401
    """The trigger that holds at a price, without the clock."""
    terms, state = fund.terms, fund.state
    if is_liquidated(terms.venue, cash, units, price) or is_nav_gone(cash, units, price):
        return Trigger.LIQUIDATION
    leverage = leverage_of(cash, units, price)
    found = first_trigger(terms.rule, leverage, price, state.reference, *NOT_DUE)
    return int(found)


def _missing_trade(
    group: Group[Any],
    fund: Fund[Any],
    before: tuple[Any, Any],
    trigger: int,
    price: Any,  # noqa: ANN401
    seen: Between,
) -> str | None:
    """The rebalance that was due at a price; None where there was nothing to trade.

    Accruals between the rows change leverage slightly, so a rebalance is certainly due only where
    it is due with the books of both rows.
    """
    if seen.intrabar == "path":
        # it acts where its threshold is crossed; if it trades nothing there, it waits for the clock
        met = next_crossing(fund, is_out=False, start=seen.start, end=price, spent=0)
        if met.trigger in (Trigger.NONE, Trigger.LIQUIDATION):
            return None
        trigger, price = met.trigger, met.price
    elif seen.intrabar is None:
        return None
    if group.is_counterparty:
        # the reserve's capacity at a price depends on the path of the price
        return None
    if _plan(group, fund, before, trigger, price).outcome != Outcome.TRADE:
        return None
    plan = _plan(group, fund, _books(fund), trigger, price)
    return _missing(fund, trigger, price, plan) if plan.outcome == Outcome.TRADE else None


def _books(fund: Fund[Any]) -> tuple[Any, Any]:
    return fund.state.cash, fund.state.units


def _plan(
    group: Group[Any],
    fund: Fund[Any],
    books: tuple[Any, Any],
    trigger: int,
    price: Any,  # noqa: ANN401
) -> Plan[Any]:
    """The plan of the rules at a price, with this cash and these units."""
    cash, units = books
    suspended = would_suspend(group, fund, cash, units, price)[0]
    destination = destination_of(fund.terms.rule, trigger, leverage_of(cash, units, price))
    stood = enter(fund, (), price)._replace(cash=cash, units=units)
    return plan_order(group, fund, trigger, destination, price, suspended, stood)


def _missing(fund: Fund[Any], trigger: int, price: Any, plan: Any = None) -> str:  # noqa: ANN401
    state, name = fund.state, Trigger(trigger).name.lower()
    nav = nav_of(state.cash, state.units, price)
    at = f"leverage {leverage_of(state.cash, state.units, price)}" if nav > 0 else f"nav {nav}"
    what = "the end" if plan is None else f"a rebalance of {plan.notional}"
    return (
        f"{fund.terms.symbol}: the rules require {what} by {name} at a price of {price}, which was "
        f"observed ({at}), but the journal holds none"
    )


def due_now(group: Group[Any], fund: Fund[Any], seen: Between) -> Iterator[str | None]:
    """The actions due by clock, reserve or roll at the last observation before a row."""
    state, terms = fund.state, fund.terms
    time, price = state.time, state.price
    if state.ended is not None or state.reference is None or time is None:
        return
    rests = seen.out or state.paused
    if terms.is_future and not rests and time + terms.roll_s >= state.expiry:
        yield f"{terms.symbol}: the roll of a future that expires at {state.expiry} is overdue"
    if _is_elsewhere(group, price):
        yield None
        return
    if group.is_counterparty and any(each is fund for each in over_capacity(group, price)):
        yield f"{terms.symbol}: the exposure at a price of {price} exceeds the reserve's capacity"
    intent = state.intent
    if intent is not None and group.fills is not None and time >= intent.due:
        yield f"{terms.symbol}: an order of {intent.time} was due to be filled by {intent.due}"
        return
    if not rests and state.clips is not None and intent is None and not state.pending:
        yield _missing_clip(group, fund, state.clips, time, price)
        return
    if rests or state.clips is not None or state.intent is not None or state.pending:
        yield None
        return
    due = _due_by_clock(fund, time)
    if not any(due):
        return
    leverage = leverage_of(state.cash, state.units, price)
    trigger = first_trigger(terms.rule, leverage, price, state.reference, *due)
    if trigger == Trigger.NONE:
        return
    plan = _plan(group, fund, _books(fund), trigger, price)
    if plan.outcome == Outcome.TRADE:
        yield _missing(fund, trigger, price, plan)
    elif plan.outcome == Outcome.NOTHING and any(due[:3]):
        name = Trigger(trigger).name.lower()
        yield f"{terms.symbol}: {name} was due at {time}, but did not act in the journal"


def _missing_clip(
    group: Group[Any],
    fund: Fund[Any],
    clips: Clips[Any],
    time: int,
    price: Any,  # noqa: ANN401
) -> str | None:
    """A clip that was due, or the end of the clips; None where venue or reserve decides."""
    state, terms = fund.state, fund.terms
    leverage = leverage_of(state.cash, state.units, price)
    name = Trigger(clips.trigger).name.lower()
    if is_clip_done(clips.destination, clips.raises, leverage):
        return (
            f"{terms.symbol}: the clips by {name} were complete at {time}, but go on in the journal"
        )
    if time < clips.last_time + terms.cooldown_s:
        return None
    suspended = group.reserve.suspended
    plan = plan_order(group, fund, clips.trigger, clips.destination, price, suspended)
    return _missing(fund, clips.trigger, price, plan) if plan.outcome == Outcome.TRADE else None


def _due_by_clock(fund: Fund[Any], time: int) -> tuple[bool, bool, bool, bool]:
    state, terms = fund.state, fund.terms
    last = state.last_volatile
    is_open = last is None or time - last >= terms.window_s
    return (
        terms.has_volatility
        and is_open
        and is_volatile(state.squares, len(state.window), terms.window_s, terms.volatility),
        terms.interval is not None and time >= state.next_interval,
        terms.daily is not None and time >= state.next_daily,
        terms.fallback is not None and time - state.last_rebalance >= terms.fallback.after_s,
    )


def _is_elsewhere(group: Group[Any], price: Any) -> bool:  # noqa: ANN401
    """Whether the counterparty has since settled at another price."""
    return group.is_counterparty and any(
        fund.terms.is_pool and fund.state.settled_price != price for fund in group.living
    )


def reserve_due(group: Group[Any], time: int | None, price: Any) -> Iterator[str]:  # noqa: ANN401
    """The reserve's actions that were due at the last scheduled observation before a row."""
    living = group.living
    if group.terms is None or not living or time is None:
        return
    reserve = group.reserve
    if time >= reserve.next_allocation:
        due = reserve.next_allocation
        yield f"{group.name}: an allocation was due at {due}, but is missing at {time}"
    if _is_elsewhere(group, price):
        return
    state = living[0].state
    suspended, value, nav = would_suspend(group, living[0], state.cash, state.units, price)
    if suspended is not reserve.suspended:
        should, does = ("suspended", "go on") if suspended else ("resumed", "are suspended")
        yield (
            f"{group.name}: at a value of {value} and a nav of {nav} trades that raise leverage "
            f"are to be {should}, but in the journal they {does}"
        )
