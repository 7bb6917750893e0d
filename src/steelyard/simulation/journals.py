"""A journal presented as a run: the same frames and columns, and the proofs.

    with sy.Journal.open("btc3l.journal") as journal:
        journal.rebalances
        journal.verify().ok

``nav`` has one row for each mark, that is, for each full hour; ``rebalances`` and ``flows`` equal
those of the run to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from steelyard.arguments import path_of
from steelyard.closing import Closing
from steelyard.errors import DataError, InputError
from steelyard.fund.group import Fund
from steelyard.fund.state import new_state
from steelyard.fund.terms import fund_terms
from steelyard.ledger.audit import Audit
from steelyard.ledger.current_books import open_books
from steelyard.ledger.event_rows import Head, Row
from steelyard.ledger.fold import Books, Fold, Kept, effects_of
from steelyard.ledger.journal import Journal as Rows
from steelyard.ledger.proofs import Verdict
from steelyard.market import Prices
from steelyard.simulation import run_tables
from steelyard.simulation.bar_records import marks_of_rows
from steelyard.simulation.conditions import NO_MARKET
from steelyard.simulation.fills import ModelFills
from steelyard.simulation.record import Record
from steelyard.simulation.reference import Member
from steelyard.simulation.reserve_health import reserve_health
from steelyard.simulation.run import Before, Run, run_of
from steelyard.simulation.running_statistics import Tally
from steelyard.simulation.schedule import Schedule

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Journal"]

HEALTH = ("price", "units", "value", "nav", "level", "utilisation", "buffer_depth", "runway_days")


class Journal(Closing):
    """A journal presented as a run; ``rows`` is the journal of events below it."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        """The events themselves, a ``steelyard.ledger.Journal``."""
        self._told: dict[str, FundHistory] = {}

    @classmethod
    def open(cls, where: str | Path) -> Self:
        """Open the journal in the file ``where``, or at the URL ``postgresql://...``.

        Raises:
            DataError: there is no journal, or it is of another version.
            Unavailable: the URL does not answer.
        """
        return cls(Rows.open(where if isinstance(where, str) else path_of("where", where)))

    def head(self) -> Head:
        """The number of events and the hash of the last event."""
        return self.rows.head()

    def events(self, after: int = 0, **wanted: Any) -> Iterator[Row]:  # noqa: ANN401
        """The events after a number, in order, as in ``steelyard.ledger.Journal``."""
        return self.rows.events(after, **wanted)

    def funds(self) -> list[str]:
        """The distinct values of the column ``fund``, sorted."""
        return self.rows.funds()

    @cached_property
    def symbols(self) -> list[str]:
        """The symbols of its funds, in the order in which they began."""
        return [row.fund for row in self.rows.events(kinds=["series"])]

    def state(self, symbol: str | None = None) -> Any:  # noqa: ANN401 (a state of any number)
        """The state of a fund after the last event.

        Raises:
            InputError: there is no such fund, or there are several and none was named.
            DataError: a row cannot be read.
        """
        wanted = self._symbol(symbol)
        found = (
            each.state
            for books in open_books(self.rows).values()
            for each in books.funds
            if each.series.symbol == wanted
        )
        return next(found)

    def run(self, symbol: str | None = None) -> Run:
        """The history of a fund as a run whose bars are the hours of its marks.

        Raises:
            InputError: there is no such fund, or there are several and none was named.
            DataError: a row cannot be read, or there is no full hour yet.
        """
        return self._tell(symbol).run

    @property
    def nav(self) -> pd.DataFrame:
        """One row per hour: time, price, nav (per token), leverage, tokens, reserve (units)."""
        return self.run().nav

    @property
    def rebalances(self) -> pd.DataFrame:
        """One row per executed trade, the launch included, as in a run."""
        return run_tables.to_pandas(run_tables.rebalance_columns(self._tell(None).record))

    @property
    def flows(self) -> pd.DataFrame:
        """One row per creation (tokens > 0) or redemption, as in a run."""
        return run_tables.to_pandas(run_tables.flow_columns(self._tell(None).record))

    @property
    def reserve(self) -> pd.DataFrame:
        """One row per full hour: the reserve's units, value, level and health."""
        return run_tables.to_pandas(self._tell(None).health)

    def verify(self, *, head: Head | None = None) -> Verdict:
        """Prove that the chain is complete, that the books add up and that the rules were followed.

        Args:
            head: the content of a signed head (``open_head``), which reveals a tail that was cut
                off, and a journal whose hashes were all recomputed.
        """
        return self.rows.verify(head=head, checks=[Audit(ModelFills(), self.rows.snapshots())])

    def close(self) -> None:
        """Close the file or the connection."""
        self.rows.close()

    def _symbol(self, symbol: str | None) -> str:
        symbols = self.symbols
        if (symbol is None and len(symbols) == 1) or symbol in symbols:
            return symbol or symbols[0]
        found = "several" if symbol is None else symbol
        message = (
            f"{self.rows.place}: expected one of its funds, {', '.join(symbols) or '(none)'}, "
            f"found {found}: name one, as in journal.run({symbols[0] if symbols else 'SYMBOL'!r})."
        )
        raise InputError(message, found=symbol, allowed=symbols)

    def _tell(self, symbol: str | None) -> FundHistory:
        wanted = self._symbol(symbol)
        if wanted not in self._told:
            self._told[wanted] = _told(self.rows, wanted)
        return self._told[wanted]


