"""One source, three kinds of number: float, Decimal and Fraction decide alike and agree in figures.

The Fraction is the truth. A float may be 1e-12 of it away, a Decimal of 28 digits 1e-24.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from steelyard.rules.numbers import DECIMAL, FLOAT, FRACTION, sqrt_fraction_down
from support.compiled_rules import RULES, functions_of_the_rules
from support.rule_calls import CALLS, in_kind

FUNCTIONS = functions_of_the_rules()
NEAR = {FLOAT: Fraction(1, 10**12), DECIMAL: Fraction(1, 10**24)}

# Sums of terms that may nearly cancel: only the exact number has a figure that is good relative to
# itself, so the others are judged relative to these terms.
TERMS = {
    "rebalance_demand": lambda assets, leverage, move, inflow: (
        assets * leverage * (leverage - 1) * move,
        leverage * inflow,
    ),
    "nav_after_liquidation": lambda _, cash, units, price: (cash, units * price),
    "gap_to": lambda destination, nav, exposure: (destination * nav, exposure),
    "size_trade": lambda destination, nav, exposure, *_: (destination * nav, exposure),
    "plan_trade": lambda *a: (a[4] * a[5], a[6]),
    "units_left": lambda units, paid, price: (units, paid / price),
    "smallest_root": lambda *a: (a[4], a[3] * a[0].fixed),
    "netted_kind": lambda alone, all_alone, together, *_: (alone, all_alone, together),
    "buffer_depth": lambda value, nav, floor: (value / nav if nav else value, floor),
    "runway_days": lambda value, nav, floor, net: (value / net, floor * nav / net) if net else (),
}

# Comparisons without tolerance, as the sides that they compare: on the very tie a float may fall
# to either side, so the same decision is promised beside it only.
SIDES = {
    "is_nav_gone": lambda cash, units, price: [(cash + units * price, abs(units * price) / 10**12)],
    "is_nothing_to_trade": lambda gap, nav: [(abs(gap) * 10**12, nav)],
    "is_volatile": lambda total, _, window_s, level: [(total * 31_536_000, level**2 * window_s)],
    "units_left": lambda units, paid, price: [(paid, units * price)],
    "smallest_root": lambda *a: [(a[4], a[3] * a[0].fixed)],
}


def leaves(result: Any) -> list[Any]:
    """The figures and decisions of a result, whatever tuple they stand in."""
    if isinstance(result, tuple):
        return [leaf for part in result for leaf in leaves(part)]
    return [result]


def is_decision(leaf: Any) -> bool:
    """Whether a leaf is a flag, a word, an instant or nothing, not a figure."""
    return leaf is None or isinstance(leaf, int)


def test_the_table_of_calls_is_complete() -> None:
    """Every public function of the rules is in the table that the other tests go through."""
    public = {name for module in RULES for name in module.__all__ if name in FUNCTIONS}
    assert set(CALLS) == public


@pytest.mark.parametrize("name", CALLS)
@given(data=st.data())
def test_three_kinds_of_number_agree(name: str, data: st.DataObject) -> None:
    """Decisions are the same on all three; figures differ by rounding alone."""
    written = data.draw(CALLS[name])
    arguments = {n: [in_kind(a, n) for a in written] for n in (FLOAT, DECIMAL, FRACTION)}
    for one, other in SIDES.get(name, lambda *_: [])(*arguments[FRACTION]):
        assume(abs(one - other) > Fraction(1, 10**9) * abs(other))
    truth = leaves(FUNCTIONS[name](*arguments[FRACTION]))
    # the figures of one tuple are in one unit: the largest is the size of them all
    terms = [leaf for leaf in truth if not is_decision(leaf)] if len(truth) > 1 else []
    terms += TERMS.get(name, lambda *_: ())(*arguments[FRACTION])
    for number, kind in ((FLOAT, float), (DECIMAL, Decimal)):
        found = leaves(FUNCTIONS[name](*arguments[number]))
        assert len(found) == len(truth)
        for figure, exact in zip(found, truth, strict=True):
            if is_decision(exact):
                assert figure == exact
                assert type(figure) is type(exact)
            else:
                assert isinstance(exact, Fraction)
                assert isinstance(figure, kind)
                size = max(abs(term) for term in (exact, *terms))
                assert abs(Fraction(figure) - exact) <= NEAR[number] * size


@given(st.fractions(min_value=0, max_value=10**30))
def test_the_square_root_of_a_fraction_is_rounded_down(x: Fraction) -> None:
    """It is the largest multiple of 1e-40 whose square is at most ``x``."""
    root = sqrt_fraction_down(x)
    assert root * 10**40 == int(root * 10**40)
    assert root * root <= x < (root + Fraction(1, 10**40)) ** 2


def test_the_square_root_of_a_negative_fraction_is_refused() -> None:
    """No number stands for it, so it is an error and not a zero."""
    with pytest.raises(ValueError, match="nonnegative"):
        sqrt_fraction_down(Fraction(-1, 10))


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=6))
def test_a_written_figure_is_exactly_that_figure(figure: Decimal) -> None:
    """0.1 in a file is one tenth as a Decimal and as a Fraction, not the float nearest to it."""
    as_float = float(figure)
    assert FRACTION.of(as_float) == Fraction(str(as_float))
    assert DECIMAL.of(as_float) == Decimal(str(as_float))
    assert FRACTION.of(figure) == Fraction(figure)
    assert DECIMAL.of(FRACTION.of(figure)) == figure
    assert FLOAT.of(figure) == as_float
