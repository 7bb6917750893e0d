"""What a rebalance costs by who takes it, beside a swap's cost in the same pool.

The figures here are those that docs/contracts/attacks.md says. The market stands still, the feed is
level, and the pool holds 5,000 WETH a side and takes 5 basis points.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import boa
import pytest

from steelyard.rules.series import Band, Costs
from steelyard.simulation.run import simulate
from support.chain.series import BAND, IDLE, OPEN, Fund, Series, Terms, new_transaction
from support.chain.takers import PoolTaker, opened
from support.chain.world import Setting, World
from support.page_figures import said, stated
from support.tokens import closes, token

BLOCK_S = 12
BLOCK_BPS = 2
"""What the premium rises by in a block at most."""
DURATION_S = 1_200
POOL, TOKENS = 5_000, 1_000
"""WETH on each side; tokens of the series."""
HOUR_S = 3_600
QUIET_S = 420
LEAST_MOVE = Fraction(1, 10**4)


@pytest.fixture(scope="module")
def usual() -> Series:
    """A 3x long of 10 WETH of nav whose account pays nothing: nav pays what takers get."""
    return launched()


@pytest.fixture(scope="module")
def to_edge() -> Series:
    """The same, which goes to the edge that it has left."""
    return launched(to_edge=True, edge_slack="0.1")


def launched(**terms: Any) -> Series:
    """At its target."""
    world = World(Setting(liquidity=Fraction(POOL)))
    fund = Fund(world, Terms(long=True, account_rate=0, fallback_after=90 * 86_400, **terms))
    series = fund.series[0]
    series.go(3, 0)
    fund.ready = boa.env.timestamp
    return series


@dataclass
class Patient:
    """Waits for the top of the premium, and takes all of it then."""

    series: Series

    def act(self, _price: Fraction) -> None:
        """One call."""
        opened(self.series, self.series.world.roles.keeper)
        plan = self.series.plan
        if plan.state != OPEN:
            return
        age = boa.env.timestamp - self.series.contract.facts().opened
        if DURATION_S <= age < DURATION_S + 2 * BLOCK_S:
            self.series.rebalance()


def nav_at(series: Series, price: Fraction) -> Fraction:
    """What a long's holders have at a price, raw quote."""
    state = series.state
    return Fraction(state.collateral) * price * 10**6 / 10**18 - state.debt


def sold(
    series: Series,
    leverage: str,
    takers: list[Any],
    late_s: int = 0,
    off: Fraction = Fraction(0),
    quiet_s: int = QUIET_S,
) -> Fraction:
    """The cost to nav, in basis points of the notional, of a rebalance that these takers take.

    It is opened at once. Then each acts once a block, in turn, until nothing is due. The market is
    by so much above the feed, and the cost is counted at the market's price.
    """
    series.fund.begin()
    series.go(leverage, 72)
    series.open()
    plan, price = series.plan, series.world.feed_price * (1 + off)
    nav = nav_at(series, price)
    assert plan.trigger == BAND
    if late_s:
        series.fund.sleep(late_s)
        series.accrue()
    for block in range(200):
        for each in takers:
            new_transaction()
            each.act(price)
        if series.plan.state == IDLE:
            return (nav - nav_at(series, price)) / plan.gap * 10**4
        # the premium is below zero for the first 461 s
        boa.env.time_travel(seconds=BLOCK_S if block else quiet_s)
    raise AssertionError("not all of it was taken")


def swapped(series: Series, leverage: str) -> float:
    """What `simulate` says that a swap of the same rebalance costs in that pool, basis points."""
    with boa.env.anchor():
        series.fund.begin()
        start, nav = float(series.world.feed_price), series.nav / 10**6
        end = float(series.price_at(leverage))
    terms = series.terms
    # a series that goes to its target has none, and then it says nothing
    slack = float(terms.edge_slack) or 0.1
    told = simulate(
        token(
            3.0,
            costs=Costs(impact="amm", amm_liquidity=POOL * start, amm_fee_bps=5.0),
            band=Band(2.6, 3.4),
            move_to="edge" if terms.to_edge else "target",
            edge_slack=slack,
            initial_nav=nav / TOKENS,
            initial_tokens=TOKENS,
        ),
        closes(start, end),
    )
    row = told.rebalances.iloc[1]
    return (row.fee + row.impact) / row.notional * 10**4


