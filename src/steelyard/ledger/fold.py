"""The fold: applying the stored events one after another restores the state of the funds.

No decision is made here and no rule is evaluated. Each row holds the resulting balances, and
``steelyard.fund.apply`` puts them into the books, so a history gives the same state in every later
version of the program.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

from steelyard.errors import DataError
from steelyard.fund.apply import apply
from steelyard.fund.effects import (
    Blocked,
    Closed,
    Effect,
    Passed,
    Resumed,
    Rolled,
    Settled,
    Suspended,
    Unfilled,
)
from steelyard.fund.state import ReserveState, State, new_state
from steelyard.ledger.bodies import UNFIT, amount_reader, built, number_named, record_reader
from steelyard.ledger.fund_kinds import EFFECTS, TELLING
from steelyard.rules.numbers import Number
from steelyard.rules.series import Reserve, Series

__all__ = ["REFUSING", "Books", "Fold", "Kept", "came_effects", "effects_of", "passed_effects"]

RESERVE = "reserve:"
"""The prefix of a shared reserve's name, so that no fund can have the name as its symbol."""

REFUSING = frozenset({Blocked, Settled, Unfilled, Rolled, Closed, Suspended, Resumed})
"""The effects that are a refusal or end one; the same refusal is stored again only after them."""


@dataclass
class Kept:
    """A fund in a journal: its series, and its state after the rows so far."""

    series: Series
    number: Number[Any]
    state: State[Any]
    intrabar: str | None
    is_model: bool
    """Whether fills follow the series' own costs, because the fund is simulated."""
    book: tuple[tuple[float, ...], ...] | None
    told: tuple[int, str] | None = None
    """The trigger and reason of the last stored refusal, which is not stored again."""


@dataclass
class Books:
    """The funds that share a reserve, or a single fund; a step changes them together."""

    name: str
    funds: list[Kept] = field(default_factory=list)
    changes: int = 0
    """The number of changes so far: by an effect, by a whole state, or by a new fund."""

    @cached_property
    def number(self) -> Number[Any]:
        """The kind of number of the books."""
        return self.funds[0].number

    @cached_property
    def of(self) -> Callable[[str], Any]:
        """The function that reads an amount of these books."""
        return amount_reader(self.number)

    @property
    def pool(self) -> Reserve | None:
        """The terms of the reserve."""
        return self.funds[0].series.reserve

    def fund(self, symbol: str) -> Kept:
        """The fund of this symbol, or the first fund for the name of the reserve.

        Raises:
            DataError: there is no such fund.
        """
        for each in self.funds:
            if each.series.symbol == symbol:
                return each
        if symbol == self.name:
            return self.funds[0]
        raise DataError(f"expected a fund of {self.name}, found {symbol!r}.", found=symbol)

    def take(self, effect: Effect[Any]) -> None:
        """Apply one effect."""
        kept, kind = self.fund(effect.fund), type(effect)
        self.changes += 1
        apply(kept.state, effect)
        if kind in REFUSING:
            self.remember(effect)

    def remember(self, effect: Effect[Any]) -> None:
        """Remember a refusal, so that it is not stored again until something else happens."""
        kept, kind = self.fund(effect.fund), type(effect)
        if isinstance(effect, Blocked):
            kept.told = effect.trigger, effect.why
        elif kind in (Settled, Unfilled, Rolled, Closed):
            kept.told = None
        elif kind in REFUSING:
            for each in self.funds:
                each.told = None

    def copies(self) -> list[State[Any]]:
        """Copies of the present states, which share a copy of their reserve."""
        states = [each.state.copy() for each in self.funds]
        for state in states:
            state.reserve = states[0].reserve
        return states


