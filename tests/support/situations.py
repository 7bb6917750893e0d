"""Everything that a run can meet, drawn at random: series, bars, files, all in one."""

from __future__ import annotations

import functools
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from steelyard.market import Prices
from steelyard.rules.futures import next_expiry
from steelyard.rules.series import Costs, Execution, Reserve, Series, Venue, Volatility
from support.reaching import reaching
from support.strategies import HOUR_S, MODES, maybe, tokens
from support.tokens import T0

__all__ = ["Situation", "situations"]


class Situation(NamedTuple):
    """A series, its bars, and the other arguments of ``simulate``."""

    series: Series
    bars: Prices
    options: dict[str, Any]


VENUES = ("perpetual", "perpetual", "spot", "spot", "future", "pool")


@st.composite
def situations(draw: st.DrawFn, *, most: int = 300, venues: tuple[str, ...] = VENUES) -> Situation:
    """Any series on any venue over hours or minutes, with gaps, crashes, funding and flows."""
    series = draw(tokens())
    calm = draw(st.booleans())
    if calm:
        # a rule that leaves it alone for long: most bars are quiet
        how = replace(series.rebalance, volatility=None, interval=None, daily=None)
        series = replace(series, rebalance=how)
    step_s = draw(st.sampled_from([60, 900, HOUR_S, 5 * HOUR_S]))
    kind = draw(st.sampled_from(venues))
    series = draw(placed(series, kind, step_s))
    if draw(st.integers(0, 2)) == 0:
        series = draw(with_impact(series))
    if draw(st.integers(0, 2)) == 0:
        series = replace(series, execution=draw(executions(step_s)))
    if kind != "pool" and draw(st.integers(0, 3)) == 0:
        # around the floor, where suspensions come and go
        ratio = draw(st.sampled_from([0.02, 0.1, 0.5]))
        value = abs(ratio * draw(st.floats(0.9, 1.3)))
        pool = Reserve(
            initial_units=value * series.initial_nav * series.initial_tokens / 100.0,
            floor_ratio=ratio,
            resume_ratio=ratio * draw(st.sampled_from([1.0, 1.05, 1.2])),
            bears=("spread", "impact", "gas", "fee"),
            allocation_every_s=draw(st.sampled_from([7 * step_s, 60 * step_s, 86_400])),
        )
        series = replace(series, reserve=pool)
    if draw(st.integers(0, 3)) == 0:
        level = draw(st.sampled_from([0.3, 0.9, 2.0]))
        how = replace(series.rebalance, volatility=Volatility(9 * step_s, level))
        series = replace(series, rebalance=how)
    bars = draw(walks(step_s, most, calm=calm))
    if kind == "future":
        # somewhere on the way a contract is rolled, or just before or after it
        roll_s = round(series.venue.roll_days * 86_400)
        row = draw(st.integers(0, len(bars) - 1))
        shift = next_expiry(int(bars.time[-1])) - roll_s - int(bars.time[row])
        shift += draw(st.sampled_from([0, 1, -1, 60, 40 * step_s]))
        bars = replace(bars, time=bars.time + shift)
    options: dict[str, Any] = {"intrabar": draw(MODES)}
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    first, last = int(bars.time[0]), int(bars.time[-1])
    count = draw(st.sampled_from([1, 4, 40]))
    instants = np.unique(generator.integers(first - 3 * step_s, last + 3 * step_s, count))
    if series.venue.kind == "perpetual" and draw(st.booleans()):
        scale = draw(st.sampled_from([1e-4, 1e-2]))
        options["funding"] = {"time": instants, "rate": generator.normal(0.0, scale, len(instants))}
    if series.venue.has_interest and draw(st.booleans()):
        options["rates"] = {"time": instants, "rate": generator.uniform(-0.02, 0.3, len(instants))}
    if series.reserve is not None and draw(st.booleans()):
        options["injections"] = {
            "time": instants,
            "quote": generator.uniform(1.0, 3_000.0, len(instants)),
            "kind": generator.choice(["capital", "trading_fees"], len(instants)),
        }
    if draw(st.integers(0, 2)) == 0:
        options.update(draw(whatever_else(first, last, step_s)))
    return Situation(series, bars, reaching(options, bars))


