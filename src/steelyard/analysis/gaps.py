"""An asset's worst moves over short spans, and the leverage that each would have wiped out.

A move over a span goes from a bar's open to the lowest low or highest high of the bars that end
within the span. For prices that have closes only, it goes from a close to the lowest or highest
close within the span. Moves over a span that is shorter than a bar are not known. A move that takes
less time than the token needs to trade is a jump for the token: no rule can save a leverage that
the jump wipes out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from steelyard.analysis.worst_move import WorstMove
from steelyard.market import Prices, feed_of, format_time
from steelyard.report.shown_result import Shown
from steelyard.rules.liquidation import VenueTerms, is_liquidated, is_nav_gone
from steelyard.rules.numbers import FLOAT
from steelyard.rules.reach import highest_standing
from steelyard.rules.series import Series, Venue
from steelyard.simulation.run import simulate
from steelyard.simulation.series_argument import series_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from steelyard.report.document import Document

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["SPANS", "GapTable", "Killed", "WorstMove", "gaps", "killed_by", "wiped_out_from"]

SPANS = {"5m": 300, "1h": 3_600, "1d": 86_400}
"""Length of each span in seconds; ``close_to_open`` is reported in addition."""
MOST_LEVERAGE = 1_000.0
HALVINGS = 60
BLOCK = 16_384
"""Number of bars that are processed together, so that their columns fit into a core's cache."""


class Killed(NamedTuple):
    """When, at what price and for what reason a history ended a series."""

    time: int
    price: float
    reason: str


