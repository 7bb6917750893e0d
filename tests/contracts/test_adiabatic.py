"""Small steps reproduce the closed form; the bundled history reproduces `simulate`.

**The closed form.** A token that is rebalanced continuously has dV/V = L dP/P. On a path of no
quadratic variation that is d ln V = L d ln P, so V = V0 (P/P0)^L (Cheng and Madhavan 2009, "The
Dynamics of Leveraged and Inverse Exchange-Traded Funds", with a variance of 0). In n steps of one
ratio 1 + r it is (1 + L r)^n, less by about n L (L - 1) r^2 / 2 of itself. After each step
L (L - 1) |r| / (1 + L r) of nav has to be traded to be at L again; where nav pays a cost of c for
each unit traded, d ln V = L d ln P - c L (L - 1) |d ln P|, so
V = V0 (P/P0)^L e^(-c L (L - 1) |ln P/P0|). L is signed: -1 for the 1x short.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import boa
import pytest
from hypothesis import settings

import steelyard as sy
from steelyard.market.sample import sample_prices
from support.chain.driving import empty_reserve
from support.chain.series import Fund, ReserveTerms, Terms, trigger
from support.chain.world import Setting, World

if TYPE_CHECKING:
    from support.chain.series import Token

THOROUGH = settings.default.max_examples > 1_000
"""By hand: pytest --hypothesis-profile thorough."""
FEE = 0.0005
DAY = 86_400
DAYS = 120


def steady(world: World, *, long: bool, paid_by: str) -> Token:
    """A token with so narrow a band that each small step takes it out; the lender's rate is nil."""
    bands = (
        {"lower": "2.999", "upper": "3.001", "initial_nav": "0.01"}
        if long
        else {"lower": "0.9995", "upper": "1.0005", "initial_nav": 20}
    )
    terms = Terms(long=long, max_age=7_200, premium=0, lent=10**9, **bands)
    reserve = ReserveTerms(initial=100, daily_share=1)
    token = Fund(world, terms, launch=10, reserve=reserve).tokens[0]
    if paid_by == "nav":
        empty_reserve(token)
    return token


LONG, SHORT = (True, Fraction(2), "reserve"), (False, Fraction(1, 2), "nav")
CASES = [(*LONG, 1_000), (*SHORT, 100)]
"""Side, the price's way, who pays, steps."""
if THOROUGH:
    CASES = [
        (long, end, paid_by, 1_000)
        for long in (True, False)
        for end in (Fraction(2), Fraction(1, 2))
        for paid_by in ("reserve", "nav")
    ]


@pytest.mark.parametrize(
    ("long", "end", "paid_by", "steps"),
    CASES,
    ids=[f"{'long' if case[0] else 'short'}-{case[1]}-{case[2]}-{case[3]}" for case in CASES],
)
def test_small_steps_reproduce_the_closed_form(
    long: bool, end: Fraction, paid_by: str, steps: int
) -> None:
    """Scenario: the price doubles or halves in equal steps, each rebalanced.

    Property: the nav of a continuously rebalanced token: (P/P0)^L, less the pool's fee where nav
    pays it.
    """
    world = World(Setting(liquidity=Fraction(10**6), feed_decimals=18))
    token = steady(world, long=long, paid_by=paid_by)
    leverage = 3 if long else -1
    ratio = float(end) ** (1 / steps)
    begun = token.nav * world.feed_price
    made = 0
    for step in range(1, steps + 1):
        price = Fraction(2_000 * ratio**step).limit_denominator(10**15)
        boa.env.time_travel(seconds=60)
        world.feed.update(int(price * 10**18))
        world.pool.move(price)
        token.contract.rebalance(sender=world.roles.keeper)
        made += 1
    assert made == steps
    nav = float(token.nav * world.feed_price / begun)
    turned = leverage * (leverage - 1) * abs(math.log(float(end)))
    cost = FEE * turned if paid_by == "nav" else 0.0
    closed = float(end) ** leverage * math.exp(-cost)
    second_order = abs(leverage * (leverage - 1)) / 2 * steps * (ratio - 1) ** 2
    assert abs(nav / closed - 1) < 1.1 * second_order + 2e-4
    # and the steps themselves, much nearer
    product = (1 + leverage * (ratio - 1)) ** steps * math.exp(-cost)
    assert abs(nav / product - 1) < 2e-4


