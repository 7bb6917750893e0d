"""Opening a journal: the state of its funds after its last row, from a snapshot where one is there.

A snapshot saves time and nothing else: it is bound to the number and the hash of a row, and where
there is none, or it is dropped, the rows are folded from the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from steelyard.ledger.restep import Restep, is_observed_by_the_clock
from steelyard.version import __version__

__all__ = ["Found", "found_books", "open_books", "snapshot_of"]


class Found(NamedTuple):
    """Funds as a journal holds them."""

    books: Books
    watch: ReserveWatch | None
    """None where they have no reserve."""
    last_price: Any
    """The last that was observed; None before the first."""
    is_out: bool
    """The keeper was down there, and is until the next observation."""
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
    writers: dict[str, tuple[int, str | None]] = {}
    for row in journal.events(kinds=["series", "version"]):
        writers[row.fund] = row.seq, row.fields.get("program")
        if row.kind == "series":
            _see(fold, row)
    for name, books in fold.books.items():
        after = _from_snapshot(journal, name, books) if with_snapshots else 0
        since, program = max(writers[each.series.symbol] for each in books.funds)
        is_ours = program == __version__ and is_observed_by_the_clock(books)
        _fold_after(journal, books, after, since if is_ours else None)
    return fold.books


def _fold_after(journal: Journal, books: Books, after: int, since: int | None) -> None:
    """Fold the rows of books after ``after``; step those after ``since`` again, None: no row."""
    funds = [each.series.symbol for each in books.funds]
    marks = f"price:{books.funds[0].series.underlying}"
    fold, again = Fold.of(books), Restep(books)
    for row in journal.events(after, fund=sorted({books.name, *funds, marks})):
        if row.kind != "series":
            with _reading(row):
                fields = row.fields
                if since is not None and row.seq > since:
                    again.see(row, fields)
                fold.see(row.kind, row.fund, row.time_ms // 1000, fields)
    again.close()


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
        watch, price, is_out = _recent(journal, books)
        return Found(books, watch, price, is_out, _program(journal, symbols[0]))


def _see(fold: Fold, row: Row) -> None:
    with _reading(row):
        fold.see(row.kind, row.fund, row.time_ms // 1000, row.fields)


@contextmanager
def _reading(row: Row) -> Iterator[None]:
    """A body that cannot be read is named by its number."""
    try:
        yield
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


def _recent(journal: Journal, books: Books) -> tuple[ReserveWatch | None, Any, bool]:
    """What a recorder has to know beside the states, from the rows of the last thirty days.

    That is what the health of a reserve looks back on, the last price that was seen, and whether
    the keeper was down then.
    """
    watch = ReserveWatch(books) if books.pool is not None else None
    of, price, is_out = books.of, None, False
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
        if watch is not None:
            watch.take(effects_of(books, row.kind, row.fund, time, fields))
            if row.kind == "health":
                watch.see_value(time, of(fields["value"]))
    return watch, price, is_out


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
