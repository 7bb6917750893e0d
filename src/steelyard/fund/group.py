"""A fund, and the group of funds that share its reserve, on which a step works."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, Protocol

from steelyard.fund.apply import CHANGES
from steelyard.fund.effects import Effect
from steelyard.fund.events import Filled
from steelyard.fund.state import ReserveState, State
from steelyard.fund.terms import FundTerms, Impact, ReserveTerms, TradingCosts, costs_at
from steelyard.rules.leverage import leverage_of, nav_of
from steelyard.rules.numbers import Num

__all__ = ["Fills", "Fund", "Group"]


class Fills(Protocol[Num]):
    """A simulated venue, which fills the open intent of a fund when it is due."""

    as_planned: bool
    """Whether a rebalance that is due at once is filled whole at its planned cost without a call of
    ``fill``. It is then settled when it is decided, and effects that only a journal reads are left
    out: the decision, and an observation at which nothing accrued.
    """

    def fill(self, group: Group[Num], fund: Fund[Num], time: int, price: Num) -> Filled[Num]:
        """The fill of the whole order of ``fund.state.intent``, or the reason why there is none.

        Args:
            group: the group of the fund, whose reserve limits payments and exposure.
            fund: the fund.
            time: the time of the fill, epoch s.
            price: the mark, quote.

        Raises:
            InputError: an order must be filled, and the market is not deep enough.
        """


class Fund(Generic[Num]):
    """One fund: its terms, its state, and its present trading costs.

    Args:
        terms: the terms that never change.
        state: the present state, which only effects change, in place.
    """

    __slots__ = ("_costs", "_impact", "state", "terms")

    def __init__(self, terms: FundTerms[Num], state: State[Num]) -> None:
        self.terms: FundTerms[Num] = terms
        self.state: State[Num] = state
        self._costs: TradingCosts[Num] | None = terms.costs
        self._impact: Impact[Num] | None = None

    def see_impact(self, impact: Impact[Num] | None) -> None:
        """Set the square-root impact of trades from now on; None for the impact of its terms."""
        self._impact, self._costs = impact, self.terms.costs if impact is None else None

    @property
    def costs(self) -> TradingCosts[Num]:
        """The present costs of trades."""
        if self._costs is None:
            # computed when first needed, because at most observations nothing trades
            assert self._impact is not None  # noqa: S101 (set together)
            self._costs = costs_at(self.terms, self._impact)
        return self._costs

    def nav(self, price: Num) -> Num:
        """The nav of the whole fund at this price, quote."""
        return nav_of(self.state.cash, self.state.units, price)

    def leverage(self, price: Num) -> Num:
        """Signed."""
        return leverage_of(self.state.cash, self.state.units, price)


class Group(Generic[Num]):
    """The funds of one reserve, in the order in which they act; most groups hold one fund.

    Args:
        funds: the funds, whose states share one reserve.
        fills: the simulated venue, which is called as soon as an intent is due. It is None for a
            real venue, whose fills and liquidations arrive as events.
        name: the name of the reserve in its effects; None for the symbol of the only fund.
    """

    __slots__ = (
        "effects",
        "fills",
        "funds",
        "is_alone",
        "is_counterparty",
        "name",
        "reserve",
        "terms",
    )

    def __init__(
        self,
        funds: Sequence[Fund[Num]],
        fills: Fills[Num] | None = None,
        name: str | None = None,
    ) -> None:
        self.funds: tuple[Fund[Num], ...] = tuple(funds)
        self.fills: Fills[Num] | None = fills
        self.name: str = name or self.funds[0].terms.symbol
        self.reserve: ReserveState[Num] = self.funds[0].state.reserve
        self.terms: ReserveTerms[Num] | None = self.funds[0].terms.reserve
        self.is_counterparty: bool = any(fund.terms.is_pool for fund in self.funds)
        self.is_alone: bool = len(self.funds) == 1 and self.terms is None
        self.effects: list[Effect[Num]] = []
        """The effects of the present step so far."""

    def emit(self, state: State[Num], effect: Effect[Num]) -> None:
        """Apply an effect as ``apply`` does, and record it; a step changes state only here."""
        CHANGES[type(effect)](state, effect)
        self.effects.append(effect)

    @property
    def living(self) -> list[Fund[Num]]:
        """The funds that have not ended."""
        return [fund for fund in self.funds if fund.state.ended is None]