RULE = """
schema = 1
symbol = "BTC3L"
underlying = "BTC/USD"
quote = "USD"
target_leverage = {target}
initial_nav = {nav!r}
initial_tokens = 1000.0

[rebalance]
move_to = "{move_to}"
edge_slack = 0.02
emergency_leverage = {emergency}

[[rebalance.trigger]]
when = "band"
lower = {lower}
upper = {upper}

[[rebalance.trigger]]
when = "fallback"
after = "72h"

[venue]
kind = "spot"
liquidation_threshold = 0.86
rate_per_year = {rate!r}
units_borrow_rate_per_year = {units_rate!r}

[costs]
taker_fee_bps = 5.0
half_spread_bps = 0.0
"""
LONG_RULE = {"target": 3.0, "lower": 2.5, "upper": 3.5, "emergency": 4.8}
SHORT_RULE = {"target": -1.0, "lower": 0.8, "upper": 1.25, "emergency": 2.5}


def borrow_at(world: World, token: Token, rate: Fraction) -> None:
    """Somebody else borrows until the rate, which is the utilisation, is this; it hardly moves."""
    params, who = tuple(token.market), world.roles.arbitrageur
    world.morpho.supplyCollateral(
        params, token.collateral.balanceOf(who) // 100, who, b"", sender=who
    )
    supplied = world.morpho.market(token.market.id)[0]
    world.morpho.borrow(params, int(supplied * rate), 0, who, who, sender=who)


RUNS = [(True, "target"), (False, "edge")]
if THOROUGH:
    RUNS += [(True, "edge"), (False, "target")]


@pytest.mark.parametrize(("long", "move_to"), RUNS)
def test_120_days_of_the_sample_reproduce_simulate(long: bool, move_to: str) -> None:
    """Scenario: 120 days of BTC, on the chain and in `simulate`, one rule, nav paying.

    Property: the same rebalances on the same days, nav per token within the pool's fee.

    The short goes through March 2020. The long begins in April: looked at once a day, it was past
    its liquidation threshold on 12 March, where `simulate` ends it and Morpho would.
    """
    rule = LONG_RULE if long else SHORT_RULE
    first = 91 if long else 0
    bars = sample_prices("BTC").slice(first, first + DAYS + 1)
    closes = [Fraction(str(close)) for close in bars.close]
    rate = Fraction(3, 100)
    world = World(
        Setting(underlying_decimals=8, price=closes[0], liquidity=Fraction(2_000_000), warm_up=120)
    )
    terms = Terms(
        long=long,
        initial_nav="0.01" if long else 70,
        target_leverage=abs(rule["target"]),
        lower=str(rule["lower"]),
        upper=str(rule["upper"]),
        emergency_leverage=str(rule["emergency"]),
        to_edge=move_to == "edge",
        cooldown=60,
        fallback_after=3 * DAY,
        premium=0,
        lent=10**9,
    )
    token = Fund(world, terms, reserve=ReserveTerms(initial=0)).tokens[0]
    borrow_at(world, token, rate)
    navs, told = [token.nav * closes[0]], []
    for day, close in enumerate(closes[1:], start=1):
        boa.env.time_travel(seconds=DAY - 72)
        world.pool.move(close)
        boa.env.time_travel(seconds=72)
        world.set_feed(close)
        if token.due != "idle":
            event = token.rebalance()
            assert not event.clipped
            told.append((day, trigger(event.trigger), event.buys, event.notional / 1e6))
            world.pool.move(close)
        navs.append(token.nav * close)
    text = RULE.format(
        **rule,
        move_to=move_to,
        nav=float(navs[0] / 1_000),
        rate=float(rate) if long else 0.0,
        units_rate=0.0 if long else float(rate),
    )
    run = sy.simulate(sy.Series.loads(text), bars, intrabar="close")
    made = run.rebalances[run.rebalances["trigger"] != "launch"]
    # a close is at its bar's end
    begun = run.nav["time"].iloc[0]
    expected = [
        ((row.time - begun).days - 1, row.trigger, row.side == "buy", row.notional)
        for row in made.itertuples()
    ]
    names = {"band_up": "band", "band_down": "band", "clip": "band"}
    assert [(day, names.get(name, name), buys) for day, name, buys, _ in told] == [
        each[:3] for each in expected
    ]
    assert len(told) > 5
    start = float(run.nav["nav"].iloc[0])
    for (day, _, _, ours), (_, _, _, theirs) in zip(told, expected, strict=True):
        # where nav pays, the chain arrives within 5 bp of the exposure
        assert abs(ours - theirs) < 0.001 * abs(rule["target"]) * float(navs[day - 1])
    apart = max(
        abs(float(ours / navs[0]) / (theirs / start) - 1)
        for ours, theirs in zip(navs, run.nav["nav"], strict=True)
    )
    assert apart < FEE