def row_of(kind: str, leverage: str) -> str:
    """How the page's row of a situation begins."""
    edge = "2.6x" if Fraction(leverage) < 3 else "3.4x"
    return f"| {leverage}x | {'3x' if kind == 'usual' else f'the edge, {edge}'} |"


SITUATIONS = [("usual", "2.5"), ("usual", "3.5"), ("to_edge", "2.4"), ("to_edge", "3.55")]


@pytest.mark.parametrize(
    ("kind", "leverage", "late_s"),
    [*((*each, 0) for each in SITUATIONS), ("usual", "3.5", HOUR_S), ("to_edge", "2.4", HOUR_S)],
)
def test_two_honest_takers_cost_the_market_and_a_block(
    usual: Series, to_edge: Series, kind: str, leverage: str, late_s: int
) -> None:
    """Scenario: calm, two takers who sell in the pool what they get and take what pays.

    After an hour in which nobody came the auction is void, and is opened again.

    Property: nav pays at most what `simulate` says of a swap in that pool, to the target or the
    edge, and 2 basis points more: a block's rise. It pays less where takers take it in parts, with
    time for the pool to come back; and never less than the pool's fee.
    """
    series = to_edge if kind == "to_edge" else usual
    takers = [PoolTaker(series), PoolTaker(series)]
    market = swapped(series, leverage)
    cost = float(sold(series, leverage, takers, late_s))
    assert 5 <= cost <= market + BLOCK_BPS
    # an hour without a taker costs nothing but the time
    stated(f"{row_of(kind, leverage)} {market:.2f} | {cost:.2f} |")


@pytest.mark.parametrize("off", [Fraction(-4, 1_000), Fraction(4, 1_000)], ids=["low", "high"])
def test_a_lag_within_start_costs_no_more(usual: Series, off: Fraction) -> None:
    """Scenario: the market is 0.4 % below or above the feed, less than `start`; two honest takers.

    Property: at the market's price nav pays what it pays with a level feed, a swap and 2 basis
    points at most: the premium begins so low that takers compete for the lag as well.
    """
    assert abs(off) < Fraction(usual.terms.start)
    takers = [PoolTaker(usual), PoolTaker(usual)]
    market = swapped(usual, "2.5")
    cost = float(sold(usual, "2.5", takers, off=off, quiet_s=60 if off < 0 else 840))
    low, high = said(
        "0.4 % below or above the feed, the first row's two honest takers cost # and #"
    )
    assert round(cost, 2) == float(low if off < 0 else high)
    assert 5 <= cost <= market + BLOCK_BPS


TOPS = [79, 110, 79, 96]
"""Basis points of the gap: 80 without danger, and what danger at 3.5x and 3.55x makes of it."""


@pytest.mark.parametrize(
    ("kind", "leverage", "most"), [(*each, top) for each, top in zip(SITUATIONS, TOPS, strict=True)]
)
def test_takers_who_wait_together_cost_the_top(
    usual: Series, to_edge: Series, kind: str, leverage: str, most: int
) -> None:
    """Scenario: all takers agree to wait, as one who is alone and greedy would.

    Property: nav pays the premium's top, danger included, and no more.
    """
    series = to_edge if kind == "to_edge" else usual
    cost = sold(series, leverage, [Patient(series)])
    assert most - 1 <= cost <= most
    *_, top = said(f"{row_of(kind, leverage)} # | # | #")
    assert round(cost, 1) == top
    calm = round(Fraction(series.terms.calm_top) * 10**4)
    stated(f"get the premium's top: {calm} basis points, and more in danger", page="index.md")


def test_an_absent_taker_leaves_leverage_where_it_went(usual: Series) -> None:
    """Scenario: nobody comes for an hour.

    Property: nothing is lost and nothing done: leverage is still outside the band, and what was
    opened is void and can be opened again.
    """
    series = usual
    series.go("3.5", 72)
    series.open()
    nav, leverage = series.nav, series.leverage
    series.fund.sleep(HOUR_S)
    series.accrue()
    assert abs(series.leverage - leverage) < LEAST_MOVE
    assert abs(series.nav - nav) <= nav * LEAST_MOVE
    assert series.open() == boa.env.timestamp
