"""The fast run: the reference's own steps where something can happen, none where nothing can.

Between two events a token's state moves by accruals alone, and every threshold is a price. The
driver looks for the first bar that is not quiet with a few comparisons of whole columns, takes the
state there at once, and lets the reference observe that bar: it decides everything, as it does
bar by bar. A bar looked at in vain costs time only; what may never happen is that one is skipped
at which a rule would act, which ``QuietPrices`` and ``_next_stop`` are written for.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable

import numpy as np

from steelyard.market import Prices
from steelyard.rules.accruals import funding_payment
from steelyard.rules.numbers import FLOAT, Num, Number
from steelyard.rules.series import Series
from steelyard.rules.triggers import is_volatile
from steelyard.simulate.conditions import NO_MARKET, Market
from steelyard.simulate.extremes import Extremes
from steelyard.simulate.health import RUNWAY_S
from steelyard.simulate.marks import Funding, Marks
from steelyard.simulate.quiet import NOWHERE, QuietPrices
from steelyard.simulate.reference import Replay
from steelyard.simulate.returns import ReturnWindow
from steelyard.simulate.schedule import Schedule
from steelyard.simulate.settlements import Settlements
from steelyard.simulate.state import State
from steelyard.simulate.stretch import Accruals
from steelyard.simulate.timeline import Timeline

__all__ = ["FastReplay", "is_supported"]

PROGRESS_EVERY = 2_048
NEAR = 16
"""Bars to look ahead where drift has brought a threshold near; more and more after that."""
MOST_PLAIN = 15
"""Bars to observe one after another before looking for quiet ones again."""
SHORT = 12
"""Bars that are observed as fast as what accrues over them is worked out at once."""
NOTHING_DRIFTS = (0.0, 0.0, math.inf)


def is_supported(number: Number[Num]) -> bool:
    """Whether this driver can run in that kind of number; if not, the reference runs."""
    return number is FLOAT


class FastReplay(Replay[float]):
    """One token taken through a history from event to event.

    Args:
        series: the token.
        schedule: what happens at given times.
        state: where to start; changed in place.
        prices: the bars.
        intrabar: ``"close"`` or ``"path"``.
        market: what it trades on, where that is not in the series alone.
    """

    def __init__(
        self,
        series: Series,
        schedule: Schedule[float],
        state: State[float],
        prices: Prices,
        intrabar: str,
        market: Market = NO_MARKET,
    ) -> None:
        super().__init__(series, FLOAT, schedule, state, market=market)
        self.bars = len(prices)
        self.is_path = intrabar == "path"
        self.is_spot = self.terms.venue.spot
        self.timeline = Timeline(prices, 0 if self.is_path else prices.step_s)
        self.close = self.seen = low = high = np.asarray(prices.close)
        if self.is_path:
            self.seen, low, high = (
                np.asarray(column) for column in (prices.open, prices.low, prices.high)
            )
        self.extremes = Extremes(low, high)
        self.quiet = QuietPrices(series, self.terms)
        self.accruals = Accruals(series, self.terms, schedule.highest_rate)
        self._find_instants()
        columns = self.accruals.columns(self.bars, funded=bool(self.funding_bars))
        self.settlements: Settlements | None = None
        if self.is_pool and series.reserve is not None:
            first, second = (low, high) if self.fears_falls else (high, low)
            visits = (self.seen, first, second, self.close) if self.is_path else (self.close,)
            self.settlements = Settlements(visits, 0, series.reserve, self.terms.max_utilisation)
            columns["reserve"] = np.empty(self.bars)
        funding = None
        if self.funding_bars and not self.accruals.any:
            funding = Funding(np.array(self.funding_bars), np.array(self.funding_paid))
        self.marks = Marks(self.bars, columns, funding)
        self.returns: ReturnWindow | None = None
        if series.rebalance.volatility is not None:
            self.returns = ReturnWindow(
                series.rebalance.volatility, state, self.timeline.observed(), self.seen
            )
        self.moves_always = self.accruals.any or self.settlements is not None
        self.most_look = self.bars
        if self.accruals.any and prices.step_s:
            self.most_look = max(NEAR, self.accruals.most_s // prices.step_s)
        self.look = self.most_look

    def _find_instants(self) -> None:
        """The bars at which something is scheduled."""
        schedule, timeline = self.schedule, self.timeline
        times, rates = schedule.funding_within(timeline.first, timeline.last)
        self.funding_bars = timeline.bars_at(times)
        self.funding_rates = rates
        # an instant past the last bar has no price, and is never come to
        prices = self.seen.take(self.funding_bars, mode="clip")
        paid = np.array([0.0, *rates])
        self.funding_sizes: list[float] = np.cumsum(np.abs(paid)).tolist()
        paid[1:] = funding_payment(1.0, prices, paid[1:])  # type: ignore[type-var]  # columns
        self.funding_paid: list[float] = np.cumsum(paid).tolist()
        """What one unit, held all along, has paid before each funding, and after all of them."""
        stops = schedule.stop_times
        if self.is_spot:
            stops += schedule.rate_times
        if self.is_pool:
            # what was settled in the time that health looks back on stays apart from before
            stops.append(timeline.last - RUNWAY_S + 1)
        self.next_funding = 0
        self.stops = sorted(set(timeline.bars_at(stops)))
        if schedule.wind_down is not None and schedule.wind_down <= timeline.first:
            # due at the launch, it comes after it
            self.stops = sorted({1, *self.stops})

    def run(self, progress: Callable[[int], None] | None = None) -> None:
        """Take the token through all bars."""
        state, bar, told = self.state, 0, 0
        busy = plain = 0
        while bar < self.bars and state.ended is None:
            self._step(bar)
            bar += 1
            if plain > 0:
                plain -= 1
            else:
                after = self._after_quiet(bar)
                # where bars act one after another, looking for a quiet one costs as much as a step
                busy = min(2 * busy + 1, MOST_PLAIN) if after == bar else 0
                bar, plain = after, busy
            if progress is not None and bar >= told:
                progress(bar)
                told = bar + PROGRESS_EVERY
        if state.ended is not None:
            self.marks.end(self.bar, state)
        if self.returns is not None and bar:
            self.returns.restore(state, self.bar)
        # the market goes on after a token's end, and health is told by its last bar
        self.bar = self.bars - 1

    # -- bars at which something may happen ----------------------------------------------------

    def _step(self, bar: int) -> None:
        """Have the reference observe a bar."""
        self.bar = bar
        made = len(self.record.trades)
        time = self.timeline.time_of(bar)
        if self.is_path:
            opening, close = self.seen.item(bar), self.close.item(bar)
            first, second = self.extremes.low.item(bar), self.extremes.high.item(bar)
            if not self.fears_falls:
                first, second = second, first
            self.observe(time, opening)
            self.travel(time, opening, first)
            self.travel(time, first, second)
            self.travel(time, second, close)
        else:
            self.observe(time, self.close.item(bar))
        if len(self.record.trades) > made:
            self.look = self.most_look
        self.marks.note(bar, self.state)

    def _accrue(self, time: int, price: float) -> None:
        if self.accruals.any or self.bar == 0:
            # it may go on from a state that another run left between two bars
            super()._accrue(time, price)
            self.next_funding = bisect_left(self.funding_bars, self.bar + 1, self.next_funding)
        elif self.funding_bars:
            self._pay_funding(self.bar + 1)

    def _is_volatile(self, time: int) -> bool:
        state, how = self.state, self.series.rebalance.volatility
        if how is None or self.returns is None or self.returns.next_near(self.bar) > self.bar:
            return False
        if state.last_volatile is not None and time - state.last_volatile < how.window_s:
            return False
        squares = self.returns.returns(self.bar)
        return is_volatile(float(squares.sum()), len(squares), how.window_s, self.volatility)

    def _extend_window(self, time: int, price: float) -> None:
        """Nothing: ``returns`` holds all of them already."""

    # -- bars at which nothing can -------------------------------------------------------------

    def _after_quiet(self, bar: int) -> int:
        """Take the state over the quiet bars from this one on; the first that is to be observed."""
        state = self.state
        if state.ended is not None:
            return bar
        while bar < self.bars and state.clips is None:
            out = self.schedule.has_outages and self.schedule.is_out(self.timeline.time_of(bar))
            asleep = out or state.order is not None
            stop, within_band = self._next_stop(bar, asleep)
            if self.is_future and not out:
                stop = min(stop, max(bar, self.timeline.bar_at(state.expiry - self._roll_s)))
            if self.moves_always and stop - bar < SHORT:
                break
            end, is_event = self._quiet_until(bar, stop, within_band, asleep)
            if end > bar:
                self._skip(bar, end)
            bar = end
            if is_event:
                break
        return bar

    def _next_stop(self, bar: int, asleep: bool) -> tuple[int, bool]:
        """The first bar from this one on at which something falls due, whatever the price.

        ``asleep``, no trigger acts: in an outage, and while an order is on its way. The second
        figure is whether an overdue fallback rests only inside the band.
        """
        state = self.state
        stop, within_band = (self.bars, False) if asleep else self._next_due(bar)
        if state.order is not None:
            stop = min(stop, self.timeline.bar_at(state.order.due))
        if self.series.reserve is not None:
            stop = min(stop, self.timeline.bar_at(state.reserve.next_allocation))
        if self.stops:
            place = bisect_left(self.stops, bar)
            if place < len(self.stops):
                stop = min(stop, self.stops[place])
        return max(stop, bar), within_band

    def _next_due(self, bar: int) -> tuple[int, bool]:
        """The first bar at which a trigger of the clock or the volatility may hold."""
        state, how = self.state, self.series.rebalance
        stop, within_band = self.bars, False
        if how.daily is not None:
            stop = min(stop, self.timeline.bar_at(state.next_daily))
        if how.interval is not None:
            stop = min(stop, self.timeline.bar_at(state.next_interval))
        if how.fallback is not None:
            due = self.timeline.bar_at(state.last_rebalance + how.fallback.after_s)
            # a move to the edge trades nothing inside the band, so a fallback that has come to
            # nothing there stays due and goes on coming to nothing
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
        """The end of the quiet bars from this one on, and whether the bar there may act."""
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
                low, high = NOWHERE  # its sign decides what it pays
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
        """How far accruals can take cash and units before ``end``, and up to what price."""
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
        """Take the state over bars that are quiet, as observing each of them would have."""
        state = self.state
        time = self.timeline.time_of(end - 1)
        if state.reserve.suspended:
            self.reserve.count_suspension(time - self.timeline.time_of(bar - 1))
        if self.settlements is not None:
            won = self.settlements.apply(state, self.marks.columns["reserve"], bar, end)
            self.reserve.losses.append((time, won))
        if self.accruals.any:
            self._accrue_all(bar, end)
        elif self.funding_bars:
            self._pay_funding(end)
        state.time, state.price = time, self.seen.item(end - 1)
        self.bar = end - 1

    def _pay_funding(self, end: int) -> None:
        """Pay all funding that falls due before ``end``, nothing else having moved."""
        first = self.next_funding
        last = self.next_funding = bisect_left(self.funding_bars, end, first)
        if last > first:
            state = self.state
            paid = state.units * (self.funding_paid[last] - self.funding_paid[first])
            state.cash -= paid
            state.totals.funding += paid

    def _accrue_all(self, bar: int, end: int) -> None:
        """What accrues at each of these bars, funding included."""
        funding, first = None, self.next_funding
        last = self.next_funding = bisect_left(self.funding_bars, end, first)
        if last > first:
            funding = np.zeros(end - bar)
            paid_at = np.array(self.funding_bars[first:last]) - bar
            np.add.at(funding, paid_at, self.funding_rates[first:last])
        self.accruals.apply(
            self.state,
            self.marks.columns,
            bar,
            self.timeline.stamps[bar - 1 : end] + self.timeline.shift_s,
            self.seen[bar:end],
            self.schedule.rate_after(self.timeline.time_of(bar - 1)),
            funding,
            self.fee_share,
        )
