"""The reference simulation: SPEC 2 as a loop that reads like it, for any kind of number.

It is the oracle for everything faster. It decides nothing itself: every leverage, trigger, size,
cost and payment comes from ``steelyard.rules``.

At each clock observation: accrue; close the position where the venue or its own nav ends it; feed
the reserve; test the triggers; trade. Between the visited prices of a bar the price is continuous
and emergency, band, move and liquidation act at the exact price where they first hold.
"""

from __future__ import annotations

from steelyard.errors import InputError
from steelyard.rules.costs import side_depth
from steelyard.rules.decide import Outcome, destination_of, is_clip_done, plan_trade
from steelyard.rules.leverage import leverage_of, nav_of
from steelyard.rules.numbers import Num, Number
from steelyard.rules.series import Series
from steelyard.rules.sizing import Payers
from steelyard.rules.triggers import (
    Trigger,
    crossing,
    exceeds,
    first_trigger,
    is_emergency,
    is_volatile,
    next_instant,
)
from steelyard.simulate.books import Books
from steelyard.simulate.state import (
    BarRow,
    Clips,
    State,
    Totals,
)

__all__ = ["MOST_REBALANCES", "Replay", "new_state"]

MOST_REBALANCES = 100_000
"""Between two visited prices; beyond it a rule trades with itself and the run is refused."""

DAY_S = 86_400


def new_state(series: Series, number: Number[Num]) -> State[Num]:
    """The token before its launch: all cash, nothing held."""
    nothing = number.of(0)
    tokens = number.of(series.initial_tokens)
    reserve = number.of(series.reserve.initial_units) if series.reserve else nothing
    return State(
        cash=number.of(series.initial_nav) * tokens,
        units=nothing,
        tokens=tokens,
        reserve_units=reserve,
        pending_fees=nothing,
        squares=nothing,
        totals=Totals.none(nothing),
    )


