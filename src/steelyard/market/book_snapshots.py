"""Recorded snapshots of an order book, and the book of medians, level by level, made of them."""

from __future__ import annotations

import re
from copy import copy
from typing import TYPE_CHECKING

import numpy as np

from steelyard.market.cell_faults import earliest, first_fault, shown, source_error
from steelyard.market.cells import numbers, texts
from steelyard.market.layout import TIME_NAMES
from steelyard.market.table import SourceTable
from steelyard.market.time_column import TimeColumn
from steelyard.market.times import format_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "DEPTH",
    "LARGEST",
    "MAX_SNAPSHOT_ROWS",
    "SLIP",
    "TOP",
    "Snapshots",
    "merged",
    "slippage_levels",
    "top_levels",
]

MAX_SNAPSHOT_ROWS = 10_000_000
LARGEST = 1e30
"""The largest amount that a book may state, in quote."""
TOP = ("level", "bid_px", "bid_qty", "ask_px", "ask_qty")
SLIP = re.compile(r"(buy|sell)_slip_bps_(\d{1,15})")
DEPTH = re.compile(r"(bid|ask)_depth_usd_(\d{1,4})bps")
SIDES = (("bid", "sell"), ("ask", "buy"))


class Snapshots:
    """Rows of recorded snapshots, which can be narrowed to one venue, one symbol and one time.

    Attributes:
        time: int64, epoch seconds of each row's snapshot, shape (rows,).
        labels: the cells of the columns ``venue`` and ``symbol``, as far as the table has them, one
            per row.
        figures: column name -> float64, shape (rows,); NaN where a cell is empty and may be.
    """

    def __init__(
        self,
        table: SourceTable,
        names: list[str],
        wanted: tuple[str, ...] | list[str],
        *,
        blanks: bool,
    ) -> None:
        self.name = table.name
        times = [name for name in names if name in TIME_NAMES]
        if len(times) != 1:
            raise source_error(table.name, "one column for time", f"{len(times)} in {names[:12]}")
        self.labels: dict[str, list[str]] = {
            name: [] for name in ("venue", "symbol") if name in names
        }
        order = [times[0], *self.labels, *wanted]
        clock, stamps = TimeColumn(times[0]), [np.empty(0, np.int64)]
        kept: dict[str, list[Floats]] = {name: [np.empty(0)] for name in wanted}
        rows = 0
        for arrays in table.blocks([names.index(name) for name in order]):
            by_name = dict(zip(order, arrays, strict=True))
            stamp, fault = clock.read(by_name[times[0]])
            faults = [fault]
            for name, cells in self.labels.items():
                words, fault = texts(by_name[name], name)
                cells.extend(words)
                faults.append(fault)
            for name in wanted:
                values, fault = numbers(by_name[name], name)
                blank = blanks and fault is not None and fault.found == "an empty cell"
                faults.append(None if blank else fault)
                kept[name].append(values)
            first = earliest(faults, rows)
            if first is not None:
                raise table.error(first)
            stamps.append(stamp)
            rows += len(stamp)
            if rows > MAX_SNAPSHOT_ROWS:
                raise source_error(table.name, f"at most {MAX_SNAPSHOT_ROWS:,} rows", "more")
        if not rows:
            raise source_error(table.name, "rows", "a header and no rows")
        self.time = np.concatenate(stamps)
        self.figures = {name: np.concatenate(blocks) for name, blocks in kept.items()}
        self._check(table)

    def _check(self, table: SourceTable) -> None:
        """Raise at the first price, amount or distance that is not finite or out of range."""
        for name, values in self.figures.items():
            above = 0.0 if name.endswith("_px") else -1e-300
            bad = ~(np.isnan(values) | ((values > above) & (values <= LARGEST)))
            fault = first_fault(bad, name, values, "a finite number, not negative")
            if fault is not None:
                raise table.error(fault)

    def choose(self, label: str, wanted: str | None) -> None:
        """Keep the rows of one venue or symbol.

        If the table has one value only, ``wanted`` may be None.
        """
        there = sorted(set(self.labels.get(label, ())))
        if wanted is None and len(there) <= 1:
            return
        listed = ", ".join(there[:12]) or f"no column {label}"
        if wanted is None:
            raise source_error(self.name, f"one {label}: choose it", listed, allowed=there)
        if wanted not in there:
            raise source_error(self.name, f"the {label} {shown(wanted)}", listed, allowed=there)
        self._keep(np.array(self.labels[label]) == wanted)

    def choose_time(self, wanted: int | None) -> int | None:
        """Keep the last snapshot at or before an instant, and return the time of that snapshot."""
        if wanted is None:
            return None
        past = self.time[self.time <= wanted]
        if not len(past):
            found = f"the first at {format_time(int(self.time.min()))}"
            raise source_error(self.name, f"a snapshot by {format_time(wanted)}", found)
        self._keep(self.time == past.max())
        return int(past.max())

    def copy(self) -> Snapshots:
        """A copy that can be narrowed without changing this object."""
        copied = copy(self)
        copied.labels = dict(self.labels)
        return copied

    def _keep(self, rows: NDArray[np.bool_]) -> None:
        self.time = self.time[rows]
        self.figures = {name: values[rows] for name, values in self.figures.items()}
        for label, words in self.labels.items():
            self.labels[label] = np.array(words)[rows].tolist()


