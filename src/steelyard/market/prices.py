"""A price history: bars, or prices at instants, read from any source and checked row by row.

`read_prices` guarantees that times ascend without duplicates, that every price is finite and above
0, and that every bar satisfies `low <= open, close <= high`. Gaps are reported and never filled.
Nothing in this module depends on leverage.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from steelyard.errors import DataError, InputError
from steelyard.market.cell_faults import CellFault, first_fault, source_error
from steelyard.market.layout import price_layout
from steelyard.market.several_files import read_source
from steelyard.market.times import format_time, parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from numpy.typing import NDArray

    from steelyard.market.layout import Layout
    from steelyard.market.reading import Block
    from steelyard.market.table import SourceTable

__all__ = ["Gap", "Gaps", "Prices", "read_prices"]

_POSITIVE = "a finite price above 0"
# Far beyond any market's prices, and narrow enough that the squared ratio of two prices stays
# finite.
_LOWEST, _HIGHEST = 1e-50, 1e50
_IN_RANGE = f"a price from {_LOWEST:g} to {_HIGHEST:g}"


class Gap(NamedTuple):
    """A place where bars are missing.

    Attributes:
        row: index of the first bar after the gap.
        missing_s: length of the gap in seconds.
    """

    row: int
    missing_s: int


@dataclass(frozen=True, eq=False)
class Gaps:
    """All gaps of a history in order; its length is the number of gaps.

    Attributes:
        rows: index of the first bar after each gap; int64, shape (gaps,).
        missing_s: length of each gap in seconds; int64, shape (gaps,).
    """

    rows: NDArray[np.int64]
    missing_s: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Gap]:
        return map(Gap, self.rows.tolist(), self.missing_s.tolist())


@dataclass(frozen=True, eq=False)
class Prices:
    """Prices of one underlying in order of time, made and checked by `read_prices`.

    Attributes:
        time: int64, epoch seconds UTC, shape (rows,): a bar's opening instant, or the time of a
            price.
        close: float64, quote per unit, shape (rows,): a bar's close, or the price itself.
        open: float64, shape (rows,), or None if the source has no such column.
        high: float64, shape (rows,), or None.
        low: float64, shape (rows,), or None.
        volume: float64, shape (rows,), in the source's own unit, or None.
        step_s: a bar's length in seconds: the most frequent spacing, the smaller one at a tie; 0
            for prices at instants, whose times are used as they are.
        source: the file's name as it was given, or ``frame``; for messages.
        layout: the column layout that was recognised.
        symbol: the market that the source itself names (a bundled name, a ticker, a column of
            symbols, an unambiguous file name); empty if it names none.
    """

    time: NDArray[np.int64]
    close: NDArray[np.float64]
    open: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    low: NDArray[np.float64] | None = None
    volume: NDArray[np.float64] | None = None
    step_s: int = 0
    source: str = "frame"
    layout: str = ""
    symbol: str = ""

    def __len__(self) -> int:
        return len(self.time)

    def __repr__(self) -> str:
        span = f"{format_time(self.time[0])} to {format_time(self.time[-1])}" if len(self) else "-"
        return f"<Prices {self.source}: {len(self):,} rows, {span}, step {self.step_s} s>"

    @property
    def has_path(self) -> bool:
        """Whether open, high and low are present, so that the path inside a bar can be followed."""
        return self.open is not None and self.high is not None and self.low is not None

    @property
    def end_times(self) -> NDArray[np.int64]:
        """The instants at which closes are observed, ``time + step_s``: int64, epoch seconds."""
        return self.time + self.step_s

    @cached_property
    def gaps(self) -> Gaps:
        """The spacings longer than a bar; prices at instants have no length and so no gaps."""
        spacing = np.diff(self.time)
        rows = np.flatnonzero(spacing > self.step_s) if self.step_s else np.empty(0, np.int64)
        return Gaps(rows + 1, spacing[rows] - self.step_s)

    def slice(self, start: int, stop: int) -> Prices:
        """Return the rows from ``start`` to ``stop`` (exclusive), with the same step."""
        arrays = {
            part: None if values is None else values[start:stop]
            for part, values in (
                ("time", self.time),
                ("close", self.close),
                ("open", self.open),
                ("high", self.high),
                ("low", self.low),
                ("volume", self.volume),
            )
        }
        return replace(self, **arrays)  # type: ignore[arg-type]  # each array under its own name

    def between(
        self, start: str | float | date | None = None, end: str | float | date | None = None
    ) -> Prices:
        """Return the rows at or after ``start`` and before ``end``; the step is kept.

        Args:
            start: ISO text, epoch seconds, date or datetime; None for the first row.
            end: the same kinds of value, exclusive; None for the last row.

        Raises:
            InputError: a value is not a time, or the end is not after the start.
            DataError: no row lies between them.
        """
        first = 0 if start is None else parse_time(start)
        last = None if end is None else parse_time(end)
        if last is not None and last <= first:
            raise InputError(
                f"expected an end after the start; found start {format_time(first)}, end "
                f"{format_time(last)}",
                start=first,
                end=last,
            )
        low = int(np.searchsorted(self.time, first))
        high = len(self) if last is None else int(np.searchsorted(self.time, last))
        if high - low == len(self) > 0:
            # The rows are the same, so the figures already derived from this object stay valid.
            return self
        if low == high:
            raise self._nothing_between(first, last)
        return self.slice(low, high)

    def _nothing_between(self, first: int, last: int | None) -> DataError:
        wanted = f"from {format_time(first)}"
        wanted += f" to {format_time(last)}" if last is not None else " on"
        held = "no rows"
        if len(self):
            held = f"{format_time(self.time[0])} to {format_time(self.time[-1])}"
        return source_error(self.source, f"prices {wanted}", held, start=first, end=last)


def read_prices(source: object, *, may_turn: bool = True) -> Prices:
    """Read and check a price history.

    Args:
        source: a path to a CSV or JSON file (also .gz or .zip), a Parquet or a Feather file; a list
            of such paths, or a pattern such as ``btc-*.zip``; a pandas or polars frame, also a
            LazyFrame; a pandas Series of closes; an Arrow table; a mapping of column names to
            arrays; rows as ccxt returns them; or Prices, which are returned unchanged. SPEC.md
            section 6 lists the accepted columns and times.
        may_turn: whether rows may be ordered newest first; they are then reversed.

    Raises:
        DataError: the source is missing, unreadable or of no known layout; or a row is out of
            order, a duplicate, not finite, not above 0, or a bar whose low or high does not bound
            it (the message names the first such row).
    """
    if isinstance(source, Prices):
        return source
    found = read_source(source, _layout_of, lambda: _rules, may_turn=may_turn)
    reading = found.reading
    parts = reading.numbers
    rows = len(reading.time)
    is_bars = "close" in parts
    least = 2 if is_bars else 1
    if rows < least:
        wanted = "at least 2 bars (their spacing is their length)" if is_bars else "rows"
        held = "a header and no rows" if rows == 0 else "1 row"
        raise source_error(found.name, wanted, held)
    return Prices(
        time=reading.time,
        close=parts["close"] if is_bars else parts["price"],
        open=parts.get("open"),
        high=parts.get("high"),
        low=parts.get("low"),
        volume=parts.get("volume"),
        step_s=_commonest(np.diff(reading.time)) if is_bars else 0,
        source=found.name,
        layout=found.layout.name,
        symbol=found.symbol,
    )


def _layout_of(table: SourceTable) -> Layout:
    return price_layout(table.name, table.header, table.head)


def _commonest(spacing: NDArray[np.int64]) -> int:
    """Return the most frequent spacing, the smaller one at a tie."""
    smallest = int(spacing.min())
    if smallest == spacing.max():
        return smallest
    sizes, counts = np.unique(spacing, return_counts=True)
    return int(sizes[counts.argmax()])  # argmax takes the first of equals, and sizes ascend


def _rules(block: Block, columns: Mapping[str, str]) -> list[CellFault | None]:
    """Check a block of rows against the rules for prices; return the first fault of each rule."""
    faults = []
    parts = block.numbers
    for part, values in parts.items():
        # a NaN fails every comparison
        if part == "volume":
            good = (values >= 0.0) & (values < np.inf)
            faults.append(first_fault(~good, columns[part], values, "a finite volume, 0 or more"))
            continue
        good = (values >= _LOWEST) & (values <= _HIGHEST)
        fault = first_fault(~good, columns[part], values, _POSITIVE)
        if fault is not None and 0.0 < values[fault.row] < np.inf:
            fault = fault._replace(expected=_IN_RANGE)
        faults.append(fault)
    for inner in ("open", "close"):
        for bound, outside, word in (("low", np.greater, "above"), ("high", np.less, "below")):
            if inner in parts and bound in parts:
                bad = outside(parts[bound], parts[inner])
                side = "or below" if bound == "low" else "or above"
                expected = f"a {bound} at {side} the {inner}"
                fault = first_fault(bad, columns[bound], parts[bound], expected)
                if fault is not None:
                    value = float(parts[inner][fault.row])
                    fault = fault._replace(found=f"{fault.found}, {word} the {inner} {value!r}")
                faults.append(fault)
    return faults
