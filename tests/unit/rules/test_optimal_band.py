"""How wide a band should be: the figures of FORMULAS 5 and 6, and that the optima are optima."""

from __future__ import annotations

import json
import math
import statistics
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rules.optimal_band import (
    EDGE_PRODUCT,
    PERIODIC_PRODUCT,
    RESET_PRODUCT,
    edge_cost,
    edge_tracking_error,
    optimal_edge_half_width,
    optimal_reset_half_width,
    periodic_cost,
    periodic_tracking_error,
    policy_kappa,
    policy_product,
    reset_cost,
    reset_tracking_error,
    resets_per_year,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TARGETS = st.floats(-5, 10).filter(lambda target: abs(target * (target - 1)) > 0.01)
SIGMAS = st.floats(0.05, 3)
COSTS = st.floats(1e-5, 0.05)
GAMMAS = st.floats(0.1, 1000)
WIDTHS = st.floats(0.01, 1)


@pytest.fixture
def figures(acceptance: Callable[[str], Path]) -> dict[str, Any]:
    """The figures by their heading."""
    text = acceptance("formulas.json").read_text(encoding="utf-8")
    return json.loads(text)


def test_optimal_edges_are_those_of_the_paper(figures: dict[str, Any]) -> None:
    """(3 / (4 gamma) * 2c * L^2 (L-1)^2)^(1/3), for longs and shorts and two costs."""
    assert len(figures["band_optimum_edge"]) == 6
    for case in figures["band_optimum_edge"]:
        found = optimal_edge_half_width(case["L"], case["c"], case["gamma"])
        assert found == pytest.approx(case["half_width"], rel=1e-12)


def test_policy_products(figures: dict[str, Any]) -> None:
    """0.289 to the edge, 0.408 to the target at the edge, 0.564 at set times."""
    told = figures["policy_products"]
    assert pytest.approx(told["edge_reflecting"], rel=1e-12) == EDGE_PRODUCT
    assert pytest.approx(told["band_reset_to_target"], rel=1e-12) == RESET_PRODUCT
    assert pytest.approx(told["periodic_full_reset"], rel=1e-12) == PERIODIC_PRODUCT


def test_a_band_reset_to_target(figures: dict[str, Any]) -> None:
    """2x at 80 % volatility, 10 bp and a half-width of 0.2: error, cost and trades per year."""
    told = figures["band_reset_example"]
    leverage, sigma, cost, width = told["L"], told["sigma"], told["c"], told["D"]
    assert reset_tracking_error(sigma, width) == pytest.approx(told["TE"], rel=1e-12)
    assert reset_cost(leverage, sigma, cost, width) == pytest.approx(told["cost"], rel=1e-12)
    per_year = resets_per_year(leverage, sigma, width)
    assert per_year == pytest.approx(told["trades_per_year"], rel=1e-12)
    # the Monte Carlo figures that stand beside it see the band in steps of ten minutes
    assert reset_tracking_error(sigma, width) == pytest.approx(told["mc"]["TE"], rel=0.05)
    assert per_year == pytest.approx(told["mc"]["trades"], rel=0.06)


@given(TARGETS, SIGMAS, COSTS, WIDTHS)
def test_error_times_cost_depends_on_the_policy_alone(
    target: float, sigma: float, cost: float, width: float
) -> None:
    """A wider band or a longer interval buys cost with error at the policy's own rate."""
    edge = edge_tracking_error(sigma, width) * edge_cost(target, sigma, cost, width)
    assert edge == pytest.approx(policy_product(EDGE_PRODUCT, target, sigma, cost))
    reset = reset_tracking_error(sigma, width) * reset_cost(target, sigma, cost, width)
    assert reset == pytest.approx(policy_product(RESET_PRODUCT, target, sigma, cost))
    periodic = periodic_tracking_error(target, sigma, width)
    periodic *= periodic_cost(target, sigma, cost, width)
    assert periodic == pytest.approx(policy_product(PERIODIC_PRODUCT, target, sigma, cost))


@given(TARGETS, SIGMAS, COSTS, GAMMAS, st.sampled_from([0.5, 0.9, 1.1, 2.0]))
def test_no_other_edge_is_better_than_the_optimal_one(
    target: float, sigma: float, cost: float, gamma: float, factor: float
) -> None:
    """Cost plus gamma / 2 times squared error is least there, at any volatility."""

    def loss(width: float) -> float:
        error = edge_tracking_error(sigma, width)
        return edge_cost(target, sigma, cost, width) + gamma / 2 * error**2

    best = optimal_edge_half_width(target, cost, gamma)
    assert loss(best) < loss(best * factor)


@given(TARGETS, SIGMAS, COSTS, GAMMAS, st.sampled_from([0.5, 0.9, 1.1, 2.0]))
def test_no_other_reset_band_is_better_under_a_fixed_cost(
    target: float, sigma: float, fixed: float, gamma: float, factor: float
) -> None:
    """Gas per trade plus gamma / 2 times squared error is least there."""

    def loss(width: float) -> float:
        gas = fixed * resets_per_year(target, sigma, width)
        return gas + gamma / 2 * reset_tracking_error(sigma, width) ** 2

    best = optimal_reset_half_width(target, fixed, gamma)
    assert loss(best) < loss(best * factor)


def test_a_target_of_one_needs_no_band() -> None:
    """A 1x token never drifts, so its optimal band is empty and costs nothing."""
    assert optimal_edge_half_width(1.0, 0.001, 1.0) == 0.0
    assert optimal_reset_half_width(1.0, 0.001, 1.0) == 0.0
    assert edge_cost(1.0, 0.8, 0.001, 0.1) == 0.0


def test_leverage_spread_over_a_band() -> None:
    """Errors of the two bands are those of a uniform and of a triangular spread."""
    steps = [(i + 0.5) / 10_000 * 2 - 1 for i in range(10_000)]
    uniform = math.sqrt(statistics.fmean(x * x for x in steps))
    triangle = math.sqrt(sum((1 - abs(x)) * x * x for x in steps) / sum(1 - abs(x) for x in steps))
    assert edge_tracking_error(0.8, 0.2) == pytest.approx(0.8 * 0.2 * uniform, rel=1e-6)
    assert reset_tracking_error(0.8, 0.2) == pytest.approx(0.8 * 0.2 * triangle, rel=1e-6)


@given(TARGETS, SIGMAS, COSTS, st.floats(0.01, 2.0))
def test_kappa_is_what_a_product_was_made_of(
    target: float, sigma: float, cost: float, kappa: float
) -> None:
    """The product of a policy leads back to its figure, however error and cost share it."""
    product = policy_product(kappa, target, sigma, cost)
    assert policy_kappa(0.25, product / 0.25, target, sigma, cost) == pytest.approx(kappa)


def test_kappa_is_undefined_where_nothing_is_traded_or_paid() -> None:
    """A target of 1, a price that stands still, trades that cost nothing."""
    assert policy_kappa(0.1, 0.01, 1.0, 0.8, 0.001) is None
    assert policy_kappa(0.1, 0.01, 3.0, 0.0, 0.001) is None
    assert policy_kappa(0.1, 0.01, 3.0, 0.8, 0.0) is None
