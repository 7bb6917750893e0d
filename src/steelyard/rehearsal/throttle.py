"""Rate limits: request weight per minute and address, orders per account, and bans.

A client that goes on after a 429 is banned, each time for longer, from two minutes to three days.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from steelyard.rehearsal.refusals import Refused

__all__ = ["Throttle"]

MINUTE_MS = 60_000
TEN_SECONDS_MS = 10_000
PATIENCE = 10
"""The number of refused requests before a ban."""
FIRST_BAN_MS = 2 * MINUTE_MS
LONGEST_BAN_MS = 3 * 24 * 60 * MINUTE_MS


@dataclass
class _Window:
    """The use of one limit in its current interval."""

    length_ms: int
    begun: int = -1
    used: int = 0

    def at(self, now_ms: int) -> _Window:
        place = now_ms // self.length_ms
        if place != self.begun:
            self.begun, self.used = place, 0
        return self

    def left_s(self, now_ms: int) -> int:
        """Seconds until the next interval, rounded up."""
        return -(-(self.length_ms - now_ms % self.length_ms) // 1_000)


@dataclass
class _Orders:
    ten_seconds: _Window = field(default_factory=lambda: _Window(TEN_SECONDS_MS))
    minute: _Window = field(default_factory=lambda: _Window(MINUTE_MS))


@dataclass
class Throttle:
    """The rate limits and counts of all clients.

    Attributes:
        weight_limit: the request weight allowed per minute and address.
        orders_per_ten_seconds: the orders allowed per ten seconds and account.
        orders_per_minute: the orders allowed per minute and account.
        banned_until_ms: the end of the ban, ms, before which every request is refused.
        asked_while_banned: the number of requests received during bans.
    """

    weight_limit: int = 2_400
    orders_per_ten_seconds: int = 300
    orders_per_minute: int = 1_200
    banned_until_ms: int = 0
    asked_while_banned: int = 0
    _weights: _Window = field(default_factory=lambda: _Window(MINUTE_MS))
    _orders: dict[str, _Orders] = field(default_factory=dict)
    _in_vain: int = 0
    _bans: int = 0

    def weigh(self, weight: int, now_ms: int, ip: str) -> None:
        """Count the weight of a request.

        Raises:
            Refused: there were too many requests, or the address is banned.
        """
        if now_ms < self.banned_until_ms:
            self.asked_while_banned += 1
            raise self._ban_refusal(now_ms, ip)
        window = self._weights.at(now_ms)
        window.used += weight
        if window.used <= self.weight_limit:
            self._in_vain = 0
            return
        self._in_vain += 1
        if self._in_vain > PATIENCE:
            self._bans += 1
            self.ban(now_ms + min(LONGEST_BAN_MS, FIRST_BAN_MS * 2 ** (self._bans - 1)))
            raise self._ban_refusal(now_ms, ip)
        refused = Refused("too_many_requests", ip=ip, limit=self.weight_limit)
        refused.retry_after_s = window.left_s(now_ms)
        raise refused

    def ban(self, until_ms: int) -> None:
        """Refuse every request until an instant, ms."""
        self.banned_until_ms, self._in_vain = until_ms, 0

    def _ban_refusal(self, now_ms: int, ip: str) -> Refused:
        refused = Refused("banned", ip=ip, until=self.banned_until_ms)
        refused.retry_after_s = -(-(self.banned_until_ms - now_ms) // 1_000)
        return refused

    def count_order(self, account: str, now_ms: int) -> None:
        """Count an order.

        Raises:
            Refused: there were too many orders.
        """
        counts = self._orders.setdefault(account, _Orders())
        limits = (
            (counts.ten_seconds, self.orders_per_ten_seconds, "TEN_SECONDS"),
            (counts.minute, self.orders_per_minute, "MINUTE"),
        )
        for window, limit, interval in limits:
            if window.at(now_ms).used >= limit:
                refused = Refused("too_many_orders", limit=limit, interval=interval)
                refused.retry_after_s = window.left_s(now_ms)
                raise refused
        for window, _, _ in limits:
            window.used += 1

    def headers(self, account: str | None, now_ms: int) -> dict[str, str]:
        """The headers of an answer with the counts; order counts go only to their own account."""
        said = {"X-MBX-USED-WEIGHT-1M": str(self._weights.at(now_ms).used)}
        if account is not None:
            counts = self._orders.setdefault(account, _Orders())
            said["X-MBX-ORDER-COUNT-10S"] = str(counts.ten_seconds.at(now_ms).used)
            said["X-MBX-ORDER-COUNT-1M"] = str(counts.minute.at(now_ms).used)
        return said

    def rate_limits(self) -> list[dict[str, object]]:
        """The limits as ``exchangeInfo`` lists them."""
        return [
            _limit("REQUEST_WEIGHT", "MINUTE", 1, self.weight_limit),
            _limit("ORDERS", "MINUTE", 1, self.orders_per_minute),
            _limit("ORDERS", "SECOND", 10, self.orders_per_ten_seconds),
        ]


def _limit(kind: str, interval: str, number: int, limit: int) -> dict[str, object]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}
