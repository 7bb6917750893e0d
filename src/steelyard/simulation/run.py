"""One series over one feed, and what it gives back."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from steelyard.fund.state import State, Totals, new_state
from steelyard.market import Feed, Prices, feed_of
from steelyard.market.price_feed import check_symbols, events_of, files_of, for_series
from steelyard.rules.numbers import FLOAT, Num, Number
from steelyard.rules.series import Series
from steelyard.simulation import frames
from steelyard.simulation.checks import (
    check_engine,
    check_goes_on,
    check_kind,
    check_place,
    check_reserve,
    mode_of,
)
from steelyard.simulation.conditions import Market, market_in
from steelyard.simulation.coverage import notes_on
from steelyard.simulation.fast import FastReplay, is_supported
from steelyard.simulation.inputs import check_fits, read_events, schedule_of
from steelyard.simulation.kept import Sources
from steelyard.simulation.marks import Marks, marks_of_rows
from steelyard.simulation.named import series_of
from steelyard.simulation.record import Record
from steelyard.simulation.reference import Member, Replay, member_of
from steelyard.simulation.summary import summarise
from steelyard.simulation.tally import Tally, tracked_bars
from steelyard.simulation.walk import walk

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from steelyard.ledger.recorder import Recorder
    from steelyard.report.document import Document
    from steelyard.simulation.journalling import InMemory, Recording

__all__ = [
    "Before",
    "Run",
    "Sources",
    "replayed",
    "run_of",
    "simulate",
    "span_of",
]


@dataclass(frozen=True, eq=False)
class Run:
    """What a simulation found.

    Attributes:
        series: the token.
        prices: the bars that were run.
        intrabar: ``"close"`` or ``"path"``.
        summary: the figures of ``simulate --json``, as a dict.
        state: the token at the end; a later run can start from it.
        nav_columns, rebalance_columns, cost_columns, flow_columns, suspension_columns: the tables
            below, as dicts of arrays; those that are the same at every bar cannot be written to.
        splits: float64, one a bar: tokens then for one token of the launch.
    """

    series: Series
    prices: Prices
    intrabar: str
    summary: dict[str, Any]
    state: State[Any]
    nav_columns: frames.Columns
    splits: npt.NDArray[np.float64]
    _record: Record[Any]
    _marks: Marks
    _sums_before: Totals[Any]
    _suspended: Sequence[tuple[int, int]] = ()
    _sources: Sources | None = None
    """None where it cannot be made again from its launch: it went on from a state, or shared."""
    _book: Sequence[Sequence[float]] | None = None
    """The columns of the book that it trades on, where it trades on one."""

    @cached_property
    def rebalance_columns(self) -> frames.Columns:
        """Worked out when first asked for: most runs are asked for nav alone."""
        return frames.rebalance_columns(self._record)

    @cached_property
    def cost_columns(self) -> frames.Columns:
        """Likewise."""
        return frames.cost_columns(
            self.prices, self._record, self._marks, self.intrabar, self._sums_before
        )

    @cached_property
    def flow_columns(self) -> frames.Columns:
        """Likewise."""
        return frames.flow_columns(self._record)

    @cached_property
    def suspension_columns(self) -> frames.Columns:
        """Likewise."""
        return frames.suspension_columns(self._suspended)

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

    @cached_property
    def flows(self) -> pd.DataFrame:
        """One row a creation (tokens > 0) or redemption: nav per token; quote of that party."""
        return frames.to_pandas(self.flow_columns)

    @cached_property
    def suspensions(self) -> pd.DataFrame:
        """One row a span in which the reserve suspended what raises leverage: from, to."""
        return frames.to_pandas(self.suspension_columns)

    def plot(self) -> Any:  # noqa: ANN401 (plotly ships no types)
        """The run as an interactive figure: nav, leverage, costs, reserve."""
        from steelyard.report.figure import run_figure
        from steelyard.simulation.report import report_run

        return run_figure(report_run(self))

    def save(self, folder: str | Path) -> None:
        """Write tables, summary and page into ``folder``: all that ``simulate --out`` writes.

        Raises:
            InputError: where ``folder`` cannot be a folder or cannot be written to.
        """
        from steelyard.simulation.output import save_run

        save_run(self, folder)

    def document(self) -> Document:
        """All that is shown of it: terminal, text, notebook and page are made of it."""
        from steelyard.simulation.run_document import run_document

        return run_document(self)

    def _repr_html_(self) -> str:
        """For notebooks."""
        from steelyard.report.html import fragment

        return fragment(self.document())

    def __repr__(self) -> str:
        nav, rebalances = self.summary["nav"], self.summary["rebalances"]
        return (
            f"<Run {self.series.symbol}: {len(self.prices):,} bars, nav {nav['initial']:g} -> "
            f"{nav['final']:.6g} ({nav['return']:+z.2%}), {rebalances['count']:,} rebalances>"
        )


def simulate(
    series: Series | str | Path,
    feed: object,
    *,
    start: str | float | date | None = None,
    end: str | float | date | None = None,
    intrabar: str | None = None,
    state: State[Num] | None = None,
    number: Number[Num] = FLOAT,  # type: ignore[assignment]  # the default of one of three kinds
    engine: str = "fast",
    journal: str | Path | InMemory | None = None,
    progress: Callable[[int], None] | None = None,
) -> Run:
    """Run one series over a feed, or over a part of it: what ``sy.simulate`` does for one series.

    Args:
        series: the token, as ``sy.simulate`` takes it.
        feed: a ``Feed``, or bare prices.
        start: first instant of the part; None: that of the feed.
        end: the instant at which the part ends, left out; None: that of the feed.
        intrabar: as ``sy.simulate`` takes it, and so with all that follows.
        state: where to go on from.
        number: the kind of number to compute in.
        engine: ``"fast"`` or ``"reference"``.
        journal: where to write all that happens.
        progress: called now and then with the number of bars done.

    Raises:
        InputError: where the series and the options do not go together, or a rule never rests.
        DataError: where a file is not what it should be, or no bar is left.
    """
    series = series_of(series)
    check_kind("number", number, Number, "steelyard.rules.numbers")
    check_place("journal", journal)
    if state is not None:
        check_kind("state", state, State, "run.state")
    check_engine(engine)
    history = feed_of(feed).between(start, end)
    check_symbols(history, [series.symbol])
    history = for_series(history, series.symbol)
    mode = mode_of(intrabar, history.bars)
    if history.book is not None:
        check_fits("book", series)
    market = market_in(history, series, mode)
    check_reserve(series)
    if journal is None:
        return _run(series, history, mode, market, state, number, engine, progress)
    # imported here: a journal's stores take time to load, and most runs write none
    from steelyard.simulation.journalling import recording

    with recording(journal, [series], number, mode, order_books=[market.book]) as kept:
        if state is None and kept.states is not None:
            state = kept.states[0]
        run = _run(series, history, mode, market, state, number, engine, progress, kept)
        kept.finish()
    return run


def _run(
    series: Series,
    feed: Feed,
    mode: str,
    market: Market,
    state: State[Any] | None,
    number: Number[Any],
    engine: str,
    progress: Callable[[int], None] | None,
    kept: Recording | None = None,
) -> Run:
    """The run of a series over a feed, and its journal."""
    bars = feed.bars
    if state is not None:
        check_goes_on(state, bars, mode)
    goes_on = state is not None
    events = read_events(series, events_of(feed), span_of(bars, state), goes_on=goes_on)
    files = files_of(feed)
    if market.book is not None and feed.book is None:
        files["book"] = os.path.abspath(series.costs.book)  # noqa: PTH100 (as those of a feed)
    made_of = Sources(events, market, number, engine, files)
    sources = made_of if state is None else None
    state = new_state(series, number) if state is None else state.copy()
    before = Before.of(state)
    recorder = None if kept is None else kept.recorder([state])
    member, marks = replayed(series, made_of, bars, mode, state, progress, recorder)
    run = run_of(member, marks, bars, mode, before)
    notes = notes_on(series, bars, events)
    summary = {**run.summary, "notes": notes} if notes else run.summary
    return replace(run, summary=summary, _sources=sources)


def replayed(
    series: Series,
    sources: Sources,
    bars: Prices,
    mode: str,
    state: State[Any],
    progress: Callable[[int], None] | None = None,
    recorder: Recorder | None = None,
) -> tuple[Member[Any], Marks]:
    """Take a token through its bars by the engine that was asked for; ``state`` is changed.

    A journal is written by the reference: it needs an observation at each full hour.
    """
    number = sources.number
    schedule = schedule_of(series, number, sources.events)
    if sources.engine == "fast" and is_supported(number) and recorder is None:
        fast = FastReplay(member_of(series, FLOAT, schedule, state, sources.market), bars, mode)
        fast.run(progress)
        return fast.member, fast.marks
    member: Member[Any] = member_of(series, number, schedule, state, sources.market)
    replay = Replay([member])
    replay.write_into(recorder)
    with number.context():
        walk(replay, bars, mode, number, progress)
    return member, marks_of_rows(member.record)


class Before(NamedTuple):
    """What a run has to know of the state that it started from."""

    reserve_units: float
    totals: Totals[Any]
    suspended_since: int | None
    """Its last clock observation, epoch s, where its reserve is suspended; else None."""

    @classmethod
    def of(cls, state: State[Any]) -> Before:
        """Of a state that a run is about to change."""
        since = state.time if state.reserve.suspended else None
        return cls(float(state.reserve.units), replace(state.totals), since)


def span_of(bars: Prices, state: State[Any] | None) -> tuple[int, int]:
    """The instants after the first of which, and up to the second, a run is charged for time."""
    since = int(bars.time[0]) if state is None or state.time is None else state.time
    return since, int(bars.time[-1]) + bars.step_s


def run_of(
    member: Member[Any],
    marks: Marks,
    bars: Prices,
    mode: str,
    before: Before,
    health: dict[str, float | None] | None = None,
    last: int | None = None,
) -> Run:
    """What a fund that is through its bars has come to.

    Args:
        member: the fund.
        marks: its rows, one a bar.
        bars: those that were run.
        mode: ``close`` or ``path``.
        before: what it started from.
        health: of a shared reserve.
        last: epoch s of the last clock observation of any fund on a shared reserve.
    """
    series, state = member.series, member.state
    last = state.time or 0 if last is None else last
    tally = Tally(bars.close, series.target_leverage, tracked_bars(bars, mode, state.ended))
    nav = frames.nav_columns(bars, marks, tally)
    held = marks.held(nav["nav"])
    return Run(
        series=series,
        prices=bars,
        intrabar=mode,
        summary=summarise(member, bars, mode, nav, held, tally, before.reserve_units, health),
        state=state,
        nav_columns=nav,
        splits=marks.column("split"),
        _record=member.record,
        _marks=marks,
        _sums_before=before.totals,
        _suspended=member.record.reserve.spans(before.suspended_since, last),
        _book=member.market.book,
    )
