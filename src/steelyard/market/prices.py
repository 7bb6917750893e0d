"""A price history: bars, or prices at instants, read from anything and checked row by row.

What `read_prices` returns holds: times ascend without duplicates, every price is finite and above
0, and in every bar `low <= open, close <= high`. Gaps are reported and never filled. Nothing here
knows of leverage.
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
# Far beyond any market, and such that squares of ratios of two prices are still finite numbers.
_LOWEST, _HIGHEST = 1e-50, 1e50
_IN_RANGE = f"a price from {_LOWEST:g} to {_HIGHEST:g}"


class Gap(NamedTuple):
    """Bars that are not there.

    Attributes:
        row: of the first bar after them, counted from 0.
        missing_s: seconds without bars.
    """

    row: int
    missing_s: int


@dataclass(frozen=True, eq=False)
class Gaps:
    """All gaps of a history, in order; its length is their number.

    Attributes:
        rows: int64, of the first bar after each gap, counted from 0.
        missing_s: int64, seconds without bars in each.
    """

    rows: NDArray[np.int64]
    missing_s: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Gap]:
        return map(Gap, self.rows.tolist(), self.missing_s.tolist())


@dataclass(frozen=True, eq=False)
class Prices:
    """Prices of one underlying in order of time; `read_prices` makes and checks them.

    Attributes:
        time: int64, epoch seconds UTC: a bar's opening instant, or the observation's own time.
        close: float64, quote per unit: a bar's close, or the price observed.
        open: float64, None where the source has none; so with high, low and volume.
        high: float64 or None.
        low: float64 or None.
        volume: float64 or None, in the source's own measure.
        step_s: a bar's length in seconds: the commonest spacing, the smaller at a tie; 0 for
            prices at instants, to whose times nothing is added.
        source: the file as it was named, or ``frame``; for messages.
        layout: what the columns were recognised as.
        symbol: the market that the source itself names (a bundled name, a ticker, a column of
            symbols, a file's name that is plain); empty where it names none.
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
        """Whether open, high and low are all there, so that a bar's inside can be walked."""
        return self.open is not None and self.high is not None and self.low is not None

    @property
    def end_times(self) -> NDArray[np.int64]:
        """The instants at which the closes stand: int64, epoch seconds, ``time + step_s``."""
        return self.time + self.step_s

    @cached_property
    def gaps(self) -> Gaps:
        """Spacings longer than the bars; none for prices at instants, which have no length."""
        spacing = np.diff(self.time)
        rows = np.flatnonzero(spacing > self.step_s) if self.step_s else np.empty(0, np.int64)
        return Gaps(rows + 1, spacing[rows] - self.step_s)

    def slice(self, start: int, stop: int) -> Prices:
        """Return rows ``start`` to ``stop``, the latter left out, as Python slices; step kept."""
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
        """Return the rows whose time is at or after ``start`` and before ``end``; step kept.

        Args:
            start: ISO text, epoch seconds, date or datetime; None for the first row.
            end: the same, itself left out; None for all to the last row.

        Raises:
            InputError: one is no time, or they are the wrong way round.
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
            # the same rows: what was found out of them holds on
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
            of such paths, or a pattern such as ``btc-*.zip``; a pandas or polars frame, lazy ones
            too; a pandas Series of closes; an Arrow table; a mapping of column names to arrays;
            rows as ccxt returns them; or Prices, which are returned as they are. Columns and times
            as SPEC.md section 6 has them.
        may_turn: whether rows may stand newest first; they are turned round.

    Raises:
        DataError: it is missing, unreadable or of no known layout, or a row of it is out of order,
            a duplicate, not finite, not above 0, or a bar whose low or high does not bound it. The
            message names the first such row.
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
    """Return the commonest spacing, the smaller at a tie."""
    smallest = int(spacing.min())
    if smallest == spacing.max():
        return smallest
    sizes, counts = np.unique(spacing, return_counts=True)
    return int(sizes[counts.argmax()])  # the first of equals, and sizes ascend


def _rules(block: Block, columns: Mapping[str, str]) -> list[CellFault | None]:
    """Hold a block of rows to what prices are; return the first fault of each kind."""
    faults = []
    parts = block.numbers
    for part, values in parts.items():
        # a NaN compares false
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
