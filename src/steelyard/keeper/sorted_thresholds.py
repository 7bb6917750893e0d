"""Prices of one underlying, and the thresholds of all funds on it, kept sorted.

Two heaps hold the nearest threshold of each fund below the price and above it. An update that lies
between the two tops is two comparisons, however many funds there are. A fund whose threshold is
reached is taken out of both, until it is armed anew.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from decimal import Decimal

from steelyard.venues.protocol import Mark

__all__ = ["NEVER", "WatchedMarket"]

NEVER = Decimal("Infinity")
ROOM = 8
"""So many entries a fund are kept before those that were replaced are dropped."""
Entry = tuple[Decimal, str, int]
"""A price (its negative, in the heap of those below), whose it is, and which version."""


@dataclass(slots=True)
class WatchedMarket:
    """The last price of an underlying, and what it would set off."""

    underlying: str
    mark: Mark | None = None
    is_refused: bool = False
    """The last price was not one to trade on, which has been told."""
    low: Decimal = -NEVER
    """At or under it something is due for some fund; the same above ``high``."""
    high: Decimal = NEVER
    _below: list[Entry] = field(default_factory=list)
    _above: list[Entry] = field(default_factory=list)
    _versions: dict[str, int] = field(default_factory=dict)

    def arm(self, fund: str, low: Decimal, high: Decimal) -> None:
        """The thresholds of a fund; they replace its earlier ones.

        ``low`` above ``high`` says that every price is looked at.
        """
        version = self._versions[fund] = self._versions.get(fund, 0) + 1
        if len(self._below) + len(self._above) > ROOM * len(self._versions) + ROOM:
            self._sweep()
        if low > -NEVER:
            heapq.heappush(self._below, (-low, fund, version))
        if high < NEVER:
            heapq.heappush(self._above, (high, fund, version))
        self._find_tops()

    def reached(self, price: Decimal) -> list[str]:
        """The funds whose threshold stands at a price or before it, each once."""
        found: dict[str, None] = {}
        while self._below and -self._below[0][0] >= price:
            self._take(self._below, found)
        while self._above and self._above[0][0] <= price:
            self._take(self._above, found)
        self._find_tops()
        return list(found)

    def _take(self, heap: list[Entry], found: dict[str, None]) -> None:
        _, fund, version = heapq.heappop(heap)
        if self._versions[fund] == version:
            self._versions[fund] = version + 1
            found[fund] = None

    def _sweep(self) -> None:
        """Drop all that was replaced, also far from the tops."""
        for heap in (self._below, self._above):
            heap[:] = [each for each in heap if self._versions[each[1]] == each[2]]
            heapq.heapify(heap)

    def _find_tops(self) -> None:
        """Drop what was replaced from the tops."""
        for heap in (self._below, self._above):
            while heap and self._versions[heap[0][1]] != heap[0][2]:
                heapq.heappop(heap)
        self.low = -self._below[0][0] if self._below else -NEVER
        self.high = self._above[0][0] if self._above else NEVER
