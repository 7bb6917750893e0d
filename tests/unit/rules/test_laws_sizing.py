"""Laws of the size of a trade: it lands on its destination after its own cost, or comes nearest.

The equation is checked by putting the size into it, and by a brute-force scan of all sizes that
knows nothing of how the size was found.
"""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from steelyard.rules.costs import curve_cost, curve_slope, side_depth, trade_cost
from steelyard.rules.numbers import FLOAT, FRACTION
from steelyard.rules.sizing import gap_to, is_nothing_to_trade, size_trade
from support.rule_cases import (
    FREE,
    NUMBERS,
    Costing,
    costings,
    exact,
    shallow,
    sizes,
    written,
)

if TYPE_CHECKING:
    from steelyard.rules.numbers import Number

SIDES = st.sampled_from([1, -1])
NAVS = written("50", "300000", 2)
LEVERAGES = written("0", "15", 3)


def nav_pays(number: Number[Any], costing: Costing, size: Any) -> Any:
    """What a trade of that signed notional takes from nav."""
    reserve = number.of(costing.reserve_value)
    return trade_cost(costing.rates(number), size, reserve, number.sqrt).paid_by_nav


def residual(number: Number[Any], costing: Costing, case: tuple[Any, Any, Any], size: Any) -> Any:
    """By how much ``exposure + size = destination * (nav - cost)`` fails, quote."""
    destination, nav, exposure = case
    return exposure + size - destination * (nav - nav_pays(number, costing, size))


def sized(
    number: Number[Any], costing: Costing, side: int, figures: tuple[Decimal, Decimal, Decimal]
) -> tuple[tuple[Any, Any, Any], Any]:
    """(destination, nav, exposure) on that side, and the size that the rules give."""
    reach, nav, leverage = figures
    case = number.of(side * reach), number.of(nav), number.of(side * leverage * nav)
    return case, size_trade(*case, costing.payers(number), number.sqrt)


@given(costings("60"), SIDES, sizes(), NAVS, written("0", "0.99", 2))
def test_a_raise_lands_on_its_destination_after_its_own_cost(
    costing: Costing, side: int, reach: Decimal, nav: Decimal, share: Decimal
) -> None:
    """Whatever the impact and whoever pays, long or short: leverage after costs is the destination.

    A raise has one solution always, as soon as what is missing exceeds the fixed cost.
    """
    leverage = reach * share
    assume((reach - leverage) * nav > reach * costing.gas)
    case, size = sized(FLOAT, costing, side, (reach, nav, leverage))
    assert size * side > 0
    assert abs(residual(FLOAT, costing, case, size)) <= 1e-12 * float((reach + leverage) * nav)


@given(costings("60", impacts=["none", "book"]), SIDES, sizes(), NAVS, LEVERAGES)
def test_without_curvature_it_lands_exactly_on_fractions(
    costing: Costing, side: int, reach: Decimal, nav: Decimal, leverage: Decimal
) -> None:
    """Fees, spread, gas, a book, and a reserve that pays a part: not a rounding error is left."""
    case, size = sized(FRACTION, costing, side, (reach, nav, leverage))
    cost = nav_pays(FRACTION, costing, -case[2])
    # selling the whole position brings leverage to zero, so some sale brings it to any reach
    assume(cost < case[1])
    assert residual(FRACTION, costing, case, size) == 0


@given(costings("60", impacts=["linear", "square_root", "amm"]), SIDES, sizes(), NAVS, LEVERAGES)
def test_with_impact_it_lands_on_fractions_to_thirty_places(
    costing: Costing, side: int, reach: Decimal, nav: Decimal, leverage: Decimal
) -> None:
    """Square roots are the only rounding there is."""
    case, size = sized(FRACTION, costing, side, (reach, nav, leverage))
    assume(nav_pays(FRACTION, costing, -case[2]) < case[1])
    limit = Fraction(1, 10**30) * exact((reach + leverage + 1) * nav)
    assert abs(residual(FRACTION, costing, case, size)) <= limit


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(("missing", "direction"), [(11, -1), (13, 1), (20, 1), (27, 1), (-5, -1)])
def test_a_fixed_cost_that_a_reserve_pays_in_part_decides_the_direction(
    side: int, missing: int, direction: int
) -> None:
    """Gas of 10 of which 4 are left in the reserve: 6 of nav, worth 12 of exposure at 2x.

    What is missing above that is bought, what is missing below it is sold, and both land.
    """
    costing = Costing(
        fee_bps=Decimal(5),
        gas=Decimal(10),
        bears=frozenset({"gas"}),
        reserve_value=Decimal(4),
    )
    leverage = 2 - Decimal(missing) / 1000
    case, size = sized(FRACTION, costing, side, (Decimal(2), Decimal(1000), leverage))
    assert size * side * direction > 0
    assert residual(FRACTION, costing, case, size) == 0


