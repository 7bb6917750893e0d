"""Random series of every kind, histories and files, for two simulators to tell one story of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from steelyard.market import Prices
from steelyard.rules.series import (
    Band,
    Costs,
    Daily,
    Execution,
    Fallback,
    Fees,
    Interval,
    Move,
    Reserve,
    Series,
    Venue,
    Volatility,
)
from steelyard.simulation.inputs import fits
from support.strategies import maybe
from support.tokens import DAY_S, T0, token

HOUR_S = 3_600
ASSETS = 100_000.0
"""Of a token as it is launched, quote."""
STARTS = (T0, T0 + 80 * DAY_S, T0 + 85 * DAY_S + 28_800)
"""A year's first instant, and two about a roll."""
FILES = ("funding", "rates")

ONE_OF = st.sampled_from


@st.composite
def rounded(draw: st.DrawFn, low: float, high: float, digits: int = 3) -> float:
    """A figure as people write it, often a very round one."""
    return max(low, round(draw(st.floats(low, high)), draw(ONE_OF([1, digits]))))


@st.composite
def histories(draw: st.DrawFn) -> Prices:
    """Calm, trending, crashing, gapping or choppy bars, and bars on a grid of round prices.

    On the grid prices meet thresholds, margins and a nav of zero exactly, again and again.
    """
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count, step_s = draw(st.integers(2, 60)), draw(ONE_OF([60, HOUR_S, 4 * HOUR_S, 24 * HOUR_S]))
    kind = draw(ONE_OF(["calm", "trend", "crash", "gap", "choppy", "grid", "grid", "grid"]))
    within = generator.standard_normal((count, 6)) * draw(ONE_OF([0.001, 0.006, 0.02]))
    between = np.zeros(count)
    if kind == "trend":
        within += draw(ONE_OF([-0.004, 0.004]))
    elif kind == "crash":
        within[generator.integers(count)] += draw(ONE_OF([-0.1, -0.04, 0.05]))
    elif kind == "gap":
        between = generator.standard_normal(count) * 0.06
    elif kind == "choppy":
        within *= generator.choice([0.1, 4.0], (count, 1))
    paths = np.cumsum(within.ravel()).reshape(count, 6) + np.cumsum(between)[:, None]
    visited = 100 * np.exp(paths - paths[0, 0])
    if kind == "grid":
        visited = np.maximum(5 * np.round(visited**3 / 5e4), 5.0)
    missing = np.cumsum(generator.choice([0, 0, 0, 7], count)) * draw(ONE_OF([0, 1]))
    missing = missing * draw(ONE_OF([1, 1, 20]))
    return Prices(
        time=draw(ONE_OF(STARTS)) + step_s * (np.arange(count, dtype=np.int64) + missing),
        open=visited[:, 0],
        high=visited.max(axis=1),
        low=visited.min(axis=1),
        close=visited[:, -1],
        step_s=step_s,
    )


@st.composite
def rules(draw: st.DrawFn, size: float, step_s: int) -> dict[str, Any]:
    """Any mix of triggers, destinations and clips for a target of this size."""
    slack = draw(ONE_OF([0.02, 0.1]))
    wide = draw(rounded(0.05, 0.5)) * size
    delever_only = draw(st.booleans())
    lower = None if delever_only else size - wide
    band = draw(maybe(st.just(Band(lower, size + wide, delever_only))))
    times = [step_s, 5 * step_s, 8 * HOUR_S, 24 * HOUR_S]
    windows = st.builds(Volatility, ONE_OF([3 * step_s, 24 * HOUR_S]), ONE_OF([0.3, 1.0]))
    return {
        "band": band,
        "move_to": draw(ONE_OF(["target", "partway"] + ["edge"] * (band is not None))),
        "edge_slack": slack,
        "recentering_speed": draw(ONE_OF([0.05, 0.5, 1.0])),
        "max_trade_notional": draw(ONE_OF([0.0, 2_000.0, 10_000.0])),
        "cooldown_s": draw(ONE_OF([0, 3 * step_s])),
        # the next number above where an edge acts: a file can say it, and 1e-12 makes one price
        "emergency_leverage": draw(
            ONE_OF([0.0, math.nextafter(size + wide + slack, math.inf), 1.5 * (size + wide)])
        ),
        "move": draw(maybe(st.builds(Move, rounded(0.02, 0.3), st.booleans()))),
        "volatility": draw(maybe(windows)),
        "interval": draw(maybe(st.builds(Interval, ONE_OF(times), ONE_OF([0, 1_234])))),
        "daily": draw(maybe(st.builds(Daily, ONE_OF([0, 120, 82_800])))),
        "fallback": draw(maybe(st.builds(Fallback, ONE_OF(times)))),
    }


