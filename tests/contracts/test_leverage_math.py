"""The contract's integers are the rules on Fraction, rounded in the direction that is named."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

import boa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from steelyard.rules.costs import swap_cost
from steelyard.rules.decide import is_clip_done
from steelyard.rules.leverage import leverage_of
from steelyard.rules.liquidation import is_liquidated
from steelyard.rules.numbers import FRACTION
from steelyard.rules.sizing import Payers, gap_to, is_nothing_to_trade, size_trade
from steelyard.rules.triggers import exceeds, is_emergency, is_outside_band
from support.chain.deploying import deploy_double
from support.chain.exact import (
    AMOUNTS,
    HAIR,
    LOWERING,
    LOWERING_TO_TARGET,
    NO_CLIP,
    RAISING,
    WAD,
    Law,
    clip_destination,
    decision,
    down,
    exactly,
    laws,
    positions,
    up,
)
from support.chain.series import trigger

if TYPE_CHECKING:
    from collections.abc import Callable

WORDS = st.integers(0, 2**256 - 1) | st.integers(0, 256).map(lambda n: max(0, 2**n - 1))
SHARES = st.integers(0, WAD) | st.sampled_from([0, 1, WAD - 1, WAD])
CLIPS = st.sampled_from([NO_CLIP, RAISING, LOWERING, LOWERING_TO_TARGET])


@st.composite
def cases(draw: st.DrawFn) -> tuple[Law, int, int]:
    """A law with a position."""
    law = draw(laws())
    return law, *draw(positions(law))


@pytest.fixture(scope="module")
def math() -> Any:
    """`leverage_math`, each function to be called alone."""
    return deploy_double("LeverageMath")


def or_refused(call: Callable[..., Any], *args: Any) -> Any:
    """What a function says, or None where it refuses to say anything."""
    try:
        return call(*args)
    except boa.BoaError:
        return None


@given(cases())
def test_above_and_below_are_exceeds(math: Any, case: tuple[Law, int, int]) -> None:
    """A leverage exceeds a limit, and a limit a leverage, exactly where `exceeds` says so."""
    law, exposure, nav = case
    leverage = Fraction(exposure, nav)
    rule = law.rule
    edges = (rule.lower_limit, rule.lower, rule.upper, rule.upper_limit, rule.emergency)
    for limit in (abs(rule.target), *edges):
        raw = int(limit * WAD)
        assert math.is_above(exposure, nav, raw) == exceeds(leverage, limit)
        assert math.is_below(exposure, nav, raw) == exceeds(limit, leverage)


@given(cases())
def test_an_emergency_and_a_band_are_those_of_the_rules(
    math: Any, case: tuple[Law, int, int]
) -> None:
    """Nothing under way, nothing due: where `is_emergency` and `is_outside_band` say so.

    Long and short, within 1e-12 of an edge too.
    """
    law, exposure, nav = case
    leverage = law.side * Fraction(exposure, nav)
    said, destination = math.decide(law.words, exposure, nav, NO_CLIP, True, False)
    assert (trigger(said) == "emergency") == is_emergency(law.rule, leverage)
    outside = is_outside_band(law.rule, leverage)
    assert (trigger(said) in {"band_up", "band_down", "emergency"}) == outside
    if trigger(said) == "emergency":
        assert destination == abs(law.rule.target) * WAD


@given(cases(), CLIPS, st.integers(0, 3))
def test_decisions_and_destinations_are_those_of_the_rules(
    math: Any, case: tuple[Law, int, int], clip: int, due: int
) -> None:
    """The first trigger that holds and where it goes, to the edge and to the target.

    With clips under way or none, the wait between them over or not, the fallback due or not.
    """
    law, exposure, nav = case
    said, destination = math.decide(law.words, exposure, nav, clip, bool(due & 1), bool(due & 2))
    name, goal = decision(law.rule, Fraction(nav), Fraction(law.side * exposure), clip, due)
    assert trigger(said) == name
    if name != "idle":
        assert destination == abs(goal) * WAD


@pytest.mark.parametrize("long", [True, False], ids=["long", "short"])
@pytest.mark.parametrize("to_edge", [True, False], ids=["edge", "target"])
def test_on_each_edge_and_a_hair_and_a_unit_from_it(math: Any, long: bool, to_edge: bool) -> None:
    """On a threshold, 1e-12 from it, and a unit to either side of these: as the rules decide.

    With and without clips and fallback.
    """
    law = Law(long, 3_000, 2_600, 3_400, 4_800, to_edge)
    rule = law.rule
    edges = {abs(rule.target), rule.lower, rule.upper, rule.lower_limit, rule.upper_limit}
    # of so many units a hair is a whole number
    nav = 7 * 1_000 * 10**12 * (10**12 + 1)
    factors = (Fraction(1), 1 + HAIR, 1 - HAIR, 1 / (1 + HAIR))
    for edge, factor, unit in product(edges | {rule.emergency}, factors, (-1, 0, 1)):
        exposure = exactly(edge * nav * factor) + unit
        for clip, due in product(range(4), range(4)):
            said, _ = math.decide(law.words, exposure, nav, clip, bool(due & 1), bool(due & 2))
            figures = (Fraction(nav), Fraction(law.side * exposure))
            assert trigger(said) == decision(rule, *figures, clip, due)[0]


@pytest.mark.parametrize("side", [1, -1], ids=["long", "short"])
def test_a_gap_of_exactly_a_hair_is_nothing_and_a_unit_more_is_something(
    math: Any, side: int
) -> None:
    """1e-12 of nav is nothing to trade, one unit more is traded, up and down."""
    nav = 7 * 10**20
    for gap in (nav // 10**12 + unit for unit in (-1, 0, 1)):
        for sign in (1, -1):
            exposure = 3 * nav - sign * gap
            exact = gap_to(Fraction(3 * side), Fraction(nav), Fraction(side * exposure))
            nothing = is_nothing_to_trade(exact, Fraction(nav))
            assert tuple(math.gap_down(3 * WAD, exposure, nav)) == (sign > 0, 0 if nothing else gap)


@given(cases(), st.sampled_from([RAISING, LOWERING, LOWERING_TO_TARGET]))
def test_clips_end_where_the_rules_end_them(
    math: Any, case: tuple[Law, int, int], clip: int
) -> None:
    """Ready, a clip follows while `is_clip_done` is false; not ready, it waits.

    Nothing overrides it but an emergency.
    """
    law, exposure, nav = case
    leverage = law.side * Fraction(exposure, nav)
    done = is_clip_done(clip_destination(law.rule, clip), clip == RAISING, leverage)
    alarm = is_emergency(law.rule, leverage)
    ready = trigger(math.decide(law.words, exposure, nav, clip, True, True)[0])
    waits = trigger(math.decide(law.words, exposure, nav, clip, False, True)[0])
    assert (ready == "clip") == (not done and not alarm)
    if not done:
        assert waits == ("emergency" if alarm else "idle")


@given(cases(), st.data())
def test_the_gap_is_that_of_the_rules_rounded_down(
    math: Any, case: tuple[Law, int, int], data: st.DataObject
) -> None:
    """Direction and size of the gap, down by less than one unit; so the trade that is free for nav.

    What the rules call nothing to trade is nothing here, whole units counted.
    """
    law, exposure, nav = case
    rule = law.rule
    goal = data.draw(st.sampled_from([rule.target, law.side * rule.lower, law.side * rule.upper]))
    raises, size = math.gap_down(int(abs(goal) * WAD), exposure, nav)
    exact = gap_to(goal, Fraction(nav), Fraction(law.side * exposure))
    assert raises == (exact > 0)
    nothing = is_nothing_to_trade(Fraction(down(abs(exact))), Fraction(nav))
    assert size == (0 if nothing else down(abs(exact)))
    if is_nothing_to_trade(exact, Fraction(nav)):
        assert size == 0
    # the reserve bears every cost and has plenty: in the rules too the size is the gap
    terms = law.series.terms(FRACTION)
    payers = Payers(terms.nav_curve, terms.reserve_curve._replace(pool=Fraction(0)), Fraction(1))
    sized = size_trade(goal, Fraction(nav), Fraction(law.side * exposure), payers, FRACTION.sqrt)
    # within 1e-12 of the position is all of it, which is not sold
    if size > 0 and (raises or (size + 1) * 10**12 <= exposure * (10**12 - 1)):
        assert size <= abs(sized) < size + 1
        assert (sized > 0) == (raises == law.long)


@given(cases())
def test_leverage_is_that_of_the_rules_rounded_down(math: Any, case: tuple[Law, int, int]) -> None:
    """`leverage_of` the position, long or short, down by less than 1e-18."""
    law, exposure, nav = case
    units = Fraction(law.side * exposure)
    leverage = leverage_of(nav - units, units, Fraction(1))
    assert math.leverage_down(exposure, nav) == down(abs(leverage) * WAD)
    assert math.leverage_down(exposure, 0) == 2**256 - 1


@given(cases(), AMOUNTS)
def test_what_a_cost_takes_from_a_size_is_rounded_up(
    math: Any, case: tuple[Law, int, int], cost: int
) -> None:
    """A cost that nav pays moves the gap by |destination| times it: up by less than one unit."""
    law, exposure, nav = case
    figures = [Fraction(nav), Fraction(nav - cost)]
    gaps = [gap_to(law.rule.target, each, Fraction(law.side * exposure)) for each in figures]
    assert math.times_up(int(abs(law.rule.target) * WAD), cost) == up(gaps[0] - gaps[1])


@given(
    st.integers(1, 2**112),
    st.integers(0, 2**112),
    st.sampled_from([0, 100, 500, 3_000, 10_000, 999_999]) | st.integers(0, 999_999),
    st.booleans(),
)
def test_a_swap_costs_what_the_rules_say_rounded_up(
    math: Any, pool: int, notional: int, fee: int, buys: bool
) -> None:
    """`swap_cost` on Fraction, up by less than one unit; all of a pool cannot be bought."""
    said = or_refused(math.swap_cost_up, pool, fee, notional, buys)
    if buys and notional >= pool:
        assert said is None
        return
    signed = Fraction(notional if buys else -notional)
    assert said == up(swap_cost(Fraction(pool), Fraction(fee, 10**6), signed))


@given(st.integers(1, 2**112), st.integers(0, 2 * WAD), st.integers(1, WAD - 1), st.data())
def test_danger_is_whole_where_the_rules_liquidate(
    math: Any, value: int, share: int, lltv: int, data: st.DataObject
) -> None:
    """From nothing at the calm loan-to-value up to 1e18 at Morpho's, on a straight line, down.

    Whole wherever `is_liquidated` closes the position.
    """
    calm = data.draw(st.integers(0, lltv - 1))
    debt = value * share // WAD
    ratio = data.draw(st.sampled_from([debt * WAD // value, calm, lltv, (calm + lltv) // 2]))
    danger = math.danger_down(ratio, calm, lltv)
    line = Fraction(ratio - calm, lltv - calm)
    assert danger == down(WAD * min(max(line, Fraction(0)), Fraction(1)))
    venue = Law(True, 3_000, 2_600, 3_400, 4_800, False).series.terms(FRACTION).venue
    venue = venue._replace(liquidation_threshold=Fraction(lltv, WAD))
    if is_liquidated(venue, Fraction(-debt), Fraction(value), Fraction(1)):
        assert math.danger_down(debt * WAD // value, calm, lltv) == WAD


@given(SHARES, SHARES, SHARES, SHARES)
def test_a_bound_widens_with_danger(
    math: Any, one: int, other: int, danger: int, more: int
) -> None:
    """Normal without danger, maximum at liquidation, on a straight line between, rounded down."""
    normal, maximum = sorted((one, other))
    bound = math.widened_down(normal, maximum, danger)
    assert bound == down(normal + (maximum - normal) * Fraction(danger, WAD))
    assert math.widened_down(normal, maximum, 0) == normal
    assert math.widened_down(normal, maximum, WAD) == maximum
    low, high = sorted((danger, more))
    assert math.widened_down(normal, maximum, low) <= math.widened_down(normal, maximum, high)


@given(cases(), SHARES)
def test_distance_is_danger_or_the_share_of_the_edge_that_is_missing(
    math: Any, case: tuple[Law, int, int], danger: int
) -> None:
    """In danger it is danger; else what is missing of the lower edge, as a share of it, down.

    Nothing is refused up to 2**130 of nav.
    """
    law, exposure, nav = case
    assume(nav <= 2**130)
    units = Fraction(law.side * exposure)
    missing = law.rule.lower - abs(leverage_of(nav - units, units, Fraction(1)))
    share = max(missing / law.rule.lower, Fraction(0))
    expected = danger if danger > 0 else down(share * WAD)
    assert math.distance_down(law.words, exposure, nav, danger) == expected
    assert math.distance_down(law.words, exposure, nav, 0) == down(share * WAD)
    assert math.distance_down(law.words, exposure, nav, WAD) == WAD


@given(AMOUNTS, AMOUNTS, st.integers(0, 10**16), SHARES)
def test_many_small_fills_earn_no_more_than_one(
    math: Any, one: int, other: int, rate: int, distance: int
) -> None:
    """The premium is its share of what was filled, down by less than two units.

    That of two fills is at most that of both in one.
    """
    both = math.premium_down(one + other, rate, distance)
    exact = Fraction((one + other) * rate * distance, WAD**2)
    assert exact - 2 < both <= exact
    assert math.premium_down(one, rate, distance) + math.premium_down(other, rate, distance) <= both


@given(st.integers(0, 86_400), AMOUNTS, AMOUNTS)
def test_the_wait_is_the_filled_share_of_the_cooldown(
    math: Any, cooldown: int, filled: int, wanted: int
) -> None:
    """Up by less than a second, never more than the cooldown; nothing wanted is refused."""
    said = or_refused(math.cooldown_up, cooldown, filled, wanted)
    if wanted == 0:
        assert said is None
        return
    assert said == up(cooldown * min(Fraction(filled, wanted), Fraction(1)))


@given(laws(), WORDS, WORDS, CLIPS, st.integers(0, 3))
def test_beyond_the_range_an_answer_is_right_or_refused(
    math: Any, law: Law, exposure: int, nav: int, clip: int, due: int
) -> None:
    """Any 256 bits: a product that does not fit is a revert and never a wrong answer.

    Up to 2**140 of exposure and nav nothing is refused: the tests above.
    """
    said = or_refused(math.decide, law.words, exposure, nav, clip, bool(due & 1), bool(due & 2))
    if said is not None:
        # a nav that is gone is leverage without end
        name, goal = "emergency", law.rule.target
        if nav > 0:
            name, goal = decision(law.rule, Fraction(nav), Fraction(law.side * exposure), clip, due)
        assert trigger(said[0]) == name
        assert name == "idle" or said[1] == abs(goal) * WAD
    target = int(abs(law.rule.target) * WAD)
    gap = or_refused(math.gap_down, target, exposure, nav)
    if gap is not None:
        exact = gap_to(law.rule.target, Fraction(nav), Fraction(law.side * exposure))
        nothing = is_nothing_to_trade(Fraction(down(abs(exact))), Fraction(nav))
        assert tuple(gap) == (exact > 0, 0 if nothing else down(abs(exact)))
    leverage = or_refused(math.leverage_down, exposure, nav)
    if leverage is not None and nav > 0:
        assert leverage == down(Fraction(exposure, nav) * WAD)
    cost = or_refused(math.swap_cost_up, nav, 500, exposure, law.long)
    if cost is not None and nav > 0:
        signed = Fraction(law.side * exposure)
        assert cost == up(swap_cost(Fraction(nav), Fraction(500, 10**6), signed))


def test_from_where_on_everything_is_refused(math: Any) -> None:
    """At 2**240 of nav or exposure no decision and no gap is told."""
    law = Law(True, 3_000, 2_600, 3_400, 4_800, False)
    for exposure, nav in ((2**240, 1), (1, 2**240), (2**240, 2**240)):
        assert or_refused(math.decide, law.words, exposure, nav, NO_CLIP, True, True) is None
        assert or_refused(math.gap_down, 3 * WAD, exposure, nav) is None
