"""Laws of a planned trade: where it goes, what it takes from nav, and what forbids it."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from steelyard.rules.decide import (
    MoveTo,
    Outcome,
    Plan,
    destination_of,
    is_clip_done,
    plan_trade,
)
from steelyard.rules.leverage import leverage_of, nav_of
from steelyard.rules.numbers import FLOAT, FRACTION, Number
from steelyard.rules.reserve import units_left
from steelyard.rules.sizing import is_nothing_to_trade
from steelyard.rules.triggers import Trigger, is_outside_band
from support.rule_cases import (
    FREE,
    Costing,
    Rule,
    any_size,
    costings,
    exact,
    rules,
    settled,
    sizes,
    targets,
    written,
)

SIDES = st.sampled_from([1, -1])
NAVS = written("500", "300000", 2)
LEVERAGES = written("0", "9", 3)
PRICES = written("0.5", "70000", 2)
ORDINARY = (
    Trigger.BAND,
    Trigger.MOVE,
    Trigger.VOLATILITY,
    Trigger.INTERVAL,
    Trigger.DAILY,
    Trigger.FALLBACK,
)
UNCONDITIONAL = (Trigger.EMERGENCY, Trigger.LAUNCH)
TRIGGERS = st.sampled_from(ORDINARY + UNCONDITIONAL)


def planned(
    number: Number[Any],
    rule: Rule,
    costing: Costing,
    destination: Decimal,
    nav: Decimal,
    leverage: Decimal,
    trigger: Trigger = Trigger.BAND,
    *,
    suspended: bool = False,
) -> Plan[Any]:
    """The plan from a leverage to a destination."""
    return plan_trade(
        rule.of(number),
        costing.rates(number),
        costing.payers(number),
        any_size(number),
        trigger,
        number.of(destination),
        number.of(nav),
        number.of(leverage) * number.of(nav),
        suspended=suspended,
        sqrt=number.sqrt,
    )


@given(costings("60"), SIDES, sizes(), NAVS, LEVERAGES, PRICES, written("0", "50000", 0))
def test_nav_changes_by_exactly_what_the_reserve_did_not_pay(
    costing: Costing,
    side: int,
    reach: Decimal,
    nav: Decimal,
    leverage: Decimal,
    price: Decimal,
    clip: Decimal,
) -> None:
    """Costs by kind = fall of nav + fall of the reserve's value, to the last digit on Fraction."""
    rule = Rule(side * reach, largest_clip=clip)
    plan = planned(FRACTION, rule, costing, side * reach, nav, side * leverage)
    assume(plan.outcome == Outcome.TRADE)
    at, value = exact(price), exact(costing.reserve_value)
    units = exact(side * leverage) * exact(nav) / at
    cash = exact(nav) - units * at
    after = settled(cash, units, at, plan.notional, plan.cost.paid_by_nav)
    fallen = exact(nav) - nav_of(*after, at)
    reserve_fell = value - units_left(value / at, plan.cost.paid_by_reserve, at) * at
    assert fallen == plan.cost.paid_by_nav
    assert reserve_fell == plan.cost.paid_by_reserve
    gross = plan.cost.fee + plan.cost.spread + plan.cost.impact + plan.cost.gas
    assert fallen + reserve_fell == gross
    # units times price is what was traded: nothing else moved
    assert (after[1] - units) * at == plan.notional


@given(costings("60"), SIDES, sizes(), NAVS, LEVERAGES)
def test_a_plan_lands_on_its_destination(
    costing: Costing, side: int, reach: Decimal, nav: Decimal, leverage: Decimal
) -> None:
    """Carried out as it says, leverage afterwards is the destination; on floats to 1e-12."""
    plan = planned(FLOAT, Rule(side * reach), costing, side * reach, nav, side * leverage)
    assume(plan.outcome == Outcome.TRADE)
    cash, units = float(nav * (1 - side * leverage)), float(side * leverage * nav)
    assume(plan.cost.paid_by_nav < 0.5 * float(nav))
    cash, units = settled(cash, units, 1.0, plan.notional, plan.cost.paid_by_nav)
    # what nav lost magnifies the rounding of the position
    near = 1e-12 * float(reach) * (1 + abs(units) / nav_of(cash, units, 1.0))
    assert abs(leverage_of(cash, units, 1.0) - float(side * reach)) <= near


