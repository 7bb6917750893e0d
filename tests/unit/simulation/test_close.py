"""One observation a bar: what happens at each close, and when."""

from __future__ import annotations

from fractions import Fraction

import pytest

from steelyard.errors import DataError, InputError
from steelyard.market import Feed
from steelyard.rules.numbers import FRACTION
from steelyard.rules.series import Band, Costs, Daily, Fallback, Interval, Move, Venue, Volatility
from steelyard.simulation.run import simulate
from support.tokens import DAY_S, T0, closes, observed, token

HOUR_S = 3_600


def times(run: object) -> list[int]:
    """Epoch seconds of the trades after the launch."""
    return run.rebalance_columns["time"][1:].astype("int64").tolist()


def test_launch_buys_the_target_and_pays_for_it() -> None:
    """The first close buys the position; its costs come off nav, and it is not counted."""
    run = simulate(token(costs=Costs(taker_fee_bps=10.0)), closes(100, 100))
    launch = run.rebalances.iloc[0]
    assert launch.trigger == "launch"
    assert launch.leverage_after == pytest.approx(3.0, rel=1e-15)
    assert launch.nav_after == pytest.approx(100 / (1 + 3 * 0.001), rel=1e-15)
    assert run.summary["rebalances"]["count"] == 0
    assert run.summary["rebalances"]["turnover"] == 0.0
    assert run.summary["costs"]["fee"] == pytest.approx(launch.fee)


def test_launch_that_costs_everything_is_refused() -> None:
    """A launch whose gas exceeds the assets is refused, and says so."""
    with pytest.raises(InputError, match="costs of the first position take all of it"):
        simulate(token(costs=Costs(gas_per_rebalance=200_000.0)), closes(100, 100))


def test_close_is_stamped_with_the_end_of_its_bar() -> None:
    """A daily trigger at 00:00 acts at the close of the day that ends there."""
    run = simulate(token(daily=Daily(0)), closes(100, 110, 100))
    assert times(run) == [T0 + 2 * DAY_S, T0 + 3 * DAY_S]


def test_prices_at_instants_are_observed_at_their_own_time() -> None:
    """Nothing is added to the times of a `time,price` file."""
    run = simulate(token(daily=Daily(0)), observed(100, 110, 100))
    assert times(run) == [T0 + DAY_S, T0 + 2 * DAY_S]


def test_band_acts_strictly_outside() -> None:
    """A leverage on the edge stays; past it by more than 1e-12 it goes to the target."""
    # 3x at 100 has leverage 2.5 exactly at 111.111..., 3.5 at 93.333...
    on_the_edge = simulate(
        token(band=Band(2.5, 3.5)), closes(100, Fraction(1000, 9)), number=FRACTION
    )
    assert on_the_edge.summary["rebalances"]["count"] == 0
    past = simulate(token(band=Band(2.5, 3.5)), closes(100, 111.2))
    assert past.summary["rebalances"]["by_trigger"] == {"band": 1}
    assert past.rebalances.iloc[1].leverage_after == pytest.approx(3.0, rel=1e-14)


def test_move_counts_from_the_last_rebalance() -> None:
    """A move of exactly the threshold has moved, and the reference follows each rebalance."""
    run = simulate(token(move=Move(0.15)), closes(100, 115, 130, 132.25))
    assert times(run) == [T0 + 2 * DAY_S, T0 + 4 * DAY_S]


def test_move_on_the_losing_side_only() -> None:
    """A long that gains does not move; a short that loses does."""
    assert simulate(token(move=Move(0.1, losing_side_only=True)), closes(100, 120)).summary[
        "rebalances"
    ]["by_trigger"] == {"move": 0}
    assert simulate(token(-1.0, move=Move(0.1, losing_side_only=True)), closes(100, 120)).summary[
        "rebalances"
    ]["by_trigger"] == {"move": 1}


def test_volatility_needs_two_returns_and_rests_for_its_window() -> None:
    """The level is judged on at least two returns, and not again within one window."""
    how = {"volatility": Volatility(3 * HOUR_S, 1.0)}
    swings = [100 * 1.02**i for i in range(12)]
    run = simulate(token(**how), closes(*swings, step_s=HOUR_S))
    started = T0 + HOUR_S
    assert times(run) == [
        started + 2 * HOUR_S,
        started + 5 * HOUR_S,
        started + 8 * HOUR_S,
        started + 11 * HOUR_S,
    ]


