"""The function ``sy.simulate``: one series over a feed, or several series on one reserve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, overload

from steelyard.errors import InputError
from steelyard.rules.numbers import FLOAT, Num, Number
from steelyard.rules.series import Reserve, Series
from steelyard.simulation import run, shared_reserve
from steelyard.simulation.checks import check_engine, check_several

if TYPE_CHECKING:
    from pathlib import Path

    from steelyard.fund.state import State
    from steelyard.simulation.journalling import InMemory

__all__ = ["simulate"]


@overload
def simulate(
    series: Series | str | Path,
    feed: object,
    *,
    reserve: None = None,
    intrabar: str | None = None,
    state: State[Num] | None = None,
    number: Number[Num] = ...,
    engine: str = "fast",
    journal: str | Path | InMemory | None = None,
    progress: Callable[[int], None] | None = None,
) -> run.Run: ...


@overload
def simulate(
    series: Sequence[Series | str],
    feed: object,
    *,
    reserve: Reserve,
    intrabar: str | None = None,
    state: Sequence[State[Num]] | None = None,
    number: Number[Num] = ...,
    engine: str = "fast",
    journal: str | Path | InMemory | None = None,
    progress: Callable[[int], None] | None = None,
) -> shared_reserve.SharedReserveRun: ...


def simulate(
    series: Any,
    feed: object,
    *,
    reserve: Reserve | None = None,
    intrabar: str | None = None,
    state: Any = None,
    number: Any = FLOAT,
    engine: str = "fast",
    journal: str | Path | InMemory | None = None,
    progress: Callable[[int], None] | None = None,
) -> run.Run | shared_reserve.SharedReserveRun:
    """Simulate a series over a feed by its rules, with every cost and every flow.

    Args:
        series: the token, as a ``Series``, the path of its file, or the name of a preset. A series
            that was made in Python must satisfy the rules of a series file. With ``reserve`` it is
            a list of such series, of one underlying and without a reserve of their own.
        feed: a ``Feed``, or bare prices from any source that ``Feed`` accepts, such as a path, a
            frame or ``"BTC"``.
        reserve: the reserve that several series share, from ``Reserve.load``. They act in the order
            in which they are given, and the reserve pays in that order.
        intrabar: ``"path"`` (the default if open, high and low are present) or ``"close"``.
        state: the state to continue from: the ``state`` of an earlier run, or the ``states`` of a
            run of several series; it is not changed.
        number: the kind of number to compute in; frames and summary are floats in any case.
        engine: ``"fast"`` goes from event to event; ``"reference"`` observes every bar, as the
            specification describes. Both make the same trades and agree to 1e-12. Kinds of number
            other than floats, and several series on one reserve, always run on the reference.
        journal: where to record all events, a file or ``postgresql://...``; if it already holds the
            token, the run continues from there.
        progress: called at times with the number of bars done.

    Returns:
        A ``Run``; for several series a ``SharedReserveRun``, which holds a ``Run`` for each.

    Raises:
        InputError: the series, the inputs and the options do not fit together, or a rule rebalances
            without end inside a bar.
        DataError: a file is invalid, or no bar is left.
    """
    if reserve is None:
        if isinstance(series, list | tuple):
            message = (
                "several series: expected reserve=..., which they share, found none; to compare "
                "rules, use compare."
            )
            raise InputError(message, argument="reserve")
        return run.simulate(
            series,
            feed,
            intrabar=intrabar,
            state=state,
            number=number,
            engine=engine,
            journal=journal,
            progress=progress,
        )
    check_engine(engine)
    check_several("series", series, "series")
    return shared_reserve.simulate_several(
        series,
        feed,
        reserve=reserve,
        intrabar=intrabar,
        states=state,
        number=number,
        journal=journal,
        progress=progress,
    )
