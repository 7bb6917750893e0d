"""Several series on one reserve: tokens that share the pool which pays part of their costs.

All of them see the same prices. At each scheduled observation first all of them accrue; then the
reserve receives its income and is judged once, by their total nav; then each of them acts, in the
order in which they were given, and the reserve pays in that order too. Inside a bar all have the
same price: of the thresholds on its way the earliest acts, whichever token it belongs to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from steelyard.arguments import refuse_kind
from steelyard.errors import InputError
from steelyard.fund.state import ReserveState, State, new_state
from steelyard.market import Feed, Prices, feed_of
from steelyard.market.price_feed import BY_SYMBOL, check_symbols, events_of, for_series
from steelyard.rules.numbers import FLOAT, Num, Number
from steelyard.rules.series import Reserve, Series
from steelyard.simulation.bar_loop import walk
from steelyard.simulation.bar_records import marks_of_rows
from steelyard.simulation.checks import (
    check_goes_on,
    check_kind,
    check_place,
    check_several,
    mode_of,
)
from steelyard.simulation.conditions import market_in
from steelyard.simulation.inputs import check_useful, fits, read_schedule
from steelyard.simulation.reference import Member, Replay, member_of
from steelyard.simulation.reserve_health import reserve_health
from steelyard.simulation.run import Before, Run, run_of, span_of
from steelyard.simulation.run_tables import nav_columns
from steelyard.simulation.running_statistics import Tally
from steelyard.simulation.series_argument import series_of

if TYPE_CHECKING:
    from steelyard.report.document import Document
    from steelyard.simulation.journalling import InMemory, Recording

__all__ = ["SharedReserveRun", "simulate_several"]

RESERVE_NAME = "reserve:shared"
"""The name of the shared reserve in effects."""


@dataclass(frozen=True, eq=False)
class SharedReserveRun:
    """The result of a simulation of several series on one reserve.

    Attributes:
        runs: one run for each series, in their order; each shows the shared reserve.
        summary: ``{"schema", "reserve", "series": [a summary each]}``.
        states: the states of the tokens at the end, from which a later run can start.
    """

    runs: tuple[Run, ...]
    summary: dict[str, Any]
    states: list[State[Any]]

    def save(self, folder: str | Path) -> None:
        """Write a folder for each series into ``folder``, and ``summary.json`` and the page of all.

        Raises:
            InputError: ``folder`` cannot be a folder or cannot be written to.
        """
        from steelyard.simulation.run_folder import save_several

        save_several(self.runs, self.summary, folder)

    def document(self) -> Document:
        """The document from which terminal output, text, notebook and page are rendered."""
        from steelyard.simulation.runs_document import shared_document

        return shared_document(self.runs, self.summary["reserve"])

    def _repr_html_(self) -> str:
        """The run as HTML for notebooks."""
        from steelyard.report.html import fragment

        return fragment(self.document())

    def __repr__(self) -> str:
        symbols = ", ".join(run.series.symbol for run in self.runs)
        reserve = self.summary["reserve"]
        return (
            f"<SharedReserveRun {symbols}: {len(self.runs[0].prices):,} bars, reserve "
            f"{reserve['initial']:g} -> {reserve['final']:.6g} units>"
        )


def simulate_several(
    series: Sequence[Series | str],
    feed: object,
    *,
    reserve: Reserve,
    intrabar: str | None = None,
    states: Sequence[State[Num]] | None = None,
    number: Number[Num] = FLOAT,  # type: ignore[assignment]  # the default of one of three kinds
    journal: str | Path | InMemory | None = None,
    progress: Callable[[int], None] | None = None,
) -> SharedReserveRun:
    """Simulate several series over one feed, on one reserve: ``sy.simulate`` with ``reserve``.

    Args:
        series: the tokens, of one underlying and without a reserve of their own.
        feed: a ``Feed``, or bare prices; flows, splits and wind-downs are given by symbol,
            injections go into the shared reserve, and the outages are those of the one keeper of
            all.
        reserve: the shared reserve, from ``Reserve.load``.
        intrabar: ``"path"`` or ``"close"``; on a bar's path the extreme that hurts the tokens in
            total comes first, which is the low if their targets, weighted by assets, are long.
        states: the states to continue from, the ``states`` of an earlier run; they are not changed.
        number: the kind of number to compute in.
        journal: where to record all events, as in ``simulate``.
        progress: called at times with the number of bars done.

    Raises:
        InputError: the series do not fit together, or an option does not fit them.
        DataError: a file is invalid, or no bar is left.
    """
    check_kind("reserve", reserve, Reserve, "Reserve.load")
    check_kind("number", number, Number, "steelyard.rules.numbers")
    check_place("journal", journal)
    check_several("series", series, "series")
    if states is not None:
        check_several("state", states, "states")
        for state in states:
            check_kind("state", state, State, "run.state")
    members = [_on_shared(token, reserve) for token in series]
    _check_series(members)
    history = feed_of(feed)
    for option in BY_SYMBOL:
        table = getattr(history, option)
        if not (table is None or isinstance(table, Mapping)):
            refuse_kind(option, "a mapping by symbol", table)
    check_symbols(history, (token.symbol for token in members))
    mode = mode_of(intrabar, history.bars)
    check_useful(history.given(), members)
    asked = RunArguments(members, reserve, history, mode, number, progress)
    if journal is None:
        return _run_several(asked, states)
    # imported here: a journal's stores take time to load, and most runs write none
    from steelyard.simulation.journalling import recording

    books = [market_in(history, token, mode).book for token in members]
    with recording(journal, members, number, mode, name=RESERVE_NAME, order_books=books) as kept:
        found = _run_several(asked, states or kept.states, kept)
        kept.finish()
    return found


class RunArguments(NamedTuple):
    """The arguments of a run of several series."""

    members: Sequence[Series]
    reserve: Reserve
    feed: Feed
    mode: str
    number: Number[Any]
    progress: Callable[[int], None] | None


def _run_several(
    asked: RunArguments, states: Sequence[State[Any]] | None, kept: Recording | None = None
) -> SharedReserveRun:
    """Run the series over the feed, and record them in a journal if there is one."""
    members, reserve, number, feed = asked.members, asked.reserve, asked.number, asked.feed
    bars, mode = feed.bars, asked.mode
    if states is None:
        pool = ReserveState.of(number.of(reserve.initial_units))
        held = [new_state(token, number, pool) for token in members]
    else:
        for state in states:
            check_goes_on(state, bars, mode)
        # copied together, so that they still share one reserve
        held = [state.copy() for state in states]
        for state in held:
            state.reserve = held[0].reserve
    span, goes_on = span_of(bars, held[0]), states is not None
    fed = read_schedule(members[0], number, {"injections": feed.injections}, span, goes_on=goes_on)
    replayed = []
    for token, state in zip(members, held, strict=True):
        # injections go into the shared reserve, once
        given = events_of(for_series(feed, token.symbol).without("injections"))
        fitting = {option: table for option, table in given.items() if fits(option, token)}
        schedule = read_schedule(token, number, fitting, span, goes_on=goes_on)
        replayed.append(member_of(token, number, schedule, state, market_in(feed, token, mode)))
    before = [Before.of(state) for state in held]
    replay = Replay(replayed, fed, RESERVE_NAME)
    replay.write_into(None if kept is None else kept.recorder(held))
    with number.context():
        walk(replay, bars, mode, number, asked.progress)
    return _run_of_several(replayed, reserve, bars, mode, before)


def _run_of_several(
    members: Sequence[Member[Any]],
    reserve: Reserve,
    bars: Prices,
    mode: str,
    before: Sequence[Before],
) -> SharedReserveRun:
    told = []
    for member in members:
        marks = marks_of_rows(member.record)
        tally = Tally(bars.close, member.series.target_leverage, len(bars))
        told.append((member, nav_columns(bars, marks, tally), marks))
    first_price = float(bars.open[0] if mode == "path" and bars.open is not None else bars.close[0])
    health = reserve_health(
        reserve,
        [(member, columns) for member, columns, _ in told],
        bars.time if mode == "path" else bars.end_times,
        (before[0].reserve_units, first_price),
        len(bars) - 1,
    )
    last = max(member.state.time or 0 for member in members)
    runs = tuple(
        run_of(member, marks, bars, mode, each, health, last)
        for (member, _, marks), each in zip(told, before, strict=True)
    )
    summary = {
        "schema": 1,
        "reserve": runs[0].summary["reserve"],
        "series": [run.summary for run in runs],
    }
    return SharedReserveRun(runs, summary, [member.state for member in members])


def _on_shared(given: Series | str, reserve: Reserve) -> Series:
    token = series_of(given)
    if token.reserve is not None:
        message = (
            f"{token.symbol}: expected a series without a reserve of its own, found a table "
            f"[reserve]; leave it out where several share one."
        )
        raise InputError(message, symbol=token.symbol)
    return replace(token, reserve=reserve)


def _check_series(members: Sequence[Series]) -> None:
    if not members:
        raise InputError("expected at least one series, found none.")
    symbols: set[str] = set()
    for token in members:
        if token.symbol in symbols:
            message = (
                f"{token.symbol}: expected series of different symbols, found two of this one."
            )
            raise InputError(message, symbol=token.symbol)
        symbols.add(token.symbol)
        first = members[0]
        if token.underlying != first.underlying:
            message = (
                f"{token.symbol}: expected the underlying of {first.symbol}, {first.underlying}, "
                f"in which the shared reserve is held, found {token.underlying}."
            )
            raise InputError(message, symbol=token.symbol, underlying=token.underlying)
