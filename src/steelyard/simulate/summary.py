"""The run in one object: the figures of ``simulate --json`` (SPEC 6); None where undefined."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from steelyard.market import Prices, format_time
from steelyard.rules.numbers import FLOAT
from steelyard.rules.reserve import (
    buffer_depth,
    capacity,
    reserve_level,
    runway_days,
    utilisation,
)
from steelyard.rules.series import Reserve, Series
from steelyard.rules.triggers import Trigger
from steelyard.simulate.frames import Columns
from steelyard.simulate.state import Record, State
from steelyard.simulate.tracking import tracking

__all__ = ["summarise"]

DAY_S = 86_400
RUNWAY_DAYS = 30
COSTS = ("fee", "spread", "impact", "gas", "funding", "interest", "management", "paid_by_reserve")


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
        "costs": {kind: float(getattr(sums, kind)) for kind in COSTS},
        "tracking": tracking(bars.time, bars.close, nav["nav"], leverage, series.target_leverage),
        "leverage": {
            "min": float(leverage.min()),
            "max": float(leverage.max()),
            "mean": float(leverage.mean()),
        },
        "reserve": None
        if series.reserve is None
        else _reserve(
            series,
            series.reserve,
            bars,
            intrabar,
            record,
            state,
            nav,
            reserve_before,
            first_price,
        ),
        "max_drawdown": _max_drawdown(nav),
        "wiped_out": None
        if ended is None
        else {"time": format_time(ended.time), "price": ended.price, "reason": ended.reason},
    }
    return _without_undefined(summary)


def _change(initial: float, final: float) -> dict[str, float]:
    return {"initial": initial, "final": final, "return": final / initial - 1}


def _max_drawdown(nav: Columns) -> float:
    peaks = np.maximum.accumulate(nav["nav"])
    lived = peaks > 0
    if not lived.any():
        return 0.0
    return float(np.min(nav["nav"][lived] / peaks[lived] - 1))


def _reserve(
    series: Series,
    pool: Reserve,
    bars: Prices,
    intrabar: str,
    record: Record,
    state: State[Any],
    nav: Columns,
    reserve_before: float,
    first_price: float,
) -> dict[str, float | None]:
    """The reserve's flows and its health at the run's end."""
    sums, price, terms = state.totals, float(bars.close[-1]), series.terms(FLOAT)
    units = nav["reserve"]
    value = float(units[-1]) * price
    total_nav = float(nav["nav"][-1] * nav["tokens"][-1])
    stamps = bars.time if intrabar == "path" else bars.end_times
    start, end = int(stamps[0]), int(stamps[-1])
    day_ago = end - DAY_S
    before = int(np.searchsorted(stamps, day_ago, side="right")) - 1
    value_then = (
        reserve_before * first_price if before < 0 else float(units[before] * bars.close[before])
    )
    month_ago = end - RUNWAY_DAYS * DAY_S
    days = min(end - start, RUNWAY_DAYS * DAY_S) / DAY_S
    paid = sum(row.paid_by_reserve for row in record.trades if row.time > month_ago)
    received = sum(quote for time, quote in record.receipts if time > month_ago)
    paid_day = sum(row.paid_by_reserve for row in record.trades if row.time > day_ago)
    net = (paid - received) / days if days > 0 else 0.0
    floor = pool.floor_ratio
    return {
        "initial": reserve_before,
        "final": float(units[-1]),
        "min": float(min(reserve_before, units.min())),
        "paid": float(sums.paid_by_reserve),
        "received": float(sums.received),
        "injected": float(sums.injected),
        "suspended_s": sums.suspended_s,
        "level": reserve_level(value, total_nav) if total_nav > 0 else None,
        "utilisation": utilisation(paid_day, value_then),
        "buffer_depth": buffer_depth(value, total_nav, floor),
        "runway_days": runway_days(value, total_nav, floor, net),
        "capacity": capacity(value, total_nav, floor, terms.reserve_curve, FLOAT.sqrt),
    }


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
