"""Laws of the reserve: when it suspends, what it pays, and the health that is published."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rules.costs import curve_cost, trade_cost
from steelyard.rules.numbers import FLOAT, FRACTION
from steelyard.rules.reserve import (
    buffer_depth,
    capacity,
    is_suspended,
    reserve_level,
    reserve_share,
    runway_days,
    units_left,
    units_received,
    utilisation,
)
from support.rule_cases import Costing, costings, exact, written

NAVS = written("1", "300000", 2)
VALUES = st.just(Decimal(0)) | written("0", "50000", 2)
FLOORS = written("0", "0.3", 3)
PRICES = written("0.5", "70000", 2)


@given(st.booleans(), VALUES, NAVS, FLOORS, FLOORS)
def test_suspension_has_a_floor_and_a_resume_ratio(
    suspended: bool, value: Decimal, nav: Decimal, floor: Decimal, above: Decimal
) -> None:
    """Below the floor always, at or above the resume ratio never, between them as it was before."""
    resume = floor + above
    level = reserve_level(exact(value), exact(nav))
    figures = (exact(value), exact(nav), exact(floor), exact(resume))
    if level < exact(floor):
        assert is_suspended(suspended, *figures)
    elif level >= exact(resume):
        assert not is_suspended(suspended, *figures)
    else:
        assert is_suspended(suspended, *figures) == suspended


@given(st.lists(written("0.05", "0.2", 3), min_size=1, max_size=30), FLOORS, FLOORS)
def test_a_suspension_lasts_until_the_level_is_back(
    levels: list[Decimal], floor: Decimal, above: Decimal
) -> None:
    """Over any course of levels: since it last was below the floor, it has not been at resume."""
    resume = floor + above
    suspended = False
    for i, level in enumerate(levels):
        suspended = is_suspended(suspended, exact(level), Fraction(1), exact(floor), exact(resume))
        below = [j for j in range(i + 1) if levels[j] < floor]
        since = [level for level in levels[below[-1] : i + 1] if level >= resume] if below else []
        assert suspended == (bool(below) and not since)


@given(st.booleans())
def test_a_nav_of_zero_suspends_nothing(suspended: bool) -> None:
    """No level exists then, and nothing could raise leverage."""
    assert not is_suspended(suspended, 0.0, 0.0, 0.1, 0.12)


@given(VALUES, VALUES, PRICES, written("0", "1", 3))
def test_what_the_reserve_receives_it_can_pay_at_that_price(
    units: Decimal, fee: Decimal, price: Decimal, share: Decimal
) -> None:
    """Its share of a fee and the issuer's are the fee; paid out again, it leaves what was there."""
    part = reserve_share(exact(fee), exact(share))
    assert part + reserve_share(exact(fee), 1 - exact(share)) == exact(fee)
    held = exact(units) + units_received(part, exact(price))
    assert units_left(held, part, exact(price)) == exact(units)


@given(costings("60"), written("0", "300000", 2), PRICES)
def test_the_reserve_pays_what_it_bears_down_to_its_last_unit(
    costing: Costing, notional: Decimal, price: Decimal
) -> None:
    """Also below the floor: what it bears while it lasts, never more than it has, never less."""
    value = exact(costing.reserve_value)
    rates = costing.rates(FRACTION)
    cost = trade_cost(rates, exact(notional), value, FRACTION.sqrt)
    borne = sum(getattr(cost, kind) for kind in costing.bears)
    assert cost.paid_by_reserve == min(borne, value)
    left = units_left(value / exact(price), cost.paid_by_reserve, exact(price))
    assert left >= 0
    assert left * exact(price) == value - cost.paid_by_reserve
    if borne >= value:
        assert left == 0


@given(written("0.001", "1000", 3), PRICES)
def test_a_reserve_that_paid_its_all_is_exactly_empty_on_floats(
    units: Decimal, price: Decimal
) -> None:
    """Not a rounding error above zero or below it, and not minus zero."""
    held, at = float(units), float(price)
    left = units_left(held, held * at, at)
    assert left == 0.0
    assert math.copysign(1.0, left) == 1.0


@given(VALUES, NAVS, FLOORS, costings("60"))
def test_capacity_is_the_trade_whose_cost_uses_up_the_buffer(
    value: Decimal, nav: Decimal, floor: Decimal, costing: Costing
) -> None:
    """The reserve's part of that trade's cost is what lies above the floor."""
    borne = costing.payers(FRACTION).reserve
    buffer = exact(value) - exact(floor) * exact(nav)
    found = capacity(exact(value), exact(nav), exact(floor), borne, FRACTION.sqrt)
    curved = borne.pool > 0 or borne.has_book
    if borne.linear == borne.quadratic == borne.root == 0 and not curved:
        assert found is None
    elif buffer <= borne.fixed:
        assert found == 0
    else:
        assert found is not None
        costs = [curve_cost(borne, side * found, FRACTION.sqrt) for side in (1, -1)]
        # the dearer side decides; a book may end before it costs that much
        if not (borne.has_book and found == min(borne.book.bid_depth, borne.book.ask_depth)):
            assert abs(max(costs) - buffer) <= Fraction(1, 10**25) * (1 + buffer)
        assert max(costs) <= buffer * (1 + Fraction(1, 10**25))


@given(VALUES, NAVS, FLOORS)
def test_buffer_depth_is_the_level_less_the_floor(
    value: Decimal, nav: Decimal, floor: Decimal
) -> None:
    """As a share of nav, negative below the floor."""
    figures = (exact(value), exact(nav))
    assert buffer_depth(*figures, exact(floor)) == reserve_level(*figures) - exact(floor)


@given(VALUES, NAVS, FLOORS, written("0.01", "500", 2))
def test_paying_for_the_runway_ends_at_the_floor(
    value: Decimal, nav: Decimal, floor: Decimal, per_day: Decimal
) -> None:
    """After that many days of the present payment the buffer is zero."""
    days = runway_days(exact(value), exact(nav), exact(floor), exact(per_day))
    assert days is not None
    assert exact(value) - days * exact(per_day) == exact(floor) * exact(nav)


@given(VALUES, written("0.01", "50000", 2))
def test_utilisation_is_the_share_that_was_paid(paid: Decimal, value: Decimal) -> None:
    """Of the value of 24 hours ago."""
    share = utilisation(exact(paid), exact(value))
    assert share is not None
    assert share * exact(value) == exact(paid)


def test_health_that_does_not_exist_is_none_and_not_a_number() -> None:
    """No division by zero, no infinity: where a figure has no meaning it is None."""
    assert utilisation(1.0, 0.0) is None
    assert buffer_depth(1.0, 0.0, 0.1) is None
    assert runway_days(1.0, 1.0, 0.1, 0.0) is None
    assert runway_days(1.0, 1.0, 0.1, -2.0) is None
    gas_alone = Costing(gas=Decimal(5), bears=frozenset({"gas"})).payers(FLOAT).reserve
    assert capacity(100.0, 100.0, 0.1, gas_alone, math.sqrt) is None


@pytest.mark.parametrize("value", [0.0, 5.0, 9.99])
def test_below_the_floor_there_is_no_capacity(value: float) -> None:
    """Zero, and not the size of some trade that takes the reserve farther down."""
    borne = Costing(fee_bps=Decimal(5), bears=frozenset({"fee"})).payers(FLOAT).reserve
    found = capacity(value, 100.0, 0.1, borne, math.sqrt)
    assert found == 0.0
    assert math.copysign(1.0, found) == 1.0
