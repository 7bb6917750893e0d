"""Several series on one reserve: a shelf of tokens that share what pays for them.

They live through the same prices. At each clock observation all accrue first; then the reserve is
fed and judged once, by their total nav; then each acts, in the order in which they were given, and
the reserve pays in that order too. Inside a bar the price is one for all: of the thresholds on its
way the earliest acts, whosever it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from steelyard.errors import InputError
from steelyard.fund.state import ReserveState, State, new_state
from steelyard.market import Feed, Prices, feed_of
from steelyard.market.price_feed import BY_SYMBOL, check_symbols, events_of, for_series
from steelyard.rules.numbers import FLOAT, Num, Number
from steelyard.rules.series import Reserve, Series
from steelyard.simulation.checks import (
    check_goes_on,
    check_kind,
    check_place,
    check_several,
    mode_of,
)
from steelyard.simulation.conditions import market_in
from steelyard.simulation.frames import nav_columns
from steelyard.simulation.health import reserve_health
from steelyard.simulation.inputs import check_useful, fits, read_schedule
from steelyard.simulation.marks import marks_of_rows
from steelyard.simulation.named import series_of
from steelyard.simulation.reference import Member, Replay, member_of
from steelyard.simulation.run import Before, Run, run_of, span_of
from steelyard.simulation.tally import Tally
from steelyard.simulation.walk import walk

if TYPE_CHECKING:
    from steelyard.report.document import Document
    from steelyard.simulation.journalling import InMemory, Recording

__all__ = ["ShelfRun", "simulate_shelf"]

RESERVE_NAME = "reserve:shared"
"""Names the shared reserve in effects."""


@dataclass(frozen=True, eq=False)
class ShelfRun:
    """What a simulation of several series on one reserve found.

    Attributes:
        runs: one a series, in their order; the reserve in each is the shared one.
        summary: ``{"schema", "reserve", "series": [a summary each]}``.
        states: the tokens at the end; a later run can start from them.
    """

    runs: tuple[Run, ...]
    summary: dict[str, Any]
    states: list[State[Any]]

    def save(self, folder: str | Path) -> None:
        """Write a folder a series into ``folder``, and ``summary.json`` and the page of them all.

        Raises:
            InputError: where ``folder`` cannot be a folder or cannot be written to.
        """
        from steelyard.simulation.output import save_shelf

        save_shelf(self.runs, self.summary, folder)

    def document(self) -> Document:
        """All that is shown of it: terminal, text, notebook and page are made of it."""
        from steelyard.simulation.runs_document import shared_document

        return shared_document(self.runs, self.summary["reserve"])

    def _repr_html_(self) -> str:
        """For notebooks."""
        from steelyard.report.html import fragment

        return fragment(self.document())

    def __repr__(self) -> str:
        symbols = ", ".join(run.series.symbol for run in self.runs)
        reserve = self.summary["reserve"]
        return (
            f"<ShelfRun {symbols}: {len(self.runs[0].prices):,} bars, reserve "
            f"{reserve['initial']:g} -> {reserve['final']:.6g} units>"
        )


def simulate_shelf(
    series: Sequence[Series | str],
    feed: object,
    *,
    reserve: Reserve,
    intrabar: str | None = None,
    states: Sequence[State[Num]] | None = None,
    number: Number[Num] = FLOAT,  # type: ignore[assignment]  # the default of one of three kinds
    journal: str | Path | InMemory | None = None,
    progress: Callable[[int], None] | None = None,
) -> ShelfRun:
    """Run several series over one feed, on one reserve: ``sy.simulate`` with ``reserve``.

    Args:
        series: the tokens, of one underlying, without a reserve of their own.
        feed: a ``Feed``, or bare prices; its flows, splits and ends are by symbol, its injections
            go into the shared reserve, and its outages are those of the one keeper of all.
        reserve: the shared reserve, from ``Reserve.load``.
        intrabar: ``"path"`` or ``"close"``; in a bar's path the extreme that hurts the tokens
            together comes first: the low where their targets, weighted by assets, are long.
        states: where to go on from: the ``states`` of an earlier run; they are not changed.
        number: the kind of number to compute in.
        journal: where to write all that happens, as ``simulate`` takes it.
        progress: called now and then with the number of bars done.

    Raises:
        InputError: where the series do not go together or with the options.
        DataError: where a file is not what it should be, or no bar is left.
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
    _check_shelf(members)
    history = feed_of(feed)
    for option in BY_SYMBOL:
        table = getattr(history, option)
        if table is not None:
            check_kind(option, table, Mapping, "a mapping by symbol")
    check_symbols(history, (token.symbol for token in members))
    mode = mode_of(intrabar, history.bars)
    check_useful(history.given(), members)
    asked = Asked(members, reserve, history, mode, number, progress)
    if journal is None:
        return _run_shelf(asked, states)
    # imported here: a journal's stores take time to load, and most runs write none
    from steelyard.simulation.journalling import recording

    books = [market_in(history, token, mode).book for token in members]
    with recording(journal, members, number, mode, name=RESERVE_NAME, order_books=books) as kept:
        found = _run_shelf(asked, states or kept.states, kept)
        kept.finish()
    return found


