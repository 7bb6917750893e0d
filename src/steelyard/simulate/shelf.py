"""Several series on one reserve: a shelf of tokens that share what pays for them.

They live through the same prices. At each clock observation all accrue first; then the reserve is
fed and judged once, by their total nav; then each acts, in the order in which they were given, and
the reserve pays in that order too. Inside a bar the price is one for all: of the thresholds on its
way the earliest acts, whosever it is.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic

from steelyard.errors import InputError
from steelyard.market import Prices, read_prices
from steelyard.rules.numbers import FLOAT, Num, Number
from steelyard.rules.series import Reserve, Series
from steelyard.rules.triggers import Crossing, Trigger, exceeds
from steelyard.simulate.conditions import market_of
from steelyard.simulate.frames import nav_columns
from steelyard.simulate.health import reserve_health
from steelyard.simulate.inputs import NEEDS, fits, read_schedule
from steelyard.simulate.marks import marks_of_rows
from steelyard.simulate.reference import MOST_REBALANCES, Replay, new_state
from steelyard.simulate.reserve import ReserveBooks
from steelyard.simulate.run import (
    Before,
    Run,
    check_goes_on,
    check_kind,
    mode_of,
    run_of,
    span_of,
)
from steelyard.simulate.state import ReserveState, State
from steelyard.simulate.tally import Tally
from steelyard.simulate.walk import walk

if TYPE_CHECKING:
    from datetime import date

__all__ = ["Shelf", "ShelfRun", "simulate_shelf"]


class Shelf(Generic[Num]):
    """Tokens walked over a history together.

    Args:
        replays: one a token, in the order in which they act.
        reserve: the books of the reserve that all of them share.
    """

    def __init__(self, replays: Sequence[Replay[Num]], reserve: ReserveBooks[Num]) -> None:
        self.replays: list[Replay[Num]] = list(replays)
        self.reserve: ReserveBooks[Num] = reserve
        reserve.serve(self.replays)

    @property
    def fears_falls(self) -> bool:
        """Whether the tokens together are long, so that a fall hurts first."""
        return sum(_exposure(held.series) for held in self.replays) > 0

    @property
    def bar(self) -> int:
        """The bar that is being walked, the same for all."""
        return self.replays[0].bar

    @bar.setter
    def bar(self, bar: int) -> None:
        for replay in self.replays:
            replay.bar = bar

    def observe(self, time: int, price: Num) -> None:
        """A clock observation: everything may act here."""
        since = self.replays[0].state.time
        if since is None:
            self.reserve.open(time)
            for replay in self.replays:
                replay.launch(time, price)
                replay.after_trades(time, price)
            return
        since = max(replay.state.time or since for replay in self.replays)
        if not self._living():
            return
        self.reserve.count_suspension(time - since)
        self.reserve.settle_all(time, price)
        for replay in self._living():
            replay.begin(time, price)
        if not self._living():
            return
        self.reserve.feed(time, price, since)
        self.reserve.judge(price)
        self.reserve.keep_capacity(time, price)
        for replay in self.replays:
            # what one does may end another that comes after it
            if replay.state.ended is None:
                replay.act(time, price, since)

    def travel(self, time: int, start: Num, end: Num) -> None:
        """The price goes from ``start`` to ``end`` inside a bar, through all that lies between."""
        spent = dict.fromkeys(range(len(self.replays)), 0)
        stood: dict[int, Num] = {}
        rebalances = 0
        while living := self._living():
            due = self._earliest(time, start, end, spent)
            if not due:
                self.reserve.settle_all(time, end)
                for replay in living:
                    replay.arrive(time, end)
                self.reserve.keep_capacity(time, end)
                return
            start = due[0][1].price
            self.reserve.settle_all(time, start)
            held = [replay.state.units for replay in self.replays]
            for place, met in due:
                if spent[place] and is_one_price(stood[place], start):
                    # one crossing with the one before, which named it and traded nothing
                    spent[place] |= 1 << met.trigger
                    continue
                if self.replays[place].state.units != held[place]:
                    # deleveraged after another's trade here: it has to be looked at anew
                    continue
                stood[place] = start
                if self.replays[place].meet(met._replace(price=start), time):
                    # a trade moves the books of one token, and through the reserve of all
                    spent = dict.fromkeys(spent, 0)
                    rebalances += 1
                else:
                    spent[place] |= 1 << met.trigger
            if rebalances > MOST_REBALANCES:
                self.replays[due[0][0]].refuse_endless(due[0][1].trigger)

    def mark(self, price: Num) -> None:
        """Write the bar's row of each token."""
        for replay in self.replays:
            replay.mark(price)

    def _earliest(
        self, time: int, start: Num, end: Num, spent: Mapping[int, int]
    ) -> list[tuple[int, Crossing[Num]]]:
        """The first crossings of any token, and whose: the earliest, then others at its price."""
        found: list[tuple[int, Crossing[Num]]] = []
        for place, replay in enumerate(self.replays):
            if replay.state.ended is None:
                met = replay.next_crossing(time, start, end, spent[place])
                if met.trigger != Trigger.NONE:
                    found.append((place, met))
        if not found:
            return []
        prices = [met.price for _, met in found]
        earliest = min(prices) if end > start else max(prices)
        return [(place, met) for place, met in found if is_one_price(met.price, earliest)]

    def _living(self) -> list[Replay[Num]]:
        return [replay for replay in self.replays if replay.state.ended is None]


def is_one_price(price: Num, other: Num) -> bool:
    """Whether two prices are within 1e-12 of each other."""
    return not (exceeds(price, other) or exceeds(other, price))


