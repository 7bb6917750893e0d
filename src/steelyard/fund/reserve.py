"""A reserve at work: what it takes in, what it can pay, when it suspends what raises leverage."""

from __future__ import annotations

from steelyard.fund.effects import Allocated, Injected, ReserveOpened, Resumed, Suspended
from steelyard.fund.group import Fund, Group
from steelyard.rules.leverage import nav_of
from steelyard.rules.numbers import Num
from steelyard.rules.reserve import is_suspended, units_received
from steelyard.rules.triggers import next_instant

__all__ = [
    "change_suspension",
    "feed",
    "free_of",
    "free_value",
    "judge",
    "open_reserve",
    "would_suspend",
]


def open_reserve(group: Group[Num], time: int) -> None:
    """Start the reserve's clock with the launch of its funds."""
    if group.terms is not None:
        opened = ReserveOpened(group.name, time, time + group.terms.allocation_every_s)
        group.emit(group.funds[0].state, opened)


def free_value(group: Group[Num], fund: Fund[Num], price: Num) -> Num:
    """What the reserve can pay for ``fund``, in quote: see ``free_of``."""
    return free_of(group, fund, group.reserve.units * price)


def free_of(group: Group[Num], fund: Fund[Num] | None, value: Num) -> Num:
    """What of a shared reserve worth ``value`` (quote) is free for ``fund``; None: for nobody yet.

    What the orders of other funds are planned to take is not there: their outcome is unknown.
    """
    if len(group.funds) == 1:
        return value
    for other in group.funds:
        intent = other.state.intent
        if other is not fund and intent is not None and intent.cost.paid_by_reserve > 0:
            value = value - intent.cost.paid_by_reserve
    return value if value > 0 else value * 0


def would_suspend(
    group: Group[Num], fund: Fund[Num], cash: Num, units: Num, price: Num
) -> tuple[bool, Num, Num]:
    """Whether raising leverage is suspended at this price, the reserve's value, and all nav.

    ``cash`` and ``units`` are those of ``fund``, which may be ahead of its books by creations
    that go out with its next order.
    """
    nav = price * 0
    for each in group.funds:
        held = each.state
        if held.ended is None:
            if each is fund:
                nav = nav + nav_of(cash, units, price)
            else:
                nav = nav + nav_of(held.cash, held.units, price)
    # one level for all: less what any open order is planned to take
    value = free_of(group, None, group.reserve.units * price)
    terms = group.terms
    if terms is None:
        return False, value, nav
    return is_suspended(group.reserve.suspended, value, nav, terms.floor, terms.resume), value, nav


def change_suspension(
    group: Group[Num], fund: Fund[Num], judged: tuple[bool, Num, Num], time: int, price: Num
) -> None:
    """Suspend, or resume, where ``judged`` differs from what holds."""
    suspended, value, nav = judged
    if suspended is not group.reserve.suspended:
        change = Suspended if suspended else Resumed
        group.emit(fund.state, change(group.name, time, price, value, nav))


def judge(group: Group[Num], fund: Fund[Num], time: int, price: Num) -> None:
    """Suspend what raises leverage, or let it go on, by the level at this price."""
    if group.terms is not None:
        state = fund.state
        judged = would_suspend(group, fund, state.cash, state.units, price)
        change_suspension(group, fund, judged, time, price)


def feed(
    group: Group[Num], injections: tuple[tuple[Num, bool], ...], time: int, price: Num
) -> None:
    """Injections and due allocations become units at this price."""
    reserve, terms, state = group.reserve, group.terms, group.funds[0].state
    if terms is None:
        return
    number = group.funds[0].terms.number
    for quote, is_capital in injections:
        paid = number.amount(quote)
        units = number.moved(reserve.units, reserve.units + units_received(paid, price))
        group.emit(state, Injected(group.name, time, price, paid, is_capital, units))
    if time >= reserve.next_allocation:
        quote = reserve.pending_fees
        units = number.moved(reserve.units, reserve.units + units_received(quote, price))
        due = next_instant(terms.allocation_every_s, reserve.next_allocation, time)
        group.emit(state, Allocated(group.name, time, price, quote, units, due))
