"""The hours of some books: each full hour has its mark, each reserve its health, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from steelyard.ledger.bodies import plain
from steelyard.ledger.event_rows import Row
from steelyard.ledger.findings import Findings
from steelyard.ledger.fold import Books
from steelyard.ledger.instants import HOUR_S, first_hour_after, time_text
from steelyard.ledger.reserve_watch import ReserveWatch
from steelyard.ledger.same import is_close

__all__ = ["HoursAudited", "check_end", "check_hour", "compare_health"]


@dataclass
class HoursAudited:
    """Where the audit of some books stands."""

    watch: ReserveWatch
    price: Any = None
    """The last that was seen."""
    mark: int | None = None
    """The hour of which a mark is due next."""
    health: int | None = None
    """The hour of which the reserve's health is due next, where its mark was there."""
    row_time: int = 0
    row_seq: int = 0
    program: object = None
    """The version of the program that wrote these rows."""


def check_hour(
    found: Findings, seq: int, books: Books, walk: HoursAudited, time: int, kind: str
) -> None:
    """A row comes in the order of time, and after the marks of the hours before it."""
    is_first = walk.row_seq == 0 and books.funds[0].state.time is None
    if is_first and time != walk.row_time:
        began = time_text(walk.row_time * 1000)
        found.rules(seq, f"the first row of a fund whose series row says {began}")
    elif time < walk.row_time:
        found.rules(seq, "its time is before that of the row before it by these books")
    walk.row_time, walk.row_seq = max(walk.row_time, time), seq
    _check_health_was_there(found, seq, walk, "before it")
    if kind == "mark":
        if books.pool is not None:
            walk.health = time
        if walk.mark is not None and time != walk.mark:
            expected = time_text(walk.mark * 1000)
            found.rules(seq, f"a mark of {time_text(time * 1000)}, expected {expected}")
        walk.mark = time + HOUR_S
    elif walk.mark is None:
        if kind == "observed":
            walk.mark = _next_hour(time)
    elif walk.mark <= _last_due(books, time - (kind != "stopped" or not _is_model(books))):
        found.rules(seq, f"the mark of {time_text(walk.mark * 1000)} is missing before it")
        walk.mark = _next_hour(time)


def check_end(found: Findings, books: Books, walk: HoursAudited) -> None:
    """After the last row of these books: no mark and no health that was written with it is missing.

    Health is stored in one transaction with its mark, and the mark of a simulated fund with the
    observation of its hour, so that no writer that was killed leaves one without the other. That of
    a live fund comes with the next event.
    """
    _check_health_was_there(found, walk.row_seq, walk, "after it")
    if not _is_model(books):
        return
    if walk.mark is not None and walk.mark <= _last_observed(books):
        why = f"the mark of {time_text(walk.mark * 1000)} is missing after it"
        found.rules(walk.row_seq, why)


def compare_health(
    found: Findings, row: Row, body: Mapping[str, Any], books: Books, walk: HoursAudited
) -> None:
    """The figures of a reserve are those of its books."""
    time = row.time_ms // 1000
    if walk.health != time:
        found.rules(row.seq, "health that follows no mark of its hour")
    walk.health = None
    if books.pool is None:
        found.books(row.seq, f"{row.fund} has no reserve")
        return
    with books.number.context():
        expected = walk.watch.health(time, walk.price)
        of = books.of
        for name, figure in expected.items():
            said = body[name]
            if not is_close(figure, of(said) if isinstance(said, str) else said):
                why = f"health: {name} is {said}, expected {plain(figure)}"
                found.books(row.seq, why)
                return
    found.count("books", checked=1)


def _next_hour(time: int) -> int:
    """The full hour at an instant, or the first after it."""
    return time if time % HOUR_S == 0 else first_hour_after(time)


def _is_model(books: Books) -> bool:
    """Whether the mark of an hour stands right after its observation, as of a simulated fund."""
    return books.funds[0].is_model


def _last_due(books: Books, time: int) -> int:
    """The last instant whose mark has to be there at ``time``; none is due after all have ended."""
    is_alive = any(each.state.ended is None for each in books.funds)
    return time if is_alive else min(time, _last_observed(books))


def _last_observed(books: Books) -> int:
    """The last scheduled observation, epoch s."""
    return max(each.state.time or 0 for each in books.funds)


def _check_health_was_there(found: Findings, seq: int, walk: HoursAudited, where: str) -> None:
    if walk.health is not None:
        why = f"the reserve's health of {time_text(walk.health * 1000)} is missing {where}"
        found.rules(seq, why)
        walk.health = None
