"""The reserve over a run: its payments and receipts, and its health at the end (SPEC 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from steelyard.fund.terms import costs_at, fund_terms
from steelyard.rules.costs import CostCurve
from steelyard.rules.numbers import FLOAT
from steelyard.rules.reserve import capacity, health_figures
from steelyard.rules.series import Reserve
from steelyard.simulation.reference import Member
from steelyard.simulation.run_tables import Columns

__all__ = ["RUNWAY_S", "reserve_health"]

DAY_S = 86_400
RUNWAY_S = 30 * DAY_S
"""The span before the end whose receipts and payments determine the runway, in seconds."""


def reserve_health(
    pool: Reserve,
    served: Sequence[tuple[Member[Any], Columns]],
    stamps: npt.NDArray[np.int64],
    at_start: tuple[float, float],
    last_bar: int,
) -> dict[str, float | None]:
    """The object ``reserve`` of the summary; ``settled`` is present only for a counterparty.

    Args:
        pool: the terms of the reserve.
        served: each token that it serves, at the end of the run, with one row per bar.
        stamps: epoch seconds at which each bar was observed, shape (bars,).
        at_start: the reserve's units before the run, and the first price.
        last_bar: the bar whose impact is used for the capacity, if impact follows the market.
    """
    first, nav = served[0]
    held, kept = first.state.reserve, first.record.reserve
    units, price = nav["reserve"], nav["price"]
    value, last_price = float(units[-1] * price[-1]), float(price[-1])
    total_nav = sum(float(rows["nav"][-1] * rows["tokens"][-1]) for _, rows in served)
    start, end = int(stamps[0]), int(stamps[-1])
    day_ago, month_ago = end - DAY_S, end - RUNWAY_S
    then = int(np.searchsorted(stamps, day_ago, side="right")) - 1
    value_then = at_start[0] * at_start[1] if then < 0 else float(units[then] * price[then])
    trades = [row for member, _ in served for row in member.record.trades]
    paid_day = sum(float(row.paid_by_reserve) for row in trades if row.time > day_ago)
    paid = sum(float(row.paid_by_reserve) for row in trades if row.time > month_ago)
    lost = sum(quote for time, quote in kept.losses if time > month_ago)
    received = sum(quote for time, quote in kept.receipts if time > month_ago)
    days = min(end - start, RUNWAY_S) / DAY_S
    net = (paid + lost - received) / days if days > 0 else 0.0
    floor = pool.floor_ratio
    is_counterparty = any(member.fund.terms.is_pool for member, _ in served)
    open_units = sum(
        (float(member.state.units) for member, _ in served if member.fund.terms.is_pool), 0.0
    )
    figures = health_figures(
        value,
        total_nav,
        floor,
        paid_day,
        value_then,
        net,
        is_counterparty,
        open_units * last_price,
    )
    capacities = [
        capacity(value, total_nav, floor, _reserve_curve(member, last_bar), FLOAT.sqrt)
        for member, _ in served
    ]
    health: dict[str, float | None] = {
        "initial": at_start[0],
        "final": float(units[-1]),
        "min": float(min(at_start[0], units.min())),
        "paid": sum(float(member.state.totals.paid_by_reserve) for member, _ in served),
        "received": float(held.received),
        "injected": float(held.injected),
        "suspended_s": held.suspended_s + _present_suspension(served),
        **figures._asdict(),
        "capacity": min((each for each in capacities if each is not None), default=None),
    }
    if is_counterparty:
        health["settled"] = float(held.settled)
    return health


def _present_suspension(served: Sequence[tuple[Member[Any], Columns]]) -> int:
    """Seconds of the suspension that is still in force, up to the last scheduled observation."""
    held = served[0][0].state.reserve
    if not held.suspended:
        return 0
    return max(member.state.time or 0 for member, _ in served) - held.suspended_since


def _reserve_curve(member: Member[Any], bar: int) -> CostCurve[float]:
    """The reserve's share of the cost of a trade at a bar, as floats in every kind of run."""
    terms = fund_terms(member.series, FLOAT, member.market.book)
    if member.market.conditions is None:
        return terms.costs.reserve_curve
    return costs_at(terms, member.market.conditions.at(bar)).reserve_curve
