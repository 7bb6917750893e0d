"""Laws of an order's limit price: three anchors, wider toward liquidation, and never beyond."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from steelyard.rules.liquidation import is_liquidated, liquidation_price
from steelyard.rules.numbers import FLOAT, FRACTION
from steelyard.rules.order_limit import (
    OrderLimit,
    PriceGrid,
    Urgency,
    limit_at_venue,
    limit_on_step,
    liquidation_margin,
    order_limit,
    urgency,
)
from support.rule_cases import Rule, exact, rules, venues, written

SLIPPAGES = written("0.1", "500", 1)
PRICES = written("0.01", "70000", 2)
BUYS = st.booleans()
NAV = Fraction(100_000)


def at_margin(
    widens: Urgency[Fraction],
    slippage: Decimal,
    margin: Fraction,
    is_buy: bool,
    price: Fraction = Fraction(100),
    raises: bool = False,
) -> OrderLimit[Fraction]:
    """The limit of a long of 1,000 units whose nav is ``margin`` of its notional."""
    units = Fraction(1_000)
    cash = margin * units * price - units * price
    return order_limit(widens, exact(slippage), cash, units, price, is_buy, raises)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Rule, Any, Urgency[Fraction]]:
    """A rule, a venue in which its target lives, and between which margins its limits widen."""
    rule = draw(rules())
    venue = draw(venues(abs(rule.target))).of(FRACTION)
    return rule, venue, urgency(rule.of(FRACTION), venue)


@given(cases())
def test_it_widens_from_the_edge_to_the_emergency_or_halfway_to_liquidation(
    case: tuple[Rule, Any, Urgency[Fraction]],
) -> None:
    """From the band's edge or the target to the emergency or halfway to liquidation."""
    rule, venue, (start, end) = case
    assert start == 1 / exact(rule.upper or abs(rule.target))
    if rule.emergency is not None:
        assert end == 1 / exact(rule.emergency)
    else:
        closes_at = liquidation_margin(venue, rule.target > 0)
        assert end == min(start, (start + closes_at) / 2)
        assert end > closes_at or start <= closes_at


@given(cases(), PRICES)
def test_the_margin_of_liquidation_is_where_the_venue_closes(
    case: tuple[Rule, Any, Urgency[Fraction]], price: Decimal
) -> None:
    """A position of that margin stands at the liquidation price, to the last digit."""
    rule, venue, _ = case
    side = 1 if rule.target > 0 else -1
    units, at = Fraction(side * 7), exact(price)
    cash = (liquidation_margin(venue, side > 0) - side) * abs(units) * at
    assume(not (venue.spot and cash * side >= 0))
    assert liquidation_price(venue, cash, units) == at
    assert not is_liquidated(venue, cash, units, at)


@given(cases(), SLIPPAGES, BUYS, PRICES)
def test_up_to_the_edge_it_is_the_slippage_that_was_configured(
    case: tuple[Rule, Any, Urgency[Fraction]], slippage: Decimal, is_buy: bool, price: Decimal
) -> None:
    """At the edge exactly, inside the band, and where nothing is held yet."""
    _, _, widens = case
    assume(widens.end < widens.start)
    at, share = exact(price), exact(slippage) / 10_000
    expected = OrderLimit(exists=True, price=at * (1 + share if is_buy else 1 - share))
    for wider in (1, 2, 1_000):
        assert at_margin(widens, slippage, widens.start * wider, is_buy, at) == expected
    nothing = Fraction(0)
    assert order_limit(widens, exact(slippage), NAV, nothing, at, is_buy, True) == expected
    assert order_limit(widens, exact(slippage), NAV, nothing, at, is_buy, False) == expected


@given(cases(), SLIPPAGES, BUYS, st.fractions(-2, 1))
def test_at_the_emergency_and_beyond_there_is_none(
    case: tuple[Rule, Any, Urgency[Fraction]], slippage: Decimal, is_buy: bool, share: Fraction
) -> None:
    """Also where nav is gone: only the venue's own bounds are left for what lowers."""
    _, _, widens = case
    found = at_margin(widens, slippage, widens.end * share, is_buy)
    assert found == OrderLimit(exists=False, price=Fraction(0))


@given(cases(), SLIPPAGES, BUYS, st.fractions(0, 3), st.fractions(0, 3))
def test_it_is_never_tighter_closer_to_liquidation(
    case: tuple[Rule, Any, Urgency[Fraction]],
    slippage: Decimal,
    is_buy: bool,
    one: Fraction,
    other: Fraction,
) -> None:
    """Of two margins the smaller allows at least as bad a price."""
    _, _, widens = case
    close, far = sorted((one * widens.start, other * widens.start))
    tight = at_margin(widens, slippage, far, is_buy)
    wide = at_margin(widens, slippage, close, is_buy)
    if wide.exists:
        assert tight.exists
        assert wide.price >= tight.price if is_buy else wide.price <= tight.price


