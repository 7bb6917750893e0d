"""A reserve as the counterparty, over bars in which its token does not trade.

The reserve settles at every path price, in underlying at that price. While the token's units u
are constant, the reserve's own units are a running sum of the prices alone::

    reserve[k] = reserve[0] - u (s[k] - s[0]),   s[k] = s[k-1] + 1 - price[k-1] / price[k]

so the condition of capacity, ``|u| <= max_utilisation * reserve``, is a single level of that sum.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from steelyard.fund.effects import PriceSettled
from steelyard.fund.state import State
from steelyard.rules.series import Reserve
from steelyard.simulation.block_minmax import Extremes

__all__ = ["Settlements"]

Floats = npt.NDArray[np.float64]

ROOM = 1e-8
"""Relative margin of a threshold; the sums of a year of minutes have a rounding error of 1e-11."""
FEWEST = 256
"""The number of bars whose level is checked first; each further step checks four times as many."""


class Settlements:
    """The settlements of a reserve with a token over a run.

    Args:
        visits: the path prices in their order; one array for each visit, shape (bars,).
        clock: index of the visit that is the scheduled observation.
        pool: the terms of the reserve.
        max_utilisation: the largest notional it may carry, as a share of its value.
    """

    def __init__(
        self, visits: Sequence[Floats], clock: int, pool: Reserve, max_utilisation: float
    ) -> None:
        way = np.stack(visits, axis=1).ravel()
        steps = np.zeros(len(way))
        steps[1:] = 1.0 - way[:-1] / way[1:]
        sums = np.cumsum(steps).reshape(-1, len(visits))
        self._after = np.ascontiguousarray(sums[:, -1])
        self._at_clock = np.ascontiguousarray(sums[:, clock])
        self._seen, self._close = visits[clock], visits[-1]
        self._extremes = Extremes(sums.min(axis=1), sums.max(axis=1))
        self._max_utilisation = max_utilisation
        self._floor = pool.floor_ratio
        self._resume = max(pool.floor_ratio, pool.resume_ratio)

    def first_event(self, state: State[float], bar: int, end: int, cash_room: float) -> int:
        """The first bar before ``end`` at which capacity or suspension may change, or ``end``.

        Args:
            state: the state before ``bar``, with a position.
            bar: index of the first bar.
            end: index after the last bar.
            cash_room: quote by which the token's cash may change meanwhile.
        """
        held, units = state.reserve.units, state.units
        start = self._after.item(bar - 1)
        spare = held - abs(units) / self._max_utilisation * (1.0 + ROOM)
        if spare <= 0:
            return bar
        low, high = -np.inf, np.inf
        if units > 0:
            high = start + spare / units
        else:
            low = start + spare / units
        end = self._extremes.first_outside(bar, end, low, high)
        return self._first_level(state, bar, end, cash_room) if end > bar else end

    def _first_level(self, state: State[float], bar: int, end: int, cash_room: float) -> int:
        """The first bar at which the level may have crossed the ratio where suspension changes."""
        suspended = state.reserve.suspended
        ratio = self._resume if suspended else self._floor
        if ratio == 0 and not suspended:
            return end
        start, count = self._after.item(bar - 1), FEWEST
        while bar < end:
            rows = slice(bar, min(end, bar + count))
            price = self._seen[rows]
            value = (state.reserve.units - state.units * (self._at_clock[rows] - start)) * price
            position = state.units * price
            over = value - ratio * (state.cash + position)
            room = ROOM * (value + ratio * (abs(state.cash) + np.abs(position)))
            room += ratio * cash_room
            near = (over if not suspended else -over) <= room
            place = int(near.argmax())
            if near[place]:
                return bar + place
            bar, count = rows.stop, 4 * count
        return end

    def effect(
        self, state: State[float], fund: str, column: Floats, bar: int, end: int, time: int
    ) -> PriceSettled[float]:
        """The settlement over bars in which nothing else happens; the column is filled in.

        Args:
            state: the state before ``bar``.
            fund: symbol of the fund.
            column: the reserve's units after each bar; the rows of these bars are filled in.
            bar: index of the first bar.
            end: index after the last bar.
            time: epoch seconds of the last bar.
        """
        start, last = self._after.item(bar - 1), self._close.item(end - 1)
        column[bar:end] = state.reserve.units - state.units * (self._after[bar:end] - start)
        won = 0.0
        if state.settled_price is not None:
            won = state.units * (last - state.settled_price)
        return PriceSettled(fund, time, last, won, 0.0, state.cash, column.item(end - 1))
