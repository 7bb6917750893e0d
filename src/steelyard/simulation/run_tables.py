"""The tables of a run as plain columns, for files, figures and Python.

A frame here is a dict of arrays by column name. pandas is imported only if a DataFrame is asked
for, because the import takes longer than the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from steelyard.fund.state import Totals
from steelyard.market import Prices
from steelyard.rules.costs import ACCRUED_KINDS, COST_KINDS, TRADE_KINDS
from steelyard.simulation.bar_records import Marks
from steelyard.simulation.record import FlowRow, RebalanceRow, Record
from steelyard.simulation.running_statistics import Tally

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Columns",
    "cost_columns",
    "flow_columns",
    "nav_columns",
    "rebalance_columns",
    "suspension_columns",
    "to_pandas",
]

Columns = dict[str, npt.NDArray[Any]]

TEXT = ("trigger", "side")


def instants(seconds: npt.ArrayLike) -> npt.NDArray[np.datetime64]:
    """Epoch seconds as NumPy instants (UTC)."""
    return np.asarray(seconds, dtype=np.int64).view("datetime64[s]")


def nav_columns(bars: Prices, marks: Marks, tally: Tally) -> Columns:
    """One row per bar, with the time of the price file and the figures at its close.

    The tally receives the same figures.
    """
    close = np.asarray(bars.close)
    nav, leverage = marks.nav_and_leverage(close, tally)
    return {
        "time": instants(bars.time),
        "price": close,
        "nav": nav,
        "leverage": leverage,
        "tokens": marks.column("tokens"),
        "reserve": marks.column("reserve"),
    }


def flow_columns(record: Record[Any]) -> Columns:
    """One row per creation or redemption."""
    columns: Columns = {}
    for place, name in enumerate(FlowRow._fields):
        values = [row[place] for row in record.flows]
        columns[name] = instants(values) if name == "time" else np.array(values, dtype=np.float64)
    return columns


def rebalance_columns(record: Record[Any]) -> Columns:
    """One row per executed trade, the launch included."""
    columns: Columns = {}
    values = list(zip(*record.trades, strict=True)) or [()] * len(RebalanceRow._fields)
    for name, column in zip(RebalanceRow._fields, values, strict=True):
        if name == "time":
            columns[name] = instants(column)
        elif name in TEXT:
            columns[name] = np.array(column, dtype=np.str_)
        else:
            columns[name] = np.array(column, dtype=np.float64)
    return columns


def suspension_columns(spans: Sequence[tuple[int, int]]) -> Columns:
    """One row per suspension of the reserve, from one scheduled observation to another."""
    ends = np.array(spans, dtype=np.int64).reshape(-1, 2)
    return {name: instants(ends[:, place].copy()) for place, name in enumerate(("from", "to"))}


def cost_columns(
    bars: Prices, record: Record[Any], marks: Marks, intrabar: str, before: Totals[Any]
) -> Columns:
    """Cumulative costs by kind at each bar's close since launch, in quote, of the whole fund."""
    stamps = bars.time if intrabar == "path" else bars.end_times
    columns: Columns = {"time": instants(bars.time)}
    trades = rebalance_columns(record)
    upto = np.searchsorted(trades["time"].astype(np.int64), stamps, side="right")
    for name in (*TRADE_KINDS, "paid_by_reserve"):
        columns[name] = (
            float(getattr(before, name)) + np.concatenate(([0.0], np.cumsum(trades[name])))[upto]
        )
    for name in ACCRUED_KINDS:
        columns[name] = marks.column(name)
    order = ("time", *COST_KINDS, "paid_by_reserve")
    return {name: columns[name] for name in order}


def to_pandas(columns: Columns) -> pd.DataFrame:
    """The columns as a DataFrame; times are UTC."""
    import pandas as pd

    frame = pd.DataFrame(columns)
    for name, values in columns.items():
        if values.dtype.kind == "M":
            frame[name] = frame[name].dt.tz_localize("UTC")
    return frame
