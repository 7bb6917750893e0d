"""What a venue shows of what has happened: each of its views lags by a delay of its own."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from typing import Generic, TypeVar

from steelyard.venues.protocol import Movement, Trade

__all__ = ["ShownList", "ShownValue"]

Value = TypeVar("Value")
Item = TypeVar("Item", Trade, Movement)


class ShownValue(Generic[Value]):
    """A value that changes, as it is seen: later, and in the order in which it changed."""

    def __init__(self, value: Value) -> None:
        self._value = value
        self._coming: deque[tuple[int, Value]] = deque()

    def change(self, value: Value, visible_ms: int) -> None:
        """It has changed, which is seen from ``visible_ms`` on."""
        if self._coming:
            visible_ms = max(visible_ms, self._coming[-1][0])
        self._coming.append((visible_ms, value))

    def at(self, now_ms: int) -> Value:
        """The value as it is seen now."""
        while self._coming and self._coming[0][0] <= now_ms:
            self._value = self._coming.popleft()[1]
        return self._value


class ShownList(Generic[Item]):
    """Records, each seen from an instant of its own; a record may be booked later than its time."""

    def __init__(self) -> None:
        self._booked: list[int] = []
        self._items: list[tuple[int, Item]] = []

    def add(self, item: Item, now_ms: int, visible_ms: int) -> None:
        """It is booked now."""
        self._booked.append(now_ms)
        self._items.append((visible_ms, item))

    def since(self, since_ms: int, now_ms: int) -> tuple[Item, ...]:
        """Those of ``since_ms`` or later that are seen now, in the order of time."""
        # nothing is booked before its own time
        rest = self._items[bisect_left(self._booked, since_ms) :]
        seen = [item for visible, item in rest if visible <= now_ms and item.time_ms >= since_ms]
        return tuple(sorted(seen, key=lambda item: item.time_ms))

    def all(self) -> tuple[Item, ...]:
        """The whole truth, in the order in which it was booked."""
        return tuple(item for _, item in self._items)
