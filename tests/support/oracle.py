"""A second simulator, written from SPEC.md before the project's own was read.

It shares with the project only ``Series`` and ``Prices``, which hold figures, and none of its
rules: sizes are found by bisection on the equation of SPEC 2, crossings by bisection on leverage.
It is slow, speaks floats only and is meant to be read beside the specification. A figure within
``NEAR`` of a threshold stands at it. Where SPEC.md leaves room it follows docs/ASSUMPTIONS.md.

With a delay (docs/ASSUMPTIONS.md, Execution): creations and redemptions enter the books when the
order that holds them fills, at the nav that is there then, and those asked for while an order is
in flight wait for the next one; what made a rebalance due is used up by its fill; and on a shared
reserve what an order in flight is planned to take from it is not there for others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import NamedTuple

from steelyard.rules.series import Series
from support.oracle_books import (
    DAY_S,
    NEAR,
    YEAR_S,
    Books,
    Flow,
    expiry_after,
    first_true,
)
from support.oracle_reserve import Events, Pot

KINDS = ("fee", "spread", "impact", "gas")


class Refused(Exception):
    """The launch would cost everything, all tokens are redeemed, or a rule never rests."""


class Clips(NamedTuple):
    """A rebalance under way: its trigger, where to, which way, and when the last clip went."""

    trigger: str
    destination: float
    lowers: bool
    last: int


class Order(NamedTuple):
    """What was decided and is not filled yet."""

    due: int
    units: float
    way: Clips
    is_clip: bool
    is_first: bool
    names: Sequence[str]
    """The triggers that it serves, which are used up as of the decision when it fills."""
    decided: int
    created: Sequence[float]
    """Tokens that are created or redeemed by it."""


class Own(NamedTuple):
    """What happens to one token."""

    flows: Events = ()
    splits: Events = ()
    wind_down: int | None = None


class Oracle(Books):
    """One token and all that it remembers."""

    def __init__(
        self,
        series: Series,
        pot: Pot,
        *,
        funding: Events,
        rates: Events,
        outages: Events,
        own: Own,
    ) -> None:
        super().__init__(series, pot, funding, rates)
        self.rule, self.outages, self.own = series.rebalance, outages, own
        self.clips: Clips | None = None
        self.order: Order | None = None
        self.waiting: list[float] = []
        """Tokens to be created or redeemed by an order that is not decided yet."""
        self.returns: list[tuple[int, float]] = []
        self.last_volatile = -math.inf

    @property
    def is_out(self) -> bool:
        """Whether its keeper is dead."""
        return any(start <= self.time < end for start, end in self.outages)

    # -- scheduled observations ------------------------------------------------------------------

    def launch(self, time: int, price: float) -> None:
        """Buy the first position."""
        self.used_interval = self.used_daily = time
        self.price = price
        self.expiry = expiry_after(time + self.venue.roll_days * DAY_S)
        if self.trade(price, "launch", self.series.target_leverage) not in {"whole", "clip"}:
            raise Refused
        self.reference, self.rebalanced = price, time

    def split(self, since: int) -> None:
        """More or fewer tokens."""
        for at, ratio in self.own.splits:
            if since < at <= self.time:
                self.tokens *= ratio
                self.waiting = [ratio * tokens for tokens in self.waiting]
                if self.order:
                    tokens = [ratio * each for each in self.order.created]
                    self.order = self.order._replace(created=tokens)

    def observe(self, since: int, price: float) -> None:
        """Accrue, and remember the return."""
        self.accrue(since, self.time, price)
        self.returns.append((since, price / self.price - 1))
        self.price = price

    def act(self, since: int, price: float) -> None:
        """Roll, create and redeem, wind down, fill; test the triggers, trade."""
        time = self.time
        down = self.own.wind_down is not None and self.own.wind_down <= time
        if self.venue.kind == "future" and not self.is_out and not down:
            self.roll(price)
            if self.end_where_over(time, price):
                return
        self.waiting += [tokens for at, tokens in self.own.flows if since < at <= time]
        self.exposures(price, [*(self.order.created if self.order else ()), *self.waiting])
        if down:
            if not self.series.execution.delay_s:
                self.flow(price)
            self.wind_down(price)
            return
        if self.order:
            if time >= self.order.due:
                self.fill(self.order, price)
                self.end_where_over(time, price)
            return
        if not self.is_out and self.try_to_trade(price, self.waiting):
            self.waiting = []
        self.flow(price)

    def try_to_trade(self, price: float, created: list[float]) -> bool:
        """Test the triggers, or go on with clips; whether those who come and go went along."""
        if self.clips and self.arrived(self.clips, price):
            self.clips = None
        names = self.holding(self.time, price)
        if self.clips and "emergency" not in names:
            if self.time < self.clips.last + self.rule.cooldown_s:
                return False
            return self.next_clip(self.clips, price, created)
        if self.clips:
            names = ["emergency"]
        return self.rebalance(price, names, created)

    def roll(self, price: float) -> None:
        """Replace the contract that nears its expiry by the next."""
        ahead = self.venue.roll_days * DAY_S
        if self.time < self.expiry - ahead:
            return
        nav, old, units = self.nav(price), self.mark(price), self.units
        before = self.exposure(price) / nav
        self.expiry = expiry_after(self.time + ahead)
        new = self.mark(price)
        legs = (self.cost(abs(units) * old), self.cost(abs(units) * new))
        parts = {kind: legs[0][kind] + legs[1][kind] for kind in legs[0]}
        self.cash += units * (old - new)
        # as one order of both legs that moves no units
        self.book(self.time, price, "roll", units * new, parts)
        self.units = units
        self.cash += units * new
        row = self.told.trades.pop()
        after = self.exposure(price) / self.nav(price) if self.nav(price) > 0 else 0.0
        both = abs(units) * (old + new)
        self.told.trades.append(
            row._replace(
                notional=both,
                leverage_before=before,
                leverage_after=after,
                nav_after=self.nav(price) / self.tokens,
            )
        )
        self.pot.judge(price)

    def flow(self, price: float) -> None:
        """Those who wait to come and go, in one order of their own."""
        created, self.waiting = self.waiting, []
        if not created:
            return
        others = self.exposures(price, created)
        if self.series.execution.delay_s:
            way = Clips("flow", 0.0, False, self.time)
            due = self.time + self.series.execution.delay_s
            units = sum(others) / self.mark(price)
            self.order = Order(due, units, way, False, False, (), self.time, created)
            return
        nothing = dict.fromkeys(KINDS, 0.0)
        self.settle_parties(price, created, 0.0)
        self.book(self.time, price, "flow", 0.0, nothing, others, sum(created))
        self.pot.judge(price)

    def exposures(self, price: float, created: list[float]) -> list[float]:
        """The signed exposure that each who comes or goes adds or removes."""
        if any(self.tokens + left <= 0 for left in accumulate(created)):
            raise Refused
        return [self.exposure(price) * tokens / self.tokens for tokens in created]

    def settle_parties(self, price: float, created: list[float], notional: float) -> None:
        """Write what each pays who comes or goes, beside a rebalance of this notional."""
        fees, others = self.series.fees, self.exposures(price, created)
        nav = self.nav(price) / self.tokens
        for place, (tokens, own) in enumerate(zip(created, others, strict=True)):
            bps = fees.creation_bps if tokens > 0 else fees.redemption_bps
            fee = abs(tokens) * nav * bps / 1e4
            self.pot.gather(fee)
            alone = self.cost(abs(own)) if own else {}
            rest = [*others[:place], *others[place + 1 :], notional]
            pays = self.own_part(own, rest) if own else {}
            cost = sum(pays.values())
            row = (self.time, tokens, nav, fee, own, cost, sum(alone.values()) - cost)
            self.told.flows.append(Flow(*row))

    def borne(self, size: float) -> float:
        """What of a trade's costs falls to the reserve, were it to last."""
        parts = self.cost(size)
        return sum(parts[kind] for kind in self.pot.terms.bears)

    def cut_back(self, size: float, price: float) -> None:
        """Close a part of the position for the counterparty."""
        closes = abs(self.exposure(price)) - size <= NEAR * size
        self.book(self.time, price, "capacity", -self.side * size, self.cost(size))
        self.units = 0.0 if closes else self.units
        self.told.by_trigger["capacity"] += 1
        self.reference, self.rebalanced, self.clips = price, self.time, None
        self.end_where_over(self.time, price)
        self.pot.judge(price)

    def wind_down(self, price: float) -> None:
        """Close the whole position for good."""
        self.withdraw()
        self.clips = None
        if self.units:
            size = -self.exposure(price)
            self.book(self.time, price, "wind_down", size, self.cost(abs(size)))
        reason = "nav" if self.cash < 0 else "wind_down"
        self.units, self.cash = 0.0, max(self.cash, 0.0)
        self.told.wiped_out = (self.time, price, reason)
        self.pot.judge(price)

    def fill(self, order: Order, price: float) -> None:
        """What was decided is traded, as far as it still can be."""
        self.withdraw()
        if order.created:
            self.fill_together(order, price)
            return
        notional, held = order.units * self.mark(price), self.exposure(price)
        is_clip = order.is_clip
        if notional * self.side < 0:
            notional = math.copysign(min(abs(notional), abs(held)), notional)
            if notional == 0:
                return
        elif self.venue.kind == "pool":
            room = self.within_room(notional, price)
            is_clip, notional = is_clip and room == notional, room
        parts = self.cost(abs(notional))
        on_nav = sum(parts.values()) - self.pays(parts, price)
        if notional == 0 or on_nav >= self.nav(price):
            self.told.blocked += 1
            return
        self.book(self.time, price, order.way.trigger, notional, parts)
        self.filled(order, "clip" if is_clip else "whole", price)

    def fill_together(self, order: Order, price: float) -> None:
        """The same with creations and redemptions in the order, whole or not at all."""
        created, is_flow = list(order.created), order.way.trigger == "flow"
        others = self.exposures(price, created)
        grown = 1 + sum(created) / self.tokens
        own = order.units * self.mark(price) - sum(others)
        sizes = abs(own) + sum(abs(each) for each in others)
        if is_flow and abs(own) <= NEAR * sum(abs(each) for each in others):
            own = 0.0
        parts = self.own_part(own, others) if own else dict.fromkeys(KINDS, 0.0)
        on_nav = sum(parts.values()) - self.pays(parts, price)
        if own * self.side > 0:
            room = math.inf if self.venue.kind != "pool" else self.within_room(own, price, others)
            is_refused = abs(room) < abs(own) - NEAR * sizes
        else:
            is_refused = False
            if abs(own) > abs(self.exposure(price)) * grown + NEAR * sizes:
                self.waiting = created + self.waiting
                return
        if is_refused or on_nav >= self.nav(price) * grown:
            self.told.blocked += 1
            self.waiting = created + self.waiting
            return
        self.settle_parties(price, created, own)
        self.book(self.time, price, order.way.trigger, own, parts, others, sum(created))
        if is_flow:
            self.pot.judge(price)
        else:
            self.filled(order, "clip" if order.is_clip else "whole", price)

    def filled(self, order: Order, done: str, price: float) -> None:
        """Count what was filled, use up what made it due, and go on with its clips."""
        self.pot.judge(price)
        self.use_up(order.decided, order.names)
        if order.is_first:
            self.told.by_trigger[order.way.trigger] += 1
            self.reference, self.rebalanced = price, self.time
        self.go_on(order.way._replace(last=self.time), done, price)

    def withdraw(self) -> None:
        """No order is on its way any more."""
        self.order, self.takes = None, 0.0

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
        """All triggers that hold at a scheduled observation, in their order."""
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

    def use_up(self, time: int, names: Sequence[str]) -> None:
        """Instants and windows of the triggers that a rebalance served."""
        if "volatility" in names:
            self.last_volatile = time
        if "interval" in names:
            self.used_interval = time
        if "daily" in names:
            self.used_daily = time

    def crossings(self, start: float, end: float) -> list[tuple[float, str]]:
        """Price and name of each threshold crossed on a way, in the order of triggers."""
        if not self.units:
            return []
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
        # a path price that ends within 1e-12 of a threshold has not crossed it
        found = [(price, name) for price, name in found if abs(end - price) > NEAR * price]
        for price in self.move_prices():
            up = price > self.reference
            if reached(end, price, up) and not reached(start, price, up):
                found.append((price, "move"))
        if self.order or self.is_out:
            return [each for each in found if each[1] == "end"]
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

    def rebalance(self, price: float, names: list[str], created: Sequence[float] = ()) -> bool:
        """Trade, or decide to, for the triggers that hold, the first naming it."""
        if not names:
            return False
        to, nav = self.destination(names[0], price), self.nav(price)
        if to is None or abs(to * nav - self.exposure(price)) <= NEAR * nav:
            self.use_up(self.time, names)
            return False
        self.pot.judge(price, nav * sum(created) / self.tokens)
        way = Clips(names[0], to, abs(to) < self.size(price), self.time)
        done = self.trade(price, names[0], to, list(created), way, names, is_first=True)
        if done in {"", "small"}:
            return False
        if done == "order":
            return True
        self.use_up(self.time, names)
        self.told.by_trigger[names[0]] += 1
        self.reference, self.rebalanced = price, self.time
        self.go_on(way, done, price)
        return True

    def go_on(self, way: Clips, done: str, price: float) -> None:
        """Remember whether more clips are to follow."""
        self.clips = way if done == "clip" and not self.arrived(way, price) else None

    def next_clip(self, clips: Clips, price: float, created: list[float]) -> bool:
        """Go on with a rebalance that is under way; one that is too small ends it."""
        done = self.trade(price, clips.trigger, clips.destination, created, clips)
        if done == "small":
            self.clips = None
        if done in {"whole", "clip"}:
            self.go_on(clips._replace(last=self.time), done, price)
        return done in {"whole", "clip", "order"}

    def arrived(self, clips: Clips, price: float) -> bool:
        """Whether leverage has reached or passed its destination."""
        return self.arrives(clips, self.size(price))

    def arrives(self, clips: Clips, size: float) -> bool:
        """Whether a leverage is at or past its destination."""
        reach = abs(clips.destination)
        return size <= reach * (1 + NEAR) if clips.lowers else size >= reach * (1 - NEAR)

    def within_room(self, notional: float, price: float, others: Sequence[float] = ()) -> float:
        """What of a trade that raises leverage the reserve can stand."""
        base = self.side * (self.pot.net(price) + sum(others))

        def exceeds(size: float) -> bool:
            worth = self.pot.units * price - self.borne(size)
            worth += (size + self.side * sum(others)) * self.pool_fee_bps / 1e4
            limit = self.venue.max_utilisation * worth
            return base + size > limit * (1 - NEAR * (not size)) or (not size and base >= limit)

        most = abs(notional)
        if exceeds(0.0):
            return 0.0
        fits = first_true(exceeds, 0.0, most) if exceeds(most) else most
        return math.copysign(fits, notional)

    def trade(
        self,
        price: float,
        trigger: str,
        to: float,
        created: Sequence[float] = (),
        way: Clips | None = None,
        names: Sequence[str] = (),
        *,
        is_first: bool = False,
    ) -> str:
        """Trade toward a leverage: "whole", "clip", "order", "small", or "" where it is blocked."""
        always = trigger in {"launch", "emergency"}
        raises = abs(to) > self.size(price)
        others = self.exposures(price, list(created))
        grown = 1 + sum(created) / self.tokens
        nav = self.nav(price) * grown
        most = math.inf if always else self.rule.max_trade_notional or math.inf
        held_back = self.pot.suspended and raises and not always
        wanted = 0.0 if held_back else self.wanted(to, price, (), grown)
        notional = math.copysign(min(abs(wanted), most), wanted)
        is_clip = notional != wanted
        if notional * self.side > 0 and self.venue.kind == "pool":
            room = self.within_room(notional, price, others)
            is_clip = is_clip and room == notional
            notional = room
        sized = self.cut_to_lots(notional, price)
        if notional and not sized:
            return "small"
        if sized and sized == wanted and others:
            sized = self.wanted(to, price, others, grown)
        notional = sized
        if notional == 0 or self.on_nav(notional, price, others) >= nav:
            self.told.blocked += 1
            return ""
        if self.series.execution.delay_s and trigger != "launch":
            due = self.time + self.series.execution.delay_s
            left = nav - self.on_nav(notional, price, others)
            reached = abs(self.exposure(price) * grown + notional) / left
            is_clip = is_clip and not self.arrives(way, reached)
            units = (notional + sum(others)) / self.mark(price)
            rest = (names, self.time, list(created))
            self.order = Order(due, units, way, is_clip, is_first, *rest)
            self.takes = self.pays(self.own_part(notional, others), price)
            return "order"
        parts = self.own_part(notional, others)
        self.settle_parties(price, list(created), notional)
        self.book(self.time, price, trigger, notional, parts, others, sum(created))
        self.pot.judge(price)
        return "clip" if is_clip else "whole"


def is_due(every_s: int, anchor_s: int, used: int, now: int) -> bool:
    """Whether an instant of anchor + k every lies in (used, now]."""
    return (now - anchor_s) // every_s > (used - anchor_s) // every_s


def reached(price: float, threshold: float, up: bool) -> bool:
    """Whether a price stands at a threshold or past it."""
    return price >= threshold * (1 - NEAR) if up else price <= threshold * (1 + NEAR)