class FundHistory:
    """The history of a fund, collected in one pass over its rows."""

    def __init__(self, rows: Rows, books: Books, symbol: str) -> None:
        self.books, self.symbol = books, symbol
        self.records: dict[str, Record[Any]] = {
            each.series.symbol: Record() for each in books.funds
        }
        first = next(iter(self.records.values()))
        for record in self.records.values():
            record.reserve = first.reserve
        self._times: list[int] = []
        self._prices: list[float] = []
        self._health: list[tuple[Any, ...]] = []
        self._gather(rows)

    @property
    def record(self) -> Record[Any]:
        """The trades and flows as the run would have recorded them."""
        return self.records[self.symbol]

    @property
    def health(self) -> run_tables.Columns:
        """The reserve's rows of each full hour, as columns."""
        columns = list(zip(*self._health, strict=True)) or [()] * (len(HEALTH) + 2)
        found: run_tables.Columns = {"time": run_tables.instants(columns[0])}
        for name, column in zip(HEALTH, columns[1:-1], strict=True):
            found[name] = np.array(column, dtype=np.float64)
        found["suspended"] = np.array(columns[-1], dtype=np.bool_)
        return found

    @cached_property
    def run(self) -> Run:
        """The history as a run whose bars are the marks."""
        if not self._times:
            message = f"{self.symbol}: expected at least one mark in the journal, found none."
            raise DataError(message, fund=self.symbol)
        bars = Prices(
            time=np.array(self._times, dtype=np.int64),
            close=np.array(self._prices),
            source="journal",
        )
        made = [
            (self._member(each), marks_of_rows(self.records[each.series.symbol]))
            for each in self.books.funds
        ]
        pool, health = self.books.pool, None
        if pool is not None:
            served = []
            for member, marks in made:
                tally = Tally(bars.close, member.series.target_leverage, len(bars))
                served.append((member, run_tables.nav_columns(bars, marks, tally)))
            start = (float(pool.initial_units), self._prices[0])
            health = reserve_health(pool, served, bars.time, start, len(bars) - 1)
        member, marks = next(pair for pair in made if pair[0].series.symbol == self.symbol)
        kept = self.books.fund(self.symbol)
        before = Before.of(new_state(kept.series, kept.number))
        return run_of(member, marks, bars, "close", before, health)

    def _member(self, kept: Kept) -> Member[Any]:
        terms = fund_terms(kept.series, kept.number, kept.book)
        schedule: Schedule[Any] = Schedule(kept.number)
        record = self.records[kept.series.symbol]
        return Member(Fund(terms, kept.state), schedule, NO_MARKET, record)

    def _gather(self, rows: Rows) -> None:
        books = self.books
        fold = Fold.of(books)
        for row in _rows_of(rows, books):
            fields, time = row.fields, row.time_ms // 1000
            if row.kind == "version":
                fold.see(row.kind, row.fund, time, fields)
                continue
            if row.kind == "mark" and books.name not in fields["books"]:
                continue
            with books.number.context():
                for effect in effects_of(books, row.kind, row.fund, time, fields):
                    books.take(effect)
                    for symbol, record in self.records.items():
                        if effect.fund in (symbol, books.name):
                            record.take((effect,))
            if row.kind == "mark":
                price = books.of(fields["price"])
                self._times.append(time)
                self._prices.append(float(price))
                for each in books.funds:
                    self.records[each.series.symbol].mark(each.state, price)
            elif row.kind == "health":
                figures = [None if fields[name] is None else float(fields[name]) for name in HEALTH]
                self._health.append((time, *figures, fields["suspended"]))


def _told(rows: Rows, symbol: str) -> FundHistory:
    fold = Fold()
    for row in rows.events(kinds=["series"]):
        fold.see(row.kind, row.fund, row.time_ms // 1000, row.fields)
    return FundHistory(rows, fold.books_of(symbol), symbol)


def _rows_of(rows: Rows, books: Books) -> Iterator[Row]:
    funds = [each.series.symbol for each in books.funds]
    marks = f"price:{books.funds[0].series.underlying}"
    for row in rows.events(fund=sorted({books.name, *funds, marks})):
        if row.kind != "series":
            yield row
