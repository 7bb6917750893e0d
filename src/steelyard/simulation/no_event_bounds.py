"""The prices at which a token stays quiet: nothing is due, and no threshold is reached.

While cash and units do not change, every threshold of the rules is a condition that is linear in
the price: ``a * cash + b * price > 0`` as long as it is not reached. This holds for liquidation,
emergency, the band's two limits, and the level at which the reserve is suspended or resumes. Each
condition is required with a margin, relative to its terms and not to their difference, and with a
further margin for what accrues meanwhile. Therefore the token is quiet by the rules themselves at
every price strictly inside the interval. Outside it may act or not; there the rules are asked.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from steelyard.fund.state import State
from steelyard.fund.terms import FundTerms
from steelyard.rules.decide import MoveTo
from steelyard.rules.series import Series

__all__ = ["NOWHERE", "QuietPrices"]

ROOM = 1e-9
"""Relative margin; the rules ignore differences below 1e-12, and rounding is 1e-15."""

LEAST = 1e-300
"""Replaces a slope of zero: it bounds no price if there is a margin, and excludes all if not."""

NOWHERE = (math.inf, 0.0)


class Condition(NamedTuple):
    """``a * cash + b * |units| * price > 0``; ``terms`` is the size of the terms in ``b``."""

    a: float
    b: float
    terms: float


Bounds = tuple[tuple[tuple[float, bool], ...], tuple[tuple[float, bool], ...]]
"""Lower and upper bounds of the price: a factor of cash over |units|, and whether it applies to
the least cash."""


class QuietPrices:
    """The open interval of prices at which a series' token is quiet, computed from its state.

    Args:
        series: the token.
        terms: the terms of its fund.
    """

    def __init__(self, series: Series, terms: FundTerms[float]) -> None:
        rule, venue, pool = terms.rule, terms.venue, series.reserve
        side = 1.0 if rule.target > 0 else -1.0
        solvent = [Condition(1.0, side, 1.0)]
        if not venue.spot:
            margin = venue.maintenance_margin
            solvent = [Condition(1.0, side - margin, 1.0 + margin)]
        elif side > 0:
            solvent += [Condition(1.0, venue.liquidation_threshold, 1.0)]
        else:
            solvent += [Condition(venue.liquidation_threshold, -1.0, 1.0)]
        self._at_end = _standing(solvent)
        if rule.has_emergency:
            solvent += [_below(rule.emergency, side)]
        limits, band = list(solvent), list(solvent)
        if rule.has_band:
            limits += [_below(rule.upper_limit, side)]
            band += [_below(rule.upper, side)]
            if rule.has_lower:
                limits += [_above(rule.lower_limit, side)]
                band += [_above(rule.lower, side)]
        self._at_limits, self._at_band = _standing(limits), _standing(band)
        self.rests_inside = rule.has_band and rule.move_to == MoveTo.EDGE
        self._side = side
        # as a counterparty, the reserve changes with the price: see ``settlements``
        self._has_reserve = pool is not None and series.venue.kind != "pool"
        self._floor = pool.floor_ratio if pool else 0.0
        self._resume = max(pool.floor_ratio, pool.resume_ratio) if pool else 0.0
        loses_down = rule.target > 0
        both = not rule.move_losing_side_only
        self._fall = self._rise = None
        if rule.has_move and (loses_down or both):
            self._fall = (1.0 - rule.move_threshold) * (1.0 + ROOM)
        if rule.has_move and (not loses_down or both):
            self._rise = (1.0 + rule.move_threshold) * (1.0 - ROOM)

    def between(
        self,
        state: State[float],
        cash_room: float,
        units_room: float,
        within_band: bool,
        asleep: bool,
    ) -> tuple[float, float]:
        """The lowest and the highest quiet price, both exclusive; ``NOWHERE`` if there is none.

        Args:
            state: the state of a token that is launched, not ended, and has no clips under way.
            cash_room: quote by which cash may change, up or down, before the interval is used up.
            units_room: the share of units by which they may grow meanwhile.
            within_band: require a leverage inside the band itself, not only inside its limits.
            asleep: no trigger acts, so that only the token's end and the reserve's level are
                thresholds.
        """
        size = state.units * self._side
        if not size > 0:
            return NOWHERE
        conditions, (lows, highs) = self._at_band if within_band else self._at_limits
        if asleep:
            conditions, (lows, highs) = self._at_end
        if units_room:
            lows, highs = _bounds(conditions, ROOM + units_room)
        if self._has_reserve:
            more = _bounds([self._level(state, size)], ROOM + units_room)
            lows, highs = lows + more[0], highs + more[1]
        cash = state.cash / size
        room = abs(cash) * ROOM + cash_room / size
        least, most = cash - room, cash + room
        low, high = 0.0, math.inf
        for factor, of_least in lows:
            bound = factor * (least if of_least else most)
            if bound > low:
                low = bound
        for factor, of_least in highs:
            bound = factor * (least if of_least else most)
            if bound < high:
                high = bound
        reference = state.reference
        if reference is not None and not asleep:
            if self._fall is not None:
                low = max(low, reference * self._fall)
            if self._rise is not None:
                high = min(high, reference * self._rise)
        return low, high

    def _level(self, state: State[float], size: float) -> Condition:
        """The condition that the reserve's level stays on its side of its ratio."""
        held = state.reserve.units / size
        if state.reserve.suspended:
            ratio = self._resume
            return Condition(ratio, ratio * self._side - held, ratio + held)
        ratio = self._floor
        return Condition(-ratio, held - ratio * self._side, ratio + held)


def _standing(conditions: list[Condition]) -> tuple[list[Condition], Bounds]:
    """Conditions together with their bounds for constant units."""
    return conditions, _bounds(conditions, ROOM)


def _bounds(conditions: list[Condition], share: float) -> Bounds:
    """The prices at which each condition holds with ``share`` of its terms as a margin."""
    lows: list[tuple[float, bool]] = []
    highs: list[tuple[float, bool]] = []
    for a, b, terms in conditions:
        slope = b - share * terms
        bound = (-a / (slope or -LEAST), a > 0)
        (lows if slope > 0 else highs).append(bound)
    return tuple(lows), tuple(highs)


def _below(leverage: float, side: float) -> Condition:
    return Condition(leverage, leverage * side - 1.0, leverage + 1.0)


def _above(leverage: float, side: float) -> Condition:
    return Condition(-leverage, 1.0 - leverage * side, leverage + 1.0)
