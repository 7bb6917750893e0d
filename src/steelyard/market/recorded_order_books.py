"""Recorded order books over time: the book at an instant is the last snapshot up to then."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from steelyard.errors import DataError
from steelyard.market.book_snapshots import Snapshots
from steelyard.market.order_books import OrderBook, book_of, snapshots_in
from steelyard.market.sources import open_table
from steelyard.market.times import format_time

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RecordedBooks", "read_recorded_books"]


class RecordedBooks:
    """Snapshots of one venue and symbol, which give a book for any instant.

    Attributes:
        time: int64, epoch seconds of each snapshot, ascending, without duplicates.
    """

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self.time: NDArray[np.int64] = np.unique(snapshots.time)
        self._last: OrderBook | None = None

    @property
    def digest(self) -> str:
        """A hash that identifies these snapshots, SHA-256 in hexadecimal."""
        found = sha256(self._snapshots.time.tobytes())
        for name, values in sorted(self._snapshots.figures.items()):
            found.update(name.encode() + values.tobytes())
        return found.hexdigest()

    def at(self, time_s: int) -> OrderBook:
        """The last book recorded at or before an instant, in epoch seconds.

        Raises:
            DataError: no book was recorded by then, or the recorded one is invalid.
        """
        place = int(np.searchsorted(self.time, time_s, "right"))
        if place == 0:
            first, name = int(self.time[0]), self._snapshots.name
            message = (
                f"{name}: expected a snapshot by {format_time(time_s)}, found the first at "
                f"{format_time(first)}; start later, or give earlier snapshots."
            )
            raise DataError(message, source=name, first=first, wanted=time_s)
        taken = int(self.time[place - 1])
        if self._last is None or self._last.time != taken:
            # a history is run forward, so only the current book is asked for more than once
            rows = self._snapshots.copy()
            self._last = book_of(rows, rows.choose_time(taken))
        return self._last


def read_recorded_books(
    source: object, *, venue: str | None = None, symbol: str | None = None
) -> RecordedBooks:
    """Read recorded snapshots of an order book, from any source that ``read_book`` accepts.

    Raises:
        DataError: the source is unreadable, holds no snapshots or has a wrong row, or it has
            several venues or symbols and none was chosen.
    """
    with open_table(source) as table:
        return RecordedBooks(snapshots_in(table, venue, symbol))
