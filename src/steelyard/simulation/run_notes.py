"""What a person should know beside the figures of a run: one channel, for terminal and page.

A note says what data cannot show, or what is unlikely to be meant. The notes on inputs stand in the
summary as well.
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
    from steelyard.simulation.kept import DrawnRun

__all__ = ["is_unfunded", "order_note", "run_notes", "shared_notes"]

FEWEST_RETURNS = 2
LATE_S = 300
"""What acts no later than this after it was due is on time."""
MOST_TURNS = 1_000
MOST_NAMES = 3
"""Of those whom a note concerns."""


def run_notes(run: DrawnRun) -> Iterator[str]:
    """One sentence for each thing worth saying, the weightiest first."""
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
            f"{bars.source} has {counted(len(bars.gaps), 'gap')}, {missing} in all; not filled in, "
            f'"steelyard data check" says more.'
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
            f"the reserve was below its floor for {duration_words(pool['suspended_s'])} in all: "
            f"{counted(blocked, 'rebalance')} that would have raised leverage not made."
        )


def is_unfunded(run: DrawnRun) -> bool:
    """Whether it is a perpetual to which nothing was ever charged for funding."""
    return run.series.venue.kind == "perpetual" and not run.summary["costs"]["funding"]


def shared_notes(of: Mapping[str, Iterable[str]]) -> list[str]:
    """The notes on several runs, each once: what does not concern all of them names whom."""
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
    """What walking through bars assumes."""
    bars, inside = ("daily bars", "a day") if step_s == DAY_S else ("bars", "a bar")
    return (
        f"{bars} do not say in which order prices came inside {inside}: the worst order is "
        f"assumed, first the extreme that hurts the token."
    )


def _coarse_clock(series: Series, bars: Prices, intrabar: str) -> Iterator[str]:
    """Triggers that follow the clock, where bars are too long for them."""
    how, step = series.rebalance, bars.step_s
    if step <= 0:
        return
    at = "opens" if intrabar == "path" else "closes"
    # bars begin and end at these seconds after a multiple of their length
    offset = int(bars.time[0]) % step
    if how.daily is not None:
        late = _late(how.daily.at_s, step, offset)
        if late > LATE_S:
            acts = clock_words((how.daily.at_s + late) % DAY_S)
            near = how.daily.at_s + late - (step if 2 * late > step else 0)
            yield (
                f"the clock is read at {at} of bars of {duration_words(step)}: what is due at "
                f"{clock_words(how.daily.at_s)} UTC waits for the next one, at {acts}, "
                f'{_hours(late)} late; at = "{clock_words(near % DAY_S)}" acts at the nearest.'
            )
    if how.interval is not None and how.interval.every_s >= step:
        late = max(
            _late(how.interval.anchor_s + turn * how.interval.every_s, step, offset)
            for turn in range(min(MOST_TURNS, step))
        )
        if late > LATE_S:
            yield (
                f"the clock is read at {at} of bars of {duration_words(step)}: an interval of "
                f"{duration_words(how.interval.every_s)} from {clock_words(how.interval.anchor_s)} "
                f"UTC acts up to {_hours(late)} late."
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
    """Seconds from an instant to the next clock observation of bars of one length."""
    return (offset_s - due_s) % step_s


def _hours(seconds: int) -> str:
    """A delay as a person reads it: ``58 min``, ``23 h 58 min``."""
    hours, minutes = seconds // 3_600, -(-(seconds % 3_600) // 60)
    return " ".join([f"{hours} h"] * (hours > 0) + [f"{minutes} min"] * (minutes > 0))
