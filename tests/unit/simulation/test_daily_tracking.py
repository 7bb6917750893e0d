"""How well a token tracks, from histories whose figures can be done by hand."""

from __future__ import annotations

import numpy as np
import pytest

from steelyard.rules.series import Daily
from steelyard.simulation.run import simulate
from support.tokens import closes, token


def test_a_line_through_days_that_differ() -> None:
    """A daily reset without costs has the target as its slope, and no error at all."""
    run = simulate(token(3.0, daily=Daily(0)), closes(100, 101, 99, 104, 103))
    figures = run.summary["tracking"]
    assert figures["slope"] == pytest.approx(3.0, rel=1e-12)
    assert figures["r2"] == pytest.approx(1.0, rel=1e-12)
    assert figures["error_daily"] == pytest.approx(0.0, abs=1e-14)
    assert figures["difference"] == pytest.approx(0.0, abs=1e-12)


def test_the_tracking_error_of_a_year_and_the_error_of_the_exposure() -> None:
    """The one is of daily returns off target, the other of leverage off target."""
    run = simulate(token(3.0), closes(100, 110, 99, 104, 103))
    figures = run.summary["tracking"]
    token_days = run.nav["nav"].to_numpy()[1:] / run.nav["nav"].to_numpy()[:-1] - 1
    asset_days = np.array([110, 99, 104, 103]) / np.array([100, 110, 99, 104]) - 1
    daily = np.std(token_days - 3 * asset_days, ddof=1)
    assert figures["tracking_error"] == pytest.approx(daily * np.sqrt(365), rel=1e-12)
    assert figures["exposure_error"] == figures["error"] > 0
    assert figures["exposure_error"] != pytest.approx(figures["tracking_error"], rel=0.01)


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
