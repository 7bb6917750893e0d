"""The closed form of a band's error and cost, against a real market walked minute by minute."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from steelyard.market import read_prices
from steelyard.rules.optimal_band import edge_cost, edge_tracking_error
from steelyard.rules.presets import preset
from steelyard.simulation.run import simulate

YEAR_S = 31_536_000
COST = 0.0006


def test_edge_band_on_minutes_of_2022(history: Callable[[str], Path]) -> None:
    """Steelyard 3L's error and cost over the year are the closed form's within 5 % of them.

    Chance needs the whole year to even out: over its first half alone the cost is 5.0 % above.
    """
    bars = read_prices(history("prices/BTC-USDT-perp-1m.parquet"))
    bars = bars.between("2022-01-01", "2023-01-01")
    series = preset("steelyard-3l")
    run = simulate(series, bars, intrabar="path")
    years = float(bars.time[-1] - bars.time[0]) / YEAR_S
    sigma = float(np.sqrt(np.sum(np.diff(np.log(bars.close)) ** 2) / years))
    rows = {name: column[1:] for name, column in run.rebalance_columns.items()}
    share = (rows["fee"] + rows["spread"]) / (rows["nav_before"] * series.initial_tokens)
    band = series.rebalance.band
    assert band is not None
    half = band.upper - series.target_leverage
    error, cost = run.summary["tracking"]["error"], float(share.sum()) / years
    expected = edge_tracking_error(sigma, half), edge_cost(3.0, sigma, COST, half)
    print(
        f"\nerror {error:.4f} (closed form {expected[0]:.4f}), "
        f"cost {cost:.3%} a year (closed form {expected[1]:.3%})"
    )
    assert error == pytest.approx(expected[0], rel=0.05)
    assert cost == pytest.approx(expected[1], rel=0.05)
