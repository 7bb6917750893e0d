"""How fast a paper venue's history goes by: so many of its seconds a second of the machine's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from steelyard.errors import InputError

__all__ = ["Pace"]

CATCHES_UP_S = 1.0


class Pace:
    """A virtual clock that goes on from one moment of a history toward the next.

    Args:
        speed: seconds of history a second; 0: as fast as it is asked for, and the clock stands
            still between two moments.
        monotonic: seconds of the machine, from any origin.

    Raises:
        InputError: the speed is below zero or not finite.
    """

    def __init__(self, speed: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        if not 0 <= speed < float("inf"):
            message = f"speed: expected 0 or more seconds of history a second, found {speed}."
            raise InputError(message, found=speed)
        self._speed = speed
        self._monotonic = monotonic
        self._since = monotonic()

    @property
    def stands(self) -> bool:
        """Whether the clock stands still between two moments."""
        return self._speed == 0

    def came(self, after_ms: int) -> None:
        """The history has come to a moment, so much after the last one.

        What the caller took for its work is made up for, as far as it is a second or less.
        """
        now = self._monotonic()
        gone = after_ms / 1_000 / self._speed if self._speed > 0 else 0.0
        self._since = min(now, max(self._since + gone, now - CATCHES_UP_S))

    def passed_ms(self) -> int:
        """What has gone by of the history since then."""
        return int((self._monotonic() - self._since) * self._speed * 1_000)

    async def until(self, after_ms: int) -> None:
        """Wait until so much of it has gone by."""
        if self._speed > 0:
            await asyncio.sleep(max(0.0, (after_ms - self.passed_ms()) / self._speed / 1_000))
        else:
            await asyncio.sleep(0)
