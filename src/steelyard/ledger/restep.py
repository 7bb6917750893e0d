"""The check, when a journal is opened, that a live fund's rows follow from its observations.

A fund that observes prices by the clock stores each observation, so the rows contain all its
inputs. ``steelyard.fund.step`` gets the same events again, from the state after the rows before,
and has to give the effects in the journal: to the last digit on Decimals, within 1e-12 on floats.
Otherwise the fund stops before it does harm. Rows from another version of the program are applied
without this check, because history does not change when the code does.
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
    """The application of a group's rows with this check, in place of a plain fold.

    Args:
        books: the funds after the rows before.
    """

    def __init__(self, books: Books) -> None:
        self._books, self._twins = books, Twins(None)
        self._told: Told | None = None
        self._own: Group[Any] | None = None
        """The group that works on the books' own states, from the first row on."""

    def see(self, row: Row, fields: Mapping[str, Any], effects: Sequence[Effect[Any]]) -> None:
        """Apply the next row, in the arithmetic context of the books.

        Args:
            row: the row.
            fields: the fields of its body.
            effects: the accruals before it and the effects that it states.

        Raises:
            InvariantError: the rows before it do not follow from each other.
            DataError: the body does not have the form of its kind.
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
        """Check the last rows, in the arithmetic context of the books.

        Raises:
            InvariantError: the rows do not follow from each other.
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
        """The group for the next event: the books themselves, or a copy where sums may differ.

        On Decimals the effects equal the stored ones to the last digit, or the fund stops, so no
        second state is needed. Floats continue from the stored effects, from which they may differ
        by 1e-12.
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
        return f"{kind_words(said)} is stored, but no effect follows"
    if found.differs is None:
        return f"{kind_words(said)} is stored, expected {kind_words(follows)}"
    return f"{kind_words(said)}: {found.differs}"


def _stop(seq: int, why: str) -> NoReturn:
    message = (
        f"event {seq}: {why}, when the observations of the journal are run again from the "
        'outcome stored before it. The fund must not continue. "steelyard journal verify" names '
        "all events that fail."
    )
    raise InvariantError(message, at=seq)
