"""The audit of a journal: the books add up, and the rules were kept.

Each row about something that happened is asked of the fund itself (``twins``): what follows from
it, in the state that the rows before left, has to be what the journal says. What lies between two
rows is held against the accruals (``books_of_time``) and the thresholds (``rules_between``). After
each row the audit goes on from what the journal says, so that one wrong figure is named once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from steelyard.errors import DataError, InputError, SteelyardError
from steelyard.fund.effects import Accrued, Effect, Passed, PriceSettled, ReserveOpened, Seen
from steelyard.fund.events import Crossed, Filled
from steelyard.fund.group import Fills
from steelyard.fund.sound import unsound
from steelyard.ledger.bodies import built, plain
from steelyard.ledger.books_of_time import wrong_accruals, wrong_reserve
from steelyard.ledger.crossings import wrong_crossing
from steelyard.ledger.events import Row
from steelyard.ledger.fold import Books, Fold, came_effects, passed_effects
from steelyard.ledger.fund_kinds import EFFECTS, EVENTS, kind_name
from steelyard.ledger.inputs_told import wrong_inputs
from steelyard.ledger.instants import time_text
from steelyard.ledger.journal import Snapshot
from steelyard.ledger.kinds import RESERVED, kind_of
from steelyard.ledger.opening import snapshot_of
from steelyard.ledger.proofs import MAX_FINDINGS, Finding, Proof
from steelyard.ledger.recorder import HOUR_S, first_hour_after
from steelyard.ledger.reserve_watch import ReserveWatch
from steelyard.ledger.rules_between import Between, due_between, due_now, reserve_due
from steelyard.ledger.same import difference, is_close
from steelyard.ledger.twins import StoredFills, Twins, as_told

__all__ = ["Audit"]

OF_BOOKS = frozenset(
    {
        "Settled",
        "Rolled",
        "Accrued",
        "Seen",
        "PriceSettled",
        "Injected",
        "Allocated",
        "Closed",
        "Split",
    }
)
"""Effects that say what money did: where only figures differ, the books do not add up."""

LONGEST_REASON = 400
RESERVED_NAMES = frozenset(RESERVED)


@dataclass
class Walk:
    """Where the audit of some books stands."""

    watch: ReserveWatch | None = None
    price: Any = None
    """The last that was seen."""
    time: int | None = None
    """Of the last clock observation."""
    mark: int | None = None
    """The hour of which a mark is due next."""
    health: int | None = None
    """The hour of which the reserve's health is due next, where its mark was there."""
    row_time: int = 0


@dataclass
class Step:
    """A row about something that happened, with the effects that the journal says followed."""

    seq: int
    books: Books
    time: int
    event: Any
    impact: Sequence[Any] | None
    came: list[Effect[Any]]
    rows: list[tuple[int, Effect[Any]]] = field(default_factory=list)
    fills: list[Filled[Any]] = field(default_factory=list)
    wrong_fill: str | None = None


