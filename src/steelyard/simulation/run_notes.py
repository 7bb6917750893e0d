"""Notes on a run: what a person should know in addition to the figures, on terminal and page.

A note tells what the data cannot show, or what was probably not intended. The notes on inputs are
also in the summary.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from steelyard.market.times import DAY_S
from steelyard.report.number_format import counted, day, money
from steelyard.rules.describe import clock_words, duration_words

if TYPE_CHECKING:
    from steelyard.market import Prices
    from steelyard.rules.series import Series
    from steelyard.simulation.run_protocols import DrawnRun

__all__ = ["is_unfunded", "order_note", "run_notes", "shared_notes"]

FEWEST_RETURNS = 2
LATE_S = 300
"""An action at most this many seconds after it was due counts as punctual."""
MOST_TURNS = 1_000
MOST_NAMES = 3
"""The most names that a note lists."""


def run_notes(run: DrawnRun) -> Iterator[str]:
    """The notes on a run, one sentence each, the most important first."""
    bars, ended = run.prices, run.summary["wiped_out"]
    if ended is not None:
        how = "liquidated" if ended["reason"] == "liquidated" else "left without nav"
        yield (
            f"{run.series.symbol} was {how} at {day(ended['time'])} UTC, at a price of "
            f"{money(ended['price'])}, and is flat from then on."
        )
    yield from run.summary.get("notes", ())
    if len(bars.gaps):
        missing = duration_words(int(bars.gaps.missing_s.sum()))
        yield (
            f"{bars.source} has {counted(len(bars.gaps), 'gap')}, {missing} in all. Gaps are not "
            f'filled in; "steelyard data check" describes them.'
        )
    if run.summary["intrabar"] == "path":
        yield order_note(bars.step_s)
    yield from _coarse_clock(run.series, bars, run.summary["intrabar"])
    if is_unfunded(run):
        yield "no funding was given: the perpetual neither pays nor receives any."
    pool = run.summary["reserve"]
    if pool is not None and pool["suspended_s"]:
        blocked = run.summary["rebalances"]["blocked"]
        yield (
            f"the reserve was below its floor for {duration_words(pool['suspended_s'])} in all, "
            f"and {counted(blocked, 'rebalance')} that would have raised leverage did not happen."
        )


def is_unfunded(run: DrawnRun) -> bool:
    """Whether the series is a perpetual and no funding was ever charged to it."""
    return run.series.venue.kind == "perpetual" and not run.summary["costs"]["funding"]


def shared_notes(of: Mapping[str, Iterable[str]]) -> list[str]:
    """The notes on several runs without repetition; a note on some of them names these."""
    said: dict[str, list[str]] = {}
    for name, notes in of.items():
        for note in notes:
            said.setdefault(note, []).append(name)
    return [
        note if len(names) == len(of) else f"{_listed(names)}: {note}"
        for note, names in said.items()
    ]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def order_note(step_s: int) -> str:
    """The note on the order of prices that is assumed inside bars."""
    bars, inside = ("daily bars", "a day") if step_s == DAY_S else ("bars", "a bar")
    return (
        f"{bars} do not say in which order prices came inside {inside}: the worst order is "
        f"assumed, first the extreme that hurts the token."
    )


def _coarse_clock(series: Series, bars: Prices, intrabar: str) -> Iterator[str]:
    """Notes on triggers of the clock for which the bars are too long."""
    how, step = series.rebalance, bars.step_s
    if step <= 0:
        return
    at = "opens" if intrabar == "path" else "closes"
    # bars begin and end this many seconds after a multiple of their length
    offset = int(bars.time[0]) % step
    if how.daily is not None:
        late = _late(how.daily.at_s, step, offset)
        if late > LATE_S:
            acts = clock_words((how.daily.at_s + late) % DAY_S)
            near = how.daily.at_s + late - (step if 2 * late > step else 0)
            yield (
                f"the clock is read at {at} of bars of {duration_words(step)}: a rebalance that is "
                f"due at {clock_words(how.daily.at_s)} UTC waits for the next one, at {acts}, "
                f'{_hours(late)} late; with at = "{clock_words(near % DAY_S)}" it acts at the '
                f"nearest one."
            )
    if how.interval is not None and how.interval.every_s >= step:
        late = max(
            _late(how.interval.anchor_s + turn * how.interval.every_s, step, offset)
            for turn in range(min(MOST_TURNS, step))
        )
        if late > LATE_S:
            yield (
                f"the clock is read at {at} of bars of {duration_words(step)}: rebalances at an "
                f"interval of {duration_words(how.interval.every_s)} from "
                f"{clock_words(how.interval.anchor_s)} UTC are made up to {_hours(late)} late."
            )
    if how.interval is not None and how.interval.every_s < step:
        yield (
            f"an interval of {duration_words(how.interval.every_s)} is shorter than a bar of "
            f"{duration_words(step)}: it acts once a bar."
        )
    if how.volatility is not None and how.volatility.window_s < FEWEST_RETURNS * step:
        yield (
            f"a volatility window of {duration_words(how.volatility.window_s)} holds fewer than "
            f"two bars of {duration_words(step)}: it may never act."
        )


def _late(due_s: int, step_s: int, offset_s: int) -> int:
    """The seconds from an instant to the next scheduled observation of bars of one length."""
    return (offset_s - due_s) % step_s


def _hours(seconds: int) -> str:
    """A delay in words: ``58 min``, ``23 h 58 min``."""
    hours, minutes = seconds // 3_600, -(-(seconds % 3_600) // 60)
    return " ".join([f"{hours} h"] * (hours > 0) + [f"{minutes} min"] * (minutes > 0))