@st.composite
def costs(draw: st.DrawFn) -> Costs:
    """Nothing, usual costs, or costs so steep that trades fall short or are blocked."""
    steep = draw(ONE_OF([0, 1, 1, 20]))
    impact = draw(ONE_OF(["none", "linear", "square_root"]))
    return Costs(
        taker_fee_bps=draw(ONE_OF([0.0, 5.0])) * steep,
        half_spread_bps=draw(ONE_OF([0.0, 20.0])) * steep,
        impact=impact,
        impact_coefficient=0.0 if impact == "none" else 100.0 * steep,
        daily_volume=10 * ASSETS,
        gas_per_rebalance=draw(ONE_OF([0.0, 1.0, 400.0])) * steep,
    )


@st.composite
def venues(draw: st.DrawFn, kinds: Sequence[str]) -> Venue:
    """A perpetual or future with or without a margin, a pool, or borrow and swap at any rate."""
    kind = draw(ONE_OF(kinds))
    if kind == "pool":
        return Venue(
            kind="pool",
            max_utilisation=draw(ONE_OF([0.3, 0.8, 1.0])),
            fee_bps=draw(ONE_OF([0.0, 10.0])),
        )
    if kind != "spot":
        margin, fee = draw(ONE_OF([0.0, 0.02])), draw(ONE_OF([0.0, 0.01]))
        earns = draw(ONE_OF([0.0, 0.0, 0.4, -0.1]))
        bare = Venue(kind, margin, fee, cash_rate_per_year=earns)
        days, basis = draw(ONE_OF([0.0, 3.0, 10.0, 60.0])), draw(ONE_OF([0.0, 0.05, 0.4, -0.1]))
        # a file says these of a future only
        return replace(bare, roll_days=days, basis_per_year=basis) if kind == "future" else bare
    return Venue(
        kind="spot",
        liquidation_threshold=draw(ONE_OF([0.9, 0.99])),
        rate_per_year=draw(ONE_OF([0.0, 0.3])),
        borrow_spread_per_year=0.1,
        supply_spread_per_year=0.02,
        units_borrow_rate_per_year=draw(ONE_OF([0.0, 0.4])),
    )


@st.composite
def reserves(draw: st.DrawFn, step_s: int) -> Reserve:
    """Any reserve, from nothing to a third of nav at launch."""
    floor = draw(ONE_OF([0.0, 0.1]))
    return Reserve(
        initial_units=draw(ONE_OF([0.0, 1.0, 100.0, 101.0, 130.0, 300.0])),
        bears=draw(ONE_OF([(), ("spread", "gas"), ("fee", "spread", "impact", "gas")])),
        floor_ratio=floor,
        resume_ratio=floor + draw(ONE_OF([0.0, 0.02])),
        fee_share=draw(ONE_OF([0.5, 1.0])),
        allocation_every_s=draw(ONE_OF([5 * step_s, 24 * HOUR_S])),
    )


@st.composite
def events(draw: st.DrawFn, bars: Prices, low: float, high: float) -> list[tuple[int, float]]:
    """Figures at instants on, between and before the bars."""
    instants = st.integers(int(bars.time[0]) - bars.step_s, int(bars.time[-1]))
    times = sorted(draw(st.sets(instants | ONE_OF(bars.time.tolist()), min_size=1, max_size=5)))
    return [(time, draw(rounded(low, high))) for time in times]


@st.composite
def executions(draw: st.DrawFn, step_s: int) -> Execution:
    """Any size at once, or lots, smallest trades and delays."""
    return Execution(
        lot_units=draw(ONE_OF([0.0, 0.0, 1.0, 50.0, 0.1, 700.0])),
        min_notional=draw(ONE_OF([0.0, 0.0, 500.0, 20_000.0])),
        delay_s=draw(ONE_OF([0, 0, 1, step_s, 3 * step_s, 100 * DAY_S])),
    )


@st.composite
def spans(draw: st.DrawFn, bars: Prices) -> list[tuple[int, int]]:
    """Outages: one or two, or over everything."""
    start, end = int(bars.time[0]), int(bars.time[-1]) + bars.step_s
    instants = st.integers(start - bars.step_s, end) | ONE_OF(bars.time.tolist())
    cuts = sorted(draw(st.sets(instants, min_size=2, max_size=4)))
    whole = [(start - DAY_S, end + DAY_S)]
    return draw(ONE_OF([list(zip(cuts[::2], cuts[1::2], strict=False)), whole]))


