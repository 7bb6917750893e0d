"""The audit of a journal: it checks that the books add up and that the rules were followed.

For each row with an event the audit runs the fund itself (``told``): the effects of the event, from
the state after the rows before, must equal the effects in the journal. The time between two rows is
checked against the accruals and thresholds (``passing``), the hourly rows against the clock
(``hours``), and the first row of a fund against the funds that exist (``beginnings``). After each
row the audit continues with the figures of the journal, so that one wrong figure is reported once.

Before that, the form of each row is checked against its kind (``row_form``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from steelyard.errors import DataError, InputError
from steelyard.fund.effects import Effect, ReserveOpened
from steelyard.fund.group import Fills
from steelyard.fund.sound import unsound
from steelyard.ledger.beginnings import begin_fund, go_on_with_version
from steelyard.ledger.bodies import UNFIT, record_reader
from steelyard.ledger.effect_words import effect_words
from steelyard.ledger.event_rows import Row
from steelyard.ledger.findings import Findings
from steelyard.ledger.fold import Books, Fold, came_effects
from steelyard.ledger.fund_kinds import EFFECTS, EVENTS, kind_name
from steelyard.ledger.hours import HoursAudited, check_end, compare_health
from steelyard.ledger.inputs_told import believed, wrong_inputs
from steelyard.ledger.instants import time_text
from steelyard.ledger.journal import Snapshot
from steelyard.ledger.keeper_kinds import KEEPER_KINDS
from steelyard.ledger.passing import check_known, pass_time
from steelyard.ledger.proofs import Proof
from steelyard.ledger.replayed_funds import Twins
from steelyard.ledger.row_form import check_form
from steelyard.ledger.snapshots import snapshot_of
from steelyard.ledger.told import Mismatch, Told, followed, mismatch, told_of

__all__ = ["Audit"]

OF_BOOKS = frozenset(
    {
        "Settled",
        "Rolled",
        "Accrued",
        "Booked",
        "Seen",
        "PriceSettled",
        "Injected",
        "Allocated",
        "Closed",
        "Split",
    }
)
"""The effects that move money: where only their figures differ, the books do not add up."""


class Audit:
    """A check for ``verify_rows`` that proves the books and the rules of a journal.

    Args:
        model: the simulated venue against which fills are checked; None where fills are accepted.
        snapshots: the journal's snapshots, which are not in the chain; each is compared with the
            rows.
    """

    def __init__(self, model: Fills[Any] | None = None, snapshots: Sequence[Snapshot] = ()) -> None:
        self._snapshots = sorted(snapshots, key=lambda each: each.seq)
        self._fold, self._twins = Fold(), Twins(model)
        self._has_model = model is not None
        self._walks: dict[str, HoursAudited] = {}
        self._open: tuple[Told, Books] | None = None
        """The last event, while rows with its effects may still follow."""
        self._last_seq = 0
        self._found = Findings()

    def see(self, row: Row, body: Mapping[str, Any] | None) -> None:
        """Check the next row."""
        if self._snapshots:
            self._check_snapshots(row.seq)
        self._last_seq = max(self._last_seq, row.seq)
        if body is None:
            self._found.books(row.seq, "its body cannot be read")
            return
        self._name_failure(row.seq, lambda: self._see(row, body))

    def proofs(self) -> dict[str, Proof]:
        """The proofs, after the last row."""
        self._name_failure(self._last_seq, self._close)
        # a snapshot after the last row exists only where its row could not be read
        self._check_snapshots(self._last_seq + 1)
        for name, walk in self._walks.items():
            books = self._fold.books[name]
            self._name_failure(walk.row_seq, partial(check_end, self._found, books, walk))
            # the outcome of an order at a venue is not known yet
            open_orders = sum(each.state.intent is not None for each in books.funds)
            if not books.funds[0].is_model:
                self._found.count("rules", not_checked=open_orders)
        return self._found.proofs()

    def _name_failure(self, seq: int, look: Callable[[], None]) -> None:
        """Run a check; where it raises, report its row and continue with the proof."""
        try:
            look()
        except (DataError, InputError) as error:
            self._found.books(seq, str(error))
        except UNFIT as error:
            self._found.books(seq, f"its body does not have the form of its kind ({error!r})")

    # -- rows ----------------------------------------------------------------------------------

    def _see(self, row: Row, body: Mapping[str, Any]) -> None:
        kind, found, fold = row.kind, self._found, self._fold
        check_form(found, row, body)
        if row.time_ms % 1000 and kind not in KEEPER_KINDS:
            found.rules(row.seq, "its time is not a full second, as that of an observation must be")
        if kind in EFFECTS:
            self._add_effect(row, body)
            return
        self._close()
        if kind in EVENTS:
            self._tell(row, body)
        elif kind in ("mark", "stopped"):
            told = fold.concerned(kind, row.fund, body)
            if kind == "mark":
                _check_told(found, row, body, told)
            self._pass_time(row, body, told)
        elif kind == "health":
            books = fold.books_of(row.fund)
            compare_health(found, row, body, books, self._walks[books.name])
        elif kind == "series":
            walk = begin_fund(found, row, body, fold)
            self._walks[fold.books_of(row.fund).name] = walk
        elif kind == "version":
            walk = self._walks[fold.books_of(row.fund).name]
            go_on_with_version(found, row, body, fold, walk)
        else:
            # a kind from a newer package: it is in the chain, but does not concern the funds
            found.count("rules", not_checked=1)

    def _pass_time(self, row: Row, body: Mapping[str, Any], told: Sequence[Books]) -> None:
        for books in told:
            with books.number.context():
                pass_time(self._found, self._twins, row, body, books, self._walks[books.name])
        check_known(self._found, row.seq, told, body)

    def _tell(self, row: Row, body: Mapping[str, Any]) -> None:
        """Take in an event if it can have happened; rows with its effects may follow."""
        found, books, time = self._found, self._fold.books_of(row.fund), row.time_ms // 1000
        with books.number.context():
            pass_time(found, self._twins, row, body, books, self._walks[books.name])
            check_known(found, row.seq, [books], body)
            came = came_effects(books, body, time)
            told = told_of(row, books, body, self._twins.beside(books), came)
            told.cannot = unsound(told.group, told.event)
        for why in wrong_inputs(books, told.event, told.impact):
            found.rules(row.seq, f"it states {why}")
            told.impact = None
        self._open = told, books

    def _add_effect(self, row: Row, body: Mapping[str, Any]) -> None:
        books, time = self._fold.books_of(row.fund), row.time_ms // 1000
        read = record_reader(EFFECTS[row.kind], books.of, "fund", "time")
        effect: Effect[Any] = read(body, row.fund, time)
        if self._open is None or books is not self._open[1]:
            why = f"it is an effect ({row.kind}), but no row before it holds its event"
            self._found.rules(row.seq, why)
            with books.number.context():
                books.take(effect)
            return
        told = self._open[0]
        if time != told.event.time:
            why = f"its time is {time_text(row.time_ms)}, which is not the time of its event"
            self._found.rules(row.seq, why)
        told.add(row.seq, effect, books, body)

    # -- events and their effects ---------------------------------------------------------------

    def _close(self) -> None:
        """Compare the effects of the last event with those that the fund produces."""
        if self._open is None:
            return
        (told, books), self._open = self._open, None
        found, walk = self._found, self._walks[books.name]
        with books.number.context():
            made = followed(self._twins, told)
            if made.is_stored:
                self._twins.keep_beside(books, books.changes + len(told.stored), told.group)
            elif made.refused is not None:
                found.rules(told.seq, made.refused)
            else:
                _name_mismatch(found, mismatch(told, made.effects))
            if made.fills_left:
                found.rules(told.rows[-1][0], "it holds a fill that no order of this row asked for")
            if made.wrong_fill is not None:
                why = f"the fill's {made.wrong_fill}, according to the costs of the series file"
                found.rules(told.rows[-1][0], why)
            _take_stored(told, books, walk)
        found.count("books", checked=len(told.stored))
        found.count("rules", checked=1)
        if told.fills and not self._has_model:
            found.count("rules", not_checked=len(told.fills))
        if not books.funds[0].is_model:
            found.count("rules", not_checked=believed(told.event))

    def _check_snapshots(self, before: int) -> None:
        """Compare the snapshots of rows before this number with the state after those rows."""
        while self._snapshots and self._snapshots[0].seq < before:
            taken = self._snapshots.pop(0)
            self._name_failure(taken.seq, self._close)
            books = self._fold.books.get(taken.fund)
            if books is None or taken.state != snapshot_of(books):
                why = (
                    f"the snapshot of {taken.fund} differs from the state after the rows up to here"
                )
                self._found.books(taken.seq, why)


def _take_stored(told: Told, books: Books, walk: HoursAudited) -> None:
    """Apply the effects that the journal holds to the books."""
    for _, effect in told.stored:
        if isinstance(effect, ReserveOpened):
            value = books.funds[0].state.reserve.units * told.event.price
            walk.watch.launch(told.event.time, value)
        books.take(effect)
        walk.watch.take([effect])
    walk.price = getattr(told.event, "price", walk.price)


def _name_mismatch(found: Findings, differs: Mismatch | None) -> None:
    if differs is None:
        return
    seq, said, follows, figure = differs
    if said is None and follows is not None:
        found.rules(seq, f"the rules require {effect_words(follows)}, but the journal holds none")
    elif said is not None and figure is not None:
        why = f"{kind_name(type(said))}: {figure}"
        if type(said).__name__ in OF_BOOKS:
            found.books(seq, why)
        else:
            found.rules(seq, why)
    elif said is not None:
        asked = "none" if follows is None else effect_words(follows)
        found.rules(seq, f"the journal holds {effect_words(said)}, but the rules require {asked}")


def _check_told(found: Findings, row: Row, body: Mapping[str, Any], told: Sequence[Books]) -> None:
    """Check that a mark names the underlying of its funds, under which readers look for it."""
    if len(told) != len(body["books"]) or not told:
        found.rules(
            row.seq, f"it is a mark for {body['books']}, which are not all funds of this journal"
        )
    for books in told:
        expected = f"price:{books.funds[0].series.underlying}"
        if row.fund != expected:
            found.rules(row.seq, f"it is a mark of {row.fund}, expected {expected}")
