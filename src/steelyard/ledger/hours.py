"""The check of hourly rows: each full hour has its mark and each reserve its health, in order."""

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
    """The progress of the audit of one set of books."""

    watch: ReserveWatch
    price: Any = None
    """The last price that was observed."""
    mark: int | None = None
    """The hour whose mark is due next, epoch s."""
    health: int | None = None
    """The hour whose health of the reserve is due next, epoch s; None where no mark was present."""
    row_time: int = 0
    row_seq: int = 0
    program: object = None
    """The version of the program that wrote these rows."""


def check_hour(
    found: Findings, seq: int, books: Books, walk: HoursAudited, time: int, kind: str
) -> None:
    """Check that a row is in the order of time, and after the marks of the hours before it."""
    is_first = walk.row_seq == 0 and books.funds[0].state.time is None
    if is_first and time != walk.row_time:
        began = time_text(walk.row_time * 1000)
        found.rules(
            seq,
            f"it is the first row of a fund, but its time is not that of its series row, {began}",
        )
    elif time < walk.row_time:
        found.rules(seq, "its time is before that of the previous row of these books")
    walk.row_time, walk.row_seq = max(walk.row_time, time), seq
    _check_health_was_there(found, seq, walk, "before it")
    if kind == "mark":
        if books.pool is not None:
            walk.health = time
        if walk.mark is not None and time != walk.mark:
            expected = time_text(walk.mark * 1000)
            found.rules(seq, f"it is a mark of {time_text(time * 1000)}, expected {expected}")
        walk.mark = time + HOUR_S
    elif walk.mark is None:
        if kind == "observed":
            walk.mark = _next_hour(time)
    elif walk.mark <= _last_due(books, time - (kind != "stopped" or not _is_model(books))):
        found.rules(seq, f"the mark of {time_text(walk.mark * 1000)} is missing before it")
        walk.mark = _next_hour(time)


def check_end(found: Findings, books: Books, walk: HoursAudited) -> None:
    """Check after the last row that no mark and no health is missing.

    Health is stored in one transaction with its mark, and the mark of a simulated fund in one
    transaction with the observation of its hour, so a writer that is killed cannot leave one
    without the other. The mark of a live fund comes with the next event.
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
    """Check that the published figures of a reserve follow from its books."""
    time = row.time_ms // 1000
    if walk.health != time:
        found.rules(row.seq, "it is the health of a reserve without the mark of its hour before it")
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
    """The full hour at a time, or the first one after it; epoch s."""
    return time if time % HOUR_S == 0 else first_hour_after(time)


def _is_model(books: Books) -> bool:
    """Whether marks come right after the observation of their hour, as for a simulated fund."""
    return books.funds[0].is_model


def _last_due(books: Books, time: int) -> int:
    """The last hour whose mark must be present at ``time``.

    No mark is due after all funds have ended.
    """
    is_alive = any(each.state.ended is None for each in books.funds)
    return time if is_alive else min(time, _last_observed(books))


def _last_observed(books: Books) -> int:
    """The time of the last scheduled observation, epoch s."""
    return max(each.state.time or 0 for each in books.funds)


def _check_health_was_there(found: Findings, seq: int, walk: HoursAudited, where: str) -> None:
    if walk.health is not None:
        why = f"the reserve's health of {time_text(walk.health * 1000)} is missing {where}"
        found.rules(seq, why)
        walk.health = None
