"""The price of one underlying, and the thresholds of all funds on it, kept sorted.

Two heaps hold each fund's nearest threshold below the price and above it. A price between the two
tops costs two comparisons, however many funds there are. A fund whose threshold is reached is
removed from both heaps until it is armed again.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from decimal import Decimal

from steelyard.venues.protocol import Mark

__all__ = ["NEVER", "WatchedMarket"]

NEVER = Decimal("Infinity")
ROOM = 8
"""The entries per fund that the heaps may hold before replaced entries are removed."""
Entry = tuple[Decimal, str, int]
"""A price (negative in the heap of lower thresholds), its fund, and the entry's version."""


@dataclass(slots=True)
class WatchedMarket:
    """The last price of an underlying, and the thresholds that a price may reach."""

    underlying: str
    mark: Mark | None = None
    is_refused: bool = False
    """Whether the latest price was refused, which has been recorded."""
    low: Decimal = -NEVER
    """At or below ``low`` some fund's threshold is reached, and likewise at or above ``high``."""
    high: Decimal = NEVER
    _below: list[Entry] = field(default_factory=list)
    _above: list[Entry] = field(default_factory=list)
    _versions: dict[str, int] = field(default_factory=dict)

    def arm(self, fund: str, low: Decimal, high: Decimal) -> None:
        """Set the thresholds of a fund; they replace its earlier ones.

        If ``low`` is above ``high``, every price reaches a threshold.
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
        """Remove and return the funds whose threshold is reached at a price, each once."""
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
        """Remove all replaced entries from both heaps."""
        for heap in (self._below, self._above):
            heap[:] = [each for each in heap if self._versions[each[1]] == each[2]]
            heapq.heapify(heap)

    def _find_tops(self) -> None:
        """Remove replaced entries from the tops of the heaps, and update ``low`` and ``high``."""
        for heap in (self._below, self._above):
            while heap and self._versions[heap[0][1]] != heap[0][2]:
                heapq.heappop(heap)
        self.low = -self._below[0][0] if self._below else -NEVER
        self.high = self._above[0][0] if self._above else NEVER
