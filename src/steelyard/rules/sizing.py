"""How much to trade: sizes that land on the destination after their own cost (SPEC 2, Size).

The signed traded notional x solves ``exposure + x = destination * (nav - cost(|x|))``. With
``reach = |destination|`` and everything seen from the side that the token is on, the gap to close
is ``reach * nav - side * exposure`` and the two cases are, for the size N >= 0::

    raise   N + reach * cost(N) =  gap      left side rises with N: one solution
    lower   N - reach * cost(N) = -gap      cost is convex, so up to two: the smaller counts

Cost is what nav pays: its own kinds, and of the kinds that the reserve bears what it cannot pay.
That is two smooth pieces with one kink, each solved in closed form (no impact, linear impact) or
by bisection (square-root impact). FORMULAS 4.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple

from steelyard.rules.costs import CostCurve, curve_cost, curve_slope
from steelyard.rules.numbers import Num

__all__ = [
    "Payers",
    "clip_notional",
    "gap_to",
    "is_nothing_to_trade",
    "size_trade",
    "whole_lots",
]

BISECTIONS = 160
"""Halvings of a bracket: floats meet after about 60, Fractions are then good to 1e-48."""


class Payers(NamedTuple, Generic[Num]):
    """Who pays for a trade: nav's own curve, the curve that the reserve bears, and its value."""

    nav: CostCurve[Num]
    reserve: CostCurve[Num]
    reserve_value: Num


def gap_to(destination: Num, nav: Num, exposure: Num) -> Num:
    """Notional missing to the destination before costs; positive: leverage has to rise."""
    if destination > 0:
        return destination * nav - exposure
    return exposure - destination * nav


def is_nothing_to_trade(gap: Num, nav: Num) -> bool:
    """Whether the gap is at most 1e-12 of nav: a trigger then changes nothing."""
    return abs(gap) * 1_000_000_000_000 <= nav


def clip_notional(notional: Num, max_trade_notional: Num) -> Num:
    """The signed notional that goes out now: at most the largest clip (0: no limit)."""
    if max_trade_notional > 0:
        if notional > max_trade_notional:
            return max_trade_notional
        if -notional > max_trade_notional:
            return -max_trade_notional
    return notional


def whole_lots(notional: Num, lot_notional: Num) -> Num:
    """The signed notional in whole lots, rounded toward zero (a lot of 0: as it is).

    What is within 1e-12 of a whole number of lots is that number.
    """
    if lot_notional > 0:
        lots = abs(notional) * 1_000_000_000_001 // (lot_notional * 1_000_000_000_000)
        if notional < 0:
            return -lots * lot_notional
        return lots * lot_notional
    return notional


def size_trade(
    destination: Num, nav: Num, exposure: Num, payers: Payers[Num], sqrt: Callable[[Num], Num]
) -> Num:
    """The signed notional to trade so that leverage lands on ``destination`` after costs.

    Of two solutions the smaller; where none lands there, the size that brings leverage nearest,
    and zero where no trade brings it nearer than it is. All amounts in quote.
    """
    reach = abs(destination)
    gap = gap_to(destination, nav, exposure)
    fixed = payers.nav.fixed
    if payers.reserve.fixed > payers.reserve_value:
        fixed = fixed + payers.reserve.fixed - payers.reserve_value
    if gap > reach * fixed:
        side_size = _raising_size(reach, gap, payers, sqrt)
    else:
        side_size = -_lowering_size(reach, gap, nav, abs(exposure), payers, sqrt)
    if destination > 0:
        return side_size
    return -side_size


def _raising_size(reach: Num, gap: Num, payers: Payers[Num], sqrt: Callable[[Num], Num]) -> Num:
    own = payers.nav
    borne = payers.reserve
    size = smallest_root(
        gap - reach * own.fixed,
        1 + reach * own.linear,
        reach * own.quadratic,
        reach * own.root,
        own.volume,
        sqrt,
    )
    if curve_cost(borne, size, sqrt) <= payers.reserve_value:
        return size
    return smallest_root(
        gap - reach * (own.fixed + borne.fixed - payers.reserve_value),
        1 + reach * (own.linear + borne.linear),
        reach * (own.quadratic + borne.quadratic),
        reach * (own.root + borne.root),
        own.volume,
        sqrt,
    )


