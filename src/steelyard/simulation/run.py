"""The simulation of one series over one feed, and its result."""

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
from steelyard.simulation import run_tables
from steelyard.simulation.bar_loop import walk
from steelyard.simulation.bar_records import Marks, marks_of_rows
from steelyard.simulation.checks import (
    check_engine,
    check_goes_on,
    check_kind,
    check_place,
    check_reserve,
    mode_of,
)
from steelyard.simulation.conditions import MarketConditions, market_in
from steelyard.simulation.coverage import notes_on
from steelyard.simulation.fast import FastReplay, is_supported
from steelyard.simulation.inputs import check_fits, read_events, schedule_of
from steelyard.simulation.record import Record
from steelyard.simulation.reference import Member, Replay, member_of
from steelyard.simulation.run_protocols import Sources
from steelyard.simulation.running_statistics import Tally, tracked_bars
from steelyard.simulation.series_argument import series_of
from steelyard.simulation.summary import summarise

if TYPE_CHECKING:
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
    """The result of a simulation.

    Attributes:
        series: the token.
        prices: the bars that were run.
        intrabar: ``"close"`` or ``"path"``.
        summary: the figures of ``simulate --json``, as a dict.
        state: the state of the token at the end, from which a later run can start.
        nav_columns, rebalance_columns, cost_columns, flow_columns, suspension_columns: the tables
            below as dicts of arrays; arrays whose value is the same at every bar are read-only.
        splits: number of tokens now for each token of the launch; float64, shape (bars,).
    """

    series: Series
    prices: Prices
    intrabar: str
    summary: dict[str, Any]
    state: State[Any]
    nav_columns: run_tables.Columns
    splits: npt.NDArray[np.float64]
    _record: Record[Any]
    _marks: Marks
    _sums_before: Totals[Any]
    _suspended: Sequence[tuple[int, int]] = ()
    _sources: Sources | None = None
    """None if the run cannot be made again: it continued from a state, or shared its reserve."""
    _book: Sequence[Sequence[float]] | None = None
    """The columns of the order book that it trades on; None if it trades on none."""

    @cached_property
    def rebalance_columns(self) -> run_tables.Columns:
        """The columns of ``rebalances``, computed on demand, because most callers only need nav."""
        return run_tables.rebalance_columns(self._record)

    @cached_property
    def cost_columns(self) -> run_tables.Columns:
        """The columns of ``costs``, computed on demand."""
        return run_tables.cost_columns(
            self.prices, self._record, self._marks, self.intrabar, self._sums_before
        )

    @cached_property
    def flow_columns(self) -> run_tables.Columns:
        """The columns of ``flows``, computed on demand."""
        return run_tables.flow_columns(self._record)

    @cached_property
    def suspension_columns(self) -> run_tables.Columns:
        """The columns of ``suspensions``, computed on demand."""
        return run_tables.suspension_columns(self._suspended)

    @cached_property
    def nav(self) -> pd.DataFrame:
        """One row per bar: time, price, nav (per token), leverage, tokens, reserve (units)."""
        return run_tables.to_pandas(self.nav_columns)

    @cached_property
    def rebalances(self) -> pd.DataFrame:
        """One row per executed trade, the launch included.

        Units, notional and costs are of the whole fund; notional and costs are in quote.
        """
        return run_tables.to_pandas(self.rebalance_columns)

    @cached_property
    def costs(self) -> pd.DataFrame:
        """One row per bar: cumulative costs by kind, and the part that the reserve paid (quote)."""
        return run_tables.to_pandas(self.cost_columns)

    @cached_property
    def flows(self) -> pd.DataFrame:
        """One row per creation (tokens > 0) or redemption.

        Nav is per token; the other amounts are those of the order, in quote.
        """
        return run_tables.to_pandas(self.flow_columns)

    @cached_property
    def suspensions(self) -> pd.DataFrame:
        """One row per span in which the reserve suspended raising leverage: from, to."""
        return run_tables.to_pandas(self.suspension_columns)

    def plot(self) -> Any:  # noqa: ANN401 (plotly ships no types)
        """The run as an interactive figure: nav, leverage, costs, reserve."""
        from steelyard.report.figure import run_figure
        from steelyard.simulation.report_input import report_run

        return run_figure(report_run(self))

    def save(self, folder: str | Path) -> None:
        """Write tables, summary and page into ``folder``, everything ``simulate --out`` writes.

        Raises:
            InputError: ``folder`` cannot be a folder or cannot be written to.
        """
        from steelyard.simulation.run_folder import save_run

        save_run(self, folder)

    def document(self) -> Document:
        """The document from which terminal output, text, notebook and page are rendered."""
        from steelyard.simulation.run_document import run_document

        return run_document(self)

    def _repr_html_(self) -> str:
        """The run as HTML for notebooks."""
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
    intrabar: str | None = None,
    state: State[Num] | None = None,
    number: Number[Num] = FLOAT,  # type: ignore[assignment]  # the default of one of three kinds
    engine: str = "fast",
    journal: str | Path | InMemory | None = None,
    progress: Callable[[int], None] | None = None,
) -> Run:
    """Simulate one series over a feed; ``sy.simulate`` does this for one series.

    Args:
        series: the token, in the forms that ``sy.simulate`` accepts.
        feed: a ``Feed``, or bare prices.
        intrabar: as in ``sy.simulate``, like all that follow.
        state: the state to continue from.
        number: the kind of number to compute in.
        engine: ``"fast"`` or ``"reference"``.
        journal: where to record all events.
        progress: called at times with the number of bars done.

    Raises:
        InputError: the series and the options do not fit together, or a rule rebalances without end
            inside a bar.
        DataError: a file is invalid, or no bar is left.
    """
    series = series_of(series)
    check_kind("number", number, Number, "steelyard.rules.numbers")
    check_place("journal", journal)
    if state is not None:
        check_kind("state", state, State, "run.state")
    check_engine(engine)
    history = feed_of(feed)
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
    market: MarketConditions,
    state: State[Any] | None,
    number: Number[Any],
    engine: str,
    progress: Callable[[int], None] | None,
    kept: Recording | None = None,
) -> Run:
    """Run a series over a feed, and record it in a journal if there is one."""
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
    """Run a token through its bars on the engine that was chosen; ``state`` is changed.

    A run with a journal uses the reference, because the journal needs an observation at each full
    hour.
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
    """The figures of the starting state that a run needs at its end."""

    reserve_units: float
    totals: Totals[Any]
    suspended_since: int | None
    """Epoch seconds of the last scheduled observation if the reserve is suspended; else None."""

    @classmethod
    def of(cls, state: State[Any]) -> Before:
        """Take the figures from a state that a run is about to change."""
        since = state.time if state.reserve.suspended else None
        return cls(float(state.reserve.units), replace(state.totals), since)


def span_of(bars: Prices, state: State[Any] | None) -> tuple[int, int]:
    """The instants between which a run is charged for time, in epoch seconds.

    The first instant is exclusive and the second inclusive.
    """
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
    """The result of a fund that has been run through its bars.

    Args:
        member: the fund.
        marks: its figures, one for each bar.
        bars: the bars that were run.
        mode: ``close`` or ``path``.
        before: the figures of the state that it started from.
        health: figures of a shared reserve.
        last: epoch seconds of the last scheduled observation of any fund on a shared reserve.
    """
    series, state = member.series, member.state
    last = state.time or 0 if last is None else last
    tally = Tally(bars.close, series.target_leverage, tracked_bars(bars, mode, state.ended))
    nav = run_tables.nav_columns(bars, marks, tally)
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
