"""Opening steps a live fund's observations again: they lead from each stored outcome to the next.

A fund that observes prices by the clock stores each observation, so that the rows say all that it
was told. ``steelyard.fund.step`` is told the same again, in the state that the rows before left,
and has to give what the journal holds: to the last digit on Decimals, within 1e-12 on floats.
Otherwise the fund stops before it does harm. This reads, and changes no state; rows that another
version of the program wrote are not asked, because history does not change when the code does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from steelyard.errors import InvariantError, SteelyardError
from steelyard.fund.apply import apply
from steelyard.fund.effects import Effect
from steelyard.fund.events import Filled
from steelyard.ledger.bodies import built
from steelyard.ledger.events import Row
from steelyard.ledger.fold import Books, came_effects, passed_effects
from steelyard.ledger.fund_kinds import EFFECTS, EVENTS, kind_name
from steelyard.ledger.same import difference
from steelyard.ledger.twins import Twins, as_told

__all__ = ["Restep", "is_observed_by_the_clock"]


class Told(NamedTuple):
    """A row about something that happened, and what the fund itself makes of it."""

    seq: int
    came: list[Effect[Any]]
    rows: list[tuple[int, Effect[Any]]]
    event: Any
    states: list[Any]
    """Before it."""
    impact: list[Any] | None
    fills: list[Filled[Any]]


def is_observed_by_the_clock(books: Books) -> bool:
    """Whether each observation of these funds is a row of their journal."""
    return books.funds[0].intrabar is None


class Restep:
    """Takes the rows of one group of funds in, beside the fold that applies them.

    Args:
        books: the funds; each row is shown before the fold has applied it.
    """

    def __init__(self, books: Books) -> None:
        self._books = books
        self._twins = Twins(None)
        self._told: Told | None = None

    def see(self, row: Row, fields: Mapping[str, Any]) -> None:
        """Look at the next row, which the fold applies after this.

        Raises:
            InvariantError: the rows before it do not follow from each other.
            DataError: its body is not what its kind says.
        """
        told, of, time = self._told, self._books.of, row.time_ms // 1000
        if row.kind in EFFECTS and told is not None:
            effect = built(EFFECTS[row.kind], fields, of, fund=row.fund, time=time)
            told.rows.append((row.seq, effect))
            if "fill" in fields:
                told.fills.append(built(Filled, fields["fill"], of))
            return
        self.close()
        if row.kind in EVENTS:
            self._told = self._opened(row.seq, row.kind, time, fields)

    def close(self) -> None:
        """No row follows the ones so far.

        Raises:
            InvariantError: they do not follow from each other.
        """
        told, self._told = self._told, None
        if told is None:
            return
        with self._books.number.context():
            followed = self._followed(told)
        stored = [*((told.seq, each) for each in told.came), *told.rows]
        for place, (seq, said) in enumerate(stored):
            if place >= len(followed):
                _stop(seq, f"{_kind(said)} is stored, and nothing follows")
            made = followed[place]
            if type(made) is not type(said) or made.fund != said.fund:
                _stop(seq, f"{_kind(said)} is stored, expected {_kind(made)}")
            differs = None if made == said else difference(made, said)
            if differs is not None:
                _stop(seq, f"{_kind(said)}: {differs}")
        if len(followed) > len(stored):
            missing = followed[len(stored)]
            _stop(stored[-1][0] if stored else told.seq, f"expected {_kind(missing)} after it")

    def _opened(self, seq: int, kind: str, time: int, fields: Mapping[str, Any]) -> Told:
        """The state before the row is that of the fold, and what the row says passed."""
        books, impact = self._books, fields.get("impact")
        of = books.of
        event = built(EVENTS[kind], fields, of, time=time)
        pairs = impact and [None if one is None else tuple(map(of, one)) for one in impact]
        states = books.copies()
        symbols = [each.series.symbol for each in books.funds]
        with books.number.context():
            for passed in passed_effects(books, fields):
                apply(states[symbols.index(passed.fund)], passed)
            came = came_effects(books, fields, time)
        return Told(seq, came, [], event, states, pairs, [])

    def _followed(self, told: Told) -> Sequence[Effect[Any]]:
        group = self._twins.group(self._books, told.impact, told.states, told.fills)
        try:
            return as_told(self._twins.follows(group, told.event))
        except (SteelyardError, AssertionError) as error:
            _stop(told.seq, f"it cannot happen in the state before it ({error})")


def _kind(effect: Effect[Any]) -> str:
    return kind_name(type(effect)).replace("_", " ")


def _stop(seq: int, why: str) -> NoReturn:
    message = (
        f"event {seq}: {why}, when the observations of the journal are stepped again from the "
        'outcome stored before it: the fund must not go on. "steelyard journal verify" names all '
        "events that do not hold."
    )
    raise InvariantError(message, at=seq)
