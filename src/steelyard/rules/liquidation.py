"""When the venue closes the position, and at what price (SPEC 2, step 2).

A perpetual is liquidated when nav falls under its maintenance margin, a share of notional; a
borrowed spot position when its debt exceeds a share of its collateral. Where neither rule bites
first, nav that is gone (at most 1e-12 of notional) ends the token all the same.
"""

from __future__ import annotations

from typing import Generic, NamedTuple

from steelyard.rules.numbers import Num

__all__ = [
    "VenueTerms",
    "is_liquidated",
    "is_nav_gone",
    "liquidation_price",
    "nav_after_liquidation",
]


class VenueTerms(NamedTuple, Generic[Num]):
    """How the place where the position lives treats it; rates are per year of 365 days."""

    spot: bool
    """True: collateral and debt (borrow and swap); false: a perpetual."""
    maintenance_margin: Num
    liquidation_fee: Num
    liquidation_threshold: Num
    borrow_spread: Num
    supply_spread: Num
    units_borrow_rate: Num


def is_liquidated(venue: VenueTerms[Num], cash: Num, units: Num, price: Num) -> bool:
    """Whether the venue's own rule closes the position at this price.

    A position within 1e-12 of the rule stands at it, and has not broken it.
    """
    notional = units * price
    if venue.spot:
        debt = -cash
        collateral = notional
        if units < 0:
            debt = -notional
            collateral = cash
        over = debt - venue.liquidation_threshold * collateral
        return over * 1_000_000_000_000 > collateral
    margin = venue.maintenance_margin
    # without a margin the venue has no rule of its own: nav that is gone ends the token
    missing = margin * abs(notional) - (cash + notional)
    return margin > 0 and missing * 1_000_000_000_000 > abs(notional)


def is_nav_gone(cash: Num, units: Num, price: Num) -> bool:
    """Whether nav is at most 1e-12 of notional: nothing is left to hold."""
    notional = units * price
    return (cash + notional) * 1_000_000_000_000 <= abs(notional)


def liquidation_price(venue: VenueTerms[Num], cash: Num, units: Num) -> Num:
    """The price at which a falling long or rising short is closed; not positive: nowhere.

    For a perpetual without maintenance margin it is where nav is zero. ``units`` is not zero.
    """
    if venue.spot:
        if units > 0:
            return -cash / (venue.liquidation_threshold * units)
        return -venue.liquidation_threshold * cash / units
    if units > 0:
        return -cash / (units * (1 - venue.maintenance_margin))
    return -cash / (units * (1 + venue.maintenance_margin))


def nav_after_liquidation(venue: VenueTerms[Num], cash: Num, units: Num, price: Num) -> Num:
    """What holders keep: nav less the liquidation fee on notional, never below zero.

    At most 1e-12 of notional is nothing, as for nav itself: it would be rounding that is left.
    """
    notional = units * price
    left = cash + notional - venue.liquidation_fee * abs(notional)
    if left * 1_000_000_000_000 <= abs(notional):
        return left - left  # times zero it would be -0.0
    return left
