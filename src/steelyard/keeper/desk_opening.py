"""How a desk is opened from its journal, the same way after a first start and after a crash."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from steelyard.errors import InputError
from steelyard.fund.group import Fund, Group
from steelyard.fund.state import State, new_state
from steelyard.fund.terms import fund_terms
from steelyard.keeper.desk import Desk, Guards
from steelyard.keeper.memory import Memory
from steelyard.keeper.sorted_thresholds import WatchedMarket
from steelyard.ledger.amounts import decimal_of
from steelyard.ledger.current_books import found_in
from steelyard.ledger.event_rows import Event as JournalEvent
from steelyard.ledger.fund_kinds import EVENTS
from steelyard.ledger.journal import Journal
from steelyard.ledger.keeper_kinds import KEEPER_KINDS
from steelyard.ledger.recorder import Recorder
from steelyard.ledger.series_rows import books_for
from steelyard.rules.numbers import DECIMAL18
from steelyard.rules.order_limit import urgency
from steelyard.rules.series import Series
from steelyard.rules.triggers import Crossing, Trigger
from steelyard.version import __version__

__all__ = ["expected_live", "new_desk", "open_desk"]

LIVE_VENUES = ("perpetual", "spot")
"""The kinds of venue whose positions a live keeper can hold so far."""


def expected_live(series: Series) -> tuple[str, str] | None:
    """Why a live keeper cannot run a series: what it expects, and what it found; None: it can."""
    kind = series.venue.kind
    if kind not in LIVE_VENUES:
        return f"a series whose venue is {' or '.join(LIVE_VENUES)}", kind
    if kind == "spot" and series.target_leverage < 0:
        # interest on borrowed units is charged in units, and no event can book that yet
        return "a series that is long where its venue is spot", "a short one"
    if series.venue.cash_rate_per_year != 0:
        # no exchange has records of what cash outside the position has earned
        return "a series without venue.cash_rate_per_year", f"{series.venue.cash_rate_per_year:g}"
    return None


def open_desk(journal: Journal, series: Series, guards: Guards) -> Desk:
    """The desk of a fund as its journal leaves it, or as before the launch if the journal is new.

    Raises:
        InputError: the journal holds a different series under this symbol, or a live keeper cannot
            run the series.
        DataError, InvariantError: the journal cannot be folded.
    """
    refuse_simulated(series)
    there = found_in(journal, [series.symbol], None)
    if there is None:
        desk = new_desk(series, guards)
        desk.memory = fold_memory(journal, series.symbol)
        desk.told_s = last_told(journal, series.symbol, None)
        return desk
    rows: list[JournalEvent] = []
    books = there.books
    check_same(journal.place, books.funds[0].series, series)
    state = books.copies()[0]
    recorder = Recorder(
        books,
        rows.extend,
        watch=there.watch,
        last_price=there.last_price,
        is_out=there.is_out,
        last_mark=there.last_mark,
        every=True,
    )
    if there.program != __version__:
        recorder.tell_version()
        recorder.flush()
    desk = _desk(series, guards, state, recorder, rows)
    desk.memory = fold_memory(journal, series.symbol)
    desk.told_s = last_told(journal, series.symbol, state.time)
    desk.stop = last_crossed(journal, series.symbol, state.time)
    desk.spent = 0 if desk.stop is None else 1 << desk.stop.trigger
    return desk


def new_desk(series: Series, guards: Guards) -> Desk:
    """The desk of a fund before its launch, without a journal.

    Raises:
        InputError: the series cannot be run live.
    """
    refuse_simulated(series)
    rows: list[JournalEvent] = []
    state = new_state(series, DECIMAL18)
    books = books_for([(series, state)], DECIMAL18, intrabar=None, is_model=False)
    return _desk(series, guards, state, Recorder(books, rows.extend, every=True), rows)


def refuse_simulated(series: Series) -> None:
    """Refuse a series that a live keeper cannot run.

    Raises:
        InputError: the series needs something that no live venue provides.
    """
    refused = expected_live(series)
    if refused is not None:
        expected, found = refused
        message = f"{series.symbol}: expected {expected}, found {found}: simulate it instead."
        raise InputError(message, symbol=series.symbol)


def _desk(
    series: Series,
    guards: Guards,
    state: State[Decimal],
    recorder: Recorder,
    rows: list[JournalEvent],
) -> Desk:
    terms = fund_terms(series, DECIMAL18)
    group: Group[Decimal] = Group([Fund(terms, state)])
    widens = urgency(terms.rule, terms.venue)
    market = WatchedMarket(series.underlying)
    return Desk(series.symbol, group, recorder, Memory(), guards, widens, market, rows=rows)


def check_same(place: str, there: Series, here: Series) -> None:
    """Refuse to continue a token under its symbol with a changed series.

    Raises:
        InputError: the series differs from the one at launch, whose thresholds can never change.
    """
    if there != here:
        message = (
            f"{place}: {here.symbol}: expected the series file that it was launched with, found "
            "another: thresholds are fixed for good; give the changed series a symbol of its own."
        )
        raise InputError(message, symbol=here.symbol)


def last_told(journal: Journal, symbol: str, since: int | None) -> int:
    """The time of a fund's latest event, epoch s: a fill may follow its last observation."""
    rows = journal.events(fund=symbol, kinds=sorted(EVENTS), since_ms=(since or 0) * 1000)
    return max((row.time_ms // 1000 for row in rows), default=since or 0)


def last_crossed(journal: Journal, symbol: str, since: int | None) -> Crossing[Decimal] | None:
    """The threshold at the fund's price, if it was crossed without a decision; otherwise None.

    A history that starts again at this price must not stop at the same threshold a second time.
    """
    crossed = None
    kinds = ["crossed", "decided", "observed"]
    for row in journal.events(fund=symbol, kinds=kinds, since_ms=(since or 0) * 1000):
        fields = row.fields
        if row.kind == "crossed":
            trigger = Trigger[fields["trigger"].upper()]
            crossed = Crossing(int(trigger), decimal_of(fields["price"]))
        else:
            crossed = None
    return crossed


def fold_memory(journal: Journal, symbol: str) -> Memory:
    """The memory that the keeper's own rows of a fund add up to."""
    memory = Memory()
    kinds: Sequence[str] = sorted(KEEPER_KINDS)
    for row in journal.events(fund=symbol, kinds=kinds):
        fields: dict[str, Any] = row.fields
        memory.take(row.kind, fields)
    return memory
