"""How well a token tracks, from histories whose figures can be done by hand."""

from __future__ import annotations

import pytest

from steelyard.rules.series import Daily
from steelyard.simulate.run import simulate
from support.tokens import closes, token


def test_a_line_through_days_that_differ() -> None:
    """A daily reset without costs has the target as its slope, and no error at all."""
    run = simulate(token(3.0, daily=Daily(0)), closes(100, 101, 99, 104, 103))
    figures = run.summary["tracking"]
    assert figures["slope"] == pytest.approx(3.0, rel=1e-12)
    assert figures["r2"] == pytest.approx(1.0, rel=1e-12)
    assert figures["error_daily"] == pytest.approx(0.0, abs=1e-14)
    assert figures["difference"] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("growth", [1.0, 1.03, 0.98])
def test_days_that_are_all_alike_have_no_slope(growth: float) -> None:
    """Where days differ by rounding only, slope and R2 are undefined and not noise."""
    run = simulate(token(3.0, daily=Daily(0)), closes(*[100 * growth**day for day in range(11)]))
    assert run.summary["tracking"]["slope"] is None
    assert run.summary["tracking"]["r2"] is None


@pytest.mark.parametrize("moves", [(88, 111, 95), (100, 101, 97)])
def test_r2_is_at_most_one(moves: tuple[float, ...]) -> None:
    """Two returns lie on a line, whatever rounding says of it."""
    run = simulate(token(3.0, daily=Daily(0)), closes(*moves))
    assert run.summary["tracking"]["r2"] <= 1.0
    assert run.summary["tracking"]["r2"] == pytest.approx(1.0, rel=1e-12)
