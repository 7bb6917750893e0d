"""What a trade costs, kind by kind, and who pays it (SPEC 3 and 4).

On a traded notional ``N = |units| * price``, in quote::

    fee    = N * taker_fee_bps / 1e4
    spread = N * half_spread_bps / 1e4
    impact = N * impact_bps / 1e4,  impact_bps = linear * N / 1e6  or  root * sqrt(N / volume)
    gas    = gas

The reserve pays the kinds it bears while it lasts, nav pays the rest. For sizing, each payer's
part is one ``CostCurve``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple

from steelyard.rules.numbers import Num

__all__ = [
    "ACCRUED_KINDS",
    "COST_KINDS",
    "TRADE_KINDS",
    "CostCurve",
    "CostRates",
    "TradeCost",
    "cost_curve",
    "curve_cost",
    "curve_slope",
    "pay",
    "trade_cost",
]


TRADE_KINDS = ("fee", "spread", "impact", "gas")
"""What a trade costs; a reserve may bear any of these."""
ACCRUED_KINDS = ("funding", "interest", "management")
"""What time costs (``accruals``)."""
COST_KINDS = (*TRADE_KINDS, *ACCRUED_KINDS)
"""Every kind of cost, in the order in which they are shown."""


class CostRates(NamedTuple, Generic[Num]):
    """The price list of a series; of the two impacts at most one is not zero."""

    taker_fee_bps: Num
    half_spread_bps: Num
    impact_linear: Num
    """bps per million of quote traded."""
    impact_root: Num
    """bps for trading 100 % of ``daily_volume``."""
    daily_volume: Num
    """Quote; 1 where ``impact_root`` is zero."""
    gas: Num
    bears_fee: bool
    bears_spread: bool
    bears_impact: bool
    bears_gas: bool


class TradeCost(NamedTuple, Generic[Num]):
    """One trade's cost in quote, by kind, and how much of their sum the reserve paid."""

    fee: Num
    spread: Num
    impact: Num
    gas: Num
    paid_by_reserve: Num
    paid_by_nav: Num


class CostCurve(NamedTuple, Generic[Num]):
    """``fixed + linear N + quadratic N^2 + root N sqrt(N / volume)``: a payer's part of a cost."""

    fixed: Num
    linear: Num
    quadratic: Num
    root: Num
    volume: Num


def trade_cost(
    rates: CostRates[Num], notional: Num, reserve_value: Num, sqrt: Callable[[Num], Num]
) -> TradeCost[Num]:
    """Cost of trading ``notional`` (quote, not negative), the reserve holding ``reserve_value``."""
    fee = notional * rates.taker_fee_bps / 10_000
    spread = notional * rates.half_spread_bps / 10_000
    impact = notional * notional * rates.impact_linear / 10_000_000_000
    if rates.impact_root > 0:
        impact = notional * rates.impact_root * sqrt(notional / rates.daily_volume) / 10_000
    return pay(rates, fee, spread, impact, rates.gas, reserve_value)


def pay(
    rates: CostRates[Num], fee: Num, spread: Num, impact: Num, gas: Num, reserve_value: Num
) -> TradeCost[Num]:
    """Costs by kind (quote) with who pays them: the reserve what it bears, while it lasts."""
    borne = fee * 0
    if rates.bears_fee:
        borne = borne + fee
    if rates.bears_spread:
        borne = borne + spread
    if rates.bears_impact:
        borne = borne + impact
    if rates.bears_gas:
        borne = borne + gas
    paid = borne
    if paid > reserve_value:
        paid = reserve_value
    return TradeCost(fee, spread, impact, gas, paid, fee + spread + impact + gas - paid)


def cost_curve(rates: CostRates[Num], borne: bool) -> CostCurve[Num]:
    """The curve of the kinds that the reserve bears (``borne``), or of those that nav does."""
    nothing = rates.gas * 0
    fixed = nothing
    linear = nothing
    quadratic = nothing
    root = nothing
    if rates.bears_gas == borne:
        fixed = rates.gas
    if rates.bears_fee == borne:
        linear = linear + rates.taker_fee_bps / 10_000
    if rates.bears_spread == borne:
        linear = linear + rates.half_spread_bps / 10_000
    if rates.bears_impact == borne:
        quadratic = rates.impact_linear / 10_000_000_000
        root = rates.impact_root / 10_000
    return CostCurve(fixed, linear, quadratic, root, rates.daily_volume)


def curve_cost(curve: CostCurve[Num], notional: Num, sqrt: Callable[[Num], Num]) -> Num:
    """The curve's cost of trading ``notional`` (quote)."""
    cost = curve.fixed + curve.linear * notional + curve.quadratic * notional * notional
    if curve.root > 0:
        cost = cost + curve.root * notional * sqrt(notional / curve.volume)
    return cost


def curve_slope(curve: CostCurve[Num], notional: Num, sqrt: Callable[[Num], Num]) -> Num:
    """The curve's marginal cost at ``notional``: quote per quote."""
    slope = curve.linear + 2 * curve.quadratic * notional
    if curve.root > 0:
        slope = slope + 3 * curve.root * sqrt(notional / curve.volume) / 2
    return slope
