"""Prices from memory: pandas, polars, Arrow, mappings, rows as exchanges' clients return them."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from steelyard.market import Prices, read_injections, read_prices
from support.tables import START_S, refusal

DAYS = pd.date_range("2020-01-01", periods=4)
PARTS = {
    "open": np.full(4, 10.0),
    "high": np.full(4, 12.0),
    "low": np.full(4, 9.0),
    "close": np.array([11.0, 11.5, 9.5, 10.5]),
}
PANDAS = pd.DataFrame({"time": DAYS, **PARTS})
POLARS = pl.DataFrame({"time": DAYS.to_numpy(), **PARTS})
ARROW = pa.table({"time": pa.array(DAYS.to_numpy()), **PARTS})
TEXT = DAYS.strftime("%Y-%m-%d")


def objects(values: object) -> pd.Series:
    """A column of Python objects."""
    return pd.Series(values, dtype=object)


GOOD = {
    "pandas": PANDAS,
    "pandas, an index of days": pd.DataFrame(PARTS, index=DAYS),
    "pandas, yfinance's habit": pd.DataFrame(PARTS, index=DAYS.rename("Date")).rename(
        columns=str.title
    ),
    "pandas, an index of epochs": pd.DataFrame(
        PARTS, index=pd.Index(START_S + 86_400 * np.arange(4), name="timestamp")
    ),
    "pandas, index and column": PANDAS.set_index(DAYS + pd.Timedelta(hours=1)),
    "pandas, UTC": PANDAS.assign(time=DAYS.tz_localize("UTC")),
    "pandas, nanoseconds": PANDAS.assign(time=DAYS.astype("datetime64[ns]")),
    "pandas, text": PANDAS.assign(time=TEXT),
    "pandas, dates": PANDAS.assign(time=objects([day.date() for day in DAYS])),
    "pandas, timestamps as objects": PANDAS.assign(time=objects(list(DAYS))),
    "pandas, decimals": PANDAS.assign(close=objects([Decimal(str(x)) for x in PARTS["close"]])),
    "pandas, numbers as text": PANDAS.assign(close=PARTS["close"].astype(str)),
    "pandas, categories": PANDAS.assign(close=pd.Categorical(PARTS["close"].astype(str))),
    "pandas, float32": PANDAS.assign(close=PARTS["close"].astype("f4")),
    "pandas on Arrow": PANDAS.convert_dtypes(dtype_backend="pyarrow"),
    "pandas, nullable": PANDAS.convert_dtypes(),
    "pandas, every other row": PANDAS.loc[PANDAS.index.repeat(2)].iloc[::2],
    "polars": POLARS,
    "polars, text": POLARS.with_columns(pl.col("time").dt.strftime("%Y-%m-%d")),
    "polars, dates": POLARS.with_columns(pl.col("time").cast(pl.Date)),
    "polars, zoned": POLARS.with_columns(pl.col("time").dt.replace_time_zone("UTC")),
    "polars, categories": POLARS.with_columns(pl.col("close").cast(pl.String).cast(pl.Categorical)),
    "polars, decimals": POLARS.with_columns(pl.col("close").cast(pl.Decimal(10, 2))),
    "polars, in chunks": pl.concat([POLARS[:1], POLARS[1:]], rechunk=False),
    "Arrow": ARROW,
    "Arrow, a batch": ARROW.to_batches()[0],
    "Arrow, a reader": ARROW.to_reader(),
    "Arrow, a slice": pa.concat_tables([ARROW, ARROW]).combine_chunks().slice(4),
    "Arrow, views": ARROW.set_column(0, "time", pa.array(TEXT, pa.string_view())),
    "Arrow, date64": ARROW.set_column(0, "time", pa.array(DAYS.date, pa.date64())),
    "mapping of lists": {"time": list(TEXT), **{k: v.tolist() for k, v in PARTS.items()}},
    "mapping of arrays": {"time": DAYS.to_numpy(), **PARTS},
    "mapping of days": {"time": DAYS.to_numpy().astype("M8[D]"), **PARTS},
    "mapping of datetimes": {"time": DAYS.to_pydatetime(), **PARTS},
    "mapping of series": {"time": PANDAS["time"], **{k: pl.Series(v) for k, v in PARTS.items()}},
    "mapping, strided": {"time": DAYS, **{k: np.repeat(v, 2)[::2] for k, v in PARTS.items()}},
    "mapping, big-endian": {"time": DAYS, **{k: v.astype(">f8") for k, v in PARTS.items()}},
}


@pytest.mark.parametrize("kind", GOOD)
def test_frames_of_every_kind(kind: str) -> None:
    """Whatever holds the same bars gives the same Prices."""
    prices = read_prices(GOOD[kind])
    assert prices.time.tolist() == [START_S + 86_400 * day for day in range(4)]
    assert prices.step_s == 86_400
    assert prices.source == "frame"
    for part, values in PARTS.items():
        read = getattr(prices, part)
        assert read.dtype == np.float64
        assert read.tolist() == values.tolist()


def test_prices_are_returned_as_they_are() -> None:
    """What was read once is not read again."""
    prices = read_prices(PANDAS)
    assert read_prices(prices) is prices


def test_frames_are_copied_and_frozen() -> None:
    """A frame that changes later does not change what was read, nor can that be written to."""
    values = np.array([1.0, 2.0, 3.0])
    prices = read_prices({"time": np.array([1, 2, 3]), "price": values})
    values[:] = -1.0
    assert prices.close.tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="read-only"):
        prices.close[0] = 5.0
    with pytest.raises(ValueError, match="read-only"):
        prices.time[0] = 5


def test_a_zoned_column_is_converted() -> None:
    """Typed columns carry one zone for all rows: it is no mixture, also across a clock change."""
    local = pd.date_range("2020-03-28", periods=4, tz="Europe/Berlin")
    prices = read_prices(pd.DataFrame({"time": local, "close": PARTS["close"]}))
    assert (np.diff(prices.time) / 3_600).tolist() == [24, 23, 24]


def test_rows_as_clients_return_them() -> None:
    """Rows without names, as ccxt and jesse keep them, are told apart by their content."""
    times = [(START_S + 60 * row) * 1_000 for row in range(3)]
    ccxt = read_prices([[time, 10, 12, 9, 11, 5] for time in times])
    jesse = read_prices(np.array([[time, 10, 11, 12, 9, 5] for time in times]))
    assert (ccxt.layout, jesse.layout) == ("ccxt", "jesse")
    for prices in (ccxt, jesse):
        assert prices.high is not None
        assert (prices.high[2], prices.close[2], prices.step_s) == (12, 11, 60)


BAD = {
    "nothing": (None, "NoneType"),
    "a number": (5, "int"),
    "bytes": (b"time,price\n1,2\n", "bytes"),
    "an open file": (io.StringIO("time,price\n1,2\n"), "StringIO"),
    "a series": (PANDAS["close"], "Series"),
    "a polars series": (POLARS["close"], "Series"),
    "a broken lazy frame": (POLARS.lazy().select("none"), "a broken one"),
    "no columns": (pd.DataFrame(), "no columns"),
    "no rows": (PANDAS.iloc[:0], "no rows"),
    "no times": (pd.DataFrame(PARTS), "'open'"),
    "columns of two assets": (pd.concat({"A": PANDAS, "B": PANDAS}, axis=1), "one asset"),
    "columns in three levels": (
        pd.concat({"A": pd.concat({"B": PANDAS}, axis=1)}, axis=1),
        "3 levels",
    ),
    "two closes": (pd.concat([PANDAS, PANDAS[["close"]]], axis=1), "one column for close"),
    "text among numbers": (PANDAS.assign(close=objects([11, "a", 11, 11])), "row 2, close"),
    "an object": ({"time": [1, object()], "price": [1, 2]}, "row 2, time"),
    "not a number": (PANDAS.assign(close=[11, np.nan, 11, 11]), "row 2, close"),
    "missing": (POLARS.with_columns(close=pl.Series([11, 11, None, 11])), "row 3, close"),
    "no time": (PANDAS.assign(time=[DAYS[0], pd.NaT, *DAYS[2:]]), "row 2, time"),
    "negative": (POLARS.with_columns(close=pl.Series([11, 11, 11, -1])), "row 4, close"),
    "unsorted": (PANDAS.iloc[[0, 2, 1, 3]], "row 3, time"),
    "doubled": (PANDAS.iloc[[0, 1, 1, 2]], "row 3, time"),
    "truth values": (PANDAS.assign(close=True), "bool"),
    "complex": (PANDAS.assign(close=PARTS["close"].astype(complex)), "column 'close'"),
    "lists": (POLARS.with_columns(close=pl.Series([[1.0]] * 4)), "list"),
    "spans": (PANDAS.assign(close=pd.to_timedelta(PARTS["close"])), "duration"),
    "mixed zones": (
        {"time": [dt.datetime(2020, 1, 1, tzinfo=dt.UTC), DAYS[1]], "price": [1, 2]},
        "row 2, time",
    ),
    "mixed zones in text": ({"time": ["2020-01-01T00Z", "2020-01-02"], "price": [1, 2]}, "zone"),
    "huge integers": ({"time": [2**70], "price": [1]}, "row 1, time"),
    "end of all times": (
        pa.table({"time": pa.array([2**63 - 1], pa.timestamp("s")), "price": [1.0]}),
        "row 1, time",
    ),
    "unequal lengths": ({"time": [1, 2, 3], "price": [1, 2]}, "columns of one length"),
    "scalars": ({"time": 1, "price": 2}, "column 'time'"),
    "a table in a column": ({"time": [1, 2], "price": np.ones((2, 2))}, "column 'price'"),
    "ragged rows": ([[1, 2, 3, 1, 2, 5], [2, 3]], "all of one length"),
    "no rows at all": ([], "dimensions"),
    "rows of five": ([[1, 2, 3, 1, 2]], "5 columns"),
    "rows of text": ([["a"] * 6], "rows of numbers"),
    "rows with a hole": ([[1, 2, 3, 1, 2, None], [2, 2, 3, 1, 2, 1]], "row 1, volume"),
}


@pytest.mark.parametrize("kind", BAD)
def test_frames_that_are_refused(kind: str) -> None:
    """Wrong frames give the errors of wrong files: the row where there is one, or what it is."""
    source, words = BAD[kind]
    error = refusal(source)
    assert str(error).startswith("frame: ")
    assert words in str(error)


def test_events_come_from_frames_too() -> None:
    """Funding, rates and injections are read from whatever prices are read from."""
    frame = POLARS.select("time").with_columns(quote=pl.lit(5.0), kind=pl.lit("capital"))
    frame = frame.with_columns(pl.col("kind").cast(pl.Categorical))
    injections = read_injections(frame)
    assert injections.kind == ("capital",) * 4
    assert injections.quote.tolist() == [5.0] * 4


def test_prices_of_an_unknown_source_say_frame() -> None:
    """The name in messages is `frame` where there is no file."""
    assert isinstance(read_prices(ARROW), Prices)
    assert refusal(ARROW.slice(0, 1)).details["file"] == "frame"
