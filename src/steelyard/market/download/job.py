"""One download from beginning to end: read what exists, request what is missing, write the file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from steelyard.errors import DataError, InputError, VenueError
from steelyard.market.cell_faults import named
from steelyard.market.download.ccxt_exchange import find_market
from steelyard.market.download.feeds import HistoryKind
from steelyard.market.download.joint import Joint
from steelyard.market.download.pages import walk
from steelyard.market.download.partial import Partial, part_of
from steelyard.market.download.retrying import Asker
from steelyard.market.download.rows import Content, HeldRows, read_rows, write_whole
from steelyard.market.prices import Prices
from steelyard.market.times import format_time

__all__ = ["Fetched", "Job"]


@dataclass(frozen=True)
class Fetched:
    """The result of a download.

    Attributes:
        path: path of the finished file.
        content: the content of the file.
        added: number of rows that this run added.
        corrected: number of rows that existed and that the exchange has corrected since.
    """

    path: Path
    content: Content
    added: int
    corrected: int


@dataclass(frozen=True)
class Job:
    """The download of one feed into one file.

    Attributes:
        feed: what to request.
        ask: sends the requests.
        path: path of the file.
        progress: called with the share that is done, from 0 to 1.
    """

    feed: HistoryKind
    ask: Asker
    path: Path
    progress: Callable[[float], None]

    def run(self, since_s: int | None, until_s: int | None) -> Fetched:
        """Download what is missing and write the file.

        Raises:
            InputError, DataError, Unavailable, Rejected: as in `steelyard.market.fetch`.
        """
        try:
            with Partial(part_of(self.path)) as partial:
                held = self._held(partial)
                first_s = self._first_s(held, since_s)
                joint = Joint(self.path, self.feed, partial, held)
                with self._telling_what_is_kept(joint):
                    end_s = self._end_s(first_s, until_s)
                    self._refuse_earlier(held, since_s)
                    self._fill(joint, first_s, end_s)
                return self._finish(joint, held)
        except OSError as error:
            found = f"{error.strerror or error}"
            message = f"{named(self.path)}: expected a file that can be written; found: {found}"
            raise InputError(message, file=str(self.path)) from error

    def _held(self, partial: Partial) -> HeldRows | None:
        """The existing rows: those of the finished file, or of the partial file if it has more."""
        finished = read_rows(self.path, self.feed) if self.path.exists() else None
        if partial.lines <= self.feed.least:  # the header is a line too
            partial.clear()
            return finished
        held = _whole(partial.path, self.feed)
        if finished is None or held.begins_like(finished, len(finished) - 1):
            return held
        if finished.begins_like(held, len(held)):
            partial.clear()  # the run was stopped while it copied the finished file
            return finished
        message = (
            f"{named(partial.path)}: expected the rows of {named(self.path)} and more; found "
            "different rows. Delete one of the two files"
        )
        raise InputError(message, file=str(partial.path))

    def _first_s(self, held: HeldRows | None, since_s: int | None) -> int:
        if held is not None:
            return int(held.columns["time"][0])
        if since_s is not None:
            return since_s
        message = (
            f"{named(self.path)}: expected --since (the time of the first row, such as "
            "2022-01-01) for a file that does not exist yet; found none"
        )
        raise InputError(message, file=str(self.path))

    def _end_s(self, first_s: int, until_s: int | None) -> int:
        """Load the markets, read the exchange's clock, and return where to end (exclusive)."""
        exchange = self.feed.exchange
        self.ask(exchange.load_markets)
        self.feed.check(find_market(exchange, self.feed.symbol))
        now_s = int(time.time())
        if exchange.has.get("fetchTime") is True:
            now_s = (self.ask(exchange.fetch_time) or now_s * 1_000) // 1_000
        end_s = self.feed.final_before(now_s)
        if until_s is not None:
            end_s = min(until_s, end_s)
        if end_s <= first_s:
            message = (
                f"expected a start before the end; found start {format_time(first_s)}, end "
                f"{format_time(end_s)} (later rows are not asked for, or not final yet)"
            )
            raise InputError(message, start=first_s, end=end_s)
        return end_s

    def _refuse_earlier(self, held: HeldRows | None, since_s: int | None) -> None:
        """Refuse to continue a file that lacks its beginning: rows are only added at the end."""
        if held is None or since_s is None:
            return
        first_s = int(held.columns["time"][0])
        earlier = next(walk(self.feed, self.ask, since_s, first_s), None)
        if earlier:
            message = (
                f"{named(self.path)}: begins at {format_time(first_s)}, and "
                f"{self.feed.exchange.id} has {self.feed.what} from {format_time(earlier[0][0])} "
                f"on; a file is continued at its end only. Choose another file, or leave out "
                "--since"
            )
            raise InputError(message, file=str(self.path), start=first_s)

    def _fill(self, joint: Joint, first_s: int, end_s: int) -> None:
        """Request everything that is missing."""
        last_s = joint.last_s
        if last_s is not None and last_s + self.feed.step_s >= end_s:
            return
        start_s = first_s if joint.start_s is None else joint.start_s
        for page in walk(self.feed, self.ask, start_s, end_s):
            joint.take(page)
            self.progress((page[-1][0] - first_s) / (end_s - first_s))
        joint.finish()
        self.progress(1.0)

    @contextmanager
    def _telling_what_is_kept(self, joint: Joint) -> Iterator[None]:
        """Add to an error of the exchange which rows were kept, and how to continue."""
        try:
            yield
        except (VenueError, DataError) as error:
            if joint.last_s is None:
                raise
            last = format_time(joint.last_s)
            kept = f"Rows up to {last} were kept; the same command continues there"
            details = {**error.details, "file": str(self.path), "last": joint.last_s}
            raise type(error)(f"{str(error).rstrip('.')}. {kept}", **details) from error

    def _finish(self, joint: Joint, held: HeldRows | None) -> Fetched:
        partial = joint.partial
        if partial.lines == 0 and held is not None:
            return Fetched(self.path, held.content, 0, 0)
        if partial.lines <= self.feed.least:
            partial.clear()
            message = (
                f"{self.feed.exchange.id} {self.feed.symbol}: expected {self.feed.least} "
                f"{self.feed.what} or more in the time asked for; found fewer"
            )
            raise InputError(message, exchange=self.feed.exchange.id, symbol=self.feed.symbol)
        whole = _whole(partial.path, self.feed)
        write_whole(partial.path, whole, self.path)
        content = whole.content
        if isinstance(content, Prices):
            content = replace(content, source=named(self.path))
        return Fetched(self.path, content, joint.added, joint.corrected)


def _whole(part: Path, feed: HistoryKind) -> HeldRows:
    """The rows of a partial file, all of which must be valid."""
    try:
        return read_rows(part, feed)
    except DataError as error:
        raise DataError(f"{error}. Delete it to start again", **error.details) from error
