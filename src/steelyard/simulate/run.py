"""One series over one history: the function that everyone calls, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from steelyard.errors import InputError
from steelyard.fund.state import State, Totals, new_state
from steelyard.market import Prices, read_prices
from steelyard.rules.numbers import FLOAT, Num, Number
from steelyard.rules.series import Series
from steelyard.simulate import frames
from steelyard.simulate.checks import check_goes_on, check_kind, check_reserve, mode_of
from steelyard.simulate.conditions import Market, market_of
from steelyard.simulate.fast import FastReplay, is_supported
from steelyard.simulate.inputs import ENGINES, named_files, read_events, schedule_of
from steelyard.simulate.kept import Sources
from steelyard.simulate.marks import Marks, marks_of_rows
from steelyard.simulate.record import Record
from steelyard.simulate.reference import Member, Replay, member_of
from steelyard.simulate.summary import summarise
from steelyard.simulate.tally import Tally, tracked_bars
from steelyard.simulate.walk import walk

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from steelyard.ledger.recorder import Recorder
    from steelyard.simulate.journalling import InMemory, Recording

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
            f"{nav['final']:.6g} ({nav['return']:+z.2%}), {rebalances['count']:,} rebalances>"
        )


def simulate(
    series: Series,
    prices: object,
    *,
    funding: object = None,
    rates: object = None,
    injections: object = None,
    flows: object = None,
    splits: object = None,
    outages: object = None,
    wind_down: str | float | date | None = None,
    start: str | float | date | None = None,
    end: str | float | date | None = None,
    intrabar: str | None = None,
    state: State[Num] | None = None,
    number: Number[Num] = FLOAT,  # type: ignore[assignment]  # the default of one of three kinds
    engine: str = "fast",
    journal: str | Path | InMemory | None = None,
    progress: Callable[[int], None] | None = None,
) -> Run:
    """Run a series over a history by the rules, with every cost and flow accounted for.

    Args:
        series: the token, from ``Series.load``.
        prices: a path, a pandas or polars frame, an Arrow table, or ``Prices``; what lies before
            ``start`` counts for an impact that follows the market.
        funding: ``time, rate`` for a perpetual, the same kinds of source.
        rates: ``time, rate`` per year for a spot venue.
        injections: ``time, quote, kind`` into the reserve.
        flows: ``time, tokens``: creations, and redemptions (below 0).
        splits: ``time, ratio``: tokens for one token.
        outages: ``from, to``: spans in which nothing triggers.
        wind_down: when the token is closed and redeemed at nav, after costs; None: never.
        start: first instant, inclusive (ISO 8601, epoch seconds, date or datetime, UTC); None:
            from the beginning.
        end: last instant, exclusive, likewise; None: to the end.
        intrabar: ``"path"`` (default where open, high and low are there) or ``"close"``.
        state: where to go on from: the ``state`` of an earlier run; it is not changed.
        number: the kind of number to compute in; frames and summary are floats in any case.
        engine: ``"fast"`` goes from event to event; ``"reference"`` observes every bar, as the
            specification reads. They make the same trades and agree to 1e-12. What the fast one
            does not know, and kinds of number other than floats, run by the reference.
        journal: where to write all that happens, a file or ``postgresql://...``; where it holds
            the token already, the run goes on from there.
        progress: called now and then with the number of bars done.

    Raises:
        InputError: where the series and the options do not go together, or a rule never rests.
        DataError: where a file is not what it should be, or no bar is left.
    """
    check_kind("series", series, Series, "Series.load")
    if state is not None:
        check_kind("state", state, State, "run.state")
    if engine not in ENGINES:
        message = f'engine: expected "fast" or "reference", found "{engine}".'
        raise InputError(message, found=engine, allowed=ENGINES)
    history = read_prices(prices)
    bars = history.between(start, end)
    mode = mode_of(intrabar, bars)
    market = market_of(series, history, bars, mode)
    given = {
        "funding": funding,
        "rates": rates,
        "injections": injections,
        "flows": flows,
        "splits": splits,
        "outages": outages,
        "wind_down": wind_down,
    }
    check_reserve(series)
    if journal is None:
        return _run(series, bars, mode, market, given, prices, state, number, engine, progress)
    # imported here: a journal's stores take time to load, and most runs write none
    from steelyard.simulate.journalling import recording

    with recording(journal, [series], number, mode, order_books=[market.book]) as kept:
        if state is None and kept.states is not None:
            state = kept.states[0]
        run = _run(series, bars, mode, market, given, prices, state, number, engine, progress, kept)
        kept.finish()
    return run


def _run(
    series: Series,
    bars: Prices,
    mode: str,
    market: Market,
    given: Mapping[str, Any],
    prices: object,
    state: State[Any] | None,
    number: Number[Any],
    engine: str,
    progress: Callable[[int], None] | None,
    kept: Recording | None = None,
) -> Run:
    """The run of a history that was read, and its journal."""
    if state is not None:
        check_goes_on(state, bars, mode)
    events = read_events(series, given, span_of(bars, state))
    names = named_files({**given, "prices": prices})
    made_of = Sources(events, market, number, engine, names)
    sources = made_of if state is None else None
    state = new_state(series, number) if state is None else state.copy()
    before = Before.of(state)
    recorder = None if kept is None else kept.recorder([state])
    member, marks = replayed(series, made_of, bars, mode, state, progress, recorder)
    return replace(run_of(member, marks, bars, mode, before), _sources=sources)


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
    )
