"""The price move that meets each threshold of a series, and the trade that follows.

The token starts at its target with its initial assets and a price of 1, so its cash is
``assets * (1 - L)`` and its units are ``assets * L``. Everything else follows from the rules that
also decide in a simulation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from steelyard.rules.decide import TradeLimits, destination_of, plan_trade
from steelyard.rules.leverage import leverage_of, nav_of, price_at_leverage
from steelyard.rules.liquidation import is_nav_gone, liquidation_price
from steelyard.rules.numbers import FLOAT
from steelyard.rules.series import Costs, Series, Terms
from steelyard.rules.sizing import Payers
from steelyard.rules.triggers import Trigger

__all__ = ["Reach", "highest_standing", "reaches", "trade_after"]

Columns = Sequence[Sequence[float]]


class Reach(NamedTuple):
    """A threshold, and the simple return of the underlying from the target that meets it."""

    trigger: str
    """``band``, ``move``, ``emergency`` or ``liquidation``."""
    leverage: float | None
    """The signed leverage at the threshold; None where nav is zero there."""
    move: float
    nav_return: float
    """The return of the holder at the threshold."""
    trade_notional: float | None
    """The notional traded there in quote, negative for a sale; None for a liquidation."""


def reaches(series: Series, book: Columns | None = None) -> tuple[Reach, ...]:
    """Every threshold that some price meets, from the deepest fall to the highest rise.

    Thresholds that no price meets are left out. For example, a 1x long never leaves 1x. A series
    that trades on an order book needs the columns of the book (see ``Series.terms``).
    """
    terms = series.terms(FLOAT, book)
    found = _thresholds(series, terms)
    met = [_at(series, *threshold, book) for threshold in found]
    return tuple(sorted(met, key=lambda reach: reach.move))


def highest_standing(series: Series) -> float:
    """The highest |leverage| that a token can reach from its target before its rule trades.

    On each side of the target it is the leverage at the first threshold that the price meets and
    that trades anything. It is at least the target. A long below 1x whose band ends at 1x or above
    can reach any leverage below 1x, because a rising price takes it there and never to the end of
    the band. Where the position ends before any threshold is met, or where only a clock acts, no
    price limits leverage, and the result is the target.
    """
    # neither the cost of a trade nor its order book changes a threshold
    terms = replace(series, costs=Costs()).terms(FLOAT)
    rule, (cash, units) = terms.rule, _position(series)
    highest = abs(series.target_leverage)
    met = sorted(_thresholds(series, terms), key=lambda threshold: abs(threshold.price - 1))
    for side in (-1, 1):
        for threshold in met:
            if (threshold.price - 1) * side <= 0:
                continue
            if threshold.trigger == "liquidation" or is_nav_gone(cash, units, threshold.price):
                break
            leverage = threshold.leverage
            stands = leverage_of(cash, units, threshold.price) if leverage is None else leverage
            if threshold.trigger == "move" and stands == destination_of(rule, Trigger.MOVE, stands):
                # this threshold trades nothing, so the price moves on to the next one
                continue
            highest = max(highest, abs(stands))
            break
        else:
            if side > 0 and 0 < rule.target < 1 and rule.has_band:
                # no price meets the end of the band; otherwise the loop would have found it
                highest = 1.0
    return highest


def trade_after(
    series: Series, trigger: Trigger, move: float, book: Columns | None = None
) -> float:
    """The signed notional (quote, one clip) that ``trigger`` trades after a price move from target.

    The reserve, where there is one, is assumed to hold enough for the costs that it bears. An
    impact that follows the market is left out.
    """
    terms, (cash, units), price = series.terms(FLOAT, book), _position(series), 1 + move
    nav = nav_of(cash, units, price)
    if nav <= 0:
        return 0.0
    payers = Payers(terms.nav_curve, terms.reserve_curve, series.initial_nav * nav)
    destination = destination_of(terms.rule, trigger, leverage_of(cash, units, price))
    exposure = units * price
    any_size = TradeLimits(0.0, 0.0, False, 0.0)
    plan = plan_trade(
        terms.rule,
        terms.rates,
        payers,
        any_size,
        trigger,
        destination,
        nav,
        exposure,
        False,
        FLOAT.sqrt,
    )
    return plan.notional


class _Threshold(NamedTuple):
    trigger: str
    leverage: float | None
    """The signed leverage; None where the threshold is a price."""
    price: float


def _thresholds(series: Series, terms: Terms[float]) -> list[_Threshold]:
    """Every threshold that some price meets, in no particular order."""
    rule, (cash, units) = terms.rule, _position(series)
    found: list[_Threshold] = []
    limits = [
        ("band", rule.has_band and rule.has_lower, rule.lower_limit),
        ("band", rule.has_band, rule.upper_limit),
        ("emergency", rule.has_emergency, rule.emergency),
    ]
    for name, exists, limit in limits:
        leverage = limit if rule.target > 0 else -limit
        if exists and leverage != 1:
            found.append(_Threshold(name, leverage, price_at_leverage(cash, units, leverage)))
    if rule.has_move:
        losing, gaining = 1 - rule.move_threshold, 1 + rule.move_threshold
        if rule.target < 0:
            losing, gaining = gaining, losing
        found.append(_Threshold("move", None, losing))
        if not rule.move_losing_side_only:
            found.append(_Threshold("move", None, gaining))
    end = liquidation_price(terms.venue, cash, units)
    found.append(_Threshold("liquidation", None, end))
    return [threshold for threshold in found if threshold.price > 0]


def _position(series: Series) -> tuple[float, float]:
    """The token's cash and units at its target and a price of 1."""
    assets = series.initial_nav * series.initial_tokens
    return assets * (1 - series.target_leverage), assets * series.target_leverage


def _at(
    series: Series, name: str, leverage: float | None, price: float, book: Columns | None
) -> Reach:
    cash, units = _position(series)
    move = price - 1
    if is_nav_gone(cash, units, price):
        return Reach(name, None, move, -1.0, None)
    if leverage is None:
        leverage = leverage_of(cash, units, price)
    nav_return = nav_of(cash, units, price) / nav_of(cash, units, 1.0) - 1
    trigger = Trigger[name.upper()]
    trade = None if trigger == Trigger.LIQUIDATION else trade_after(series, trigger, move, book)
    return Reach(name, leverage, move, nav_return, trade)
