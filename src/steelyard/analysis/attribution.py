"""Explain a run: make those it differs from by one thing at a time, and hold them side by side."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from steelyard.analysis.explanation import Explanation, Held
from steelyard.analysis.steps import Variant, step_names, unrebalanced, variants
from steelyard.errors import InputError
from steelyard.fund.state import new_state
from steelyard.market import Prices, format_time
from steelyard.market.days import day_ends
from steelyard.rules.series import Series
from steelyard.simulation.conditions import NO_MARKET
from steelyard.simulation.run import Run, Sources, replayed, simulate
from steelyard.simulation.tally import lived_bars

__all__ = ["explain", "explain_run", "run_for"]

Floats = npt.NDArray[np.float64]


def explain(
    series: Series | Run | str,
    feed: object = None,
    *,
    intrabar: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> Explanation:
    """Say where the return of a run went, step by step; given a series and a feed, run it first.

    Args:
        series: a run, which is explained as it is; or a token, as ``simulate`` takes it.
        feed: with a token, the ``Feed`` or the bare prices that it is run over.
        intrabar: with a token, ``"path"`` or ``"close"``.
        progress: called now and then with the number of bars done, all runs together.

    Raises:
        InputError: what ``simulate`` raises; the run went on from a state, or shared its reserve;
            a run that differs from it by a step cannot be made; or there is a feed beside a run.
        DataError: where a file is not what it should be, or no bar is left.
    """
    return explain_run(run_for("explain", series, feed, intrabar, progress), progress)


def run_for(
    what: str,
    series: Series | Run | str,
    feed: object,
    intrabar: str | None,
    progress: Callable[[int], None] | None,
) -> Run:
    """The run that was given, or the run of the series that was given.

    Raises:
        InputError: there is a feed beside a run, which has its own; or as ``simulate``.
    """
    if not isinstance(series, Run):
        return simulate(series, feed, intrabar=intrabar, progress=progress)
    for option, value in (("feed", feed), ("intrabar", intrabar)):
        if value is not None:
            message = (
                f"{series.series.symbol}: {what}: expected a run alone, which has its own "
                f"{option}, found {option} beside it; leave it out, or give the series instead."
            )
            raise InputError(message, symbol=series.series.symbol, option=option)
    return series


def explain_run(run: Run, progress: Callable[[int], None] | None = None) -> Explanation:
    """Say where the return of a run went; ``progress`` counts on from the run's own bars.

    Raises:
        InputError: the run cannot be made again from its launch, or one that differs from it by a
            step cannot be made.
    """
    sources, series = run._sources, run.series  # noqa: SLF001 (kept for this, and nobody else's)
    if sources is None:
        message = (
            f"{series.symbol}: explain: expected a run of one series from its launch, found one "
            f"that went on from a state or shares its reserve; simulate it by itself from its "
            f"beginning."
        )
        raise InputError(message, symbol=series.symbol)
    bars = run.prices.slice(0, lived_bars(run.prices, run.intrabar, run.state.ended))
    ends = day_ends(bars.time)
    held = np.asarray(run.nav_columns["nav"][ends] * run.splits[ends], dtype=np.float64)
    as_it_was = Variant(series, sources.events)
    made = [(as_it_was, Held(_from(series.initial_nav, held), None))]
    wanted = {**variants(series, sources.events), "unrebalanced": unrebalanced(series)}
    found: dict[str, Held] = {}
    done = len(run.prices)
    for name, variant in reversed(wanted.items()):
        line = next((line for other, line in made if other == variant), None)
        if line is None:
            step = None if progress is None else _onward(progress, done)
            line = _run_again(name, variant, sources, bars, run.intrabar, ends, step)
            made.append((variant, line))
            done += len(bars)
        found[name] = line
    tokens = _from(series.initial_tokens, run.nav_columns["tokens"][ends])
    nav = _from(series.initial_nav, run.nav_columns["nav"][ends])
    times = np.concatenate((bars.time[:1], bars.time[ends]))
    return Explanation(
        run=run,
        time=times,
        assets=nav * tokens,
        asset=_from(_first_price(run), bars.close[ends]),
        held={name: found[name].nav for name in step_names(series)},
        unrebalanced=found["unrebalanced"],
        bars=len(bars),
    )


def _run_again(
    name: str,
    variant: Variant,
    sources: Sources,
    bars: Prices,
    mode: str,
    ends: npt.NDArray[np.intp],
    progress: Callable[[int], None] | None,
) -> Held:
    """Nav at the ends of days of one token held since the launch, and when that run ended."""
    series = variant.series
    # what follows the market is impact: without it there is nothing to follow
    market = sources.market if series.costs.impact != "none" else NO_MARKET
    again = sources._replace(events=variant.events, market=market)
    state = new_state(series, sources.number)
    try:
        replay, marks = replayed(series, again, bars, mode, state, progress)
    except InputError as error:
        message = (
            f"{series.symbol}: explain: the run up to the step {name!r}, which has to be made "
            f"beside the token's own, cannot be: {error}"
        )
        raise InputError(message, symbol=series.symbol, step=name) from error
    nav = marks.held_at(np.asarray(bars.close), ends)
    ended = replay.state.ended
    return Held(_from(series.initial_nav, nav), None if ended is None else format_time(ended.time))


def _first_price(run: Run) -> float:
    return float(run.summary["underlying"]["initial"])


def _from(first: float, values: Floats) -> Floats:
    return np.concatenate(([first], values))


def _onward(progress: Callable[[int], None], before: int) -> Callable[[int], None]:
    return lambda done: progress(before + done)
