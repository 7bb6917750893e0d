"""The run in one object: the figures of ``simulate --json`` (SPEC 6); None where undefined."""

from __future__ import annotations

import math
from typing import Any

from steelyard.market import Prices, format_time
from steelyard.rules.costs import COST_KINDS
from steelyard.rules.series import Series
from steelyard.rules.triggers import Trigger
from steelyard.simulate.frames import Columns
from steelyard.simulate.health import reserve_health
from steelyard.simulate.state import Record, State
from steelyard.simulate.tally import Tally
from steelyard.simulate.tracking import tracking

__all__ = ["summarise"]


def summarise(
    series: Series,
    bars: Prices,
    intrabar: str,
    record: Record,
    state: State[Any],
    nav: Columns,
    tally: Tally,
    reserve_before: float,
) -> dict[str, Any]:
    """The summary of a run from what it wrote down; sums are since the token's launch."""
    sums = state.totals
    initial_nav, final_nav = series.initial_nav, float(nav["nav"][-1])
    opening = bars.open if intrabar == "path" else None
    first_price = float(bars.close[0] if opening is None else opening[0])
    last_price = float(bars.close[-1])
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
        "tracking": tracking(
            bars.time, bars.close, nav["nav"], series.target_leverage, tally.squares
        ),
        "leverage": {"min": tally.least, "max": tally.most, "mean": tally.mean},
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
        "max_drawdown": tally.max_drawdown,
        "wiped_out": None
        if ended is None
        else {"time": format_time(ended.time), "price": ended.price, "reason": ended.reason},
    }
    return _without_undefined(summary)


def _change(initial: float, final: float) -> dict[str, float]:
    return {"initial": initial, "final": final, "return": final / initial - 1}


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
