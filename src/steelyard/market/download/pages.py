"""The pages of a history, one after the other, each tied to the one before.

Every question asks from the last row that is known on, so that each page must begin with that row:
what does not connect, or comes twice, is an error and never a silent gap. Where nothing is known
yet, an empty answer is believed when it is given twice; daily candles then say where to go on.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from steelyard.market.download.answers import Row
from steelyard.market.download.feeds import HistoryKind, first_day_after
from steelyard.market.download.retrying import Asker, BadAnswer
from steelyard.market.times import DAY_S, format_time

__all__ = ["walk"]

NOTHING = -1  # no row is known that the next page must begin with


def walk(feed: HistoryKind, ask: Asker, start_s: int, end_s: int) -> Iterator[list[Row]]:
    """Yield the rows from ``start_s`` up to ``end_s``, the latter left out, page by page.

    The first row of a page repeats the last one of the page before, unless there was a gap; it may
    have been corrected since. Takes at most one question for every ``feed.page_s`` beside those
    that bring rows, so it always ends.

    Raises:
        Unavailable, Rejected, DataError: as `Asker` does.
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
    """Asks for pages and holds each to the one before."""

    def __init__(self, feed: HistoryKind) -> None:
        self.feed = feed
        self.text: str | None = None  # the last answer that brought rows, as it came

    def page(self, since_s: int, known_s: int) -> list[Row]:
        """One page from ``since_s`` on; it must begin with the row of ``known_s`` if that is one.

        Raises:
            BadAnswer: it does not, or the exchange says again what it said before.
        """
        rows = self.feed.fetch(since_s)
        text = self.feed.exchange.last_http_response
        if known_s != NOTHING:
            self._connects(rows, text, known_s)
        # A page of a single row may well come again, when what follows that row is asked for.
        self.text = text if len(rows) > 1 else None
        return rows

    def _connects(self, rows: list[Row], text: str | None, known_s: int) -> None:
        known = format_time(known_s)
        if not rows or rows[0][0] != known_s:
            found = f"begins at {format_time(rows[0][0])}" if rows else "is empty"
            raise self._bad(
                f"expected a page that begins with the end of the last one, {known}; found one "
                f"that {found} (a smaller page size may help)"
            )
        if len(rows) == 1 and text and text == self.text:
            raise self._bad(f"the same page again, asked for what follows {known}")

    def _bad(self, what: str) -> BadAnswer:
        return BadAnswer(f"{self.feed.exchange.id} {self.feed.symbol}: {what}")


def _after_nothing(feed: HistoryKind, ask: Asker, at_s: int, end_s: int) -> int:
    """Where to go on after a span that holds nothing."""
    exchange = feed.exchange
    by_days = exchange.has.get("fetchOHLCV") is True and "1d" in (exchange.timeframes or ())
    if at_s >= end_s or not by_days or feed.step_s >= DAY_S:
        return at_s
    return max(at_s, ask(lambda: first_day_after(exchange, feed.symbol, at_s)))