@dataclass(frozen=True, eq=False, repr=False)
class GapTable(Shown):
    """The worst moves of a history.

    Attributes:
        prices: the history.
        series: the series whose venue and rule the moves are tested against; None: a venue without
            a margin.
        rows: the worst moves, one for each span and side.
    """

    prices: Prices
    series: Series | None
    rows: tuple[WorstMove, ...]

    @property
    def figures(self) -> list[dict[str, Any]]:
        """The rows in the form of ``series check --history --json``."""
        return [
            {**row._asdict(), "start": None if row.start is None else format_time(row.start)}
            for row in self.rows
        ]

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row for each span and side; unknown figures are NaN."""
        import pandas as pd

        frame = pd.DataFrame(self.figures).assign(
            start=lambda found: pd.to_datetime(found["start"])
        )
        numbers = ("move", "price_before", "price_after", "wiped_out_from")
        return frame.astype(dict.fromkeys(numbers, float))

    def worst(self, span: str, side: str) -> WorstMove:
        """The worst move of one span and side (``"fall"`` or ``"rise"``)."""
        return next(row for row in self.rows if (row.span, row.side) == (span, side))

    def plot(self, *, dark: bool = False) -> Any:  # noqa: ANN401 (plotly ships no types)
        """Plot the worst moves as an interactive figure."""
        from steelyard.analysis.gaps_document import known_moves
        from steelyard.report.figure import stacked_figure
        from steelyard.report.ladder import gaps_panel

        title = f"Worst moves of {self.prices.source}"
        return stacked_figure([gaps_panel(known_moves(self))], title, dark=dark)

    def document(self) -> Document:
        """The document from which terminal, text, notebook and page are made."""
        from steelyard.analysis.gaps_document import gaps_document

        return gaps_document(self)

    def __repr__(self) -> str:
        return f"<GapTable of {self.prices.source}: {', '.join(self._words()) or 'nothing known'}>"

    def _words(self) -> list[str]:
        return [f"{row.span} {row.move * 100:+z.1f} %" for row in self.rows if row.move is not None]


def gaps(prices: object, series: Series | str | None = None) -> GapTable:
    """Find the worst moves of a history over 5 minutes, an hour, a day, and from close to open.

    Args:
        prices: a feed, or bare prices, as ``simulate`` takes them.
        series: the series whose venue and rule the moves are tested against; None: a perpetual
            without a margin.

    Raises:
        InputError: ``series`` is not a series.
        DataError: the history is malformed.
    """
    if series is not None:
        series = series_of(series)
    history = feed_of(prices).bars
    venue, highest = _venue_of(series), None
    if series is not None:
        highest = highest_standing(series)
    rows = []
    for span, seconds in SPANS.items():
        rows += [
            _row(span, side, found, series, venue, highest)
            for side, found in _worst_within(history, seconds)
        ]
    rows += [
        _row("close_to_open", side, found, series, venue, highest)
        for side, found in _worst_overnight(history)
    ]
    return GapTable(history, series, tuple(rows))


def killed_by(series: Series, prices: object) -> Killed | None:
    """How the history would have ended a series launched at its start; None if it survives.

    Raises:
        InputError, DataError: as ``simulate`` raises them.
    """
    ended = simulate(series, prices).state.ended
    return None if ended is None else Killed(ended.time, ended.price, ended.reason)


def wiped_out_from(venue: VenueTerms[float], move: float) -> float | None:
    """The smallest leverage, signed, that a jump by ``move`` wipes out; None: none up to 1,000.

    A fall wipes out longs, and a rise wipes out shorts. The leverage is found by bisection on the
    liquidation rule of ``rules``, which is monotone in leverage.
    """
    side = 1.0 if move < 0 else -1.0
    low, high = 0.0, MOST_LEVERAGE
    if not _is_wiped_out(venue, side * high, move):
        return None
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _is_wiped_out(venue, side * middle, move):
            high = middle
        else:
            low = middle
    return side * high


def _is_wiped_out(venue: VenueTerms[float], leverage: float, move: float) -> bool:
    if leverage == 0:
        return False
    cash, price = 1 - leverage, 1 + move
    return is_liquidated(venue, cash, leverage, price) or is_nav_gone(cash, leverage, price)


def _venue_of(series: Series | None) -> VenueTerms[float]:
    plain = Series("", "", "", 1.0, venue=Venue() if series is None else series.venue)
    return plain.terms(FLOAT).venue


class _Found(NamedTuple):
    move: float
    start: int
    before: float
    after: float


def _row(
    span: str,
    side: str,
    found: _Found | None,
    series: Series | None,
    venue: VenueTerms[float],
    highest: float | None,
) -> WorstMove:
    if found is None:
        return WorstMove(span, side, None, None, None, None, None, None, None)
    limit = wiped_out_from(venue, found.move)
    target_lives = highest_lives = None
    if series is not None and highest is not None and series.target_leverage * found.move < 0:
        direction = 1 if series.target_leverage > 0 else -1
        target_lives = not _is_wiped_out(venue, series.target_leverage, found.move)
        highest_lives = not _is_wiped_out(venue, direction * highest, found.move)
    return WorstMove(
        span,
        side,
        found.move,
        found.start,
        found.before,
        found.after,
        limit,
        target_lives,
        highest_lives,
    )


Sides = Sequence[tuple[str, _Found | None]]


def _worst_within(history: Prices, span_s: int) -> Sides:
    """The worst fall and the worst rise over a span."""
    step = history.step_s
    if not 0 < step <= span_s or len(history) < 2:  # noqa: PLR2004 (a move has two ends)
        return (("fall", None), ("rise", None))
    if history.open is not None and history.low is not None and history.high is not None:
        before, low, high = history.open, history.low, history.high
        first = np.arange(len(history))
        last = np.searchsorted(history.time, history.time + (span_s - step), side="right")
    else:
        before = low = high = history.close
        first = np.arange(1, len(history) + 1)
        last = np.searchsorted(history.time, history.time + span_s, side="right")
    there = np.flatnonzero(last > first)
    if not len(there):
        return (("fall", None), ("rise", None))
    lowest = _least_between(low, first[there], last[there])
    highest = -_least_between(-high, first[there], last[there])
    start = history.time[there]
    return (
        ("fall", _worst(before[there], lowest, start, 1)),
        ("rise", _worst(before[there], highest, start, -1)),
    )


def _worst_overnight(history: Prices) -> Sides:
    if history.open is None or len(history) < 2:  # noqa: PLR2004 (a move has two ends)
        return (("fall", None), ("rise", None))
    before, after, start = history.close[:-1], history.open[1:], history.time[:-1]
    return (
        ("fall", _worst(before, after, start, 1)),
        ("rise", _worst(before, after, start, -1)),
    )


def _worst(before: Floats, after: Floats, start: Ints, sign: int) -> _Found | None:
    """The lowest (``sign`` 1) or highest (-1) move; None where no move has that direction."""
    moves = after / before - 1
    place = int(np.argmin(sign * moves))
    move = float(moves[place])
    if sign * move >= 0:
        return None
    return _Found(move, int(start[place]), float(before[place]), float(after[place]))


def _least_between(values: Floats, first: Ints, last: Ints) -> Floats:
    """The minimum of ``values[first:last]`` for each pair; no range is empty, both ends ascend."""
    least = np.empty(len(first))
    for start in range(0, len(first), BLOCK):
        rows = slice(start, start + BLOCK)
        base = int(first[start])
        stretch = values[base : int(last[rows][-1])]
        least[rows] = _least_of_block(stretch, first[rows] - base, last[rows] - base)
    return least


def _least_of_block(values: Floats, first: Ints, last: Ints) -> Floats:
    """The same for the pairs of one block, from minima over spans of powers of two."""
    lengths = last - first
    least = np.empty(len(first))
    table, width = values, 1
    while True:
        here = np.flatnonzero((lengths >= width) & (lengths < 2 * width))
        least[here] = np.minimum(table[first[here]], table[last[here] - width])
        if 2 * width > int(lengths.max()):
            return least
        table = np.minimum(table[:-width], table[width:])
        width *= 2
