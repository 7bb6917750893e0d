"""Decay of SOL, AVAX and DOGE against BTC and ETH at matched volatility, on real prices."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import steelyard as sy
from steelyard.market import read_prices
from steelyard.rules.series import Daily
from support.tokens import DAY_S, token

NAMES = ("BTC", "ETH", "SOL", "AVAX", "DOGE")
OTHERS, THEM = "SOL+AVAX+DOGE", "BTC+ETH"


@pytest.mark.parametrize("prices", ["spot-1h", "perp-4h"])
@pytest.mark.parametrize("target", [2.0, 3.0])
def test_no_asset_decays_more_at_equal_volatility(
    history: Callable[[str], Path], prices: str, target: float
) -> None:
    """Of longs no interval lies below zero, for no asset, by bars or by days, on any dates.

    All three together, by days, decayed no more than 0.1 a year more than the others.
    """
    files = {name: history(f"prices/{name}-USDT-{prices}.parquet") for name in NAMES}
    found = sy.decay_across(files, against=["BTC", "ETH"], target=target)
    told = [pair for pair in found.pairs if pair.dates == "any"]
    assert len(told) == 24
    for pair in told:
        high = pair.found.difference.high
        assert high is not None
        assert high > 0, pair[:4]
    together = found.pair(OTHERS, THEM).difference
    print(f"\n{prices} {target:g}x by days: {together}")
    assert together.low is not None
    assert together.low > -0.1


def test_the_windows_of_real_hours_are_what_a_simulation_loses(
    history: Callable[[str], Path],
) -> None:
    """A daily reset without costs, run over each 30 days of SOL, loses each window's decay."""
    hours = read_prices(history("prices/SOL-USDT-spot-1h.parquet"))
    held = sy.decay_across({"SOL": hours, "AGAIN": hours}).held["SOL"]
    wiped_out = 0
    for number, decay in zip(held.number[:12], held.decay[:12], strict=True):
        start = int(number) * 30 * DAY_S
        # from the bar that ends at the first midnight on
        bars = hours.between(start - hours.step_s, start + 30 * DAY_S)
        run = sy.simulate(token(3.0, daily=Daily(0)), bars, intrabar="close")
        if run.state.ended is not None:
            wiped_out += 1
            continue
        left = np.log1p(run.summary["nav"]["return"]) - 3 * np.log(bars.close[-1] / bars.close[0])
        assert decay == pytest.approx(left, rel=1e-9)
    print(f"\n{wiped_out} of 12 windows wiped out")
    assert np.isneginf(held.decay[:12]).sum() <= wiped_out <= 2