@st.composite
def kinks(draw: st.DrawFn) -> tuple[Costing, Decimal, Decimal, float]:
    """A price list, a nav, a reach, and a trade that uses up the reserve to its last unit."""
    costing = draw(costings("60", reserves=["0"]))
    size = draw(SIDES) * float(draw(written("1", "90000", 2)))
    borne = costing.payers(FLOAT).reserve
    held = Decimal(curve_cost(borne, size, math.sqrt))
    costing = replace(costing, reserve_value=held)
    return costing, draw(NAVS), draw(written("0.5", "6", 2)), size


@given(kinks(), SIDES)
def test_it_lands_where_the_reserve_runs_dry(
    case: tuple[Costing, Decimal, Decimal, float], side: int
) -> None:
    """At the kink itself neither payer's piece of the cost is taken for the other's."""
    costing, nav, reach, size = case
    nav, reach = float(nav), float(reach)
    own = nav_pays(FLOAT, costing, size)
    assume(own < 0.5 * nav)
    # the exposure from which a trade of that size lands on the reach
    exposure = reach * (nav - own) - side * size
    assume(exposure >= 0)
    found = size_trade(side * reach, nav, side * exposure, costing.payers(FLOAT), math.sqrt)
    landed = (side * reach, nav, side * exposure)
    assert abs(residual(FLOAT, costing, landed, found)) <= 1e-11 * (reach * nav + exposure)


def scan(costing: Costing, side: int, nav: float, most: float, exposure: float) -> Any:
    """Many sizes of a lowering up to ``most``, with nav and leverage after each."""
    amounts = np.linspace(0.0, most, 4001)
    left = np.array([nav - nav_pays(FLOAT, costing, -side * float(x)) for x in amounts])
    with np.errstate(divide="ignore", invalid="ignore"):
        leverage = np.where(left > 0, (exposure - amounts) / left, np.inf)
    return amounts, left, leverage


def most_of(costing: Costing, side: int, exposure: float) -> float:
    """What of the exposure can be bought (side 1) or sold at all."""
    if costing.impact == "book":
        return min(exposure, float(side_depth(costing.book(FLOAT), side > 0)))
    if costing.impact == "amm" and side > 0:
        return min(exposure, 0.999 * float(10 * costing.volume))
    return exposure


def check_sale(
    costing: Costing, side: int, reach: Decimal, nav: Decimal, leverage: Decimal
) -> bool:
    """Hold a sale against the scan: the smallest that lands, or the nearest; whether it lands."""
    case, size = sized(FLOAT, costing, side, (reach, nav, leverage))
    reach, nav, exposure = abs(case[0]), case[1], abs(case[2])
    sale = -side * size
    most = most_of(costing, -side, exposure)
    assert 0 <= sale <= most
    amounts, left, leverages = scan(costing, side, nav, most, exposure)
    scale = exposure + reach * nav
    # positive where the sale goes past the reach: exposure left against what nav then carries
    past = reach * left - (exposure - amounts)
    if abs(residual(FLOAT, costing, case, size)) <= 1e-11 * scale:
        earlier = amounts < sale - 1e-9 * exposure
        assert not (past[earlier] > 1e-9 * scale).any(), "a smaller sale lands too"
        return True
    assert not (past[left > 0] > 1e-9 * scale).any(), "some sale lands"
    nearest = np.abs(leverages - reach).min()
    paid = nav_pays(FLOAT, costing, size) if sale > 0 else 0.0
    found = abs((exposure - sale) / (nav - paid) - reach)
    before = abs(exposure / nav - reach)
    # no trade at all costs nothing, not even gas
    assert found <= min(nearest, before) * (1 + 1e-9)
    return False