@st.composite
def whatever_else(draw: st.DrawFn, first: int, last: int, step_s: int) -> dict[str, Any]:
    """Creations and redemptions, splits, outages, and an end; any of them may be missing."""
    options: dict[str, Any] = {}
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))

    def instants(count: int) -> np.ndarray:
        return np.sort(generator.integers(first - step_s, last + 2 * step_s, count))

    if draw(st.booleans()):
        count = draw(st.sampled_from([1, 4, 30]))
        tokens_of = generator.uniform(-30.0, 60.0, count)
        options["flows"] = {"time": instants(count), "tokens": tokens_of}
    if draw(st.booleans()):
        count = draw(st.sampled_from([1, 3]))
        times = np.unique(instants(count))
        ratios = generator.choice([0.1, 0.5, 2.0, 3.0], len(times))
        options["splits"] = {"time": times, "ratio": ratios}
    if draw(st.booleans()):
        edges = np.unique(instants(2 * draw(st.sampled_from([1, 5]))))
        edges = edges[: len(edges) // 2 * 2]
        options["outages"] = {"from": edges[::2], "to": edges[1::2]}
    if draw(st.integers(0, 2)) == 0:
        options["wind_down"] = int(instants(1)[0])
    return options


def executions(step_s: int) -> st.SearchStrategy[Execution]:
    """Lots and smallest trades that bite, and orders on their way for some bars."""
    return st.builds(
        Execution,
        lot_units=st.sampled_from([0.0, 0.5, 40.0]),
        min_notional=st.sampled_from([0.0, 0.0, 2_000.0, 20_000.0]),
        delay_s=st.sampled_from([0, 0, 30, step_s, 7 * step_s]),
    )


@st.composite
def with_impact(draw: st.DrawFn, series: Series) -> Series:
    """A pool to swap in, a book to walk, or an impact that follows the market; fees of flows."""
    kind = draw(st.sampled_from(["amm", "book", "square_root"]))
    own: dict[str, Any] = {"impact": kind, "impact_coefficient": 0.0, "daily_volume": 0.0}
    if kind == "amm":
        own["amm_liquidity"] = draw(st.sampled_from([2e6, 3e7]))
        own["amm_fee_bps"] = draw(st.sampled_from([0.0, 5.0]))
    elif kind == "book":
        own["book"] = a_book(draw(st.sampled_from([1.0, 30.0])))
    else:
        own["impact_coefficient"], own["daily_volume"] = draw(
            st.sampled_from([("realised", "file"), ("realised", 5e6), (60.0, "file")])
        )
    costs: Costs = replace(series.costs, **own)
    fees = replace(
        series.fees,
        creation_bps=draw(st.sampled_from([0.0, 10.0])),
        redemption_bps=draw(st.sampled_from([0.0, 30.0])),
    )
    return replace(series, costs=costs, fees=fees)


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Where the books stand while the tests run."""
    return tempfile.TemporaryDirectory()


@functools.cache
def a_book(scale: float) -> str:
    """The path of a book that holds a little more than a usual fund, or far more."""
    path = Path(_folder().name) / f"book-{scale:g}.csv"
    rows = ["bps_from_mid,bid_notional,ask_notional"]
    for bps, bid, ask in ((0.5, 9e3, 7e3), (2.0, 4e4, 5e4), (20.0, 3e5, 2e5), (90.0, 4e5, 5e5)):
        rows.append(f"{bps},{scale * bid},{scale * ask}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return str(path)


def futures() -> st.SearchStrategy[Venue]:
    """Dated futures, in contango and in backwardation, rolled early or at their very end."""
    return st.builds(
        Venue,
        kind=st.just("future"),
        maintenance_margin=st.sampled_from([0.0, 0.02]),
        basis_per_year=st.sampled_from([0.0, 0.05, -0.1, 1.0]),
        roll_days=st.sampled_from([0.0, 0.25, 3.0]),
        cash_rate_per_year=st.sampled_from([0.0, 0.0, 0.05, -0.01]),
    )


@st.composite
def on_a_pool(draw: st.DrawFn, series: Series, step_s: int) -> Series:
    """The series against a reserve that carries its exposure by much, by little, or not at all."""
    fund = series.initial_nav * series.initial_tokens
    most = draw(st.sampled_from([0.5, 0.8, 1.0]))
    room = draw(st.sampled_from([0.9, 1.02, 1.3, 4.0, 4.0]))
    ratio = draw(st.sampled_from([0.0, 0.1, 1.0]))
    reserve = Reserve(
        initial_units=abs(series.target_leverage) * fund / 100.0 / most * room,
        bears=draw(st.sampled_from([(), ("spread", "gas"), ("fee", "spread", "impact", "gas")])),
        floor_ratio=ratio,
        resume_ratio=1.1 * ratio,
        allocation_every_s=draw(st.sampled_from([7 * step_s, 60 * step_s, 86_400])),
    )
    venue = Venue(kind="pool", max_utilisation=most, fee_bps=draw(st.sampled_from([0.0, 4.0])))
    return replace(series, venue=venue, reserve=reserve)


def placed(series: Series, kind: str, step_s: int) -> st.SearchStrategy[Series]:
    """The series on a venue of a kind."""
    if kind == "pool":
        return on_a_pool(series, step_s)
    venues = {"spot": spot_venues(series.target_leverage), "future": futures()}
    chosen = venues.get(kind, earning(series.venue))
    return chosen.map(lambda venue: replace(series, venue=venue))


def earning(venue: Venue) -> st.SearchStrategy[Venue]:
    """The same, three times of four with idle cash that earns nothing."""
    rates = st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.05, 1.5, -0.01])
    return rates.map(lambda rate: replace(venue, cash_rate_per_year=rate))


def spot_venues(target: float) -> st.SearchStrategy[Venue]:
    """Borrow and swap, at rates from none to those of a squeeze; not liquidated at the target."""
    size = abs(target)
    owed = (size - 1) / size if target > 0 else size / (size + 1)
    return st.builds(
        Venue,
        kind=st.just("spot"),
        liquidation_fee=st.sampled_from([0.0, 0.05]),
        liquidation_threshold=st.sampled_from([x for x in (0.7, 0.86, 0.95) if x > owed]),
        rate_per_year=st.sampled_from([0.0, 0.05, 2.0]),
        borrow_spread_per_year=st.sampled_from([0.0, 0.01]),
        supply_spread_per_year=st.sampled_from([0.0, 0.01]),
        units_borrow_rate_per_year=st.sampled_from([0.0, 0.04, 1.0]),
    )


@st.composite
def walks(draw: st.DrawFn, step_s: int, most: int, *, calm: bool) -> Prices:
    """Bars that follow on one another or jump, some missing, with or without a crash or surge."""
    count = draw(st.integers(2, most) | st.just(most))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = draw(st.sampled_from([0.0002, 0.001] if calm else [0.0002, 0.001, 0.005, 0.02]))
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
        volume=generator.uniform(0.0, 4e3, count) * (generator.random(count) > 0.02),
        step_s=step_s if draw(st.integers(0, 5)) else 0,
    )
