"""How money moves in a token's state: accruals, trades, the reserve, the end.

Each method changes the state by what ``steelyard.rules`` computed, and adds to its sums; when any
of it happens is the replay's affair.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic

from steelyard.rules.accruals import (
    cash_interest,
    funding_payment,
    management_fee,
    units_interest,
)
from steelyard.rules.costs import TradeCost
from steelyard.rules.leverage import leverage_of, nav_of
from steelyard.rules.liquidation import is_liquidated, is_nav_gone, nav_after_liquidation
from steelyard.rules.numbers import Num, Number
from steelyard.rules.reserve import is_suspended, reserve_share, units_left, units_received
from steelyard.rules.series import Series, Terms
from steelyard.rules.triggers import Trigger, next_instant
from steelyard.simulate.schedule import Schedule
from steelyard.simulate.state import RebalanceRow, Record, State, WipedOut

__all__ = ["Books"]

TRIGGER_NAMES = {int(trigger): trigger.name.lower() for trigger in Trigger}


class Books(Generic[Num]):
    """The books of one token, and the record of what happened to them.

    Args:
        series: the token.
        number: the kind of number to compute in.
        schedule: what happens at given times: funding, rates, injections.
        state: where to start; changed in place.
    """

    def __init__(
        self, series: Series, number: Number[Num], schedule: Schedule[Num], state: State[Num]
    ) -> None:
        volatility, pool = series.rebalance.volatility, series.reserve
        self.series = series
        self.sqrt: Callable[[Num], Num] = number.sqrt
        self.terms: Terms[Num] = series.terms(number)
        self.schedule: Schedule[Num] = schedule
        self.state: State[Num] = state
        self.record = Record()
        self.management: Num = number.of(series.fees.management_per_year)
        self.volatility: Num = number.of(volatility.annualised if volatility else 0)
        self.floor: Num = number.of(pool.floor_ratio if pool else 0)
        self.resume: Num = number.of(pool.resume_ratio if pool else 0)
        self.fee_share: Num = number.of(pool.fee_share if pool else 0)

    def _accrue(self, time: int, price: Num) -> None:
        """Funding, then interest, then the management fee on what is left."""
        state, sums, venue = self.state, self.state.totals, self.terms.venue
        since = state.time
        if since is None:
            return
        for rate in self.schedule.funding_between(since, time):
            paid = funding_payment(state.units, price, rate)
            state.cash -= paid
            sums.funding += paid
        if venue.spot:
            paid = state.cash * 0
            for rate, time_s in self.schedule.rates_between(since, time):
                paid += cash_interest(
                    state.cash, rate, venue.borrow_spread, venue.supply_spread, time_s
                )
            grown = units_interest(state.units, venue.units_borrow_rate, time - since)
            state.cash -= paid
            state.units -= grown
            sums.interest += paid + grown * price
        if self.management > 0:
            nav = nav_of(state.cash, state.units, price)
            if nav > 0:
                fee = management_fee(nav, self.management, time - since)
                state.cash -= fee
                sums.management += fee
                state.pending_fees += reserve_share(fee, self.fee_share)

    def _settle(
        self, trigger: int, notional: Num, cost: TradeCost[Num], time: int, price: Num
    ) -> None:
        """Move the books by one trade and write its row."""
        state, sums = self.state, self.state.totals
        before = nav_of(state.cash, state.units, price)
        leverage_before = leverage_of(state.cash, state.units, price)
        state.cash -= notional + cost.paid_by_nav
        state.units += notional / price
        state.reserve_units = units_left(state.reserve_units, cost.paid_by_reserve, price)
        after = nav_of(state.cash, state.units, price)
        sums.fee += cost.fee
        sums.spread += cost.spread
        sums.impact += cost.impact
        sums.gas += cost.gas
        sums.paid_by_reserve += cost.paid_by_reserve
        if trigger != Trigger.LAUNCH:
            sums.turnover += abs(notional)
            sums.clips += 1
        self.record.trades.append(
            RebalanceRow(
                time,
                TRIGGER_NAMES[trigger],
                "buy" if notional > 0 else "sell",
                float(abs(notional) / price),
                float(price),
                float(abs(notional)),
                float(leverage_before),
                float(leverage_of(state.cash, state.units, price)),
                float(before / state.tokens),
                float(after / state.tokens),
                float(cost.fee),
                float(cost.spread),
                float(cost.impact),
                float(cost.gas),
                float(cost.paid_by_reserve),
            )
        )

    def _feed_reserve(self, time: int, price: Num, since: int) -> None:
        state, sums, pool = self.state, self.state.totals, self.series.reserve
        for quote, is_capital in self.schedule.injections_between(since, time):
            state.reserve_units += units_received(quote, price)
            sums.injected += quote
            if not is_capital:
                self.record.receipts.append((time, float(quote)))
        if pool is not None and time >= state.next_allocation:
            fees = state.pending_fees
            state.reserve_units += units_received(fees, price)
            sums.received += fees
            self.record.receipts.append((time, float(fees)))
            state.pending_fees = fees * 0
            every = pool.allocation_every_s
            state.next_allocation = next_instant(every, state.next_allocation, time)

    def _judge_reserve(self, price: Num) -> None:
        if self.series.reserve is not None:
            state = self.state
            state.suspended = is_suspended(
                state.suspended,
                state.reserve_units * price,
                nav_of(state.cash, state.units, price),
                self.floor,
                self.resume,
            )

    def _ended(self, time: int, price: Num) -> bool:
        state = self.state
        if is_liquidated(self.terms.venue, state.cash, state.units, price):
            self._close(time, price, "liquidated")
        elif is_nav_gone(state.cash, state.units, price):
            self._close(time, price, "nav")
        return state.wiped_out is not None

    def _close(self, time: int, price: Num, reason: str) -> None:
        state = self.state
        state.cash = nav_after_liquidation(self.terms.venue, state.cash, state.units, price)
        state.units = state.units * 0
        state.clips = None
        state.wiped_out = WipedOut(time, float(price), reason)
