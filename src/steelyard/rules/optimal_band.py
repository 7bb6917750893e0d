"""Closed forms of a band's exposure error, its cost, and its optimal width.

An index of constant volatility sigma moves the leverage L of a token by ``sigma * L * (L - 1)`` per
square root of a year near its target. Three policies bring it back:

    edge      trade only to the edge that was left (half-width d, cost c per unit traded)
    reset     trade to the target as soon as a band of half-width d is left
    periodic  trade to the target every t years

Here tracking error means the exposure error: the annual standard deviation that the deviation of
leverage from its target causes (``tracking.error`` of a run). Cost is a share of nav per year. The
product of the two does not depend on the width or the interval: it is a constant of the policy
times ``c * sigma^3 * L^2 * (L - 1)^2``.

Sources: Guasoni & Mayerhofer 2023, "Leveraged funds: robust replication and performance
evaluation", Quantitative Finance 23(7-8), 1155-1176, for the edge; the other two follow from the
mean exit time and the mean square of a driftless motion (FORMULAS 5 and 6). All formulas assume no
drift and bands that are narrow compared with L.

Unlike the rest of ``rules``, this module decides nothing while a token runs; it helps to design a
series. It needs cube roots and pi, so it takes floats only.
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
"""The constant of trading only to the edge: 0.2887."""
RESET_PRODUCT = 1 / math.sqrt(6)
"""The constant of trading to the target when the band is left: 0.4082."""
PERIODIC_PRODUCT = 1 / math.sqrt(math.pi)
"""The constant of trading to the target at set times: 0.5642."""


def _curvature(target: float) -> float:
    """``L^2 (L - 1)^2``: the variance that a unit of index variance gives to leverage."""
    return (target * (target - 1)) ** 2


def optimal_edge_half_width(target: float, cost: float, gamma: float) -> float:
    """The half-width that minimises cost plus ``gamma / 2`` times the squared tracking error.

    It is ``(3 / (4 gamma) * 2 c * L^2 (L - 1)^2)^(1/3)`` for trading only to the edge. Volatility
    drops out. It is zero for a target of 1, which needs no trades.

    Args:
        target: signed target leverage L.
        cost: c per unit of notional traded (5 bp: 0.0005).
        gamma: the weight of tracking variance, above 0.
    """
    return math.cbrt(3 / (4 * gamma) * 2 * cost * _curvature(target))


def optimal_reset_half_width(target: float, fixed_cost: float, gamma: float) -> float:
    """The optimal half-width of a reset to target where each trade costs a fixed share of nav.

    It solves ``d^4 = 12 F L^2 (L - 1)^2 / gamma``. The arguments are those of
    ``optimal_edge_half_width``, with ``fixed_cost`` F as a share of nav per trade (gas).
    """
    # taking the square root twice gives the fourth root
    return math.sqrt(math.sqrt(12 * fixed_cost * _curvature(target) / gamma))


def edge_tracking_error(sigma: float, half_width: float) -> float:
    """Exposure error per year of trading to the edge: ``sigma * d / sqrt(3)``.

    Leverage is then spread evenly over the band.
    """
    return sigma * half_width / math.sqrt(3)


def edge_cost(target: float, sigma: float, cost: float, half_width: float) -> float:
    """Cost of trading to the edge, share of nav per year: ``c sigma^2 L^2 (L - 1)^2 / (2 d)``."""
    return cost * sigma**2 * _curvature(target) / (2 * half_width)


def reset_tracking_error(sigma: float, half_width: float) -> float:
    """Exposure error per year of a reset to target: ``sigma * d / sqrt(6)``.

    The density of leverage is then a triangle over the band.
    """
    return sigma * half_width / math.sqrt(6)


def resets_per_year(target: float, sigma: float, half_width: float) -> float:
    """The number of resets per year: ``sigma^2 L^2 (L-1)^2 / d^2``.

    It is one over the mean time in which leverage leaves the band from its middle.
    """
    return sigma**2 * _curvature(target) / half_width**2


def reset_cost(target: float, sigma: float, cost: float, half_width: float) -> float:
    """Cost of resets to target, share of nav per year; each reset trades d."""
    return cost * half_width * resets_per_year(target, sigma, half_width)


def periodic_tracking_error(target: float, sigma: float, every_years: float) -> float:
    """Exposure error per year of periodic resets: ``sigma^2 |L (L - 1)| sqrt(t / 2)``.

    The error grows from zero over each interval.
    """
    return sigma**2 * math.sqrt(_curvature(target) * every_years / 2)


def periodic_cost(target: float, sigma: float, cost: float, every_years: float) -> float:
    """Cost of periodic resets, share of nav per year.

    There are ``1 / t`` trades per year, each of the mean size of a normal step.
    """
    return cost * sigma * math.sqrt(2 * _curvature(target) / (math.pi * every_years))


def policy_product(kappa: float, target: float, sigma: float, cost: float) -> float:
    """Tracking error times cost per year of a policy: ``kappa c sigma^3 L^2 (L - 1)^2``."""
    return kappa * cost * sigma**3 * _curvature(target)


def policy_kappa(
    error: float, cost_per_year: float, target: float, sigma: float, cost: float
) -> float | None:
    """The constant kappa of a policy from a measured error and cost: ``policy_product`` inverted.

    It is None where it cannot be computed: trades cost nothing, the price does not move, or the
    target is 1, which needs no trades.
    """
    unit = policy_product(1, target, sigma, cost)
    return error * cost_per_year / unit if unit > 0 else None
