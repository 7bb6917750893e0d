"""One series over one history: the function that everyone calls, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from steelyard.errors import DataError, InputError
from steelyard.market import (
    Prices,
    format_time,
    read_funding,
    read_injections,
    read_prices,
    read_rates,
)
from steelyard.rules.numbers import FLOAT, Num, Number
from steelyard.rules.series import Series
from steelyard.simulate import frames
from steelyard.simulate.fast import FastReplay, is_supported
from steelyard.simulate.marks import Marks, marks_of_rows
from steelyard.simulate.reference import Replay, new_state
from steelyard.simulate.schedule import Schedule
from steelyard.simulate.state import Record, State, Totals
from steelyard.simulate.summary import summarise
from steelyard.simulate.tally import Tally

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import pandas as pd

__all__ = ["Run", "simulate", "walk"]

PROGRESS_EVERY = 2_048
ENGINES = ("fast", "reference")


@dataclass(frozen=True, eq=False)
class Run:
    """What a simulation found.

    Attributes:
        series: the token.
        prices: the bars that were run.
        intrabar: ``"close"`` or ``"path"``.
        summary: the figures of ``simulate --json``, as a dict.
        state: the token at the end; a later run can start from it.
        nav_columns, rebalance_columns, cost_columns: the tables below, as dicts of arrays; those
            that are the same at every bar cannot be written to.
    """

    series: Series
    prices: Prices
    intrabar: str
    summary: dict[str, Any]
    state: State[Any]
    nav_columns: frames.Columns
    rebalance_columns: frames.Columns
    _record: Record
    _marks: Marks
    _sums_before: Totals[Any]

    @cached_property
    def cost_columns(self) -> frames.Columns:
        """Worked out when first asked for: most runs are asked for nav alone."""
        return frames.cost_columns(
            self.prices, self._record, self._marks, self.intrabar, self._sums_before
        )

    @cached_property
    def nav(self) -> pd.DataFrame:
        """One row a bar: time, price, nav (per token), leverage, tokens, reserve (units)."""
        return frames.to_pandas(self.nav_columns)

    @cached_property
    def rebalances(self) -> pd.DataFrame:
        """One row an executed trade, launch included; units, notional, costs of the whole fund."""
        return frames.to_pandas(self.rebalance_columns)

    @cached_property
    def costs(self) -> pd.DataFrame:
        """One row a bar: the cost so far by kind, and what the reserve paid of it (quote)."""
        return frames.to_pandas(self.cost_columns)

    def plot(self) -> Any:  # noqa: ANN401 (plotly ships no types)
        """The run as an interactive figure: nav, leverage, costs, reserve."""
        from steelyard.plots.figure import run_figure
        from steelyard.simulate.report import report_run

        return run_figure(report_run(self))

    def save(self, folder: str | Path) -> None:
        """Write tables, summary and page into ``folder``: all that ``simulate --out`` writes.

        Raises:
            InputError: where ``folder`` cannot be a folder or cannot be written to.
        """
        from steelyard.simulate.output import save_run

        save_run(self, folder)

    def __repr__(self) -> str:
        nav, rebalances = self.summary["nav"], self.summary["rebalances"]
        return (
            f"<Run {self.series.symbol}: {len(self.prices):,} bars, nav {nav['initial']:g} -> "
            f"{nav['final']:.6g} ({nav['return']:+.2%}), {rebalances['count']:,} rebalances>"
        )


def simulate(
    series: Series,
    prices: object,
    *,
    funding: object = None,
    rates: object = None,
    injections: object = None,
    start: str | float | date | None = None,
    end: str | float | date | None = None,
    intrabar: str | None = None,
    state: State[Num] | None = None,
    number: Number[Num] = FLOAT,  # type: ignore[assignment]  # the default of one of three kinds
    engine: str = "fast",
    progress: Callable[[int], None] | None = None,
) -> Run:
    """Run a series over a history by the rules, with every cost and flow accounted for.

    Args:
        series: the token, from ``Series.load``.
        prices: a path, a pandas or polars frame, an Arrow table, or ``Prices``.
        funding: ``time, rate`` for a perpetual, the same kinds of source.
        rates: ``time, rate`` per year for a spot venue.
        injections: ``time, quote, kind`` into the reserve.
        start: first instant, inclusive (ISO 8601, epoch seconds, date or datetime, UTC); None:
            from the beginning.
        end: last instant, exclusive, likewise; None: to the end.
        intrabar: ``"path"`` (default where open, high and low are there) or ``"close"``.
        state: where to go on from: the ``state`` of an earlier run; it is not changed.
        number: the kind of number to compute in; frames and summary are floats in any case.
        engine: ``"fast"`` goes from event to event; ``"reference"`` observes every bar, as the
            specification reads. They make the same trades and agree to 1e-12. What the fast one
            does not know, and kinds of number other than floats, run by the reference.
        progress: called now and then with the number of bars done.

    Raises:
        InputError: where the series and the options do not go together, or a rule never rests.
        DataError: where a file is not what it should be, or no bar is left.
    """
    _check_kind("series", series, Series, "Series.load")
    if state is not None:
        _check_kind("state", state, State, "run.state")
    if engine not in ENGINES:
        message = f'engine: expected "fast" or "reference", found "{engine}".'
        raise InputError(message, found=engine, allowed=ENGINES)
    bars = read_prices(prices).between(start, end)
    mode = _mode(intrabar, bars)
    if state is not None:
        _check_goes_on(state, bars, mode)
    since = int(bars.time[0]) if state is None or state.time is None else state.time
    span = since, int(bars.time[-1]) + bars.step_s
    schedule = _schedule(series, number, funding, rates, injections, span)
    state = new_state(series, number) if state is None else state.copy()
    reserve_before = float(state.reserve_units)
    sums_before = replace(state.totals)
    record, marks = _walked(engine, series, schedule, state, bars, mode, number, progress)
    tally = Tally(bars.close, series.target_leverage)
    nav = frames.nav_columns(bars, marks, tally)
    rebalances = frames.rebalance_columns(record)
    return Run(
        series=series,
        prices=bars,
        intrabar=mode,
        summary=summarise(series, bars, mode, record, state, nav, tally, reserve_before),
        state=state,
        nav_columns=nav,
        rebalance_columns=rebalances,
        _record=record,
        _marks=marks,
        _sums_before=sums_before,
    )


def _walked(
    engine: str,
    series: Series,
    schedule: Schedule[Any],
    state: State[Any],
    bars: Prices,
    mode: str,
    number: Number[Any],
    progress: Callable[[int], None] | None,
) -> tuple[Record, Marks]:
    """Take the state through the bars; what happened, and what is to be told of each bar."""
    if engine == "fast" and is_supported(series, number):
        fast = FastReplay(series, schedule, state, bars, mode)
        fast.run(progress)
        return fast.record, fast.marks
    replay = Replay(series, number, schedule, state)
    walk(replay, bars, mode, number, progress)
    marks = marks_of_rows(replay.record.bars, float(state.tokens))
    replay.record.bars.clear()
    return replay.record, marks


def _check_kind(name: str, given: object, kind: type, source: str) -> None:
    """Refuse a path or a frame where an object of ours belongs: Python itself would not."""
    if not isinstance(given, kind):
        message = f"{name}: expected what {source} gives, found a {type(given).__qualname__}."
        raise InputError(message, argument=name, found=given)


def _mode(intrabar: str | None, bars: Prices) -> str:
    if intrabar is None:
        return "path" if bars.has_path else "close"
    if intrabar not in ("close", "path"):
        message = f'intrabar: expected "close" or "path", found {intrabar!r}.'
        raise InputError(message, found=intrabar)
    if intrabar == "path" and not bars.has_path:
        message = (
            f"{bars.source}: intrabar path: expected columns open, high, low and close, found no "
            f"open, high and low; use intrabar close."
        )
        raise DataError(message, source=bars.source)
    return intrabar


def _check_goes_on(state: State[Num], bars: Prices, mode: str) -> None:
    first = int(bars.time[0] if mode == "path" else bars.end_times[0])
    if state.time is not None and first <= state.time:
        message = (
            f"{bars.source}: expected bars after {format_time(state.time)}, where the state "
            f"stands, found one observed at {format_time(first)}; start later."
        )
        raise InputError(message, source=bars.source, state=state.time, found=first)


def _schedule(
    series: Series,
    number: Number[Num],
    funding: object,
    rates: object,
    injections: object,
    span: tuple[int, int],
) -> Schedule[Num]:
    """What the files say; of funding, what is paid after the first and up to the second time."""
    if funding is not None and series.venue.kind != "perpetual":
        _refuse(series, "funding", 'venue.kind = "perpetual"', f'"{series.venue.kind}"')
    if rates is not None and series.venue.kind != "spot":
        _refuse(series, "rates", 'venue.kind = "spot"', f'"{series.venue.kind}"')
    if injections is not None and series.reserve is None:
        _refuse(series, "injections", "a table [reserve]", "none")
    given: dict[str, Any] = {}
    if funding is not None:
        paid = read_funding(funding)
        # a file may hold years more than the run
        rows = slice(*paid.time.searchsorted(span, "right").tolist())
        given["funding"] = paid.time[rows].tolist(), paid.rate[rows].tolist()
    if rates is not None:
        asked = read_rates(rates)
        given["rates"] = asked.time.tolist(), asked.rate.tolist()
    if injections is not None:
        pool = read_injections(injections)
        capital = [kind == "capital" for kind in pool.kind]
        given["injections"] = pool.time.tolist(), pool.quote.tolist(), capital
    return Schedule(number, first_rate=series.venue.rate_per_year, **given)


def _refuse(series: Series, option: str, expected: str, found: str) -> None:
    message = (
        f"{series.symbol}: {option}: expected a series with {expected}, found {found}; "
        f"leave {option} out or change the series."
    )
    raise InputError(message, option=option, expected=expected, found=found)


def walk(
    replay: Replay[Num],
    bars: Prices,
    intrabar: str,
    number: Number[Num],
    progress: Callable[[int], None] | None = None,
) -> None:
    """Take a replay through the bars, in one of the two intrabar modes."""
    way = _walk_path if intrabar == "path" else _walk_close
    way(replay, bars, number, progress)


def _walk_close(
    replay: Replay[Num],
    bars: Prices,
    number: Number[Num],
    progress: Callable[[int], None] | None,
) -> None:
    """One observation a bar: its close, stamped with its end."""
    of = number.of
    columns = zip(bars.end_times.tolist(), bars.close.tolist(), strict=True)
    for done, (time, close) in enumerate(columns):
        price = of(close)
        replay.observe(time, price)
        replay.mark(price)
        if progress is not None and done % PROGRESS_EVERY == 0:
            progress(done)


def _walk_path(
    replay: Replay[Num],
    bars: Prices,
    number: Number[Num],
    progress: Callable[[int], None] | None,
) -> None:
    """Open, the extreme that hurts first, the other extreme, close."""
    of = number.of
    long = replay.series.target_leverage > 0
    first, second = (bars.low, bars.high) if long else (bars.high, bars.low)
    visits = (bars.open, first, second, bars.close)
    lists = [np.asarray(column).tolist() for column in visits]
    rows = zip(bars.time.tolist(), *lists, strict=True)
    for done, (time, *visited) in enumerate(rows):
        opening, hurting, other, close = (of(price) for price in visited)
        replay.observe(time, opening)
        replay.travel(time, opening, hurting)
        replay.travel(time, hurting, other)
        replay.travel(time, other, close)
        replay.mark(close)
        if progress is not None and done % PROGRESS_EVERY == 0:
            progress(done)
