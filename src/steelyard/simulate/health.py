"""The reserve over a run: what it paid and got, and its health at the end (SPEC 4)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from steelyard.rules.costs import CostCurve
from steelyard.rules.numbers import FLOAT
from steelyard.rules.reserve import (
    buffer_depth,
    capacity,
    reserve_level,
    runway_days,
    utilisation,
)
from steelyard.rules.series import Reserve
from steelyard.simulate.frames import Columns
from steelyard.simulate.state import Record, State

__all__ = ["reserve_health"]

DAY_S = 86_400
RUNWAY_DAYS = 30


def reserve_health(
    pool: Reserve,
    state: State[Any],
    record: Record,
    nav: Columns,
    stamps: npt.NDArray[np.int64],
    borne: CostCurve[Any],
    at_start: tuple[float, float],
) -> dict[str, float | None]:
    """The object ``reserve`` of the summary.

    Args:
        pool: the token's reserve.
        state: at the run's end; its sums are since launch.
        record: the run's trades and receipts.
        nav: one row a bar.
        stamps: epoch s at which each bar was observed.
        borne: what a trade costs it at the run's end.
        at_start: the reserve's units before the run, and the first price.
    """
    sums, units, price = state.totals, nav["reserve"], nav["price"]
    value = float(units[-1] * price[-1])
    total_nav = float(nav["nav"][-1] * nav["tokens"][-1])
    start, end = int(stamps[0]), int(stamps[-1])
    day_ago, month_ago = end - DAY_S, end - RUNWAY_DAYS * DAY_S
    then = int(np.searchsorted(stamps, day_ago, side="right")) - 1
    value_then = at_start[0] * at_start[1] if then < 0 else float(units[then] * price[then])
    paid_day = sum(row.paid_by_reserve for row in record.trades if row.time > day_ago)
    paid = sum(row.paid_by_reserve for row in record.trades if row.time > month_ago)
    received = sum(quote for time, quote in record.receipts if time > month_ago)
    days = min(end - start, RUNWAY_DAYS * DAY_S) / DAY_S
    net = (paid - received) / days if days > 0 else 0.0
    floor = pool.floor_ratio
    return {
        "initial": at_start[0],
        "final": float(units[-1]),
        "min": float(min(at_start[0], units.min())),
        "paid": float(sums.paid_by_reserve),
        "received": float(sums.received),
        "injected": float(sums.injected),
        "suspended_s": sums.suspended_s,
        "level": reserve_level(value, total_nav) if total_nav > 0 else None,
        "utilisation": utilisation(paid_day, value_then),
        "buffer_depth": buffer_depth(value, total_nav, floor),
        "runway_days": runway_days(value, total_nav, floor, net),
        "capacity": capacity(value, total_nav, floor, borne, FLOAT.sqrt),
    }
