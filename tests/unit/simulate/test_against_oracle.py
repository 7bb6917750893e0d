"""Differential: the simulator and one written apart from it, from SPEC.md alone, tell one story."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.errors import InputError
from steelyard.market import Prices
from steelyard.rules.series import (
    Band,
    Costs,
    Daily,
    Fallback,
    Fees,
    Interval,
    Move,
    Reserve,
    Series,
    Venue,
    Volatility,
)
from steelyard.simulate.frames import Columns
from steelyard.simulate.run import simulate
from support.oracle import Refused, tell
from support.oracle_books import Bar, Trade
from support.strategies import maybe
from support.tokens import T0, token

HOUR_S = 3_600
ASSETS = 100_000.0
"""Of a token as it is launched, quote."""

SCALES = {
    **dict.fromkeys(("nav", "nav_before", "nav_after", "price", "reserve"), 100.0),
    # a leverage is as uncertain as the nav under it is small
    **dict.fromkeys(("leverage", "leverage_before", "leverage_after"), 100.0),
    **dict.fromkeys(("fee", "spread", "impact", "gas", "paid_by_reserve", "units"), 1_000.0),
    "notional": ASSETS,
}
"""What a figure is about as large as."""
TEXT = ("trigger", "side")
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
    return Prices(
        time=T0 + step_s * (np.arange(count, dtype=np.int64) + missing),
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
        "emergency_leverage": draw(ONE_OF([0.0, size + wide + slack, 1.5 * (size + wide)])),
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
def venues(draw: st.DrawFn) -> Venue:
    """A perpetual with or without a margin, or borrow and swap at every rate."""
    if draw(st.booleans()):
        return Venue(
            maintenance_margin=draw(ONE_OF([0.0, 0.02])), liquidation_fee=draw(ONE_OF([0.0, 0.01]))
        )
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
def cases(draw: st.DrawFn) -> tuple[Series, Prices, dict[str, list[tuple[int, float]]]]:
    """A series, a history, and the files that go with the two."""
    bars = draw(histories())
    target = draw(ONE_OF([-3.0, -2.0, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0]))
    series = token(
        target,
        venue=draw(venues()),
        costs=draw(costs()),
        fees=Fees(management_per_year=draw(ONE_OF([0.0, 0.5]))),
        reserve=draw(maybe(reserves(bars.step_s))),
        **draw(rules(abs(target), bars.step_s)),
    )
    given_events = {}
    if draw(st.booleans()):
        kind = "funding" if series.venue.kind == "perpetual" else "rates"
        given_events[kind] = draw(events(bars, -0.01, 0.02))
    if series.reserve is not None and draw(st.booleans()):
        given_events["injections"] = draw(events(bars, 100.0, 5_000.0))
    return series, bars, given_events


def frame(name: str, rows: list[tuple[int, float]]) -> pd.DataFrame:
    """Events as the project reads them."""
    figure = "quote" if name == "injections" else "rate"
    made = pd.DataFrame(rows, columns=["time", figure])
    return made.assign(kind="capital") if name == "injections" else made


def assert_columns(columns: Columns, rows: list[Trade] | list[Bar]) -> None:
    """Each column is the rows', text exactly, figures to 1e-9 or to 1e-10 of their scale."""
    for place, name in enumerate((Trade if "trigger" in columns else Bar)._fields):
        told = [row[place] for row in rows]
        if name in TEXT:
            assert columns[name].tolist() == told, name
        elif name == "time":
            assert columns[name].astype(np.int64).tolist() == told
        else:
            tolerance = 1e-10 * SCALES[name]
            np.testing.assert_allclose(columns[name], told, rtol=1e-9, atol=tolerance, err_msg=name)


def assert_one_story(
    series: Series, bars: Prices, mode: str, given_events: dict[str, list[tuple[int, float]]]
) -> None:
    """Run both, and compare all that they say."""
    frames = {name: frame(name, rows) for name, rows in given_events.items()}
    try:
        told = tell(series, bars, mode, **given_events)
    except Refused:
        with pytest.raises(InputError):
            simulate(series, bars, intrabar=mode, **frames)
        return
    run = simulate(series, bars, intrabar=mode, **frames)
    assert_columns(run.rebalance_columns, told.trades)
    assert_columns(run.nav_columns, told.bars)
    summary, near = run.summary, {"rel": 1e-9, "abs": 1e-10 * ASSETS}
    rebalances = summary["rebalances"]
    assert rebalances["by_trigger"] == told.by_trigger
    assert rebalances["count"] == sum(told.by_trigger.values())
    assert (rebalances["blocked"], rebalances["clips"]) == (told.blocked, told.clips)
    assert rebalances["turnover"] == pytest.approx(told.turnover, **near)
    assert summary["costs"] == pytest.approx(told.costs, **near)
    if series.reserve is not None:
        assert summary["reserve"]["suspended_s"] == told.suspended_s
        assert summary["reserve"]["received"] == pytest.approx(told.received, **near)
        assert summary["reserve"]["injected"] == pytest.approx(told.injected, **near)
    ended = run.state.ended
    assert (ended is None) == (told.wiped_out is None)
    if ended is not None:
        time, price, reason = told.wiped_out
        assert (ended.time, ended.reason) == (time, reason)
        assert ended.price == pytest.approx(price, rel=1e-9)


@settings(max_examples=150)
@given(cases())
def test_close_mode_tells_what_the_oracle_tells(case: tuple) -> None:
    """Every trade, bar, sum and count agrees, whatever the series, where only closes are seen."""
    series, bars, given_events = case
    assert_one_story(series, bars, "close", given_events)


@settings(max_examples=150)
@given(cases())
def test_path_mode_tells_what_the_oracle_tells(case: tuple) -> None:
    """The same inside bars: every crossing is found, at its price, in its order."""
    series, bars, given_events = case
    assert_one_story(series, bars, "path", given_events)
