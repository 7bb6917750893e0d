"""Copies of stored funds, with which ``steelyard.fund`` processes stored events again.

The verifier runs the fund itself, from the state after the rows before and with the venue's fills
in the journal. It contains no rule of its own.
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
    """An order is due, but the journal does not contain a fill of it."""


class StoredFills:
    """The fills of a journal in their order, compared with a simulated venue if there is one."""

    as_planned = False
    """False, so that ``fill`` is called for each order and compares it with the stored fill."""

    def __init__(self, fills: Sequence[Filled[Any]], model: Fills[Any] | None) -> None:
        self._fills, self._model = list(fills), model
        self.wrong: str | None = None
        """The first difference of a stored fill from one by the series' own costs."""

    @property
    def are_left(self) -> bool:
        """Whether the journal holds fills that no order asked for."""
        return bool(self._fills)

    def fill(self, group: Group[Any], fund: Fund[Any], time: int, price: Any) -> Filled[Any]:  # noqa: ANN401
        """The fill of the simulated venue if there is one, otherwise the next stored fill."""
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
    """The maker of funds in the state of stored ones.

    As long as the effects equal those of the journal, the states of a copy equal those of the books
    after each step, and need not be copied again.

    Args:
        model: the venue that fills orders by the series' own costs; None where the fills of the
            journal are accepted.
    """

    def __init__(self, model: Fills[Any] | None) -> None:
        self._model = model
        self._terms: dict[str, FundTerms[Any]] = {}
        self._beside: dict[str, tuple[int, Group[Any]]] = {}
        """Groups in the state of the books of a name, each with the number of changes at that
        state."""

    def terms(self, books: Books) -> list[FundTerms[Any]]:
        """The terms of the funds in the books."""
        found = []
        for each in books.funds:
            symbol = each.series.symbol
            if symbol not in self._terms:
                self._terms[symbol] = fund_terms(each.series, each.number, each.book)
            found.append(self._terms[symbol])
        return found

    def group(self, books: Books, states: Sequence[Any] | None = None) -> Group[Any]:
        """A group in the state of the books, or in ``states``; its orders are not filled."""
        held = [each.state for each in books.funds] if states is None else states
        funds = [Fund(terms, state) for terms, state in zip(self.terms(books), held, strict=True)]
        fills = StoredFills((), self._model) if books.funds[0].is_model else None
        return Group(funds, fills, books.name)

    def beside(self, books: Books) -> Group[Any]:
        """A group with its own copies of the books' states, which a step may change."""
        changes, group = self._beside.pop(books.name, (None, None))
        if group is None or changes != books.changes:
            return self.group(books, books.copies())
        return group

    def keep_beside(self, books: Books, changes: int, group: Group[Any]) -> None:
        """Keep a group that equals the books after this number of changes."""
        self._beside[books.name] = changes, group

    def prepare(
        self, group: Group[Any], impact: Sequence[Any] | None, fills: Sequence[Filled[Any]]
    ) -> None:
        """Prepare a group for an event.

        Args:
            group: the group to which the event happens.
            impact: the present impact of trades, one for each fund; None where no fund has one.
            fills: the fills of the orders that it sends, where a venue is simulated.
        """
        for fund in group.funds:
            fund.see_impact(None)
        for fund, one in zip(group.funds, impact or (), strict=False):
            fund.see_impact(one)
        if group.fills is not None:
            group.fills = StoredFills(fills, self._model)

    def follows(self, group: Group[Any], event: Event[Any]) -> list[Any]:
        """The effects of an event; if a fill is missing, the effects before it."""
        try:
            return step(group, event)
        except NoFill:
            return group.effects


def as_told(effects: Sequence[Effect[Any]]) -> list[Effect[Any]]:
    """Effects in the order of a journal: accruals first, then the others."""
    if len(effects) == 1:
        return [*effects]
    came = coming(effects)
    return [*came, *(each for each in effects if not any(each is one for one in came))]
