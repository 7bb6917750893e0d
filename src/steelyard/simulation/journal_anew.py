"""Check a journal against the prices it was made of: simulate again, compare event by event.

This decides what a journal cannot prove by itself, such as the minute at which a fee was taken, or
whether a range of prices is the true one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from steelyard.errors import InputError
from steelyard.ledger.event_rows import Event, Row
from steelyard.ledger.fold import Books, Fold
from steelyard.ledger.proofs import Finding
from steelyard.ledger.same import CLOSE
from steelyard.market import Feed, feed_of, format_time
from steelyard.market.price_feed import (
    BY_SYMBOL,
    check_symbols,
    events_of,
    for_series,
    with_events,
)
from steelyard.simulation.inputs import reaching
from steelyard.simulation.journalling import InMemory
from steelyard.simulation.run import simulate
from steelyard.simulation.run import span_of as span_of_bars
from steelyard.simulation.shared_reserve import simulate_several

__all__ = ["compare_anew", "left_out", "span_of"]


def compare_anew(rows: Sequence[Row], feed: object) -> list[Finding]:
    """Find the first difference between a journal and what its series do over a feed, if any.

    Args:
        rows: all rows of the journal.
        feed: the ``Feed`` or bare prices that the journal was made of.

    Raises:
        InputError: the journal holds no simulated fund, or the inputs do not fit its series.
        DataError: a row cannot be read.
    """
    all_books = _books_of(rows)
    if not all_books:
        raise InputError("expected a journal of funds, found no fund to simulate again.")
    history, found = feed_of(feed), list[Finding]()
    symbols = [each.series.symbol for books in all_books for each in books.funds]
    check_symbols(history, symbols)
    for books in all_books:
        own = [row for row in rows if _concerns(row, books)]
        found += _compare(own, _events(own, books, history), books)
    return found


def left_out(rows: Sequence[Row]) -> int:
    """The number of rows that ``compare_anew`` ignores: those of other packages' kinds and funds.

    ``version`` rows and marks are not counted, because the audit proves them from the rows alone.
    """
    names = set()
    for books in _books_of(rows):
        names |= {books.name, *(each.series.symbol for each in books.funds)}
    return sum(row.kind not in ("version", "mark") and row.fund not in names for row in rows)


def _books_of(rows: Sequence[Row]) -> list[Books]:
    """The funds of a journal in their initial states."""
    fold = Fold()
    for row in rows:
        if row.kind == "series":
            fold.see(row.kind, row.fund, row.time_ms // 1000, row.fields)
    return list(fold.books.values())


def span_of(rows: Sequence[Row]) -> tuple[str, str] | None:
    """The first and last instant that ``compare_anew`` compares; None without any rows."""
    if not rows:
        return None
    return format_time(rows[0].time_ms // 1000), format_time(rows[-1].time_ms // 1000)


def _concerns(row: Row, books: Books) -> bool:
    if row.kind == "version":
        return False
    if row.kind == "mark":
        return books.name in row.fields["books"]
    return row.fund == books.name or any(each.series.symbol == row.fund for each in books.funds)


def _events(rows: Sequence[Row], books: Books, feed: Feed) -> list[Event]:
    """The events of the funds in these books when they are simulated over the feed."""
    first = books.funds[0]
    if not first.is_model or first.intrabar is None:
        message = (
            f"{books.name}: expected a fund that was simulated, found one whose fills are a "
            "venue's: these cannot be computed again from prices."
        )
        raise InputError(message, fund=books.name)
    stops = [row.time_ms // 1000 for row in rows if row.kind == "stopped"]
    place = InMemory(stops[:-1])
    shift = 0 if first.intrabar == "path" else feed.prices.step_s
    start = rows[0].time_ms // 1000 - shift
    end = (stops[-1] if stops else rows[-1].time_ms // 1000) - shift + 1
    options: dict[str, Any] = {
        "intrabar": first.intrabar,
        "number": first.number,
        "journal": place,
    }
    part = _reaching(feed, [each.series.symbol for each in books.funds], start, end)
    if books.name == first.series.symbol:
        simulate(first.series, part, **options)
    else:
        tokens = [replace(each.series, reserve=None) for each in books.funds]
        simulate_several(tokens, part, reserve=first.series.reserve, **options)  # type: ignore[arg-type]  # shared
    return place.memory.events


def _reaching(feed: Feed, symbols: Sequence[str], start: int, end: int) -> Feed:
    """A part of a feed for some funds, with the inputs whose times reach into that part.

    A fund that closed has no rows after that, so an input may contain only events that came too
    late.
    """
    part = feed.between(start, end)
    span, whole = span_of_bars(part.bars, None), span_of_bars(feed.bars, None)
    common, own = reaching(events_of(part.without(*BY_SYMBOL)), span, whole), {}
    for symbol in symbols:
        mine = for_series(part, symbol)
        own[symbol] = reaching({name: getattr(mine, name) for name in BY_SYMBOL}, span, whole)
    by_symbol = {
        name: {symbol: has[name] for symbol, has in own.items() if name in has}
        for name in BY_SYMBOL
    }
    return with_events(part, {**common, **by_symbol})


def _compare(rows: Sequence[Row], events: Sequence[Event], books: Books) -> list[Finding]:
    is_float = books.number.name == "float"
    for place, event in enumerate(events):
        if place >= len(rows):
            why = f"the prices ask for {_named(event)}; the journal ends before it"
            return [Finding(rows[-1].seq if rows else 0, why)]
        row = rows[place]
        if (row.kind, row.fund, row.time_ms) != (event.kind, event.fund, event.time_ms):
            why = f"the journal says {_named(row)}; according to the prices it is {_named(event)}"
            return [Finding(row.seq, why)]
        expected = dict(event.fields)
        if row.kind == "series":
            expected["program"] = row.fields.get("program")
        if row.kind == "stopped":
            # sums of floats may differ in the last digit, so the figures are compared and not their
            # hash
            expected["state"] = row.fields.get("state")
        differs = _difference(expected, row.fields, row.kind, is_float)
        if differs is not None:
            return [Finding(row.seq, f"{differs}, according to the prices")]
    if len(rows) > len(events):
        row = rows[len(events)]
        return [Finding(row.seq, f"the journal says {_named(row)}; the prices ask for no event")]
    return []


def _named(event: Event | Row) -> str:
    return f"{event.kind} of {event.fund} at {format_time(event.time_ms // 1000)}"


def _difference(expected: Any, found: Any, name: str, is_float: bool) -> str | None:  # noqa: ANN401, FBT001
    """The first place in which two bodies differ, with both figures; None if they are equal."""
    if expected == found:
        return None
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted({*expected, *found}):
            differs = _difference(expected.get(key), found.get(key), f"{name}.{key}", is_float)
            if differs is not None:
                return differs
        return None
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for place, (one, other) in enumerate(zip(expected, found, strict=True)):
            differs = _difference(one, other, f"{name}[{place}]", is_float)
            if differs is not None:
                return differs
        return None
    if is_float and isinstance(expected, str) and isinstance(found, str):
        try:
            one, other = float(expected), float(found)
        except ValueError:
            pass
        else:
            if abs(one - other) <= CLOSE * max(1.0, abs(one), abs(other)):
                return None
    return f"{name} is {found}, expected {expected}"
