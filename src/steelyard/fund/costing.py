"""What trades that have to be made cost by the series' own prices, and whether they can be."""

from __future__ import annotations

from collections.abc import Callable

from steelyard.errors import InputError
from steelyard.fund.events import Charges
from steelyard.fund.group import Fund, Group
from steelyard.fund.reserve import free_value
from steelyard.rules.costs import CostRates, TradeCost, is_tradable, no_cost, trade_cost
from steelyard.rules.numbers import Num, Number

__all__ = ["charges_of", "check_tradable", "forced_cost", "model_charges", "rounded_cost"]


def model_charges(fund: Fund[Num], notional: Num) -> Charges[Num]:
    """What one order of ``notional`` (signed, quote) costs by kind; nothing for none."""
    return charges_of(fund.costs.rates, notional, fund.terms.sqrt)


def charges_of(rates: CostRates[Num], notional: Num, sqrt: Callable[[Num], Num]) -> Charges[Num]:
    """The same by a price list, for a venue that knows no fund."""
    nothing = notional * 0
    if notional == 0:
        return Charges(*no_cost(nothing)[:4])
    return Charges(*trade_cost(rates, notional, nothing, sqrt)[:4])


def forced_cost(group: Group[Num], fund: Fund[Num], notional: Num, price: Num) -> TradeCost[Num]:
    """What a trade costs that has to be made, and who pays it.

    Raises:
        InputError: what it trades on does not hold that much.
    """
    check_tradable(fund, notional)
    value = free_value(group, fund, price)
    return trade_cost(fund.costs.rates, notional, value, fund.terms.sqrt)


def rounded_cost(number: Number[Num], cost: TradeCost[Num]) -> TradeCost[Num]:
    """A cost whose parts are amounts that can move, and still add up."""
    fee, spread, impact, gas = map(number.amount, cost[:4])
    by_reserve = number.amount(cost.paid_by_reserve)
    return TradeCost(fee, spread, impact, gas, by_reserve, fee + spread + impact + gas - by_reserve)


def check_tradable(fund: Fund[Num], notional: Num) -> None:
    """Refuse a trade that has to be made where the market does not hold that much.

    Raises:
        InputError: it does not.
    """
    costs, terms = fund.costs, fund.terms
    if is_tradable(costs.nav_curve, notional) and is_tradable(costs.reserve_curve, notional):
        return
    message = (
        f"{terms.symbol}: expected a book or a pool that can take every trade that "
        f"has to be made, found one of {abs(float(notional)):,.10g} "
        f"{terms.series.quote}; give a deeper one, or smaller flows."
    )
    raise InputError(message, symbol=terms.symbol, notional=float(notional))
