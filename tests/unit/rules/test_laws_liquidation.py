"""Laws of the end of a position: the price where the venue closes it, and what holders keep."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from steelyard.rules.leverage import nav_of
from steelyard.rules.liquidation import (
    is_liquidated,
    is_nav_gone,
    liquidation_price,
    nav_after_liquidation,
)
from steelyard.rules.numbers import FLOAT, FRACTION
from support.rule_cases import NUMBERS, Terms, exact, sizes, venues, written

SIDES = st.sampled_from([1, -1])
NAVS = written("1", "100000", 2)
PRICES = written("0.01", "70000", 2)
STEP = Fraction(1, 10**9)


@st.composite
def positions(draw: st.DrawFn) -> tuple[Any, Fraction, Fraction]:
    """(venue, cash, units), made at a price and a leverage at which the venue lets it live."""
    size, side = draw(sizes()), draw(SIDES)
    venue = draw(venues(size)).of(FRACTION)
    nav, price = exact(draw(NAVS)), exact(draw(PRICES))
    units = side * exact(size) * nav / price
    cash = nav - units * price
    assert not is_liquidated(venue, cash, units, price)
    return venue, cash, units


@given(positions())
def test_the_liquidation_price_is_where_the_venue_first_closes(
    position: tuple[Any, Fraction, Fraction],
) -> None:
    """At the price itself the position still stands; just past it, down for a long, it is closed.

    Perpetual with a margin, and spot, long and short. Nowhere (a long without debt) means at no
    price at all.
    """
    venue, cash, units = position
    assume(venue.spot or venue.maintenance_margin > 0)
    price = liquidation_price(venue, cash, units)
    if price <= 0:
        assert units > 0
        assert cash >= 0
        for anywhere in (Fraction(1, 10**9), Fraction(1), Fraction(10**9)):
            assert not is_liquidated(venue, cash, units, anywhere)
        return
    outward = -1 if units > 0 else 1
    assert not is_liquidated(venue, cash, units, price)
    assert not is_liquidated(venue, cash, units, price * (1 - outward * STEP))
    assert is_liquidated(venue, cash, units, price * (1 + outward * STEP))


@given(positions())
def test_at_the_liquidation_price_the_venues_ratio_is_its_limit(
    position: tuple[Any, Fraction, Fraction],
) -> None:
    """Debt over collateral is the threshold, or nav over notional the margin, exactly."""
    venue, cash, units = position
    price = liquidation_price(venue, cash, units)
    assume(price > 0)
    notional = abs(units) * price
    nav = nav_of(cash, units, price)
    if venue.spot:
        collateral = notional if units > 0 else cash
        assert collateral - nav == venue.liquidation_threshold * collateral
    else:
        assert nav == venue.maintenance_margin * notional


@given(sizes(), SIDES, NAVS, PRICES)
def test_without_a_margin_a_perpetual_ends_where_nav_is_gone(
    size: Decimal, side: int, nav: Decimal, price: Decimal
) -> None:
    """Its venue closes nothing; nav of at most 1e-12 of notional ends the token."""
    assume(side * size != 1)
    venue = Terms().of(FRACTION)
    units = side * exact(size) * exact(nav) / exact(price)
    cash = exact(nav) - units * exact(price)
    end = liquidation_price(venue, cash, units)
    if end <= 0:
        assert 0 < side * size < 1
        return
    assert nav_of(cash, units, end) == 0
    assert is_nav_gone(cash, units, end)
    outward = -1 if units > 0 else 1
    assert is_nav_gone(cash, units, end * (1 + outward * STEP))
    assert not is_nav_gone(cash, units, end * (1 - outward * STEP))
    assert not is_liquidated(venue, cash, units, end)
    assert not is_liquidated(venue, cash, units, end * (1 + outward * STEP))


@pytest.mark.parametrize("number", NUMBERS, ids=[n.name for n in NUMBERS])
def test_nav_is_gone_at_one_part_in_1e12_of_notional(number: Any) -> None:
    """At exactly 1e-12 it is gone, at a little more it is not; long and short."""
    for units in (1, -1):
        for nav, gone in (("1e-12", True), ("1.01e-12", False), ("0", True), ("-0.1", True)):
            cash = number.of(nav) - units
            # the figure that floats can hold beside a notional of one
            if number is FLOAT and nav == "1e-12":
                cash = 0.9999e-12 - units
            assert is_nav_gone(cash, number.of(units), number.of(1)) == gone


@given(positions(), written("0.001", "5", 3))
def test_holders_keep_nav_less_the_fee_and_never_less_than_nothing(
    position: tuple[Any, Fraction, Fraction], price: Decimal
) -> None:
    """max(0, nav - fee * notional) at the price of the close."""
    venue, cash, units = position
    at = abs(cash / units) * exact(price)
    assume(at > 0)
    kept = nav_after_liquidation(venue, cash, units, at)
    fee = venue.liquidation_fee * abs(units) * at
    assert kept == max(Fraction(0), nav_of(cash, units, at) - fee)


def test_a_kept_nav_of_1e_12_of_notional_is_nothing() -> None:
    """It would be rounding that is left; a little more is kept."""
    venue = Terms().of(FRACTION)
    for units in (1, -1):
        for nav, kept in (("1e-12", "0"), ("2e-12", "2e-12")):
            cash = exact(nav) - units
            assert nav_after_liquidation(venue, cash, exact(units), exact(1)) == exact(kept)


@pytest.mark.parametrize("units", [2.0, -2.0])
def test_nothing_kept_is_a_plain_zero(units: float) -> None:
    """Not minus zero, which would be printed as "-0.0"."""
    kept = nav_after_liquidation(Terms().of(FLOAT), -units - 1.0, units, 1.0)
    assert kept == 0.0
    assert math.copysign(1.0, kept) == 1.0
