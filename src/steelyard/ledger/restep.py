"""Opening steps a live fund's observations again: they lead from each stored outcome to the next.

A fund that observes prices by the clock stores each observation, so that the rows say all that it
was told. ``steelyard.fund.step`` is told the same again, in the state that the rows before left,
and has to give what the journal holds: to the last digit on Decimals, within 1e-12 on floats.
Otherwise the fund stops before it does harm. Rows that another version of the program wrote are
folded and not asked, because history does not change when the code does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from steelyard.errors import InvariantError
from steelyard.fund.effects import Effect, Passed
from steelyard.fund.group import Group
from steelyard.ledger.effect_words import kind_words
from steelyard.ledger.event_rows import Row
from steelyard.ledger.fold import REFUSING, Books
from steelyard.ledger.fund_kinds import EFFECTS, EVENTS
from steelyard.ledger.replayed_funds import Twins
from steelyard.ledger.told import Mismatch, Told, followed, mismatch, told_of
from steelyard.rules.numbers import FLOAT

__all__ = ["Restep", "is_observed_by_the_clock"]


def is_observed_by_the_clock(books: Books) -> bool:
    """Whether each observation of these funds is a row of their journal."""
    first = books.funds[0]
    return first.intrabar is None or not first.is_model


class Restep:
    """Takes the rows of one group of funds in, in the place of a fold that asks nothing.

    Args:
        books: the funds, as the rows before left them.
    """

    def __init__(self, books: Books) -> None:
        self._books, self._twins = books, Twins(None)
        self._told: Told | None = None
        self._own: Group[Any] | None = None
        """The books' own states, from the first row on."""

    def see(self, row: Row, fields: Mapping[str, Any], effects: Sequence[Effect[Any]]) -> None:
        """Take in the next row, in the arithmetic of the books.

        Args:
            row: the row.
            fields: of its body.
            effects: what it says that passed before it, and that followed.

        Raises:
            InvariantError: the rows before it do not follow from each other.
            DataError: its body is not what its kind says.
        """
        if row.kind in EFFECTS and self._told is not None:
            self._told.add(row.seq, effects[0], self._books, fields)
            if self._told.group is not self._own:
                self._take(effects)
            return
        self.close()
        if row.kind not in EVENTS:
            self._take(effects)
            return
        passed = [each for each in effects if isinstance(each, Passed)]
        came = effects[len(passed) :]
        self._take(passed)
        self._told = told_of(row, self._books, fields, self._group(), came)
        if self._told.group is not self._own:
            self._take(came)

    def close(self) -> None:
        """No row follows the ones so far; in the arithmetic of the books.

        Raises:
            InvariantError: they do not follow from each other.
        """
        told, self._told = self._told, None
        if told is None:
            return
        made = followed(self._twins, told)
        if made.refused is not None:
            _stop(told.seq, made.refused)
        found = None if made.is_stored else mismatch(told, made.effects)
        if found is not None:
            _stop(found.seq, _why(found))
        if told.group is self._own:
            for effect in made.effects:
                if type(effect) in REFUSING:
                    self._books.remember(effect)

    def _group(self) -> Group[Any]:
        """Where the next event happens: in the books, or beside them where sums may differ.

        What follows is the stored outcome to the last digit, or the fund stops: then the books
        need no second state. Floats go on from what is stored, from which they may be 1e-12 off.
        """
        if self._books.number is FLOAT:
            return self._twins.beside(self._books)
        if self._own is None:
            self._own = self._twins.group(self._books)
        return self._own

    def _take(self, effects: Sequence[Effect[Any]]) -> None:
        for effect in effects:
            self._books.take(effect)


def _why(found: Mismatch) -> str:
    said, follows = found.said, found.follows
    if said is None and follows is not None:
        return f"expected {kind_words(follows)} after it"
    assert said is not None  # noqa: S101 (one of the two is there)
    if follows is None:
        return f"{kind_words(said)} is stored, and nothing follows"
    if found.differs is None:
        return f"{kind_words(said)} is stored, expected {kind_words(follows)}"
    return f"{kind_words(said)}: {found.differs}"


def _stop(seq: int, why: str) -> NoReturn:
    message = (
        f"event {seq}: {why}, when the observations of the journal are stepped again from the "
        'outcome stored before it: the fund must not go on. "steelyard journal verify" names all '
        "events that do not hold."
    )
    raise InvariantError(message, at=seq)
