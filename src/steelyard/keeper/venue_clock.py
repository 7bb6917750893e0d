"""The venue's clock, as estimated from answers that took some time.

An answer that was requested at ``a`` and arrived at ``b`` (this machine's clock), and that states
the venue's time ``v``, was made in between. So the venue is ahead by ``v - (a + b) / 2``, with an
error of at most half of ``b - a``. The most exact reading of the last minutes is used, unless a
later one shows that one of the clocks was set since.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["VenueClock"]

BEST_FOR_MS = 300_000
"""A reading older than this is replaced by any newer one, since clocks drift."""
ROUNDING_MS = 2
"""The error, ms, from times that are whole milliseconds."""


@dataclass(slots=True)
class VenueClock:
    """How far the venue's clock is ahead of this machine's."""

    ahead_ms: int | None = None
    """The difference, ms; None: the clock has not been read yet."""
    off_ms: int = 0
    """The largest error of ``ahead_ms``, ms."""
    read_ms: int = 0

    def see(self, asked_ms: int, came_ms: int, venue_ms: int) -> None:
        """Take a reading: its request and arrival (own clock, ms), and the venue's time, ms."""
        off = (came_ms - asked_ms + 1) // 2
        if off < 0:
            return  # this machine's clock was set back meanwhile
        ahead = venue_ms - (asked_ms + came_ms) // 2
        is_best = self.ahead_ms is None or off <= self.off_ms
        is_old = not 0 <= came_ms - self.read_ms <= BEST_FOR_MS
        if is_best or is_old or self._is_refuted_by(ahead, off):
            self.ahead_ms, self.off_ms, self.read_ms = ahead, off, came_ms

    def _is_refuted_by(self, ahead_ms: int, off_ms: int) -> bool:
        """Whether a reading contradicts the present one, so that one clock was set since."""
        return self.ahead_ms is not None and (
            abs(ahead_ms - self.ahead_ms) > off_ms + self.off_ms + ROUNDING_MS
        )

    def venue_ms(self, now_ms: int) -> int | None:
        """The venue's clock, ms, at an instant of this machine's; None: it is not known."""
        return None if self.ahead_ms is None else now_ms + self.ahead_ms