@given(
    costings("3000", reserves=["0", "40", "900"]),
    SIDES,
    written("0.2", "6", 2),
    written("10", "90000", 2),
    written("0.01", "8", 2),
)
def test_a_lowering_is_the_smallest_that_lands_or_the_nearest(
    costing: Costing, side: int, reach: Decimal, nav: Decimal, above: Decimal
) -> None:
    """Costs of up to tens of percent: of two landings the smaller sale, of none the nearest.

    Compared with a scan of all sales up to the whole position.
    """
    event(f"lands: {check_sale(costing, side, reach, nav, reach + above)}")


@given(
    shallow(),
    SIDES,
    written("0.2", "6", 2),
    written("10", "90000", 2),
    written("0.01", "8", 2),
)
def test_in_a_shallow_market_too_it_is_the_smallest_that_lands_or_the_nearest(
    costing: Costing, side: int, reach: Decimal, nav: Decimal, above: Decimal
) -> None:
    """Pools and books that the fund could trade empty: of all sizes that they hold, the best."""
    event(f"lands: {check_sale(costing, side, reach, nav, reach + above)}")


@given(
    st.sampled_from(["linear", "square_root"]),
    SIDES,
    written("2", "4", 2),
    written("1.1", "9", 2),
    written("0", "300", 0),
    st.sampled_from([frozenset(), frozenset({"impact"}), frozenset({"fee", "impact"})]),
)
def test_a_steep_impact_that_a_reserve_pays_in_part(
    impact: str,
    side: int,
    reach: Decimal,
    times: Decimal,
    reserve: Decimal,
    bears: frozenset[str],
) -> None:
    """Landing or not, with the reserve running dry on the way: the scan finds nothing better."""
    costing = replace(
        too_steep(impact, reach, times),
        fee_bps=Decimal(50),
        bears=bears,
        reserve_value=reserve,
    )
    event(f"lands: {check_sale(costing, side, reach, Decimal(1000), reach + 1)}")


def too_steep(impact: str, reach: Decimal, times: Decimal) -> Costing:
    """An impact under which no sale brings a nav of 1,000 from one above the reach down to it.

    The highest point of ``N - reach * cost(N)`` is at 1,000 / times, or / times squared.
    """
    if impact == "square_root":
        coefficient = times * 10_000 * 2 / reach
        return Costing(impact=impact, coefficient=coefficient, volume=Decimal(27_000))
    return Costing(impact=impact, coefficient=times * 10**10 / (4 * reach * 1000))


@given(
    st.sampled_from(["linear", "square_root"]), SIDES, written("2", "4", 2), written("1.1", "9", 2)
)
def test_under_too_steep_an_impact_the_nearest_sale_is_the_lowest_leverage(
    impact: str, side: int, reach: Decimal, times: Decimal
) -> None:
    """Where impact alone forbids the reach, selling helps up to a point: that point is found."""
    costing = too_steep(impact, reach, times)
    case, size = sized(FLOAT, costing, side, (reach, Decimal(1000), reach + 1))
    nav, exposure = case[1], abs(case[2])
    _, left, leverages = scan(costing, side, nav, exposure, exposure)
    reached = (exposure - abs(size)) / (nav - nav_pays(FLOAT, costing, size))
    assert float(reach) < reached < float(reach + 1)
    assert reached <= leverages[left > 0].min() * (1 + 1e-12)


def test_of_two_landings_the_smaller_sale_counts() -> None:
    """1,000 at 3x to 2x with an impact of N / 8192: sales of 1,734 and of 2,362 both land."""
    costing = Costing(impact="linear", coefficient=Decimal(10**10) / 8192)
    case = (2.0, 1000.0, 3000.0)
    smaller, larger = (2048 + side * math.sqrt(2048**2 - 4096 * 1000) for side in (-1, 1))
    for size in (smaller, larger):
        assert abs(residual(FLOAT, costing, case, -size)) < 1e-9
    assert size_trade(*case, costing.payers(FLOAT), math.sqrt) == pytest.approx(-smaller)


