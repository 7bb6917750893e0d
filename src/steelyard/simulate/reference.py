"""The reference simulation: SPEC 2 as a loop that reads like it, for any kind of number.

It is the oracle for everything faster. It decides nothing itself: every leverage, trigger, size,
cost and payment comes from ``steelyard.rules``.

At each clock observation: accrue; close the position where the venue or its own nav ends it; feed
the reserve; let tokens come and go; test the triggers; trade. Between the visited prices of a bar
the price is continuous and emergency, band, move and liquidation act at the exact price where they
first hold.
"""

from __future__ import annotations

from steelyard.errors import InputError
from steelyard.rules.costs import side_depth
from steelyard.rules.decide import (
    Outcome,
    Plan,
    is_clip_done,
)
from steelyard.rules.futures import contract_at, mark_factor
from steelyard.rules.leverage import leverage_of
from steelyard.rules.numbers import Num, Number
from steelyard.rules.series import Series
from steelyard.rules.triggers import (
    Crossing,
    Trigger,
    crossing,
    exceeds,
    first_trigger,
    is_emergency,
    is_volatile,
    next_instant,
)
from steelyard.simulate.parties import Parties
from steelyard.simulate.state import BarRow, ReserveState, State, Totals
from steelyard.simulate.trader import Trader

__all__ = ["MOST_REBALANCES", "Replay", "new_state"]

MOST_REBALANCES = 100_000
"""Between two visited prices; beyond it a rule trades with itself and the run is refused."""

DAY_S = 86_400
KEEPS_DUE = (Outcome.BLOCKED, Outcome.WAIT)
"""What made such a rebalance due stays due."""
AT_REST = 1 << Trigger.EMERGENCY | 1 << Trigger.BAND | 1 << Trigger.MOVE
"""As ``spent`` of a crossing: nothing but a liquidation acts."""


def new_state(
    series: Series, number: Number[Num], reserve: ReserveState[Num] | None = None
) -> State[Num]:
    """The token before its launch: all cash, nothing held; ``reserve`` may be a shared one."""
    nothing = number.of(0)
    tokens = number.of(series.initial_tokens)
    if reserve is None:
        reserve = ReserveState.of(
            number.of(series.reserve.initial_units) if series.reserve else nothing
        )
    return State(
        cash=number.of(series.initial_nav) * tokens,
        units=nothing,
        tokens=tokens,
        reserve=reserve,
        mark=number.of(1),
        split=number.of(1),
        squares=nothing,
        totals=Totals.none(nothing),
    )


