"""What an order comes to on paper, by every cost model there is."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from steelyard.rules.costs import cost_curve, curve_slope, is_tradable
from steelyard.rules.numbers import DECIMAL18
from steelyard.venues.paper.paper_fills import PaperFill, filled, model_book
from support.rule_cases import Costing, costings, written

MARK = Decimal(100)
ANY = Decimal(0)
UNITS = written("0.001", "2000", 3).filter(bool)
SIDES = st.sampled_from([1, -1])
TOUCH = Decimal("1e-15")


def fill_of(
    costing: Costing, units: Decimal, limit: Decimal | None = None, lot: Decimal = ANY
) -> PaperFill | None:
    """The fill at a mark of 100."""
    with DECIMAL18.context():
        return filled(costing.rates(DECIMAL18), units, MARK, limit, lot)


def worst_price(costing: Costing, units: Decimal) -> Decimal:
    """What the last bit of an order of this size costs by the model's slope, without its fee."""
    rates = costing.rates(DECIMAL18)._replace(
        taker_fee_bps=ANY, bears_fee=False, bears_spread=False, bears_impact=False
    )
    with DECIMAL18.context():
        slope = curve_slope(cost_curve(rates, borne=False), units * MARK, DECIMAL18.sqrt)
        return MARK * (1 + slope) if units > 0 else MARK * (1 - slope)


@given(costings(), UNITS, SIDES)
def test_all_that_is_paid_is_the_notional_and_its_charges(
    costing: Costing, size: Decimal, side: int
) -> None:
    """Quote and commission together, to 18 places; nothing of a cost is lost or counted twice."""
    fill = fill_of(costing, side * size)
    assume(fill is not None)
    assert fill is not None
    with DECIMAL18.context():
        assert fill.notional == DECIMAL18.amount(fill.units * MARK)
        assert fill.quote + fill.commission == fill.notional + sum(fill.charges)
        assert all(part == DECIMAL18.amount(part) for part in fill.charges)


@given(costings(), UNITS, SIDES, written("0", "300", 1))
def test_a_limit_is_kept_by_the_last_bit_and_lets_through_all_that_it_allows(
    costing: Costing, size: Decimal, side: int, limit_bps: Decimal
) -> None:
    """No more is filled than its price allows, and a little more would be dearer than that."""
    limit = MARK * (1 + side * limit_bps / 10_000)
    fill = fill_of(costing, side * size, limit)
    part = ANY if fill is None else fill.units
    assert 0 <= part * side <= size
    if part != 0:
        assert (limit - worst_price(costing, part)) * side >= -TOUCH
    curve = cost_curve(costing.rates(DECIMAL18), borne=False)
    more = min(abs(part) + Decimal("0.000001"), size)
    if part * side < size and is_tradable(curve, side * more * MARK):
        assert (worst_price(costing, side * more) - limit) * side >= -TOUCH


@given(costings(), UNITS, SIDES)
def test_without_a_limit_only_the_markets_depth_leaves_anything(
    costing: Costing, size: Decimal, side: int
) -> None:
    """Where the book or the pool holds the order, all of it is filled."""
    rates = costing.rates(DECIMAL18)
    depth = all(
        is_tradable(cost_curve(rates, borne), side * size * MARK) for borne in (False, True)
    )
    fill = fill_of(costing, side * size)
    if depth:
        assert fill is not None
        assert fill.units == side * size
    else:
        assert fill is None or abs(fill.units) < size


@given(costings(), UNITS, SIDES, written("0", "100", 1), written("0.001", "1", 3))
def test_a_part_is_whole_lots(
    costing: Costing, lots: Decimal, side: int, limit_bps: Decimal, lot: Decimal
) -> None:
    """As many as the limit allows, and never a fraction of one."""
    assume(lot > 0)
    size = (lots // lot + 1) * lot
    fill = fill_of(costing, side * size, MARK * (1 + side * limit_bps / 10_000), lot)
    if fill is not None:
        assert fill.units % lot == 0
        assert fill.units != 0


@given(costings())
def test_a_modelled_book_costs_what_the_model_says(costing: Costing) -> None:
    """Bids fall and asks rise from the mark, and a whole side costs its spread and impact."""
    with DECIMAL18.context():
        bids, asks = model_book(costing.rates(DECIMAL18), MARK)
    for levels, side in ((bids, -1), (asks, 1)):
        prices = [price for price, _ in levels]
        assert all((price - MARK) * side >= -TOUCH for price in prices)
        assert all((after - before) * side >= -TOUCH for before, after in pairwise(prices))
        if levels:
            units = sum(there for _, there in levels)
            fill = fill_of(costing, side * units)
            assert fill is not None
            walked = sum(price * there for price, there in levels)
            assert abs(side * walked - fill.quote) <= Decimal("1e-9") * units


def test_a_planned_notional_is_booked_at_the_mark_of_the_decision() -> None:
    """It is what the units were rounded from; at another mark it says nothing."""
    costing = Costing(fee_bps=Decimal(5))
    with DECIMAL18.context():
        planned = Decimal(1000) / 3
        units = DECIMAL18.amount(planned / MARK)
        rates = costing.rates(DECIMAL18)
        at_mark = filled(rates, units, MARK, None, ANY, planned)
        elsewhere = filled(rates, units, MARK + 1, None, ANY, planned)
        assert at_mark is not None
        assert at_mark.notional == DECIMAL18.amount(planned)
        assert elsewhere is not None
        assert elsewhere.notional == DECIMAL18.amount(units * (MARK + 1))
