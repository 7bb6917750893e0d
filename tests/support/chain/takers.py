"""Takers of auctions, and a griefer around them, as small as a test needs them.

A `PoolTaker` takes the largest part that pays after it has sold in the pool what it got. It moves
the pool back to the market's price first where somebody pushed it, which pays it. A `PatientTaker`
has inventory of its own and takes nothing below the premium that it waits for.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import boa

from support.chain.series import (
    BAND,
    EMERGENCY,
    LEAST_PREMIUM,
    OPEN,
    SCALE,
    WAD,
    Series,
    new_transaction,
)

PARTS = (1, 2, 4, 8, 16, 32, 64)
"""Of what is on sale, largest first."""


def opened(series: Series, who: Any) -> None:
    """Open what needs to be opened; refused where nothing does."""
    if series.plan.trigger in (BAND, EMERGENCY):
        try:
            series.open(who)
        except boa.BoaError:
            return


@dataclass
class PatientTaker:
    """Takes all that is on sale, from inventory, once the premium is so high."""

    series: Series
    least: Fraction
    fills: int = 0

    def act(self, _price: Fraction) -> None:
        """One call; the market's price does not matter to it."""
        plan = self.series.plan
        if plan.state != OPEN or Fraction(plan.premium, WAD) < self.least:
            return
        self.series.rebalance(limit=plan.premium)
        self.fills += 1


@dataclass
class PoolTaker:
    """Takes the largest part that pays when it is exchanged in the pool at once."""

    series: Series
    margin: Fraction = Fraction(0)
    """Of what it pays: the least that it wants to be left with."""
    spares_moves: bool = False
    """Whether it leaves a pool where it is that is off by less than its fee: moving it costs."""
    fills: int = 0
    won: Fraction = Fraction(0)
    """In quote, each call at the market's price of its moment."""
    worst: Fraction = Fraction(0)
    """The call of which it had least; below zero it lost."""

    def act(self, price: Fraction) -> None:
        """One call, the pool brought back to the market's price before."""
        world = self.series.world
        held = world.worth(world.roles.keeper, price)
        self._take(price)
        won = world.worth(world.roles.keeper, price) - held
        self.won += won
        self.worst = min(self.worst, won)

    def _take(self, price: Fraction) -> None:
        world, series = self.series.world, self.series
        if not (self.spares_moves and self._is_near(price)):
            world.pool.move(price, who=world.roles.keeper)
        opened(series, world.roles.keeper)
        plan = series.plan
        if plan.state != OPEN or not self._may_pay(plan):
            return
        for part in PARTS:
            size = plan.most // part
            if size < plan.least:
                return
            if self._pays(size):
                self._exchange(size)
                self.fills += 1
                return

    def _is_near(self, price: Fraction) -> bool:
        """Whether the pool is off the market by no more than its fee."""
        world = self.series.world
        return abs(world.pool.price / price - 1) <= Fraction(world.setting.pool_fee, 10**6)

    def _may_pay(self, plan: Any) -> bool:
        """Whether the least amount would pay at the pool's price, less the pool's fee.

        The pool gives less for more: else no size can pay.
        """
        series, world = self.series, self.series.world
        raw = world.pool.price * 10**world.quote_decimals / 10**world.underlying_decimals
        market = raw if series.long else 1 / raw
        told = Fraction(series.price, SCALE)
        kept = 1 - Fraction(world.setting.pool_fee, 10**6)
        got = (1 + Fraction(plan.premium, WAD)) * kept
        got *= told / market if plan.up else market / told
        # prices and amounts are rounded
        return got >= (1 + self.margin) * (1 - Fraction(1, 10**6))

    def _pays(self, size: int) -> bool:
        with boa.env.anchor():
            paid, back = self._exchange(size)
            return back >= paid * (1 + self.margin)

    def _exchange(self, size: int) -> tuple[int, int]:
        """Take it and sell what came: what was paid, and what came back, in the asset owed."""
        series, who = self.series, self.series.world.roles.keeper
        up = series.plan.up
        given, owes = series.rebalance(size, LEAST_PREMIUM, who=who)
        sold = series.loan if up else series.collateral
        return owes, series.world.pool.swap(sold, given, who=who)


@dataclass
class Griefer:
    """Around each call of a taker: pushes the pool before it, or takes the least part itself."""

    series: Series
    push: Fraction = Fraction(0)
    takes_least: bool = False
    gifts: bool = False

    def before(self, price: Fraction) -> None:
        """Before the taker's call."""
        series, who = self.series, self.series.world.roles.attacker
        if self.push:
            # against the taker: what is sold in a crash gets cheaper
            series.world.pool.move(price * (1 - self.push), who=who)
        if self.gifts:
            params = tuple(series.market)
            series.world.morpho.supplyCollateral(params, 1, series.address, b"", sender=who)
        if self.takes_least:
            opened(series, who)
            plan = series.plan
            if plan.state == OPEN:
                series.rebalance(plan.least, who=who)

    def after(self, price: Fraction) -> None:
        """After it: the pool is moved back, for another push."""
        new_transaction()
        if self.push:
            self.series.world.pool.move(price, who=self.series.world.roles.attacker)
