"""Checks of first rows: a fund's series, and a program version with the whole states."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from steelyard.errors import DataError, InputError
from steelyard.ledger.bodies import plain
from steelyard.ledger.event_rows import Row
from steelyard.ledger.findings import Findings
from steelyard.ledger.fold import Books, Fold
from steelyard.ledger.hours import HoursAudited
from steelyard.ledger.instants import first_hour_after
from steelyard.ledger.reserve_watch import ReserveWatch
from steelyard.ledger.restep import is_observed_by_the_clock
from steelyard.rules.series_check import check_series
from steelyard.version import __version__

__all__ = ["begin_fund", "go_on_with_version"]

_is_version = re.compile(r"[0-9A-Za-z.+_-]{1,40}", re.ASCII).fullmatch


def begin_fund(found: Findings, row: Row, body: Mapping[str, Any], fold: Fold) -> HoursAudited:
    """Add a new fund to the fold, and start the walk of its books.

    Raises:
        DataError: it would join funds that already run, and change their books and rules.
    """
    seq, symbol = row.seq, row.fund
    if body.get("text") and body.get("stated") is not None:
        found.rules(seq, "its series file and its series data differ")
    shared = body.get("shared")
    books = fold.books.get(symbol if shared is None else shared["name"])
    if books is not None:
        if any(each.state.time is not None for each in books.funds):
            raise DataError(
                f"expected {books.name} to begin once, found that {symbol} joins it later."
            )
        terms = None if shared is None else shared["terms"]
        if terms != plain(books.pool):
            first = books.funds[0].series.symbol
            found.rules(seq, f"its terms of the reserve {books.name} differ from those of {first}")
    fold.see(row.kind, symbol, row.time_ms // 1000, body)
    books = fold.books_of(symbol)
    kept = books.fund(symbol)
    try:
        check_series(kept.series, "its series")
    except InputError as error:
        found.rules(seq, str(error))
    if kept.is_model and kept.intrabar not in ("close", "path"):
        found.rules(seq, "the fund is simulated, so it must observe prices by close or by path")
    if body.get("venue") not in (None, "model"):
        found.rules(seq, f"its venue is {body['venue']!r:.80}, expected null or model")
    if not kept.is_model and kept.intrabar is not None:
        found.rules(
            seq, "a venue fills its orders, so it must observe prices by the clock, not inside bars"
        )
    program = _program_of(found, seq, body, books)
    return HoursAudited(ReserveWatch(books), row_time=row.time_ms // 1000, program=program)


def go_on_with_version(
    found: Findings, row: Row, body: Mapping[str, Any], fold: Fold, walk: HoursAudited
) -> None:
    """Check that another program version continues from the state in which the last one stopped."""
    books = fold.books_of(row.fund)
    kept = books.fund(row.fund)
    before = kept.state.copy()
    walk.program = _program_of(found, row.seq, body, books)
    fold.see(row.kind, row.fund, row.time_ms // 1000, body)
    if before.time is None and kept.state.time is not None:
        # the fund ran elsewhere before, and that part of its history is not in this journal
        walk.price, walk.mark = kept.state.price, first_hour_after(kept.state.time)
        found.count("books", not_checked=1)
        if kept is not books.funds[0] and before.reserve != kept.state.reserve:
            found.books(row.seq, "version: its reserve differs from that of the fund before it")
        return
    for name in (each.name for each in fields(before)):
        there, said = getattr(before, name), getattr(kept.state, name)
        if there != said:
            why = f"version: {name} is {said}, expected {there}, as after the rows before"
            found.books(row.seq, why)
            return
    found.count("books", checked=1)


def _program_of(found: Findings, seq: int, body: Mapping[str, Any], books: Books) -> str | None:
    """The version of the program that writes the rows from here on, as its row states it.

    Opening a live fund runs the rows of its own version again, and only applies those of another
    version. The version in a row cannot be verified, so it is counted as not checked: a false one
    would keep opening from checking the rows.
    """
    program = body.get("program")
    if program is not None and (type(program) is not str or not _is_version(program)):
        found.rules(
            seq, f"its program is {program!r:.80}, expected a version such as {__version__}"
        )
        return None
    if program != __version__ and is_observed_by_the_clock(books):
        found.count("rules", not_checked=1)
    return program
