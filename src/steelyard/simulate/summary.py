"""The run in one object: the figures of ``simulate --json`` (SPEC 6); None where undefined."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from steelyard.market import Prices, format_time
from steelyard.rules.costs import COST_KINDS
from steelyard.rules.series import Series
from steelyard.rules.triggers import Trigger
from steelyard.simulate.frames import Columns
from steelyard.simulate.health import reserve_health
from steelyard.simulate.state import Record, State
from steelyard.simulate.tracking import tracking

__all__ = ["summarise"]

BLOCK = 512
"""Bars that the deepest fall is looked for in at once."""


def summarise(
    series: Series,
    bars: Prices,
    intrabar: str,
    record: Record,
    state: State[Any],
    nav: Columns,
    reserve_before: float,
) -> dict[str, Any]:
    """The summary of a run from what it wrote down; sums are since the token's launch."""
    sums = state.totals
    initial_nav, final_nav = series.initial_nav, float(nav["nav"][-1])
    opening = bars.open if intrabar == "path" else None
    first_price = float(bars.close[0] if opening is None else opening[0])
    last_price = float(bars.close[-1])
    leverage = nav["leverage"]
    ended = state.wiped_out
    summary = {
        "schema": 1,
        "symbol": series.symbol,
        "start": format_time(int(bars.time[0])),
        "end": format_time(int(bars.time[-1])),
        "bars": len(bars),
        "gaps": len(bars.gaps),
        "intrabar": intrabar,
        "nav": _change(initial_nav, final_nav),
        "underlying": _change(first_price, last_price),
        "rebalances": {
            "count": sum(sums.by_trigger.values()),
            "clips": sums.clips,
            "by_trigger": {
                name: sums.by_trigger.get(Trigger[name.upper()], 0)
                for name in series.rebalance.trigger_names
            },
            "blocked": sums.blocked,
            "turnover": float(sums.turnover),
        },
        "costs": {kind: float(getattr(sums, kind)) for kind in (*COST_KINDS, "paid_by_reserve")},
        "tracking": tracking(bars.time, bars.close, nav["nav"], leverage, series.target_leverage),
        "leverage": {
            "min": float(leverage.min()),
            "max": float(leverage.max()),
            "mean": float(leverage.mean()),
        },
        "reserve": None
        if series.reserve is None
        else reserve_health(
            series,
            series.reserve,
            state,
            record,
            nav,
            bars.time if intrabar == "path" else bars.end_times,
            (reserve_before, first_price),
        ),
        "max_drawdown": _max_drawdown(nav["nav"]),
        "wiped_out": None
        if ended is None
        else {"time": format_time(ended.time), "price": ended.price, "reason": ended.reason},
    }
    return _without_undefined(summary)


def _change(initial: float, final: float) -> dict[str, float]:
    return {"initial": initial, "final": final, "return": final / initial - 1}


def _max_drawdown(nav: npt.NDArray[np.float64]) -> float:
    """The deepest fall below the highest nav so far; a share, not positive.

    A block's lowest nav over the highest peak up to its end bounds what lies in it, and over the
    highest before it is a fall that happened. Only where the first is deeper than all of the
    second are rows looked at.
    """
    if nav.max() <= 0:
        return 0.0
    whole = len(nav) // BLOCK * BLOCK
    blocks = nav[:whole].reshape(-1, BLOCK)
    tops, lows = blocks.max(axis=1), blocks.min(axis=1)
    peaks = np.maximum.accumulate(np.concatenate(([0.0], tops)))
    before = peaks[:-1] > 0
    deepest = float(np.min(lows[before] / peaks[:-1][before] - 1, initial=0.0))
    deeper = np.flatnonzero(lows < peaks[1:] * (1 + deepest)) if deepest < 0 else range(len(lows))
    for start, peak in [*((place * BLOCK, peaks[place]) for place in deeper), (whole, peaks[-1])]:
        rows = nav[start : start + BLOCK]
        highest = np.maximum(np.maximum.accumulate(rows), peak)
        lived = highest > 0
        deepest = float(np.min(rows[lived] / highest[lived] - 1, initial=deepest))
    return deepest


def _without_undefined(figures: dict[str, Any]) -> dict[str, Any]:
    """JSON knows neither NaN nor infinity: both become None."""
    return {
        key: _without_undefined(value)
        if isinstance(value, dict)
        else None
        if isinstance(value, float) and not math.isfinite(value)
        else value
        for key, value in figures.items()
    }
