"""The conditions and the price at which the venue closes the position (SPEC 2, step 2).

A perpetual is liquidated when nav falls below its maintenance margin, a share of notional. A
borrowed spot position is liquidated when its debt exceeds a share of its collateral. If neither
rule applies first, the token still ends when its nav is at most 1e-12 of notional.
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
    """The terms of the venue that holds the position; rates are per year of 365 days."""

    spot: bool
    """True for collateral and debt (borrow and swap), false for a position on margin."""
    maintenance_margin: Num
    liquidation_fee: Num
    liquidation_threshold: Num
    borrow_spread: Num
    supply_spread: Num
    units_borrow_rate: Num


def is_liquidated(venue: VenueTerms[Num], cash: Num, units: Num, price: Num) -> bool:
    """Whether the venue's own rule closes the position at this price.

    A position within 1e-12 of the limit is treated as being at the limit, which does not violate
    it.
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
    # without a maintenance margin the venue has no rule of its own: the token ends at a nav of zero
    missing = margin * abs(notional) - (cash + notional)
    return margin > 0 and missing * 1_000_000_000_000 > abs(notional)


def is_nav_gone(cash: Num, units: Num, price: Num) -> bool:
    """Whether nav is at most 1e-12 of notional, so that nothing is left."""
    notional = units * price
    return (cash + notional) * 1_000_000_000_000 <= abs(notional)


def liquidation_price(venue: VenueTerms[Num], cash: Num, units: Num) -> Num:
    """The price at which the venue closes a falling long or a rising short, in quote.

    A result that is not positive means that no price closes the position. For a perpetual without a
    maintenance margin it is the price at which nav is zero. ``units`` is not zero.
    """
    if venue.spot:
        if units > 0:
            return -cash / (venue.liquidation_threshold * units)
        return -venue.liquidation_threshold * cash / units
    if units > 0:
        return -cash / (units * (1 - venue.maintenance_margin))
    return -cash / (units * (1 + venue.maintenance_margin))


def nav_after_liquidation(venue: VenueTerms[Num], cash: Num, units: Num, price: Num) -> Num:
    """What holders keep: nav less the liquidation fee on notional, never below zero; quote.

    A rest of at most 1e-12 of notional counts as zero, as for nav itself, because it would be
    rounding.
    """
    notional = units * price
    left = cash + notional - venue.liquidation_fee * abs(notional)
    if left * 1_000_000_000_000 <= abs(notional):
        return left - left  # multiplying by zero would give -0.0
    return left
