"""The clocks of a shell: that of the paper venues' histories, or that of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from steelyard.venues.clocks import Clock, MachineClock

__all__ = ["HistoryClock", "KeeperClock", "WallClock"]

STILL_MS = 10**15
"""The length of any machine time on a history that stands still: practically without end."""


class History(Protocol):
    """A history with a time of its own."""

    @property
    def now_ms(self) -> int:
        """The time that the history has reached, ms UTC."""


class HistoryClock:
    """The time of the history that has advanced farthest.

    Args:
        venues: the paper venues that play the histories.
        speed: seconds of history per second; at 0 time stands still until a venue advances.
    """

    def __init__(self, venues: Sequence[History], speed: float = 0.0) -> None:
        self._venues, self._speed = venues, speed

    def now_ms(self) -> int:
        """The time of the farthest history, ms UTC."""
        return max(venue.now_ms for venue in self._venues)

    def of_machine(self, time_ms: int) -> int:
        """Convert a length of machine time, ms, to a length of history, ms."""
        return round(time_ms * self._speed) if self._speed > 0 else STILL_MS

    async def sleep_until(self, at_ms: int) -> None:
        """Wait until that time. Where time stands still, wait until the caller cancels."""
        if self._speed > 0:
            await asyncio.sleep(max(0.0, (at_ms - self.now_ms()) / self._speed / 1000))
        else:
            await asyncio.Event().wait()


class KeeperClock(Clock, Protocol):
    """A clock that can convert lengths of machine time to its own."""

    def of_machine(self, time_ms: int) -> int:
        """Convert a length of machine time, ms, to a length of its own time, ms."""


class WallClock(MachineClock):
    """This machine's clock, which a keeper of real accounts uses."""

    def of_machine(self, time_ms: int) -> int:
        """The length unchanged, since this is the machine's clock."""
        return time_ms
