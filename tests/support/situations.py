"""Everything that a run can meet, drawn at random: series, bars, files, all in one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from steelyard.market import Prices
from steelyard.rules.series import Reserve, Series, Venue, Volatility
from support.strategies import HOUR_S, MODES, maybe, tokens
from support.tokens import T0

__all__ = ["Situation", "situations"]


class Situation(NamedTuple):
    """A series, its bars, and the other arguments of ``simulate``."""

    series: Series
    bars: Prices
    options: dict[str, Any]


@st.composite
def situations(draw: st.DrawFn, *, most: int = 300) -> Situation:
    """Any series on any venue over hours or minutes, with gaps, crashes, funding and flows."""
    series = draw(tokens())
    step_s = draw(st.sampled_from([60, 900, HOUR_S, 5 * HOUR_S]))
    if draw(st.booleans()):
        series = replace(series, venue=draw(spot_venues()))
    if draw(st.integers(0, 3)) == 0:
        # around the floor, where suspensions come and go
        ratio = draw(st.sampled_from([0.02, 0.1, 0.5]))
        value = abs(ratio * draw(st.floats(0.9, 1.3)))
        pool = Reserve(
            initial_units=value * series.initial_nav * series.initial_tokens / 100.0,
            floor_ratio=ratio,
            resume_ratio=ratio * draw(st.sampled_from([1.0, 1.05, 1.2])),
            bears=("spread", "impact", "gas", "fee"),
            allocation_every_s=draw(st.sampled_from([7 * step_s, 86_400])),
        )
        series = replace(series, reserve=pool)
    if draw(st.integers(0, 3)) == 0:
        level = draw(st.sampled_from([0.3, 0.9, 2.0]))
        how = replace(series.rebalance, volatility=Volatility(9 * step_s, level))
        series = replace(series, rebalance=how)
    bars = draw(walks(step_s, most))
    options: dict[str, Any] = {"intrabar": draw(MODES)}
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    first, last = int(bars.time[0]), int(bars.time[-1])
    count = draw(st.sampled_from([1, 4, 40]))
    instants = np.unique(generator.integers(first - 3 * step_s, last + 3 * step_s, count))
    if series.venue.kind == "perpetual" and draw(st.booleans()):
        scale = draw(st.sampled_from([1e-4, 1e-2]))
        options["funding"] = {"time": instants, "rate": generator.normal(0.0, scale, len(instants))}
    if series.venue.kind == "spot" and draw(st.booleans()):
        options["rates"] = {"time": instants, "rate": generator.uniform(-0.02, 0.3, len(instants))}
    if series.reserve is not None and draw(st.booleans()):
        options["injections"] = {
            "time": instants,
            "quote": generator.uniform(1.0, 3_000.0, len(instants)),
            "kind": generator.choice(["capital", "trading_fees"], len(instants)),
        }
    return Situation(series, bars, options)


def spot_venues() -> st.SearchStrategy[Venue]:
    """Borrow and swap, at rates from none to those of a squeeze."""
    return st.builds(
        Venue,
        kind=st.just("spot"),
        liquidation_fee=st.sampled_from([0.0, 0.05]),
        liquidation_threshold=st.sampled_from([0.7, 0.86, 0.95]),
        rate_per_year=st.sampled_from([0.0, 0.05, 2.0]),
        borrow_spread_per_year=st.sampled_from([0.0, 0.01]),
        supply_spread_per_year=st.sampled_from([0.0, 0.01]),
        units_borrow_rate_per_year=st.sampled_from([0.0, 0.04, 1.0]),
    )


@st.composite
def walks(draw: st.DrawFn, step_s: int, most: int) -> Prices:
    """Bars that follow on one another or jump, some missing, with or without a crash or surge."""
    count = draw(st.integers(2, most))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = draw(st.sampled_from([0.0002, 0.001, 0.005, 0.02]))
    steps = generator.standard_normal((count, 8)) * scale
    crash = draw(maybe(st.sampled_from([-0.5, -0.25, 0.25, 0.5])))
    if crash is not None:
        steps[generator.integers(count), generator.integers(8)] += crash
    visited = 100 * np.exp(np.cumsum(steps.ravel())).reshape(count, 8)
    if draw(st.booleans()):
        visited = np.round(visited, 2) + 0.01
    opening = visited[:, 0].copy()
    if draw(st.booleans()):
        opening[1:] = visited[:-1, -1]
    places = np.arange(count)
    if draw(st.booleans()):
        places += np.cumsum(generator.random(count) < 0.05) * generator.integers(1, 50)
    return Prices(
        time=T0 + 120 + step_s * places.astype(np.int64),
        open=opening,
        high=np.maximum(opening, visited.max(axis=1)),
        low=np.minimum(opening, visited.min(axis=1)),
        close=visited[:, -1],
        step_s=step_s if draw(st.integers(0, 5)) else 0,
    )
