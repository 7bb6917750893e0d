"""How wide a band should be: closed forms of its tracking error, its cost, and the best width.

An index of constant volatility sigma moves the leverage L of a token by ``sigma * L * (L - 1)`` per
root year near its target. Three policies bring it back:

    edge      trade only to the edge that was left (half-width d, cost c per unit traded)
    reset     trade to the target as soon as a band of half-width d is left
    periodic  trade to the target every t years

Tracking error is the exposure's, a year's standard deviation (``tracking.error`` of a run); cost is
a share of nav per year. Their product does not depend on the width or the interval: it is a figure
of the policy alone times ``c * sigma^3 * L^2 * (L - 1)^2``.

Sources: Guasoni & Mayerhofer 2023, "Leveraged funds: robust replication and performance
evaluation", Quantitative Finance 23(7-8), 1155-1176, for the edge; the other two follow from the
mean exit time and the mean square of a driftless motion (FORMULAS 5 and 6). All hold for bands that
are narrow against L, without drift.

Unlike the rest of ``rules``, this decides nothing while a token runs: it needs cube roots and pi,
so it takes floats only, and serves whoever designs a series.
"""

from __future__ import annotations

import math

__all__ = [
    "EDGE_PRODUCT",
    "PERIODIC_PRODUCT",
    "RESET_PRODUCT",
    "edge_cost",
    "edge_tracking_error",
    "optimal_edge_half_width",
    "optimal_reset_half_width",
    "periodic_cost",
    "periodic_tracking_error",
    "policy_kappa",
    "policy_product",
    "reset_cost",
    "reset_tracking_error",
    "resets_per_year",
]

EDGE_PRODUCT = 1 / (2 * math.sqrt(3))
"""Of trading only to the edge: 0.2887."""
RESET_PRODUCT = 1 / math.sqrt(6)
"""Of trading to the target at the edge: 0.4082."""
PERIODIC_PRODUCT = 1 / math.sqrt(math.pi)
"""Of trading to the target at set times: 0.5642."""


def _curvature(target: float) -> float:
    """``L^2 (L - 1)^2``: the variance that a unit of index variance gives to leverage."""
    return (target * (target - 1)) ** 2


def optimal_edge_half_width(target: float, cost: float, gamma: float) -> float:
    """Half-width that costs least together with ``gamma / 2`` times squared tracking error.

    ``(3 / (4 gamma) * 2 c * L^2 (L - 1)^2)^(1/3)``, trading only to the edge. Volatility drops
    out. Zero for a target of 1, which needs no trades.

    Args:
        target: signed target leverage L.
        cost: c per unit of notional traded (5 bp: 0.0005).
        gamma: the weight of tracking variance, above 0.
    """
    return math.cbrt(3 / (4 * gamma) * 2 * cost * _curvature(target))


def optimal_reset_half_width(target: float, fixed_cost: float, gamma: float) -> float:
    """Half-width of a reset to target that is best where each trade costs a fixed share of nav.

    ``d^4 = 12 F L^2 (L - 1)^2 / gamma``; arguments as in ``optimal_edge_half_width``, with
    ``fixed_cost`` F a share of nav per trade (gas).
    """
    # two square roots are a fourth root
    return math.sqrt(math.sqrt(12 * fixed_cost * _curvature(target) / gamma))


def edge_tracking_error(sigma: float, half_width: float) -> float:
    """Leverage spread evenly over the band: ``sigma * d / sqrt(3)`` per year."""
    return sigma * half_width / math.sqrt(3)


def edge_cost(target: float, sigma: float, cost: float, half_width: float) -> float:
    """Share of nav per year: ``c sigma^2 L^2 (L - 1)^2 / (2 d)``."""
    return cost * sigma**2 * _curvature(target) / (2 * half_width)


def reset_tracking_error(sigma: float, half_width: float) -> float:
    """Leverage spread as a triangle over the band: ``sigma * d / sqrt(6)`` per year."""
    return sigma * half_width / math.sqrt(6)


def resets_per_year(target: float, sigma: float, half_width: float) -> float:
    """One over the mean time to leave the band from its middle: ``sigma^2 L^2 (L-1)^2 / d^2``."""
    return sigma**2 * _curvature(target) / half_width**2


def reset_cost(target: float, sigma: float, cost: float, half_width: float) -> float:
    """Share of nav per year: each reset trades d."""
    return cost * half_width * resets_per_year(target, sigma, half_width)


def periodic_tracking_error(target: float, sigma: float, every_years: float) -> float:
    """Error that grows from zero over each interval: ``sigma^2 |L (L - 1)| sqrt(t / 2)``."""
    return sigma**2 * math.sqrt(_curvature(target) * every_years / 2)


def periodic_cost(target: float, sigma: float, cost: float, every_years: float) -> float:
    """Share of nav per year: the mean size of a normal step, ``1 / t`` times."""
    return cost * sigma * math.sqrt(2 * _curvature(target) / (math.pi * every_years))


def policy_product(kappa: float, target: float, sigma: float, cost: float) -> float:
    """Tracking error times cost per year of a policy: ``kappa c sigma^3 L^2 (L - 1)^2``."""
    return kappa * cost * sigma**3 * _curvature(target)


def policy_kappa(
    error: float, cost_per_year: float, target: float, sigma: float, cost: float
) -> float | None:
    """The inverse of ``policy_product``: a policy's own figure, from an error and a cost measured.

    None where nothing follows from them: trades that cost nothing, a price that stands still, or a
    target of 1, which needs no trades.
    """
    unit = policy_product(1, target, sigma, cost)
    return error * cost_per_year / unit if unit > 0 else None
