"""The frictionless daily-reset token against its closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.market.days import day_ends
from steelyard.report.daily_reset_index import daily_reset_index, worst_day
from support.tokens import DAY_S, T0

RETURNS = st.lists(st.floats(-0.3, 0.5), min_size=1, max_size=30)


@given(RETURNS, st.sampled_from([-1.0, 2.0, 3.0]))
def test_it_compounds_the_multiple_of_each_day(returns: list[float], target: float) -> None:
    """After n days its value is the product of ``1 + L r``."""
    price = 100.0 * np.cumprod([1.0, *(1.0 + r for r in returns)])
    time = T0 + DAY_S * np.arange(len(price), dtype=np.int64)
    expected = np.prod([1.0 + target * r for r in returns])
    assert daily_reset_index(time, price, target)[-1] == pytest.approx(expected, rel=1e-9)


def test_inside_a_day_it_holds_the_position_of_the_last_midnight() -> None:
    """Within one day a move and its way back cancel; across midnight they do not."""
    time = T0 + np.array([0, DAY_S // 2, DAY_S - 60, DAY_S, 2 * DAY_S - 60], dtype=np.int64)
    price = np.array([100.0, 90.0, 100.0, 90.0, 100.0])
    index = daily_reset_index(time, price, 3.0)
    assert index.tolist() == pytest.approx([1.0, 0.7, 1.0, 0.7, 1.0])
    across = daily_reset_index(T0 + DAY_S * np.arange(3), np.array([100.0, 90.0, 100.0]), 3.0)
    assert across[-1] == pytest.approx(0.7 * (1 + 3 * (100 / 90 - 1)))


def test_the_launch_may_have_had_another_price_than_the_first_close() -> None:
    """The first day counts from the launch."""
    index = daily_reset_index(np.array([T0]), np.array([110.0]), 2.0, first_price=100.0)
    assert index.tolist() == pytest.approx([1.2])


def test_once_wiped_out_it_stays_so() -> None:
    """A 3x token that lost 40 % of the underlying in a day does not come back on the next."""
    time = T0 + DAY_S * np.arange(4, dtype=np.int64)
    index = daily_reset_index(time, np.array([100.0, 60.0, 120.0, 240.0]), 3.0)
    assert index.tolist() == [1.0, 0.0, 0.0, 0.0]


def test_the_worst_day_is_found() -> None:
    """By its last row, from the last row of the day before."""
    time = T0 + DAY_S // 2 * np.arange(6, dtype=np.int64)
    assert day_ends(time).tolist() == [1, 3, 5]
    found = worst_day(time, np.array([100.0, 100.0, 20.0, 80.0, 70.0, 78.0]))
    assert found is not None
    assert found[0] == T0 + DAY_S
    assert found[1] == pytest.approx(-0.2)


def test_a_token_without_value_has_no_worst_day() -> None:
    """No return is defined, and none is made up."""
    assert worst_day(np.array([T0, T0 + DAY_S]), np.zeros(2)) is None
