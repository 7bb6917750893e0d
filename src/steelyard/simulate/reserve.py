"""One reserve over a run: its books, and the tokens that it serves.

A token has its own reserve, or several share one: then its level is judged by their total nav, a
suspension holds for all, and as a counterparty it carries their net exposure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic

from steelyard.rules.leverage import nav_of
from steelyard.rules.numbers import Num, Number
from steelyard.rules.pool import capacity_excess, is_over_capacity
from steelyard.rules.reserve import is_suspended, units_left, units_received
from steelyard.rules.series import Reserve
from steelyard.rules.triggers import next_instant
from steelyard.simulate.schedule import Schedule
from steelyard.simulate.state import ReserveState

if TYPE_CHECKING:
    from steelyard.simulate.reference import Replay

__all__ = ["ReserveBooks"]


class ReserveBooks(Generic[Num]):
    """A reserve's books, and what it received when.

    Args:
        terms: the reserve's; None where a token has none: it holds nothing and suspends nothing.
        number: the kind of number to compute in.
        schedule: the injections.
        state: where to start; changed in place.
    """

    def __init__(
        self,
        terms: Reserve | None,
        number: Number[Num],
        schedule: Schedule[Num],
        state: ReserveState[Num],
    ) -> None:
        self.terms = terms
        self.schedule: Schedule[Num] = schedule
        self.state: ReserveState[Num] = state
        self.members: list[Replay[Num]] = []
        self.is_counterparty = False
        self.floor: Num = number.of(terms.floor_ratio if terms else 0)
        self.resume: Num = number.of(terms.resume_ratio if terms else 0)
        self.receipts: list[tuple[int, float]] = []
        """Epoch s and quote of what came in: fees and trading fees (capital is not income)."""
        self.losses: list[tuple[int, float]] = []
        """Epoch s and quote of what tokens won from it as their counterparty, net."""
        self.changes: list[tuple[int, bool]] = []
        """Clock observations (epoch s) at which it was suspended (true) or resumed (false)."""

    def serve(self, members: list[Replay[Num]]) -> None:
        """The tokens that it serves from now on."""
        self.members = members
        self.is_counterparty = any(member.is_pool for member in members)

    def open(self, time: int) -> None:
        """Start its clock with the launch of the tokens."""
        if self.terms is not None:
            self.state.next_allocation = time + self.terms.allocation_every_s

    def value(self, price: Num) -> Num:
        """What it holds, in quote."""
        return self.state.units * price

    def pay(self, quote: Num, price: Num) -> None:
        """Pay a part of a trade's cost; it is never more than its value."""
        self.state.units = units_left(self.state.units, quote, price)

    def receive(self, quote: Num, time: int, price: Num) -> None:
        """Take in fees."""
        state = self.state
        state.units += units_received(quote, price)
        state.received += quote
        self.receipts.append((time, float(quote)))

    def settle_all(self, time: int, price: Num) -> None:
        """Settle with all tokens: who lost pays before who won is paid."""
        if not self.is_counterparty:
            return
        for wins in (False, True):
            for member in self.members:
                if member.state.ended is None and member.wins(price) is wins:
                    member.settle_price(time, price)

    def settle(self, paid: Num, time: int, price: Num) -> None:
        """Pay what a token won (negative: take in what it lost)."""
        state = self.state
        if paid > 0:
            state.units = units_left(state.units, paid, price)
        else:
            state.units += units_received(-paid, price)
        state.settled -= paid
        self.losses.append((time, float(paid)))

    def count_suspension(self, elapsed_s: int) -> None:
        """Add the time since the last clock observation, where it was suspended in it."""
        if self.state.suspended:
            self.state.suspended_s += elapsed_s

    def feed(self, time: int, price: Num, since: int) -> None:
        """Injections and due allocations become units at this price."""
        if self.terms is None:
            return
        state = self.state
        for quote, is_capital in self.schedule.injections_between(since, time):
            state.units += units_received(quote, price)
            state.injected += quote
            if not is_capital:
                self.receipts.append((time, float(quote)))
        if time >= state.next_allocation:
            self.receive(state.pending_fees, time, price)
            state.pending_fees = state.pending_fees * 0
            every = self.terms.allocation_every_s
            state.next_allocation = next_instant(every, state.next_allocation, time)

    def judge(self, price: Num) -> None:
        """Suspend what raises leverage, or let it go on, by the level at this price."""
        if self.terms is None:
            return
        nav = price * 0
        for member in self.members:
            held = member.state
            if held.ended is None:
                nav = nav + nav_of(held.cash, held.units, price)
        state = self.state
        self.suspend(
            suspended=is_suspended(
                state.suspended, state.units * price, nav, self.floor, self.resume
            )
        )

    def suspend(self, *, suspended: bool) -> None:
        """Suspend it or let it go on, and write down when: the clock observation of now."""
        if suspended == self.state.suspended:
            return
        self.state.suspended = suspended
        time = max((member.state.time or 0 for member in self.members), default=0)
        if self.changes and self.changes[-1][0] == time:
            # changed back at the same observation: no time has passed between the two
            self.changes.pop()
        else:
            self.changes.append((time, suspended))

    def suspensions(self, since: int | None) -> list[tuple[int, int]]:
        """From when to when (epoch s) it was suspended, up to the last clock observation.

        Args:
            since: the start of a suspension that the state brought along; None: there was none.
        """
        spans: list[tuple[int, int]] = []
        for time, suspended in self.changes:
            if suspended:
                since = time
            elif since is not None:
                spans.append((since, time))
                since = None
        last = max((member.state.time or 0 for member in self.members), default=0)
        return spans if since is None or since == last else [*spans, (since, last)]

    def net(self, price: Num) -> Num:
        """The net exposure (signed, quote) of the tokens whose counterparty it is."""
        units = price * 0
        for member in self.members:
            if member.is_pool:
                units = units + member.state.units
        return units * price

    def keep_capacity(self, time: int, price: Num) -> None:
        """Deleverage its tokens until their net exposure is no more than it can carry.

        Those on the heavier side give way, each in proportion to its exposure. What that costs,
        or a token that ends by it, may leave others above their own limits: then these do.
        """
        while over := self._over_capacity(price):
            left = sum(abs(member.state.units) for member in over)
            for member in over:
                size = abs(member.state.units)
                share = min(self._excess(member, price) * size / left, size * price)
                left = left - size
                if share > 0:
                    member.deleverage(share, time, price)

    def is_over_capacity(self, member: Replay[Num], price: Num) -> bool:
        """Whether a token is on the heavier side, and the net is more than its limit allows."""
        net = self.net(price)
        if not member.is_pool or member.state.units * net <= 0:
            return False
        gross = sum((abs(each.state.units) for each in self.members if each.is_pool), price * 0)
        limit = member.terms.max_utilisation
        return is_over_capacity(net, gross * price, self.value(price), limit)

    def _over_capacity(self, price: Num) -> list[Replay[Num]]:
        if not self.is_counterparty:
            return []
        return [member for member in self.members if self.is_over_capacity(member, price)]

    def _excess(self, member: Replay[Num], price: Num) -> Num:
        """What is too much now, were this token to close all of it."""
        net, terms = self.net(price), member.present_terms()
        if member.state.units * net <= 0:
            # one before it has ended, and took the weight to the other side
            return net * 0
        return capacity_excess(
            net,
            self.value(price),
            terms.max_utilisation,
            terms.pool_fee,
            terms.reserve_curve,
            member.sqrt,
        )
