"""Run every preset over every bundled history, and collect the figures of these runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from steelyard.market import Prices, sample_prices
from steelyard.report.daily_reset_index import daily_reset_index
from steelyard.rules.presets import preset
from steelyard.rules.series import Costs, Fees, Series
from steelyard.simulation.compare import worst_day_of
from steelyard.simulation.run import Run, simulate

__all__ = [
    "ASSETS",
    "SOURCE",
    "Crash",
    "PresetRun",
    "Way",
    "crash_of",
    "preset_figures",
    "replay_presets",
    "way_of",
]

ASSETS = ("BTC", "ETH")
CRASH = np.datetime64("2020-03-12", "D")
SOURCE = "Daily prices of BTC and ETH on Bitstamp, 2020-2022, as published in public tables"


@dataclass(frozen=True)
class PresetRun:
    """One preset over one asset.

    Attributes:
        name: the preset's name.
        asset: ``BTC`` or ``ETH``.
        run: the simulated run.
        ideal_return: the return of a daily reset without costs; None if that is wiped out.
        worst_day: the day of the token's lowest return, and that return.
    """

    name: str
    asset: str
    run: Run
    ideal_return: float | None
    worst_day: tuple[str, float] | None


@dataclass(frozen=True)
class Crash:
    """12 March 2020 from close to close; ``naive`` is L times the underlying's day."""

    underlying: float
    token: float
    naive: float
    rebalances: int


def replay_presets(
    names: Sequence[str], progress: Callable[[int], None] | None = None
) -> list[PresetRun]:
    """Run the presets over each bundled history; ``progress`` is called with the runs done."""
    histories = {asset: sample_prices(asset) for asset in ASSETS}
    runs: list[PresetRun] = []
    for asset, bars in histories.items():
        for name in names:
            if progress is not None:
                progress(len(runs))
            series = _on(preset(name), asset, bars, histories["BTC"])
            runs.append(_preset_run(name, asset, simulate(series, bars)))
    return runs


@dataclass(frozen=True)
class Way:
    """How an investment of 100 grew, in three steps.

    Attributes:
        even: if the underlying had moved evenly from first to last price: ``100 (1 + u)^L``.
        without_costs: with the actual prices, by the same rule without any cost.
        final: with costs.
    """

    even: float
    without_costs: float
    final: float


def way_of(each: PresetRun) -> Way | None:
    """How the underlying's return became the token's; None if the token was wiped out."""
    run, summary = each.run, each.run.summary
    if summary["wiped_out"] is not None:
        return None
    free = replace(run.series, costs=Costs(), fees=Fees(), reserve=None)
    bare = simulate(free, run.prices, intrabar=run.intrabar).summary
    grown = 1 + summary["underlying"]["return"]
    return Way(
        even=100 * grown**run.series.target_leverage,
        without_costs=100 * (1 + bare["nav"]["return"]),
        final=100 * (1 + summary["nav"]["return"]),
    )


def crash_of(run: Run) -> Crash | None:
    """The run's 12 March 2020; None if the token was wiped out before."""
    days = run.nav_columns["time"].astype("datetime64[D]")
    (row,) = np.flatnonzero(days == CRASH)
    nav, price = run.nav_columns["nav"], run.nav_columns["price"]
    if nav[row - 1] <= 0:
        return None
    fall = float(price[row] / price[row - 1] - 1)
    trades = run.rebalance_columns["time"].astype("datetime64[D]") == CRASH
    return Crash(
        underlying=fall,
        token=float(nav[row] / nav[row - 1] - 1),
        naive=run.series.target_leverage * fall,
        rebalances=int(trades.sum()),
    )


def preset_figures(runs: Sequence[PresetRun], page: Path) -> dict[str, Any]:
    """The object of ``demo --json``: each run's summary, ideal return and worst day."""
    return {
        "schema": 1,
        "report": str(page),
        "runs": [
            {
                "series": each.name,
                "asset": each.asset,
                "ideal_return": each.ideal_return,
                "worst_day": None
                if each.worst_day is None
                else {"day": each.worst_day[0], "return": each.worst_day[1]},
                "summary": each.run.summary,
            }
            for each in runs
        ],
    }


def _on(series: Series, asset: str, bars: Prices, bitcoin: Prices) -> Series:
    """The preset on another asset, with a reserve of the same value as on bitcoin."""
    pool = series.reserve
    if pool is not None:
        worth = float(bitcoin.close[0] / bars.close[0])
        pool = replace(pool, initial_units=float(f"{pool.initial_units * worth:.4g}"))
    underlying = series.underlying.replace("BTC", asset, 1)
    symbol = f"{series.symbol}-{asset}"
    return replace(series, symbol=symbol, underlying=underlying, reserve=pool)


def _preset_run(name: str, asset: str, run: Run) -> PresetRun:
    columns, launch = run.nav_columns, run.summary["underlying"]["initial"]
    times = columns["time"].astype(np.int64)
    target = run.series.target_leverage
    ideal = float(daily_reset_index(times, columns["price"], target, launch)[-1])
    return PresetRun(
        name=name,
        asset=asset,
        run=run,
        ideal_return=ideal - 1 if ideal > 0 else None,
        worst_day=worst_day_of(run),
    )
