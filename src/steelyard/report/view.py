"""One run prepared for drawing: curves on one time axis, and the rows of its table of trades.

All charts of a run are drawn from a ``View``, so that pages and notebooks show the same figures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from steelyard.errors import InputError
from steelyard.report.daily_reset_index import daily_reset_index, worst_day
from steelyard.report.decimate import keep_extremes, keep_notable
from steelyard.report.plain_frames import (
    Floats,
    Frame,
    Ints,
    ReportRun,
    SeriesFacts,
    floats,
    has_column,
    texts,
    times,
)
from steelyard.rules.costs import COST_KINDS, TRADE_KINDS
from steelyard.rules.reserve import reserve_level

__all__ = ["ROW_NUMBERS", "Ends", "Rows", "View", "ends_of", "figure_of", "view_of"]

_SMOOTHER = 3
_FEWEST = 300

ROW_NUMBERS = (
    "units",
    "price",
    "notional",
    "leverage_before",
    "leverage_after",
    "nav_before",
    "nav_after",
    *TRADE_KINDS,
    "paid_by_reserve",
)


@dataclass(frozen=True)
class Rows:
    """The rebalances that are shown, in order of time.

    Args:
        time: epoch seconds, shape (rows,).
        trigger, side: names of trigger and side, one for each row.
        numbers: the columns of ``ROW_NUMBERS``, each of shape (rows,).
        total: number of all rebalances of the run, including those that are not shown.
    """

    time: Ints
    trigger: list[str]
    side: list[str]
    numbers: Mapping[str, Floats]
    total: int


@dataclass(frozen=True)
class View:
    """A run's curves at the bars kept; all arrays of shape (bars kept,) unless said otherwise.

    Args:
        facts, summary: facts and summary of the run.
        time: epoch seconds.
        nav, ideal, asset: token, frictionless daily-reset token and underlying, launch = 100.
        leverage: leverage at each bar's close, signed.
        level: value of the reserve over nav of all tokens; None without a reserve.
        costs: cumulative costs of the whole fund in quote, by ``COST_KINDS`` and
            ``paid_by_reserve``; each of shape (points,).
        cost_time: instants of the costs, epoch seconds, shape (points,).
        accruals_missing: whether only the costs of trades are known over time.
        suspended: spans of suspension (from, to) in epoch seconds, as the run recorded them.
        rows: the rebalances that are shown.
        bars: number of bars of the run.
    """

    facts: SeriesFacts
    summary: Mapping[str, object]
    time: Ints
    nav: Floats
    ideal: Floats
    asset: Floats
    leverage: Floats
    level: Floats | None
    costs: Mapping[str, Floats]
    cost_time: Ints
    accruals_missing: bool
    suspended: list[tuple[int, int]]
    rows: Rows
    bars: int


class Ends(NamedTuple):
    """Figures of a run that are computed from all of its bars."""

    ideal_return: float
    """Return of the frictionless daily-reset token over the whole run."""
    ideal_end: int | None
    """Time (epoch seconds) of the bar at which that token was wiped out; None: it was not."""
    worst_day: tuple[int, float] | None
    """Start of the worst UTC day (epoch seconds) and its return; None where no day has a return."""
    initial_assets: float
    """Net asset value of the fund at its launch, in quote."""


def ends_of(run: ReportRun) -> Ends:
    """Compute the figures of ``run`` from all of its bars.

    Raises:
        InputError: a column is missing, or the run has no bars.
    """
    time, nav = _bars(run), floats(run.nav, "nav")
    ideal, first_nav = _ideal(run, time), _first(run, "nav", float(nav[0]))
    return Ends(
        ideal_return=float(ideal[-1]) - 1.0,
        ideal_end=None if ideal[-1] > 0.0 else int(time[np.flatnonzero(ideal <= 0.0)[0]]),
        worst_day=worst_day(time, nav, first_nav),
        initial_assets=first_nav * float(floats(run.nav, "tokens")[0]),
    )


def view_of(run: ReportRun, *, most_points: int, most_rows: int) -> View:
    """Prepare ``run``, drawing at most ``most_points`` bars and ``most_rows`` rebalances.

    Raises:
        InputError: a column is missing, the run has no bars, or the lengths of frames differ.
    """
    time, ideal = _bars(run), _ideal(run, _bars(run))
    price, nav, leverage = (floats(run.nav, name) for name in ("price", "nav", "leverage"))
    tokens = floats(run.nav, "tokens")
    first_nav = _first(run, "nav", float(nav[0]))
    first_price = _first(run, "underlying", float(price[0]))
    level = _level(run.nav, price, nav * tokens if run.assets is None else run.assets)
    keep = keep_extremes([s for s in (nav, price, leverage, level) if s is not None], most_points)
    cost_time, costs, accruals_missing = _costs(run, time, keep)
    return View(
        facts=run.facts,
        summary=run.summary,
        time=time[keep],
        nav=nav[keep] / first_nav * 100.0,
        ideal=ideal[keep] * 100.0,
        asset=price[keep] / first_price * 100.0,
        leverage=leverage[keep],
        level=None if level is None else level[keep],
        costs=costs,
        cost_time=cost_time,
        accruals_missing=accruals_missing,
        suspended=list(run.suspended) if level is not None else [],
        rows=_rows(run.rebalances, most_rows),
        bars=len(time),
    )


def _bars(run: ReportRun) -> Ints:
    time = times(run.nav)
    if not len(time):
        message = f"{run.facts.symbol}: expected a run with at least one bar to draw, found none"
        raise InputError(message, symbol=run.facts.symbol)
    return time


def _ideal(run: ReportRun, time: Ints) -> Floats:
    """The frictionless daily-reset token, launched at 1."""
    price = floats(run.nav, "price")
    launch = _first(run, "underlying", float(price[0]))
    return daily_reset_index(time, price, run.facts.target_leverage, launch)


def _first(run: ReportRun, name: str, otherwise: float) -> float:
    return figure_of(run.summary, name, "initial") or otherwise


def figure_of(summary: Mapping[str, object], *path: str) -> float | None:
    """The number at ``path`` in a summary; None where it is absent, null or not finite."""
    found: object = summary
    for key in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(key)
    if isinstance(found, bool) or not isinstance(found, int | float | np.number):
        return None
    value = float(found)
    return value if math.isfinite(value) else None


def _level(nav_frame: Frame, price: Floats, assets: Floats) -> Floats | None:
    if not has_column(nav_frame, "reserve"):
        return None
    units = floats(nav_frame, "reserve")
    if not np.nan_to_num(units).any():
        return None  # without a reserve the column may be all zeros
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.asarray(reserve_level(units * price, assets), dtype=np.float64)  # type: ignore[type-var]  # elementwise
    level[~np.isfinite(level)] = np.nan
    return level


def _costs(run: ReportRun, time: Ints, keep: Ints) -> tuple[Ints, dict[str, Floats], bool]:
    """The instants of the cumulative costs, the costs, and whether accruals are missing."""
    names = (*COST_KINDS, "paid_by_reserve")
    if run.costs is not None:
        columns = {name: floats(run.costs, name) for name in names}
        if any(len(column) != len(time) for column in columns.values()):
            message = f"{run.facts.symbol}: the frame of costs must have one row per row of nav"
            raise InputError(message, symbol=run.facts.symbol, expected=len(time))
        total = np.sum([columns[kind][keep] for kind in COST_KINDS], axis=0)
        # cumulative sums are smooth, so a third of the points draws the same curve
        few = keep[keep_extremes([total], max(len(keep) // _SMOOTHER, _FEWEST))]
        return time[few], {name: column[few] for name, column in columns.items()}, False
    at = times(run.rebalances)
    known = (*TRADE_KINDS, "paid_by_reserve")
    sums = {name: np.cumsum(np.nan_to_num(floats(run.rebalances, name))) for name in known}
    few = keep_extremes([sums["paid_by_reserve"]], len(keep) + 4)
    return at[few], {name: values[few] for name, values in sums.items()}, True


def _rows(frame: Frame, most: int) -> Rows:
    time, trigger, side = times(frame), texts(frame, "trigger"), texts(frame, "side")
    numbers = {name: floats(frame, name) for name in ROW_NUMBERS}
    notable = [i for i, name in enumerate(trigger) if name in {"launch", "emergency"}]
    keep = keep_notable(numbers["notional"], np.array(notable[:most], dtype=np.int64), most)
    return Rows(
        time=time[keep],
        trigger=[trigger[i] for i in keep.tolist()],
        side=[side[i] for i in keep.tolist()],
        numbers={name: column[keep] for name, column in numbers.items()},
        total=len(time),
    )
