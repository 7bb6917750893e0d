"""What a run remembers of each bar: the token at its close, kept where it changed.

``nav`` and ``leverage`` of a bar follow from cash, units and tokens after it and from its close,
by the operations of ``rules.leverage`` on whole columns, which give the same bits. A figure that
moves at every bar is a column of its own; the others are kept from one change to the next.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from steelyard.fund.state import State
from steelyard.simulation.record import BarRow, Record
from steelyard.simulation.tally import Tally

__all__ = ["Funding", "Marks", "marks_of_rows"]

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
"""Bars that are worked out together: their columns fit into a core's own cache."""


class Funding(NamedTuple):
    """What is paid between notes, where nothing else moves."""

    bars: npt.NDArray[np.intp]
    """At which it is paid, ascending."""
    paid: Floats
    """What one unit, held all along, has paid before each of them, and after all (quote)."""


class Marks:
    """The figures of a run's bars.

    Args:
        bars: their number.
        columns: those of ``FIGURES`` (or ``nav`` and ``leverage`` themselves) that are kept bar
            by bar; whoever runs the token fills them in.
        funding: what is paid between notes; None where nothing is, or ``columns`` say so.
    """

    def __init__(
        self,
        bars: int,
        columns: dict[str, Floats] | None = None,
        funding: Funding | None = None,
    ) -> None:
        self.bars = bars
        self._funding = funding
        self.columns: dict[str, Floats] = columns or {}
        self._starts: list[int] = []
        self._rows: list[tuple[float, ...]] = []
        self._flat_from = bars

    def note(self, bar: int, state: State[float]) -> None:
        """From this bar on the token is as ``state`` says, until the next note."""
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
        """The token is gone at this bar: nothing moves and its leverage is zero from there on."""
        self.note(bar, state)
        self._flat_from = bar
        for column in self.columns.values():
            column[bar:] = column[bar]

    def column(self, name: str) -> Floats:
        """One figure, a row a bar; read-only where it is the same at all of them."""
        if name in self.columns:
            return self.columns[name]
        values = self._noted[name]
        if (values == values[0]).all():
            return np.broadcast_to(values[0], self.bars)
        return self._filled(name)

    def nav_and_leverage(self, close: Floats, tally: Tally) -> tuple[Floats, Floats]:
        """Nav per token and signed leverage at each bar's close, and both to the tally."""
        is_worked_out = "nav" in self.columns
        # else the two columns hold cash and units first, and are worked out where they stand
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
        """Nav of one token that was held since the launch, through every split."""
        split = self.column("split")
        return nav if _is_one(split) else nav * split

    def held_at(self, close: Floats, bars: npt.NDArray[np.intp]) -> Floats:
        """``held`` at the closes of some bars only, in order."""
        if "nav" in self.columns:
            nav = self.columns["nav"][bars]
        else:
            cash, units, tokens = (self._at(name, bars) for name in ("cash", "units", "tokens"))
            nav = (cash + units * close[bars]) / tokens
        return nav * self._at("split", bars)

    def _at(self, name: str, bars: npt.NDArray[np.intp]) -> Floats:
        """A figure at some bars."""
        if name in self.columns:
            return self.columns[name][bars]
        return self._noted[name][np.searchsorted(self._changes, bars, side="right") - 1]

    def _filled(self, name: str) -> Floats:
        """A figure as ``column`` has it, in an array of its own."""
        if name in self.columns:
            return self.columns[name].copy()
        return np.repeat(self._noted[name], np.diff(self._changes, append=self.bars))

    @cached_property
    def _changes(self) -> npt.NDArray[np.intp]:
        """The bars from which a figure is another; complete when the first is asked for."""
        starts = np.array(self._starts)
        starts[0] = 0
        return starts if self._funding is None else np.union1d(starts, self._funding.bars)

    @cached_property
    def _noted(self) -> dict[str, Floats]:
        """The figures from each change on."""
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
    """Whether nothing was ever split."""
    return split.strides == (0,) and bool(split[0] == 1)


def marks_of_rows(record: Record[Any]) -> Marks:
    """The rows that the reference wrote, one a bar, as columns; the record lets go of them."""
    rows = record.bars
    columns = {
        name: np.array([row[place] for row in rows], dtype=np.float64)
        for place, name in enumerate(BarRow._fields)
    }
    marks = Marks(len(rows), columns)
    record.bars = []
    return marks
