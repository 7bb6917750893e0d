"""Laws of impact that depends on the side: a pool, a book, and what the market does by itself.

Each against its own story told another way: a pool whose product stays, a book walked order by
order. How trades are sized in them is in ``test_laws_sizing`` with every other cost.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import assume, event, given
from hypothesis import strategies as st

from steelyard.rules.costs import (
    curve_cost,
    is_tradable,
    realised_coefficient,
    side_depth,
    trade_cost,
)
from steelyard.rules.decide import Outcome, plan_trade
from steelyard.rules.numbers import FRACTION
from steelyard.rules.reserve import capacity
from steelyard.rules.sizing import is_all_of_a_book, size_trade, smallest_root
from steelyard.rules.triggers import Trigger
from support.rule_cases import Costing, Rule, any_size, exact, shallow, written

SIDES = st.sampled_from([1, -1])
SHARES = written("0.0001", "0.99", 4)
NAVS = written("100", "90000", 2)


def pool(volume: Decimal, fee_bps: Decimal) -> Costing:
    """A pool of ten times that volume (see ``Costing``)."""
    return Costing(impact="amm", coefficient=100 * fee_bps, volume=volume)


def impact(costing: Costing, notional: Fraction) -> Fraction:
    """The kind ``impact`` of a trade's cost."""
    return trade_cost(costing.rates(FRACTION), notional, Fraction(0), FRACTION.sqrt).impact


@given(written("100", "1e7", 0), written("0", "500", 1), SHARES, written("0.5", "70000", 2), SIDES)
def test_a_swap_costs_what_a_pool_of_constant_product_takes(
    volume: Decimal, fee_bps: Decimal, share: Decimal, price: Decimal, side: int
) -> None:
    """An explicit x * y = k, the fee kept out of what is swapped: paid or received against mid."""
    costing, at = pool(volume, fee_bps), exact(price)
    quote = 10 * exact(volume)
    base = quote / at
    kept = 1 - exact(fee_bps) / 10_000
    notional = exact(share) * quote
    units = notional / at
    if side > 0:
        paid = (quote * base / (base - units) - quote) / kept
        cost = paid - notional
    else:
        received = quote - quote * base / (base + units * kept)
        cost = notional - received
    assert impact(costing, side * notional) == cost


@given(written("1000", "1e7", 0), written("0", "500", 1), SHARES)
def test_a_round_trip_through_a_pool_costs_both_ways(
    volume: Decimal, fee_bps: Decimal, share: Decimal
) -> None:
    """Back at mid in between, nothing is won back: buying and selling each cost something."""
    costing, notional = pool(volume, fee_bps), exact(share) * 10 * exact(volume)
    bought, sold = impact(costing, notional), impact(costing, -notional)
    assert bought > sold > 0
    # a seller never gets less than nothing
    assert sold < notional


@given(shallow("book"), SHARES, SIDES)
def test_a_book_costs_what_walking_it_order_by_order_costs(
    costing: Costing, share: Decimal, side: int
) -> None:
    """The nearest first, each at its own distance, the last in part."""
    book = costing.book(FRACTION)
    amounts = book.asks if side > 0 else book.bids
    notional = left = exact(share) * sum(amounts)
    cost = Fraction(0)
    for bps, there in sorted(zip(book.bps, amounts, strict=True)):
        cost += min(left, there) * bps / 10_000
        left -= min(left, there)
    assert left == 0
    assert impact(costing, side * notional) == cost


@given(shallow(), SIDES, written("0.5", "6", 2), NAVS, written("0", "8", 2))
def test_no_size_is_more_than_a_book_holds(
    costing: Costing, side: int, reach: Decimal, nav: Decimal, leverage: Decimal
) -> None:
    """Up or down, long or short; and a pool is never bought empty."""
    case = (exact(side * reach), exact(nav), exact(side * leverage * nav))
    payers = costing.payers(FRACTION)
    size = size_trade(*case, payers, FRACTION.sqrt)
    assert is_tradable(payers.nav, size)
    assert is_tradable(payers.reserve, size)
    landed = case[2] + size - case[0] * (case[1] - _nav_pays(costing, size))
    near = Fraction(1, 10**28) * exact((reach + leverage) * nav)
    if size * side > 0:
        # a raise lands, or it takes all that there is
        assert is_all_of_a_book(payers, size) or abs(landed) <= near
    event(f"{costing.impact}: {'lands' if abs(landed) <= near else 'nearest'}")


