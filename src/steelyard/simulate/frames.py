"""The run's tables as plain columns: what is written, plotted and handed to Python.

A frame here is a dict of arrays by column name; pandas is imported only where someone asks for a
DataFrame, since it costs more time than the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from steelyard.market import Prices
from steelyard.rules.costs import ACCRUED_KINDS, COST_KINDS, TRADE_KINDS
from steelyard.simulate.state import BarRow, FlowRow, RebalanceRow, Record, Totals

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Columns",
    "cost_columns",
    "flow_columns",
    "nav_columns",
    "rebalance_columns",
    "splits",
    "to_pandas",
]

Columns = dict[str, npt.NDArray[Any]]

TEXT = ("trigger", "side")


def instants(seconds: npt.ArrayLike) -> npt.NDArray[np.datetime64]:
    """Epoch seconds as UTC instants."""
    return np.asarray(seconds, dtype=np.int64).astype("datetime64[s]")


def _column(rows: list[Any], place: int) -> npt.NDArray[np.float64]:
    return np.array([row[place] for row in rows], dtype=np.float64)


def nav_columns(bars: Prices, record: Record) -> Columns:
    """One row a bar, stamped as in the price file and marked at its close."""
    rows = record.bars
    return {
        "time": instants(bars.time),
        "price": np.asarray(bars.close),
        "nav": _column(rows, BarRow._fields.index("nav")),
        "leverage": _column(rows, BarRow._fields.index("leverage")),
        "tokens": _column(rows, BarRow._fields.index("tokens")),
        "reserve": _column(rows, BarRow._fields.index("reserve")),
    }


def splits(record: Record) -> npt.NDArray[np.float64]:
    """One figure a bar: tokens then for one token of the launch."""
    return _column(record.bars, BarRow._fields.index("split"))


def flow_columns(record: Record) -> Columns:
    """One row a creation or redemption."""
    columns: Columns = {}
    for place, name in enumerate(FlowRow._fields):
        values = [row[place] for row in record.flows]
        columns[name] = instants(values) if name == "time" else np.array(values, dtype=np.float64)
    return columns


def rebalance_columns(record: Record) -> Columns:
    """One row an executed trade, launch included."""
    columns: Columns = {}
    for place, name in enumerate(RebalanceRow._fields):
        values = [row[place] for row in record.trades]
        if name == "time":
            columns[name] = instants(values)
        elif name in TEXT:
            columns[name] = np.array(values, dtype=np.str_)
        else:
            columns[name] = np.array(values, dtype=np.float64)
    return columns


def cost_columns(bars: Prices, record: Record, intrabar: str, before: Totals[Any]) -> Columns:
    """Cumulative cost by kind at each bar's close, since launch (quote, whole fund)."""
    stamps = bars.time if intrabar == "path" else bars.end_times
    columns: Columns = {"time": instants(bars.time)}
    trade_times = np.array([row.time for row in record.trades], dtype=np.int64)
    upto = np.searchsorted(trade_times, stamps, side="right")
    for name in (*TRADE_KINDS, "paid_by_reserve"):
        each = _column(record.trades, RebalanceRow._fields.index(name))
        columns[name] = (
            float(getattr(before, name)) + np.concatenate(([0.0], np.cumsum(each)))[upto]
        )
    for name in ACCRUED_KINDS:
        columns[name] = _column(record.bars, BarRow._fields.index(name))
    order = ("time", *COST_KINDS, "paid_by_reserve")
    return {name: columns[name] for name in order}


def to_pandas(columns: Columns) -> pd.DataFrame:
    """The columns as a DataFrame; times are UTC."""
    import pandas as pd

    frame = pd.DataFrame(columns)
    frame["time"] = frame["time"].dt.tz_localize("UTC")
    return frame
