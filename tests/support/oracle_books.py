"""The oracle's books: what it holds, what time and trades cost it, how much it trades, its end.

Sizes are found by bisection on the equation of SPEC 2, never in closed form.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from steelyard.rules.series import Series

NEAR = 1e-12
YEAR_S = 31_536_000

Events = Sequence[tuple[int, float]]
"""Epoch s and a figure, in order."""


class Trade(NamedTuple):
    """A row of ``rebalances.parquet``."""

    time: int
    trigger: str
    side: str
    units: float
    price: float
    notional: float
    leverage_before: float
    leverage_after: float
    nav_before: float
    nav_after: float
    fee: float
    spread: float
    impact: float
    gas: float
    paid_by_reserve: float


class Bar(NamedTuple):
    """What of a row of ``nav.parquet`` is not in the price file."""

    nav: float
    leverage: float
    reserve: float


@dataclass
class Told:
    """What a run did; sums in quote, whole fund."""

    trades: list[Trade] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    by_trigger: dict[str, int] = field(default_factory=dict)
    blocked: int = 0
    clips: int = 0
    turnover: float = 0.0
    costs: dict[str, float] = field(default_factory=dict)
    suspended_s: int = 0
    received: float = 0.0
    injected: float = 0.0
    wiped_out: tuple[int, float, str] | None = None


def first_true(holds: Callable[[float], bool], start: float, end: float) -> float:
    """Where, on the way from start to end, a condition begins to hold; it does at the end."""
    if holds(start):
        return start
    while (middle := (start + end) / 2) not in {start, end}:
        if holds(middle):
            end = middle
        else:
            start = middle
    return end


def least(f: Callable[[float], float], low: float, high: float) -> float:
    """About where a function that falls and then rises is least, by golden section."""
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(120):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if f(left) <= f(right):
            high = right
        else:
            low = left
    return (low + high) / 2


class Books:
    """Cash, units and reserve of one token, and what was told of them."""

    def __init__(self, series: Series, funding: Events, rates: Events, injections: Events) -> None:
        self.series, self.venue, self.pool = series, series.venue, series.reserve
        self.funding, self.rates, self.injections = funding, rates, injections
        self.side = 1 if series.target_leverage > 0 else -1
        self.cash, self.units = series.initial_nav * series.initial_tokens, 0.0
        self.reserve = self.pool.initial_units if self.pool else 0.0
        self.fees_due, self.allocated, self.suspended = 0.0, 0, False
        self.told = Told(by_trigger=dict.fromkeys(series.rebalance.trigger_names, 0))
        kinds = "fee spread impact gas funding interest management paid_by_reserve"
        self.told.costs = dict.fromkeys(kinds.split(), 0.0)

    def nav(self, price: float) -> float:
        """Nav of the whole fund."""
        return self.cash + self.units * price

    def size(self, price: float) -> float:
        """|leverage|, without bound where nav is gone."""
        nav = self.nav(price)
        return abs(self.units) * price / nav if nav > 0 else math.inf

    # -- what time costs -------------------------------------------------------------------------

    def accrue(self, since: int, time: int, price: float) -> None:
        """Funding, then interest, then management on what is left."""
        venue, costs = self.venue, self.told.costs
        if venue.kind == "perpetual":
            paid = self.units * price * between(self.funding, since, time)
            self.cash -= paid
            costs["funding"] += paid
        else:
            spread = -venue.supply_spread_per_year
            if self.cash < 0:
                spread = venue.borrow_spread_per_year
            paid = -self.cash * (self.rate_time(since, time) + spread * (time - since)) / YEAR_S
            rate = venue.units_borrow_rate_per_year
            grown = max(-self.units, 0.0) * rate * (time - since) / YEAR_S
            self.cash -= paid
            self.units -= grown
            costs["interest"] += paid + grown * price
        rate = self.series.fees.management_per_year
        fee = max(self.nav(price), 0.0) * rate * (time - since) / YEAR_S
        self.cash -= fee
        costs["management"] += fee
        self.fees_due += fee * self.pool.fee_share if self.pool else 0.0

    def rate_time(self, since: int, time: int) -> float:
        """The rate per year, each value from its time on, times the seconds it held."""
        changes = [(since, self.venue.rate_per_year)]
        changes += [(max(at, since), rate) for at, rate in self.rates if at < time]
        return sum(
            rate * (until - at) for (at, rate), (until, _) in pairwise([*changes, (time, 0.0)])
        )

    def feed(self, since: int, time: int, price: float, launched: int) -> None:
        """Injections, and the allocation of fees, counted from the launch."""
        if not self.pool:
            return
        injected = between(self.injections, since, time)
        self.told.injected += injected
        allocations = (time - launched) // self.pool.allocation_every_s
        fees = self.fees_due if allocations > self.allocated else 0.0
        self.allocated = allocations
        self.fees_due -= fees
        self.told.received += fees
        self.reserve += (injected + fees) / price

    def judge(self, price: float) -> None:
        """Find whether what raises leverage is suspended."""
        if self.pool:
            ratio = self.pool.resume_ratio if self.suspended else self.pool.floor_ratio
            self.suspended = self.reserve * price / self.nav(price) < ratio * (1 - NEAR)

    # -- the end ---------------------------------------------------------------------------------

    def is_liquidated(self, price: float) -> bool:
        """Whether the venue closes the position."""
        notional = self.units * price
        if self.venue.kind == "perpetual":
            margin = self.venue.maintenance_margin
            return margin > 0 and self.nav(price) < (margin - NEAR) * abs(notional)
        debt, collateral = (-self.cash, notional) if self.units > 0 else (-notional, self.cash)
        return debt > self.venue.liquidation_threshold * collateral * (1 + NEAR)

    def is_over(self, price: float) -> bool:
        """Whether the token ends here."""
        gone = self.nav(price) <= NEAR * abs(self.units) * price
        return gone or self.is_liquidated(price)

    def end_where_over(self, time: int, price: float) -> bool:
        """Close for good where that is due."""
        if not self.is_over(price):
            return False
        reason = "liquidated" if self.is_liquidated(price) else "nav"
        notional = abs(self.units) * price
        left = self.nav(price) - self.venue.liquidation_fee * notional
        self.cash, self.units = max(left, 0.0), 0.0
        self.told.wiped_out = (time, price, reason)
        return True

    # -- what a trade costs, and how large it is ----------------------------------------------

    def settle(self, time: int, price: float, trigger: str, notional: float) -> None:
        """Move the books by one trade and write its row."""
        nav = self.nav(price)
        parts, paid = self.cost(abs(notional), price)
        on_nav = sum(parts.values()) - paid
        before = self.units * price / nav
        self.cash -= notional + on_nav
        self.units += notional / price
        self.reserve = max(self.reserve - paid / price, 0.0)
        for kind, part in {**parts, "paid_by_reserve": paid}.items():
            self.told.costs[kind] += part
        if trigger != "launch":
            self.told.clips += 1
            self.told.turnover += abs(notional)
        after, tokens = self.nav(price), self.series.initial_tokens
        side, size = "buy" if notional > 0 else "sell", abs(notional)
        moved = (before, self.units * price / after, nav / tokens, after / tokens)
        row = (time, trigger, side, size / price, price, size, *moved, *parts.values(), paid)
        self.told.trades.append(Trade(*row))

    def cost(self, notional: float, price: float) -> tuple[dict[str, float], float]:
        """Each kind's cost, and how much of them all the reserve pays."""
        costs = self.series.costs
        impact = 0.0
        if costs.impact == "linear":
            impact = costs.impact_coefficient * notional / 1e6
        if costs.impact == "square_root":
            impact = costs.impact_coefficient * math.sqrt(notional / costs.daily_volume)
        bps = {"fee": costs.taker_fee_bps, "spread": costs.half_spread_bps, "impact": impact}
        parts = {kind: notional * each / 1e4 for kind, each in bps.items()}
        parts["gas"] = costs.gas_per_rebalance
        borne = sum(parts[kind] for kind in (self.pool.bears if self.pool else ()))
        return parts, min(borne, self.reserve * price)

    def wanted(self, to: float, price: float) -> float:
        """The smaller signed notional that lands on a leverage, or the nearest; 0: none is."""
        held, reach, nav = abs(self.units) * price, abs(to), self.nav(price)

        def left(notional: float) -> float:
            parts, paid = self.cost(abs(notional), price)
            return nav - (sum(parts.values()) - paid)

        def over(bought: float) -> float:
            """Exposure beyond the destination after buying this much of the token's side."""
            return held + bought - reach * left(bought)

        if left(0.0) <= 0:
            return 0.0
        if over(0.0) <= 0:
            return self.side * first_true(lambda bought: over(bought) >= 0, 0.0, reach * nav + 1)
        most = held if over(-held) <= 0 else least(lambda sold: over(-sold), 0.0, held)
        if over(-most) <= 0:
            return -self.side * first_true(lambda sold: over(-sold) <= 0, 0.0, most)
        return -self.side * self.nearest(held, price, left)

    def nearest(self, held: float, price: float, left: Callable[[float], float]) -> float:
        """The sale after which leverage is least, if that is less than now; else 0."""

        def is_least(sold: float) -> bool:
            """Whether leverage, (held - sold) / left(sold), no longer falls with what is sold."""
            return (held - sold) * self.slope(sold, price) >= left(sold)

        sold = first_true(is_least, 0.0, held)
        falls = left(sold) > 0 and (held - sold) / left(sold) < held / self.nav(price)
        return sold if falls else 0.0

    def slope(self, notional: float, price: float) -> float:
        """What one more unit of notional costs nav."""
        costs, impact = self.series.costs, 0.0
        if costs.impact == "linear":
            impact = 2 * costs.impact_coefficient * notional / 1e6
        if costs.impact == "square_root":
            impact = 1.5 * costs.impact_coefficient * math.sqrt(notional / costs.daily_volume)
        bps = {"fee": costs.taker_fee_bps, "spread": costs.half_spread_bps, "impact": impact}
        lasts = self.cost(notional, price)[1] < self.reserve * price
        bears = self.pool.bears if self.pool and lasts else ()
        return sum(each for kind, each in bps.items() if kind not in bears) / 1e4


def between(events: Events, since: int, until: int) -> float:
    """The sum of what is dated in (since, until]."""
    return sum(figure for time, figure in events if since < time <= until)
