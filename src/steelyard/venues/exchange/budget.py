"""The rate limit of an exchange: what is left of it in this minute, and when a ban ends.

It is counted from the headers of answers, which include other callers. A tenth is reserved for
lowering leverage: for reduce-only orders, and for the look-ups and readings that they need.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from steelyard.venues.protocol import CallOutcome, Failure

__all__ = ["Budget"]

MINUTE_MS = 60_000
KEPT = 10
"""One part in this many is reserved."""


@dataclass(slots=True)
class Budget:
    """The rate limit of one account."""

    weight_limit: int = 2_400
    order_limit: int = 1_200
    weight: int = 0
    orders: int = 0
    minute: int = 0
    """The minute, by the venue's clock, that the counts belong to."""
    refused_until_ms: int = 0
    seen_ms: int = 0
    """The venue's clock at its last reading, ms."""
    seen_at_s: float = 0.0
    """The time of that reading, by this machine's monotonic clock, s."""

    def see_clock(self, venue_ms: int) -> None:
        """Take a reading of the venue's clock; counts of the same minute are kept."""
        is_now = self.minute == self.venue_ms() // MINUTE_MS
        self.seen_ms, self.seen_at_s = venue_ms, time.monotonic()
        if is_now:
            self.minute = venue_ms // MINUTE_MS

    def venue_ms(self) -> int:
        """The venue's clock now, ms, estimated well enough for minutes and bans."""
        if self.seen_ms == 0:
            return time.time_ns() // 1_000_000
        return self.seen_ms + round((time.monotonic() - self.seen_at_s) * 1_000)

    def note_used(self, weight: int | None, orders: int | None) -> None:
        """Take the weight and orders used in this minute, as an answer states them."""
        minute = self.venue_ms() // MINUTE_MS
        if minute != self.minute:
            self.minute, self.weight, self.orders = minute, 0, 0
        self.weight = self.weight if weight is None else weight
        self.orders = self.orders if orders is None else orders

    def note_refused(self, until_ms: int) -> None:
        """Keep the time, ms of its clock, before which the venue must not be asked again."""
        self.refused_until_ms = max(self.refused_until_ms, until_ms)

    def held_back(self, *, is_urgent: bool) -> Failure | None:
        """Why a call must be held back now; None: it may be sent."""
        now_ms = self.venue_ms()
        if now_ms < self.refused_until_ms:
            reason = "the exchange is not asked before the time that it named (429 or 418)"
            until_ms = self.refused_until_ms
            return Failure(CallOutcome.UNAVAILABLE, reason, until_ms=until_ms, is_sent=False)
        minute = now_ms // MINUTE_MS
        if minute != self.minute:
            return None
        kept = 0 if is_urgent else 1
        is_spent = self.weight * KEPT >= self.weight_limit * (
            KEPT - kept
        ) or self.orders * KEPT >= self.order_limit * (KEPT - kept)
        if not is_spent:
            return None
        what = "all" if is_urgent else "what is not kept for lowering leverage"
        reason = f"{what} of the exchange's rate limit is used up for this minute"
        until_ms = (minute + 1) * MINUTE_MS
        return Failure(CallOutcome.UNAVAILABLE, reason, until_ms=until_ms, is_sent=False)
