"""Laws of what sizes a venue takes: whole lots, a smallest trade, a counterparty's room."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from steelyard.rules.costs import trade_cost
from steelyard.rules.decide import Outcome, TradeLimits, plan_trade
from steelyard.rules.numbers import FRACTION
from steelyard.rules.sizing import order_units, whole_lots
from steelyard.rules.triggers import Trigger
from support.rule_cases import NUMBERS, Costing, Rule, any_size, costings, exact, rules, written

if TYPE_CHECKING:
    from steelyard.rules.decide import Plan
    from steelyard.rules.numbers import Number

SIDES = st.sampled_from([1, -1])
LOTS = written("0.001", "500", 3)
TRADES = written("-300000", "300000", 2)
NEAR = Fraction(1, 10**12)
NAMED = st.sampled_from([Trigger.EMERGENCY, Trigger.BAND, Trigger.DAILY, Trigger.LAUNCH])


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
@given(TRADES, LOTS)
def test_whole_lots_are_rounded_toward_zero(
    number: Number[Any], notional: Decimal, lot: Decimal
) -> None:
    """A multiple on the same side, no farther from zero and less than a lot short of the trade."""
    found = whole_lots(number.of(notional), number.of(lot))
    lots = abs(exact(notional)) // exact(lot)
    expected = lots * exact(lot) * (1 if notional > 0 else -1)
    assert abs(Fraction(found) - expected) <= Fraction(1, 10**15) * abs(expected)
    if number.name != "float":
        assert Fraction(found) == expected
        assert 0 <= abs(exact(notional)) - abs(Fraction(found)) < exact(lot)


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
@given(st.integers(1, 10**9), written("0.000001", "90", 6), written("0.01", "70000", 2), SIDES)
def test_a_whole_number_of_lots_stays_whole(
    number: Number[Any], count: int, units: Decimal, price: Decimal, side: int
) -> None:
    """A notional that is so many lots at a price is that many, whatever the product rounds to."""
    lot = number.of(units) * number.of(price)
    notional = side * (number.of(str(count * units)) * number.of(price))
    found = whole_lots(notional, lot)
    assert found == side * count * lot
    # and once rounded it stays
    assert whole_lots(found, lot) == found


@given(st.integers(1, 10**6), LOTS, SIDES, st.sampled_from(["0.9", "1.1"]))
def test_within_1e_12_of_a_lot_is_that_lot(count: int, lot: Decimal, side: int, share: str) -> None:
    """A hair below is the whole number; more than a hair below is one less."""
    lot = exact(lot)
    short = side * count * lot * (1 - exact(share) * NEAR)
    expected = count if share == "0.9" else count - 1
    assert whole_lots(short, lot) == side * expected * lot


@given(TRADES)
def test_without_lots_every_size_is_whole(notional: Decimal) -> None:
    """A lot of 0 is no limit."""
    assert whole_lots(exact(notional), Fraction(0)) == exact(notional)


def planned(
    rule: Rule,
    costing: Costing,
    trigger: Trigger,
    limits: TradeLimits[Any],
    figures: tuple[Decimal, Decimal],
) -> Plan[Any]:
    """The plan to the target from a nav and a leverage, on Fraction."""
    nav, leverage = (exact(figure) for figure in figures)
    return plan_trade(
        rule.of(FRACTION),
        costing.rates(FRACTION),
        costing.payers(FRACTION),
        limits,
        trigger,
        exact(rule.target),
        nav,
        leverage * nav * (1 if rule.target > 0 else -1),
        suspended=False,
        sqrt=FRACTION.sqrt,
    )


CASES = (
    rules(),
    costings(impacts=["none", "linear"]),
    NAMED,
    st.tuples(written("500", "200000", 2), written("0", "12", 2)),
)
ANY = any_size(FRACTION)


@given(*CASES, written("0", "5000", 1), written("0", "60000", 0))
def test_no_trade_is_smaller_than_the_smallest_nor_of_broken_lots(
    rule: Rule,
    costing: Costing,
    trigger: Trigger,
    figures: tuple[Decimal, Decimal],
    lot: Decimal,
    least: Decimal,
) -> None:
    """Whatever names it: it is what it would be without limits in whole lots, or it waits."""
    free = planned(rule, costing, trigger, ANY, figures)
    assume(free.outcome == Outcome.TRADE)
    limits = ANY._replace(lot_notional=exact(lot), min_notional=exact(least))
    plan = planned(rule, costing, trigger, limits, figures)
    wanted = whole_lots(free.notional, exact(lot))
    event(f"outcome: {Outcome(plan.outcome).name}")
    if abs(wanted) < exact(least) or wanted == 0:
        assert plan.outcome == Outcome.WAIT
        assert plan.notional == 0
        assert sum(plan.cost) == 0
    else:
        assert plan.outcome == Outcome.TRADE
        assert plan.notional == wanted
        size = abs(wanted)
        reserve = exact(costing.reserve_value)
        assert plan.cost == trade_cost(costing.rates(FRACTION), size, reserve, FRACTION.sqrt)
        assert plan.cut == (free.cut or wanted != free.notional)


@given(*CASES, written("0", "300000", 0), st.sampled_from([Decimal(0), Decimal("12.5")]))
def test_the_room_cuts_what_raises_and_never_what_lowers(
    rule: Rule,
    costing: Costing,
    trigger: Trigger,
    figures: tuple[Decimal, Decimal],
    room: Decimal,
    lot: Decimal,
) -> None:
    """An emergency and a launch too; what the room leaves is no clip, so that nothing follows."""
    limits = ANY._replace(lot_notional=exact(lot))
    free = planned(rule, costing, trigger, limits, figures)
    assume(free.outcome == Outcome.TRADE)
    cut = planned(rule, costing, trigger, limits._replace(has_room=True, room=exact(room)), figures)
    if not free.raises or abs(free.notional) <= exact(room):
        assert cut == free
    elif room == 0:
        assert cut.outcome == Outcome.BLOCKED
    elif whole_lots(exact(room), exact(lot)) == 0:
        assert cut.outcome == Outcome.WAIT
    else:
        assert abs(cut.notional) == whole_lots(exact(room), exact(lot))
        assert cut.notional * free.notional > 0
        assert cut.cut
        assert not cut.clipped


def test_a_clip_is_cut_to_whole_lots_and_the_rest_follows() -> None:
    """20,000 of clips in lots of 3,000 are 18,000, and more clips have to follow."""
    rule = Rule(Decimal(3), largest_clip=Decimal(20_000))
    limits = ANY._replace(lot_notional=Fraction(3_000))
    figures = (Decimal(100_000), Decimal(2))
    plan = planned(rule, Costing(), Trigger.DAILY, limits, figures)
    assert plan.notional == 18_000
    assert plan.clipped
    assert plan.cut
    whole = planned(replace(rule, largest_clip=Decimal(0)), Costing(), Trigger.DAILY, ANY, figures)
    assert whole.notional == 100_000
    assert not whole.clipped
    assert not whole.cut


@given(written("-5000", "5000", 3), written("0", "7", 3), written("0", "3000", 1))
def test_an_order_is_whole_lots_and_no_more_than_the_largest(
    units: Decimal, lot: Decimal, largest: Decimal
) -> None:
    """On the side that was asked, never more than that; the largest alone where it is more."""
    asked = exact(units)
    whole = whole_lots(asked, exact(lot))
    found = order_units(asked, exact(lot), exact(largest))
    assert found * asked >= 0
    assert abs(found) <= abs(whole)
    if largest == 0 or abs(whole) <= largest:
        assert found == whole
    else:
        assert abs(found) == largest
