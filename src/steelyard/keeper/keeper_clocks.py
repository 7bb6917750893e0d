"""The clocks that a shell takes: of paper venues' histories, or this machine's."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from steelyard.venues.clocks import Clock, MachineClock

__all__ = ["HistoryClock", "KeeperClock", "WallClock"]

STILL_MS = 10**15
"""What lasts a while by the machine's time lasts for ever where the history waits."""


class History(Protocol):
    """What has a time of its own that goes by."""

    @property
    def now_ms(self) -> int:
        """Its time now."""


class HistoryClock:
    """Time is that of the history that has come farthest.

    Args:
        venues: whose histories they are.
        speed: seconds of history a second; 0: it stands still until a venue goes on.
    """

    def __init__(self, venues: Sequence[History], speed: float = 0.0) -> None:
        self._venues, self._speed = venues, speed

    def now_ms(self) -> int:
        """The history's time."""
        return max(venue.now_ms for venue in self._venues)

    def of_machine(self, time_ms: int) -> int:
        """How much of the history goes by in a while of the machine's time."""
        return round(time_ms * self._speed) if self._speed > 0 else STILL_MS

    async def sleep_until(self, at_ms: int) -> None:
        """Wait for that time; where time stands still, until the caller gives up waiting."""
        if self._speed > 0:
            await asyncio.sleep(max(0.0, (at_ms - self.now_ms()) / self._speed / 1000))
        else:
            await asyncio.Event().wait()


class KeeperClock(Clock, Protocol):
    """A clock that knows how it goes beside the machine's."""

    def of_machine(self, time_ms: int) -> int:
        """How much of its time goes by in a while of the machine's."""


class WallClock(MachineClock):
    """This machine's clock, as a keeper of real accounts lives by it."""

    def of_machine(self, time_ms: int) -> int:
        """The same."""
        return time_ms
