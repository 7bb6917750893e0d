"""Who comes and who goes at one instant, and what each of them pays for the trade it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, NamedTuple

from steelyard.rules.costs import TRADE_KINDS, CostRates, TradeCost, no_cost, trade_cost
from steelyard.rules.flows import (
    Flows,
    flow_exposure,
    flow_fee,
    is_nothing_sent,
    netted_kind,
)
from steelyard.rules.numbers import Num
from steelyard.simulate.state import FlowRow

__all__ = ["Parties", "Party"]


class Party(NamedTuple, Generic[Num]):
    """One creation (tokens > 0) or redemption, before its trade; quote."""

    time: int
    tokens: Num
    nav: Num
    """Per token."""
    fee: Num
    notional: Num
    alone: TradeCost[Num]
    """What its trade would cost in an order of its own."""


class Parties(Generic[Num]):
    """All creations and redemptions of one instant."""

    def __init__(self, rates: CostRates[Num], sqrt: Callable[[Num], Num]) -> None:
        self._rates: CostRates[Num] = rates
        self._sqrt: Callable[[Num], Num] = sqrt
        self._parties: list[Party[Num]] = []

    def join(
        self, time: int, tokens: Num, outstanding: Num, nav: Num, exposure: Num, fee_bps: Num
    ) -> Party[Num]:
        """Add a party; ``nav`` and ``exposure`` are those of the fund as it finds it."""
        notional = flow_exposure(tokens, outstanding, exposure)
        alone = self._cost(notional)
        per_token = nav / outstanding
        fee = flow_fee(tokens, per_token, fee_bps)
        self._parties.append(Party(time, tokens, per_token, fee, notional, alone))
        return self._parties[-1]

    @property
    def net(self) -> Num:
        """The exposure that all of them add, signed."""
        return self._sum(party.notional for party in self._parties)

    @property
    def flows(self) -> Flows[Num]:
        """The parties as the rules take them."""
        size = self._sum(abs(party.notional) for party in self._parties)
        alone = zip(*(party.alone for party in self._parties), strict=True)
        return Flows(self.net, size, TradeCost(*map(self._sum, alone)))

    def rows(self, rebalance: Num) -> Iterator[FlowRow]:
        """What each pays, sent in one order with the signed notional ``rebalance``."""
        own, flows = self._cost(rebalance), self.flows
        order, sizes = flows.net + rebalance, flows.size + abs(rebalance)
        together = self._cost(order * 0 if is_nothing_sent(order, sizes) else order)
        for party in self._parties:
            cost = alone = party.notional * 0
            for kind in TRADE_KINDS:
                each = getattr(party.alone, kind)
                alone += each
                if sizes > 0:
                    all_alone = getattr(flows.alone, kind) + getattr(own, kind)
                    size = abs(party.notional)
                    cost += netted_kind(each, all_alone, getattr(together, kind), size, sizes)
            yield FlowRow(
                party.time,
                float(party.tokens),
                float(party.nav),
                float(party.fee),
                float(party.notional),
                float(cost),
                float(alone - cost),
            )

    def _sum(self, figures: Iterable[Num]) -> Num:
        # term by term: the built-in sum rounds floats otherwise from one Python to another
        total = self._parties[0].notional * 0
        for figure in figures:
            total = total + figure
        return total

    def _cost(self, notional: Num) -> TradeCost[Num]:
        """The cost of one order, none for none; who comes or goes has no reserve."""
        nothing = notional * 0
        if notional == 0:
            return no_cost(nothing)
        return trade_cost(self._rates, notional, nothing, self._sqrt)
