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
from steelyard.simulate.marks import Marks
from steelyard.simulate.quiet import NOWHERE, QuietPrices
from steelyard.simulate.reference import Replay
from steelyard.simulate.returns import ReturnWindow
from steelyard.simulate.schedule import Schedule
from steelyard.simulate.state import State
from steelyard.simulate.stretch import Accruals, Reach

__all__ = ["FastReplay", "is_supported"]

PROGRESS_EVERY = 2_048
NEAR = 16
"""Bars to look ahead where drift has brought a threshold near; more and more after that."""
FIRST_LOOK, NEXT_LOOK = 2_048, 16_384
"""Bars compared at once: few, since most stretches are short, and then as many as a cache holds."""
NOTHING_DRIFTS = Reach(0.0, 0.0)


def is_supported(series: Series, number: Number[Num]) -> bool:
    """Whether this driver knows all that can happen to the token; if not, the reference runs."""
    return number is FLOAT and series.venue.kind in ("perpetual", "spot")


class FastReplay(Replay[float]):
    """One token taken through a history from event to event.

    Args:
        series: the token.
        schedule: funding, rates, injections.
        state: where to start; changed in place.
        prices: the bars.
        intrabar: ``"close"`` or ``"path"``.
    """

    def __init__(
        self,
        series: Series,
        schedule: Schedule[float],
        state: State[float],
        prices: Prices,
        intrabar: str,
    ) -> None:
        super().__init__(series, FLOAT, schedule, state)
        self.bar = 0
        self.bars = len(prices)
        self.is_path = intrabar == "path"
        self.shift_s = 0 if self.is_path else prices.step_s
        self.step_s = prices.step_s or 1
        self.time = np.asarray(prices.time)
        self.close = self.seen = self.low = self.high = np.asarray(prices.close)
        if self.is_path:
            self.seen, self.low, self.high = (
                np.asarray(column) for column in (prices.open, prices.low, prices.high)
            )
        self.quiet = QuietPrices(series, self.terms)
        self.accruals = Accruals(series, self.terms, schedule.highest_rate)
        self._find_instants()
        funded = bool(self.funding_bars)
        self.marks = Marks(self.bars, self.accruals.columns(self.bars, funded))
        self.returns: ReturnWindow | None = None
        if series.rebalance.volatility is not None:
            times = self.time + self.shift_s
            self.returns = ReturnWindow(series.rebalance.volatility, state, times, self.seen)
        self.look = self.bars
        self._bars_at: dict[int, int] = {}

    def _find_instants(self) -> None:
        """The bars at which something is scheduled."""
        schedule = self.schedule
        first, last = (int(self.time[end]) + self.shift_s for end in (0, -1))
        times, rates = schedule.funding_within(first, last)
        self.funding_bars = self._bars_of(times)
        self.funding_rates = rates
        self.funding_sizes = [0.0, *np.cumsum(np.abs(np.array(rates, dtype=np.float64))).tolist()]
        stops = [*schedule.injection_times]
        if self.terms.venue.spot:
            stops += schedule.rate_times
        self.stops = sorted(set(self._bars_of(stops)))

    def _bars_of(self, times: list[int]) -> list[int]:
        bars: list[int] = self.time.searchsorted(
            np.array(times, dtype=np.int64) - self.shift_s
        ).tolist()
        return bars

    def run(self, progress: Callable[[int], None] | None = None) -> None:
        """Take the token through all bars."""
        state, bar, told = self.state, 0, 0
        while bar < self.bars and state.wiped_out is None:
            self._step(bar)
            bar = self._after_quiet(bar + 1)
            if progress is not None and bar >= told:
                progress(bar)
                told = bar + PROGRESS_EVERY
        if state.wiped_out is not None:
            self.marks.end(self.bar, state)
        if self.returns is not None and bar:
            self.returns.restore(state, self.bar)

    # -- bars at which something may happen ----------------------------------------------------

    def _step(self, bar: int) -> None:
        """Have the reference observe a bar."""
        self.bar = bar
        made = len(self.record.trades)
        time = self._time_of(bar)
        if self.is_path:
            opening, close = self.seen.item(bar), self.close.item(bar)
            first, second = self.low.item(bar), self.high.item(bar)
            if self.terms.rule.target < 0:
                first, second = second, first
            self.observe(time, opening)
            self.travel(time, opening, first)
            self.travel(time, first, second)
            self.travel(time, second, close)
        else:
            self.observe(time, self.close.item(bar))
        if len(self.record.trades) > made:
            self.look = self.bars
        self.marks.note(bar, self.state)

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
        if state.wiped_out is not None:
            return bar
        while bar < self.bars and state.clips is None:
            stop, within_band = self._next_stop(bar)
            end, is_event = self._quiet_until(bar, stop, within_band)
            if end > bar:
                self._skip(bar, end)
            bar = end
            if is_event:
                break
        return bar

    def _next_stop(self, bar: int) -> tuple[int, bool]:
        """The first bar from this one on at which something falls due, whatever the price.

        The second figure is whether an overdue fallback rests only inside the band.
        """
        state, how = self.state, self.series.rebalance
        stop, within_band = self.bars, False
        if how.daily is not None:
            stop = min(stop, self._bar_at(state.next_daily))
        if how.interval is not None:
            stop = min(stop, self._bar_at(state.next_interval))
        if how.fallback is not None:
            due = self._bar_at(state.last_rebalance + how.fallback.after_s)
            # a move to the edge trades nothing inside the band, so a fallback that has come to
            # nothing there stays due and goes on coming to nothing
            within_band = due < bar and self.quiet.rests_inside
            if not within_band:
                stop = min(stop, due)
        if self.series.reserve is not None:
            stop = min(stop, self._bar_at(state.next_allocation))
        if self.returns is not None and how.volatility is not None:
            first = bar
            if state.last_volatile is not None:
                first = max(bar, self._bar_at(state.last_volatile + how.volatility.window_s))
            stop = min(stop, self.returns.next_near(first))
        if self.stops:
            place = bisect_left(self.stops, bar)
            if place < len(self.stops):
                stop = min(stop, self.stops[place])
        return max(stop, bar), within_band

    def _quiet_until(self, bar: int, stop: int, within_band: bool) -> tuple[int, bool]:
        """The end of the quiet bars from this one on, and whether the bar there may act."""
        while True:
            end = min(stop, bar + self.look)
            if end == bar:
                return bar, True
            drift, highest = self._drift(bar, end)
            low, high = NOWHERE
            if not (drift.cash > 0 and abs(self.state.cash) <= drift.cash and self.accruals.any):
                low, high = self.quiet.between(self.state, within_band, drift.cash, drift.units)
                high = min(high, highest)
            found = self._first_outside(bar, end, low, high)
            if found == end:
                self.look = min(self.look * 8, self.bars)
                return end, end == stop
            if drift is NOTHING_DRIFTS:
                return found, True
            is_near = self.look <= NEAR
            self.look = NEAR
            if found > bar or is_near:
                return found, is_near and found == bar

    def _drift(self, bar: int, end: int) -> tuple[Reach, float]:
        """How far accruals can take cash and units before ``end``, and up to what price."""
        state = self.state
        funding = 0.0
        if self.funding_bars:
            sizes = self.funding_sizes
            first = bisect_left(self.funding_bars, bar)
            funding = sizes[bisect_left(self.funding_bars, end, first)] - sizes[first]
        if funding == 0.0 and not self.accruals.any:
            return NOTHING_DRIFTS, math.inf
        highest = 2.0 * self.seen.item(bar)
        cash = 1.1 * funding * abs(state.units) * highest
        if not self.accruals.any:
            return Reach(cash, 0.0), highest
        seconds = self._time_of(end - 1) - self._time_of(bar - 1)
        reach = self.accruals.reach(state, seconds, highest)
        return Reach(reach.cash + cash, reach.units), highest

    def _first_outside(self, bar: int, end: int, low: float, high: float) -> int:
        """The first bar before ``end`` that is not strictly between the two, or ``end``."""
        lows, highs = self.low, self.high
        if not (lows.item(bar) > low and highs.item(bar) < high):
            return bar
        first, length = bar, FIRST_LOOK
        while first < end:
            last = min(first + length, end)
            outside = lows[first:last] <= low
            outside |= highs[first:last] >= high
            place = int(outside.argmax())
            if outside[place]:
                return first + place
            first, length = last, NEXT_LOOK
        return end

    def _skip(self, bar: int, end: int) -> None:
        """Take the state over bars that are quiet, as observing each of them would have."""
        state, sums = self.state, self.state.totals
        since, time = self._time_of(bar - 1), self._time_of(end - 1)
        if state.suspended:
            sums.suspended_s += time - since
        first = last = 0
        if self.funding_bars:
            first = bisect_left(self.funding_bars, bar)
            last = bisect_left(self.funding_bars, end, first)
        if self.accruals.any:
            funding = None
            if last > first:
                funding = np.zeros(end - bar)
                np.add.at(
                    funding,
                    np.array(self.funding_bars[first:last]) - bar,
                    self.funding_rates[first:last],
                )
            self.accruals.apply(
                state,
                self.marks.columns,
                bar,
                self.time[bar - 1 : end],
                self.seen[bar:end],
                self.schedule.rate_after(since),
                funding,
                self.fee_share,
            )
        else:
            for place in range(first, last):
                paid_at = self.funding_bars[place]
                price = self.seen.item(paid_at)
                paid = funding_payment(state.units, price, self.funding_rates[place])
                state.cash -= paid
                sums.funding += paid
                self.marks.note(paid_at, state)
        state.time, state.price = time, self.seen.item(end - 1)
        self.bar = end - 1

    # -- time ----------------------------------------------------------------------------------

    def _time_of(self, bar: int) -> int:
        """Epoch s of a bar's clock observation."""
        return int(self.time.item(bar)) + self.shift_s

    def _bar_at(self, instant: int) -> int:
        """The first bar observed at or after an instant; past the end if there is none."""
        found = self._bars_at.get(instant)
        if found is None:
            # where no bar is missing meanwhile, it is as many steps on as the clock says
            sought = instant - self.shift_s
            found = self.bar + (sought - self.time.item(self.bar) - 1) // self.step_s + 1
            if not (
                0 < found < self.bars
                and self.time.item(found - 1) < sought <= self.time.item(found)
            ):
                found = int(self.time.searchsorted(sought))
            self._bars_at[instant] = found
        return found
