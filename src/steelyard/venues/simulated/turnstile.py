"""Rate limits: too many calls are refused (429), and a caller that goes on is banned (418)."""

from __future__ import annotations

from collections import deque

from steelyard.venues.protocol import CallOutcome, Failure
from steelyard.venues.simulated.market import MarketTerms

__all__ = ["Turnstile"]

MINUTE_MS = 60_000


class Turnstile:
    """Counts the calls and orders of the last minute, and closes if there are too many.

    Args:
        terms: the market's terms, with the calls and orders allowed per minute.
    """

    def __init__(self, terms: MarketTerms) -> None:
        self._most_calls, self._most_orders = terms.requests_per_minute, terms.orders_per_minute
        self._calls: deque[int] = deque()
        self._orders: deque[int] = deque()
        self._closed_until: int | None = None
        self._ban_ms = 0
        self._is_ban = False

    def close(self, now_ms: int, for_ms: int, ban_times: int) -> Failure:
        """Refuse calls for ``for_ms``; a call meanwhile causes a ban ``ban_times`` as long."""
        self._closed_until, self._ban_ms, self._is_ban = now_ms + for_ms, ban_times * for_ms, False
        return self._failure()

    def enter(self, now_ms: int, *, is_order: bool) -> Failure | None:
        """Admit a call (None), or refuse it with the time until which all calls are refused."""
        if self._closed_until is not None and now_ms < self._closed_until:
            if not self._is_ban:
                # the caller was told to wait, and called again
                self._is_ban, self._closed_until = True, now_ms + self._ban_ms
            return self._failure()
        counted = [(self._calls, self._most_calls)]
        if is_order:
            counted.append((self._orders, self._most_orders))
        for times, most in counted:
            while times and times[0] <= now_ms - MINUTE_MS:
                times.popleft()
            if len(times) >= most:
                return self.close(now_ms, times[0] + MINUTE_MS - now_ms, 2)
        for times, _ in counted:
            times.append(now_ms)
        return None

    def _failure(self) -> Failure:
        code, reason = ("418", "Banned.") if self._is_ban else ("429", "Too many requests.")
        return Failure(CallOutcome.UNAVAILABLE, reason, code, self._closed_until)
