"""What is no mistake in a series file and yet may not be meant."""

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
