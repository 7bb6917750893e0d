"""Laws of crossing prices: each is where its trigger first holds, and the earliest comes first.

They are checked on Fractions, where "at the price itself" has a meaning, against the triggers as
tests of a leverage or a price, which know nothing of closed forms.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from steelyard.rules.leverage import leverage_of
from steelyard.rules.liquidation import is_liquidated, is_nav_gone, liquidation_price
from steelyard.rules.numbers import FRACTION
from steelyard.rules.triggers import (
    Crossing,
    Trigger,
    crossing,
    has_moved,
    is_emergency,
    is_outside_band,
)
from support.rule_cases import Rule, Terms, exact, rules, venues, written

TOLERANCE = Fraction(1, 10**12)
STEP = Fraction(1, 10**9)


class Token:
    """A rule, a venue and a position, exactly, with a nav of 1 at a price of 1."""

    def __init__(self, rule: Rule, venue: Terms, leverage: Any, reference: Any = 1) -> None:
        self.rule, self.venue = rule.of(FRACTION), venue.of(FRACTION)
        self.units = exact(leverage)
        self.cash = 1 - self.units
        self.reference = exact(reference)

    def crossing(
        self, start: Any, end: Any, *, emergency_only: bool = False, spent: int = 0
    ) -> Crossing[Fraction]:
        """What the rules find between two prices."""
        money = (self.cash, self.units, self.reference)
        way = (exact(start), exact(end))
        return crossing(
            self.rule, self.venue, *money, *way, emergency_only=emergency_only, spent=spent
        )

    def named(self, price: Fraction) -> int:
        """The first trigger that holds at a price, as tested there."""
        if is_liquidated(self.venue, self.cash, self.units, price):
            return Trigger.LIQUIDATION
        if is_nav_gone(self.cash, self.units, price):
            return Trigger.LIQUIDATION
        leverage = leverage_of(self.cash, self.units, price)
        if is_emergency(self.rule, leverage):
            return Trigger.EMERGENCY
        if is_outside_band(self.rule, leverage):
            return Trigger.BAND
        return Trigger.MOVE if has_moved(self.rule, price, self.reference) else Trigger.NONE


@st.composite
def tokens(draw: st.DrawFn) -> Token:
    """Tokens of any rule and venue at a leverage where nothing holds yet."""
    rule = draw(rules())
    assume(rule.upper is not None or rule.emergency is not None or rule.move is not None)
    size = abs(rule.target)
    venue = draw(venues(max(size, rule.upper or size)))
    lowest, highest = rule.lower or size / 2, rule.upper or size * 2
    share = draw(written("0", "1", 3))
    leverage = lowest + (highest - lowest) * share
    side = 1 if rule.target > 0 else -1
    reference = 1 + draw(written("-0.05", "0.05", 3))
    token = Token(rule, venue, side * leverage, reference)
    assume(token.named(Fraction(1)) == Trigger.NONE)
    return token


ENDS = written("0.05", "0.999", 4) | written("1.001", "3", 4)


@given(tokens(), ENDS)
def test_a_crossing_is_where_its_trigger_first_holds(token: Token, end: Decimal) -> None:
    """Not just before, but just after; and no other trigger held anywhere before."""
    met = token.crossing(1, end)
    event(Trigger(met.trigger).name)
    outward = 1 if end > 1 else -1
    assume(abs(met.price - 1) > 2 * STEP)
    before = met.price * (1 - outward * STEP)
    if met.trigger == Trigger.NONE:
        assert met.price == exact(end)
    else:
        assert min(Fraction(1), exact(end)) <= met.price <= max(Fraction(1), exact(end))
        assert token.named(met.price * (1 + outward * STEP)) == met.trigger
    for share in range(21):
        price = 1 + (before - 1) * share / 20
        assert token.named(price) == Trigger.NONE, "a trigger held before the first crossing"


@given(tokens(), ENDS)
def test_at_the_crossing_the_threshold_is_met_exactly(token: Token, end: Decimal) -> None:
    """On Fraction leverage is the edge itself, the price the threshold itself: no rounding."""
    met = token.crossing(1, end)
    rule, price = token.rule, met.price
    if met.trigger == Trigger.LIQUIDATION:
        assert price == liquidation_price(token.venue, token.cash, token.units)
        return
    size = abs(leverage_of(token.cash, token.units, price))
    limits = {
        Trigger.EMERGENCY: [rule.emergency],
        Trigger.BAND: [rule.lower_limit, rule.upper_limit],
    }
    if met.trigger == Trigger.MOVE:
        assert abs(price / token.reference - 1) == rule.move_threshold
    elif met.trigger != Trigger.NONE:
        assert size in limits[Trigger(met.trigger)]


@given(tokens(), ENDS)
def test_the_way_may_be_cut_anywhere(token: Token, end: Decimal) -> None:
    """The same crossing is found whether the way is walked whole or in two pieces."""
    whole = token.crossing(1, end)
    middle = (1 + exact(end)) / 2
    first = token.crossing(1, middle)
    found = first if first.trigger != Trigger.NONE else token.crossing(middle, end)
    # a move that ends on its threshold has reached it, an edge is crossed only past it
    assume(whole.price != middle)
    assert found == whole


# -- standing, ending, ties ----------------------------------------------------------------------

LONG = Rule(Decimal(3), lower=Decimal("2.5"), upper=Decimal("3.5"))
SHORT = Rule(Decimal(-3), lower=Decimal("2.5"), upper=Decimal("3.5"))
PLAIN = Terms()


@pytest.mark.parametrize(
    ("rule", "edge", "outward"),
    [(LONG, "3.5", -1), (LONG, "2.5", 1), (SHORT, "-3.5", 1), (SHORT, "-2.5", -1)],
)
def test_a_leverage_on_an_edge_crosses_it_as_soon_as_price_moves_outward(
    rule: Rule, edge: str, outward: int
) -> None:
    """At that very price; not when the price moves inward, nor when it stands still."""
    token = Token(rule, PLAIN, edge)
    assert token.crossing(1, 1 + outward * Fraction(1, 10**6)) == (Trigger.BAND, 1)
    assert token.crossing(1, 1 - outward * Fraction(1, 10**6)).trigger == Trigger.NONE
    assert token.crossing(1, 1).trigger == Trigger.NONE
    # within 1e-12 of the edge is on it, on either side
    for off in (-1, 1):
        beside = Token(rule, PLAIN, exact(edge) * (1 + off * TOLERANCE / 100))
        met = beside.crossing(1, 1 + outward * Fraction(1, 10**6))
        assert met.trigger == Trigger.BAND
        assert abs(met.price - 1) <= TOLERANCE


@pytest.mark.parametrize("edge", ["3.5", "2.5"])
def test_a_leverage_past_an_edge_does_not_cross_it_again(edge: str) -> None:
    """What is already past its threshold is for the clock to see, not for the way."""
    beyond = exact(edge) + (Fraction(1, 100) if edge == "3.5" else -Fraction(1, 100))
    token = Token(LONG, PLAIN, beyond)
    outward = -1 if edge == "3.5" else 1
    assert token.crossing(1, 1 + outward * Fraction(1, 50)).trigger == Trigger.NONE
    # on the way back in, too, nothing is crossed
    assert token.crossing(1, 1 - outward * Fraction(1, 50)).trigger == Trigger.NONE


@pytest.mark.parametrize(
    ("off", "crossed"), [("-2e-12", True), ("-0.5e-12", False), ("0", False), ("0.5e-12", False)]
)
def test_a_way_that_ends_on_an_edge_has_not_crossed_it(off: str, crossed: bool) -> None:
    """Within 1e-12 of the crossing price; farther out it has."""
    token = Token(LONG, PLAIN, 3)
    price = token.crossing(1, "0.8").price
    end = price * (1 + exact(off))
    expected = (Trigger.BAND, price) if crossed else (Trigger.NONE, end)
    assert token.crossing(1, end) == expected


@pytest.mark.parametrize(
    ("off", "reached"), [("-2e-12", True), ("0", True), ("0.5e-12", True), ("2e-12", False)]
)
def test_a_way_that_ends_on_a_move_has_reached_it(off: str, reached: bool) -> None:
    """Within 1e-12 of the threshold, and then at the price where the way ended."""
    token = Token(Rule(Decimal(3), move=Decimal("0.1")), PLAIN, 3)
    end = Fraction(9, 10) * (1 + exact(off))
    price = max(end, Fraction(9, 10))
    assert token.crossing(1, end) == ((Trigger.MOVE, price) if reached else (Trigger.NONE, end))


@pytest.mark.parametrize(
    ("venue", "end", "reached"),
    [(Terms(), "0.5", True), (Terms(margin=Decimal("0.2")), "0.625", False)],
)
def test_a_way_that_ends_where_nav_is_gone_has_ended_the_token(
    venue: Terms, end: str, reached: bool
) -> None:
    """A nav of zero is gone when it is zero; a margin has to be passed, not only met."""
    token = Token(Rule(Decimal(2)), venue, 2)
    expected = Trigger.LIQUIDATION if reached else Trigger.NONE
    assert token.crossing(1, end) == (expected, exact(end))
    past = exact(end) * (1 - STEP)
    assert token.crossing(1, past) == (Trigger.LIQUIDATION, exact(end))


@pytest.mark.parametrize("target", ["3", "-3", "0.5", "-1"])
@pytest.mark.parametrize("losing_side_only", [True, False])
def test_a_move_counts_on_the_losing_side_only_where_told(
    target: str, losing_side_only: bool
) -> None:
    """Falling for a long, rising for a short; on both sides otherwise."""
    rule = Rule(Decimal(target), move=Decimal("0.15"), losing_side_only=losing_side_only)
    token = Token(rule, PLAIN, target)
    losing = -1 if exact(target) > 0 else 1
    far = exact("0.16")
    assert token.crossing(1, 1 + losing * far) == (Trigger.MOVE, 1 + losing * exact("0.15"))
    gaining = token.crossing(1, 1 - losing * far)
    if losing_side_only:
        assert gaining.trigger == Trigger.NONE
    else:
        assert gaining == (Trigger.MOVE, 1 - losing * exact("0.15"))


@pytest.mark.parametrize("target", ["3", "-2"])
@pytest.mark.parametrize("off", ["0", "0.4e-12", "-0.4e-12"])
def test_crossings_within_1e_12_are_one_named_in_trigger_order(target: str, off: str) -> None:
    """Band and move at one price are a band; with an emergency there too, an emergency."""
    upper = abs(Decimal(target)) + 1
    band = Rule(Decimal(target), upper=upper)
    out = Decimal("0.75") if target == "3" else Decimal("1.4")
    price = Token(band, PLAIN, target).crossing(1, out).price
    move = Fraction(1, 20)
    # the reference from which that price, or one beside it, is a move of 5 %
    sign = 1 if price > 1 else -1
    reference = price * (1 + exact(off)) / (1 + sign * move)
    both = Rule(Decimal(target), upper=upper, move=Decimal("0.05"))
    assert Token(both, PLAIN, target, reference).crossing(1, out).trigger == Trigger.BAND
    three = Rule(Decimal(target), upper=upper, move=Decimal("0.05"), emergency=upper)
    assert Token(three, PLAIN, target, reference).crossing(1, out).trigger == Trigger.EMERGENCY


@pytest.mark.parametrize(("off", "first"), [("-3e-12", "BAND"), ("3e-12", "MOVE")])
def test_farther_apart_the_earlier_crossing_comes_first(off: str, first: str) -> None:
    """On a fall, a move three parts in 1e12 higher is met before the band, and one lower after."""
    band = Token(Rule(Decimal(3), upper=Decimal(4)), PLAIN, 3).crossing(1, "0.8").price
    reference = band * (1 + exact(off)) / Fraction(19, 20)
    rule = Rule(Decimal(3), upper=Decimal(4), move=Decimal("0.05"))
    met = Token(rule, PLAIN, 3, reference).crossing(1, "0.8")
    assert Trigger(met.trigger).name == first
    assert met.price == max(band, reference * Fraction(19, 20))


def test_liquidation_comes_before_an_emergency_at_one_price() -> None:
    """A margin of a quarter is used up at 4x exactly, where the emergency would act too."""
    rule = Rule(Decimal(3), emergency=Decimal(4))
    venue = Terms(margin=Decimal("0.25"))
    assert Token(rule, venue, 3).crossing(1, "0.8").trigger == Trigger.LIQUIDATION
    assert Token(rule, PLAIN, 3).crossing(1, "0.8").trigger == Trigger.EMERGENCY


# -- what rests, and what no price meets -----------------------------------------------------------


@given(tokens(), ENDS)
def test_between_clips_only_emergency_and_liquidation_act(token: Token, end: Decimal) -> None:
    """Band and move rest; the others are where they were, or come first now."""
    met = token.crossing(1, end, emergency_only=True)
    assert met.trigger in (Trigger.NONE, Trigger.LIQUIDATION, Trigger.EMERGENCY)
    whole = token.crossing(1, end)
    if whole.trigger in (Trigger.NONE, Trigger.LIQUIDATION, Trigger.EMERGENCY):
        assert met == whole


@given(tokens(), ENDS)
def test_a_spent_trigger_is_not_met_again_on_this_way(token: Token, end: Decimal) -> None:
    """The next one is, at or after it; a liquidation is never spent."""
    first = token.crossing(1, end)
    assume(first.trigger not in (Trigger.NONE, Trigger.LIQUIDATION))
    spent = 1 << first.trigger
    second = token.crossing(first.price, end, spent=spent)
    assert second.trigger != first.trigger
    if second.trigger != Trigger.NONE:
        assert abs(second.price - 1) >= abs(first.price - 1)
    everything = sum(1 << trigger for trigger in Trigger)
    last = token.crossing(1, end, spent=everything)
    assert last.trigger in (Trigger.NONE, Trigger.LIQUIDATION)


@given(written("0.05", "20", 3), written("0.01", "3", 3))
def test_a_leverage_of_exactly_one_never_drifts(size: Decimal, end: Decimal) -> None:
    """No cash, no drift: a 1x long crosses no band and no emergency at any price above zero."""
    rule = Rule(Decimal(1), lower=Decimal("0.9"), upper=1 + size, emergency=2 + size)
    assert Token(rule, PLAIN, 1).crossing(1, end).trigger == Trigger.NONE


@given(written("0.05", "0.95", 3), ENDS)
def test_an_edge_beyond_one_is_never_met_by_a_part_cash_token(
    target: Decimal, end: Decimal
) -> None:
    """Below 1x, |leverage| rises with the price toward one and stays under it."""
    rule = Rule(target, upper=Decimal(1), emergency=Decimal("1.5"))
    assert Token(rule, PLAIN, target).crossing(1, end).trigger == Trigger.NONE


def test_a_wide_slack_below_a_low_edge_is_never_met() -> None:
    """With a slack of more than the lower edge the lower limit is negative: nowhere."""
    rule = Rule(Decimal(1), lower=Decimal("0.5"), upper=Decimal(2), slack=Decimal("0.6"))
    for leverage in ("0.7", "1.4"):
        token = Token(rule, PLAIN, leverage)
        assert token.crossing(1, "0.5").trigger == Trigger.NONE
        assert token.crossing(1, "40").trigger == Trigger.NONE
        assert not is_outside_band(token.rule, exact("0.001"))


def test_an_empty_position_crosses_nothing() -> None:
    """After its end a token holds no units, and no price means anything to it."""
    token = Token(LONG, PLAIN, 0)
    assert token.crossing(1, "0.01").trigger == Trigger.NONE
