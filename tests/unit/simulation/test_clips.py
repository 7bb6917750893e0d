"""A rebalance larger than one clip: how the rest follows."""

from __future__ import annotations

import pytest

from steelyard.rules.leverage import move_to_leverage
from steelyard.rules.series import Band, Costs, Daily, Reserve
from steelyard.simulation.run import simulate
from support.tokens import DAY_S, T0, bars, closes, token

HOUR_S = 3_600


def test_clips_go_out_one_an_observation_and_count_as_one_rebalance() -> None:
    """100,000 of assets at 90 has 60,000 to sell: after three clips of 12,000 more are due."""
    series = token(band=Band(2.5, 3.5), max_trade_notional=12_000.0)
    run = simulate(series, closes(100, 90, 90, 90, step_s=HOUR_S))
    frame = run.rebalances.iloc[1:]
    # at 90: nav 70,000, notional 270,000, to 210,000
    assert frame.notional.tolist() == pytest.approx([12_000] * 3)
    assert set(frame.trigger) == {"band"}
    assert run.summary["rebalances"]["count"] == 1
    assert run.summary["rebalances"]["clips"] == 3
    assert run.state.clips is not None


def test_each_clip_is_sized_anew_and_the_last_lands() -> None:
    """With costs, the clips end exactly on the destination, each paying its own gas."""
    series = token(
        band=Band(2.5, 3.5),
        max_trade_notional=25_000.0,
        costs=Costs(taker_fee_bps=10.0, gas_per_rebalance=3.0),
    )
    run = simulate(series, closes(100, 90, 90.5, 90.2, step_s=HOUR_S))
    frame = run.rebalances.iloc[1:]
    assert len(frame) == 3
    assert frame.leverage_after.iloc[-1] == pytest.approx(3.0, rel=1e-14)
    assert frame.gas.tolist() == [3.0] * 3
    assert run.state.clips is None


def test_the_cooldown_holds_between_clips() -> None:
    """Clips wait for the first observation at least the cooldown after the one before."""
    series = token(band=Band(2.5, 3.5), max_trade_notional=25_000.0, cooldown_s=2 * HOUR_S)
    run = simulate(series, closes(100, *[90] * 6, step_s=HOUR_S))
    frame = run.rebalance_columns["time"][1:].astype("int64") - T0
    assert (frame // HOUR_S).tolist() == [2, 4, 6]


def test_reference_and_fallback_clock_move_with_the_first_clip_only() -> None:
    """Later clips leave the last rebalance where the first one put it."""
    series = token(band=Band(2.5, 3.5), max_trade_notional=25_000.0)
    run = simulate(series, closes(100, 90, 91, 92, step_s=HOUR_S))
    assert run.state.reference == 90.0
    assert run.state.last_rebalance == T0 + 2 * HOUR_S


def test_only_an_emergency_overrides_clips_under_way() -> None:
    """A daily that falls due waits; an emergency goes to the target at once, whole."""
    series = token(
        band=Band(2.5, 3.5), daily=Daily(0), max_trade_notional=5_000.0, emergency_leverage=5.0
    )
    run = simulate(series, closes(100, 90, 80, 80, 80, step_s=DAY_S))
    frame = run.rebalances.iloc[1:]
    assert frame.trigger.tolist() == ["band", "emergency"]
    assert frame.leverage_after.iloc[1] == pytest.approx(3.0)
    assert run.state.clips is None


def test_clips_end_where_leverage_passes_its_destination() -> None:
    """A recovery that takes leverage below the destination ends the sequence without a trade."""
    series = token(band=Band(2.0, 3.5), max_trade_notional=10_000.0)
    run = simulate(series, closes(100, 90, 105, 105, step_s=HOUR_S))
    assert run.summary["rebalances"]["clips"] == 1
    assert run.state.clips is None


def test_clips_inside_bars_follow_at_opens() -> None:
    """The first clip goes at the crossing, the next at the next open."""
    series = token(band=Band(2.5, 3.5), max_trade_notional=30_000.0)
    run = simulate(series, bars((100,) * 4, (100, 100, 93, 94), (94, 94, 94, 94)))
    frame = run.rebalances.iloc[1:]
    assert frame.notional.iloc[0] == pytest.approx(30_000)
    assert frame.price.iloc[1] == 94.0
    assert frame.leverage_after.iloc[1] == pytest.approx(3.0)


def test_a_clip_that_raises_leverage_waits_for_the_reserve() -> None:
    """Suspended half-way up, the next clip is blocked and the sequence stays."""
    pool = Reserve(initial_units=100.5, bears=("fee",), floor_ratio=0.105, resume_ratio=0.2)
    series = token(
        band=Band(2.5, 3.5),
        max_trade_notional=20_000.0,
        costs=Costs(taker_fee_bps=100.0),
        reserve=pool,
    )
    run = simulate(series, closes(100, 115, 115, 115, step_s=HOUR_S))
    assert run.state.reserve.suspended
    assert run.summary["rebalances"]["blocked"] > 0


def test_clips_that_divide_the_trade_evenly_end_with_the_last() -> None:
    """60,000 in five clips: the last arrives, and the band is watched from there on."""
    series = token(band=Band(2.5, 3.5), max_trade_notional=12_000.0)
    held = [(90,) * 4] * 4
    run = simulate(series, bars((100,) * 4, *held, (90, 90, 80, 80), step_s=HOUR_S))
    frame = run.rebalances.iloc[1:]
    assert frame.notional.tolist()[:5] == pytest.approx([12_000] * 5)
    assert frame.leverage_after.iloc[4] == pytest.approx(3.0, rel=1e-12)
    assert frame.price.iloc[5] == pytest.approx(90 * (1 + move_to_leverage(3.0, 3.5)))
    assert run.summary["rebalances"]["count"] == 2
