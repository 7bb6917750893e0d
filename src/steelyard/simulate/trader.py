"""How a token trades: a plan carried out or sent on its way, filled, netted, rolled, closed.

What is to be traded, how much and at what cost comes from ``steelyard.rules``; when a trigger asks
for it is the replay's affair.
"""

from __future__ import annotations

from steelyard.rules.costs import TradeCost, no_cost
from steelyard.rules.decide import (
    Outcome,
    Plan,
    TradeLimits,
    destination_of,
    is_clip_done,
    plan_trade,
)
from steelyard.rules.flows import netted_plan
from steelyard.rules.futures import contract_at, mark_factor
from steelyard.rules.leverage import nav_of
from steelyard.rules.numbers import Num
from steelyard.rules.pool import capacity_room
from steelyard.rules.sizing import Payers
from steelyard.rules.triggers import Trigger
from steelyard.simulate.books import Books
from steelyard.simulate.parties import Parties
from steelyard.simulate.state import Clips, Order

__all__ = ["Trader"]

DAY_S = 86_400


class Trader(Books[Num]):
    """A token's books and its trades (arguments: see ``Books``)."""

    def deleverage(self, notional: Num, time: int, price: Num) -> None:
        """Close ``notional`` (not negative) for the counterparty, whatever it costs."""
        state = self.state
        closes = (abs(state.units) * price - notional) * 1_000_000_000_000 <= notional
        side = -notional if state.units > 0 else notional
        self._settle(Trigger.CAPACITY, side, self._cost(side, price), time, price)
        if closes:
            # a crumb of rounding would be deleveraged again at each price
            state.cash += state.units * price
            state.units = state.units * 0
        self._count(Trigger.CAPACITY, time, price)
        state.clips = None
        self._ended(time, price)
        self.reserve.judge(price)

    def _fire(
        self,
        trigger: int,
        time: int,
        price: Num,
        leverage: Num,
        parties: Parties[Num] | None = None,
    ) -> int:
        """A rebalance that ``trigger`` names; counted where it trades or is blocked."""
        state = self.state
        was_suspended = state.reserve.suspended
        if self.reserve.terms is not None:
            self.reserve.judge(price)
        destination = destination_of(self.terms.rule, trigger, leverage)
        plan = self._plan(trigger, destination, price, parties)
        if plan.outcome == Outcome.NOTHING:
            # a trigger with nothing to trade changes nothing
            self.reserve.suspend(suspended=was_suspended)
        elif plan.outcome == Outcome.BLOCKED:
            state.totals.blocked += 1
        elif plan.outcome == Outcome.TRADE:
            self._trade(plan, trigger, time, price, parties, counts=True)
        return plan.outcome

    def _next_clip(
        self, clips: Clips[Num], time: int, price: Num, parties: Parties[Num] | None
    ) -> int:
        plan = self._plan(clips.trigger, clips.destination, price, parties)
        if plan.outcome == Outcome.BLOCKED:
            self.state.totals.blocked += 1
        elif plan.outcome == Outcome.TRADE:
            self._trade(plan, clips.trigger, time, price, parties, counts=False)
        else:
            self.state.clips = None
        return plan.outcome

    def _plan(
        self, trigger: int, destination: Num, price: Num, parties: Parties[Num] | None = None
    ) -> Plan[Num]:
        state, terms, value = self.state, self.terms, self.reserve.value(price)
        if self.market.conditions is not None:
            terms = self.present_terms()
        limits = self.no_limits
        if self.has_limits:
            net_flow = parties.net if parties is not None else price * 0
            limits = self._limits(destination, price, net_flow)
        nav, exposure = nav_of(state.cash, state.units, price), state.units * price
        plan = plan_trade(
            terms.rule,
            terms.rates,
            Payers(terms.nav_curve, terms.reserve_curve, value),
            limits,
            trigger,
            destination,
            nav,
            exposure,
            state.reserve.suspended,
            self.sqrt,
        )
        if parties is None or plan.outcome != Outcome.TRADE or self.series.execution.delay_s:
            return plan
        return netted_plan(plan, terms.rates, parties.flows, nav, exposure, value, self.sqrt)

    def _limits(self, destination: Num, price: Num, net_flow: Num) -> TradeLimits[Num]:
        """What its venue takes now, with ``net_flow`` (signed notional) in the same order."""
        terms, room = self.present_terms(), price * 0
        if self.is_pool:
            side = 1 if destination > 0 else -1
            # what goes out in one order with flows pays its fee on what is left of both
            room = capacity_room(
                self.reserve.net(price),
                side,
                self.reserve.value(price) + side * net_flow * terms.pool_fee,
                terms.max_utilisation,
                terms.pool_fee,
                terms.reserve_curve,
                self.sqrt,
            )
        lot = terms.lot_units * price * self.state.mark
        return TradeLimits(lot, terms.min_notional, self.is_pool, room)

    def _trade(
        self,
        plan: Plan[Num],
        trigger: int,
        time: int,
        price: Num,
        parties: Parties[Num] | None,
        *,
        counts: bool,
    ) -> None:
        """Carry a plan out now, or send its order on its way."""
        state, delay_s = self.state, self.series.execution.delay_s
        if delay_s:
            contracts = plan.notional / price / state.mark
            state.order = Order(
                trigger,
                contracts,
                time + delay_s,
                plan.destination,
                plan.raises,
                plan.clipped,
                counts,
            )
            return
        self._carry_out(plan, trigger, time, price, parties)
        if counts:
            self._count(trigger, time, price)

    def _carry_out(
        self,
        plan: Plan[Num],
        trigger: int,
        time: int,
        price: Num,
        parties: Parties[Num] | None = None,
    ) -> None:
        state = self.state
        self._settle(trigger, plan.notional, plan.cost, time, price, parties)
        if self.reserve.terms is not None:
            self.reserve.judge(price)
        state.clips = None
        if plan.clipped:
            # after a delay the price is another than the one it was planned at
            leverage = self._leverage(price)
            if not is_clip_done(plan.destination, plan.raises, leverage):
                state.clips = Clips(trigger, plan.destination, plan.raises, time)

    def _fill(self, order: Order[Num], time: int, price: Num) -> None:
        """An order arrives: its units are traded at the price that is there now."""
        state = self.state
        state.order = None
        exposure = state.units * price
        notional = order.units * state.mark * price
        clipped = order.clipped
        opens = (notional > 0) == (order.destination > 0)
        if not opens and abs(notional) > abs(exposure):
            # what was sent to lower the exposure does not turn it round
            notional = -exposure
        if opens and self.is_pool:
            room = self._limits(order.destination, price, price * 0).room
            if room == 0:
                state.totals.blocked += 1
                return
            if abs(notional) > room:
                # what the counterparty cannot carry is not opened, now or later
                notional, clipped = room if notional > 0 else -room, False
        if notional == 0:
            return
        cost = self._cost(notional, price)
        if cost.paid_by_nav >= self._nav(price):
            state.totals.blocked += 1
            return
        plan = Plan(
            Outcome.TRADE,
            order.destination,
            notional,
            cost,
            is_clip=clipped,
            clipped=clipped,
            raises=order.raises,
            cut=True,
        )
        self._carry_out(plan, order.trigger, time, price)
        if order.counts:
            self._count(order.trigger, time, price)
        self._ended(time, price)

    def _count(self, trigger: int, time: int, price: Num) -> None:
        state, counts = self.state, self.state.totals.by_trigger
        state.reference = price
        state.last_rebalance = time
        counts[trigger] = counts.get(trigger, 0) + 1

    def _send(self, parties: Parties[Num], time: int, price: Num) -> None:
        """Creations and redemptions with no rebalance to net with: they pay for their trade."""
        nothing = price * 0
        if self.state.ended is not None:
            # they came and went, and paid, before what ended it
            self.record.flows.extend(parties.rows(nothing))
            return
        self._check_tradable(self.present_terms(), parties.net)
        self._settle(Trigger.FLOW, nothing, no_cost(nothing), time, price, parties)
        self.reserve.judge(price)

    def _rolls(self, time: int) -> bool:
        """Whether the contract that is held is to be replaced now."""
        if not self.is_future or self.schedule.is_out(time):
            return False
        return time + self._roll_s >= self.state.expiry

    def _roll(self, time: int, price: Num) -> None:
        """Sell the contracts that are held and buy as many of the next; both legs cost."""
        state, terms = self.state, self.terms
        leverage, nav = self._leverage(price), self._nav(price)
        old = state.units * price
        state.expiry = contract_at(time, self._roll_s)
        mark = mark_factor(terms.basis, state.expiry, time)
        new = old / state.mark * mark
        first = self._cost(-old, price)
        self._pay(first, price)
        second = self._cost(new, price)
        self._pay(second, price)
        both = TradeCost(*(a + b for a, b in zip(first, second, strict=True)))
        self._hold_at(mark)
        state.cash -= new - old
        after = self._nav(price)
        self._write_row(
            Trigger.ROLL, new, abs(old) + abs(new), both, time, price, nav, leverage, after
        )
        self.reserve.judge(price)

    def _wind_down(self, time: int, price: Num) -> None:
        """Close the position for good: every token is redeemed at the nav that is left."""
        state = self.state
        notional = -state.units * price
        if notional != 0:
            self._settle(Trigger.WIND_DOWN, notional, self._cost(notional, price), time, price)
        state.units = state.units * 0
        if state.cash < 0:
            self._close(time, price, "nav")
        else:
            self._end(time, price, "wind_down")
        self.reserve.judge(price)

    @property
    def _roll_s(self) -> int:
        return round(self.series.venue.roll_days * DAY_S)
