"""The next due times of a series' clocks, which a launch sets (SPEC 2).

They are needed to launch a token, and to forecast a token whose clocks are not known.
"""

from __future__ import annotations

from typing import NamedTuple

from steelyard.rules.futures import DAY_S, contract_at
from steelyard.rules.series import Series
from steelyard.rules.triggers import next_instant

__all__ = ["Clocks", "clocks_from"]


class Clocks(NamedTuple):
    """The next due time of each clock, epoch s; 0 where the series has no such clock."""

    next_interval: int
    next_daily: int
    next_allocation: int
    """The next time at which the reserve gets its share of the fees."""
    expiry: int
    """The expiry of the future that is held."""


def clocks_from(series: Series, time: int) -> Clocks:
    """The first due times of a series' clocks after its launch at ``time`` (epoch s)."""
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
