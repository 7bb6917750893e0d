"""The seam between existing and new rows: rows are compared, then added to the partial file.

The last existing row may have been corrected since, because an exchange goes on settling a candle
for a moment after it has closed. If any other row differs, the file holds something else.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path

from steelyard.errors import InputError
from steelyard.market.cell_faults import named
from steelyard.market.download.answers import Row
from steelyard.market.download.feeds import HistoryKind
from steelyard.market.download.partial import Partial
from steelyard.market.download.rows import HeldRows, row_text
from steelyard.market.times import format_time

__all__ = ["Joint"]

_COMPARED_ROWS = 200  # how many existing rows must equal those of the exchange


class Joint:
    """Adds rows to a partial file behind the existing ones.

    Args:
        path: path of the file that is downloaded, for messages.
        feed: what is downloaded.
        partial: the open partial file; it is empty, or holds all rows of ``held``.
        held: the existing rows; None if there are none.

    Attributes:
        added: number of new rows.
        corrected: number of existing rows that were not final and have been replaced.
        last_s: time of the last row, epoch seconds; None if there is none.
    """

    def __init__(
        self, path: Path, feed: HistoryKind, partial: Partial, held: HeldRows | None
    ) -> None:
        self.where = partial.path if partial.lines else path
        self.feed = feed
        self.partial = partial
        self.held = held
        self.added = self.corrected = 0
        tail = [] if held is None else held.rows(-_COMPARED_ROWS)
        self._to_compare = deque(tail)
        self._compared = False
        self._last: Row | None = tail[-1] if tail else None
        self._at: Row | None = None  # the last row that the exchange returned

    @property
    def last_s(self) -> int | None:
        """Time of the last row, epoch seconds; None if there is none."""
        return None if self._last is None else int(self._last[0])

    @property
    def start_s(self) -> int | None:
        """The instant to request from, so that existing rows are compared; None without any."""
        return int(self._to_compare[0][0]) if self._to_compare else None

    def take(self, page: list[Row]) -> None:
        """Compare a page with the existing rows, and add its new rows.

        Raises:
            InputError: the existing rows are of something else.
            OSError: the file cannot be written.
        """
        fresh: list[Row] = []
        for row in page:
            if self._at is not None and row[0] == self._at[0]:
                self._again(row)
            elif self._to_compare:
                self._compare(row)
            else:
                fresh.append(row)
                self._last = row
            self._at = row
        if fresh:
            self._begin()
            self.partial.append(["".join(map(row_text, fresh))])
            self.added += len(fresh)

    def finish(self) -> None:
        """Check that every row that was to be compared has been compared.

        Raises:
            InputError: the exchange does not have the existing rows.
        """
        if self._to_compare:
            raise self._other(self._to_compare[0], "nothing")

    def _again(self, row: Row) -> None:
        """Process a row with which one page ends and the next one begins."""
        if self._at is None or row == self._at:
            return
        if self._to_compare:
            raise self._other(self._at, _cells(row))
        self._correct(row)

    def _compare(self, row: Row) -> None:
        known = self._to_compare.popleft()
        if row[0] != known[0]:
            raise self._other(known, f"no row then, but one of {format_time(row[0])}")
        if row == known:
            self._compared = True
        elif self._compared and not self._to_compare:
            self._correct(row)
        else:
            raise self._other(known, _cells(row))

    def _correct(self, row: Row) -> None:
        self._begin()
        self.partial.drop_last()
        self.partial.append([row_text(row)])
        self.corrected += 1
        self._last = row

    def _begin(self) -> None:
        """Copy the existing rows into the partial file, once there is a row to add."""
        if self.partial.lines == 0:
            header = [",".join(self.feed.header) + "\n"]
            self.partial.append(header if self.held is None else self.held.text())

    def _other(self, known: Row, found: str) -> InputError:
        exchange, symbol = self.feed.exchange.id, self.feed.symbol
        mine = f"its row of {format_time(known[0])} is {_cells(known)}"
        message = (
            f"{named(self.where)}: {mine}, where {exchange} has {found} for {symbol}: it is of "
            "another symbol, timeframe or exchange, or the exchange has changed its history. "
            "Choose another file"
        )
        return InputError(
            message, file=str(self.where), time=known[0], exchange=exchange, symbol=symbol
        )


def _cells(row: Row) -> str:
    return ", ".join(map(repr, row[1:]))
