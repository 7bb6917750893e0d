"""``sy.simulate``: one series over a feed, or several series on one reserve."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, overload

from steelyard.errors import InputError
from steelyard.rules.numbers import FLOAT, Num, Number
from steelyard.rules.series import Reserve, Series
from steelyard.simulation import run, shelf
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
) -> shelf.ShelfRun: ...


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
) -> run.Run | shelf.ShelfRun:
    """Run a series over a feed by the rules, with every cost and flow accounted for.

    Args:
        series: the token, from ``Series.load``; or the path of its file, or the name of a preset.
            One that was made in Python is held to what a file may say. With ``reserve`` a list of
            such series, of one underlying and without a reserve of their own.
        feed: a ``Feed``; or bare prices, from any source that ``Feed`` takes, such as a path, a
            frame or ``"BTC"``.
        reserve: the reserve that several series share, from ``Reserve.load``. They act in the
            order in which they are given, and the reserve pays in that order.
        intrabar: ``"path"`` (default where open, high and low are there) or ``"close"``.
        state: where to go on from: the ``state`` of an earlier run, of several series its
            ``states``; it is not changed.
        number: the kind of number to compute in; frames and summary are floats in any case.
        engine: ``"fast"`` goes from event to event; ``"reference"`` observes every bar, as the
            specification reads. They make the same trades and agree to 1e-12. What the fast one
            does not know, kinds of number other than floats, and several series on one reserve
            run by the reference.
        journal: where to write all that happens, a file or ``postgresql://...``; where it holds
            the token already, the run goes on from there.
        progress: called now and then with the number of bars done.

    Returns:
        A ``Run``; of several series a ``ShelfRun``, with a ``Run`` for each.

    Raises:
        InputError: where the series, the inputs and the options do not go together, or a rule
            never rests.
        DataError: where a file is not what it should be, or no bar is left.
    """
    if reserve is None:
        if isinstance(series, list | tuple):
            message = (
                "several series: expected reserve=..., which they share, found none; to set rules "
                "side by side, use compare."
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
    return shelf.simulate_shelf(
        series,
        feed,
        reserve=reserve,
        intrabar=intrabar,
        states=state,
        number=number,
        journal=journal,
        progress=progress,
    )