class Replay(Books[Num]):
    """One token walked over a history, observation by observation (arguments: see ``Books``)."""

    # -- the two kinds of step ---------------------------------------------------------------

    def observe(self, time: int, price: Num) -> None:
        """A clock observation: everything may act here."""
        state = self.state
        if state.time is None:
            self._launch(time, price)
            return
        if state.wiped_out is not None:
            return
        self._accrue(time, price)
        self._extend_window(time, price)
        elapsed = time - state.time
        state.time, state.price = time, price
        if state.suspended:
            # counted before the end is looked for: it was suspended up to this instant
            state.totals.suspended_s += elapsed
        if self._ended(time, price):
            return
        if self.series.reserve is not None:
            self._feed_reserve(time, price, time - elapsed)
            self._judge_reserve(price)
        self._act(time, price)

    def travel(self, time: int, start: Num, end: Num) -> None:
        """The price goes from ``start`` to ``end`` inside a bar, through all that lies between."""
        state, rule, venue = self.state, self.terms.rule, self.terms.venue
        spent = rebalances = 0
        while state.wiped_out is None and state.reference is not None:
            # an emergency that goes out piece by piece, as a book fills up, is not a new one
            resting = spent | self._under_way()
            met = crossing(
                rule,
                venue,
                state.cash,
                state.units,
                state.reference,
                start,
                end,
                state.clips is not None,
                resting,
            )
            if met.trigger == Trigger.NONE:
                # a trade's own costs may have taken it past a margin that is not crossed any more
                self._ended(time, end)
                return
            if met.trigger == Trigger.LIQUIDATION:
                bites = venue.spot or venue.maintenance_margin > 0
                self._close(time, met.price, "liquidated" if bites else "nav")
                return
            if spent and not (exceeds(met.price, start) or exceeds(start, met.price)):
                # one crossing with the one before, which named it and traded nothing
                spent |= 1 << met.trigger
                continue
            start = met.price
            if self._fire(met.trigger, time, start) == Outcome.TRADE:
                spent = 0
                rebalances += 1
            else:
                # it stays where it is, so on this way it is not crossed again
                spent |= 1 << met.trigger
            if rebalances > MOST_REBALANCES:
                self._refuse_endless(met.trigger)

    def mark(self, price: Num) -> None:
        """Write the bar's row, marked at its close."""
        state, sums = self.state, self.state.totals
        if state.wiped_out is None:
            leverage = float(leverage_of(state.cash, state.units, price))
        else:
            leverage = 0.0
        self.record.bars.append(
            BarRow(
                float(nav_of(state.cash, state.units, price) / state.tokens),
                leverage,
                float(state.reserve_units),
                float(sums.funding),
                float(sums.interest),
                float(sums.management),
            )
        )

    # -- what a clock observation is made of ---------------------------------------------------

    def _launch(self, time: int, price: Num) -> None:
        state, how = self.state, self.series.rebalance
        state.time = state.last_rebalance = time
        state.price = state.reference = price
        if how.interval is not None:
            state.next_interval = next_instant(how.interval.every_s, how.interval.anchor_s, time)
        if how.daily is not None:
            state.next_daily = next_instant(DAY_S, how.daily.at_s, time)
        if self.series.reserve is not None:
            state.next_allocation = time + self.series.reserve.allocation_every_s
        outcome = self._trade(Trigger.LAUNCH, self.terms.rule.target, time, price)
        if outcome != Outcome.TRADE:
            message = (
                f"{self.series.symbol}: expected a launch that leaves some nav, found that the "
                f"costs of the first position take all of it; lower the costs or raise "
                f"initial_nav x initial_tokens."
            )
            raise InputError(message, symbol=self.series.symbol)
        self._refuse_unfilled()
        self._judge_reserve(price)

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

    def _act(self, time: int, price: Num) -> None:
        """Test the triggers; one rebalance serves all that hold at this observation."""
        state, how, rule = self.state, self.series.rebalance, self.terms.rule
        leverage = leverage_of(state.cash, state.units, price)
        if state.clips is not None:
            if not is_clip_done(state.clips.destination, state.clips.raises, leverage):
                if is_emergency(rule, leverage) and not self._under_way():
                    self._fire(Trigger.EMERGENCY, time, price)
                elif time >= state.clips.last_time + how.cooldown_s:
                    self._next_clip(state.clips, time, price)
                return
            state.clips = None
        if state.reference is None:
            return
        volatile = self._is_volatile(time)
        interval_due = how.interval is not None and time >= state.next_interval
        daily_due = how.daily is not None and time >= state.next_daily
        quiet_s = time - state.last_rebalance
        fallback_due = how.fallback is not None and quiet_s >= how.fallback.after_s
        trigger = first_trigger(
            rule, leverage, price, state.reference, volatile, interval_due, daily_due, fallback_due
        )
        if trigger == Trigger.NONE or self._fire(trigger, time, price) == Outcome.BLOCKED:
            return
        if volatile:
            state.last_volatile = time
        if how.interval is not None and interval_due:
            state.next_interval = next_instant(how.interval.every_s, how.interval.anchor_s, time)
        if how.daily is not None and daily_due:
            state.next_daily = next_instant(DAY_S, how.daily.at_s, time)

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

    # -- trading -------------------------------------------------------------------------------

    def _fire(self, trigger: int, time: int, price: Num) -> int:
        """A rebalance that ``trigger`` names; counted where it trades or is blocked."""
        state = self.state
        leverage = leverage_of(state.cash, state.units, price)
        was_suspended = state.suspended
        self._judge_reserve(price)
        destination = destination_of(self.terms.rule, trigger, leverage)
        outcome = self._trade(trigger, destination, time, price)
        if outcome == Outcome.NOTHING:
            # a trigger with nothing to trade changes nothing
            state.suspended = was_suspended
        if outcome == Outcome.TRADE:
            state.reference = price
            state.last_rebalance = time
            counts = state.totals.by_trigger
            counts[trigger] = counts.get(trigger, 0) + 1
        return outcome

    def _next_clip(self, clips: Clips[Num], time: int, price: Num) -> None:
        if self._trade(clips.trigger, clips.destination, time, price) == Outcome.NOTHING:
            self.state.clips = None

    def _trade(self, trigger: int, destination: Num, time: int, price: Num) -> int:
        state, terms = self.state, self.present_terms()
        payers = Payers(terms.nav_curve, terms.reserve_curve, state.reserve_units * price)
        plan = plan_trade(
            terms.rule,
            terms.rates,
            payers,
            trigger,
            destination,
            nav_of(state.cash, state.units, price),
            state.units * price,
            state.suspended,
            self.sqrt,
        )
        if plan.outcome == Outcome.BLOCKED:
            state.totals.blocked += 1
        if plan.outcome == Outcome.TRADE:
            self._settle(trigger, plan.notional, plan.cost, time, price)
            self._judge_reserve(price)
            state.clips = (
                Clips(trigger, plan.destination, plan.raises, time) if plan.clipped else None
            )
        return plan.outcome

    def _refuse_endless(self, trigger: int) -> None:
        name = Trigger(trigger).name.lower()
        message = (
            f"{self.series.symbol}: more than {MOST_REBALANCES:,} rebalances by the rule "
            f'"{name}" between two prices of one bar; expected a rule that comes to rest: widen '
            f"its threshold or move farther with each rebalance."
        )
        raise InputError(message, symbol=self.series.symbol, trigger=name)
