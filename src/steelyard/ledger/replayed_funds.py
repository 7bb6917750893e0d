"""A second fund in the books of the first: what ``steelyard.fund`` makes of a stored event.

The verifier asks the fund itself what follows, from the state that the rows before left, with the
fills that the journal says the venue made. It derives no rule of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from steelyard.fund.effects import Effect
from steelyard.fund.events import Event, Filled
from steelyard.fund.group import Fills, Fund, Group
from steelyard.fund.step import step
from steelyard.fund.terms import FundTerms, fund_terms
from steelyard.ledger.fold import Books
from steelyard.ledger.lapse import coming
from steelyard.ledger.same import difference

__all__ = ["NoFill", "StoredFills", "Twins", "as_told"]


class NoFill(Exception):
    """An order is due, and the journal holds no fill of it."""


class StoredFills:
    """The fills of a journal, in their order, held against the venue's model where there is one."""

    as_planned = False
    """Each fill is asked for, so that it is held against the stored one."""

    def __init__(self, fills: Sequence[Filled[Any]], model: Fills[Any] | None) -> None:
        self._fills, self._model = list(fills), model
        self.wrong: str | None = None
        """How a stored fill differs first from what the series' own costs make."""

    @property
    def are_left(self) -> bool:
        """Whether the journal holds fills that nothing asked for."""
        return bool(self._fills)

    def fill(self, group: Group[Any], fund: Fund[Any], time: int, price: Any) -> Filled[Any]:  # noqa: ANN401
        """The model's fill, where there is a model; else the next stored one."""
        stored = self._fills.pop(0) if self._fills else None
        if self._model is not None:
            made = self._model.fill(group, fund, time, price)
            if stored is not None and self.wrong is None:
                self.wrong = difference(made, stored)
            return made
        if stored is None:
            raise NoFill
        return stored


class Twins:
    """Makes funds that stand where stored ones stand.

    As long as what follows is what the journal says, the states of a twin stand after each step
    where the books stand, and are not copied anew.

    Args:
        model: fills orders by the series' own costs; None: the journal's fills are believed.
    """

    def __init__(self, model: Fills[Any] | None) -> None:
        self._model = model
        self._terms: dict[str, FundTerms[Any]] = {}
        self._beside: dict[str, tuple[int, Group[Any]]] = {}
        """Groups that stand where the books of a name stood, after so many changes of them."""

    def terms(self, books: Books) -> list[FundTerms[Any]]:
        """The terms of the funds of books."""
        found = []
        for each in books.funds:
            symbol = each.series.symbol
            if symbol not in self._terms:
                self._terms[symbol] = fund_terms(each.series, each.number, each.book)
            found.append(self._terms[symbol])
        return found

    def group(self, books: Books, states: Sequence[Any] | None = None) -> Group[Any]:
        """A group in the state of books, or in ``states``; nothing fills its orders."""
        held = [each.state for each in books.funds] if states is None else states
        funds = [Fund(terms, state) for terms, state in zip(self.terms(books), held, strict=True)]
        fills = StoredFills((), self._model) if books.funds[0].is_model else None
        return Group(funds, fills, books.name)

    def beside(self, books: Books) -> Group[Any]:
        """A group in states of its own, which are those of the books; a step may change them."""
        changes, group = self._beside.pop(books.name, (None, None))
        if group is None or changes != books.changes:
            return self.group(books, books.copies())
        return group

    def keep_beside(self, books: Books, changes: int, group: Group[Any]) -> None:
        """This group stands where the books stand after so many changes of them."""
        self._beside[books.name] = changes, group

    def prepare(
        self, group: Group[Any], impact: Sequence[Any] | None, fills: Sequence[Filled[Any]]
    ) -> None:
        """Say what an event finds there.

        Args:
            group: to which it happens.
            impact: that trades have at present, one a fund; None: none has one.
            fills: of the orders that it sends, where a venue is simulated.
        """
        for fund in group.funds:
            fund.see_impact(None)
        for fund, one in zip(group.funds, impact or (), strict=False):
            fund.see_impact(one)
        if group.fills is not None:
            group.fills = StoredFills(fills, self._model)

    def follows(self, group: Group[Any], event: Event[Any]) -> list[Any]:
        """What follows from an event; where a fill is missing, what followed up to there."""
        try:
            return step(group, event)
        except NoFill:
            return group.effects


def as_told(effects: Sequence[Effect[Any]]) -> list[Effect[Any]]:
    """Effects in the order in which a journal holds them: what accrued first, then the others."""
    if len(effects) == 1:
        return [*effects]
    came = coming(effects)
    return [*came, *(each for each in effects if not any(each is one for one in came))]