class Fold:
    """The funds of a journal after the rows so far."""

    def __init__(self) -> None:
        self.books: dict[str, Books] = {}
        """The books by the name of the shared reserve, or by the symbol of the single fund."""
        self._by_symbol: dict[str, Books] = {}

    @classmethod
    def of(cls, books: Books) -> Fold:
        """A fold that holds only these books, in their present state."""
        fold = cls()
        fold.books[books.name] = books
        fold._by_symbol.update((each.series.symbol, books) for each in books.funds)
        return fold

    def books_of(self, fund: str) -> Books:
        """The books to which a row of this fund or reserve belongs.

        Raises:
            DataError: no row with its series came before.
        """
        found = self._by_symbol.get(fund) or self.books.get(fund)
        if found is None:
            raise DataError(f"expected a series row of {fund} before this, found none.", fund=fund)
        return found

    def see(self, kind: str, fund: str, time: int, body: Mapping[str, Any]) -> None:
        """Apply one row; ``time`` is in epoch s.

        Raises:
            DataError: the body does not have the form of its kind.
        """
        if kind == "series":
            self._begin(fund, body)
        elif kind == "version":
            self._replace(fund, body)
        else:
            for books in self.concerned(kind, fund, body):
                with books.number.context():
                    for effect in effects_of(books, kind, fund, time, body):
                        books.take(effect)

    def concerned(self, kind: str, fund: str, body: Mapping[str, Any]) -> list[Books]:
        """The books that a row concerns; a mark can concern several."""
        if kind != "mark":
            return [self.books_of(fund)]
        return [self.books[name] for name in body["books"] if name in self.books]

    def _begin(self, symbol: str, body: Mapping[str, Any]) -> None:
        try:
            kept, name = _kept_of(symbol, body)
        except UNFIT as error:
            message = (
                f"series of {symbol}: its body does not have the form of its kind ({error!r:.200})."
            )
            raise DataError(message, fund=symbol) from error
        if symbol.startswith(RESERVE):
            raise DataError(f"expected the symbol of a fund, found the reserve {symbol!r:.80}.")
        if symbol in self._by_symbol:
            raise DataError(f"expected one series row of {symbol}, found another.", fund=symbol)
        books = self.books.setdefault(name or symbol, Books(name or symbol))
        if books.funds:
            kept.state.reserve = books.funds[0].state.reserve
        books.funds.append(kept)
        books.changes += 1
        self._by_symbol[symbol] = books

    def _replace(self, symbol: str, body: Mapping[str, Any]) -> None:
        books = self.books_of(symbol)
        kept = books.fund(symbol)
        state = built(State, body.get("state"), books.of)
        shared = kept.state.reserve
        for each in ReserveState.__slots__:
            setattr(shared, each, getattr(state.reserve, each))
        state.reserve = shared
        kept.state = state
        books.changes += 1


def _kept_of(symbol: str, body: Mapping[str, Any]) -> tuple[Kept, str | None]:
    number = number_named(body["number"])
    stated, shared, book = body.get("stated"), body.get("shared"), body.get("book")
    of = amount_reader(number_named("float"))
    if stated is None:
        series = Series.loads(body["text"], symbol)
    else:
        series = built(Series, {**stated, "text": body["text"]}, of)
    if series.symbol != symbol:
        message = f"expected the series of {symbol}, found that of {series.symbol}."
        raise DataError(message, found=series.symbol)
    name = None
    if shared is not None:
        name, unknown = shared["name"], sorted(set(shared) - {"name", "terms"})
        if unknown or not name.startswith(RESERVE):
            message = (
                f"expected the name ({RESERVE}NAME) and terms of a reserve, found {shared!r:.80}."
            )
            raise DataError(message, found=name)
        series = replace(series, reserve=built(Reserve, shared["terms"], of))
    columns = None if book is None else tuple(tuple(map(of, column)) for column in book)
    kept = Kept(
        series,
        number,
        new_state(series, number),
        body.get("intrabar"),
        body.get("venue") == "model",
        columns,
    )
    return kept, name


def effects_of(
    books: Books, kind: str, fund: str, time: int, body: Mapping[str, Any]
) -> list[Effect[Any]]:
    """The effects in a row: its own, or the accruals before and at an observation.

    Raises:
        DataError: the body does not have the form of its kind.
    """
    if kind in EFFECTS:
        return [record_reader(EFFECTS[kind], books.of, "fund", "time")(body, fund, time)]
    if kind in TELLING:
        return [*passed_effects(books, body), *came_effects(books, body, time)]
    return []


def passed_effects(books: Books, body: Mapping[str, Any]) -> list[Passed[Any]]:
    """The accruals of these books before a row, which the row states."""
    said = body.get("passed")
    if not said:
        return []
    symbols = [each.series.symbol for each in books.funds]
    return [built(Passed, each, books.of) for each in said if each.get("fund") in symbols]


def came_effects(books: Books, body: Mapping[str, Any], time: int) -> list[Effect[Any]]:
    """The accruals at the observation of a row."""
    return [_came_reader(each["effect"], books.of)(each, time) for each in body.get("came", ())]


@cache
def _came_reader(name: str, of: Callable[[str], Any]) -> Callable[..., Effect[Any]]:
    """A reader of effects of one kind from the objects of ``came``, which name their kind."""
    return record_reader(EFFECTS[name], of, "time", beside=("effect",))
