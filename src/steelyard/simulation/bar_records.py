"""The figures of each bar at its close, stored only where they change.

``nav`` and ``leverage`` of a bar follow from cash, units and tokens after the bar and from its
close, by the operations of ``rules.leverage`` on whole columns, which give the same bits. A figure
that changes at every bar has a column of its own; the other figures are stored from one change to
the next.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from steelyard.fund.state import State
from steelyard.simulation.record import BarRow, Record
from steelyard.simulation.running_statistics import Tally

__all__ = ["Marks", "SteadyFunding", "marks_of_rows"]

Floats = npt.NDArray[np.float64]

FIGURES = (
    "cash",
    "units",
    "tokens",
    "split",
    "reserve",
    "funding",
    "interest",
    "management",
)
BLOCK = 16_384
"""Number of bars computed together, so that their columns fit into the cache of one core."""


class SteadyFunding(NamedTuple):
    """Funding that is paid between notes, while nothing else changes."""

    bars: npt.NDArray[np.intp]
    """The bars at which funding is paid, ascending."""
    paid: Floats
    """What one unit, held all along, has paid before each of them, and after all (quote)."""


class Marks:
    """The figures of the bars of a run.

    Args:
        bars: the number of bars.
        columns: the columns among ``FIGURES`` (or ``nav`` and ``leverage`` themselves) that have a
            value for each bar; the driver of the run fills them in.
        funding: the funding that is paid between notes; None if there is none, or if ``columns``
            contain it.
    """

    def __init__(
        self,
        bars: int,
        columns: dict[str, Floats] | None = None,
        funding: SteadyFunding | None = None,
    ) -> None:
        self.bars = bars
        self._funding = funding
        self.columns: dict[str, Floats] = columns or {}
        self._starts: list[int] = []
        self._rows: list[tuple[float, ...]] = []
        self._flat_from = bars

    def note(self, bar: int, state: State[float]) -> None:
        """Set the token's figures from this bar on, until the next note, to those of ``state``."""
        sums = state.totals
        self._starts.append(bar)
        self._rows.append(
            (
                state.cash,
                state.units,
                state.tokens,
                state.split,
                state.reserve.units,
                sums.funding,
                sums.interest,
                sums.management,
            )
        )
        if self.columns:
            for name, column in self.columns.items():
                column[bar] = self._rows[-1][FIGURES.index(name)]

    def end(self, bar: int, state: State[float]) -> None:
        """End the token at this bar: from here on nothing changes and its leverage is zero."""
        self.note(bar, state)
        self._flat_from = bar
        for column in self.columns.values():
            column[bar:] = column[bar]

    def column(self, name: str) -> Floats:
        """One figure for each bar, shape (bars,); read-only if it is the same at all bars."""
        if name in self.columns:
            return self.columns[name]
        values = self._noted[name]
        if (values == values[0]).all():
            return np.broadcast_to(values[0], self.bars)
        return self._filled(name)

    def nav_and_leverage(self, close: Floats, tally: Tally) -> tuple[Floats, Floats]:
        """Nav per token and signed leverage at each bar's close; the tally receives both."""
        is_worked_out = "nav" in self.columns
        # otherwise the two columns first hold cash and units, and the results replace them in place
        nav = self.columns["nav"] if is_worked_out else self._filled("cash")
        leverage = self.columns["leverage"] if is_worked_out else self._filled("units")
        tokens, split = self.column("tokens"), self.column("split")
        was_split = not _is_one(split)
        with np.errstate(divide="ignore", invalid="ignore"):
            for first in range(0, self.bars, BLOCK):
                rows = slice(first, first + BLOCK)
                assets, exposure = nav[rows], leverage[rows]
                if not is_worked_out:
                    exposure *= close[rows]
                    assets += exposure
                    exposure /= assets
                    assets /= tokens[rows]
                    if first + BLOCK > self._flat_from:
                        exposure[max(self._flat_from - first, 0) :] = 0.0
                tally.add(assets * split[rows] if was_split else assets, exposure)
        return nav, leverage

    def held(self, nav: Floats) -> Floats:
        """The nav of one token of the launch, held through every split."""
        split = self.column("split")
        return nav if _is_one(split) else nav * split

    def held_at(self, close: Floats, bars: npt.NDArray[np.intp]) -> Floats:
        """The same as ``held``, at the closes of some bars only, in their order."""
        if "nav" in self.columns:
            nav = self.columns["nav"][bars]
        else:
            cash, units, tokens = (self._at(name, bars) for name in ("cash", "units", "tokens"))
            nav = (cash + units * close[bars]) / tokens
        return nav * self._at("split", bars)

    def _at(self, name: str, bars: npt.NDArray[np.intp]) -> Floats:
        """The values of a figure at some bars."""
        if name in self.columns:
            return self.columns[name][bars]
        return self._noted[name][np.searchsorted(self._changes, bars, side="right") - 1]

    def _filled(self, name: str) -> Floats:
        """The same values as ``column``, in an array of its own."""
        if name in self.columns:
            return self.columns[name].copy()
        return np.repeat(self._noted[name], np.diff(self._changes, append=self.bars))

    @cached_property
    def _changes(self) -> npt.NDArray[np.intp]:
        """The bars at which a figure changes; it is complete once all bars have been run."""
        starts = np.array(self._starts)
        starts[0] = 0
        return starts if self._funding is None else np.union1d(starts, self._funding.bars)

    @cached_property
    def _noted(self) -> dict[str, Floats]:
        """The values of each figure from each change on."""
        columns = np.array(self._rows, dtype=np.float64).T
        figures = dict(zip(FIGURES, columns, strict=True))
        if self._funding is None:
            return figures
        bars, so_far = self._funding
        starts, changes = np.array(self._starts), self._changes
        last = np.searchsorted(starts, changes, side="right") - 1
        figures = {name: column[last] for name, column in figures.items()}
        since = starts[last]
        paid = so_far[np.searchsorted(bars, changes, side="right")]
        paid -= so_far[np.searchsorted(bars, since, side="right")]
        paid *= figures["units"]
        figures["cash"] -= paid
        figures["funding"] += paid
        return figures


def _is_one(split: Floats) -> bool:
    """Whether there was no split at all."""
    return split.strides == (0,) and bool(split[0] == 1)


def marks_of_rows(record: Record[Any]) -> Marks:
    """The rows that the reference wrote, as columns; the record's own rows are then dropped."""
    rows = record.bars
    columns = {
        name: np.array([row[place] for row in rows], dtype=np.float64)
        for place, name in enumerate(BarRow._fields)
    }
    marks = Marks(len(rows), columns)
    record.bars = []
    return marks