class Asked(NamedTuple):
    """What a run of several series was asked for."""

    members: Sequence[Series]
    reserve: Reserve
    feed: Feed
    mode: str
    number: Number[Any]
    progress: Callable[[int], None] | None


def _run_shelf(
    asked: Asked, states: Sequence[State[Any]] | None, kept: Recording | None = None
) -> ShelfRun:
    """The run over a feed, and its journal."""
    members, reserve, number, feed = asked.members, asked.reserve, asked.number, asked.feed
    bars, mode = feed.bars, asked.mode
    if states is None:
        pool = ReserveState.of(number.of(reserve.initial_units))
        held = [new_state(token, number, pool) for token in members]
    else:
        for state in states:
            check_goes_on(state, bars, mode)
        # together, so that they go on sharing one reserve
        held = [state.copy() for state in states]
        for state in held:
            state.reserve = held[0].reserve
    span, goes_on = span_of(bars, held[0]), states is not None
    fed = read_schedule(members[0], number, {"injections": feed.injections}, span, goes_on=goes_on)
    replayed = []
    for token, state in zip(members, held, strict=True):
        # injections go into the reserve of all, once
        given = events_of(for_series(feed, token.symbol).without("injections"))
        fitting = {option: table for option, table in given.items() if fits(option, token)}
        schedule = read_schedule(token, number, fitting, span, goes_on=goes_on)
        replayed.append(member_of(token, number, schedule, state, market_in(feed, token, mode)))
    before = [Before.of(state) for state in held]
    replay = Replay(replayed, fed, RESERVE_NAME)
    replay.write_into(None if kept is None else kept.recorder(held))
    with number.context():
        walk(replay, bars, mode, number, asked.progress)
    return _shelf_run(replayed, reserve, bars, mode, before)


def _shelf_run(
    members: Sequence[Member[Any]],
    reserve: Reserve,
    bars: Prices,
    mode: str,
    before: Sequence[Before],
) -> ShelfRun:
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
    return ShelfRun(runs, summary, [member.state for member in members])


def _on_shared(given: Series | str, reserve: Reserve) -> Series:
    token = series_of(given)
    if token.reserve is not None:
        message = (
            f"{token.symbol}: expected a series without a reserve of its own, found a table "
            f"[reserve]; leave it out where several share one."
        )
        raise InputError(message, symbol=token.symbol)
    return replace(token, reserve=reserve)


def _check_shelf(members: Sequence[Series]) -> None:
    if not members:
        raise InputError("expected at least one series, found none.")
    symbols: set[str] = set()
    for token in members:
        if token.symbol in symbols:
            message = f"{token.symbol}: expected series of different symbols, found it twice."
            raise InputError(message, symbol=token.symbol)
        symbols.add(token.symbol)
        first = members[0]
        if token.underlying != first.underlying:
            message = (
                f"{token.symbol}: expected the underlying of {first.symbol}, {first.underlying}, "
                f"in which the shared reserve is held, found {token.underlying}."
            )
            raise InputError(message, symbol=token.symbol, underlying=token.underlying)