def test_volatility_below_its_level_does_nothing() -> None:
    """Calm prices never reach the level."""
    run = simulate(
        token(volatility=Volatility(3 * HOUR_S, 1.0)), closes(*[100, 100.1] * 6, step_s=HOUR_S)
    )
    assert run.summary["rebalances"]["by_trigger"] == {"volatility": 0}


def test_interval_counts_from_its_anchor_and_several_missed_are_one() -> None:
    """Every 8 h from 01:00: hourly closes act at 01, 09, 17 h; a gap over three acts once."""
    prices = [100 + (i % 5) for i in range(24)]
    hourly = simulate(token(interval=Interval(8 * HOUR_S, HOUR_S)), closes(*prices, step_s=HOUR_S))
    assert [(t - T0) // HOUR_S for t in times(hourly)] == [9, 17]
    sparse = simulate(token(interval=Interval(8 * HOUR_S)), closes(100, 110, 105))
    assert times(sparse) == [T0 + 2 * DAY_S, T0 + 3 * DAY_S]


def test_fallback_acts_at_the_first_observation_after_its_time() -> None:
    """24 h without a rebalance: the first scheduled observation at or after that acts."""
    prices = [100 + i for i in range(80)]
    run = simulate(token(fallback=Fallback(DAY_S)), closes(*prices, step_s=7 * HOUR_S))
    first = T0 + 7 * HOUR_S
    assert times(run)[:2] == [first + 28 * HOUR_S, first + 56 * HOUR_S]


def test_nothing_to_trade_costs_nothing_and_uses_the_instant_up() -> None:
    """A flat price leaves leverage on target: a due daily trades nothing, pays no gas."""
    run = simulate(token(daily=Daily(0), costs=Costs(gas_per_rebalance=1.0)), closes(100, 100, 100))
    assert run.summary["rebalances"]["count"] == 0
    assert run.summary["costs"]["gas"] == 1.0
    assert run.state.next_daily > run.state.time


def test_triggers_are_named_in_their_order() -> None:
    """Band, move and daily hold together: the band names it, and the daily is used up with it."""
    run = simulate(token(band=Band(2.5, 3.5), move=Move(0.1), daily=Daily(0)), closes(100, 80, 80))
    assert run.summary["rebalances"]["by_trigger"] == {"band": 1, "move": 0, "daily": 0}


def test_wiped_out_stays_flat() -> None:
    """A 3x token does not survive -40 % between two closes, and nothing happens after that."""
    run = simulate(token(daily=Daily(0)), closes(100, 60, 90, 200))
    assert run.summary["wiped_out"] == {
        "time": "2020-01-03T00:00:00Z",
        "price": 60.0,
        "reason": "nav",
    }
    assert run.nav["nav"].tolist() == [100, 0, 0, 0]
    assert run.nav["leverage"].tolist()[1:] == [0, 0, 0]
    assert run.summary["rebalances"]["count"] == 0


def test_nav_at_the_maintenance_margin_is_not_under_it() -> None:
    """From 95 to 75 a 4x long has exactly 5 % of its notional left, less the rounding of floats."""
    margin = token(4.0, venue=Venue(maintenance_margin=0.05))
    assert simulate(margin, closes(95, 75)).summary["wiped_out"] is None
    assert simulate(margin, closes(95, 74.9)).summary["wiped_out"]["reason"] == "liquidated"


def test_no_bar_left_is_an_error() -> None:
    """A window without bars is refused, naming the window."""
    with pytest.raises(DataError, match="expected prices from 2021"):
        simulate(token(), Feed(closes(100, 101), start="2021-01-01"))


def test_a_run_for_a_series_or_for_a_state_is_refused() -> None:
    """What Python would take for anything is named before it fails somewhere inside."""
    run = simulate(token(), closes(100, 110))
    wanted = r"series: expected what Series.load gives, a path or .* preset, found a Run"
    with pytest.raises(InputError, match=wanted):
        simulate(run, closes(100, 110))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"state: expected what run.state gives, found a Run"):
        simulate(token(), closes(100, start=T0 + 9 * DAY_S), state=run)


def test_close_only_bars_have_no_path() -> None:
    """`path` asked for without open, high and low is refused; the default falls back to close."""
    with pytest.raises(DataError, match="intrabar path: expected columns open"):
        simulate(token(), closes(100, 101), intrabar="path")
    assert simulate(token(), closes(100, 101)).intrabar == "close"
