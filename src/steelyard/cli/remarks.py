"""Warnings about settings of a series that are valid but may be unintended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from steelyard.report.number_format import percent

if TYPE_CHECKING:
    from steelyard.rules.reach import Reach
    from steelyard.rules.series import Series

__all__ = ["series_warnings"]

CLOCKS = frozenset({"volatility", "interval", "daily", "fallback"})


def series_warnings(series: Series, found: Sequence[Reach]) -> Iterator[str]:
    """Warnings about settings that are valid but may be unintended."""
    names = series.rebalance.trigger_names
    end = next((reach for reach in found if reach.trigger == "liquidation"), None)
    for reach in found:
        if end is not None and reach is not end and reach.move / end.move >= 1:
            yield (
                f"{reach.trigger} is met at a move of {percent(reach.move, signed=True)}, but the "
                f"position is already liquidated at {percent(end.move, signed=True)}."
            )
    if not names:
        yield "there is no trigger: the token never trades after its launch."
    elif CLOCKS.issuperset(names) and end is not None:
        yield (
            "only clock triggers lower leverage: between their times a crash can wipe the token "
            "out; a band, a move or an emergency acts at any price."
        )
    if series.costs.impact == "book" and series.costs.half_spread_bps > 0:
        yield (
            "half_spread_bps is paid on top of the book, whose distances from mid already contain "
            "the spread; set it to 0."
        )
    if series.venue.kind == "perpetual" and series.venue.maintenance_margin == 0:
        yield (
            "venue.maintenance_margin is 0, so the token ends only when no nav is left; exchanges "
            "liquidate at 0.4 to 1 % of notional."
        )
