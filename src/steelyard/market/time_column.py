"""Conversion of a file's time column to whole epoch seconds, in one notation for each file.

A file must write all its times in one way: as seconds, milliseconds, microseconds or nanoseconds
since 1970, or as ISO dates, and the dates either all without an offset (UTC) or all with the same
one. A file that changes its notation midway was put together from two files, and the program does
not guess which of them is right.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from steelyard.market.cell_faults import CellFault, shown
from steelyard.market.cells import is_text, missing, plain, python_strings, unpacked
from steelyard.market.times import DAY_S, END_S, parse_instant

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["TimeColumn"]

_EXPECTED = (
    "epoch seconds, milliseconds, microseconds or nanoseconds, or a date like 2020-03-12T08:00:00Z"
)
_IN_RANGE = "a time from 1970 to 2199"
_UNITS: Final = {
    1: "seconds",
    1_000: "milliseconds",
    1_000_000: "microseconds",
    1_000_000_000: "nanoseconds",
}
_NUMBER = re.compile(r"-?\d+(\.\d*)?([eE]\+?\d+)?", re.ASCII)
_ZONE = re.compile(r"[T ]\d\d.*?( ?(?:Z|UTC|[+-]\d\d(?::?\d\d)?))$", re.ASCII)
_TICKS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
# Numbers from 19000101 to 21991231 that form a calendar date are treated as dates without dashes:
# as epoch seconds they would all fall into 1970.
_FIRST_DAY, _LAST_DAY = 19_000_101, 21_991_231


class TimeColumn:
    """Reads the blocks of one time column in turn, and remembers how the file writes time.

    Args:
        column: the column's name, for messages.
    """

    def __init__(self, column: str) -> None:
        self.column = column
        self._ticks = 0  # epoch ticks per second; 0 until the first number was read
        self._iso = False  # whether the file writes times as ISO text
        self._offset: int | None = None  # the UTC offset in the text, minutes east

    def read(self, array: pa.Array) -> tuple[NDArray[np.int64], CellFault | None]:
        """Return the epoch seconds (int64) of the rows before the first fault, and that fault."""
        import pyarrow as pa
        from pyarrow import types

        array = unpacked(array)
        if len(array) == 0:
            return np.empty(0, np.int64), None
        if is_text(array):
            return self._read_text(array)
        kind = array.type
        if types.is_integer(kind) or types.is_floating(kind):
            return self._read_epochs(plain(array), missing(array))
        if types.is_timestamp(kind):
            whole = plain(array.view(pa.int64())) // _TICKS[kind.unit]
        elif types.is_date32(kind):
            whole = plain(array.view(pa.int32())).astype(np.int64) * DAY_S
        elif types.is_date64(kind):
            whole = plain(array.view(pa.int64())) // _TICKS["ms"]
        else:
            return self._stop(0, f"a column of type {kind}", _EXPECTED)
        return self._checked(whole, missing(array))

    def _checked(
        self, whole: NDArray[np.int64], gone: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], CellFault | None]:
        """Cut the block off at the first row whose time is missing or out of range."""
        bad = (whole < 0) | (whole >= END_S)
        if gone is not None:
            bad |= gone
        if not bad.any():
            return whole, None
        row = int(bad.argmax())
        if gone is not None and gone[row]:
            found, expected = "an empty cell", _EXPECTED
        else:
            found, expected = f"{np.datetime64(int(whole[row]), 's')}", _IN_RANGE
        return whole[:row], CellFault(row, self.column, found, expected)

    def _stop(self, row: int, found: str, expected: str) -> tuple[NDArray[np.int64], CellFault]:
        return np.empty(0, np.int64), CellFault(row, self.column, found, expected)

    def _read_epochs(
        self, values: NDArray[Any], gone: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], CellFault | None]:
        """Read epoch numbers in the unit of the file's first number."""
        if gone is not None and gone[0]:
            return self._stop(0, "an empty cell", _EXPECTED)
        if self._ticks == 0:
            fault = self._learn_unit(values[0].item())
            if fault is not None:
                return np.empty(0, np.int64), fault
        # A number below this unit's range is of a smaller unit, and one above it of a larger unit.
        low = 0 if self._ticks == 1 else END_S * (self._ticks // 1_000)
        # The range is checked by comparisons before any arithmetic, so that nothing can overflow; a
        # NaN fails every comparison.
        good = (values >= low) & (values < END_S * self._ticks)
        if gone is not None:
            good &= ~gone
        if good.all():
            return _floor(values, self._ticks), None
        row = int((~good).argmax())
        found = "an empty cell" if gone is not None and gone[row] else shown(values[row].item())
        whole = _floor(values[:row], self._ticks)
        return whole, CellFault(row, self.column, found, self._same_unit())

    def _learn_unit(self, first: float) -> CellFault | None:
        """Recognise the file's unit by its first number; return a fault if no unit fits."""
        if self._iso:
            return CellFault(0, self.column, shown(first), "a date, like the rows before")
        if _FIRST_DAY <= first <= _LAST_DAY and _is_day(first):
            expected = f"{_EXPECTED} (a day needs its dashes)"
            return CellFault(0, self.column, shown(first), expected)
        for ticks in _UNITS:
            if 0 <= first < END_S * ticks:
                self._ticks = ticks
                return None
        expected = f"{_EXPECTED}, {_IN_RANGE}"
        return CellFault(0, self.column, shown(first), expected)

    def _read_text(self, array: pa.Array) -> tuple[NDArray[np.int64], CellFault | None]:
        """Read text as numbers or as dates, whichever the file's first cell was."""
        import pyarrow as pa

        if self._ticks == 0 and not self._iso:
            first = python_strings(array.slice(0, 1))[0].strip()
            if not _NUMBER.fullmatch(first):
                instant = parse_instant(first)
                if instant is None:
                    return self._stop(0, shown(first), _EXPECTED)
                self._iso = True
                self._offset = instant.offset_min
        if self._iso:
            return self._read_dates(array)
        if array.null_count == 0:
            for kind in (pa.int64(), pa.float64()):
                try:
                    return self._read_epochs(plain(array.cast(kind)), None)
                except pa.ArrowInvalid:
                    continue
        return self._read_epoch_cells(python_strings(array))

    def _read_epoch_cells(self, cells: list[str]) -> tuple[NDArray[np.int64], CellFault | None]:
        """Read the numbers before the first cell that is not a number."""
        values = []
        for cell in cells:
            text = cell.strip()
            if not _NUMBER.fullmatch(text):
                break
            values.append(float(text))
        whole, fault = self._read_epochs(np.array(values), None) if values else (None, None)
        if whole is None:
            whole = np.empty(0, np.int64)
        row = len(values)
        if fault is None and row < len(cells):
            expected = self._same_unit() if self._ticks else _EXPECTED
            fault = CellFault(row, self.column, shown(cells[row]), expected)
        return whole, fault

    def _read_dates(self, array: pa.Array) -> tuple[NDArray[np.int64], CellFault | None]:
        """Read ISO text: all at once if the block is uniform, otherwise cell by cell."""
        import pyarrow as pa

        local = self._without_zone(array)
        if local is not None:
            try:
                stamps = local.cast(pa.timestamp("us")).view(pa.int64())
            except pa.ArrowInvalid:
                pass  # read again below, to find which cell
            else:
                whole = plain(stamps) // _TICKS["us"] - 60 * (self._offset or 0)
                return self._checked(whole, None)
        return self._read_date_cells(python_strings(array))

    def _without_zone(self, array: pa.Array) -> pa.Array | None:
        """Return the text without the offset that all cells end in; None if the offsets differ."""
        import pyarrow as pa
        import pyarrow.compute as pc

        first = python_strings(array.slice(0, 1))[0]
        instant = parse_instant(first)
        if array.null_count or instant is None or instant.offset_min != self._offset:
            return None
        zone = _ZONE.search(first)
        if zone is None:
            return array  # the parser refuses any cell that has an offset
        suffix = zone.group(1)
        try:
            alike = pc.all(pc.ends_with(array, suffix)).as_py()
            return pc.utf8_slice_codeunits(array, 0, -len(suffix)) if alike else None
        except pa.ArrowInvalid:
            return None  # invalid UTF-8

    def _read_date_cells(self, cells: list[str]) -> tuple[NDArray[np.int64], CellFault | None]:
        """Read dates up to the first cell that is not a date or has another offset."""
        whole = []
        fault = None
        for row, cell in enumerate(cells):
            instant = parse_instant(cell)
            if instant is None:
                fault = CellFault(row, self.column, shown(cell), "a date like 2020-03-12T08:00:00Z")
            elif instant.offset_min != self._offset:
                fault = CellFault(row, self.column, shown(cell), self._same_zone())
            elif not 0 <= instant.epoch_s < END_S:
                fault = CellFault(row, self.column, shown(cell), _IN_RANGE)
            else:
                whole.append(instant.epoch_s)
                continue
            break
        return np.array(whole, np.int64), fault

    def _same_unit(self) -> str:
        unit = _UNITS[self._ticks]
        return f"epoch {unit} from 1970 to 2199, one unit in the whole file, like the rows before"

    def _same_zone(self) -> str:
        if self._offset is None:
            return "one time zone in the whole file: no offset, like the rows before"
        sign = "-" if self._offset < 0 else "+"
        hours, minutes = divmod(abs(self._offset), 60)
        zone = f"{sign}{hours:02d}:{minutes:02d}"
        return f"one time zone in the whole file: {zone}, like the rows before"


def _floor(values: NDArray[Any], ticks: int) -> NDArray[np.int64]:
    """Cut epoch numbers, which must be in range, to whole seconds."""
    if values.dtype.kind == "f":
        values = np.floor(values / ticks)
        return values.astype(np.int64)
    whole: NDArray[np.int64] = values.astype(np.int64) // ticks
    return whole


def _is_day(number: float) -> bool:
    """Whether a number can be read as a calendar date in the form YYYYMMDD."""
    text = str(int(number))
    return parse_instant(f"{text[:4]}-{text[4:6]}-{text[6:]}") is not None
