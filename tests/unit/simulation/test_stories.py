"""The stories that issuers and critics tell about leveraged tokens, each as a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from steelyard.market import Feed
from steelyard.rules.presets import preset
from steelyard.rules.series import Daily
from steelyard.simulation.run import simulate
from support.tokens import closes, observed, token


def test_swings_that_end_flat_erode_the_token() -> None:
    """5 % up and back, ten times: the underlying is where it was, the token is not."""
    swings = [100.0] + [105.0, 100.0] * 10
    run = simulate(token(3.0, daily=Daily(0)), closes(*swings))
    assert run.summary["underlying"]["return"] == 0.0
    once = (1 + 3 * 0.05) * (1 - 3 * (1 - 1 / 1.05))
    assert run.summary["nav"]["return"] == pytest.approx(once**10 - 1, rel=1e-12)
    assert run.summary["nav"]["return"] < -0.13


def test_a_trend_compounds_past_the_multiple() -> None:
    """Ten days of +3 %: the token makes more than 3 times the whole move."""
    run = simulate(token(3.0, daily=Daily(0)), closes(*[100 * 1.03**day for day in range(11)]))
    assert run.summary["nav"]["return"] == pytest.approx(1.09**10 - 1, rel=1e-12)
    assert run.summary["nav"]["return"] > 3 * run.summary["underlying"]["return"]


def test_the_underlying_rises_over_a_week_and_the_token_falls() -> None:
    """+1 % over seven days of swings costs the 3x token about a tenth."""
    week = closes(100, 108, 98, 107, 97, 106, 96, 101)
    run = simulate(token(3.0, daily=Daily(0)), week)
    assert run.summary["underlying"]["return"] == pytest.approx(0.01)
    assert run.summary["nav"]["return"] < -0.1


def test_published_examples_come_out_of_a_whole_run(acceptance: Callable[[str], Path]) -> None:
    """FTX's, KuCoin's and MEXC's own examples of a daily reset, run from file to nav."""
    published = json.loads(acceptance("worked-examples.json").read_text())["examples"]
    seen = 0
    for example in published:
        prices = example.get("daily_prices")
        if "daily_returns" in example:
            prices = [100.0]
            for change in example["daily_returns"]:
                prices.append(prices[-1] * (1 + change))
        if prices is None:
            continue
        run = simulate(token(float(example["target_leverage"]), daily=Daily(0)), observed(*prices))
        expected = example["token_return"]["exact"]
        assert run.summary["nav"]["return"] == pytest.approx(expected, rel=1e-12), example["id"]
        seen += 1
    assert seen == 5


def test_several_rebalances_in_one_session_on_12_march_2020(history: Callable[[str], Path]) -> None:
    """On the day BTC fell 39 % the FTX rule deleveraged several times, and the token lived."""
    run = simulate(
        preset("ftx-bull"),
        Feed(history("prices/BTC-USDT-spot-1h.parquet"), start="2020-03-12", end="2020-03-13"),
    )
    rows = run.rebalances
    cuts = rows[(rows.trigger == "band") & (rows.side == "sell")]
    assert len(cuts) >= 3
    assert cuts.leverage_before.tolist() == pytest.approx([4.0] * len(cuts), rel=0.2)
    assert run.summary["wiped_out"] is None
    assert run.summary["nav"]["return"] < -0.75


def test_the_crash_of_march_2020_on_the_bundled_sample() -> None:
    """The sample's worst day runs several rebalances of a 3x band in one bar, none skipped."""
    from steelyard.market import sample_prices

    run = simulate(
        preset("oracle-3l"), Feed(sample_prices("BTC"), start="2020-03-11", end="2020-03-15")
    )
    on_the_day = run.rebalances[run.rebalances["time"].dt.strftime("%Y-%m-%d") == "2020-03-12"]
    assert (on_the_day.trigger == "band").sum() >= 3