@given(costings("60"), SIDES, sizes(), NAVS, LEVERAGES, written("1", "90000", 0), TRIGGERS)
def test_a_clip_caps_the_trade(
    costing: Costing,
    side: int,
    reach: Decimal,
    nav: Decimal,
    leverage: Decimal,
    clip: Decimal,
    trigger: Trigger,
) -> None:
    """At most the largest clip goes out, the same way; emergency and launch know no clips."""
    case = (costing, side * reach, nav, side * leverage, trigger)
    capped = planned(FRACTION, Rule(side * reach, largest_clip=clip), *case)
    whole = planned(FRACTION, Rule(side * reach), *case)
    assume(whole.outcome == Outcome.TRADE)
    if trigger in UNCONDITIONAL or abs(whole.notional) <= exact(clip):
        assert capped == whole
        assert not whole.clipped
        return
    assert capped.clipped
    # gas alone may take all that a small clip leaves
    if capped.outcome == Outcome.TRADE:
        assert abs(capped.notional) == exact(clip)
        assert capped.notional * whole.notional > 0


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("short", "more"), [("0", False), ("1e-13", False), ("1e-9", True), ("0.5", True)]
)
def test_a_clip_that_is_all_but_the_last_digits_has_arrived(
    side: int, short: str, more: bool
) -> None:
    """More clips follow where leverage is farther than 1e-12 from its destination, up and down."""
    for reach, leverage in ((Decimal(3), Decimal(2)), (Decimal(2), Decimal(3))):
        clip = 1000 * (1 - Decimal(short))
        rule = Rule(side * reach, largest_clip=clip)
        for number in (FLOAT, FRACTION):
            case = (side * reach, Decimal(1000), side * leverage)
            plan = planned(number, rule, FREE, *case)
            assert abs(plan.notional) == number.of(clip)
            assert plan.clipped == more


@given(
    costings("20", reserves=["0", "3"]),
    SIDES,
    written("0.5", "5", 2),
    NAVS,
    written("0.2", "6", 2),
    st.integers(2, 7),
)
def test_clips_of_a_constant_price_reach_the_destination(
    costing: Costing, side: int, reach: Decimal, nav: Decimal, leverage: Decimal, parts: int
) -> None:
    """Each sized anew, they end at the destination, and only the last is not a full clip."""
    first = planned(FLOAT, Rule(side * reach), costing, side * reach, nav, side * leverage)
    assume(first.outcome == Outcome.TRADE)
    assume(first.cost.paid_by_nav * parts < nav / 10)
    clip = (Decimal(abs(first.notional)) / parts).quantize(Decimal("0.01"))
    assume(clip > 10 * costing.gas + 1)
    rule = Rule(side * reach, largest_clip=clip)
    cash, units = nav * (1 - side * leverage), side * leverage * nav
    for _ in range(3 * parts):
        held = leverage_of(cash, units, Decimal(1))
        plan = planned(FLOAT, rule, costing, side * reach, nav_of(cash, units, Decimal(1)), held)
        assert plan.outcome == Outcome.TRADE
        pays = (Decimal(plan.notional), Decimal(plan.cost.paid_by_nav))
        cash, units = settled(cash, units, Decimal(1), *pays)
        if not plan.clipped:
            break
        assert abs(plan.notional) == float(clip)
        done = is_clip_done(side * reach, plan.raises, leverage_of(cash, units, Decimal(1)))
        assert not done, "a full clip that was not the last has reached the destination"
    assert not plan.clipped
    landed = leverage_of(cash, units, Decimal(1))
    assert abs(landed - side * reach) <= Decimal("1e-10") * reach


@given(costings("60"), SIDES, sizes(), NAVS, LEVERAGES, TRIGGERS, written("0", "90000", 0))
def test_a_suspension_never_blocks_what_lowers_leverage(
    costing: Costing,
    side: int,
    reach: Decimal,
    nav: Decimal,
    leverage: Decimal,
    trigger: Trigger,
    clip: Decimal,
) -> None:
    """What lowers |leverage|, and emergency and launch, are planned as if nothing were suspended.

    What raises it is blocked, and costs nothing.
    """
    case = (Rule(side * reach, largest_clip=clip), costing, side * reach, nav, side * leverage)
    free = planned(FRACTION, *case, trigger)
    held = planned(FRACTION, *case, trigger, suspended=True)
    if leverage >= reach or trigger in UNCONDITIONAL:
        assert held == free
    elif is_nothing_to_trade((exact(reach) - exact(leverage)) * exact(nav), exact(nav)):
        assert held.outcome == Outcome.NOTHING
    else:
        assert held.outcome == Outcome.BLOCKED
        assert held.notional == 0
        assert set(held.cost) == {0}


@given(costings("3000"), SIDES, sizes(), written("0.5", "3000", 2), LEVERAGES, TRIGGERS)
def test_costs_that_take_the_whole_nav_block_the_trade(
    costing: Costing, side: int, reach: Decimal, nav: Decimal, leverage: Decimal, trigger: Trigger
) -> None:
    """A plan that trades leaves some nav, whatever it is named; a blocked one changes nothing."""
    plan = planned(
        FRACTION, Rule(side * reach), costing, side * reach, nav, side * leverage, trigger
    )
    if plan.outcome == Outcome.TRADE:
        assert 0 <= plan.cost.paid_by_nav < exact(nav)
        assert plan.notional != 0
    else:
        assert plan.notional == 0
        assert set(plan.cost) == {0}


