"""Laws of the supply's mean: nothing that is done in a moment moves it."""

from __future__ import annotations

import math
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from steelyard.rules.accruals import DAY_S, WEEK_S
from steelyard.rules.supply_mean import counted_supply, mean_after

SUPPLIES = st.integers(0, 10**9).map(Fraction)
PERIODS = st.sampled_from([DAY_S, WEEK_S])
PATHS = st.lists(st.tuples(SUPPLIES, st.integers(0, 200_000)), min_size=1, max_size=12)


@given(PATHS, PERIODS)
def test_no_pattern_of_updates_beats_the_exponential_mean(
    path: list[tuple[Fraction, int]], period_s: int
) -> None:
    """From zero, with the largest supply all along: never nearer to it than ``1 - exp(-y / T)``."""
    mean, largest, elapsed_s = Fraction(0), max(supply for supply, _ in path), 0
    for supply, seconds in path:
        mean = mean_after(mean, supply, seconds, period_s)
        elapsed_s += seconds
        bound = -math.expm1(-elapsed_s / period_s) * float(largest)
        assert float(mean) <= bound * (1 + 1e-12)


@given(SUPPLIES, SUPPLIES, st.lists(st.integers(0, 100_000), min_size=1, max_size=8), PERIODS)
def test_a_constant_supply_is_approached_from_one_side(
    mean: Fraction, supply: Fraction, steps: list[int], period_s: int
) -> None:
    """Nearer with each update, never across; all at once is never nearer than in steps."""
    first = mean
    for seconds in steps:
        after = mean_after(mean, supply, seconds, period_s)
        assert (supply - after) * (supply - mean) >= 0
        assert abs(supply - after) <= abs(supply - mean)
        mean = after
    at_once = mean_after(first, supply, sum(steps), period_s)
    assert abs(supply - at_once) >= abs(supply - mean)


@given(PATHS, SUPPLIES, PERIODS)
def test_more_supply_never_makes_the_mean_smaller(
    path: list[tuple[Fraction, int]], more: Fraction, period_s: int
) -> None:
    """Monotone in every supply of the past, and never above the largest of them."""
    low = high = Fraction(0)
    for supply, seconds in path:
        low = mean_after(low, supply, seconds, period_s)
        high = mean_after(high, supply + more, seconds, period_s)
        assert low <= high
    assert low <= max(supply for supply, _ in path)


@given(SUPPLIES, SUPPLIES, PERIODS)
def test_a_moment_counts_for_nothing(mean: Fraction, flash: Fraction, period_s: int) -> None:
    """What is minted and redeemed at one time leaves the mean, and what counts is not above it."""
    assert mean_after(mean, mean + flash, 0, period_s) == mean
    assert counted_supply(mean, mean + flash) == mean
    assert counted_supply(mean, mean / 2) == mean / 2


def test_at_the_launch_nothing_counts() -> None:
    """It is zero then, and half of a constant supply one period later."""
    assert mean_after(Fraction(0), Fraction(100), 0, DAY_S) == 0
    assert mean_after(Fraction(0), Fraction(100), DAY_S, DAY_S) == 50
    parts = Fraction(0)
    for _ in range(100):
        parts = mean_after(parts, Fraction(100), DAY_S // 100, DAY_S)
    assert 63 < parts < Fraction(6322, 100)
