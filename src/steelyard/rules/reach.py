"""How far the price has to move from the target until each threshold of a series is met.

At the target, with nav and price both 1, cash is ``1 - L`` and units are ``L``; everything else
follows from the rules that also decide in a simulation.
"""

from __future__ import annotations

from typing import NamedTuple

from steelyard.rules.leverage import leverage_of, nav_of, price_at_leverage
from steelyard.rules.liquidation import is_nav_gone, liquidation_price
from steelyard.rules.numbers import FLOAT
from steelyard.rules.series import Series

__all__ = ["Reach", "reaches"]


class Reach(NamedTuple):
    """A threshold, and the simple return of the underlying, from the target, that meets it."""

    trigger: str
    """``band``, ``move``, ``emergency`` or ``liquidation``."""
    leverage: float | None
    """Signed, on arrival; None where nav is zero there."""
    move: float
    nav_return: float
    """What the holder has gained or lost by then."""


def reaches(series: Series) -> tuple[Reach, ...]:
    """Every threshold that some price meets, from the deepest fall to the highest rise.

    Thresholds that no price meets are left out: a 1x long never leaves 1x, for one.
    """
    terms = series.terms(FLOAT)
    rule, venue = terms.rule, terms.venue
    cash, units = 1.0 - rule.target, rule.target
    found: list[tuple[str, float | None, float]] = []
    limits = [
        ("band", rule.has_band and rule.has_lower, rule.lower_limit),
        ("band", rule.has_band, rule.upper_limit),
        ("emergency", rule.has_emergency, rule.emergency),
    ]
    for name, exists, limit in limits:
        leverage = limit if rule.target > 0 else -limit
        if exists and leverage != 1:
            found.append((name, leverage, price_at_leverage(cash, units, leverage)))
    if rule.has_move:
        losing, gaining = 1 - rule.move_threshold, 1 + rule.move_threshold
        if rule.target < 0:
            losing, gaining = gaining, losing
        found.append(("move", None, losing))
        if not rule.move_losing_side_only:
            found.append(("move", None, gaining))
    found.append(("liquidation", None, liquidation_price(venue, cash, units)))
    met = [_at(name, leverage, cash, units, price) for name, leverage, price in found if price > 0]
    return tuple(sorted(met, key=lambda reach: reach.move))


def _at(name: str, leverage: float | None, cash: float, units: float, price: float) -> Reach:
    nav = nav_of(cash, units, price)
    if is_nav_gone(cash, units, price):
        return Reach(name, None, price - 1, -1.0)
    return Reach(name, leverage or leverage_of(cash, units, price), price - 1, nav - 1)
