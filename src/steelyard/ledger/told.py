"""A row about something that happened, with what the journal says followed and what does follow.

Opening a journal and auditing it ask the same question here: the fund itself (``twins``) is told
what the row says, in the state that the rows before it left, and what it makes of that is held
against the rows after it. Both then say in their own words what does not agree.
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
    """Something that happened, and the effects that the journal says followed."""

    seq: int
    event: Any
    impact: Sequence[Any] | None
    """The impact that trades have at present, one a fund; None: none has one."""
    came: Sequence[Effect[Any]]
    """What accrued at this observation, which the row itself says."""
    group: Group[Any]
    """Stands where the books stand before it."""
    rows: list[tuple[int, Effect[Any]]] = field(default_factory=list)
    """The effects that have rows of their own, by number."""
    fills: list[Filled[Any]] = field(default_factory=list)
    cannot: str | None = None
    """Why it cannot have happened: then nothing is asked of the fund."""

    @property
    def stored(self) -> list[tuple[int, Effect[Any]]]:
        """All that followed by the journal, in order, each with the number of its row."""
        return [*((self.seq, each) for each in self.came), *self.rows]

    def add(self, seq: int, effect: Effect[Any], books: Books, fields: Mapping[str, Any]) -> None:
        """Take in one more row of what followed.

        Raises:
            DataError: its fill is none.
        """
        self.rows.append((seq, effect))
        if "fill" in fields:
            self.fills.append(built(Filled, fields["fill"], books.of))


class Present(NamedTuple, Generic[Num]):
    """What a row says beside what happened."""

    impact: tuple[Impact[Num] | None, ...]


class Followed(NamedTuple):
    """What the fund itself makes of a row."""

    effects: list[Effect[Any]]
    refused: str | None
    """Why nothing can follow, because it cannot have happened."""
    fills_left: bool
    """The journal holds fills that belong to no order."""
    wrong_fill: str | None
    """How a fill differs from what the series' own costs make."""
    is_stored: bool
    """The journal holds these very effects."""


class Mismatch(NamedTuple):
    """Where what the journal says first is not what follows."""

    seq: int
    said: Effect[Any] | None
    """None: the journal says nothing more."""
    follows: Effect[Any] | None
    """None: nothing more follows."""
    differs: str | None
    """The first figure that differs, where both are of one kind and fund."""


def told_of(
    row: Row,
    books: Books,
    fields: Mapping[str, Any],
    group: Group[Any],
    came: Sequence[Effect[Any]],
) -> Told:
    """What a row about something that happened says; ``group`` is where it happened.

    Raises:
        DataError: its body is not what its kind says.
    """
    of, impact = books.of, None
    event = record_reader(EVENTS[row.kind], of, "time")(fields, row.time_ms // 1000)
    if fields.get("impact") is not None:
        impact = record_reader(Present, of)(fields).impact
    return Told(row.seq, event, impact, came, group)


def followed(twins: Twins, told: Told) -> Followed:
    """Tell the group what happened, which goes on by it; in the arithmetic of its books."""
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
    """Where the stored effects first are not these; None: nowhere."""
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
