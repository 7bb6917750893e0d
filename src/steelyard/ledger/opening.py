"""Opening a journal: the state of its funds after its last row, from a snapshot where one is there.

A snapshot saves time and nothing else: it is bound to the number and the hash of a row, and where
there is none, or it is dropped, the rows are folded from the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from steelyard.errors import DataError, InputError
from steelyard.fund.state import State
from steelyard.ledger.bodies import built, plain
from steelyard.ledger.events import Row
from steelyard.ledger.fold import Books, Fold, effects_of
from steelyard.ledger.fund_kinds import EVENTS
from steelyard.ledger.journal import Journal
from steelyard.ledger.reserve_watch import RUNWAY_S, ReserveWatch

__all__ = ["Found", "found_books", "open_books", "snapshot_of"]


class Found(NamedTuple):
    """Funds as a journal holds them."""

    books: Books
    watch: ReserveWatch | None
    """None where they have no reserve."""
    last_price: Any
    """The last that was observed; None before the first."""
    program: str | None
    """The version of the program that wrote last."""


def snapshot_of(books: Books) -> dict[str, Any]:
    """The states of books as a snapshot holds them."""
    return {
        "funds": [
            {"fund": each.series.symbol, "state": plain(each.state), "told": plain(each.told)}
            for each in books.funds
        ]
    }


def open_books(journal: Journal, *, with_snapshots: bool = True) -> dict[str, Books]:
    """All funds of a journal after its last row, by the name of their reserve or the symbol.

    Raises:
        DataError: a row cannot be read, or says what no state can be.
        InvariantError: the observations between two rows do not lead from one to the other.
    """
    fold = Fold()
    for row in journal.events(kinds=["series"]):
        _see(fold, row)
    for name, books in fold.books.items():
        funds = [each.series.symbol for each in books.funds]
        after = _from_snapshot(journal, name, books) if with_snapshots else 0
        marks = f"price:{books.funds[0].series.underlying}"
        own = Fold.of(books)
        for row in journal.events(after, fund=sorted({name, *funds, marks})):
            if row.kind != "series":
                _see(own, row)
    return fold.books


def found_books(where: str | Path, symbols: Sequence[str], name: str | None) -> Found | None:
    """The funds of these symbols in a journal, and what a recorder has to know; None: not there.

    Raises:
        InputError: some of them are there and others not, or on another reserve.
        DataError, InvariantError: as ``open_books``.
    """
    with Journal.open(where) as journal:
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
                f"{', '.join(symbols)}: run the same together, or give another journal."
            )
            raise InputError(message, place=journal.place)
        watch, price = _recent(journal, books)
        return Found(books, watch, price, _program(journal, symbols[0]))


def _see(fold: Fold, row: Row) -> None:
    try:
        fold.see(row.kind, row.fund, row.time_ms // 1000, row.fields)
    except (DataError, InputError, KeyError, TypeError) as error:
        raise DataError(f"event {row.seq}: {error}", at=row.seq) from error


def _from_snapshot(journal: Journal, name: str, books: Books) -> int:
    """Put the newest snapshot's states into books; the number of the row that it is bound to."""
    found = journal.snapshot(name)
    if found is None:
        return 0
    reserve = None
    for kept, each in zip(books.funds, found.state["funds"], strict=True):
        kept.state = built(State, each["state"], books.of)
        reserve = reserve or kept.state.reserve
        kept.state.reserve = reserve
        told = each["told"]
        kept.told = None if told is None else (told[0], told[1])
    return found.seq


def _recent(journal: Journal, books: Books) -> tuple[ReserveWatch | None, Any]:
    """What a recorder has to know beside the states, from the rows of the last thirty days.

    That is what the health of a reserve looks back on, and the last price that was seen.
    """
    watch = ReserveWatch(books) if books.pool is not None else None
    of, price = books.of, None
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
        if watch is not None:
            watch.take(effects_of(books, row.kind, row.fund, time, fields))
            if row.kind == "health":
                watch.see_value(time, of(fields["value"]))
    return watch, price


def _program(journal: Journal, symbol: str) -> str | None:
    program = None
    for row in journal.events(fund=symbol, kinds=["series", "version"]):
        program = row.fields.get("program")
    return program


def _value_at(journal: Journal, books: Books, opened: Row) -> Any:  # noqa: ANN401
    """The reserve's value at its launch: its first units at the first price."""
    pool = books.pool
    assert pool is not None  # noqa: S101 (only reserves are opened)
    first = next(journal.events(opened.seq - 2, fund=books.name, kinds=["observed"]))
    return books.number.of(pool.initial_units) * books.of(first.fields["price"])