def test_no_sale_is_made_where_every_sale_takes_leverage_farther_away() -> None:
    """At 4x and a fee of 30 % a sale costs more nav than it sheds exposure: the size is zero."""
    payers = Costing(fee_bps=Decimal(3000)).payers(FLOAT)
    assert size_trade(3.0, 1000.0, 4000.0, payers, math.sqrt) == 0


def test_a_sale_is_never_larger_than_the_position() -> None:
    """Where the equation holds only with position and nav below zero, the nearest sale is made."""
    costing = Costing(
        fee_bps=Decimal(2000),
        spread_bps=Decimal(1200),
        bears=frozenset({"spread"}),
        reserve_value=Decimal("0.12"),
    )
    size = size_trade(3.0, 1.0, 4.0, costing.payers(FLOAT), math.sqrt)
    # up to 1 the reserve pays 12 of the 32 % and leverage falls, beyond 1 it rises again
    assert size == -1.0


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
def test_a_sale_that_would_leave_nothing_is_not_made(number: Number[Any]) -> None:
    """Gas of all nav, and a root at the whole position: no nav and no position is no leverage."""
    case = [number.of(figure) for figure in ("0.182", "2.77", "0.00277")]
    payers = Costing(gas=Decimal("2.77")).payers(number)
    assert size_trade(*case, payers, number.sqrt) == 0


@given(SIDES, sizes(), NAVS, LEVERAGES)
def test_without_costs_the_size_is_the_gap(
    side: int, reach: Decimal, nav: Decimal, leverage: Decimal
) -> None:
    """Raising and lowering, long and short: the whole of what is missing, exactly."""
    case, size = sized(FRACTION, FREE, side, (reach, nav, leverage))
    assert size == case[0] * case[1] - case[2]
    assert side * size == gap_to(*case)


@given(SIDES, sizes(), NAVS, st.sampled_from(["0.99e-12", "1e-12", "1.01e-12", "0"]), SIDES)
def test_a_gap_of_1e_12_of_nav_is_nothing_to_trade(
    side: int, reach: Decimal, nav: Decimal, share: str, direction: int
) -> None:
    """Up to and including 1e-12 of nav, before costs, on either side of the destination."""
    destination, value = exact(side * reach), exact(nav)
    exposure = destination * value + direction * exact(share) * value
    nothing = is_nothing_to_trade(gap_to(destination, value, exposure), value)
    assert nothing == (exact(share) <= exact("1e-12"))


@given(costings("60"), st.booleans(), NAVS, SIDES)
def test_the_slope_of_a_cost_is_its_derivative(
    costing: Costing, borne: bool, notional: Decimal, side: int
) -> None:
    """The marginal cost of a size, for each payer, every impact and both sides."""
    payers = costing.payers(FRACTION)
    curve = payers.reserve if borne else payers.nav
    amount, step = side * exact(notional), side * exact(notional) / 10**6
    if costing.impact == "book":
        # between two levels there is no slope
        near = (curve_slope(curve, x, FRACTION.sqrt) for x in (amount - step, amount + step))
        assume(len(set(near)) == 1)
    rise = curve_cost(curve, amount + step, FRACTION.sqrt)
    rise -= curve_cost(curve, amount - step, FRACTION.sqrt)
    slope = curve_slope(curve, amount, FRACTION.sqrt)
    assert abs(rise / abs(2 * step) - slope) <= slope / 10**9


@given(costings("60"), NAVS, SIDES)
def test_cost_by_kind_is_the_cost_by_payer(costing: Costing, notional: Decimal, side: int) -> None:
    """The four kinds add up to what nav and reserve pay, and each curve is one payer's part."""
    amount = side * exact(notional)
    reserve = exact(costing.reserve_value)
    cost = trade_cost(costing.rates(FRACTION), amount, reserve, FRACTION.sqrt)
    total = cost.fee + cost.spread + cost.impact + cost.gas
    assert total == cost.paid_by_nav + cost.paid_by_reserve
    payers = costing.payers(FRACTION)
    borne = curve_cost(payers.reserve, amount, FRACTION.sqrt)
    assert cost.paid_by_reserve == min(borne, reserve)
    assert curve_cost(payers.nav, amount, FRACTION.sqrt) + borne == total
    by_kind = {name: getattr(cost, name) for name in ("fee", "spread", "impact", "gas")}
    assert borne == sum(by_kind[name] for name in costing.bears)