def _lowering_size(
    reach: Num,
    gap: Num,
    nav: Num,
    exposure: Num,
    payers: Payers[Num],
    sqrt: Callable[[Num], Num],
) -> Num:
    own = payers.nav
    borne = payers.reserve
    # at the exposure nothing would be left, beyond it both position and nav would be below zero;
    # within 1e-12 of it is at it, so that rounding does not decide
    ends = exposure * 999_999_999_999 / 1_000_000_000_000
    wanted = reach * own.fixed - gap
    if wanted >= 0:
        size = smallest_root(
            wanted,
            1 - reach * own.linear,
            -reach * own.quadratic,
            -reach * own.root,
            own.volume,
            sqrt,
        )
        if 0 <= size <= ends and curve_cost(borne, size, sqrt) <= payers.reserve_value:
            return size
    wanted = reach * (own.fixed + borne.fixed - payers.reserve_value) - gap
    if wanted >= 0:
        size = smallest_root(
            wanted,
            1 - reach * (own.linear + borne.linear),
            -reach * (own.quadratic + borne.quadratic),
            -reach * (own.root + borne.root),
            own.volume,
            sqrt,
        )
        # a root before the kink belongs to a piece that does not apply there; rounding may put
        # both pieces' roots a hair on the wrong side of a kink that is the solution itself
        if 0 <= size <= ends:
            missing = payers.reserve_value - curve_cost(borne, size, sqrt)
            if missing * 1_000_000_000_000 <= payers.reserve_value:
                return size
    return nearest_lowering_size(reach, nav, exposure, payers, sqrt)


def smallest_root(
    wanted: Num,
    linear: Num,
    quadratic: Num,
    root: Num,
    volume: Num,
    sqrt: Callable[[Num], Num],
) -> Num:
    """The smallest N >= 0 with ``linear N + quadratic N^2 + root N sqrt(N/volume) = wanted``.

    ``wanted`` is not negative and at most one of ``quadratic`` and ``root`` is not zero; -1 where
    there is no such N.
    """
    none = wanted * 0 - 1
    if wanted == 0:
        return wanted
    if linear <= 0 and quadratic <= 0 and root <= 0:
        return none
    if quadratic == 0 and root == 0:
        return wanted / linear
    if root == 0:
        discriminant = linear * linear + 4 * quadratic * wanted
        if discriminant < 0:
            return none
        # the form without cancellation: the curvature is small against the linear part
        return 2 * wanted / (linear + sqrt(discriminant))
    # in z = sqrt(N / volume): z^2 (linear + root z) = wanted / volume
    goal = wanted / volume
    if root > 0:
        low = goal * 0
        high = 1 + goal / root
        if linear > 0:
            high = sqrt(goal / linear)
            low = sqrt(goal / (linear + root * high))
    else:
        high = -2 * linear / (3 * root)
        if high * high * (linear + root * high) < goal:
            return none
        low = sqrt(goal / linear)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        if middle * middle * (linear + root * middle) <= goal:
            low = middle
        else:
            high = middle
    return volume * low * low


def nearest_lowering_size(
    reach: Num, nav: Num, exposure: Num, payers: Payers[Num], sqrt: Callable[[Num], Num]
) -> Num:
    """The size in [0, exposure] whose sale brings leverage nearest, none landing on ``reach``.

    ``leverage(N) = (exposure - N) / (nav - cost(N))`` has one minimum, since cost is convex; it
    lies where ``(exposure - N) cost'(N) = nav - cost(N)``, and stays above ``reach``.
    """
    low = exposure * 0
    high = exposure
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if not low < middle < high:
            break
        cost = _nav_cost(payers, middle, sqrt)
        if (exposure - middle) * _nav_slope(payers, middle, sqrt) < nav - cost:
            low = middle
        else:
            high = middle
    left = nav - _nav_cost(payers, low, sqrt)
    if left <= 0 or abs((exposure - low) / left - reach) >= abs(exposure / nav - reach):
        return low * 0
    return low


def _nav_cost(payers: Payers[Num], notional: Num, sqrt: Callable[[Num], Num]) -> Num:
    cost = curve_cost(payers.nav, notional, sqrt)
    borne = curve_cost(payers.reserve, notional, sqrt)
    if borne > payers.reserve_value:
        cost = cost + borne - payers.reserve_value
    return cost


def _nav_slope(payers: Payers[Num], notional: Num, sqrt: Callable[[Num], Num]) -> Num:
    slope = curve_slope(payers.nav, notional, sqrt)
    if curve_cost(payers.reserve, notional, sqrt) > payers.reserve_value:
        slope = slope + curve_slope(payers.reserve, notional, sqrt)
    return slope
