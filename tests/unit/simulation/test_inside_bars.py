"""What acts inside a bar, sentence by sentence of SPEC 2, in bars that have none of the clock."""

from __future__ import annotations

from typing import Any

import pytest

from steelyard.market import Feed
from steelyard.rules.series import (
    Band,
    Costs,
    Daily,
    Execution,
    Fallback,
    Interval,
    Move,
    Reserve,
    Series,
    Venue,
    Volatility,
)
from steelyard.simulation.run import Run, simulate
from support.tokens import DAY_S, T0, bars, token

CALM = (100.0, 100.0, 100.0, 100.0)
ENGINES = pytest.mark.parametrize("engine", ["fast", "reference"])


def names(run: Run) -> list[str]:
    """The triggers of all trades but the launch."""
    return run.rebalance_columns["trigger"].tolist()[1:]


def prices(run: Run) -> list[float]:
    """Their prices."""
    return run.rebalance_columns["price"].tolist()[1:]


@ENGINES
@pytest.mark.parametrize(
    ("parts", "trigger", "low"),
    [
        ({"emergency_leverage": 4.0}, "emergency", 100 * (1 - 1 / 9)),
        ({"band": Band(2.0, 3.5)}, "band", 100 * (1 - 1 / 15)),
        ({"move": Move(0.1, losing_side_only=True)}, "move", 90.0),
    ],
)
def test_emergency_band_and_move_act_inside_at_their_crossings(
    engine: str, parts: dict[str, Any], trigger: str, low: float
) -> None:
    """Each fires at the exact price at which it is crossed, though the bar ends elsewhere."""
    run = simulate(token(3.0, **parts), bars(CALM, (100, 100, 88, 89)), engine=engine)
    assert names(run) == [trigger]
    assert prices(run) == [pytest.approx(low, rel=1e-12)]


@ENGINES
def test_liquidation_acts_inside_at_its_crossing(engine: str) -> None:
    """It is closed where nav meets its margin, though the bar ends far above."""
    series = token(3.0, venue=Venue(maintenance_margin=0.05))
    run = simulate(series, bars(CALM, (100, 100, 60, 100)), engine=engine)
    assert run.summary["wiped_out"]["price"] == pytest.approx(200 / (3 * 0.95))


@ENGINES
@pytest.mark.parametrize(
    "parts",
    [
        {"daily": Daily(12 * 3_600)},
        {"interval": Interval(6 * 3_600)},
        {"fallback": Fallback(3_600)},
        {"volatility": Volatility(2 * DAY_S, 0.01)},
    ],
    ids=str,
)
def test_no_clock_acts_inside_a_bar(engine: str, parts: dict[str, Any]) -> None:
    """What falls due within a bar, whatever its path, is done at the next open and not before."""
    run = simulate(
        token(3.0, **parts),
        bars(CALM, (100, 104, 97, 101), (101, 103, 99, 102), (102, 102, 102, 102)),
        engine=engine,
    )
    opens = {T0 + DAY_S: 100.0, T0 + 2 * DAY_S: 101.0, T0 + 3 * DAY_S: 102.0}
    trades = run.rebalance_columns
    times = trades["time"].astype("int64").tolist()[1:]
    assert times
    for time, price in zip(times, prices(run), strict=True):
        assert price == opens[time]


@ENGINES
def test_a_trigger_that_traded_nothing_waits_for_the_next_clock_observation(engine: str) -> None:
    """A band that a suspended reserve blocked at its crossing is not tested again in that bar.

    The price goes through the same edge three times more inside the bar, and one is counted; at
    the next open, past the edge still, it is tested again.
    """
    # no reserve worth its floor: what raises leverage waits, from the first observation on
    series = token(3.0, band=Band(2.9, 3.5), costs=Costs(), reserve=Reserve(initial_units=0.001))
    rise = (100.0, 106.0, 100.0, 106.0)
    one = simulate(series, bars(CALM, rise), engine=engine)
    assert one.summary["rebalances"]["blocked"] == 1
    two = simulate(series, bars(CALM, rise, (106.0, 106.0, 106.0, 106.0)), engine=engine)
    assert two.summary["rebalances"]["blocked"] == 2
    assert names(two) == []


@ENGINES
def test_what_is_too_small_waits_for_the_next_clock_observation(engine: str) -> None:
    """A move whose trade is below the least notional is tried again at an open, at its price."""
    series = token(
        3.0,
        move=Move(0.05),
        execution=Execution(min_notional=35_000.0),
    )
    run = simulate(
        series,
        bars(CALM, (100, 112, 100, 107), (107, 107, 107, 107), (108, 108, 108, 108)),
        engine=engine,
    )
    # 5 % up a 3x token has 30,000 too little; nothing more is tried until the open at 107
    assert prices(run) == [pytest.approx(107.0)]


@ENGINES
def test_what_falls_due_where_a_token_ends_is_not_done(engine: str) -> None:
    """A wipe-out at an open on which a reset and a flow are due too: neither of them."""
    series = token(3.0, daily=Daily(0))
    fallen = (60.0, 60.0, 60.0, 60.0)
    due = T0 + DAY_S
    run = simulate(
        series,
        Feed(bars(CALM, fallen, fallen), flows={"time": [due], "tokens": [10.0]}),
        engine=engine,
    )
    assert run.summary["wiped_out"]["reason"] == "nav"
    assert names(run) == []
    assert len(run.flow_columns["time"]) == 0
    assert run.nav_columns["tokens"].tolist() == [1_000.0] * 3


@ENGINES
def test_a_wind_down_that_is_due_where_a_token_ends_is_not_done(engine: str) -> None:
    """The end has one name: what the venue closed is not closed again by its issuer."""
    series: Series = token(3.0, venue=Venue(maintenance_margin=0.02), daily=Daily(0))
    fallen = (60.0, 60.0, 60.0, 60.0)
    run = simulate(series, Feed(bars(CALM, fallen), wind_down=T0 + DAY_S), engine=engine)
    assert run.summary["wiped_out"]["reason"] == "liquidated"
    assert run.summary.get("wound_down") is None
