"""How money moves in a token's state: accruals, trades, creations and redemptions, the end.

Each method changes the state by what ``steelyard.rules`` computed, and adds to its sums; when any
of it happens is the replay's affair.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic

from steelyard.errors import InputError
from steelyard.rules.accruals import (
    cash_interest,
    funding_payment,
    management_fee,
    units_interest,
)
from steelyard.rules.costs import TradeCost, cost_curve, is_tradable, trade_cost
from steelyard.rules.decide import TradeLimits
from steelyard.rules.flows import is_nothing_sent
from steelyard.rules.futures import mark_factor
from steelyard.rules.leverage import leverage_of, nav_of
from steelyard.rules.liquidation import is_liquidated, is_nav_gone, nav_after_liquidation
from steelyard.rules.numbers import FLOAT, Num, Number
from steelyard.rules.pool import payable, price_gain
from steelyard.rules.reserve import reserve_share
from steelyard.rules.series import Execution, Series, Terms
from steelyard.rules.triggers import Trigger
from steelyard.simulate.conditions import NO_MARKET, Market
from steelyard.simulate.parties import Parties
from steelyard.simulate.reserve import ReserveBooks
from steelyard.simulate.schedule import Schedule
from steelyard.simulate.state import Ended, RebalanceRow, Record, State

__all__ = ["Books"]

TRIGGER_NAMES = {int(trigger): trigger.name.lower() for trigger in Trigger}
UNCOUNTED = frozenset({Trigger.LAUNCH, Trigger.ROLL, Trigger.FLOW, Trigger.WIND_DOWN})
"""Trades that are no rebalances."""


def _terms_at(terms: Terms[Num], number: Number[Num], market: Market, bar: int) -> Terms[Num]:
    """The terms with the impact of a bar, where that follows the market."""
    if market.conditions is None:
        return terms
    coefficient, volume = map(number.of, market.conditions.at(bar))
    rates = terms.rates._replace(impact_root=coefficient, daily_volume=volume)
    return terms._replace(
        rates=rates,
        nav_curve=cost_curve(rates, borne=False),
        reserve_curve=cost_curve(rates, borne=True),
    )


class Books(Generic[Num]):
    """The books of one token, and the record of what happened to them.

    Args:
        series: the token.
        number: the kind of number to compute in.
        schedule: what happens at given times.
        state: where to start; changed in place.
        reserve: the books of its reserve, which it may share; None: of its own.
        market: what it trades on, where that is not in the series alone.
    """

    def __init__(
        self,
        series: Series,
        number: Number[Num],
        schedule: Schedule[Num],
        state: State[Num],
        reserve: ReserveBooks[Num] | None = None,
        market: Market = NO_MARKET,
    ) -> None:
        volatility, pool = series.rebalance.volatility, series.reserve
        self.series = series
        self.sqrt: Callable[[Num], Num] = number.sqrt
        self.number: Number[Num] = number
        self.terms: Terms[Num] = series.terms(number, market.book)
        self.market = market
        self.bar = 0
        """The bar that is being walked, as the market's conditions count them."""
        self.schedule: Schedule[Num] = schedule
        self.state: State[Num] = state
        self.record: Record[Num] = Record()
        self.is_pool = series.venue.kind == "pool"
        self.is_future = series.venue.kind == "future"
        self.is_undisturbed = schedule.is_plain and not self.is_future
        """Whether nothing but its triggers ever makes it trade at a clock observation."""
        nothing = number.of(0)
        self.no_limits: TradeLimits[Num] = TradeLimits(
            nothing, nothing, has_room=False, room=nothing
        )
        self.has_limits = self.is_pool or series.execution != Execution(
            delay_s=series.execution.delay_s
        )
        """Whether its venue takes less than any size."""
        self.management: Num = number.of(series.fees.management_per_year)
        self.creation_bps: Num = number.of(series.fees.creation_bps)
        self.redemption_bps: Num = number.of(series.fees.redemption_bps)
        self.volatility: Num = number.of(volatility.annualised if volatility else 0)
        self.fee_share: Num = number.of(pool.fee_share if pool else 0)
        if reserve is None:
            reserve = ReserveBooks(pool, number, schedule, state.reserve)
        self.reserve: ReserveBooks[Num] = reserve

    def present_terms(self) -> Terms[Num]:
        """The terms with the impact of the present bar, where it follows the market."""
        if self.market.conditions is None:
            return self.terms
        return _terms_at(self.terms, self.number, self.market, self.bar)

    def float_terms(self) -> Terms[float]:
        """The present terms as floats, whatever the run computes in."""
        return _terms_at(self.series.terms(FLOAT, self.market.book), FLOAT, self.market, self.bar)

    def _nav(self, price: Num) -> Num:
        """Of the whole fund."""
        return nav_of(self.state.cash, self.state.units, price)

    def _leverage(self, price: Num) -> Num:
        return leverage_of(self.state.cash, self.state.units, price)

    def _cost(self, notional: Num, price: Num) -> TradeCost[Num]:
        """What a trade costs that has to be made, and who pays it.

        Raises:
            InputError: where what it trades on does not hold that much.
        """
        terms = self.present_terms()
        self._check_tradable(terms, notional)
        return trade_cost(terms.rates, notional, self.reserve.value(price), self.sqrt)

    def _check_tradable(self, terms: Terms[Num], notional: Num) -> None:
        if not is_tradable(terms.nav_curve, notional) or not is_tradable(
            terms.reserve_curve, notional
        ):
            message = (
                f"{self.series.symbol}: expected a book or a pool that can take every trade that "
                f"has to be made, found one of {abs(float(notional)):,.10g} "
                f"{self.series.quote}; give a deeper one, or smaller flows."
            )
            raise InputError(message, symbol=self.series.symbol, notional=float(notional))

    def _accrue(self, time: int, price: Num) -> None:
        """Funding, then interest, then the management fee on what is left."""
        state, sums, venue = self.state, self.state.totals, self.terms.venue
        since = state.time
        if since is None:
            return
        if self.is_future:
            self._hold_at(mark_factor(self.terms.basis, state.expiry, time))
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
            nav = self._nav(price)
            if nav > 0:
                fee = management_fee(nav, self.management, time - since)
                state.cash -= fee
                sums.management += fee
                state.reserve.pending_fees += reserve_share(fee, self.fee_share)

    def _hold_at(self, mark: Num) -> None:
        """The same contracts at another mark."""
        state = self.state
        state.units = state.units / state.mark * mark
        state.mark = mark

    def settle_price(self, time: int, price: Num) -> None:
        """With a reserve as the counterparty: pay what the price change won or lost."""
        state = self.state
        if not self.is_pool or state.settled_price is None or state.settled_price == price:
            return
        gain = price_gain(state.units, state.settled_price, price)
        if gain > 0:
            paid = payable(gain, self.reserve.value(price))
        else:
            nav = self._nav(state.settled_price)
            paid = -payable(-gain, nav) if nav > 0 else gain * 0
        # what the one has not got the other does not get
        state.cash -= gain - paid
        state.settled_price = price
        if paid != 0:
            self.reserve.settle(paid, time, price)

    def wins(self, price: Num) -> bool:
        """Whether its counterparty has to pay it at this price."""
        state = self.state
        if not self.is_pool or state.settled_price is None:
            return False
        return price_gain(state.units, state.settled_price, price) > 0

    def _split(self, since: int, time: int) -> None:
        for ratio in self.schedule.splits_between(since, time):
            self.state.tokens *= ratio
            self.state.split *= ratio

    def _take_flows(self, since: int, time: int, price: Num) -> Parties[Num] | None:
        """Let tokens be created and redeemed at nav; the trade that it takes is still to be sent.

        Raises:
            InputError: where no token would be left.
        """
        due = self.schedule.flows_between(since, time) if self.schedule.has_flows else ()
        if not due:
            return None
        state = self.state
        parties = Parties(self.present_terms().rates, self.sqrt)
        for tokens in due:
            nav = self._nav(price)
            if state.tokens + tokens <= 0:
                message = (
                    f"{self.series.symbol}: flows: expected fewer redemptions than the "
                    f"{float(state.tokens):g} tokens that are left, found one of "
                    f"{float(-tokens):g}; to close the token, wind it down."
                )
                raise InputError(message, symbol=self.series.symbol)
            bps = self.creation_bps if tokens > 0 else self.redemption_bps
            joined = parties.join(time, tokens, state.tokens, nav, state.units * price, bps)
            state.cash += tokens * nav / state.tokens - joined.notional
            state.units += joined.notional / price
            state.tokens += tokens
            state.reserve.pending_fees += reserve_share(joined.fee, self.fee_share)
        return parties

    def _settle(
        self,
        trigger: int,
        notional: Num,
        cost: TradeCost[Num],
        time: int,
        price: Num,
        parties: Parties[Num] | None = None,
    ) -> None:
        """Move the books by one trade and write its row; ``parties`` went out in its order."""
        state, sums, reserve = self.state, self.state.totals, self.reserve
        before = nav_of(state.cash, state.units, price)
        leverage_before = leverage_of(state.cash, state.units, price)
        state.cash -= notional
        state.units += notional / price
        self._pay(cost, price)
        sent, sizes = notional, abs(notional)
        if parties is not None:
            sent, sizes = notional + parties.net, sizes + parties.flows.size
            self.record.flows.extend(parties.rows(notional))
        if self.is_pool:
            reserve.receive(abs(sent) * self.terms.pool_fee, time, price)
        after = nav_of(state.cash, state.units, price)
        if trigger not in UNCOUNTED:
            sums.turnover += abs(notional)
            sums.clips += 1
        if not is_nothing_sent(sent, sizes):
            self._write_row(
                trigger, sent, abs(sent), cost, time, price, before, leverage_before, after
            )

    def _pay(self, cost: TradeCost[Num], price: Num) -> None:
        """Take a trade's cost from nav and reserve, and add it to the sums."""
        state, sums = self.state, self.state.totals
        fee, spread, impact, gas, paid_by_reserve, paid_by_nav = cost
        state.cash -= paid_by_nav
        if paid_by_reserve != 0:
            self.reserve.pay(paid_by_reserve, price)
            sums.paid_by_reserve += paid_by_reserve
        sums.fee += fee
        sums.spread += spread
        sums.impact += impact
        sums.gas += gas

    def _write_row(
        self,
        trigger: int,
        sent: Num,
        notional: Num,
        cost: TradeCost[Num],
        time: int,
        price: Num,
        nav_before: Num,
        leverage_before: Num,
        nav_after: Num,
    ) -> None:
        state = self.state
        # a future trades in contracts at its mark
        marked = price * state.mark
        self.record.trades.append(
            RebalanceRow(
                time,
                TRIGGER_NAMES[trigger],
                "buy" if sent > 0 else "sell",
                abs(sent) / marked,
                marked,
                notional,
                leverage_before,
                leverage_of(state.cash, state.units, price) if nav_after > 0 else price * 0,
                nav_before / state.tokens,
                nav_after / state.tokens,
                cost.fee,
                cost.spread,
                cost.impact,
                cost.gas,
                cost.paid_by_reserve,
            )
        )

    def _ended(self, time: int, price: Num) -> bool:
        state = self.state
        if is_liquidated(self.terms.venue, state.cash, state.units, price):
            self._close(time, price, "liquidated")
        elif is_nav_gone(state.cash, state.units, price):
            self._close(time, price, "nav")
        return state.ended is not None

    def _close(self, time: int, price: Num, reason: str) -> None:
        state = self.state
        self.settle_price(time, price)
        state.cash = nav_after_liquidation(self.terms.venue, state.cash, state.units, price)
        state.units = state.units * 0
        self._end(time, price, reason)

    def _end(self, time: int, price: Num, reason: str) -> None:
        state = self.state
        state.clips = None
        state.order = None
        state.ended = Ended(time, float(price), reason)
