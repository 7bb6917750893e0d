"""Random tokens and histories for laws that must hold for all of them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

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
from support.tokens import T0, token

HOUR_S = 3_600
TARGETS = (-3.0, -2.0, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0)


def maybe(values: st.SearchStrategy) -> st.SearchStrategy:
    """One of ``values``, or None."""
    return st.none() | values


@st.composite
def tokens(draw: st.DrawFn, *, roots: bool = True) -> Series:
    """Any series: every trigger, destination, cost and venue; ``roots`` allows irrational sizes."""
    target = draw(st.sampled_from(TARGETS))
    size = abs(target)
    below, above = draw(st.floats(0.05, 0.4)), draw(st.floats(0.05, 0.6))
    delever_only = draw(st.booleans())
    lower = None if delever_only else round(size * (1 - below), 3)
    band = draw(maybe(st.just(Band(lower, round(size * (1 + above), 3), delever_only))))
    move_to = draw(st.sampled_from(["target", "partway"] + ["edge"] * (band is not None)))
    emergency = draw(st.sampled_from([0.0, round(size * 2.2, 3)]))
    impact = draw(st.sampled_from(["none", "linear", "square_root"] if roots else ["none"]))
    return token(
        target,
        band=band,
        move_to=move_to,
        recentering_speed=draw(st.sampled_from([0.05, 0.3, 1.0])),
        max_trade_notional=draw(st.sampled_from([0.0, 20_000.0])),
        cooldown_s=draw(st.sampled_from([0, 2 * HOUR_S])),
        emergency_leverage=emergency,
        move=draw(maybe(st.builds(Move, st.sampled_from([0.04, 0.1, 0.3]), st.booleans()))),
        volatility=draw(maybe(st.builds(Volatility, st.just(6 * HOUR_S), st.just(0.9)))),
        interval=draw(maybe(st.builds(Interval, st.sampled_from([5 * HOUR_S, 8 * HOUR_S])))),
        daily=draw(maybe(st.builds(Daily, st.sampled_from([0, 120, 84_600])))),
        fallback=draw(maybe(st.builds(Fallback, st.just(24 * HOUR_S)))),
        costs=Costs(
            taker_fee_bps=draw(st.sampled_from([0.0, 5.0])),
            half_spread_bps=draw(st.sampled_from([0.0, 2.0])),
            impact=impact,
            impact_coefficient=draw(st.sampled_from([20.0, 80.0])),
            daily_volume=5e6,
            gas_per_rebalance=draw(st.sampled_from([0.0, 1.5])),
        ),
        fees=Fees(management_per_year=draw(st.sampled_from([0.0, 0.02]))),
        venue=draw(
            st.sampled_from([Venue(), Venue(maintenance_margin=0.02, liquidation_fee=0.01)])
        ),
        reserve=draw(
            maybe(
                st.builds(
                    Reserve,
                    initial_units=st.sampled_from([0.0, 0.7, 90.0, 130.0]),
                    bears=st.sampled_from([("spread", "gas"), ("fee", "spread", "impact", "gas")]),
                )
            )
        ),
    )


@st.composite
def histories(draw: st.DrawFn, *, least: int = 2, most: int = 60) -> Prices:
    """Hourly bars whose open, high, low and close are a random walk's, at two decimals."""
    count = draw(st.integers(least, most))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = draw(st.sampled_from([0.002, 0.01, 0.03]))
    steps = generator.standard_normal((count, 8)) * scale
    visited = np.round(100 * np.exp(np.cumsum(steps.ravel())).reshape(count, 8), 2) + 0.01
    return Prices(
        time=T0 + HOUR_S * np.arange(count, dtype=np.int64),
        open=visited[:, 0],
        high=visited.max(axis=1),
        low=visited.min(axis=1),
        close=visited[:, -1],
        step_s=HOUR_S,
    )


MODES = st.sampled_from(["close", "path"])
