"""The prices at which a token stays quiet: nothing is due, and no threshold can be met.

While cash and units stand still, every threshold of the rules is a condition that is linear in the
price, ``a * cash + b * price > 0`` while it is not met: liquidation, emergency, the band's two
limits, and the level at which the reserve changes over. Each is asked for with room to spare,
relative to its terms and not to their difference, and with room for what accrues meanwhile; so
whatever lies strictly inside is quiet by the rules themselves. What lies outside may act or not:
there the rules are asked.
"""

from __future__ import annotations

import math

from steelyard.rules.decide import MoveTo
from steelyard.rules.series import Series, Terms
from steelyard.simulate.state import State

__all__ = ["NOWHERE", "QuietPrices"]

ROOM = 1e-9
"""Relative; the rules tell figures apart beyond 1e-12, and rounding is a thousandth of that."""

NOWHERE = (math.inf, 0.0)


class QuietPrices:
    """The open interval of quiet prices of a series' token, from its state.

    Args:
        series: the token.
        terms: its scalars.
    """

    def __init__(self, series: Series, terms: Terms[float]) -> None:
        rule, venue, pool = terms.rule, terms.venue, series.reserve
        self.rule = rule
        self.venue = venue
        self.floor = pool.floor_ratio if pool else 0.0
        self.resume = max(pool.floor_ratio, pool.resume_ratio) if pool else 0.0
        self.has_reserve = pool is not None
        loses_down = rule.target > 0
        self.rests_inside = rule.has_band and rule.move_to == MoveTo.EDGE
        both = not rule.move_losing_side_only
        self.falls = rule.has_move and (loses_down or both)
        self.rises = rule.has_move and (not loses_down or both)

    def between(
        self, state: State[float], within_band: bool, cash_room: float, units_room: float
    ) -> tuple[float, float]:
        """Lowest and highest quiet price, both left out; ``NOWHERE`` where there is none.

        Args:
            state: launched, alive, and with no clips under way.
            within_band: ask for a leverage inside the band itself, not only inside its limits.
            cash_room: quote by which cash may have moved, up or down, before it ends.
            units_room: share of units by which they may have grown.
        """
        rule, venue = self.rule, self.venue
        cash, units = state.cash, state.units
        size = abs(units)
        # (a, b, the terms that b is a difference of): quiet while a * cash + b * price > 0
        if not venue.spot:
            margin = venue.maintenance_margin
            kept = [(1.0, units - margin * size, (1.0 + margin) * size)]
        elif units > 0:
            kept = [(1.0, venue.liquidation_threshold * units, size), (1.0, units, size)]
        else:
            kept = [(venue.liquidation_threshold, units, size), (1.0, units, size)]
        if rule.has_emergency:
            most = rule.emergency
            kept.append((most, most * units - size, (most + 1.0) * size))
        if rule.has_band:
            most = rule.upper if within_band else rule.upper_limit
            kept.append((most, most * units - size, (most + 1.0) * size))
            if rule.has_lower:
                least = rule.lower if within_band else rule.lower_limit
                kept.append((-least, size - least * units, (least + 1.0) * size))
        if self.has_reserve:
            held = state.reserve_units
            if state.suspended:
                ratio = self.resume
                kept.append((ratio, ratio * units - held, ratio * size + held))
            else:
                ratio = self.floor
                kept.append((-ratio, held - ratio * units, ratio * size + held))
        low, high = 0.0, math.inf
        spread = abs(cash) * ROOM + cash_room
        share = ROOM + units_room
        for a, b, terms in kept:
            fixed = a * cash - (a if a > 0 else -a) * spread
            slope = b - share * terms
            if slope > 0:
                low = max(low, -fixed / slope)
            elif fixed <= 0:
                return NOWHERE
            elif slope < 0:
                high = min(high, -fixed / slope)
        reference = state.reference
        if reference is not None:
            if self.falls:
                low = max(low, reference * (1.0 - rule.move_threshold) * (1.0 + ROOM))
            if self.rises:
                high = min(high, reference * (1.0 + rule.move_threshold) * (1.0 - ROOM))
        return low, high
