"""The second simulator's tokens on one reserve (see oracle.py), and how it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from steelyard.market import Prices
from steelyard.rules.series import Reserve, Series
from support.oracle import Oracle, Own, Refused
from support.oracle_books import Bar, Told, first_true
from support.oracle_reserve import NEAR, Events, Pot

MOST_REBALANCES = 100_000


def tell(
    series: Series,
    bars: Prices,
    mode: str,
    *,
    funding: Events = (),
    rates: Events = (),
    injections: Events = (),
    flows: Events = (),
    splits: Events = (),
    outages: Events = (),
    wind_down: int | None = None,
) -> tuple[Told, Pot]:
    """Run a series over bars in mode ``close`` or ``path``.

    Raises:
        Refused: where the project must refuse the run as well.
    """
    pot = Pot(series.reserve, injections)
    own = Own(flows, splits, wind_down)
    token = Oracle(series, pot, funding=funding, rates=rates, outages=outages, own=own)
    Shelf([token], pot).over(bars, mode)
    return token.told, pot


def tell_several(
    members: Sequence[Series],
    bars: Prices,
    mode: str,
    reserve: Reserve,
    own: Sequence[Own],
    *,
    funding: Events = (),
    rates: Events = (),
    injections: Events = (),
    outages: Events = (),
) -> tuple[list[Told], Pot]:
    """Run several series on one reserve.

    Raises:
        Refused: where the project must refuse the run as well.
    """
    pot = Pot(reserve, injections)
    tokens = [
        Oracle(series, pot, funding=funding, rates=rates, outages=outages, own=each)
        for series, each in zip(members, own, strict=True)
    ]
    Shelf(tokens, pot).over(bars, mode)
    return [token.told for token in tokens], pot


class Shelf:
    """The tokens on one reserve, and the way of the price that they all see."""

    def __init__(self, tokens: Sequence[Oracle], pot: Pot) -> None:
        self.tokens, self.pot = tokens, pot
        self.time: int | None = None
        self.launched = 0

    def over(self, bars: Prices, mode: str) -> None:
        """Live through the bars."""
        if mode == "close":
            for time, close in zip(bars.end_times.tolist(), bars.close.tolist(), strict=True):
                self.clock(time, close)
                self.write(close)
            return
        assets = (each.series.target_leverage * each.cash for each in self.tokens)
        hurts, other = (bars.low, bars.high) if sum(assets) > 0 else (bars.high, bars.low)
        columns = (bars.time, bars.open, hurts, other, bars.close)
        for time, *visited in zip(*(column.tolist() for column in columns), strict=True):
            self.clock(time, visited[0])
            for start, end in pairwise(visited):
                self.way(time, start, end)
            self.write(visited[-1])

    def write(self, price: float) -> None:
        """The bar's row of each token."""
        for each in self.tokens:
            leverage = each.exposure(price) / each.nav(price) if each.units else 0.0
            row = Bar(each.nav(price) / each.tokens, leverage, each.tokens, self.pot.units)
            each.told.bars.append(row)

    def clock(self, time: int, price: float) -> None:
        """Settle and accrue, end, feed the reserve, then let each act."""
        if self.time is None:
            self.time = self.launched = time
            for each in self.tokens:
                each.time, each.settled_at = time, price
            for each in self.tokens:
                each.launch(time, price)
                self.keep_capacity(price)
            return
        if time == self.time or not self.pot.living:
            return
        since, self.time = self.time, time
        for each in self.pot.living:
            each.time = time
            each.split(since)
        self.pot.settle(price)
        if self.pot.suspended:
            self.pot.suspended_s += time - since
        for each in self.pot.living:
            each.observe(since, price)
            each.end_where_over(time, price)
        if not self.pot.living:
            return
        self.pot.feed(since, time, price, self.launched)
        self.pot.judge(price)
        self.keep_capacity(price)
        for each in self.pot.living:
            each.act(since, price)
            self.keep_capacity(price)

    # -- inside a bar ----------------------------------------------------------------------------

    def way(self, time: int, start: float, end: float) -> None:
        """The price goes from start to end through all that lies between."""
        idle: dict[str, set[str]] = {each.series.symbol: set() for each in self.tokens}
        rebalances = 0
        while True:
            found = [
                (price, name, each)
                for each in self.pot.living
                for price, name in each.crossings(start, end)
                if name not in idle[each.series.symbol]
            ]
            if not found:
                break
            begun = start
            start = min((price for price, _, _ in found), key=lambda price: abs(price - begun))
            self.pot.settle(start)
            held = {each.series.symbol: each.units for each in self.tokens}
            for each in self.pot.living:
                names = [
                    name
                    for price, name, whose in found
                    if whose is each and abs(price - start) <= NEAR * start
                ]
                if each.units != held[each.series.symbol]:
                    continue
                if "end" in names:
                    # a hair before it where another's threshold is the same price: then next time
                    moved = each.end_where_over(time, start)
                    names = []
                else:
                    moved = each.rebalance(start, names)
                if moved:
                    idle = {symbol: set() for symbol in idle}
                    rebalances += 1
                    self.keep_capacity(start)
                else:
                    idle[each.series.symbol] |= set(names)
            if rebalances > MOST_REBALANCES:
                raise Refused
        self.pot.settle(end)
        for each in self.pot.living:
            each.end_where_over(time, end)
        self.keep_capacity(end)

    # -- what one reserve can stand --------------------------------------------------------------

    def keep_capacity(self, price: float) -> None:
        """Cut tokens whose own limit the net exposure breaches, one after the other.

        Each closes its share, by exposure, of what is too much when it is its turn.
        """
        while over := [each for each in self.pot.against if self.is_too_much(each, price)]:
            left = sum(abs(each.units) for each in over)
            for each in over:
                size = abs(each.units)
                cut = min(self.excess(each, price) * size / left, size * price)
                left -= size
                if cut > 0 and each.units * self.pot.net(price) > 0:
                    each.cut_back(cut, price)

    def is_too_much(self, token: Oracle, price: float) -> bool:
        """Whether a token on the heavier side has to give way by its own limit."""
        net, terms = self.pot.net(price), token.venue
        sizes = sum(abs(each.units) for each in self.pot.against) * price
        limit = terms.max_utilisation * self.pot.units * price
        return token.units * net > 0 and abs(net) - limit > NEAR * sizes

    def excess(self, token: Oracle, price: float) -> float:
        """The least that would have to be closed, were this token to close all of it."""
        net, terms = abs(self.pot.net(price)), token.venue

        def fits(size: float) -> bool:
            worth = self.pot.units * price
            worth += size * token.pool_fee_bps / 1e4 - token.borne(size)
            return net - size <= terms.max_utilisation * worth or size >= net

        if net <= terms.max_utilisation * (self.pot.units * price - token.borne(0.0)):
            return 0.0
        return first_true(fits, 0.0, net)
