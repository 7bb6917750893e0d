"""The oracle's books: what it holds, what time and trades cost it, how much it trades, its end.

Sizes are found by bisection on the equation of SPEC 2, never in closed form. A position is worth
its mark: the price, but for a dated future.
"""

from __future__ import annotations

import calendar
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import NamedTuple

from steelyard.rules.series import Series
from support.oracle_reserve import NEAR, Events, Pot, between

YEAR_S = 31_536_000
DAY_S = 86_400
GRID = 256
"""Pieces in which the smaller of several solutions is looked for."""


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
    tokens: float
    reserve: float


class Flow(NamedTuple):
    """A row of ``flows.parquet``."""

    time: int
    tokens: float
    nav: float
    fee: float
    notional: float
    cost: float
    saved: float


@dataclass
class Told:
    """What a run did; sums in quote, whole fund."""

    trades: list[Trade] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    by_trigger: dict[str, int] = field(default_factory=dict)
    blocked: int = 0
    clips: int = 0
    turnover: float = 0.0
    costs: dict[str, float] = field(default_factory=dict)
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


def expiry_after(time: float) -> int:
    """The first last Friday of a quarter's last month, 08:00 UTC, after a time."""
    year = datetime.fromtimestamp(time, UTC).year
    for month in (3, 6, 9, 12, 15):
        of_year, of_month = year + month // 13, (month - 1) % 12 + 1
        last = calendar.monthrange(of_year, of_month)[1]
        fridays = (datetime(of_year, of_month, last - back, 8, tzinfo=UTC) for back in range(7))
        expiry = int(next(day for day in fridays if day.weekday() == calendar.FRIDAY).timestamp())
        if expiry > time:
            return expiry
    raise AssertionError