def _nav_pays(costing: Costing, notional: Fraction) -> Fraction:
    reserve = exact(costing.reserve_value)
    return trade_cost(costing.rates(FRACTION), notional, reserve, FRACTION.sqrt).paid_by_nav


@given(
    shallow("book"),
    SIDES,
    written("1", "6", 2),
    st.sampled_from([Trigger.BAND, Trigger.EMERGENCY, Trigger.LAUNCH]),
    written("1.5", "20", 1),
)
def test_what_takes_all_of_a_book_is_a_clip(
    costing: Costing, side: int, reach: Decimal, trigger: Trigger, times: Decimal
) -> None:
    """Whoever asks, an emergency and the launch too: the rest has to follow."""
    depth = side_depth(costing.book(FRACTION), side > 0)
    nav = exact(times) * depth * 10
    plan = plan_trade(
        Rule(side * reach).of(FRACTION),
        costing.rates(FRACTION),
        costing.payers(FRACTION),
        any_size(FRACTION),
        trigger,
        exact(side * reach),
        nav,
        Fraction(0),
        suspended=False,
        sqrt=FRACTION.sqrt,
    )
    assume(plan.outcome == Outcome.TRADE)
    assert plan.clipped
    assert plan.notional == side * depth


@given(shallow(), st.booleans(), written("0.1", "5", 2), written("1", "300000", 2), st.booleans())
def test_a_root_is_the_smallest_size_that_solves_its_equation(
    costing: Costing, buys: bool, factor: Decimal, wanted: Decimal, lowers: bool
) -> None:
    """``N + factor * cost(N) = wanted``; where there is none, no size that is held reaches it."""
    curve = costing.payers(FRACTION).nav
    scale = exact(-factor if lowers else factor)
    one, goal = Fraction(1), exact(wanted) + scale * curve.fixed
    root = smallest_root(curve, buys, one, scale, goal, FRACTION.sqrt)

    def value(size: Fraction) -> Fraction:
        signed = size if buys else -size
        return size + scale * curve_cost(curve, signed, FRACTION.sqrt)

    most, near = root, exact(wanted) / 10**28
    if root >= 0:
        assert abs(value(root) - goal) <= near
    else:
        most = exact(wanted) * 4
        if curve.has_book:
            most = side_depth(curve.book, buys)
        elif curve.pool > 0 and buys:
            most = curve.pool * Fraction(999, 1000)
    # before it the left side has not been there: it rises, and its bend is one way
    for step in range(32):
        assert value(most * step / 32) < goal + near


@given(shallow(), written("1", "90000", 2))
def test_capacity_is_that_of_the_dearer_side(costing: Costing, value: Decimal) -> None:
    """What a reserve can carry holds whichever way the next trade goes."""
    borne = costing.payers(FRACTION).reserve
    found = capacity(exact(value), Fraction(1), Fraction(0), borne, FRACTION.sqrt)
    if found is None:
        assert not borne.has_book
        assert borne.pool == 0
        return
    for side in (1, -1):
        assert is_tradable(borne, side * found)
        cost = curve_cost(borne, side * found, FRACTION.sqrt)
        assert cost <= max(exact(value), borne.fixed) * (1 + Fraction(1, 10**28))


@given(written("0", "3", 4))
def test_the_realised_coefficient_is_two_thirds_of_a_days_volatility(daily: Decimal) -> None:
    """In basis points: 3 % a day is 200 bps for a whole day's volume."""
    assert realised_coefficient(exact(daily)) == exact(daily) * 10_000 * Fraction(2, 3)
    assert realised_coefficient(Fraction(3, 100)) == 200
