"""A fund, and the funds that share its reserve: what a step works on."""

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
    """A simulated venue: what comes of a fund's open intent when it is due."""

    as_planned: bool
    """A rebalance that is due at once is filled whole, at its planned cost, without being asked.

    Then it is settled as it is decided, and effects leave out what only a journal reads: the
    decision, and an observation at which nothing accrued.
    """

    def fill(self, group: Group[Num], fund: Fund[Num], time: int, price: Num) -> Filled[Num]:
        """The fill of the whole order of ``fund.state.intent`` at a price, or why there is none.

        Args:
            group: what the fund belongs to, for what its reserve can pay and carry.
            fund: the fund.
            time: epoch s.
            price: the mark.

        Raises:
            InputError: an order has to be filled, and the market does not hold that much.
        """


class Fund(Generic[Num]):
    """One fund: its terms, its state, and what trading costs at present.

    Args:
        terms: what never changes.
        state: where it stands; changed in place, by effects only.
    """

    __slots__ = ("_costs", "_impact", "state", "terms")

    def __init__(self, terms: FundTerms[Num], state: State[Num]) -> None:
        self.terms: FundTerms[Num] = terms
        self.state: State[Num] = state
        self._costs: TradingCosts[Num] | None = terms.costs
        self._impact: Impact[Num] | None = None

    def see_impact(self, impact: Impact[Num] | None) -> None:
        """From now on trading has this square-root impact; None: what its terms say."""
        self._impact, self._costs = impact, self.terms.costs if impact is None else None

    @property
    def costs(self) -> TradingCosts[Num]:
        """What trades cost at present."""
        if self._costs is None:
            # worked out when first asked for: at most moments nothing trades
            assert self._impact is not None  # noqa: S101 (set together)
            self._costs = costs_at(self.terms, self._impact)
        return self._costs

    def nav(self, price: Num) -> Num:
        """Of the whole fund, quote."""
        return nav_of(self.state.cash, self.state.units, price)

    def leverage(self, price: Num) -> Num:
        """Signed."""
        return leverage_of(self.state.cash, self.state.units, price)


class Group(Generic[Num]):
    """Funds on one reserve, in the order in which they act; most groups hold one fund.

    Args:
        funds: their states share one reserve.
        fills: the simulated venue, asked at once where an intent is due; None: the fills of a
            real one come as events, as does a liquidation.
        name: of the reserve, for its effects; None: the one fund's symbol.
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
        """What followed so far in the present step."""

    def emit(self, state: State[Num], effect: Effect[Num]) -> None:
        """Apply an effect, as ``apply`` does, and keep it: a step changes nothing otherwise."""
        CHANGES[type(effect)](state, effect)
        self.effects.append(effect)

    @property
    def living(self) -> list[Fund[Num]]:
        """The funds that have not ended."""
        return [fund for fund in self.funds if fund.state.ended is None]
