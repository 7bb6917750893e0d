"""Frames of any maker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from steelyard.errors import InputError
from steelyard.report.plain_frames import floats, has_column, texts, times

COLUMNS = {
    "time": np.array(["2020-01-01", "2020-01-02T03:04:05"], dtype="datetime64[ms]"),
    "nav": np.array([100.0, np.inf]),
    "trigger": np.array(["launch", "band"]),
}
MAKERS = [
    pytest.param(dict, id="dict"),
    pytest.param(pd.DataFrame, id="pandas"),
    pytest.param(pl.DataFrame, id="polars"),
    pytest.param(
        lambda columns: pa.table({k: pa.array(v) for k, v in columns.items()}), id="arrow"
    ),
]


@pytest.mark.parametrize("make", MAKERS)
def test_columns_are_read_by_name(make: Callable[[Any], Any]) -> None:
    """A pandas or polars frame, an Arrow table and a dict of arrays say the same."""
    frame = make(COLUMNS)
    assert times(frame).tolist() == [1_577_836_800, 1_577_934_245]
    assert texts(frame, "trigger") == ["launch", "band"]
    assert has_column(frame, "nav")
    assert not has_column(frame, "reserve")


@pytest.mark.parametrize("make", MAKERS)
def test_what_cannot_be_drawn_is_left_out(make: Callable[[Any], Any]) -> None:
    """An infinite value becomes a gap."""
    assert np.isnan(floats(make(COLUMNS), "nav")[1])


@pytest.mark.parametrize("make", MAKERS)
def test_a_missing_column_is_named(make: Callable[[Any], Any]) -> None:
    """The error says which."""
    with pytest.raises(InputError, match="'leverage'"):
        floats(make(COLUMNS), "leverage")


def test_time_may_be_epoch_seconds() -> None:
    """Whole numbers count seconds; words are refused."""
    assert times({"time": np.array([5, 6])}).tolist() == [5, 6]
    with pytest.raises(InputError, match="epoch seconds"):
        times({"time": np.array(["yesterday"])})
