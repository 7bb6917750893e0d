"""Clocks of venues that run in process: the machine's, and a virtual one that jumps ahead."""

from __future__ import annotations

import asyncio
import heapq
import time
from typing import Protocol

__all__ = ["Clock", "MachineClock", "VirtualClock"]

TURNS = 4
"""How many turns the tasks that are not waiting get before virtual time jumps."""


class Clock(Protocol):
    """A clock in ms, and a way to wait until a time."""

    def now_ms(self) -> int:
        """The time now, ms."""

    async def sleep_until(self, at_ms: int) -> None:
        """Return at that time, or at once if it has passed."""


class MachineClock:
    """The time of this machine, ms UTC."""

    def now_ms(self) -> int:
        """The time now."""
        return time.time_ns() // 1_000_000

    async def sleep_until(self, at_ms: int) -> None:
        """Return at that time, or at once if it has passed."""
        await asyncio.sleep(max(0, at_ms - self.now_ms()) / 1_000)


class VirtualClock:
    """A clock whose time passes only while every task of the event loop waits for it.

    Args:
        now_ms: the time at the start, ms.
    """

    def __init__(self, now_ms: int = 0) -> None:
        self._now_ms = now_ms
        self._sleepers: list[tuple[int, int]] = []
        self._number = 0

    def now_ms(self) -> int:
        """The time now."""
        return self._now_ms

    async def sleep_until(self, at_ms: int) -> None:
        """Let other tasks run, and jump to that time once nothing is due before it."""
        self._number += 1
        sleeper = (at_ms, self._number)
        heapq.heappush(self._sleepers, sleeper)
        try:
            turns = 0
            while turns < TURNS:
                await asyncio.sleep(0)
                # the first sleeper that is due goes first; the others start to wait again
                turns = turns + 1 if self._sleepers[0] == sleeper else 0
            self._now_ms = max(self._now_ms, at_ms)
        finally:
            self._sleepers.remove(sleeper)
            heapq.heapify(self._sleepers)
