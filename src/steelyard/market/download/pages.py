"""The pages of a history in turn, each checked to continue the page before.

Every request starts at the last known row, so that each page must begin with that row: a page that
does not connect or that is repeated is an error, never a silent gap. Where no row is known yet, an
empty answer is accepted if it is given twice; daily candles then show where the history continues.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from steelyard.market.download.answers import Row
from steelyard.market.download.feeds import HistoryKind, first_day_after
from steelyard.market.download.retrying import Asker, BadAnswer
from steelyard.market.times import DAY_S, format_time

__all__ = ["walk"]

NOTHING = -1  # there is no known row that the next page must begin with


def walk(feed: HistoryKind, ask: Asker, start_s: int, end_s: int) -> Iterator[list[Row]]:
    """Yield the rows from ``start_s`` up to, but not including, ``end_s``, page by page.

    The first row of a page repeats the last one of the page before, unless there was a gap; it may
    have been corrected since. Besides the requests that return rows there is at most one request
    for each ``feed.page_s``, so the iteration always ends.

    Raises:
        Unavailable, Rejected, DataError: as in `Asker`.
    """
    pages = _Pages(feed)
    at_s, known_s = start_s, NOTHING
    while at_s < end_s:
        question = partial(pages.page, at_s, known_s)
        rows = ask(question) or ask(question)
        if not rows or rows[-1][0] == known_s:
            at_s, known_s = _after_nothing(feed, ask, at_s + feed.page_s, end_s), NOTHING
            continue
        wanted = [row for row in rows if row[0] < end_s]
        if wanted:
            yield wanted
        if len(wanted) < len(rows) or rows[-1][0] + feed.step_s >= end_s:
            return
        at_s = known_s = rows[-1][0]


class _Pages:
    """Requests pages and checks that each one continues the page before."""

    def __init__(self, feed: HistoryKind) -> None:
        self.feed = feed
        self.text: str | None = None  # the last answer that contained rows, unchanged

    def page(self, since_s: int, known_s: int) -> list[Row]:
        """One page from ``since_s`` on.

        It must begin with the row of ``known_s``, unless that is ``NOTHING``.

        Raises:
            BadAnswer: it begins with another row, or the exchange repeats its last answer.
        """
        rows = self.feed.fetch(since_s)
        text = self.feed.exchange.last_http_response
        if known_s != NOTHING:
            self._connects(rows, text, known_s)
        # A page with a single row may rightly come again when the rows from that one on are
        # requested.
        self.text = text if len(rows) > 1 else None
        return rows

    def _connects(self, rows: list[Row], text: str | None, known_s: int) -> None:
        known = format_time(known_s)
        if not rows or rows[0][0] != known_s:
            found = f"begins at {format_time(rows[0][0])}" if rows else "is empty"
            raise self._bad(
                f"expected a page that begins with the last row of the one before, {known}; found "
                f"one that {found} (a smaller page size may help)"
            )
        if len(rows) == 1 and text and text == self.text:
            raise self._bad(f"expected the rows after {known}; found the same page again")

    def _bad(self, what: str) -> BadAnswer:
        return BadAnswer(f"{self.feed.exchange.id} {self.feed.symbol}: {what}")


def _after_nothing(feed: HistoryKind, ask: Asker, at_s: int, end_s: int) -> int:
    """The instant at which to continue after a span without rows, epoch seconds."""
    exchange = feed.exchange
    by_days = exchange.has.get("fetchOHLCV") is True and "1d" in (exchange.timeframes or ())
    if at_s >= end_s or not by_days or feed.step_s >= DAY_S:
        return at_s
    return max(at_s, ask(lambda: first_day_after(exchange, feed.symbol, at_s)))
