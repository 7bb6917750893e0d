"""A series on real contracts beside what theory and the simulator say of it."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import boa
import pytest

from steelyard.market import sample_prices
from steelyard.rules.series import Band, Costs
from steelyard.simulation.run import simulate
from support.chain.series import (
    BAND,
    DAY,
    IDLE,
    OPEN,
    UNOPENED,
    WAD,
    Fund,
    Series,
    Terms,
    new_transaction,
)
from support.chain.world import Setting, World
from support.page_figures import stated
from support.tokens import closes, token

YEAR = 366 * DAY
STEPS = 1_000
DAYS, FIRST = 120, 90
"""Of the bundled history of ether: from 31 March 2020, 15 rebalances, no emergency."""
TAKER, DELAY_S = 6, 24
"""A taker's own cost in basis points, and how late it acts."""
START, TOP, EMERGENCY_TOP, DURATION_S = 50, 80, 325, 1_200
BLOCK = 2
"""What the premium rises by in a block at most, basis points."""


def launched(price: float, **terms: Any) -> Series:
    """A 3x long whose account pays nothing, at a price, with so much lent that interest is nil."""
    world = World(Setting(price=Fraction(str(price))))
    return Fund(world, Terms(long=True, account_rate=0, **terms), lent=10**11, age=0).series[0]


def taken(series: Series) -> None:
    """A taker takes all of it, in a transaction of its own."""
    new_transaction()
    series.rebalance()


def test_a_thousand_small_steps_are_the_closed_form() -> None:
    """Scenario: the price goes to 1.3 of itself in 500 even steps and back in 500, each rebalanced.

    An hour's fallback is taken when its premium is nil.

    Property: each way nav is multiplied by 1 + 3 (step - 1) 500 times, to 5 parts in a million, and
    by the cube of the price's ratio, as leverage that is kept always gives, to 5 in 10,000.
    """
    series = launched(2_000, fallback_after=3_600, start="0.004")
    world, half = series.world, STEPS // 2
    step, price = 1.3 ** (1 / half), 2_000.0
    for move, ratio in ((step, 1.3), (1 / step, 1 / 1.3)):
        before = series.nav
        for _ in range(half):
            price *= move
            boa.env.time_travel(seconds=3_600 + DURATION_S // 3)
            world.feed.update(round(price * 10**8))
            taken(series)
        grown = series.nav / before
        assert grown == pytest.approx((1 + 3 * (move - 1)) ** half, rel=5e-6)
        assert grown == pytest.approx(ratio**3, rel=5e-4)


def fill(series: Series) -> tuple[float, float]:
    """Open, wait as a taker does, take: the premium in basis points, and the floor of danger.

    A taker waits until the premium pays its cost, danger included, and 24 s more.
    """
    # danger needs no opening, and may have one
    assert series.plan.state in (UNOPENED, OPEN)
    assert series.plan.trigger == BAND
    series.open()
    danger = series.plan.danger / WAD
    rises = TOP + (EMERGENCY_TOP - TOP) * danger + START
    boa.env.time_travel(seconds=math.ceil((START + TAKER) / rises * DURATION_S) + DELAY_S)
    series.accrue()
    plan = series.plan
    assert plan.state == OPEN
    taken(series)
    return plan.premium / WAD * 10**4, rises * danger - START


def test_a_hundred_and_twenty_days_are_the_simulators() -> None:
    """Scenario: a 3x band series through 120 daily closes of ether; one taker.

    Its own cost is 6 basis points, and it comes 24 s after the premium has reached that.

    Property: rebalances come on the simulator's days and from its leverage, and what a fill costs
    is the simulator's to the 2 basis points that a block's rise of the premium is. The simulator
    knows no danger: where the premium starts beyond that, once in the 15, that is paid, and nav
    ends 0.2 % below the simulator's.
    """
    prices = [float(price) for price in sample_prices("ETH").close[FIRST : FIRST + DAYS + 1]]
    costs = Costs(
        taker_fee_bps=TAKER,
        impact="auction",
        auction_start_bps=START,
        auction_top_bps=TOP,
        auction_duration_s=DURATION_S,
        taker_delay_s=DELAY_S,
    )
    told = simulate(token(3.0, costs=costs, band=Band(2.6, 3.4)), closes(*prices))
    rows = told.rebalances.iloc[1:]
    usual = TAKER + (START + TOP) * DELAY_S / DURATION_S
    series = launched(prices[0], fallback_after=YEAR)
    world, began, days, dear = series.world, boa.env.timestamp, [], []
    launch = nav = series.nav
    was = told.rebalances.nav_after.iloc[0]
    for day, price in enumerate(prices[1:], 1):
        boa.env.timestamp = began + day * DAY
        world.set_feed(Fraction(str(price)))
        series.accrue()
        if series.plan.state == IDLE:
            continue
        row = rows.iloc[len(days)]
        days.append(day)
        # the market between two fills is the same to both
        assert series.nav / nav == pytest.approx(row.nav_before / was, rel=1e-5)
        assert float(series.leverage) == pytest.approx(row.leverage_before, rel=1e-5)
        premium, floor = fill(series)
        assert usual <= premium < max(usual, floor) + BLOCK
        if premium >= usual + BLOCK:
            dear.append(f"{premium:.1f} instead of {usual:.1f} basis points")
        whole = row.nav_before * told.series.initial_tokens
        more = (premium - usual) / 10**4 * row.notional / whole
        assert series.nav / nav == pytest.approx(row.nav_after / was * (1 - more), rel=2e-5)
        nav, was = series.nav, row.nav_after
    first = told.rebalances.time.iloc[0]
    assert days == [(time - first).days for time in rows.time]
    assert (len(days), len(dear)) == (15, 1)
    stated(
        f"Over {DAYS} days of ether's daily closes, with a taker that comes {DELAY_S} s late, "
        f"{len(days)} rebalances",
        *dear,
    )
    lower = 1 - nav / launch / (was / told.rebalances.nav_after.iloc[0])
    stated(f"and nav ended {lower * 100:.1f} % lower")
