"""The token that costs nothing and resets each day, in the four forms in which it is asked for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.analysis.reset_logs import growth_over, log_growths
from steelyard.market.daily_reset import reset_growths, reset_values

MOVES = st.lists(st.floats(-0.6, 0.6), min_size=1, max_size=40)
TARGETS = st.sampled_from([-3.0, -1.0, 0.5, 1.0, 2.0, 3.0])


@given(MOVES, TARGETS, st.integers(1, 45))
def test_all_forms_tell_of_one_token(moves: list[float], target: float, days: int) -> None:
    """By hand, day by day: its values, their logarithms, and its growth over every span."""
    value, expected = 1.0, [1.0]
    for move in moves:
        value *= max(1 + target * move, 0.0)
        expected.append(value)
    returns = np.array(moves)
    values = reset_values(returns, target)
    assert values.tolist() == pytest.approx(expected, rel=1e-12, abs=0)
    logs = log_growths(returns, target)
    assert np.exp(logs).tolist() == pytest.approx(reset_growths(returns, target).tolist())
    spans = growth_over(returns, target, days)
    assert len(spans) == max(len(moves) + 1 - days, 0)
    for first, growth in enumerate(spans.tolist()):
        of_span = [max(1 + target * move, 0.0) for move in moves[first : first + days]]
        assert growth == pytest.approx(float(np.prod(of_span)), rel=1e-9)


def test_it_does_not_come_back() -> None:
    """Two days of less than nothing do not make something."""
    moves = np.array([0.1, -0.5, -0.5, 0.2])
    assert reset_values(moves, 3.0).tolist() == pytest.approx([1.0, 1.3, 0.0, 0.0, 0.0])
    assert log_growths(moves, 3.0)[1] == -np.inf
    assert growth_over(moves, 3.0, 1).tolist() == pytest.approx([1.3, 0.0, 0.0, 1.6])
    assert growth_over(moves, 3.0, 2).tolist() == [0.0, 0.0, 0.0]
