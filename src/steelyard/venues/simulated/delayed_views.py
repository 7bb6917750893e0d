"""The delayed views of a venue: each of them shows a change after a delay of its own."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from typing import Generic, TypeVar

from steelyard.venues.protocol import Movement, Trade

__all__ = ["ShownList", "ShownValue"]

Value = TypeVar("Value")
Item = TypeVar("Item", Trade, Movement)


class ShownValue(Generic[Value]):
    """A value whose changes become visible later, in the order in which they happened."""

    def __init__(self, value: Value) -> None:
        self._value = value
        self._coming: deque[tuple[int, Value]] = deque()

    def change(self, value: Value, visible_ms: int) -> None:
        """Set a new value, which becomes visible at ``visible_ms``."""
        if self._coming:
            visible_ms = max(visible_ms, self._coming[-1][0])
        self._coming.append((visible_ms, value))

    def at(self, now_ms: int) -> Value:
        """The value that is visible now."""
        while self._coming and self._coming[0][0] <= now_ms:
            self._value = self._coming.popleft()[1]
        return self._value


class ShownList(Generic[Item]):
    """Records that each become visible at their own time; one may be booked after its due time."""

    def __init__(self) -> None:
        self._booked: list[int] = []
        self._items: list[tuple[int, Item]] = []

    def add(self, item: Item, now_ms: int, visible_ms: int) -> None:
        """Book a record now, which becomes visible at ``visible_ms``."""
        self._booked.append(now_ms)
        self._items.append((visible_ms, item))

    def since(self, since_ms: int, now_ms: int) -> tuple[Item, ...]:
        """The records of ``since_ms`` or later that are visible now, in the order of time."""
        # no record is booked before its own time
        rest = self._items[bisect_left(self._booked, since_ms) :]
        seen = [item for visible, item in rest if visible <= now_ms and item.time_ms >= since_ms]
        return tuple(sorted(seen, key=lambda item: item.time_ms))

    def all(self) -> tuple[Item, ...]:
        """All records, visible or not, in the order in which they were booked."""
        return tuple(item for _, item in self._items)
