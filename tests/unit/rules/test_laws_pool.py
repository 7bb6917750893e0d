"""Laws of a reserve as the counterparty: what it can carry, and what it pays."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from steelyard.rules.costs import curve_cost
from steelyard.rules.numbers import FRACTION
from steelyard.rules.pool import (
    capacity_excess,
    capacity_room,
    is_over_capacity,
    payable,
    price_gain,
)
from support.rule_cases import Costing, costings, exact, written

SIDES = st.sampled_from([1, -1])
FIGURES = written("-90000", "90000", 2)
PLACES_30 = Fraction(1, 10**30)


@dataclass(frozen=True)
class Pool:
    """A reserve, what it may carry, what a trade pays it, and what it bears of a trade."""

    value: Fraction
    share: Fraction
    fee: Fraction
    costing: Costing

    @property
    def borne(self) -> Any:
        """The curve of what it bears."""
        return self.costing.payers(FRACTION).reserve

    def after(self, notional: Fraction) -> Fraction:
        """Its value after a trade of that notional."""
        cost = curve_cost(self.borne, notional, FRACTION.sqrt)
        return self.value + self.fee * notional - cost

    def capacity(self, notional: Fraction) -> Fraction:
        """What it can carry after a trade of that notional."""
        return self.share * self.after(notional)

    def room(self, net: Fraction, side: int) -> Fraction:
        """The room that the rules find."""
        return capacity_room(net, side, self.value, self.share, self.fee, self.borne, FRACTION.sqrt)

    def excess(self, net: Fraction) -> Fraction:
        """The excess that the rules find."""
        return capacity_excess(net, self.value, self.share, self.fee, self.borne, FRACTION.sqrt)


@st.composite
def pools(draw: st.DrawFn, impacts: tuple[str, ...]) -> Pool:
    """Reserves of some 100,000 quote, with fees and costs of up to a percent each."""
    return Pool(
        exact(draw(written("100", "200000", 2))),
        exact(draw(written("0.01", "1", 2))),
        exact(draw(written("0", "100", 1))) / 10_000,
        draw(costings(impacts=impacts)),
    )


LINEAR = pools(("none",))
STEEP = pools(("linear", "square_root"))


@given(LINEAR, FIGURES, SIDES)
def test_a_trade_of_the_room_lands_exactly_on_the_capacity(
    pool: Pool, net: Decimal, side: int
) -> None:
    """After its fee came in and its borne costs went out: not a rounding error is left."""
    net = exact(net)
    room = pool.room(net, side)
    assume(room > 0)
    assert side * net + room == pool.capacity(room)


@settings(max_examples=50)
@given(STEEP, FIGURES, SIDES)
def test_with_impact_the_room_lands_to_thirty_places(pool: Pool, net: Decimal, side: int) -> None:
    """Square roots are the only rounding there is."""
    net = exact(net)
    room = pool.room(net, side)
    assume(room > 0)
    assert abs(side * net + room - pool.capacity(room)) <= PLACES_30 * (pool.value + abs(net))


@given(LINEAR, FIGURES, SIDES, written("0.001", "0.999", 3))
def test_within_the_room_is_within_the_capacity(
    pool: Pool, net: Decimal, side: int, share: Decimal
) -> None:
    """A smaller trade leaves some capacity, a larger one breaches it."""
    net = exact(net)
    room = pool.room(net, side)
    assume(room > 0)
    for size in (room * exact(share), room / exact(share)):
        left = pool.capacity(size) - (side * net + size)
        assert (left > 0) == (size < room)


@given(LINEAR, SIDES, written("1", "3", 2))
def test_where_there_is_no_room_no_trade_keeps_to_the_capacity(
    pool: Pool, side: int, times: Decimal
) -> None:
    """A capacity used up already, or by the fixed cost of any trade, leaves a room of nothing."""
    carried = pool.capacity(Fraction(0))
    net = side * exact(times) * max(carried, Fraction(1))
    assert pool.room(net, side) == 0
    for size in (Fraction(1, 100), Fraction(10_000)):
        assert side * net + size > pool.capacity(size)


@given(LINEAR, FIGURES)
def test_closing_the_excess_lands_exactly_on_the_capacity(pool: Pool, net: Decimal) -> None:
    """What is left after it is what the reserve can carry, with fee and borne costs; or nothing.

    Nothing is left where even that costs the reserve too much.
    """
    net = exact(net)
    excess = pool.excess(net)
    left = abs(net) - excess
    assert 0 <= excess <= abs(net)
    if 0 < excess < abs(net):
        assert left == pool.capacity(excess)
    elif excess == 0:
        assert left <= pool.capacity(Fraction(0))
    else:
        assert pool.capacity(excess) <= 0


@settings(max_examples=50)
@given(STEEP, FIGURES)
def test_with_impact_the_excess_lands_to_thirty_places(pool: Pool, net: Decimal) -> None:
    """Of two sizes that land the smaller; all of it where none does."""
    net = exact(net)
    excess = pool.excess(net)
    assert 0 <= excess <= abs(net)
    if 0 < excess < abs(net):
        off = abs(net) - excess - pool.capacity(excess)
        assert abs(off) <= PLACES_30 * (pool.value + abs(net))
        for share in (Fraction(1, 10), Fraction(9, 10)):
            assert abs(net) - excess * share > pool.capacity(excess * share)


@given(LINEAR, FIGURES)
def test_there_is_an_excess_where_the_capacity_is_breached(pool: Pool, net: Decimal) -> None:
    """And never room on the side that is too heavy."""
    net = exact(net)
    if is_over_capacity(net, abs(net), pool.value, pool.share):
        assert pool.excess(net) > 0
        assert pool.room(net, 1 if net > 0 else -1) == 0


@given(FIGURES, written("0", "90000", 2))
def test_a_reserve_pays_a_gain_as_far_as_it_reaches(gain: Decimal, value: Decimal) -> None:
    """The smaller of both; a loss comes in whole."""
    assert payable(exact(gain), exact(value)) == min(exact(gain), exact(value))


@given(FIGURES, written("0.01", "900", 2), written("0.01", "900", 2), written("0.01", "900", 2))
def test_gains_of_a_way_are_those_of_its_pieces(
    units: Decimal, first: Decimal, middle: Decimal, last: Decimal
) -> None:
    """Where the price stops in between changes nothing; what a long wins a short loses."""
    units, first, middle, last = (exact(x) for x in (units, first, middle, last))
    gain = price_gain(units, first, last)
    assert gain == price_gain(units, first, middle) + price_gain(units, middle, last)
    assert gain == -price_gain(-units, first, last)


@given(LINEAR)
def test_a_room_of_1e_12_of_the_capacity_is_none(pool: Pool) -> None:
    """What rounding leaves of a used-up capacity is no trade, and costs nothing."""
    carried = pool.share * (pool.value - pool.borne.fixed)
    assume(carried > 0)
    hair = carried / 10**12
    assert pool.room(carried - hair, 1) == pool.room(hair - carried, -1) == 0
    assert pool.room(carried - hair * exact("1.01"), 1) > 0
