"""Conversion of cells to numbers: an Arrow array to a float64 array and the first bad cell.

Arrow's own ``to_numpy`` imports pandas if pandas is installed, which takes 0.2 s and longer than
reading a year of minutes. Plain arrays are therefore read straight from their buffers. Text goes
through Arrow's parser at full speed; only a block in which that parser fails is read again cell by
cell, to find out which cell is bad.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from steelyard.market.cell_faults import CellFault, shown

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = [
    "Numbers",
    "is_text",
    "missing",
    "numbers",
    "plain",
    "python_strings",
    "texts",
    "unpacked",
    "words_in",
]

_NUMBER = "a number written like 7160.69"
_SYNTAX = re.compile(
    r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?(nan|inf|infinity)", re.ASCII | re.IGNORECASE
)
_DTYPES = {
    "halffloat": "f2",
    "float": "f4",
    "double": "f8",
    "int8": "i1",
    "int16": "i2",
    "int32": "i4",
    "int64": "i8",
    "uint8": "u1",
    "uint16": "u2",
    "uint32": "u4",
    "uint64": "u8",
}


class Numbers(NamedTuple):
    """A block of a column as float64, in which cells that are missing or not numbers are NaN.

    Attributes:
        values: float64, shape (rows,).
        fault: the first cell that is not a number; None if all cells are. NaN and infinity count as
            numbers here: whether they are allowed is a rule of the column, not of the cell.
    """

    values: NDArray[np.float64]
    fault: CellFault | None


def numbers(array: pa.Array, column: str, decimal: str = ".") -> Numbers:
    """Read an array of numbers, decimals or text that writes numbers.

    Args:
        array: the cells.
        column: the column's name, for messages.
        decimal: the decimal mark in text, ``.`` or ``,``.
    """
    from pyarrow import types

    array = unpacked(array)
    kind = array.type
    if is_text(array):
        return _numbers_of_text(array, column, decimal)
    if types.is_decimal(kind):
        from pyarrow import float64, string

        # The cast goes through text, because Arrow's own divides by a power of ten and can be off
        # by an ulp.
        array = array.cast(string()).cast(float64())
    elif types.is_null(kind):
        return Numbers(np.full(len(array), np.nan), _empty(0, column) if len(array) else None)
    elif not (types.is_floating(kind) or types.is_integer(kind)):
        empty = np.full(len(array), np.nan)
        return Numbers(empty, CellFault(0, column, f"a column of type {kind}", _NUMBER))
    values = plain(array).astype(np.float64, copy=False)
    gone = missing(array)
    if gone is None:
        return Numbers(values, None)
    return Numbers(np.where(gone, np.nan, values), _empty(int(gone.argmax()), column))


def texts(array: pa.Array, column: str) -> tuple[list[str], CellFault | None]:
    """Read an array of text, each cell without the blanks around it; empty cells are faults."""
    array = unpacked(array)
    if not is_text(array):
        return [], CellFault(0, column, f"a column of type {array.type}", "text")
    cells = python_strings(array)
    for row, cell in enumerate(cells):
        if not cell.strip():
            return [], CellFault(row, column, "an empty cell", "text")
    return [cell.strip() for cell in cells], None


def words_in(array: pa.Array) -> set[str]:
    """Return the distinct texts of an array without blanks around them; empty if it is not text."""
    array = unpacked(array)
    if not is_text(array):
        return set()
    return {cell.strip() for cell in python_strings(array.unique())} - {""}


def plain(array: pa.Array) -> NDArray[Any]:
    """Return an integer or float array's buffer, not copied; null cells hold arbitrary values."""
    dtype = np.dtype(_DTYPES[str(array.type)])
    buffer = array.buffers()[1]
    if buffer is None or len(array) == 0:
        return np.empty(0, dtype)
    return np.frombuffer(buffer, dtype, count=len(array), offset=array.offset * dtype.itemsize)


def missing(array: pa.Array) -> NDArray[np.bool_] | None:
    """Return a mask of the cells that are null; None if no cell is."""
    if array.null_count == 0:
        return None
    validity = array.buffers()[0]
    if validity is None:  # an array of type null
        return np.ones(len(array), np.bool_)
    bits: NDArray[np.uint8] = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")
    gone: NDArray[np.bool_] = bits[array.offset : array.offset + len(array)] == 0
    return gone


def is_text(array: pa.Array) -> bool:
    """Whether the cells of an unpacked array are strings."""
    from pyarrow import types

    return bool(types.is_string(array.type) or types.is_large_string(array.type))


def unpacked(array: pa.Array) -> pa.Array:
    """Return the array with dictionary codes replaced by their values, and string views by strings.

    Polars returns both kinds of array, and Arrow can compute little with either.
    """
    import pyarrow as pa

    if pa.types.is_dictionary(array.type):
        words = unpacked(array.dictionary)
        array = pa.DictionaryArray.from_arrays(array.indices, words).dictionary_decode()
    return array.cast(pa.large_string()) if pa.types.is_string_view(array.type) else array


def _numbers_of_text(array: pa.Array, column: str, decimal: str) -> Numbers:
    """Parse numbers that are written as text; blanks around them are allowed."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if array.null_count == 0 and len(array):
        first = python_strings(array.slice(0, 1))[0]
        text = array if first == first.strip() else pc.ascii_trim(array, " \t")
        try:
            if decimal != ".":
                text = _with_point(text, decimal)
            return Numbers(plain(text.cast(pa.float64())), None)
        except pa.ArrowInvalid:
            pass  # read again below, to find which cell
    cells = python_strings(array)
    values = np.full(len(cells), np.nan)
    fault = None
    other = "." if decimal == "," else ","
    for row, cell in enumerate(cells):
        text = cell.strip(" \t")  # not line breaks: they mark a quoted cell that was cut
        if decimal != ".":
            # a thousands separator must not be read as a decimal mark
            text = "" if other in text else text.replace(decimal, ".")
        if _SYNTAX.fullmatch(text):
            values[row] = float(text)
        elif fault is None:
            fault = CellFault(row, column, shown(cell), _NUMBER.replace(".", decimal))
    return Numbers(values, fault)


def _with_point(text: pa.Array, decimal: str) -> pa.Array:
    """Replace the decimal mark in all cells by a point.

    Raises:
        ArrowInvalid: a cell already contains a point.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if pc.any(pc.match_substring(text, ".")).as_py():
        raise pa.ArrowInvalid("a point in a column of decimal commas")
    return pc.replace_substring(text, decimal, ".")


def python_strings(array: pa.Array) -> list[str]:
    """Return the cells as Python strings: nulls as "", invalid UTF-8 with U+FFFD marks."""
    import pyarrow as pa

    raw = array.cast(pa.large_binary()).to_pylist()
    return ["" if cell is None else cell.decode("utf-8", "replace") for cell in raw]


def _empty(row: int, column: str) -> CellFault:
    return CellFault(row, column, "an empty cell", _NUMBER)