def _exposure(series: Series) -> float:
    return series.target_leverage * series.initial_nav * series.initial_tokens


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
        from steelyard.simulate.output import save_shelf

        save_shelf(self.runs, self.summary, folder)

    def __repr__(self) -> str:
        symbols = ", ".join(run.series.symbol for run in self.runs)
        reserve = self.summary["reserve"]
        return (
            f"<ShelfRun {symbols}: {len(self.runs[0].prices):,} bars, reserve "
            f"{reserve['initial']:g} -> {reserve['final']:.6g} units>"
        )


def simulate_shelf(
    series: Sequence[Series],
    prices: object,
    *,
    reserve: Reserve,
    funding: object = None,
    rates: object = None,
    injections: object = None,
    flows: Mapping[str, object] | None = None,
    splits: Mapping[str, object] | None = None,
    outages: object = None,
    wind_down: Mapping[str, object] | None = None,
    start: str | float | date | None = None,
    end: str | float | date | None = None,
    intrabar: str | None = None,
    states: Sequence[State[Num]] | None = None,
    number: Number[Num] = FLOAT,  # type: ignore[assignment]  # the default of one of three kinds
    progress: Callable[[int], None] | None = None,
) -> ShelfRun:
    """Run several series over one history, on one reserve that they share.

    Args:
        series: the tokens, of one underlying, without a reserve of their own.
        prices: as ``simulate`` takes them.
        reserve: the shared reserve, from ``Reserve.load``.
        funding: as ``simulate`` takes it, for the perpetuals among them.
        rates: likewise, for those that borrow spot.
        injections: into the shared reserve.
        flows: creations and redemptions by symbol.
        splits: by symbol.
        outages: of the one keeper of all.
        wind_down: by symbol.
        start: first instant, inclusive.
        end: last instant, exclusive.
        intrabar: ``"path"`` or ``"close"``; in a bar's path the extreme that hurts the tokens
            together comes first: the low where their targets, weighted by assets, are long.
        states: where to go on from: the ``states`` of an earlier run; they are not changed.
        number: the kind of number to compute in.
        progress: called now and then with the number of bars done.

    Raises:
        InputError: where the series do not go together or with the options.
        DataError: where a file is not what it should be, or no bar is left.
    """
    check_kind("reserve", reserve, Reserve, "Reserve.load")
    members = [_on_shared(token, reserve) for token in series]
    _check_shelf(members)
    by_symbol = {"flows": flows, "splits": splits, "wind_down": wind_down}
    _check_symbols(members, by_symbol)
    history = read_prices(prices)
    bars = history.between(start, end)
    mode = mode_of(intrabar, bars)
    if states is None:
        pool = ReserveState.of(number.of(reserve.initial_units))
        held = [new_state(token, number, pool) for token in members]
    else:
        for state in states:
            check_goes_on(state, bars, mode)
        # together, so that they go on sharing one reserve
        held = copy.deepcopy(list(states))
    given = {"funding": funding, "rates": rates, "outages": outages}
    _check_useful(given, members)
    span = span_of(bars, held[0])
    fed = read_schedule(members[0], number, {"injections": injections}, span)
    shared = ReserveBooks(reserve, number, fed, held[0].reserve)
    replays = []
    for token, state in zip(members, held, strict=True):
        fitting = {option: source for option, source in given.items() if fits(option, token)}
        own = {option: (table or {}).get(token.symbol) for option, table in by_symbol.items()}
        schedule = read_schedule(token, number, {**fitting, **own}, span)
        market = market_of(token, history, bars, mode)
        replays.append(Replay(token, number, schedule, state, shared, market))
    before = [Before.of(state) for state in held]
    walk(Shelf(replays, shared), bars, mode, number, progress)
    return _shelf_run(replays, shared, reserve, bars, mode, before)


def _shelf_run(
    replays: Sequence[Replay[Any]],
    shared: ReserveBooks[Any],
    reserve: Reserve,
    bars: Prices,
    mode: str,
    before: Sequence[Before],
) -> ShelfRun:
    told = []
    for replay in replays:
        marks = marks_of_rows(replay.record)
        tally = Tally(bars.close, replay.series.target_leverage, len(bars))
        told.append((replay, nav_columns(bars, marks, tally), marks))
    first_price = float(bars.open[0] if mode == "path" and bars.open is not None else bars.close[0])
    health = reserve_health(
        shared,
        reserve,
        [(replay, columns) for replay, columns, _ in told],
        bars.time if mode == "path" else bars.end_times,
        (before[0].reserve_units, first_price),
    )
    runs = tuple(
        run_of(replay, marks, bars, mode, each, health)
        for (replay, _, marks), each in zip(told, before, strict=True)
    )
    summary = {
        "schema": 1,
        "reserve": runs[0].summary["reserve"],
        "series": [run.summary for run in runs],
    }
    return ShelfRun(runs, summary, [replay.state for replay in replays])


def _on_shared(token: Series, reserve: Reserve) -> Series:
    check_kind("series", token, Series, "Series.load")
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


def _check_symbols(
    members: Sequence[Series], by_symbol: Mapping[str, Mapping[str, object] | None]
) -> None:
    symbols = [token.symbol for token in members]
    for option, table in by_symbol.items():
        for symbol in table or {}:
            if symbol not in symbols:
                message = (
                    f"{option}: expected symbols of the series, {', '.join(symbols)}, found "
                    f"{symbol}."
                )
                raise InputError(message, option=option, symbol=symbol)


def _check_useful(given: Mapping[str, object], members: Sequence[Series]) -> None:
    for option, source in given.items():
        if source is not None and not any(fits(option, token) for token in members):
            message = (
                f"{option}: expected at least one series with {NEEDS[option]}, found none; "
                f"leave {option} out or add such a series."
            )
            raise InputError(message, option=option)
