"""Explain a run: simulate variants that differ by one thing at a time, and compare them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from steelyard.analysis.attribution_variants import Variant, step_names, unrebalanced, variants
from steelyard.analysis.explanation import Explanation, HeldToken
from steelyard.errors import InputError
from steelyard.fund.state import new_state
from steelyard.market import Prices, format_time
from steelyard.market.days import day_ends
from steelyard.rules.series import Series
from steelyard.simulation.conditions import NO_MARKET
from steelyard.simulation.run import Run, Sources, replayed, simulate
from steelyard.simulation.running_statistics import lived_bars

__all__ = ["explain", "explain_run", "run_for"]

Floats = npt.NDArray[np.float64]


def explain(
    series: Series | Run | str,
    feed: object = None,
    *,
    intrabar: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> Explanation:
    """Attribute the return of a run to steps; a series with a feed is simulated first.

    Args:
        series: the run that is explained, or a token in any form that ``simulate`` takes.
        feed: for a token, the ``Feed`` or the bare prices over which it is simulated.
        intrabar: for a token, ``"path"`` or ``"close"``.
        progress: called from time to time with the number of bars simulated so far in all runs.

    Raises:
        InputError: as ``simulate`` raises it; or the run continued from a state or shared its
            reserve, or a variant of it cannot be simulated, or a feed is given beside a run.
        DataError: a file is malformed, or no bar is left.
    """
    return explain_run(run_for("explain", series, feed, intrabar, progress), progress)


def run_for(
    what: str,
    series: Series | Run | str,
    feed: object,
    intrabar: str | None,
    progress: Callable[[int], None] | None,
) -> Run:
    """Return the run that was given, or simulate the series that was given.

    Raises:
        InputError: a feed is given beside a run, which has its own; or as ``simulate`` raises it.
    """
    if not isinstance(series, Run):
        return simulate(series, feed, intrabar=intrabar, progress=progress)
    for option, value in (("feed", feed), ("intrabar", intrabar)):
        if value is not None:
            message = (
                f"{series.series.symbol}: {what}: expected no {option} together with a run, which "
                f"has its own, found one; leave it out, or give the series instead of the run."
            )
            raise InputError(message, symbol=series.series.symbol, option=option)
    return series


def explain_run(run: Run, progress: Callable[[int], None] | None = None) -> Explanation:
    """Attribute the return of a run to steps; ``progress`` counts on from the run's own bars.

    Raises:
        InputError: the run cannot be simulated again from its launch, or a variant of it cannot be
            simulated.
    """
    sources, series = run._sources, run.series  # noqa: SLF001 (kept for this module)
    if sources is None:
        message = (
            f"{series.symbol}: explain: expected a run of one series from its launch, found one "
            f"that continued from a state or shares its reserve; simulate the series by itself "
            f"from its launch."
        )
        raise InputError(message, symbol=series.symbol)
    bars = run.prices.slice(0, lived_bars(run.prices, run.intrabar, run.state.ended))
    ends = day_ends(bars.time)
    held = np.asarray(run.nav_columns["nav"][ends] * run.splits[ends], dtype=np.float64)
    as_it_was = Variant(series, sources.events)
    made = [(as_it_was, HeldToken(_from(series.initial_nav, held), None))]
    wanted = {**variants(series, sources.events), "unrebalanced": unrebalanced(series)}
    found: dict[str, HeldToken] = {}
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
) -> HeldToken:
    """The nav, at the ends of days, of one token held since the launch, and the end of that run."""
    series = variant.series
    # market data is needed only for impact; a variant without impact needs none
    market = sources.market if series.costs.impact != "none" else NO_MARKET
    again = sources._replace(events=variant.events, market=market)
    state = new_state(series, sources.number)
    try:
        replay, marks = replayed(series, again, bars, mode, state, progress)
    except InputError as error:
        message = (
            f"{series.symbol}: explain: the run up to the step {name!r}, which has to be "
            f"simulated in addition to the token's own, cannot be simulated: {error}"
        )
        raise InputError(message, symbol=series.symbol, step=name) from error
    nav = marks.held_at(np.asarray(bars.close), ends)
    ended = replay.state.ended
    return HeldToken(
        _from(series.initial_nav, nav), None if ended is None else format_time(ended.time)
    )


def _first_price(run: Run) -> float:
    return float(run.summary["underlying"]["initial"])


def _from(first: float, values: Floats) -> Floats:
    return np.concatenate(([first], values))


def _onward(progress: Callable[[int], None], before: int) -> Callable[[int], None]:
    return lambda done: progress(before + done)
