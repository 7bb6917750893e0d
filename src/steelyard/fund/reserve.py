"""The reserve of a group: its receipts, the value free for payments, and its suspensions."""

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
    """Start the clock of the reserve with the launch of its funds."""
    if group.terms is not None:
        opened = ReserveOpened(group.name, time, time + group.terms.allocation_every_s)
        group.emit(group.funds[0].state, opened)


def free_value(group: Group[Num], fund: Fund[Num], price: Num) -> Num:
    """The value that the reserve can pay for ``fund``, in quote; see ``free_of``."""
    return free_of(group, fund, group.reserve.units * price)


def free_of(group: Group[Num], fund: Fund[Num] | None, value: Num) -> Num:
    """The part of a shared reserve worth ``value`` (quote) that is free for ``fund``.

    Planned payments for the open orders of other funds are not free, because the outcome of these
    orders is unknown. With ``fund`` None the planned payments for all open orders are excluded.
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
    """Whether raising leverage is suspended at this price, the reserve's value, and the total nav.

    ``cash`` and ``units`` are those of ``fund`` including creations that go out with its next
    order. Both values are in quote.
    """
    nav = price * 0
    for each in group.funds:
        held = each.state
        if held.ended is None:
            if each is fund:
                nav = nav + nav_of(cash, units, price)
            else:
                nav = nav + nav_of(held.cash, held.units, price)
    # the level is the same for all funds: the planned payments for every open order are excluded
    value = free_of(group, None, group.reserve.units * price)
    terms = group.terms
    if terms is None:
        return False, value, nav
    return is_suspended(group.reserve.suspended, value, nav, terms.floor, terms.resume), value, nav


def change_suspension(
    group: Group[Num], fund: Fund[Num], judged: tuple[bool, Num, Num], time: int, price: Num
) -> None:
    """Suspend or resume raising leverage where ``judged`` differs from the present state."""
    suspended, value, nav = judged
    if suspended is not group.reserve.suspended:
        change = Suspended if suspended else Resumed
        group.emit(fund.state, change(group.name, time, price, value, nav))


def judge(group: Group[Num], fund: Fund[Num], time: int, price: Num) -> None:
    """Suspend or resume raising leverage according to the reserve's level at this price."""
    if group.terms is not None:
        state = fund.state
        judged = would_suspend(group, fund, state.cash, state.units, price)
        change_suspension(group, fund, judged, time, price)


def feed(
    group: Group[Num], injections: tuple[tuple[Num, bool], ...], time: int, price: Num
) -> None:
    """Convert injections and due allocations to units of the reserve at this price."""
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
