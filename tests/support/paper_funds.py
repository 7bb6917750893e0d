"""A live fund on a paper venue, driven by hand: the least that a keeper has to do."""

from __future__ import annotations

from collections.abc import Coroutine
from decimal import Decimal
from typing import Any

from steelyard.fund.effects import Effect
from steelyard.fund.events import Charges, Event, Filled, Inputs, Liquidated, Observed
from steelyard.fund.group import Fund, Group
from steelyard.fund.state import State, new_state
from steelyard.fund.step import step
from steelyard.fund.terms import fund_terms
from steelyard.rules.numbers import DECIMAL18
from steelyard.rules.series import Series
from steelyard.simulation.inside_bars import travel
from steelyard.venues.paper.venue import PaperVenue
from steelyard.venues.protocol import MovementKind, OrderRequest, Trade, TradeCause

NO_CHARGES = Charges(*[Decimal(0)] * 4)


def now(answer: Coroutine[Any, Any, Any]) -> Any:
    """The answer of a call that waits for nothing but its turn."""
    while True:
        try:
            answer.send(None)
        except StopIteration as done:
            return done.value


class HandKeeper:
    """Takes one fund through the history of its paper account.

    Args:
        series: the token.
        venue: its account.
    """

    def __init__(self, series: Series, venue: PaperVenue) -> None:
        self.venue = venue
        self.fund = Fund(fund_terms(series, DECIMAL18), new_state(series, DECIMAL18))
        self.group: Group[Decimal] = Group([self.fund], None)
        self.seen_ms = 0
        self.adopted: set[str] = set()
        self.inputs()
        self.orders = 0

    @property
    def state(self) -> State[Decimal]:
        """The books of the fund."""
        return self.fund.state

    def run(self) -> None:
        """Go through the whole history."""
        mark = now(self.venue.mark())
        while mark is not None:
            with DECIMAL18.context():
                time = mark.time_ms // 1_000
                if mark.is_clock and not self.is_liquidated(time):
                    self.tell(Observed(time, mark.price, False, (), (self.inputs(),)))
                heading = self.venue.heading
                if heading is not None and self.state.ended is None:
                    travel(self.fund, self.tell_on_the_way, False, time, mark.price, heading)
            mark = now(self.venue.next())

    def is_liquidated(self, time: int) -> bool:
        """Whether the venue has closed the position now; the fund is told of it."""
        for trade in now(self.venue.trades_since(time * 1_000)).value:
            if trade.cause is TradeCause.LIQUIDATION:
                left = now(self.venue.balance()).value.wallet
                self.tell(Liquidated(time, trade.mark, left))
                return True
        return self.state.ended is not None

    def inputs(self) -> Inputs[Decimal]:
        """What the venue charged for time since the last scheduled observation."""
        new = [
            each
            for each in now(self.venue.movements_since(self.seen_ms)).value
            if each.movement_id not in self.adopted
        ]
        self.adopted |= {each.movement_id for each in new}
        self.seen_ms = max((each.time_ms for each in new), default=self.seen_ms)
        funding = tuple(each.rate for each in new if each.kind is MovementKind.FUNDING)
        rates = tuple(
            (each.rate, each.seconds)
            for each in new
            if each.kind is MovementKind.INTEREST and each.asset == self.fund.terms.series.quote
        )
        return Inputs(funding=funding, rates=rates)

    def tell_on_the_way(self, event: Event[Decimal]) -> list[Effect[Decimal]]:
        """The price stops at a threshold, or comes to the end of its way."""
        self.venue.visit(event.price)
        return self.tell(event)

    def tell(self, event: Event[Decimal]) -> list[Effect[Decimal]]:
        """Step the fund, and carry out the order that it decides."""
        effects = step(self.group, event)
        while (intent := self.state.intent) is not None:
            self.orders += 1
            lowers = intent.units * self.state.units < 0
            request = OrderRequest(
                f"sy-{self.orders}",
                intent.units,
                None,
                lowers,
                self.venue.now_ms,
                2_000,
                intent.sent,
            )
            order = now(self.venue.place(request))
            (trade,) = order.trades
            effects += step(self.group, self.filled(trade))
        return effects

    def filled(self, trade: Trade) -> Filled[Decimal]:
        """A trade as the fund is told of it."""
        charges = trade.charges or NO_CHARGES
        paid = charges.spread + charges.impact
        time, mark = trade.time_ms // 1_000, trade.mark or Decimal(0)
        return Filled(time, mark, trade.units, trade.quote - paid, charges)