@st.composite
def lives(draw: st.DrawFn, bars: Prices) -> dict[str, Any]:
    """Creations, redemptions and splits, often at one instant, and a wind-down."""
    happens: dict[str, Any] = {}
    if draw(st.booleans()):
        rows = draw(events(bars, -400.0, 600.0))
        rows = [(time, tokens or 1.0) for time, tokens in rows]
        if draw(st.booleans()):
            rows += [(time, -0.5 * tokens) for time, tokens in rows]
        if draw(st.booleans()):
            rows += [(time, tokens) for time, tokens in draw(events(bars, 1.0, 900.0))]
            rows += [(rows[0][0], -rows[0][1])]
        happens["flows"] = sorted(rows, key=lambda row: row[0])
    if draw(ONE_OF([False, False, True])):
        rows = draw(events(bars, 0.1, 10.0))
        happens["splits"] = [(time, ratio or 1.0) for time, ratio in rows]
    if draw(ONE_OF([False, False, True])):
        happens["wind_down"] = draw(
            st.integers(int(bars.time[0]) + bars.step_s + 1, int(bars.time[-1]) + 2 * bars.step_s)
            | ONE_OF((bars.time[1:] + bars.step_s).tolist())
        )
    return happens


KINDS = ("perpetual", "spot", "future", "pool")


@st.composite
def series(
    draw: st.DrawFn, bars: Prices, pool: Reserve | None, kinds: Sequence[str] = KINDS
) -> Series:
    """A series that can be run over these bars, with a reserve or none."""
    target = draw(ONE_OF([-3.0, -2.0, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0]))
    fees = {
        "management_per_year": draw(ONE_OF([0.0, 0.5])),
        "creation_bps": draw(ONE_OF([0.0, 30.0])),
        "redemption_bps": draw(ONE_OF([0.0, 50.0])),
    }
    made = token(
        target,
        venue=draw(venues(kinds)),
        costs=draw(costs()),
        fees=Fees(**fees),
        reserve=pool,
        **draw(rules(abs(target), bars.step_s)),
    )
    return replace(made, execution=draw(st.just(Execution()) | executions(bars.step_s)))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Series, Prices, dict[str, Any]]:
    """A series, a history, and the files that go with the two."""
    bars = draw(histories())
    pool = draw(maybe(reserves(bars.step_s)))
    if pool is not None and draw(st.booleans()):
        pool = replace(pool, initial_units=draw(ONE_OF([2_000.0, 5_000.0, 20_000.0])))
    made = draw(series(bars, pool, KINDS if pool else KINDS[:-1]))
    given = draw(st.just({}) | lives(bars))
    for name in FILES:
        if fits(name, made) and draw(st.booleans()):
            given[name] = draw(events(bars, -0.01, 0.02))
    if pool is not None and draw(st.booleans()):
        given["injections"] = draw(events(bars, 100.0, 5_000.0))
    if draw(ONE_OF([False, False, True])):
        given["outages"] = draw(spans(bars))
    return made, bars, given


@st.composite
def several_series(
    draw: st.DrawFn,
) -> tuple[list[Series], Prices, Reserve, dict[str, Any], list[Any]]:
    """Two or three series, a history, the reserve that they share, and what happens to each."""
    bars = draw(histories())
    pool = draw(reserves(bars.step_s))
    pool = replace(pool, initial_units=draw(ONE_OF([0.0, 100.0, 3_000.0, 5_000.0, 20_000.0])))
    members = []
    for place in range(draw(st.integers(1, 3))):
        made = draw(series(bars, None, ("pool", "pool", "pool", "perpetual", "spot", "future")))
        members.append(replace(made, symbol=f"T{place}"))
    given: dict[str, Any] = {}
    for name in FILES:
        if any(fits(name, member) for member in members) and draw(st.booleans()):
            given[name] = draw(events(bars, -0.01, 0.02))
    if draw(st.booleans()):
        given["injections"] = draw(events(bars, 100.0, 5_000.0))
    if draw(ONE_OF([False, False, True])):
        given["outages"] = draw(spans(bars))
    return members, bars, pool, given, [draw(st.just({}) | lives(bars)) for _ in members]


@st.composite
def delayed(draw: st.DrawFn, made: Series, bars: Prices) -> Series:
    """The same series, whose orders take a moment, a bar or several to fill."""
    delay_s = draw(ONE_OF([1, bars.step_s, 2 * bars.step_s, 5 * bars.step_s]))
    return replace(made, execution=replace(made.execution, delay_s=delay_s))


@st.composite
def delayed_cases(draw: st.DrawFn) -> tuple[Series, Prices, dict[str, Any]]:
    """Cases with orders in flight, and creations and redemptions that meet them."""
    made, bars, given = draw(cases())
    return draw(delayed(made, bars)), bars, {**given, **draw(lives(bars))}


@st.composite
def delayed_several_series(draw: st.DrawFn) -> tuple[Any, ...]:
    """Shelves with orders in flight, which a shared reserve that is short has to pay for."""
    members, bars, pool, given, _ = draw(several_series())
    held = [draw(delayed(member, bars)) for member in members]
    pool = replace(pool, initial_units=draw(ONE_OF([1.0, 30.0, 100.0, 3_000.0])))
    if draw(st.booleans()):
        pool = replace(pool, bears=("fee", "spread", "impact", "gas"))
    return held, bars, pool, given, [draw(lives(bars)) for _ in held]