class Audit:
    """Goes through the rows once and gathers what does not hold.

    Args:
        model: the venue of a simulation, to hold its fills against; None: fills are believed.
        snapshots: those of the journal, which are not in the chain: each is held against the rows.
    """

    def __init__(self, model: Fills[Any] | None = None, snapshots: Sequence[Snapshot] = ()) -> None:
        self._snapshots = sorted(snapshots, key=lambda each: each.seq)
        self._fold = Fold()
        self._twins = Twins(model)
        self._has_model = model is not None
        self._walks: dict[str, Walk] = {}
        self._step: Step | None = None
        self._found: dict[str, dict[int, str]] = {"books": {}, "rules": {}}
        self.books = AuditCheck("books", self, is_leading=True)
        self.rules = AuditCheck("rules", self, is_leading=False)
        self.counts = {
            "books": {"checked": 0, "not_checked": 0},
            "rules": {"checked": 0, "not_checked": 0},
        }

    @property
    def checks(self) -> tuple[AuditCheck, AuditCheck]:
        """The two proofs, for ``verify``."""
        return self.books, self.rules

    # -- rows ----------------------------------------------------------------------------------

    def see(self, row: Row, body: Mapping[str, Any] | None) -> None:
        """Look at the next row."""
        self._check_snapshots(row.seq)
        if body is None:
            self._name("books", row.seq, "its body cannot be read")
            return
        try:
            self._see(row, body)
        except (DataError, InputError) as error:
            self._name("books", row.seq, str(error))
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            self._name("books", row.seq, f"its body is not what its kind says ({error!r})")

    def end(self) -> None:
        """No row follows."""
        self._close()
        self._check_snapshots(None)

    def _check_snapshots(self, before: int | None) -> None:
        """Hold the snapshots of rows before this number against what the rows themselves left."""
        while self._snapshots and (before is None or self._snapshots[0].seq < before):
            taken = self._snapshots.pop(0)
            self._close()
            books = self._fold.books.get(taken.fund)
            if books is None or taken.state != snapshot_of(books):
                why = f"the snapshot of {taken.fund} is not the state that the rows up to here left"
                self._name("books", taken.seq, why)

    def proof(self, name: str) -> Proof:
        """What was found of ``books`` or ``rules``."""
        found = tuple(Finding(*one) for one in sorted(self._found[name].items()))
        return Proof(not found, found, self.counts[name])

    def _see(self, row: Row, body: Mapping[str, Any]) -> None:
        kind, time = row.kind, row.time_ms // 1000
        self._check_fields(row, body)
        if row.time_ms % 1000:
            self._name("rules", row.seq, "its time is not a full second, and no observation is")
        if kind in EFFECTS:
            self._add_effect(row, body, time)
            return
        self._close()
        if kind in EVENTS:
            self._open(row, body, time)
        elif kind in ("mark", "stopped"):
            told = self._fold.concerned(kind, row.fund, body)
            if kind == "mark":
                self._check_told(row, body, told)
            for books in told:
                self._pass_time(row.seq, books, body, time, kind)
            self._check_known(row.seq, told, body)
        elif kind == "health":
            self._compare_health(row, body, time)
        elif kind == "series":
            self._check_beginning(row.seq, row.fund, body)
            self._fold.see(kind, row.fund, time, body)
            books = self._fold.books_of(row.fund)
            self._walks[books.name] = Walk(ReserveWatch(books))
            kept = books.fund(row.fund)
            if kept.is_model and kept.intrabar not in ("close", "path"):
                self._name("rules", row.seq, "a simulated fund observes by close or by path")
        elif kind == "version":
            self._compare_version(row, body, time)
        else:
            # a kind of a later package: it is in the chain, and is nothing of the fund's
            self.counts["rules"]["not_checked"] += 1

    def _check_beginning(self, seq: int, symbol: str, body: Mapping[str, Any]) -> None:
        """A fund begins with one series, and with the others that share its reserve.

        Raises:
            DataError: it would join funds that live already, whose books and rules it changes.
        """
        if body.get("text") and body.get("stated") is not None:
            self._name("rules", seq, "its series file says one thing and its data another")
        shared = body.get("shared")
        books = self._fold.books.get(symbol if shared is None else shared["name"])
        if books is None:
            return
        if any(each.state.time is not None for each in books.funds):
            raise DataError(
                f"expected {books.name} to begin once, found {symbol} to join its life."
            )
        terms = None if shared is None else shared["terms"]
        if terms != plain(books.pool):
            first = books.funds[0].series.symbol
            why = f"its terms of the reserve {books.name} are not those of {first}"
            self._name("rules", seq, why)

    def _check_told(self, row: Row, body: Mapping[str, Any], told: Sequence[Books]) -> None:
        """A mark names the underlying of the funds that it tells of: readers look there for it."""
        if len(told) != len(body["books"]) or not told:
            self._name("rules", row.seq, f"it tells of {body['books']}, which are no funds of this")
        for books in told:
            expected = f"price:{books.funds[0].series.underlying}"
            if row.fund != expected:
                self._name("rules", row.seq, f"a mark of {row.fund}, expected {expected}")

    def _check_fields(self, row: Row, body: Mapping[str, Any]) -> None:
        """A row has the fields of its kind and no other."""
        try:
            kind = kind_of(row.kind)
        except InputError:
            return  # of a later package
        unknown = sorted(body.keys() - kind.allowed - RESERVED_NAMES)
        missing = sorted(kind.required - body.keys())
        if unknown or missing:
            what = f"unknown: {', '.join(unknown)}" if unknown else f"missing: {', '.join(missing)}"
            self._name("books", row.seq, f"its fields are not those of its kind ({what})")

    def _open(self, row: Row, body: Mapping[str, Any], time: int) -> None:
        books = self._fold.books_of(row.fund)
        record = EVENTS[row.kind]
        with books.number.context():
            event = built(record, body, books.of, time=time)
            self._pass_time(row.seq, books, body, time, row.kind)
            self._check_known(row.seq, [books], body)
            came = came_effects(books, body, time)
        impact = body.get("impact")
        pairs = None
        if impact is not None:
            of = books.of
            pairs = [None if one is None else (of(one[0]), of(one[1])) for one in impact]
        with books.number.context():
            unsaid = unsound(self._twins.group(books, None), event)
        if unsaid is not None:
            self._name("rules", row.seq, f"it cannot have happened: {unsaid}")
        for why in wrong_inputs(books, event, pairs):
            self._name("rules", row.seq, f"it says {why}")
            pairs = None
        self._step = Step(row.seq, books, time, event, pairs, came)

    def _add_effect(self, row: Row, body: Mapping[str, Any], time: int) -> None:
        step = self._step
        if step is None or self._fold.books_of(row.fund) is not step.books:
            self._name("rules", row.seq, f"{row.kind} follows from nothing: no row says what came")
            books = self._fold.books_of(row.fund)
            with books.number.context():
                books.take(built(EFFECTS[row.kind], body, books.of, fund=row.fund, time=time))
            return
        if time != step.time:
            why = f"its time is {time_text(row.time_ms)}, and that of what it follows from is not"
            self._name("rules", row.seq, why)
        of = step.books.of
        step.rows.append((row.seq, built(EFFECTS[row.kind], body, of, fund=row.fund, time=time)))
        if "fill" in body:
            step.fills.append(built(Filled, body["fill"], of))

    # -- what happened -------------------------------------------------------------------------

    def _close(self) -> None:
        """Hold the last step against what the fund itself makes of it."""
        step, self._step = self._step, None
        if step is None:
            return
        books = step.books
        with books.number.context():
            expected, refused = self._expected(step)
            stored = [(step.seq, each) for each in step.came] + step.rows
            if refused is not None:
                self._name("rules", step.seq, refused)
            elif expected is not None:
                self._compare(step, expected, stored)
                if step.wrong_fill is not None:
                    why = f"the fill's {step.wrong_fill}, by the costs of the series file"
                    self._name("rules", step.rows[-1][0], why)
            walk = self._walks[books.name]
            for _, effect in stored:
                if isinstance(effect, ReserveOpened) and walk.watch is not None:
                    value = books.funds[0].state.reserve.units * step.event.price
                    walk.watch.launch(step.time, value)
                books.take(effect)
                if walk.watch is not None:
                    walk.watch.take([effect])
            walk.price = getattr(step.event, "price", walk.price)
        self.counts["rules"]["checked"] += 1
        self.counts["books"]["checked"] += len(stored)
        if step.fills and not self._has_model:
            self.counts["rules"]["not_checked"] += len(step.fills)

    def _expected(self, step: Step) -> tuple[list[Effect[Any]] | None, str | None]:
        """What follows from a step, or why nothing can."""
        books, event = step.books, step.event
        group = self._twins.group(books, step.impact, books.copies(), step.fills)
        if isinstance(event, Crossed):
            wrong = wrong_crossing(group, event)
            if wrong is not None:
                return None, wrong
        try:
            followed = self._twins.follows(group, event)
        except (SteelyardError, AssertionError) as error:
            return None, f"by the rules this cannot happen: {error}"
        if isinstance(group.fills, StoredFills):
            step.wrong_fill = group.fills.wrong
        return as_told(followed), None

    def _compare(
        self, step: Step, expected: list[Effect[Any]], stored: list[tuple[int, Effect[Any]]]
    ) -> None:
        for place, follows in enumerate(expected):
            if place >= len(stored):
                seq = stored[-1][0] if stored else step.seq
                why = f"the rules ask for {_told(follows)}; the journal holds none"
                self._name("rules", seq, why)
                return
            seq, said = stored[place]
            if type(said) is not type(follows) or said.fund != follows.fund:
                why = f"the journal says {_told(said)}; the rules ask for {_told(follows)}"
                self._name("rules", seq, why)
                return
            differs = difference(follows, said)
            if differs is not None:
                proof = "books" if type(said).__name__ in OF_BOOKS else "rules"
                self._name(proof, seq, f"{kind_name(type(said))}: {differs}")
                return
        if len(stored) > len(expected):
            seq, said = stored[len(expected)]
            self._name("rules", seq, f"the journal says {_told(said)}; the rules ask for none")

    # -- what passed ---------------------------------------------------------------------------

    def _pass_time(
        self, seq: int, books: Books, body: Mapping[str, Any], time: int, kind: str
    ) -> None:
        """Take in what a row says of the time before it, and ask whether something was due."""
        walk = self._walks[books.name]
        of = books.of
        low, high = (None if body[name] is None else of(body[name]) for name in ("low", "high"))
        if (low is None) != (high is None) or (low is not None and not 0 < low <= high):
            self._name("rules", seq, f"its range is {low} to {high}, which is none")
            low = high = None
        self._check_hours(seq, books, walk, time, kind)
        with books.number.context():
            passed = passed_effects(books, body)
            terms = self._twins.terms(books)
            before = [(each.state.cash, each.state.units) for each in books.funds]
            seen = Between(low, high, walk.price, body["out"] is True, books.funds[0].intrabar)
            self._check_passed(seq, books, terms, passed, time, low, high)
            clock = [each.state.time for each in books.funds]
            for effect in passed:
                books.take(effect)
                if walk.watch is not None:
                    walk.watch.take([effect])
            self._check_due(seq, books, before, seen, clock)
        if passed:
            walk.time = max(each.time for each in passed)
        if kind in ("mark", "stopped"):
            price = of(body["price"])
            self._check_price(seq, walk, price, low, high)
            walk.price = price

    def _check_known(self, seq: int, told: Sequence[Books], body: Mapping[str, Any]) -> None:
        """A row tells of funds that it concerns, and of no other."""
        known = {each.series.symbol for books in told for each in books.funds}
        strangers = [each["fund"] for each in body["passed"] if each["fund"] not in known]
        if strangers:
            self._name("books", seq, f"it says what passed for {strangers[0]}, which is not of it")

    def _check_price(self, seq: int, walk: Walk, price: Any, low: Any, high: Any) -> None:  # noqa: ANN401
        """A mark's price is the last that was seen."""
        if low is None:
            if walk.price is not None and not is_close(walk.price, price):
                why = f"its price is {price}, and none was observed since {walk.price}"
                self._name("rules", seq, why)
        elif not low <= price <= high:
            self._name("rules", seq, f"its price is {price}, expected one from {low} to {high}")

    def _check_passed(
        self,
        seq: int,
        books: Books,
        terms: Sequence[Any],
        passed: Sequence[Passed[Any]],
        time: int,
        low: Any,  # noqa: ANN401
        high: Any,  # noqa: ANN401
    ) -> None:
        symbols = [each.fund for each in passed]
        if len(set(symbols)) != len(symbols):
            self._name("books", seq, "it says twice what passed for one fund")
        for why in wrong_reserve(books, terms, passed):
            self._name("books", seq, why)
        for effect in passed:
            kept = books.fund(effect.fund)
            one = terms[books.funds.index(kept)]
            for why in wrong_accruals(kept, one, effect, time, low, high):
                self._name("books", seq, why)
            self.counts["books"]["checked"] += 1
            if effect.accrued is not None or effect.settled is not None or effect.blocked:
                # in which minute each kind accrued, and at what rate, is not in the journal
                self.counts["books"]["not_checked"] += 1

    def _check_due(
        self,
        seq: int,
        books: Books,
        before: Sequence[tuple[Any, Any]],
        seen: Between,
        clock: Sequence[int | None],
    ) -> None:
        came = [each.state.time != time for each, time in zip(books.funds, clock, strict=True)]
        if seen.low is None and not any(came):
            return
        counts = self.counts["rules"]
        group = self._twins.group(books, None)
        for fund, held, is_new in zip(group.funds, before, came, strict=True):
            for why in (
                *due_between(group, fund, held, seen),
                *(due_now(group, fund, seen) if is_new else ()),
            ):
                if why is None:
                    counts["not_checked"] += 1
                else:
                    self._name("rules", seq, why)
        for fund in [fund for fund, is_new in zip(group.funds, came, strict=True) if is_new][:1]:
            for why in reserve_due(group, fund.state.time, fund.state.price):
                self._name("rules", seq, why)
        counts["checked"] += 1

    # -- hours ---------------------------------------------------------------------------------

    def _check_hours(self, seq: int, books: Books, walk: Walk, time: int, kind: str) -> None:
        """Rows come in the order of time, and each full hour has its mark."""
        if time < walk.row_time:
            self._name("rules", seq, "its time is before that of the row before it by these books")
        walk.row_time = max(walk.row_time, time)
        self._check_health_was_there(seq, walk)
        if kind == "mark" and books.pool is not None:
            walk.health = time
        is_over = all(each.state.ended is not None for each in books.funds)
        if kind == "mark":
            if walk.mark is not None and time != walk.mark:
                expected = time_text(walk.mark * 1000)
                self._name("rules", seq, f"a mark of {time_text(time * 1000)}, expected {expected}")
            walk.mark = time + HOUR_S
        elif kind == "observed":
            if walk.mark is None:
                walk.mark = time if time % HOUR_S == 0 else first_hour_after(time)
            elif walk.mark < time and not is_over:
                why = f"the mark of {time_text(walk.mark * 1000)} is missing before it"
                self._name("rules", seq, why)
                walk.mark = time // HOUR_S * HOUR_S
            walk.time = time

    def _check_health_was_there(self, seq: int, walk: Walk) -> None:
        if walk.health is not None:
            why = f"the reserve's health of {time_text(walk.health * 1000)} is missing before it"
            self._name("rules", seq, why)
            walk.health = None

    def _compare_health(self, row: Row, body: Mapping[str, Any], time: int) -> None:
        """The figures of a reserve are those of its books."""
        books = self._fold.books_of(row.fund)
        walk = self._walks[books.name]
        watch = walk.watch
        if walk.health != time:
            self._name("rules", row.seq, "health that follows no mark of its hour")
        walk.health = None
        if watch is None or books.pool is None:
            self._name("books", row.seq, f"{row.fund} has no reserve")
            return
        with books.number.context():
            expected = watch.health(time, self._walks[books.name].price)
            of = books.of
            for name, figure in expected.items():
                said = body[name]
                found = of(said) if isinstance(said, str) else said
                if not is_close(figure, found):
                    self._name(
                        "books", row.seq, f"health: {name} is {said}, expected {plain(figure)}"
                    )
                    return
        self.counts["books"]["checked"] += 1

    def _compare_version(self, row: Row, body: Mapping[str, Any], time: int) -> None:
        """Another program goes on from the state in which the one before stopped."""
        books = self._fold.books_of(row.fund)
        kept, walk = books.fund(row.fund), self._walks[books.name]
        before = kept.state.copy()
        self._fold.see(row.kind, row.fund, time, body)
        if before.time is None and kept.state.time is not None:
            # the fund has lived elsewhere: what it was there is not in this journal
            walk.time, walk.price = kept.state.time, kept.state.price
            walk.mark = first_hour_after(kept.state.time)
            self.counts["books"]["not_checked"] += 1
            if kept is not books.funds[0] and before.reserve != kept.state.reserve:
                self._name("books", row.seq, "version: the reserve is not that of the fund before")
            return
        for name in (each.name for each in fields(before)):
            there, said = getattr(before, name), getattr(kept.state, name)
            if there != said:
                why = f"version: {name} is {said}, expected {there}, as the rows before left it"
                self._name("books", row.seq, why)
                return
        self.counts["books"]["checked"] += 1

    def _name(self, proof: str, seq: int, why: str) -> None:
        found = self._found[proof]
        before = found.get(seq)
        if before is not None and len(before) < LONGEST_REASON:
            found[seq] = f"{before}; {why}"
        elif before is None and len(found) < MAX_FINDINGS:
            found[seq] = why


@dataclass
class AuditCheck:
    """One of the two proofs of an audit; the leading one shows it the rows."""

    name: str
    audit: Audit
    is_leading: bool

    def see(self, row: Row, body: Mapping[str, Any] | None) -> None:
        """Look at the next row."""
        if self.is_leading:
            self.audit.see(row, body)

    def proof(self) -> Proof:
        """What was found."""
        if self.is_leading:
            self.audit.end()
        return self.audit.proof(self.name)


def _told(effect: Effect[Any]) -> str:
    """An effect in words and figures."""
    kind = kind_name(type(effect)).replace("_", " ")
    if kind == "decided":
        intent = effect.intent  # type: ignore[union-attr]  # of Decided
        from steelyard.rules.triggers import Trigger

        name = Trigger(intent.trigger).name.lower()
        return (
            f"a rebalance by {name} of {intent.notional} at a price of {intent.price} "
            f"(leverage {intent.leverage})"
        )
    if isinstance(effect, (Accrued, Seen, PriceSettled)):
        return f"{kind} at {effect.price}"
    price = getattr(effect, "price", None)
    why = getattr(effect, "why", None) or getattr(effect, "reason", None)
    return kind + (f" ({why})" if why else "") + ("" if price is None else f" at {price}")
