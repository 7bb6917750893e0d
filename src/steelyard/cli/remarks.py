"""What a person should know beside the figures: what data cannot show, what is unlikely meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from steelyard.cli.figures import counted, day, percent
from steelyard.rules.describe import clock_words, duration_words

if TYPE_CHECKING:
    from steelyard.market import Prices
    from steelyard.rules.reach import Reach
    from steelyard.rules.series import Series
    from steelyard.simulate.run import Run

__all__ = ["order_remark", "remarks", "series_warnings"]

DAY_S = 86_400
FEWEST_RETURNS = 2
CLOCKS = frozenset({"volatility", "interval", "daily", "fallback"})


def remarks(run: Run, bars: Prices, *, funded: bool) -> Iterator[str]:
    """One sentence for each thing worth saying, the weightiest first."""
    ended = run.summary["wiped_out"]
    if ended is not None:
        how = "liquidated" if ended["reason"] == "liquidated" else "left without nav"
        yield f"{run.series.symbol} was {how} at {day(ended['time'])} UTC and is flat from then on."
    if len(bars.gaps):
        missing = duration_words(int(bars.gaps.missing_s.sum()))
        yield (
            f"{bars.source} has {counted(len(bars.gaps), 'gap')}, {missing} in all; not filled in, "
            f'"steelyard data check" says more.'
        )
    if run.intrabar == "path":
        yield order_remark(bars.step_s)
    yield from _coarse_clock(run.series, bars, run.intrabar)
    if run.series.venue.kind == "perpetual" and not funded:
        yield "no --funding was given: the perpetual neither pays nor receives any."
    pool = run.summary["reserve"]
    if pool is not None and pool["suspended_s"]:
        blocked = run.summary["rebalances"]["blocked"]
        yield (
            f"the reserve was below its floor for {duration_words(pool['suspended_s'])} in all: "
            f"{counted(blocked, 'rebalance')} that would have raised leverage not made."
        )


def order_remark(step_s: int) -> str:
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
    if how.daily is not None and how.daily.at_s % step:
        yield (
            f"the clock is read at {at} of bars of {duration_words(step)}: what is due at "
            f"{clock_words(how.daily.at_s)} UTC waits for the next one."
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


def series_warnings(series: Series, found: Sequence[Reach]) -> Iterator[str]:
    """What is no mistake in a series file and yet may not be meant."""
    names = series.rebalance.trigger_names
    end = next((reach for reach in found if reach.trigger == "liquidation"), None)
    for reach in found:
        if end is not None and reach is not end and reach.move / end.move >= 1:
            yield (
                f"{reach.trigger} is met at a move of {percent(reach.move, signed=True)}, but the "
                f"position is liquidated at {percent(end.move, signed=True)} already."
            )
    if not names:
        yield "there is no trigger: the token never trades after its launch."
    elif CLOCKS.issuperset(names) and end is not None:
        yield (
            "only the clock lowers leverage: between its instants a crash can wipe the token out; "
            "a band, a move or an emergency acts at any price."
        )
    if series.costs.impact == "book" and series.costs.half_spread_bps > 0:
        yield (
            "half_spread_bps is paid on top of the book, whose distances from mid contain the "
            "spread already; set it to 0."
        )
    if series.venue.kind == "perpetual" and series.venue.maintenance_margin == 0:
        yield (
            "venue.maintenance_margin is 0, so only a nav of nothing ends the token; exchanges "
            "liquidate at 0.4 to 1 % of notional."
        )