class Replay(Trader[Num]):
    """One token walked over a history, observation by observation (arguments: see ``Books``)."""

    @property
    def fears_falls(self) -> bool:
        """Whether a fall hurts it, so that a bar's low comes before its high."""
        return self.series.target_leverage > 0

    # -- the two kinds of step ---------------------------------------------------------------

    def observe(self, time: int, price: Num) -> None:
        """A clock observation: everything may act here."""
        state, reserve = self.state, self.reserve
        if not reserve.members:
            reserve.serve([self])
        since = state.time
        if since is None:
            reserve.open(time)
            self.launch(time, price)
            self.after_trades(time, price)
            return
        if state.ended is not None:
            return
        # counted before the end is looked for: it was suspended up to this instant
        if reserve.state.suspended:
            reserve.count_suspension(time - since)
        self.begin(time, price)
        if state.ended is None:
            if reserve.terms is not None:
                reserve.feed(time, price, since)
                reserve.judge(price)
                reserve.keep_capacity(time, price)
            if state.ended is None:
                self.act(time, price, since)

    def travel(self, time: int, start: Num, end: Num) -> None:
        """The price goes from ``start`` to ``end`` inside a bar, through all that lies between."""
        spent = rebalances = 0
        while self.state.ended is None:
            met = self.next_crossing(time, start, end, spent)
            if met.trigger == Trigger.NONE:
                self.arrive(time, end)
                self.after_trades(time, end)
                return
            if spent and not (exceeds(met.price, start) or exceeds(start, met.price)):
                # one crossing with the one before, which named it and traded nothing
                spent |= 1 << met.trigger
                continue
            start = met.price
            if self.meet(met, time):
                spent = 0
                rebalances += 1
            else:
                # it stays where it is, so on this way it is not crossed again
                spent |= 1 << met.trigger
            if rebalances > MOST_REBALANCES:
                self.refuse_endless(met.trigger)

    def mark(self, price: Num) -> None:
        """Write the bar's row, marked at its close."""
        state, sums = self.state, self.state.totals
        leverage = 0.0
        if state.ended is None:
            leverage = float(self._leverage(price))
        self.record.bars.append(
            BarRow(
                float(self._nav(price) / state.tokens),
                leverage,
                float(state.tokens),
                float(state.split),
                float(state.reserve.units),
                float(sums.funding),
                float(sums.interest),
                float(sums.management),
            )
        )

    # -- what a clock observation is made of ---------------------------------------------------

    def launch(self, time: int, price: Num) -> None:
        """Buy the first position.

        Raises:
            InputError: where it cannot be bought.
        """
        state, how = self.state, self.series.rebalance
        state.time = state.last_rebalance = time
        state.price = state.reference = price
        if self.is_pool:
            state.settled_price = price
        if self.is_future:
            state.expiry = contract_at(time, self._roll_s)
            state.mark = mark_factor(self.terms.basis, state.expiry, time)
        if how.interval is not None:
            state.next_interval = next_instant(how.interval.every_s, how.interval.anchor_s, time)
        if how.daily is not None:
            state.next_daily = next_instant(DAY_S, how.daily.at_s, time)
        plan = self._plan(Trigger.LAUNCH, self.terms.rule.target, price)
        if plan.outcome != Outcome.TRADE:
            raise InputError(self._launch_refusal(plan), symbol=self.series.symbol)
        self._carry_out(plan, Trigger.LAUNCH, time, price)
        self._refuse_unfilled()

    def begin(self, time: int, price: Num) -> None:
        """Come to a clock observation: splits, what the price and time cost, perhaps the end."""
        state = self.state
        if state.time is not None and self.schedule.has_splits:
            self._split(state.time, time)
        if self.is_pool:
            self.settle_price(time, price)
        self._accrue(time, price)
        if self.series.rebalance.volatility is not None:
            self._extend_window(time, price)
        state.time, state.price = time, price
        self._ended(time, price)

    def act(self, time: int, price: Num, since: int) -> None:
        """Roll, let tokens come and go, and do what the rules say."""
        state, wind_down = self.state, self.schedule.wind_down
        if self.is_undisturbed and state.order is None:
            # most tokens, nearly always: nothing of the below
            self._test_triggers(time, price, None)
            self.after_trades(time, price)
            return
        ends = wind_down is not None and time >= wind_down
        if self._rolls(time) and not ends:
            self._roll(time, price)
            if self._ended(time, price):
                self.after_trades(time, price)
                return
        parties = self._take_flows(since, time, price)
        nets = not (ends or state.order is not None or self.series.execution.delay_s)
        if parties is not None and not nets:
            self._send(parties, time, price)
            parties = None
        if ends:
            self._wind_down(time, price)
        else:
            parties = self._decide(time, price, parties)
            if parties is not None:
                self._send(parties, time, price)
        self.after_trades(time, price)

    def after_trades(self, time: int, price: Num) -> None:
        """Keep to what the counterparty can carry: what the reserve bears lowers that too."""
        if self.reserve.is_counterparty:
            self.reserve.keep_capacity(time, price)

    def _decide(self, time: int, price: Num, parties: Parties[Num] | None) -> Parties[Num] | None:
        """Fill, or test the triggers; what of ``parties`` is not sent yet."""
        state = self.state
        if state.order is not None:
            if time >= state.order.due:
                self._fill(state.order, time, price)
            return parties
        if self.schedule.is_out(time):
            return parties
        return self._test_triggers(time, price, parties)

    def _test_triggers(
        self, time: int, price: Num, parties: Parties[Num] | None
    ) -> Parties[Num] | None:
        """Test the triggers; one rebalance serves all that hold at this observation."""
        state, how, rule = self.state, self.series.rebalance, self.terms.rule
        leverage = leverage_of(state.cash, state.units, price)
        if state.clips is not None:
            if not is_clip_done(state.clips.destination, state.clips.raises, leverage):
                if is_emergency(rule, leverage) and not self._under_way():
                    outcome = self._fire(Trigger.EMERGENCY, time, price, leverage, parties)
                elif time >= state.clips.last_time + how.cooldown_s:
                    outcome = self._next_clip(state.clips, time, price, parties)
                else:
                    return parties
                return None if self._went_out(outcome) else parties
            state.clips = None
        if state.reference is None:
            return parties
        volatile = how.volatility is not None and self._is_volatile(time)
        interval_due = how.interval is not None and time >= state.next_interval
        daily_due = how.daily is not None and time >= state.next_daily
        fallback_due = (
            how.fallback is not None and time - state.last_rebalance >= how.fallback.after_s
        )
        trigger = first_trigger(
            rule, leverage, price, state.reference, volatile, interval_due, daily_due, fallback_due
        )
        if trigger == Trigger.NONE:
            return parties
        outcome = self._fire(trigger, time, price, leverage, parties)
        if outcome not in KEEPS_DUE:
            if volatile:
                state.last_volatile = time
            if how.interval is not None and interval_due:
                every, anchor = how.interval.every_s, how.interval.anchor_s
                state.next_interval = next_instant(every, anchor, time)
            if how.daily is not None and daily_due:
                state.next_daily = next_instant(DAY_S, how.daily.at_s, time)
        return None if self._went_out(outcome) else parties

    def _went_out(self, outcome: int) -> bool:
        """Whether a trade was made just now, and not ordered for later."""
        return outcome == Outcome.TRADE and self.series.execution.delay_s == 0

    def _refuse_unfilled(self) -> None:
        """A token starts at its target: what a book or a pool cannot fill is no launch."""
        rule, rates, state = self.terms.rule, self.terms.rates, self.state
        buys = rule.target > 0
        wanted = abs(rule.target) * self.number.of(self.series.initial_nav) * state.tokens
        if state.clips is not None:
            what, held = "the book", side_depth(rates.book, buys)
            deepen = "give a deeper book"
        elif buys and 0 < rates.amm_liquidity <= wanted:
            what, held, deepen = "the pool", rates.amm_liquidity, "raise amm_liquidity"
        else:
            return
        message = (
            f"{self.series.symbol}: expected a first position that {what} can fill, found one of "
            f"{float(wanted):,.10g} {self.series.quote} and {float(held):,.10g} to "
            f"{'buy' if buys else 'sell into'}; lower initial_nav x initial_tokens, or {deepen}."
        )
        raise InputError(message, symbol=self.series.symbol)

    def _extend_window(self, time: int, price: Num) -> None:
        state, rule = self.state, self.series.rebalance.volatility
        if rule is None or state.time is None or state.price is None:
            return
        change = price / state.price - 1
        square = change * change
        state.window.append((state.time, square))
        state.squares += square
        while state.window and state.window[0][0] < time - rule.window_s:
            state.squares -= state.window.popleft()[1]

    def _under_way(self) -> int:
        """The bit of an emergency whose clips are under way; 0 where there is none."""
        clips = self.state.clips
        return 1 << Trigger.EMERGENCY if clips and clips.trigger == Trigger.EMERGENCY else 0

    def _is_volatile(self, time: int) -> bool:
        state, how = self.state, self.series.rebalance.volatility
        if how is None:
            return False
        if state.last_volatile is not None and time - state.last_volatile < how.window_s:
            return False
        return is_volatile(state.squares, len(state.window), how.window_s, self.volatility)

    # -- what a way inside a bar is made of ------------------------------------------------------

    def next_crossing(self, time: int, start: Num, end: Num, spent: int) -> Crossing[Num]:
        """The first threshold on the way that acts now: in an outage only a liquidation does."""
        state = self.state
        if state.reference is None:
            return Crossing(Trigger.NONE, end)
        if state.order is not None or self.schedule.is_out(time):
            spent |= AT_REST
        # an emergency that goes out piece by piece, as a book fills up, is not a new one
        spent |= self._under_way()
        return crossing(
            self.terms.rule,
            self.terms.venue,
            state.cash,
            state.units,
            state.reference,
            start,
            end,
            state.clips is not None,
            spent,
        )

    def meet(self, met: Crossing[Num], time: int) -> bool:
        """Do what holds at the crossing's price; true where it was closed, traded or ordered."""
        venue = self.terms.venue
        if met.trigger == Trigger.LIQUIDATION:
            bites = venue.spot or venue.maintenance_margin > 0
            self._close(time, met.price, "liquidated" if bites else "nav")
        else:
            self.settle_price(time, met.price)
            leverage = self._leverage(met.price)
            if self._fire(met.trigger, time, met.price, leverage) != Outcome.TRADE:
                return False
        self.after_trades(time, met.price)
        return True

    def arrive(self, time: int, price: Num) -> None:
        """Come to a visited price inside a bar."""
        self.settle_price(time, price)
        # a trade's own costs may have taken it past a margin that is not crossed any more
        self._ended(time, price)

    # -- what cannot go on -----------------------------------------------------------------------

    def _launch_refusal(self, plan: Plan[Num]) -> str:
        symbol = self.series.symbol
        if plan.outcome == Outcome.WAIT:
            return (
                f"{symbol}: expected a launch that the venue takes, found a first position "
                f"below min_notional or less than one lot; raise initial_nav x initial_tokens."
            )
        if self.is_pool:
            return (
                f"{symbol}: expected a reserve that can carry a first position, found none: "
                f"raise its initial_units or max_utilisation, or lower the costs."
            )
        return (
            f"{symbol}: expected a launch that leaves some nav, found that the "
            f"costs of the first position take all of it; lower the costs or raise "
            f"initial_nav x initial_tokens."
        )

    def refuse_endless(self, trigger: int) -> None:
        """Refuse a rule that never comes to rest.

        Raises:
            InputError: always.
        """
        name = Trigger(trigger).name.lower()
        message = (
            f"{self.series.symbol}: more than {MOST_REBALANCES:,} rebalances by the rule "
            f'"{name}" between two prices of one bar; expected a rule that comes to rest: widen '
            f"its threshold or move farther with each rebalance."
        )
        raise InputError(message, symbol=self.series.symbol, trigger=name)
