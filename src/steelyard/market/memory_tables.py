"""Tables in memory: pandas, polars, Arrow, mappings of columns, and rows as ccxt returns them.

Every object that offers Arrow's C stream (polars, Arrow, DuckDB, newer pandas) is read through that
stream, so that no library is imported only to ask whether a frame belongs to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from steelyard.market.cell_faults import first_line, shown, source_error
from steelyard.market.layout import TIME_NAMES, norm
from steelyard.market.table import SourceTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd
    import pyarrow as pa

__all__ = ["FRAME", "arrow_objects", "frame_table"]

FRAME = "frame"
_EXPECTED = (
    "a path, a pandas or polars DataFrame, a pandas Series, a polars LazyFrame, an Arrow table, a "
    "mapping of column names to arrays, or rows"
)


def frame_table(source: object) -> SourceTable:
    """Make a table of a frame in memory, without copying its arrays.

    Raises:
        DataError: the object is not a table, or its columns differ in length.
    """
    kind = type(source)
    library = kind.__module__.partition(".")[0]
    if library == "polars" and kind.__name__ == "LazyFrame":
        source = _collected(source)
        kind = type(source)
    if isinstance(source, Mapping):
        return _table(list(source), lambda index: list(source.values())[index])
    if library == "pandas" and kind.__name__ == "DataFrame":
        return _pandas_table(cast("pd.DataFrame", source))
    if library == "pandas" and kind.__name__ == "Series":
        return _series_table(cast("pd.Series[Any]", source))
    if hasattr(source, "__arrow_c_stream__") and kind.__name__ != "Series":
        import pyarrow as pa

        try:
            arrow = pa.table(source)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise source_error(FRAME, _EXPECTED, f"a broken one: {error}") from error
        return _table(arrow.column_names, arrow.column)
    if isinstance(source, np.ndarray | list | tuple):
        return _rows_table(source)
    raise source_error(FRAME, _EXPECTED, f"a {kind.__qualname__}")


def _pandas_table(frame: pd.DataFrame) -> SourceTable:
    """Make a table of a pandas frame, whose index may hold the times."""
    names, symbol = _names_of(frame)
    columns: list[Any] = [frame.iloc[:, index] for index in range(len(names))]
    index = frame.index
    # A time index is usual in pandas (yfinance, resample); a column of times is preferred to it.
    if _is_time(index) and not any(norm(name) in TIME_NAMES for name in names):
        named = norm(str(index.name)) in TIME_NAMES
        names.append(str(index.name) if named else "time")
        columns.append(index)
    return replace(_table(names, columns.__getitem__), symbol=symbol)


def _is_time(index: pd.Index[Any]) -> bool:
    return index.dtype.kind == "M" or norm(str(index.name)) in TIME_NAMES


def _names_of(frame: pd.DataFrame) -> tuple[list[str], str]:
    """Return the names of a frame's columns, and the symbol that its columns name besides.

    yfinance gives each column two names, its content and its ticker, in either order.

    Raises:
        DataError: the columns belong to several tickers.
    """
    if frame.columns.nlevels == 1:
        return [str(name) for name in frame.columns], ""
    levels = [
        [str(name) for name in frame.columns.get_level_values(level)]
        for level in range(frame.columns.nlevels)
    ]
    parts = next((level for level in levels if "close" in map(norm, level)), None)
    if parts is None or len(levels) != 2:  # noqa: PLR2004 - what is held, and of which asset
        found = f"columns of {len(levels)} levels"
        raise source_error(FRAME, "columns open, high, low, close of one asset", found)
    place = levels.index(parts)
    # after reset_index the column of times has no ticker
    tickers = list(dict.fromkeys(name for name in levels[1 - place] if name))
    if len(tickers) > 1:
        choose = f"frame.xs({tickers[0]!r}, axis=1, level={1 - place})"
        held = f"{len(tickers)}, {shown(tickers[0])} and others: choose one, as in {choose}"
        raise source_error(FRAME, "columns of one asset", held)
    return parts, tickers[0] if tickers else ""


def _series_table(values: pd.Series[Any]) -> SourceTable:
    """Make a table of a pandas Series of closes, or of prices if that is its name."""
    if not _is_time(values.index):
        found = f"an index of type {values.index.dtype}"
        raise source_error(FRAME, "a Series whose index holds the times", found)
    name = norm(str(values.name))
    if name in ("open", "high", "low", "volume", "rate"):
        raise source_error(FRAME, "a Series of closes or of prices", f"one called {name}")
    columns = [values.index, values]
    return _table(["time", "price" if name == "price" else "close"], columns.__getitem__)


def _collected(frame: Any) -> object:  # noqa: ANN401 - a polars LazyFrame, not imported here
    """Return the frame that a polars LazyFrame computes."""
    try:
        return frame.collect()
    except Exception as error:
        raise source_error(FRAME, _EXPECTED, f"a broken one: {first_line(error)}") from error


def _rows_table(rows: np.ndarray[Any, Any] | Sequence[Any]) -> SourceTable:
    """Make a table of unnamed rows of numbers, such as ccxt's fetch_ohlcv or jesse's candles."""
    try:
        matrix = np.asarray(rows, dtype=np.float64)
    except (TypeError, ValueError) as error:
        found = str(error).partition(". ")[0]
        raise source_error(FRAME, "rows of numbers, all of one length", found) from error
    if matrix.ndim != 2:  # noqa: PLR2004 - rows by columns
        raise source_error(FRAME, "rows of numbers", f"an array of {matrix.ndim} dimensions")
    head = [[repr(cell) for cell in row] for row in matrix[:500].tolist()]
    columns = matrix.T
    names = [str(index) for index in range(len(columns))]
    table = _table(names, lambda index: np.ascontiguousarray(columns[index]))
    return SourceTable(FRAME, None, head, table.blocks, table.line)


def _table(names: Sequence[object], column: Callable[[int], Any]) -> SourceTable:
    """Make a table whose columns are fetched only when they are read."""
    header = tuple(str(name) for name in names)

    def blocks(wanted: Sequence[int]) -> Iterator[list[pa.Array]]:
        arrays = [_arrow(column(index), header[index]) for index in wanted]
        lengths = {header[index]: len(array) for index, array in zip(wanted, arrays, strict=True)}
        if len(set(lengths.values())) > 1:
            raise source_error(FRAME, "columns of one length", f"lengths {lengths}")
        yield arrays

    return SourceTable(FRAME, header, (), blocks, lambda _row: None)


def _arrow(values: Any, column: str) -> pa.Array:  # noqa: ANN401 - whatever holds a column
    """Return a column as one Arrow array, in which NaN and missing stay distinct."""
    import pyarrow as pa

    try:
        if isinstance(values, pa.Array | pa.ChunkedArray):
            array = values
        else:
            dtype = getattr(values, "dtype", None)
            if dtype is None or dtype == np.dtype(object):
                array = arrow_objects(list(values))
            elif isinstance(values, np.ndarray):
                array = pa.array(values.astype(dtype.newbyteorder("="), copy=False))
            else:
                array = pa.array(values)
        return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        found = shown(str(error).splitlines()[0])
        raise source_error(FRAME, f"numbers or times in column {shown(column)}", found) from error


def arrow_objects(values: list[Any]) -> pa.Array:
    """Return Python objects as an Arrow array; objects of several types become text.

    As text, the cell that does not fit can be named by the readers of cells. Datetimes always
    become text, because Arrow would silently mix one without a time zone with others in UTC.
    """
    import pyarrow as pa

    if not any(isinstance(value, date) for value in values):
        try:
            return pa.array(values)
        except (pa.ArrowException, OverflowError):
            pass  # several types: converted to text below
    return pa.array([None if value is None else str(value) for value in values], pa.string())
