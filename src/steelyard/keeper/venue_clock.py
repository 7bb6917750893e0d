"""The venue's clock, as it is read through answers that took their time.

An answer that was asked for at ``a`` and came at ``b`` (own clock), and that says ``v`` (the
venue's), was made somewhere between: the venue is ahead by ``v - (a + b) / 2``, at most half of
``b - a`` off. The best reading of the last minutes counts, unless a later one shows that a clock
was set since.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["VenueClock"]

BEST_FOR_MS = 300_000
"""A reading that is older gives way to any newer one: clocks drift."""
ROUNDING_MS = 2
"""Times are whole milliseconds."""


@dataclass(slots=True)
class VenueClock:
    """How far the venue's clock is ahead of this machine's."""

    ahead_ms: int | None = None
    """None: it was not read yet."""
    off_ms: int = 0
    """At most so much is the figure off."""
    read_ms: int = 0

    def see(self, asked_ms: int, came_ms: int, venue_ms: int) -> None:
        """Take a reading in."""
        off = (came_ms - asked_ms + 1) // 2
        if off < 0:
            return  # the machine's clock was set back meanwhile
        ahead = venue_ms - (asked_ms + came_ms) // 2
        is_best = self.ahead_ms is None or off <= self.off_ms
        is_old = not 0 <= came_ms - self.read_ms <= BEST_FOR_MS
        if is_best or is_old or self._is_refuted_by(ahead, off):
            self.ahead_ms, self.off_ms, self.read_ms = ahead, off, came_ms

    def _is_refuted_by(self, ahead_ms: int, off_ms: int) -> bool:
        """Whether a reading cannot be of the same two clocks: one of them was set meanwhile."""
        return self.ahead_ms is not None and (
            abs(ahead_ms - self.ahead_ms) > off_ms + self.off_ms + ROUNDING_MS
        )

    def venue_ms(self, now_ms: int) -> int | None:
        """The venue's clock at an instant of this machine's; None: it is not known."""
        return None if self.ahead_ms is None else now_ms + self.ahead_ms