class Books:
    """Cash and units of one token, the reserve it draws on, and what was told of them."""

    def __init__(self, series: Series, pot: Pot, funding: Events, rates: Events) -> None:
        self.series, self.venue, self.pot = series, series.venue, pot
        self.funding, self.rates = funding, rates
        self.side = 1 if series.target_leverage > 0 else -1
        self.tokens = series.initial_tokens
        self.cash, self.units = series.initial_nav * series.initial_tokens, 0.0
        self.time, self.expiry, self.settled_at = 0, 0, 0.0
        self.told = Told(by_trigger=dict.fromkeys(series.trigger_names, 0))
        kinds = "fee spread impact gas funding interest management paid_by_reserve"
        self.told.costs = dict.fromkeys(kinds.split(), 0.0)
        self.takes = 0.0
        """Quote that an order in flight is planned to take from the reserve."""
        pot.members.append(self)

    def pays(self, parts: dict[str, float], price: float) -> float:
        """How much of a trade's costs the reserve bears for this token."""
        return self.pot.pays(parts, price, self)

    def mark(self, price: float) -> float:
        """What one unit of the position is worth."""
        if self.venue.kind != "future":
            return price
        years = max(self.expiry - self.time, 0) / YEAR_S
        return price * (1 + self.venue.basis_per_year * years)

    def exposure(self, price: float) -> float:
        """Signed worth of the position."""
        return self.units * self.mark(price)

    def nav(self, price: float) -> float:
        """Nav of the whole fund."""
        return self.cash + self.exposure(price)

    def size(self, price: float) -> float:
        """|leverage|, without bound where nav is gone."""
        nav = self.nav(price)
        return abs(self.exposure(price)) / nav if nav > 0 else math.inf

    @property
    def lives(self) -> bool:
        """Whether it has not ended."""
        return self.told.wiped_out is None

    # -- what time costs -------------------------------------------------------------------------

    def accrue(self, since: int, time: int, price: float) -> None:
        """Funding, then interest, then management on what is left."""
        venue, costs = self.venue, self.told.costs
        if venue.kind == "perpetual":
            paid = self.units * price * between(self.funding, since, time)
            self.cash -= paid
            costs["funding"] += paid
        elif venue.kind == "spot":
            spread = -venue.supply_spread_per_year
            if self.cash < 0:
                spread = venue.borrow_spread_per_year
            paid = -self.cash * (self.rate_time(since, time) + spread * (time - since)) / YEAR_S
            rate = venue.units_borrow_rate_per_year
            grown = max(-self.units, 0.0) * rate * (time - since) / YEAR_S
            self.cash -= paid
            self.units -= grown
            costs["interest"] += paid + grown * price
        if venue.kind in ("perpetual", "future") and venue.cash_rate_per_year != 0:
            earned = max(self.nav(price), 0.0) * self.rate_time(since, time) / YEAR_S
            self.cash += earned
            costs["interest"] -= earned
        rate = self.series.fees.management_per_year
        fee = max(self.nav(price), 0.0) * rate * (time - since) / YEAR_S
        self.cash -= fee
        costs["management"] += fee
        self.pot.gather(fee)

    def rate_time(self, since: int, time: int) -> float:
        """The rate per year, each value from its time on, times the seconds it held."""
        is_spot = self.venue.kind == "spot"
        first = self.venue.rate_per_year if is_spot else self.venue.cash_rate_per_year
        changes = [(since, first)]
        changes += [(max(at, since), rate) for at, rate in self.rates if at < time]
        return sum(
            rate * (until - at) for (at, rate), (until, _) in pairwise([*changes, (time, 0.0)])
        )

    # -- the end ---------------------------------------------------------------------------------

    def is_liquidated(self, price: float) -> bool:
        """Whether the venue closes the position."""
        notional = self.exposure(price)
        if self.venue.kind == "pool":
            return False
        if self.venue.kind in {"perpetual", "future"}:
            margin = self.venue.maintenance_margin
            return margin > 0 and self.nav(price) < (margin - NEAR) * abs(notional)
        debt, collateral = (-self.cash, notional) if self.units > 0 else (-notional, self.cash)
        return debt > self.venue.liquidation_threshold * collateral * (1 + NEAR)

    def is_over(self, price: float) -> bool:
        """Whether the token ends here."""
        gone = self.nav(price) <= NEAR * abs(self.exposure(price))
        return gone or self.is_liquidated(price)

    def end_where_over(self, time: int, price: float) -> bool:
        """Close for good where that is due."""
        if not self.is_over(price):
            return False
        reason = "liquidated" if self.is_liquidated(price) else "nav"
        left = self.nav(price) - self.venue.liquidation_fee * abs(self.exposure(price))
        self.cash, self.units = max(left, 0.0), 0.0
        self.told.wiped_out = (time, price, reason)
        self.takes = 0.0
        return True

    # -- what a trade costs ------------------------------------------------------------------

    def cost(self, notional: float) -> dict[str, float]:
        """Each kind's cost of an order of its own."""
        costs = self.series.costs
        impact = 0.0
        if costs.impact == "linear":
            impact = costs.impact_coefficient * notional / 1e6
        if costs.impact == "square_root":
            impact = costs.impact_coefficient * math.sqrt(notional / costs.daily_volume)
        fee_bps = costs.taker_fee_bps + self.pool_fee_bps
        bps = {"fee": fee_bps, "spread": costs.half_spread_bps, "impact": impact}
        parts = {kind: notional * each / 1e4 for kind, each in bps.items()}
        parts["gas"] = costs.gas_per_rebalance
        return parts

    @property
    def pool_fee_bps(self) -> float:
        """What a trade pays its counterparty, where that is the reserve."""
        return self.venue.fee_bps if self.venue.kind == "pool" else 0.0

    def own_part(self, notional: float, others: Sequence[float]) -> dict[str, float]:
        """What one signed part of an order pays, the other parts being these."""
        alone = self.cost(abs(notional))
        others = [each for each in others if each]
        sizes = abs(notional) + sum(abs(each) for each in others)
        if not others or not sizes:
            return alone
        net = notional + sum(others)
        one = self.cost(abs(net)) if abs(net) > NEAR * sizes else dict.fromkeys(alone, 0.0)
        apart = [self.cost(abs(each)) for each in others]
        share = abs(notional) / sizes
        return {
            kind: each - (each + sum(other[kind] for other in apart) - one[kind]) * share
            for kind, each in alone.items()
        }

    def on_nav(self, notional: float, price: float, others: Sequence[float]) -> float:
        """What nav pays of a rebalance that goes out with these."""
        parts = self.own_part(notional, others)
        return sum(parts.values()) - self.pays(parts, price)

    # -- how large it is -------------------------------------------------------------------------

    def wanted(
        self, to: float, price: float, others: Sequence[float] = (), grown: float = 1.0
    ) -> float:
        """The smaller signed notional that lands on a leverage, or the nearest; 0: none is.

        The fund is ``grown`` by those who come and go, with exposures ``others``, in one order.
        """
        held, nav, reach = abs(self.exposure(price)) * grown, self.nav(price) * grown, abs(to)

        def left(notional: float) -> float:
            return nav - self.on_nav(notional, price, others)

        def over(bought: float) -> float:
            """Exposure beyond the destination after buying this much of the token's side."""
            return held + bought - reach * left(self.side * bought)

        if left(0.0) <= 0:
            return 0.0
        if over(0.0) <= 0:
            most = reach * nav + 1
            return self.side * self.first(lambda bought: over(bought) >= 0, most, others)
        most = held if over(-held) <= 0 else least(lambda sold: over(-sold), 0.0, held)
        if over(-most) <= 0:
            return -self.side * self.first(lambda sold: over(-sold) <= 0, most, others)
        if others:
            return self.wanted(to, price, (), grown)
        return -self.side * self.nearest(held, nav, price, lambda sold: left(-self.side * sold))

    def first(self, holds: Callable[[float], bool], most: float, others: Sequence[float]) -> float:
        """The least size for which a condition holds; it does at the largest."""
        if not others:
            return first_true(holds, 0.0, most)
        points = sorted({most * each / GRID for each in range(GRID + 1)})
        after = next(each for each, point in enumerate(points) if holds(point))
        return first_true(holds, points[max(after - 1, 0)], points[after])

    def nearest(
        self, held: float, nav: float, price: float, left: Callable[[float], float]
    ) -> float:
        """The sale after which leverage is least, if that is less than now; else 0."""

        def is_least(sold: float) -> bool:
            """Whether leverage, (held - sold) / left(sold), no longer falls with what is sold."""
            return (held - sold) * self.slope(sold, price) >= left(sold)

        sold = first_true(is_least, 0.0, held)
        falls = left(sold) > 0 and (held - sold) / left(sold) < held / nav
        return sold if falls else 0.0

    def slope(self, notional: float, price: float) -> float:
        """What one more unit of notional costs nav."""
        costs, impact = self.series.costs, 0.0
        if costs.impact == "linear":
            impact = 2 * costs.impact_coefficient * notional / 1e6
        if costs.impact == "square_root":
            impact = 1.5 * costs.impact_coefficient * math.sqrt(notional / costs.daily_volume)
        fee_bps = costs.taker_fee_bps + self.pool_fee_bps
        bps = {"fee": fee_bps, "spread": costs.half_spread_bps, "impact": impact}
        lasts = self.pays(self.cost(notional), price) < self.pot.free(price, self)
        bears = self.pot.terms.bears if self.pot.terms and lasts else ()
        return sum(each for kind, each in bps.items() if kind not in bears) / 1e4

    def cut_to_lots(self, notional: float, price: float) -> float:
        """A size rounded toward zero to whole lots; 0 where it is smaller than is traded."""
        lot, mark = self.series.execution.lot_units, self.mark(price)
        if lot > 0:
            lots = abs(notional) / mark / lot
            whole = round(lots) if abs(lots - round(lots)) <= NEAR * lots else math.floor(lots)
            notional = math.copysign(whole * lot * mark, notional)
        too_small = abs(notional) < self.series.execution.min_notional * (1 - NEAR)
        return 0.0 if too_small else notional

    # -- the books move --------------------------------------------------------------------------

    def book(
        self,
        time: int,
        price: float,
        trigger: str,
        notional: float,
        parts: dict[str, float],
        others: Sequence[float] = (),
        created: float = 0.0,
    ) -> None:
        """Move the books by one order of the fund (and of those who came or went): a row."""
        mark, nav = self.mark(price), self.nav(price)
        before, nav_before = self.exposure(price) / nav, nav / self.tokens
        order = notional + sum(others)
        paid = self.pays(parts, price)
        self.cash += nav * created / self.tokens - order - (sum(parts.values()) - paid)
        self.tokens += created
        self.units += order / mark
        self.pot.pay(paid, price)
        self.pot.take_in(abs(order) * self.pool_fee_bps / 1e4, price)
        for kind, part in {**parts, "paid_by_reserve": paid}.items():
            self.told.costs[kind] += part
        if trigger not in {"launch", "flow", "roll", "wind_down"}:
            self.told.clips += 1
            self.told.turnover += abs(notional)
        if abs(order) <= NEAR * (abs(notional) + sum(abs(each) for each in others)):
            return
        nav = self.nav(price)
        after = self.exposure(price) / nav if nav > 0 else 0.0
        side, size = "buy" if order > 0 else "sell", abs(order)
        moved = (before, after, nav_before, nav / self.tokens)
        kinds = (parts[kind] for kind in ("fee", "spread", "impact", "gas"))
        self.told.trades.append(
            Trade(time, trigger, side, size / mark, mark, size, *moved, *kinds, paid)
        )