@given(SIDES, sizes(), NAVS, LEVERAGES, TRIGGERS, st.booleans())
def test_gas_as_large_as_nav_blocks_every_trade(
    side: int, reach: Decimal, nav: Decimal, leverage: Decimal, trigger: Trigger, suspended: bool
) -> None:
    """Down to an emergency: there would be nothing left to hold a position with."""
    assume(leverage != reach)
    plan = planned(
        FRACTION,
        Rule(side * reach),
        Costing(gas=nav),
        side * reach,
        nav,
        side * leverage,
        trigger,
        suspended=suspended,
    )
    assert plan.outcome == Outcome.BLOCKED


@given(targets(), NAVS, TRIGGERS, st.booleans(), costings("60"))
def test_a_leverage_at_its_destination_has_nothing_to_trade(
    target: Decimal, nav: Decimal, trigger: Trigger, suspended: bool, costing: Costing
) -> None:
    """Judged before costs: not blocked, not traded, whatever the gas or a suspension."""
    for number in (FLOAT, FRACTION):
        plan = planned(
            number, Rule(target), costing, target, nav, target, trigger, suspended=suspended
        )
        assert plan.outcome == Outcome.NOTHING
        assert plan.notional == 0


# -- destinations ------------------------------------------------------------------------------


@given(rules(), st.sampled_from(UNCONDITIONAL), sizes())
def test_an_emergency_and_the_launch_go_to_the_target(
    rule: Rule, trigger: Trigger, size: Decimal
) -> None:
    """Whatever the rule does otherwise."""
    leverage = exact(size if rule.target > 0 else -size)
    assert destination_of(rule.of(FRACTION), trigger, leverage) == exact(rule.target)


@given(rules(move_to=MoveTo.TARGET), st.sampled_from(ORDINARY), sizes())
def test_moving_to_the_target_goes_to_the_target(
    rule: Rule, trigger: Trigger, size: Decimal
) -> None:
    """From any leverage, by any trigger."""
    leverage = exact(size if rule.target > 0 else -size)
    assert destination_of(rule.of(FRACTION), trigger, leverage) == exact(rule.target)


@given(rules(move_to=MoveTo.EDGE), st.sampled_from(ORDINARY), sizes(), NAVS)
def test_moving_to_the_edge_goes_to_the_edge_that_was_left(
    rule: Rule, trigger: Trigger, size: Decimal, nav: Decimal
) -> None:
    """Above: the upper edge; below: the lower one; inside the band no trigger trades anything."""
    side = 1 if rule.target > 0 else -1
    destination = destination_of(rule.of(FRACTION), trigger, exact(side * size))
    assert rule.upper is not None
    if size > rule.upper:
        assert destination == exact(side * rule.upper)
    elif rule.lower is not None and size < rule.lower:
        assert destination == exact(side * rule.lower)
    else:
        plan = planned(FRACTION, rule, FREE, Decimal(0) + side * size, nav, side * size, trigger)
        assert destination == exact(side * size)
        assert plan.outcome == Outcome.NOTHING


@given(rules(move_to=MoveTo.PARTWAY), st.sampled_from(ORDINARY), sizes())
def test_moving_partway_goes_the_share_of_the_way_and_no_farther_than_the_band(
    rule: Rule, trigger: Trigger, size: Decimal
) -> None:
    """clamp(|leverage| (1 - s) + |target| s, lower, upper), with the target's sign."""
    side = 1 if rule.target > 0 else -1
    destination = side * destination_of(rule.of(FRACTION), trigger, exact(side * size))
    target, speed = exact(abs(rule.target)), exact(rule.speed)
    expected = exact(size) + (target - exact(size)) * speed
    if rule.upper is not None:
        expected = min(expected, exact(rule.upper))
    if rule.lower is not None:
        expected = max(expected, exact(rule.lower))
    assert destination == expected
    # it never overshoots, and never goes away from the target
    nearest, farthest = sorted([target, exact(size)])
    assert nearest <= destination <= farthest


@given(rules(), sizes())
def test_every_destination_lies_in_the_band(rule: Rule, size: Decimal) -> None:
    """A rebalance that the band named ends where the band does not name another."""
    side = 1 if rule.target > 0 else -1
    scalars = rule.of(FRACTION)
    destination = destination_of(scalars, Trigger.BAND, exact(side * size))
    assert destination * side > 0
    assert not is_outside_band(scalars, destination)


@given(targets(), st.booleans(), sizes(), st.sampled_from(["-2e-12", "-0.5e-12", "0", "0.5e-12"]))
def test_clips_are_done_when_leverage_reaches_or_passes_the_destination(
    destination: Decimal, raises: bool, size: Decimal, off: str
) -> None:
    """From below when raising, from above when lowering; within 1e-12 of it is there."""
    side = 1 if destination > 0 else -1
    goal = exact(destination)
    assert is_clip_done(goal, raises, exact(side * size)) == (
        abs(goal) <= exact(size) if raises else abs(goal) >= exact(size)
    )
    near = goal * (1 + exact(off))
    assert is_clip_done(goal, raises=True, leverage=near) == (exact(off) > -Fraction(1, 10**12))
    assert is_clip_done(goal, raises=False, leverage=near)
