"""The instants that are due next, from a given moment on: what a launch sets (SPEC 2).

Whoever starts a token asks here: a launch, and a forecast of a token whose clocks are not known.
"""

from __future__ import annotations

from typing import NamedTuple

from steelyard.rules.futures import DAY_S, contract_at
from steelyard.rules.series import Series
from steelyard.rules.triggers import next_instant

__all__ = ["Clocks", "clocks_from"]


class Clocks(NamedTuple):
    """Epoch s of each instant; 0 where the series has no such clock."""

    next_interval: int
    next_daily: int
    next_allocation: int
    """Of fees to the reserve."""
    expiry: int
    """Of the future that is held."""


def clocks_from(series: Series, time: int) -> Clocks:
    """The first instants of a series' clocks after ``time`` (epoch s), at which it is launched."""
    how, pool, venue = series.rebalance, series.reserve, series.venue
    interval = daily = allocation = expiry = 0
    if how.interval is not None:
        interval = next_instant(how.interval.every_s, how.interval.anchor_s, time)
    if how.daily is not None:
        daily = next_instant(DAY_S, how.daily.at_s, time)
    if pool is not None:
        allocation = time + pool.allocation_every_s
    if venue.kind == "future":
        expiry = contract_at(time, round(venue.roll_days * DAY_S))
    return Clocks(interval, daily, allocation, expiry)
