"""An event of the journal, with the effects in the journal and those that the fund produces.

Opening a journal and auditing it use the same comparison. The fund itself (``twins``) processes the
event of a row, from the state after the rows before, and its effects are compared with the rows
that follow. Both callers report differences in their own words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple

from steelyard.errors import SteelyardError
from steelyard.fund.effects import Effect
from steelyard.fund.events import Crossed, Filled
from steelyard.fund.group import Group
from steelyard.fund.terms import Impact
from steelyard.ledger.bodies import built, record_reader
from steelyard.ledger.crossings import wrong_crossing
from steelyard.ledger.event_rows import Row
from steelyard.ledger.fold import Books
from steelyard.ledger.fund_kinds import EVENTS
from steelyard.ledger.replayed_funds import StoredFills, Twins, as_told
from steelyard.ledger.same import difference
from steelyard.rules.numbers import Num

__all__ = ["Followed", "Mismatch", "Told", "followed", "mismatch", "told_of"]


@dataclass(slots=True)
class Told:
    """An event, and its effects according to the journal."""

    seq: int
    event: Any
    impact: Sequence[Any] | None
    """The present impact of trades, one for each fund; None where no fund has one."""
    came: Sequence[Effect[Any]]
    """The accruals at this observation, which the row itself states."""
    group: Group[Any]
    """The group in the state of the books before the event."""
    rows: list[tuple[int, Effect[Any]]] = field(default_factory=list)
    """The effects that have rows of their own, each with the number of its row."""
    fills: list[Filled[Any]] = field(default_factory=list)
    cannot: str | None = None
    """The reason why the event cannot have happened, so that the fund does not process it."""

    @property
    def stored(self) -> list[tuple[int, Effect[Any]]]:
        """All effects in the journal, in order, each with the number of its row."""
        return [*((self.seq, each) for each in self.came), *self.rows]

    def add(self, seq: int, effect: Effect[Any], books: Books, fields: Mapping[str, Any]) -> None:
        """Add the row of one more effect.

        Raises:
            DataError: the fill in the row is not valid.
        """
        self.rows.append((seq, effect))
        if "fill" in fields:
            self.fills.append(built(Filled, fields["fill"], books.of))


class Present(NamedTuple, Generic[Num]):
    """The data in a row besides its event."""

    impact: tuple[Impact[Num] | None, ...]


class Followed(NamedTuple):
    """The result when the fund itself processes the event of a row."""

    effects: list[Effect[Any]]
    refused: str | None
    """The reason why the event cannot have happened; None where it can."""
    fills_left: bool
    """Whether the journal holds fills that belong to no order."""
    wrong_fill: str | None
    """How a fill differs from one by the series' own costs; None where none differs."""
    is_stored: bool
    """Whether the journal holds exactly these effects."""


class Mismatch(NamedTuple):
    """The first difference between the journal's effects and those of the fund."""

    seq: int
    said: Effect[Any] | None
    """The effect in the journal; None where it holds no more."""
    follows: Effect[Any] | None
    """The effect of the fund; None where there are no more."""
    differs: str | None
    """The first figure that differs, where both effects have the same kind and fund."""


def told_of(
    row: Row,
    books: Books,
    fields: Mapping[str, Any],
    group: Group[Any],
    came: Sequence[Effect[Any]],
) -> Told:
    """The event of a row, which happens to ``group``.

    Raises:
        DataError: the body does not have the form of its kind.
    """
    of, impact = books.of, None
    event = record_reader(EVENTS[row.kind], of, "time")(fields, row.time_ms // 1000)
    if fields.get("impact") is not None:
        impact = record_reader(Present, of)(fields).impact
    return Told(row.seq, event, impact, came, group)


def followed(twins: Twins, told: Told) -> Followed:
    """Let the group process the event, in the arithmetic context of its books."""
    group, event = told.group, told.event
    if told.cannot is not None:
        return _refused(f"it cannot have happened: {told.cannot}")
    twins.prepare(group, told.impact, told.fills)
    if isinstance(event, Crossed):
        wrong = wrong_crossing(group, event)
        if wrong is not None:
            return _refused(wrong)
    try:
        effects = as_told(twins.follows(group, event))
    except (SteelyardError, AssertionError) as error:
        return _refused(f"by the rules this cannot happen: {error}")
    wrong_fill, fills_left = None, bool(told.fills)
    if isinstance(group.fills, StoredFills):
        wrong_fill, fills_left = group.fills.wrong, group.fills.are_left
    stored = [*told.came, *[effect for _, effect in told.rows]]
    # two kinds of effect may have the same figures
    is_stored = stored == effects and list(map(type, stored)) == list(map(type, effects))
    return Followed(effects, None, fills_left, wrong_fill, is_stored)


def _refused(why: str) -> Followed:
    return Followed([], why, fills_left=False, wrong_fill=None, is_stored=False)


def mismatch(told: Told, effects: Sequence[Effect[Any]]) -> Mismatch | None:
    """The first stored effect that is not among these; None where all agree."""
    stored = told.stored
    for (seq, said), follows in zip(stored, effects, strict=False):
        if said == follows and type(said) is type(follows):
            continue
        if type(said) is not type(follows) or said.fund != follows.fund:
            return Mismatch(seq, said, follows, None)
        differs = difference(follows, said)
        if differs is not None:
            return Mismatch(seq, said, follows, differs)
    if len(stored) > len(effects):
        seq, said = stored[len(effects)]
        return Mismatch(seq, said, None, None)
    if len(effects) > len(stored):
        return Mismatch(stored[-1][0] if stored else told.seq, None, effects[len(stored)], None)
    return None
