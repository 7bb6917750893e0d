"""A replay whose effects are watched: each with the books before it and as it left them.

An effect is frozen and holds what it left, so the books here are a fold of their own that asks
neither the fund's state nor ``apply``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from steelyard.fund.effects import Effect
from steelyard.fund.state import State, new_state
from steelyard.rules.leverage import leverage_of, nav_of
from steelyard.rules.numbers import FRACTION, Number
from steelyard.rules.series import Series
from steelyard.simulation.record import Record
from steelyard.simulation.reference import Member, Replay, member_of
from steelyard.simulation.schedule import Schedule

__all__ = ["Books", "Enough", "Look", "Watching", "books_of", "watched"]


class Enough(Exception):
    """The run has shown enough: exact numbers grow longer with each event."""


class Books(NamedTuple):
    """What one fund and its reserve hold."""

    cash: Any
    units: Any
    tokens: Any
    reserve: Any
    settled_price: Any

    def after(self, effect: Effect) -> Books:
        """The books that an effect left."""
        left = {name: getattr(effect, name) for name in self._fields[:4] if hasattr(effect, name)}
        if type(effect).__name__ == "PriceSettled":
            left["settled_price"] = effect.price
        if type(effect).__name__ == "Launched":
            left["settled_price"] = effect.settled_price
        return self._replace(**left)

    def nav(self, price: Any) -> Any:
        """Of the whole fund."""
        return nav_of(self.cash, self.units, price)

    def leverage(self, price: Any) -> Any:
        """Signed."""
        return leverage_of(self.cash, self.units, price)


Look = Callable[[Books, Effect, Books], None]
"""Is shown the books before an effect, the effect, and the books after it."""


def books_of(state: State) -> Books:
    """The books of a state."""
    return Books(state.cash, state.units, state.tokens, state.reserve.units, state.settled_price)


@dataclass
class Watching(Record):
    """A record that shows each effect before it writes its row."""

    state: State | None = None
    look: Look | None = None
    reserves: list[Any] | None = None
    """The units of the reserve, in one cell that funds on it share."""

    def __post_init__(self) -> None:
        """Begin with the state that a replay begins with."""
        self.books = books_of(self.state)
        if self.reserves is None:
            self.reserves = [self.books.reserve]

    def take(self, effects: Iterable[Effect]) -> None:
        """Show what followed, and write it down."""
        effects = tuple(effects)
        super().take(effects)
        for effect in effects:
            before = self.books._replace(reserve=self.reserves[0])
            self.books = before.after(effect)
            self.reserves[0] = self.books.reserve
            self.look(before, effect, self.books)


def watched(
    series: Series, look: Look, number: Number = FRACTION, **events: Any
) -> tuple[Replay, Member]:
    """A replay of one fund that shows ``look`` its effects; ``events`` as ``Schedule`` has them."""
    state = new_state(series, number)
    member = member_of(series, number, Schedule(number, **events), state)
    member.record = Watching(state=state.copy(), look=look)
    return Replay([member]), member
