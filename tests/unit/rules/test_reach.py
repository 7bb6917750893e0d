"""At which move of the price a series trades: the issuers' published figures, and two laws."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rules.leverage import move_to_leverage, rebalance_demand
from steelyard.rules.presets import preset, preset_names
from steelyard.rules.reach import highest_standing, reaches, trade_after
from steelyard.rules.series import Band, Daily, Move, Venue
from steelyard.rules.triggers import Trigger
from steelyard.simulation.run import simulate
from support.tokens import bars, closes, token


def moves(name: str) -> list[tuple[str, float]]:
    """Trigger and move of each threshold of a preset, rounded to a basis point."""
    return [(reach.trigger, round(reach.move, 4)) for reach in reaches(preset(name))]


def test_a_3x_long_reaches_4x_at_a_ninth_and_a_3x_short_at_a_fifteenth() -> None:
    """FTX's own figures: -11.11 % for BULL, +6.67 % for BEAR, +14.29 % for HEDGE."""
    assert ("band", -0.1111) in moves("ftx-bull")
    assert ("band", 0.0667) in moves("ftx-bear")
    assert ("band", 0.1429) in moves("ftx-hedge")


def test_a_lending_liquidation_is_where_debt_meets_its_share() -> None:
    """FORMULAS 1: (L - 1) / (L * LT) - 1, for 3x at 78 %: -14.53 %."""
    assert ("liquidation", -0.1453) in moves("toros-3l")


def test_an_edge_trades_beyond_its_slack() -> None:
    """The threshold is the edge and its slack, and the trade goes to the edge only."""
    lower = next(reach for reach in reaches(preset("toros-3l")) if reach.move > 0)
    assert lower.leverage == pytest.approx(2.78)
    assert lower.move == pytest.approx(move_to_leverage(3.0, 2.78))
    assert lower.trade_notional == pytest.approx(0.02 * 112_359.55 / (1 + 2.8 * 0.0006))


def test_a_move_on_the_losing_side_only_has_one_threshold() -> None:
    """A long loses when the price falls, a short when it rises."""
    losing = Move(0.15, losing_side_only=True)
    assert [r.move for r in reaches(token(move=losing)) if r.trigger == "move"] == [
        pytest.approx(-0.15)
    ]
    assert [r.move for r in reaches(token(-1.0, move=losing)) if r.trigger == "move"] == [
        pytest.approx(0.15)
    ]
    both = [r.move for r in reaches(token(move=Move(0.15))) if r.trigger == "move"]
    assert both == [pytest.approx(-0.15), pytest.approx(0.15)]


def test_what_no_price_meets_is_left_out() -> None:
    """A 1x long never leaves 1x; a 2x long never falls to 0.5x."""
    assert reaches(token(1.0, band=Band(0.5, 1.5))) == ()
    assert [reach.trigger for reach in reaches(token(2.0, band=Band(0.5, 2.5)))] == [
        "liquidation",
        "band",
    ]
    assert [reach.trigger for reach in reaches(token(0.5, band=Band(0.25, 1.0)))] == ["band"]


def test_where_nav_is_gone_there_is_no_leverage() -> None:
    """Without a maintenance margin a 3x long ends at a third, with nothing left."""
    (end,) = reaches(token(3.0))
    assert (end.leverage, end.nav_return, end.trade_notional) == (None, -1.0, None)
    assert end.move == pytest.approx(-1 / 3)
    assert trade_after(token(3.0, daily=Daily(0)), Trigger.DAILY, -0.4) == 0.0