Levels = tuple["Floats", "Floats"]
"""Of one side: the distances from mid in bps, and the amount that rests at each, in quote."""


def top_levels(snapshots: Snapshots) -> dict[str, Levels]:
    """Both sides of the median of ``top20`` snapshots, with one row for each price level."""
    figures = snapshots.figures
    taken, place = np.unique(snapshots.time, return_inverse=True)
    levels, rank = np.unique(figures["level"], return_inverse=True)
    best = figures["level"] == levels[0]
    mid = np.full(len(taken), np.nan)
    mid[place[best]] = (figures["bid_px"][best] + figures["ask_px"][best]) / 2
    sides = {}
    for side, sign in (("bid", -1.0), ("ask", 1.0)):
        grid = np.full((2, len(taken), len(levels)), np.nan)
        center = mid[place]
        grid[0, place, rank] = sign * (figures[f"{side}_px"] - center) / center * 10_000
        grid[1, place, rank] = figures[f"{side}_qty"] * center
        bps, size = _medians(grid[0]), _medians(grid[1])
        there = np.isfinite(bps) & np.isfinite(size)
        if (bps[there] < 0).any():
            found = f"a {side} on the other side of mid"
            raise source_error(snapshots.name, "bids below asks", found)
        sides[side] = np.maximum.accumulate(bps[there]), size[there]
    return sides


def slippage_levels(snapshots: Snapshots) -> dict[str, Levels]:
    """Both sides of the median of ``slippage`` snapshots, one row per step of published sizes."""
    # An empty cell means that the book could not fill the order, which is worse than any cost:
    # infinite.
    figures = {
        name: float(_medians(np.where(np.isnan(values), np.inf, values)[:, None])[0])
        for name, values in snapshots.figures.items()
    }
    return {
        side: _steps(_published(figures, DEPTH, side), _published(figures, SLIP, order))
        for side, order in SIDES
    }


def _published(
    figures: Mapping[str, float], pattern: re.Pattern[str], word: str
) -> list[tuple[int, float]]:
    """The finite figures of one side as (size or distance, value), in ascending order."""
    found = [(pattern.fullmatch(name), value) for name, value in figures.items()]
    return sorted(
        (int(match[2]), value)
        for match, value in found
        if match is not None and match[1] == word and np.isfinite(value)
    )


def _steps(depths: list[tuple[int, float]], costs: list[tuple[int, float]]) -> Levels:
    bps: list[float] = []
    sizes: list[float] = []
    taken = paid = nearest = 0.0
    for size, average in costs:
        # Published figures are rounded; the max keeps each step at least as dear as the one before.
        nearest = max((size * average - paid) / (size - taken), nearest)
        bps.append(nearest)
        sizes.append(size - taken)
        taken, paid = float(size), size * average
    last = 0
    for edge, depth in depths:
        if depth > taken:
            nearest = max((last + edge) / 2, nearest)
            bps.append(nearest)
            sizes.append(depth - taken)
            taken = depth
        last = edge
    return np.array(bps), np.array(sizes)


def merged(sides: Mapping[str, Levels]) -> tuple[Floats, Floats, Floats]:
    """One row per distance, with the amounts that rest there on the bid and on the ask side."""
    bps = np.unique(np.concatenate([sides["bid"][0], sides["ask"][0]]))
    amounts = []
    for side in ("bid", "ask"):
        amount = np.zeros(len(bps))
        np.add.at(amount, np.searchsorted(bps, sides[side][0]), sides[side][1])
        amounts.append(amount)
    return bps, amounts[0], amounts[1]


def _medians(rows: Floats) -> Floats:
    """The median of each column, with NaN as infinite: infinite where most rows have no value."""
    ordered = np.sort(np.where(np.isnan(rows), np.inf, rows), axis=0)
    below, above = ordered[(len(rows) - 1) // 2], ordered[len(rows) // 2]
    # Where one of the two middle values is infinite the median is infinite too, and the mean of two
    # infinities would be the same: only finite pairs are averaged.
    return np.where(np.isfinite(above), (below + above) / 2, np.inf)
