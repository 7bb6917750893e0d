"""Runs of every preset, and statistics of them, for a comparison between processors.

Run as a command, it prints one JSON object: ``state``, a hash of all that a run's state went
through, by preset; and ``statistics``, figures by name.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import steelyard as sy
from steelyard.market import Prices, sample_prices
from steelyard.rules.presets import preset, preset_names
from steelyard.rules.series import Series
from steelyard.simulation.growth import grown_by, log_of_growth
from steelyard.simulation.inputs import fits
from support.series_texts import EXAMPLE

__all__ = ["figures"]

TOLD = ("ftx-bull", "toros-3l", "oracle-1s", "every trigger")
"""Of these all is told that there is to tell."""
T0, HOUR_S, DAY_S = 1_577_836_800, 3_600, 86_400
STATISTICS = ("tracking",)
"""Of a run's summary: all else in it is state, and hashed."""


def hours() -> Prices:
    """Half a year of made-up hours with a storm in it, by ``+ - * /`` alone."""
    random = np.random.default_rng(11)
    moves = random.integers(-60, 61, size=24 * 182) / 10_000.0
    moves[2_000:2_100] *= 3.0
    close = np.cumprod(np.concatenate(([7_000.0], 1.0 + moves)))
    opened, closed = close[:-1], close[1:]
    return sy.read_prices(
        {
            "time": T0 + HOUR_S * np.arange(len(moves)),
            "open": opened,
            "high": np.maximum(opened, closed) * 1.001,
            "low": np.minimum(opened, closed) * 0.999,
            "close": closed,
            "volume": 1_000.0 + 10.0 * (np.arange(len(moves)) % 7),
        }
    )


def inputs(days: int) -> dict[str, dict[str, Any]]:
    """Funding every eight hours and a rate that changes daily, of 2 % to 18 %."""
    eights, each = np.arange(1, 3 * days), np.arange(days)
    return {
        "funding": {"time": T0 + 8 * HOUR_S * eights, "rate": (eights % 11 - 3) / 1e5},
        "rates": {"time": T0 + DAY_S * each, "rate": 0.02 + (each % 17) / 1e2},
    }


def hash_of(run: sy.Run) -> str:
    """Of the bits of all columns and of the summary without its statistics."""
    digest = hashlib.sha256()
    for columns in (run.nav_columns, run.cost_columns, run.rebalance_columns, run.flow_columns):
        for name, values in columns.items():
            digest.update(name.encode())
            digest.update(
                repr(values.tolist()).encode() if values.dtype.kind in "OUS" else values.tobytes()
            )
    state = {name: value for name, value in run.summary.items() if name not in STATISTICS}
    digest.update(json.dumps(state).encode())
    return digest.hexdigest()


def figures() -> dict[str, dict[str, Any]]:
    """Runs on the bundled days without inputs, and on made-up hours with all that fit."""
    days, bars = sample_prices("BTC"), hours()
    given = inputs(182)
    rates = np.random.default_rng(12).integers(1, 10_000, size=100_000) / 1e7
    grown = np.concatenate((log_of_growth(rates), grown_by(rates)))
    state = {"growth": hashlib.sha256(grown.tobytes()).hexdigest()}
    statistics: dict[str, Any] = {}
    every = {name: preset(name) for name in preset_names()}
    every["every trigger"] = Series.loads(EXAMPLE)
    for name, series in every.items():
        fitting = {option: table for option, table in given.items() if fits(option, series)}
        feed = sy.Feed(bars, **fitting)
        for place, run in (
            ("days", sy.simulate(series, days)),
            ("hours", sy.simulate(series, feed)),
            ("closes", sy.simulate(series, feed, intrabar="close")),
        ):
            state[f"{name}, {place}"] = hash_of(run)
            statistics[f"{name}, {place}"] = {each: run.summary[each] for each in STATISTICS}
        if name not in TOLD:
            continue
        statistics[f"{name}, tear sheet"] = sy.tear_sheet(series, feed).figures
        statistics[f"{name}, explained"] = sy.explain(series, feed).figures("month")
    both = {"BTC": days, "ETH": sample_prices("ETH")}
    statistics["decay"] = sy.decay_across(both, window_days=14, resamples=300).figures
    side = [every[name] for name in TOLD]
    statistics["compare"] = sy.compare(side, days).figures
    return {"state": state, "statistics": statistics}


if __name__ == "__main__":
    json.dump(figures(), sys.stdout)
