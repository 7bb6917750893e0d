"""Opening a journal: the state of its funds after the last row, from a snapshot if there is one.

A snapshot only saves time. It is bound to the number and the hash of a row. Without a snapshot the
rows are applied from the first one.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from steelyard.errors import DataError, InputError
from steelyard.fund.state import State
from steelyard.ledger.bodies import UNFIT, built
from steelyard.ledger.canonical_json import object_of
from steelyard.ledger.event_rows import Row
from steelyard.ledger.fold import Books, Fold, effects_of
from steelyard.ledger.fund_kinds import EVENTS
from steelyard.ledger.journal import Journal
from steelyard.ledger.reserve_watch import RUNWAY_S, ReserveWatch
from steelyard.ledger.restep import Restep, is_observed_by_the_clock
from steelyard.ledger.snapshots import check_snapshot
from steelyard.version import __version__

__all__ = ["FoundFunds", "found_books", "found_in", "open_books"]

UNREADABLE = (DataError, InputError, *UNFIT)
"""The errors that reading a row raises where it does not have the form of its kind."""


class FoundFunds(NamedTuple):
    """The funds in a journal, with all that a recorder needs to continue."""

    books: Books
    watch: ReserveWatch | None
    """The data for the health of their reserve; None where they have no reserve."""
    last_price: Any
    """The last observed price; None before the first observation."""
    is_out: bool
    """Whether the keeper was down at that observation, and so until the next one."""
    last_mark: int | None
    """The last hour that has a mark, epoch s."""
    program: str | None
    """The version of the program that wrote the last rows."""


def open_books(journal: Journal, *, with_snapshots: bool = True) -> dict[str, Books]:
    """All funds of a journal after its last row, by the name of their reserve or the symbol.

    Raises:
        DataError: a row cannot be read or describes an impossible state, or a snapshot was changed.
        InvariantError: the observations between two rows do not lead from one to the other.
    """
    fold = Fold()
    writers: dict[str, tuple[int, str | None]] = {}
    for row in journal.events(kinds=["series", "version"]):
        writers[row.fund] = row.seq, row.fields.get("program")
        if row.kind == "series":
            try:
                fold.see(row.kind, row.fund, row.time_ms // 1000, row.fields)
            except UNREADABLE as error:
                raise _unreadable(row, error) from error
    opened = {}
    for name, books in fold.books.items():
        after = _from_snapshot(journal, name, books) if with_snapshots else 0
        since, program = max(writers[each.series.symbol] for each in books.funds)
        is_ours = program == __version__ and is_observed_by_the_clock(books)
        opened[name] = Opened(books, after, since, Restep(books) if is_ours else None)
    for number in dict.fromkeys(each.number for each in fold.books.values()):
        those = {name: each for name, each in opened.items() if each.books.number == number}
        with number.context():
            _fold_rows(journal, fold, those)
    return fold.books


class Opened(NamedTuple):
    """A set of books while it is being opened."""

    books: Books
    after: int
    """The number of the row of their snapshot; 0 where they have none."""
    since: int
    """The number of the first row by the program version that wrote the last rows."""
    again: Restep | None
    """The check that runs the rows after that again; None where they lack some observations."""


def _fold_rows(journal: Journal, fold: Fold, opened: Mapping[str, Opened]) -> None:
    """Apply the rows of books that are kept in one kind of number, in its arithmetic context."""
    for row in _rows_after(journal, list(opened.values())):
        try:
            _fold_row(fold, opened, row)
        except UNREADABLE as error:
            raise _unreadable(row, error) from error
    for each in opened.values():
        if each.again is not None:
            each.again.close()


def _rows_after(journal: Journal, opened: Sequence[Opened]) -> Iterator[Row]:
    """The rows of each set of books after its snapshot, in order, with shared marks only once."""
    streams, marks = [], dict[str, int]()
    for books, after, *_ in opened:
        names = sorted({books.name, *(each.series.symbol for each in books.funds)})
        streams.append(journal.events(after, fund=names))
        mark = f"price:{books.funds[0].series.underlying}"
        marks[mark] = min(after, marks.get(mark, after))
    streams += [journal.events(after, fund=mark) for mark, after in marks.items()]
    return heapq.merge(*streams)


def _fold_row(fold: Fold, opened: Mapping[str, Opened], row: Row) -> None:
    """Run one row again if required, and apply it.

    Whether it is canonical, as the chain of hashes requires, is checked by ``verify`` only.
    """
    kind, fund, time = row.kind, row.fund, row.time_ms // 1000
    body = object_of(row.body)
    if kind == "version":
        fold.see(kind, fund, time, body)
    if kind in ("version", "series"):
        return
    for books in fold.concerned(kind, fund, body):
        known = opened.get(books.name)
        if known is None or row.seq <= known.after:
            continue
        effects = effects_of(books, kind, fund, time, body)
        if known.again is not None and row.seq > known.since:
            known.again.see(row, body, effects)
            continue
        for effect in effects:
            books.take(effect)


def found_books(where: str | Path, symbols: Sequence[str], name: str | None) -> FoundFunds | None:
    """The funds of these symbols in a journal; None where the journal does not hold them.

    Raises:
        InputError: the journal holds only some of them, or holds them on another reserve.
        DataError, InvariantError: as ``open_books``.
    """
    with Journal.open(where) as journal:
        return found_in(journal, symbols, name)


def found_in(journal: Journal, symbols: Sequence[str], name: str | None) -> FoundFunds | None:
    """The funds of these symbols in an open journal; None where it does not hold them.

    Raises:
        InputError, DataError, InvariantError: as ``found_books``.
    """
    all_books = open_books(journal)
    held = {each.series.symbol: books for books in all_books.values() for each in books.funds}
    there = [symbol for symbol in symbols if symbol in held]
    if not there:
        return None
    books = held[there[0]]
    if [each.series.symbol for each in books.funds] != list(symbols) or books.name != (
        name or symbols[0]
    ):
        message = (
            f"{journal.place}: expected the funds that share a reserve in the journal, "
            f"{', '.join(each.series.symbol for each in books.funds)}, found "
            f"{', '.join(symbols)}: run the same funds together, or name another journal."
        )
        raise InputError(message, place=journal.place)
    with books.number.context():
        watch, price, is_out, last_mark = _recent(journal, books)
    return FoundFunds(books, watch, price, is_out, last_mark, _program(journal, symbols[0]))


def _unreadable(row: Row, error: Exception) -> DataError:
    """The error for a body that cannot be read, with the number of its row."""
    return DataError(f"event {row.seq}: {error}", at=row.seq)


def _from_snapshot(journal: Journal, name: str, books: Books) -> int:
    """Put the states of the newest snapshot into the books; returns the number of its row."""
    found = journal.snapshot(name)
    if found is None or not check_snapshot(journal, found):
        return 0
    reserve = None
    for kept, each in zip(books.funds, found.state["funds"], strict=True):
        kept.state = built(State, each["state"], books.of)
        reserve = reserve or kept.state.reserve
        kept.state.reserve = reserve
        told = each["told"]
        kept.told = None if told is None else (told[0], told[1])
    return found.seq


def _recent(journal: Journal, books: Books) -> tuple[ReserveWatch | None, Any, bool, int | None]:
    """The data that a recorder needs besides the states, from the rows of the last thirty days.

    These are the history for the health of a reserve, the last observed price, whether the keeper
    was down then, and the last hour that has a mark.
    """
    watch = ReserveWatch(books) if books.pool is not None else None
    of, price, is_out, last_mark = books.of, None, False, None
    own = sorted({books.name, *(each.series.symbol for each in books.funds)})
    if watch is not None:
        for row in journal.events(fund=books.name, kinds=["reserve_opened"]):
            watch.launch(row.time_ms // 1000, _value_at(journal, books, row))
    times = [each.state.time or 0 for each in books.funds]
    since_ms = (max(times) - RUNWAY_S) * 1000
    marks = f"price:{books.funds[0].series.underlying}"
    for row in journal.events(fund=[*own, marks], since_ms=since_ms):
        fields, time = row.fields, row.time_ms // 1000
        if row.kind in EVENTS or row.kind in ("mark", "stopped"):
            price = of(fields["price"]) if "price" in fields else price
            is_out = fields.get("is_out", is_out)
        if row.kind == "mark" and books.name in fields["books"]:
            last_mark = time
        if watch is not None:
            watch.take(effects_of(books, row.kind, row.fund, time, fields))
            if row.kind == "health":
                watch.see_value(time, of(fields["value"]))
    return watch, price, is_out, last_mark


def _program(journal: Journal, symbol: str) -> str | None:
    program = None
    for row in journal.events(fund=symbol, kinds=["series", "version"]):
        program = row.fields.get("program")
    return program


def _value_at(journal: Journal, books: Books, opened: Row) -> Any:  # noqa: ANN401
    """The reserve's value at launch: its initial units at the first price."""
    pool = books.pool
    assert pool is not None  # noqa: S101 (only reserves are opened)
    first = next(journal.events(opened.seq - 2, fund=books.name, kinds=["observed"]))
    return books.number.of(pool.initial_units) * books.of(first.fields["price"])
