"""Rolling: a dated future is replaced by the next with two orders that are settled together."""

from __future__ import annotations

from steelyard.errors import InputError
from steelyard.fund.costing import rounded_cost
from steelyard.fund.effects import Rolled
from steelyard.fund.events import Filled
from steelyard.fund.group import Fund, Group
from steelyard.fund.reserve import free_of, judge
from steelyard.fund.state import Intent
from steelyard.rules.costs import pay
from steelyard.rules.futures import contract_at, mark_factor
from steelyard.rules.leverage import leverage_of, nav_of
from steelyard.rules.numbers import Num
from steelyard.rules.reserve import units_left

__all__ = ["check_whole_roll", "settle_roll"]


def check_whole_roll(fund: Fund[Num], intent: Intent[Num], fill: Filled[Num]) -> None:
    """Refuse a partial fill of a roll, because a fund holds only one future at a time.

    A roll is reported once both of its orders are filled.

    Raises:
        InputError: the roll is filled only in part.
    """
    if fill.units != intent.units:
        message = (
            f"{fund.terms.symbol}: expected a roll of all {float(intent.units):g} contracts, "
            f"reported once both of its orders are filled, found a roll of {float(fill.units):g}."
        )
        raise InputError(message, symbol=fund.terms.symbol)


def settle_roll(
    group: Group[Num], fund: Fund[Num], fill: Filled[Num], on_its_way: Intent[Num] | None
) -> None:
    """Book both legs of a roll into the same number of contracts of the next future.

    ``on_its_way`` is another order at a simulated venue, which stays open meanwhile.
    """
    group.emit(fund.state, _rolled(group, fund, fill)._replace(left=on_its_way))
    judge(group, fund, fill.time, fill.price)


def _rolled(group: Group[Num], fund: Fund[Num], fill: Filled[Num]) -> Rolled[Num]:
    state, terms, number, price = fund.state, fund.terms, fund.terms.number, fill.price
    nav = fund.nav(price)
    leverage = fund.leverage(price) if nav != 0 else price * 0
    old = number.amount(state.units * price)
    expiry = contract_at(fill.time, terms.roll_s)
    mark = mark_factor(terms.basis, expiry, fill.time)
    new = number.amount(old / state.mark * mark)
    cash, held = state.cash, group.reserve.units
    costs = []
    for charges in (fill.charges, fill.second or fill.charges):
        cost = pay(fund.costs.rates, *charges, free_of(group, fund, held * price))
        if number.round_amount is not None:
            cost = rounded_cost(number, cost)
        cash = cash - cost.paid_by_nav
        if cost.paid_by_reserve != 0:
            held = number.moved(held, units_left(held, cost.paid_by_reserve, price))
        costs.append(cost)
    units = number.moved(state.units, state.units / state.mark * mark)
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
