"""The summary of a run, the figures of ``simulate --json`` (SPEC 6); None where undefined."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from steelyard.market import Prices, format_time
from steelyard.rules.costs import COST_KINDS
from steelyard.rules.triggers import Trigger
from steelyard.simulation.daily_tracking import tracking
from steelyard.simulation.record import FlowRow
from steelyard.simulation.reference import Member
from steelyard.simulation.reserve_health import reserve_health
from steelyard.simulation.run_tables import Columns
from steelyard.simulation.running_statistics import Tally, tracked_bars

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["summarise"]


def summarise(
    member: Member[Any],
    bars: Prices,
    intrabar: str,
    nav: Columns,
    held: npt.NDArray[np.float64],
    tally: Tally,
    reserve_before: float,
    health: dict[str, float | None] | None = None,
) -> dict[str, Any]:
    """The summary of a run from its records; sums are since the token's launch.

    Returns, drawdown and tracking are those of one token of the launch, held through every split:
    ``held`` is its nav at each bar, shape (bars,).
    """
    series, state, record = member.series, member.state, member.record
    sums = state.totals
    initial_nav, final_nav = series.initial_nav, float(nav["nav"][-1])
    opening = bars.open if intrabar == "path" else None
    first_price = float(bars.close[0] if opening is None else opening[0])
    last_price = float(bars.close[-1])
    ended = state.ended
    known = tracked_bars(bars, intrabar, ended)
    summary = {
        "schema": 1,
        "symbol": series.symbol,
        "start": format_time(int(bars.time[0])),
        "end": format_time(int(bars.time[-1])),
        "bars": len(bars),
        "gaps": len(bars.gaps),
        "intrabar": intrabar,
        "nav": _change(initial_nav, final_nav) | {"return": float(held[-1]) / initial_nav - 1},
        "underlying": _change(first_price, last_price),
        "rebalances": {
            "count": sum(sums.by_trigger.values()),
            "clips": sums.clips,
            "by_trigger": {
                name: sums.by_trigger.get(Trigger[name.upper()], 0) for name in series.trigger_names
            },
            "blocked": sums.blocked,
            "turnover": float(sums.turnover),
        },
        "costs": {kind: float(getattr(sums, kind)) for kind in (*COST_KINDS, "paid_by_reserve")},
        "tracking": tracking(
            bars.time[:known],
            bars.close[:known],
            held[:known],
            series.target_leverage,
            tally.squares,
        ),
        "leverage": {"min": tally.least, "max": tally.most, "mean": tally.mean},
        "reserve": None
        if series.reserve is None
        else health
        or reserve_health(
            series.reserve,
            [(member, nav)],
            bars.time if intrabar == "path" else bars.end_times,
            (reserve_before, first_price),
            len(bars) - 1,
        ),
        "max_drawdown": tally.max_drawdown,
        "wiped_out": None,
    }
    if ended is not None:
        end: dict[str, Any] = {"time": format_time(ended.time), "price": float(ended.price)}
        if ended.reason == "wind_down":
            summary["wound_down"] = {**end, "nav": final_nav}
        else:
            summary["wiped_out"] = {**end, "reason": ended.reason}
    if record.flows:
        summary["flows"] = _flows(record.flows)
    return _without_undefined(summary)


def _change(initial: float, final: float) -> dict[str, float]:
    return {"initial": initial, "final": final, "return": final / initial - 1}


def _flows(rows: Sequence[FlowRow]) -> dict[str, float]:
    """Tokens created and redeemed since the launch, and what those orders paid (quote)."""
    return {
        "created": math.fsum(row.tokens for row in rows if row.tokens > 0),
        "redeemed": math.fsum(-row.tokens for row in rows if row.tokens < 0),
        "fees": math.fsum(row.fee for row in rows),
        "cost": math.fsum(row.cost for row in rows),
        "saved": math.fsum(row.saved for row in rows),
    }


def _without_undefined(figures: dict[str, Any]) -> dict[str, Any]:
    """Replace NaN and infinity by None, because JSON has neither."""
    return {
        key: _without_undefined(value)
        if isinstance(value, dict)
        else None
        if isinstance(value, float) and not math.isfinite(value)
        else value
        for key, value in figures.items()
    }
