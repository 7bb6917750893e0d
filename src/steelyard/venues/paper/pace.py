"""The pace of a paper venue's history: seconds of history per second of machine time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from steelyard.errors import InputError

__all__ = ["Pace"]

CATCHES_UP_S = 1.0


class Pace:
    """A virtual clock that advances from one moment of a history toward the next.

    Args:
        speed: seconds of history per second; at 0 the history advances whenever it is asked to, and
            the clock stands still between two moments.
        monotonic: returns the machine's time in seconds, from any origin.

    Raises:
        InputError: the speed is negative or not finite.
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
        """Start a new moment of the history, ``after_ms`` later than the last one.

        The time that the caller's work took is made up for, as far as it is one second or less.
        """
        now = self._monotonic()
        gone = after_ms / 1_000 / self._speed if self._speed > 0 else 0.0
        self._since = min(now, max(self._since + gone, now - CATCHES_UP_S))

    def passed_ms(self) -> int:
        """The history time that has passed since the last moment, ms."""
        return int((self._monotonic() - self._since) * self._speed * 1_000)

    async def until(self, after_ms: int) -> None:
        """Wait until that much history time has passed since the last moment."""
        if self._speed > 0:
            await asyncio.sleep(max(0.0, (after_ms - self.passed_ms()) / self._speed / 1_000))
        else:
            await asyncio.sleep(0)