@given(cases(), SLIPPAGES, BUYS, st.fractions(0, 1))
def test_between_the_anchors_it_has_no_jump(
    case: tuple[Rule, Any, Urgency[Fraction]], slippage: Decimal, is_buy: bool, share: Fraction
) -> None:
    """Halfway in margin it allows twice the slippage, and a buy's limit grows without bound."""
    _, _, widens = case
    start, end = widens
    assume(end < start)
    allowed = exact(slippage) / 10_000
    halfway = at_margin(widens, slippage, (start + end) / 2, is_buy)
    assert halfway == OrderLimit(
        exists=True, price=100 * (1 + 2 * allowed if is_buy else 1 - 2 * allowed)
    )
    assume(0 < share < 1)
    near_end = at_margin(widens, slippage, end + share * (start - end), is_buy=True)
    assert near_end.price == 100 * (1 + allowed / share)


@given(cases(), SLIPPAGES, BUYS, st.fractions(-1, 2))
def test_what_raises_leverage_is_never_urgent(
    case: tuple[Rule, Any, Urgency[Fraction]], slippage: Decimal, is_buy: bool, share: Fraction
) -> None:
    """It keeps the configured slippage wherever the position stands."""
    _, _, widens = case
    found = at_margin(widens, slippage, widens.start * share, is_buy, raises=True)
    allowed = exact(slippage) / 10_000
    assert found == OrderLimit(exists=True, price=100 * (1 + allowed if is_buy else 1 - allowed))


@given(cases(), SLIPPAGES, BUYS, st.fractions(-1, 3), st.fractions(Fraction(1, 10), 10))
def test_long_and_short_of_one_margin_have_one_limit(
    case: tuple[Rule, Any, Urgency[Fraction]],
    slippage: Decimal,
    is_buy: bool,
    share: Fraction,
    size: Fraction,
) -> None:
    """Neither the side nor the size of the position matters, only how close its end is."""
    _, _, widens = case
    price, bps = Fraction(100), exact(slippage)
    margin = widens.start * share
    found = [
        order_limit(widens, bps, (margin * size - units) * price, units, price, is_buy, False)
        for units in (size, -size)
    ]
    assert found[0] == found[1] == at_margin(widens, slippage, margin, is_buy)


@given(PRICES, written("0.01", "50", 2), BUYS)
def test_on_the_grid_a_limit_is_the_nearest_step_that_is_not_wider(
    price: Decimal, step: Decimal, is_buy: bool
) -> None:
    """A buy's limit goes down to a step, a sale's up; on a step, and without a grid, it stays."""
    limit, grid = exact(price), exact(step)
    found = limit_on_step(limit, grid, is_buy)
    assert found % grid == 0
    assert 0 <= (limit - found if is_buy else found - limit) < grid
    assert limit_on_step(found, grid, is_buy) == found
    assert limit_on_step(limit, Fraction(0), is_buy) == limit
    decimals = limit_on_step(price, step, is_buy)
    assert exact(decimals) == found


@given(PRICES, written("0.01", "50", 2), SLIPPAGES, written("0.001", "0.2", 3), BUYS)
def test_a_limit_that_its_venue_would_refuse_is_left_to_the_venue(
    price: Decimal, step: Decimal, slippage: Decimal, bound: Decimal, is_buy: bool
) -> None:
    """Nearer than the bound it is the limit on the grid; at it and beyond there is none."""
    mark, off = exact(price), exact(price) * exact(slippage) / 10_000
    asked = OrderLimit(exists=True, price=mark + off if is_buy else mark - off)
    grid = PriceGrid(exact(step), exact(bound))
    on_grid = limit_on_step(asked.price, grid.step, is_buy)
    found = limit_at_venue(asked, mark, is_buy, grid)
    assert found.exists is (abs(on_grid - mark) < grid.bound * mark)
    assert found.price == (on_grid if found.exists else 0)
    unbound = PriceGrid(grid.step, Fraction(0))
    assert limit_at_venue(asked, mark, is_buy, unbound) == OrderLimit(exists=True, price=on_grid)
    none = OrderLimit(exists=False, price=Fraction(0))
    assert limit_at_venue(none, mark, is_buy, grid) == none


@given(cases(), SLIPPAGES, BUYS, st.fractions(0, 3))
def test_floats_say_what_fractions_say(
    case: tuple[Rule, Any, Urgency[Fraction]], slippage: Decimal, is_buy: bool, share: Fraction
) -> None:
    """Away from the end itself, where the limit has no bound, to nine digits."""
    _, _, (start, end) = case
    assume(share * start > end + start / 1_000)
    margin = share * start
    truth = at_margin(Urgency(start, end), slippage, margin, is_buy)
    cash = float((margin - 1) * 100_000)
    widens = Urgency(float(start), float(end))
    found = order_limit(widens, FLOAT.of(slippage), cash, 1_000.0, 100.0, is_buy, False)
    if abs(truth.price) > Fraction(1, 1_000):
        assert found.exists == truth.exists
        assert abs(found.price - truth.price) <= 1e-9 * max(1.0, float(abs(truth.price)))
