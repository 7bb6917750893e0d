"""A second simulator, written from SPEC.md before the project's own was read.

It shares with the project only ``Series`` and ``Prices``, which hold figures, and none of its
rules: sizes are found by bisection on the equation of SPEC 2, crossings by bisection on leverage.
It is slow, speaks floats only and is meant to be read beside the specification. A figure within
``NEAR`` of a threshold stands at it. Where SPEC.md leaves room it follows docs/ASSUMPTIONS.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

from steelyard.market import Prices
from steelyard.rules.series import Series
from support.oracle_books import NEAR, YEAR_S, Bar, Books, Events, Told, first_true

DAY_S = 86_400
MOST_REBALANCES = 100_000


class Refused(Exception):
    """The launch would cost everything, or a rule never rests."""


class Clips(NamedTuple):
    """A rebalance under way: its trigger, where to, which way, and when the last clip went."""

    trigger: str
    destination: float
    lowers: bool
    last: int


def tell(
    series: Series,
    bars: Prices,
    mode: str,
    *,
    funding: Events = (),
    rates: Events = (),
    injections: Events = (),
) -> Told:
    """Run a series over bars in mode ``close`` or ``path``.

    Raises:
        Refused: where the project must refuse the run as well.
    """
    events = {"funding": funding, "rates": rates, "injections": injections}
    return Oracle(series, **events).over(bars, mode)


class Oracle(Books):
    """One token and all that it remembers."""

    def __init__(self, series: Series, **events: Events) -> None:
        super().__init__(series, **events)
        self.rule = series.rebalance
        self.clips: Clips | None = None
        self.returns: list[tuple[int, float]] = []
        self.last_volatile = -math.inf

    # -- bars ------------------------------------------------------------------------------------

    def over(self, bars: Prices, mode: str) -> Told:
        """Live through the bars."""
        if mode == "close":
            for time, close in zip(bars.end_times.tolist(), bars.close.tolist(), strict=True):
                self.clock(time, close)
                self.mark(close)
            return self.told
        hurts, other = (bars.low, bars.high) if self.side > 0 else (bars.high, bars.low)
        columns = (bars.time, bars.open, hurts, other, bars.close)
        for time, *visited in zip(*(column.tolist() for column in columns), strict=True):
            self.clock(time, visited[0])
            for start, end in pairwise(visited):
                self.way(time, start, end)
            self.mark(visited[-1])
        return self.told

    def mark(self, price: float) -> None:
        """Write the bar's row."""
        leverage = self.units * price / self.nav(price) if self.units else 0.0
        self.told.bars.append(
            Bar(self.nav(price) / self.series.initial_tokens, leverage, self.reserve)
        )

    def clock(self, time: int, price: float) -> None:
        """Accrue, end, feed the reserve, test the triggers, trade."""
        if not self.told.trades:
            self.launch(time, price)
        if self.told.wiped_out or time == self.time:
            return
        since, self.time = self.time, time
        self.accrue(since, time, price)
        self.returns.append((since, price / self.price - 1))
        self.price = price
        if self.suspended:
            self.told.suspended_s += time - since
        if self.end_where_over(time, price):
            return
        self.feed(since, time, price, self.launched)
        self.judge(price)
        if self.clips and self.arrived(self.clips, price):
            self.clips = None
        names = self.holding(time, price)
        if not self.clips:
            self.rebalance(time, price, names)
        elif "emergency" in names:
            self.rebalance(time, price, ["emergency"])
        elif time >= self.clips.last + self.rule.cooldown_s:
            self.next_clip(self.clips, time, price)

    def launch(self, time: int, price: float) -> None:
        """Buy the first position."""
        self.time = self.launched = self.used_interval = self.used_daily = time
        self.price = price
        if not self.trade(time, price, "launch", self.series.target_leverage):
            raise Refused
        self.reference, self.rebalanced = price, time

    # -- triggers --------------------------------------------------------------------------------

    def limits(self) -> tuple[float, float]:
        """|leverage| below and above which the band acts."""
        band, rule = self.rule.band, self.rule
        if band is None:
            return -math.inf, math.inf
        slack = rule.edge_slack if rule.move_to == "edge" else 0.0
        lower = -math.inf if band.delever_only or band.lower is None else band.lower
        return lower - slack, band.upper + slack

    def move_prices(self) -> list[float]:
        """The prices at which the move trigger acts."""
        move = self.rule.move
        if move is None:
            return []
        ways = [-self.side] if move.losing_side_only else [-1, 1]
        return [self.reference * (1 + way * move.threshold) for way in ways]

    def holding(self, time: int, price: float) -> list[str]:
        """All triggers that hold at a clock observation, in their order."""
        rule, size = self.rule, self.size(price)
        lower, upper = self.limits()
        names = []
        if 0 < rule.emergency_leverage * (1 - NEAR) <= size:
            names.append("emergency")
        if size > upper * (1 + NEAR) or size < lower * (1 - NEAR):
            names.append("band")
        if any(reached(price, at, at > self.reference) for at in self.move_prices()):
            names.append("move")
        if rule.volatility is not None and time - self.last_volatile >= rule.volatility.window_s:
            window = rule.volatility.window_s
            inside = [change**2 for since, change in self.returns if since >= time - window]
            level = math.sqrt(sum(inside) * YEAR_S / window)
            if len(inside) > 1 and level >= rule.volatility.annualised:
                names.append("volatility")
        every = rule.interval
        if every and is_due(every.every_s, every.anchor_s, self.used_interval, time):
            names.append("interval")
        if rule.daily and is_due(DAY_S, rule.daily.at_s, self.used_daily, time):
            names.append("daily")
        if rule.fallback and time - self.rebalanced >= rule.fallback.after_s:
            names.append("fallback")
        return names

    def use_up(self, time: int, names: list[str]) -> None:
        """Instants and windows of the triggers that a rebalance served."""
        if "volatility" in names:
            self.last_volatile = time
        if "interval" in names:
            self.used_interval = time
        if "daily" in names:
            self.used_daily = time

    # -- inside a bar ----------------------------------------------------------------------------

    def way(self, time: int, start: float, end: float) -> None:
        """The price goes from start to end through all that lies between."""
        idle: set[str] = set()
        rebalances = 0
        while not self.told.wiped_out:
            found = [each for each in self.crossings(start, end) if each[1] not in idle]
            if not found:
                self.end_where_over(time, end)
                return
            start = min((price for price, _ in found), key=lambda price: abs(price - start))
            names = [name for price, name in found if abs(price - start) <= NEAR * start]
            if "end" in names:
                self.end_where_over(time, start)
            elif self.rebalance(time, start, names):
                idle = set()
                rebalances += 1
            else:
                idle |= set(names)
            if rebalances > MOST_REBALANCES:
                raise Refused

    def crossings(self, start: float, end: float) -> list[tuple[float, str]]:
        """Price and name of each threshold crossed on a way, in the order of triggers."""
        lower, upper = self.limits()
        emergency = self.rule.emergency_leverage
        now = self.size(start)
        inside: list[tuple[str, bool, Callable[[float], bool]]] = [
            ("end", not self.is_over(start), self.is_over),
            (
                "emergency",
                emergency > 0 and now <= emergency * (1 + NEAR),
                lambda price: self.size(price) >= emergency,
            ),
            ("band", now <= upper * (1 + NEAR), lambda price: self.size(price) > upper),
            ("band", now >= lower * (1 - NEAR), lambda price: self.size(price) < lower),
        ]
        found = [
            (first_true(crossed, start, end), name)
            for name, was_inside, crossed in inside
            if was_inside and crossed(end)
        ]
        # a visited price that ends within 1e-12 of a threshold has not crossed it
        found = [(price, name) for price, name in found if abs(end - price) > NEAR * price]
        for price in self.move_prices():
            up = price > self.reference
            if reached(end, price, up) and not reached(start, price, up):
                found.append((price, "move"))
        if self.clips:
            return [each for each in found if each[1] in {"end", "emergency"}]
        return found

    # -- trading ---------------------------------------------------------------------------------

    def destination(self, trigger: str, price: float) -> float | None:
        """Where a rebalance goes; None: nowhere."""
        rule, size, target = self.rule, self.size(price), abs(self.series.target_leverage)
        lower, upper = 0.0, math.inf
        if rule.band is not None:
            upper = rule.band.upper
            lower = 0.0 if rule.band.delever_only else rule.band.lower or 0.0
        if trigger == "emergency" or rule.move_to == "target":
            return self.side * target
        if rule.move_to == "partway":
            speed = rule.recentering_speed
            return self.side * min(max(size * (1 - speed) + target * speed, lower), upper)
        if size > upper * (1 + NEAR):
            return self.side * upper
        return self.side * lower if size < lower * (1 - NEAR) else None

    def rebalance(self, time: int, price: float, names: list[str]) -> bool:
        """Trade for the triggers that hold, the first naming it; False: nothing was traded."""
        if not names:
            return False
        to, nav = self.destination(names[0], price), self.nav(price)
        if to is None or abs(to * nav - self.units * price) <= NEAR * nav:
            self.use_up(time, names)
            return False
        self.judge(price)
        way = Clips(names[0], to, abs(to) < self.size(price), time)
        done = self.trade(time, price, names[0], to)
        if not done:
            return False
        self.use_up(time, names)
        self.told.by_trigger[names[0]] += 1
        self.reference, self.rebalanced = price, time
        self.clips = way if done == "clip" and not self.arrived(way, price) else None
        return True

    def next_clip(self, clips: Clips, time: int, price: float) -> None:
        """Go on with a rebalance that is under way."""
        done = self.trade(time, price, clips.trigger, clips.destination)
        if done:
            clips = clips._replace(last=time)
            self.clips = clips if done == "clip" and not self.arrived(clips, price) else None

    def arrived(self, clips: Clips, price: float) -> bool:
        """Whether leverage has reached or passed its destination."""
        size, reach = self.size(price), abs(clips.destination)
        return size <= reach * (1 + NEAR) if clips.lowers else size >= reach * (1 - NEAR)

    def trade(self, time: int, price: float, trigger: str, to: float) -> str:
        """Trade toward a leverage: "whole", "clip", or "" where it is blocked."""
        always, nav = trigger in {"launch", "emergency"}, self.nav(price)
        most = math.inf if always else self.rule.max_trade_notional or math.inf
        held_back = self.suspended and abs(to) > self.size(price) and not always
        wanted = 0.0 if held_back else self.wanted(to, price)
        notional = math.copysign(min(abs(wanted), most), wanted)
        parts, paid = self.cost(abs(notional), price)
        on_nav = sum(parts.values()) - paid
        if notional == 0 or on_nav >= nav:
            self.told.blocked += 1
            return ""
        self.settle(time, price, trigger, notional)
        self.judge(price)
        return "whole" if notional == wanted else "clip"


def is_due(every_s: int, anchor_s: int, used: int, now: int) -> bool:
    """Whether an instant of anchor + k every lies in (used, now]."""
    return (now - anchor_s) // every_s > (used - anchor_s) // every_s


def reached(price: float, threshold: float, up: bool) -> bool:
    """Whether a price stands at a threshold or past it."""
    return price >= threshold * (1 - NEAR) if up else price <= threshold * (1 + NEAR)
