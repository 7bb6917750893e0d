"""The fast engine: the same fund as in the reference, observed only where something can happen.

Between two events a fund's state changes only by accruals, and every threshold is a price. The
driver finds the first bar that is not quiet with a few comparisons of whole columns, moves the
state there with one effect for all bars in between, and lets the fund observe that bar. The fund
decides everything, as it does bar by bar. Observing a bar that turns out to be quiet only costs
time; what must never happen is that a bar is skipped at which a rule would act. ``QuietPrices`` and
``_next_stop`` make sure of that.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable

import numpy as np

from steelyard.fund.apply import apply, see
from steelyard.fund.effects import Accrued, Effect
from steelyard.fund.events import NOTHING_DUE, Event, Inputs, Observed
from steelyard.fund.group import Group
from steelyard.fund.step import step
from steelyard.market import Prices
from steelyard.rules.accruals import funding_payment
from steelyard.rules.numbers import FLOAT, Num, Number
from steelyard.rules.triggers import is_volatile
from steelyard.simulation.bar_records import Marks, SteadyFunding
from steelyard.simulation.block_minmax import Extremes
from steelyard.simulation.bulk_accruals import BulkAccruals
from steelyard.simulation.fills import ModelFills
from steelyard.simulation.inside_bars import travel
from steelyard.simulation.no_event_bounds import NOWHERE, QuietPrices
from steelyard.simulation.reference import Member
from steelyard.simulation.reserve_health import RUNWAY_S
from steelyard.simulation.returns import ReturnWindow
from steelyard.simulation.settlements import Settlements
from steelyard.simulation.timeline import Timeline

__all__ = ["FastReplay", "is_supported"]

PROGRESS_EVERY = 2_048
NEAR = 16
"""Number of bars to search first where drift has brought a threshold near; it then grows."""
MOST_PLAIN = 15
"""Largest number of bars to observe one after another before the next search for quiet bars."""
SHORT = 12
"""Number of bars below which observing each is as fast as computing their accruals at once."""
NOTHING_DRIFTS = (0.0, 0.0, math.inf)


def is_supported(number: Number[Num]) -> bool:
    """Whether this engine can run in that kind of number; if not, the reference engine is used."""
    return number is FLOAT


class FastReplay:
    """Runs one fund through a history from event to event.

    Args:
        member: the fund with its schedule of events.
        prices: the bars.
        intrabar: ``"close"`` or ``"path"``.
    """

    def __init__(self, member: Member[float], prices: Prices, intrabar: str) -> None:
        self.member = member
        self.fund, self.schedule, self.record = member.fund, member.schedule, member.record
        self.state, self.terms, series = member.state, member.fund.terms, member.series
        self.group: Group[float] = Group([member.fund], ModelFills())
        self.falls_hurt = series.target_leverage > 0
        self.bar = 0
        self.seen_at: tuple[int, float] | None = None
        """Time and price of the last quiet bar, if the state does not contain them yet."""
        self.bars = len(prices)
        self.is_path = intrabar == "path"
        self.is_spot = self.terms.venue.spot
        self.has_interest = self.terms.has_interest
        self.timeline = Timeline(prices, 0 if self.is_path else prices.step_s)
        self.close = self.seen = low = high = np.asarray(prices.close)
        if self.is_path:
            self.seen, low, high = (
                np.asarray(column) for column in (prices.open, prices.low, prices.high)
            )
        self.extremes = Extremes(low, high)
        self.quiet = QuietPrices(series, self.terms)
        self.accruals = BulkAccruals(self.terms, self.schedule.highest_rate)
        self._find_instants()
        columns = self.accruals.columns(self.bars, funded=bool(self.funding_bars))
        self.settlements: Settlements | None = None
        if self.terms.is_pool and series.reserve is not None:
            first, second = (low, high) if self.falls_hurt else (high, low)
            visits = (self.seen, first, second, self.close) if self.is_path else (self.close,)
            self.settlements = Settlements(visits, 0, series.reserve, self.terms.max_utilisation)
            columns["reserve"] = np.empty(self.bars)
        funding = None
        if self.funding_bars and not self.accruals.any:
            funding = SteadyFunding(np.array(self.funding_bars), np.array(self.funding_paid))
        self.marks = Marks(self.bars, columns, funding)
        self.returns: ReturnWindow | None = None
        if series.rebalance.volatility is not None:
            self.returns = ReturnWindow(
                series.rebalance.volatility, self.state, self.timeline.observed(), self.seen
            )
        self.is_simple = (
            self.schedule.is_plain
            and self.terms.reserve is None
            and not self.has_interest
            and self.returns is None
            and member.market.conditions is None
        )
        """Whether funding is the only input of any observation."""
        self.moves_always = self.accruals.any or self.settlements is not None
        self.most_look = self.bars
        if self.accruals.any and prices.step_s:
            self.most_look = max(NEAR, self.accruals.most_s // prices.step_s)
        self.look = self.most_look

    def _find_instants(self) -> None:
        """Find the bars at which something is scheduled."""
        schedule, timeline = self.schedule, self.timeline
        times, rates = schedule.funding_within(timeline.first, timeline.last)
        self.funding_bars = timeline.bars_at(times)
        self.funding_rates = rates
        # an instant after the last bar has no price, and the run never reaches it
        prices = self.seen.take(self.funding_bars, mode="clip")
        paid = np.array([0.0, *rates])
        self.funding_sizes: list[float] = np.cumsum(np.abs(paid)).tolist()
        paid[1:] = funding_payment(1.0, prices, paid[1:])  # type: ignore[type-var]  # columns
        self.funding_paid: list[float] = np.cumsum(paid).tolist()
        """What one unit, held all along, has paid before each funding, and after all of them."""
        stops = schedule.stop_times
        if self.has_interest:
            stops += schedule.rate_times
        if self.terms.is_pool:
            # health counts the settlements of the last RUNWAY_S, so earlier ones are kept in
            # another row
            stops.append(timeline.last - RUNWAY_S + 1)
        self.next_funding = 0
        self.stops = sorted(set(timeline.bars_at(stops)))
        if schedule.wind_down is not None and schedule.wind_down <= timeline.first:
            # a wind-down that is due at the launch takes place at the bar after it
            self.stops = sorted({1, *self.stops})

    def run(self, progress: Callable[[int], None] | None = None) -> None:
        """Run the token through all bars."""
        state, bar, told = self.state, 0, 0
        busy = plain = 0
        while bar < self.bars and state.ended is None:
            self._step(bar)
            bar += 1
            if plain > 0:
                plain -= 1
            else:
                after = self._after_quiet(bar)
                # where many bars in a row act, the search for a quiet one costs as much as a step
                busy = min(2 * busy + 1, MOST_PLAIN) if after == bar else 0
                bar, plain = after, busy
            if progress is not None and bar >= told:
                progress(bar)
                told = bar + PROGRESS_EVERY
        if state.ended is not None:
            self.marks.end(self.bar, state)
        if self.returns is not None and bar:
            self.returns.restore(state, self.bar)
        # the market continues after a token's end, and health is computed at the history's last bar
        self.bar = self.bars - 1

    # -- bars at which something may happen ----------------------------------------------------

    def _step(self, bar: int) -> None:
        """Let the fund observe a bar."""
        self.bar = bar
        traded = self.record.traded
        made, time = len(traded), self.timeline.time_of(bar)
        if self.is_path:
            opening, close = self.seen.item(bar), self.close.item(bar)
            first, second = self.extremes.low.item(bar), self.extremes.high.item(bar)
            if not self.falls_hurt:
                first, second = second, first
            self._observe(time, opening)
            is_out = self.schedule.has_outages and self.schedule.is_out(time)
            for start, end in ((opening, first), (first, second), (second, close)):
                travel(self.fund, self._tell, is_out, time, start, end)
        else:
            self._observe(time, self.close.item(bar))
        if len(traded) > made:
            self.look = self.most_look
        self.marks.note(bar, self.state)

    def _observe(self, time: int, price: float) -> None:
        since, schedule = self.state.time, self.schedule
        # the run may continue from a state that another run left between two bars
        by_fund = self.accruals.any or self.bar == 0
        if not by_fund and self.funding_bars:
            paid = self._funding_due(self.bar + 1)
            if paid is not None and since is not None and self.state.price is not None:
                self._pay_funding(paid, since, self.state.price)
        inputs: Inputs[float] = NOTHING_DUE
        if not self.is_simple:
            impact = self.member.impact(self.bar)
            inputs = schedule.inputs_between(
                since, time, self.has_interest, impact, with_funding=by_fund
            )
            if self.returns is not None:
                inputs = inputs._replace(volatile=self._is_volatile())
        elif by_fund:
            inputs = schedule.inputs_between(since, time)
        if by_fund:
            self.next_funding = bisect_left(self.funding_bars, self.bar + 1, self.next_funding)
        injections: tuple[tuple[float, bool], ...] = ()
        if since is not None and self.terms.reserve is not None:
            injections = schedule.injections_between(since, time)
        is_out = schedule.has_outages and schedule.is_out(time)
        self._tell(Observed(time, price, is_out, injections, (inputs,)))

    def _tell(self, event: Event[float]) -> list[Effect[float]]:
        """Pass an event to the fund, and record its effects."""
        effects = step(self.group, event)
        if effects:
            self.record.take(effects)
        return effects

    def _is_volatile(self) -> bool:
        """Whether this bar reaches the volatility trigger's level, by the whole column."""
        how = self.member.series.rebalance.volatility
        if how is None or self.returns is None or self.returns.next_near(self.bar) > self.bar:
            return False
        squares = self.returns.returns(self.bar)
        return is_volatile(float(squares.sum()), len(squares), how.window_s, self.terms.volatility)

    # -- bars at which nothing can happen ------------------------------------------------------

    def _after_quiet(self, bar: int) -> int:
        """Skip the quiet bars from this one on, and return the first bar that must be observed."""
        state = self.state
        if state.ended is not None or (state.pending and state.intent is None):
            # requests that wait for an order are decided at the next observation
            return bar
        while bar < self.bars and state.clips is None:
            out = self.schedule.has_outages and self.schedule.is_out(self.timeline.time_of(bar))
            asleep = out or state.intent is not None
            stop, within_band = self._next_stop(bar, asleep)
            if self.terms.is_future and not out:
                stop = min(stop, max(bar, self.timeline.bar_at(state.expiry - self.terms.roll_s)))
            if self.moves_always and stop - bar < SHORT:
                break
            end, is_event = self._quiet_until(bar, stop, within_band, asleep)
            if end > bar:
                self._skip(bar, end)
            bar = end
            if is_event:
                break
        if self.seen_at is not None and (bar == self.bars or not self.is_simple):
            # done once after all quiet bars, and only if the next observation does not do it
            see(state, *self.seen_at, None)
        self.seen_at = None
        return bar

    def _next_stop(self, bar: int, asleep: bool) -> tuple[int, bool]:
        """The first bar from this one on at which something is due, whatever the price is.

        If ``asleep``, no trigger acts: during an outage, and while an order is on its way. The
        second value is whether an overdue fallback does nothing as long as leverage is inside the
        band.
        """
        state = self.state
        stop, within_band = (self.bars, False) if asleep else self._next_due(bar)
        if state.intent is not None:
            stop = min(stop, self.timeline.bar_at(state.intent.due))
        if self.terms.reserve is not None:
            stop = min(stop, self.timeline.bar_at(state.reserve.next_allocation))
        if self.stops:
            place = bisect_left(self.stops, bar)
            if place < len(self.stops):
                stop = min(stop, self.stops[place])
        return max(stop, bar), within_band

    def _next_due(self, bar: int) -> tuple[int, bool]:
        """The first bar at which a trigger of the clock or of volatility may fire."""
        state, how = self.state, self.member.series.rebalance
        stop, within_band = self.bars, False
        if how.daily is not None:
            stop = min(stop, self.timeline.bar_at(state.next_daily))
        if how.interval is not None:
            stop = min(stop, self.timeline.bar_at(state.next_interval))
        if how.fallback is not None:
            due = self.timeline.bar_at(state.last_rebalance + how.fallback.after_s)
            # A move to the edge trades nothing inside the band. A fallback that found nothing to
            # trade there remains due, and goes on finding nothing.
            within_band = due < bar and self.quiet.rests_inside
            if not within_band:
                stop = min(stop, due)
        if self.returns is not None and how.volatility is not None:
            first = bar
            if state.last_volatile is not None:
                first = max(
                    bar, self.timeline.bar_at(state.last_volatile + how.volatility.window_s)
                )
            stop = min(stop, self.returns.next_near(first))
        return stop, within_band

    def _quiet_until(
        self, bar: int, stop: int, within_band: bool, asleep: bool
    ) -> tuple[int, bool]:
        """The end of the quiet bars from this one on, and whether that bar may act."""
        state, between = self.state, self.quiet.between
        while True:
            end = min(stop, bar + self.look)
            if end == bar:
                return bar, True
            drift = self._drift(bar, end)
            cash_room, units_room, highest = drift
            low, high = between(state, cash_room, units_room, within_band, asleep)
            high = min(high, highest)
            if self.is_spot and abs(state.cash) <= cash_room:
                low, high = NOWHERE  # the sign of cash decides which rate it pays
            found = self.extremes.first_outside(bar, end, low, high)
            if self.settlements is not None and found > bar:
                found = self.settlements.first_event(state, bar, found, cash_room)
            if found == end:
                self.look = min(self.look * 8, self.most_look)
                return end, end == stop
            if drift is NOTHING_DRIFTS:
                return found, True
            is_near = self.look <= NEAR
            self.look = NEAR
            if found > bar or is_near:
                return found, is_near and found == bar

    def _drift(self, bar: int, end: int) -> tuple[float, float, float]:
        """How far accruals can move cash and units before ``end``, and up to which price."""
        cash = 0.0
        if self.funding_bars:
            sizes, first = self.funding_sizes, self.next_funding
            cash = sizes[bisect_left(self.funding_bars, end, first)] - sizes[first]
        if cash == 0.0 and not self.accruals.any:
            return NOTHING_DRIFTS
        state, highest = self.state, 2.0 * self.seen.item(bar)
        cash *= 1.1 * abs(state.units) * highest
        if not self.accruals.any:
            return cash, 0.0, highest
        seconds = self.timeline.time_of(end - 1) - self.timeline.time_of(bar - 1)
        reach = self.accruals.reach(state, seconds, highest)
        return reach.cash + cash, reach.units, highest

    def _skip(self, bar: int, end: int) -> None:
        """Move the state over quiet bars with the result of observing each of them."""
        state, symbol = self.state, self.terms.symbol
        time, price = self.timeline.time_of(end - 1), self.seen.item(end - 1)
        if self.settlements is not None:
            column = self.marks.columns["reserve"]
            settled = self.settlements.effect(state, symbol, column, bar, end, time)
            apply(state, settled)
            self.record.reserve.losses.append((time, settled.paid))
        if self.accruals.any:
            apply(state, self._accrued(bar, end))
        else:
            paid = self._funding_due(end) if self.funding_bars else None
            if paid is not None:
                self._pay_funding(paid, time, price)
            self.seen_at = None if paid is not None else (time, price)
        self.bar = end - 1

    def _funding_due(self, end: int) -> float | None:
        """The sum of funding that is due before ``end`` for constant units; None if none is due."""
        first = self.next_funding
        last = self.next_funding = bisect_left(self.funding_bars, end, first)
        if last == first:
            return None
        return self.state.units * (self.funding_paid[last] - self.funding_paid[first])

    def _pay_funding(self, paid: float, time: int, price: float) -> None:
        state, symbol = self.state, self.terms.symbol
        cash, fees = state.cash - paid, state.reserve.pending_fees
        units, mark = state.units, state.mark
        accrued = Accrued(symbol, time, price, None, (paid,), 0.0, 0.0, cash, units, mark, fees)
        apply(state, accrued)

    def _accrued(self, bar: int, end: int) -> Accrued[float]:
        """The accruals at each of these bars, funding included."""
        funding, first = None, self.next_funding
        last = self.next_funding = bisect_left(self.funding_bars, end, first)
        if last > first:
            funding = np.zeros(end - bar)
            paid_at = np.array(self.funding_bars[first:last]) - bar
            np.add.at(funding, paid_at, self.funding_rates[first:last])
        return self.accruals.effect(
            self.state,
            self.marks.columns,
            bar,
            self.timeline.stamps[bar - 1 : end] + self.timeline.shift_s,
            self.seen[bar:end],
            self.schedule.rate_after(self.timeline.time_of(bar - 1)),
            funding,
        )
