"""The journal of a run: it is opened for writing, continued if it has the funds, and closed.

A driver uses it like this::

    with recording(where, tokens, number, mode, books) as kept:
        states = kept.states or new ones
        ... the driver reports each step to kept.recorder(states) ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from steelyard.errors import InputError
from steelyard.ledger.current_books import found_books
from steelyard.ledger.event_rows import Event
from steelyard.ledger.recorder import Recorder
from steelyard.ledger.series_rows import books_for
from steelyard.ledger.snapshots import snapshot_of
from steelyard.ledger.writer import open_writer
from steelyard.rules.numbers import Number
from steelyard.rules.series import Series
from steelyard.rules.series_check import check_series
from steelyard.version import __version__

if TYPE_CHECKING:
    from steelyard.ledger.current_books import FoundFunds

__all__ = ["InMemory", "Recording", "recording"]


class RecordingTarget(Protocol):
    """What a recording writes into: a journal's writer, or memory."""

    @property
    def place(self) -> str:
        """Its name in messages."""

    def append(self, events: Sequence[Event]) -> object:
        """Write events."""

    def snapshot(self, fund: str, state: Mapping[str, Any]) -> None:
        """Write a snapshot."""


class KeptEvents:
    """Events that are kept in memory and not stored."""

    place = "memory"

    def __init__(self) -> None:
        self.events: list[Event] = []

    def append(self, events: Sequence[Event]) -> None:
        """Keep the events."""
        self.events.extend(events)

    def snapshot(self, fund: str, state: Mapping[str, Any]) -> None:
        """Do nothing: a journal in memory is never opened again."""


class Recording:
    """A journal that a run writes into.

    Args:
        writer: writes into the journal.
        found: the funds as the journal holds them; None if it does not hold them.
        tokens: the series of the run.
        number: the kind of number of the run.
        mode: ``close`` or ``path``.
        name: name of the reserve that the funds share; None if they share none.
        order_books: columns of each series' order book; None for a series without one.
        stops: as in ``Recorder``.
    """

    def __init__(
        self,
        writer: RecordingTarget,
        found: FoundFunds | None,
        tokens: Sequence[Series],
        number: Number[Any],
        mode: str,
        name: str | None,
        order_books: Sequence[Any],
        stops: Sequence[int] = (),
    ) -> None:
        self._writer, self._found, self._stops = writer, found, stops
        self._tokens, self._number, self._mode, self._name = tokens, number, mode, name
        self._order_books = order_books
        self._recorder: Recorder | None = None

    @property
    def states(self) -> list[Any] | None:
        """The states from which the journal's funds continue; None if it lacks the funds."""
        return None if self._found is None else self._found.books.copies()

    def recorder(self, states: Sequence[Any]) -> Recorder:
        """The recorder of the steps of funds that start from ``states``.

        Raises:
            InputError: the journal holds these funds in another state.
        """
        found = self._found
        if found is not None:
            if [each.state for each in found.books.funds] != list(states):
                message = (
                    f"{self._writer.place}: expected a run that continues from the state in the "
                    f"journal, found another state: leave the state out, or give another journal."
                )
                raise InputError(message, place=self._writer.place)
            self._recorder = Recorder(
                found.books,
                self._writer.append,
                watch=found.watch,
                last_price=found.last_price,
                is_out=found.is_out,
                last_mark=found.last_mark,
            )
            if found.program != __version__:
                self._recorder.tell_version()
        else:
            books = books_for(
                list(zip(self._tokens, states, strict=True)),
                self._number,
                intrabar=self._mode,
                is_model=True,
                name=self._name,
                books=self._order_books,
            )
            self._recorder = Recorder(books, self._writer.append, stops=self._stops)
            if states[0].time is not None:
                self._recorder.begin()
        return self._recorder

    def finish(self) -> None:
        """Write what is left, and a snapshot that makes the journal fast to open."""
        if self._recorder is not None:
            self._recorder.stop()
            books = self._recorder.books
            self._writer.snapshot(books.name, snapshot_of(books))


class InMemory:
    """The place of a journal that is only compared; ``stops`` are those of ``Recorder``."""

    def __init__(self, stops: Sequence[int] = ()) -> None:
        self.memory, self.stops = KeptEvents(), stops


@contextmanager
def recording(
    where: str | Path | InMemory,
    tokens: Sequence[Series],
    number: Number[Any],
    mode: str,
    *,
    name: str | None = None,
    order_books: Sequence[Any] = (),
) -> Iterator[Recording]:
    """Open a journal for a run.

    Raises:
        InputError: a series cannot be written as a series file; the journal holds one of the funds
            with another series or kind of number, or in another group; another writer holds the
            journal; or it cannot be written.
        DataError: the file is not a journal, or it is damaged.
    """
    for each in tokens:
        check_series(each, each.symbol or "series")
    if isinstance(where, InMemory):
        kept = where.memory
        yield Recording(
            kept, None, tokens, number, mode, name, order_books or [None] * len(tokens), where.stops
        )
        return
    with open_writer(where, owner="simulate") as writer:
        found = found_books(where, [each.symbol for each in tokens], name)
        if found is not None:
            _check_same(writer.place, found, tokens, number, mode)
        yield Recording(
            writer, found, tokens, number, mode, name, order_books or [None] * len(tokens)
        )


def _check_same(
    place: str, found: FoundFunds, tokens: Sequence[Series], number: Number[Any], mode: str
) -> None:
    """Refuse to continue a journal with another fund under the same name.

    Raises:
        InputError: a fund has another series, kind of number or intrabar mode than the journal.
    """
    for kept, token in zip(found.books.funds, tokens, strict=True):
        for what, there, here in (
            ("series file", kept.series, token),
            ("kind of number", kept.number.name, number.name),
            ("intrabar", kept.intrabar, mode),
        ):
            if there != here:
                shown = "another" if isinstance(there, Series) else f"{here} and not {there}"
                message = (
                    f"{place}: {token.symbol}: expected the {what} that its journal began with, "
                    f"found {shown}: a changed series is a new fund, with a symbol of its own."
                )
                raise InputError(message, place=place, symbol=token.symbol)
