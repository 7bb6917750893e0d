"""The rules, compiled from their own code objects, give the bits that the interpreted rules give.

This is what lets a fast simulator call the same source instead of carrying a copy of it. Compiling
takes seconds, so it is done once for the module, and nothing is cached on disk.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.rules.decide import MoveTo
from steelyard.rules.numbers import FLOAT
from support.compiled_rules import compile_rules, compiled_sqrt, functions_of_the_rules
from support.price_loop import COLUMNS, replay
from support.rule_calls import CALLS, in_kind
from support.rule_cases import IMPACTS, Rule, Terms, costings, rules, venues, written

if TYPE_CHECKING:
    from collections.abc import Callable

INTERPRETED = functions_of_the_rules()


@pytest.fixture(scope="module")
def compiled() -> dict[str, Any]:
    """Each function of the rules by name, compiled."""
    return compile_rules()


@pytest.fixture(scope="module")
def sqrt() -> Callable[[float], float]:
    """The compiled square root."""
    return compiled_sqrt()


def bits(result: Any) -> Any:
    """A result with each float as its eight bytes, so that -0.0 is not 0.0."""
    if isinstance(result, tuple):
        return tuple(bits(part) for part in result)
    return struct.pack("d", result) if isinstance(result, float) else result


@pytest.mark.parametrize("name", CALLS)
def test_each_function_compiles_to_the_same_bits(
    name: str, compiled: dict[str, Any], sqrt: Callable[[float], float]
) -> None:
    """Every public function of the rules, called alone, returns what it returns interpreted."""

    @settings(max_examples=40)
    @given(CALLS[name])
    def agree(written_arguments: tuple[Any, ...]) -> None:
        arguments = [in_kind(argument, FLOAT) for argument in written_arguments]
        swapped = [sqrt if argument is math.sqrt else argument for argument in arguments]
        assert bits(compiled[name](*swapped)) == bits(INTERPRETED[name](*arguments))

    agree()


@st.composite
def walks(draw: st.DrawFn) -> list[float]:
    """Prices of a random walk, calm or wild, with standstills."""
    scale = draw(st.sampled_from([0.002, 0.02, 0.1]))
    steps = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).normal(0, scale, 120)
    steps[draw(st.integers(0, 119))] = 0.0
    return (100 * np.exp(np.cumsum(steps))).tolist()


@st.composite
def tokens(draw: st.DrawFn, move_to: MoveTo, side: int) -> tuple[Rule, Terms]:
    """A rule, and a venue under which it can live."""
    rule = draw(rules(move_to, side))
    return rule, draw(venues(abs(rule.target)))


@pytest.mark.parametrize("impact", IMPACTS)
@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("move_to", list(MoveTo))
def test_a_loop_compiled_from_the_rules_agrees_bit_for_bit(
    compiled: dict[str, Any],
    sqrt: Callable[[float], float],
    move_to: MoveTo,
    side: int,
    impact: str,
) -> None:
    """A compiled loop over random prices writes the interpreted one's bits, for any series.

    Books, decisions and the number of trades at each price, with and without a reserve.
    """
    most_trades = 0

    @settings(max_examples=12)
    @given(
        walks(),
        tokens(move_to, side),
        costings("80", [impact]),
        written("0", "90", 1),
        st.sampled_from([(0.0, 0.0), (130.0, 0.0), (75.0, 900.0)]),
    )
    def agree(
        prices: list[float],
        token: tuple[Rule, Terms],
        costing: Any,
        reserve: Any,
        least: tuple[float, float],
    ) -> None:
        nonlocal most_trades
        rule, venue = token
        payers = costing.payers(FLOAT)
        terms = (rule.of(FLOAT), costing.rates(FLOAT), payers.nav, payers.reserve, venue.of(FLOAT))
        start = ((0.03, 0.05, 0.04, 0.02, 0.0001, *least), 100_000.0, float(reserve))
        outs = np.zeros((2, len(prices), COLUMNS))
        replay(prices, *terms, *start, math.sqrt, outs[0])
        compiled["replay"](np.array(prices), *terms, *start, sqrt, outs[1])
        assert outs[0].tobytes() == outs[1].tobytes()
        most_trades = max(most_trades, int(outs[0, -1, 4]))

    agree()
    assert most_trades > 2, "loops that hardly trade agree about little"
