"""The costs of trades that must be made, by the series' own rates, and whether they can be made."""

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
    """The cost of one order of ``notional`` (signed, quote) by kind; zero for an order of zero."""
    return charges_of(fund.costs.rates, notional, fund.terms.sqrt)


def charges_of(rates: CostRates[Num], notional: Num, sqrt: Callable[[Num], Num]) -> Charges[Num]:
    """The cost of an order of ``notional`` (signed, quote) by ``rates``, without a fund."""
    nothing = notional * 0
    if notional == 0:
        return Charges(*no_cost(nothing)[:4])
    return Charges(*trade_cost(rates, notional, nothing, sqrt)[:4])


def forced_cost(group: Group[Num], fund: Fund[Num], notional: Num, price: Num) -> TradeCost[Num]:
    """The cost of a trade that must be made, and who pays it; quote.

    Raises:
        InputError: the order book or pool is not deep enough for the trade.
    """
    check_tradable(fund, notional)
    value = free_value(group, fund, price)
    return trade_cost(fund.costs.rates, notional, value, fund.terms.sqrt)


def rounded_cost(number: Number[Num], cost: TradeCost[Num]) -> TradeCost[Num]:
    """The cost with each part rounded to an amount that can be booked, so that the parts add up."""
    fee, spread, impact, gas = map(number.amount, cost[:4])
    by_reserve = number.amount(cost.paid_by_reserve)
    return TradeCost(fee, spread, impact, gas, by_reserve, fee + spread + impact + gas - by_reserve)


def check_tradable(fund: Fund[Num], notional: Num) -> None:
    """Refuse a trade that must be made where the market is not deep enough.

    Raises:
        InputError: the order book or pool is not deep enough for the trade.
    """
    costs, terms = fund.costs, fund.terms
    if is_tradable(costs.nav_curve, notional) and is_tradable(costs.reserve_curve, notional):
        return
    message = (
        f"{terms.symbol}: expected an order book or a pool that is deep enough for every trade "
        f"that must be made, found a trade of {abs(float(notional)):,.10g} {terms.series.quote} "
        f"beyond its depth; give a deeper one, or smaller flows."
    )
    raise InputError(message, symbol=terms.symbol, notional=float(notional))