@given(
    st.floats(-5, 5).filter(lambda x: abs(x) > 0.1 and abs(x - 1) > 0.05),
    st.floats(-0.15, 0.15),
)
def test_a_reset_without_costs_trades_the_published_demand(target: float, move: float) -> None:
    """``A L (L - 1) r`` (Cheng and Madhavan 2009), for longs and shorts alike."""
    series = token(target, daily=Daily(0))
    demand = rebalance_demand(100_000.0, target, move, 0.0)
    assert trade_after(series, Trigger.DAILY, move) == pytest.approx(demand, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("name", preset_names())
def test_the_simulation_trades_where_a_threshold_says_so(name: str) -> None:
    """A price that walks a hair past a threshold is traded there, and a hair before it is not."""
    series = preset(name)
    series = replace(series, reserve=None)
    quiet = replace(series.rebalance, daily=None, interval=None, fallback=None)
    series = replace(series, rebalance=quiet, venue=replace(series.venue, rate_per_year=0.0))
    for reach in reaches(series):
        first = [
            other
            for other in reaches(series)
            if other.move * reach.move > 0 and abs(other.move) <= abs(reach.move)
        ]
        if len(first) > 1 or reach.trigger == "liquidation":
            continue
        past, before = 1 + reach.move * 1.01, 1 + reach.move * 0.99
        assert fired(series, past) == reach.trigger
        assert fired(series, before) is None


def fired(series: object, price: float) -> str | None:
    """The first trade after a launch at 1, when the price walks to ``price`` within a bar."""
    row = (1.0, max(1.0, price), min(1.0, price), price)
    run = simulate(replace(series, costs=token().costs), bars(row, row).slice(0, 1))
    names = run.rebalance_columns["trigger"].tolist()
    return names[1] if len(names) > 1 else None


def test_a_liquidation_is_where_the_simulation_ends_the_token() -> None:
    """A borrowed 3x long at 78 % lives at -14 % and is closed at -15 %."""
    series = replace(token(3.0), venue=Venue("spot", liquidation_threshold=0.78))
    (end,) = reaches(series)
    assert simulate(series, closes(1.0, 1 + end.move + 1e-6)).summary["wiped_out"] is None
    assert simulate(series, closes(1.0, 1 + end.move - 1e-6)).summary["wiped_out"] is not None


def test_a_move_lets_leverage_stand_up_to_where_it_trades() -> None:
    """KuCoin's 15 %: ``L (1 + r) / (1 + L r)``, 4.636 for 3x long and 6.273 for 3x short."""
    kucoin = preset("kucoin-3l")
    assert highest_standing(kucoin) == pytest.approx(3 * 0.85 / 0.55)
    assert highest_standing(replace(kucoin, target_leverage=-3.0)) == pytest.approx(3 * 1.15 / 0.55)


def test_the_one_temporary_rebalance_of_a_short_in_kucoins_log() -> None:
    """It came at 4.04x after a rise of 6.9 %: the preset's line is met, a move of 15 % is not."""
    series = preset("kucoin-3s")
    assert fired(series, 1.069) == "band"
    assert fired(replace(preset("kucoin-3l"), target_leverage=-3.0), 1.069) is None
    logged = 3 * 1.069 / (1 - 3 * 0.069)
    assert logged == pytest.approx(4.04, abs=0.005)
    assert highest_standing(series) == 4.0
    (band,) = [reach for reach in reaches(series) if reach.trigger == "band"]
    assert band.move == pytest.approx(1 / 15)


def test_of_two_thresholds_the_nearer_bounds_leverage() -> None:
    """A band ahead of a move, a move ahead of an emergency, and a target that nothing bounds."""
    assert highest_standing(token(3.0, band=Band(2.0, 4.0), move=Move(0.15))) == 4.0
    far = token(3.0, move=Move(0.1), emergency_leverage=6.0)
    assert highest_standing(far) == pytest.approx(3 * 0.9 / 0.7)
    # inside its band a move to the edge trades nothing
    edge = token(3.0, band=Band(2.0, 5.0), move=Move(0.15), move_to="edge", edge_slack=0.0)
    assert highest_standing(edge) == 5.0
    # below 1x leverage rises with the price
    assert highest_standing(token(0.5, band=Band(0.25, 0.8))) == 0.8
    # whose band ends at 1x or above stands anywhere below 1x, unless a move acts before
    assert highest_standing(token(0.5, band=Band(None, 1.0, delever_only=True))) == 1.0
    losing = Move(0.12, losing_side_only=True)
    assert highest_standing(token(0.5, move=losing, band=Band(0.25, 1.2))) == 1.0
    moved = token(0.5, move=Move(0.12), band=Band(0.25, 1.2))
    assert highest_standing(moved) == pytest.approx(0.5 * 1.12 / (0.5 + 0.5 * 1.12))
    # a fall by a third takes all before the move of 40 % trades
    assert highest_standing(token(3.0, move=Move(0.4))) == 3.0
    assert highest_standing(token(3.0, daily=Daily(0))) == 3.0


@given(
    st.sampled_from([3.0, 2.0, 0.5, -1.0, -3.0]),
    st.sampled_from([Move(0.05), Move(0.12), Move(0.12, losing_side_only=True), None]),
    st.sampled_from([1.2, 1.5, None]),
    st.lists(st.floats(0.9, 1.1), min_size=2, max_size=40),
)
def test_no_leverage_of_a_run_stands_above_it(
    target: float, move: Move | None, widest: float | None, steps: list[float]
) -> None:
    """A token that goes back to its target is never above what the rules say can stand."""
    band = None if widest is None else Band(None, abs(target) * widest, delever_only=True)
    if band is None and (move is None or move.losing_side_only):
        band = Band(None, abs(target) * 2, delever_only=True)
    series = token(target, move=move, band=band)
    price, rows = 100.0, []
    for step in steps:
        rows.append((price, max(price, price * step), min(price, price * step), price * step))
        price *= step
    leverage = abs(simulate(series, bars(*rows)).nav_columns["leverage"])
    assert leverage.max() <= highest_standing(series) * (1 + 1e-9)
