"""Instants in and out of text."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.errors import InputError
from steelyard.market import format_duration, format_time, parse_time
from steelyard.market.times import END_S

T = 1_583_971_200  # 2020-03-12T00:00:00Z


@given(st.integers(0, END_S - 1))
def test_text_and_seconds_are_one(epoch_s: int) -> None:
    """Every second of a market survives being written and read."""
    text = format_time(epoch_s)
    assert len(text) == len("2020-03-12T00:00:00Z")
    assert parse_time(text) == parse_time(epoch_s) == epoch_s
    assert parse_time(f"{epoch_s:010}") == epoch_s


@pytest.mark.parametrize(
    "when",
    [
        T,
        T + 0.9,
        "2020-03-12",
        "2020-03-12T00:00:00.999999Z",
        " 2020-03-12 00:00:00 UTC ",
        "2020-03-11T22:30-01:30",
        dt.date(2020, 3, 12),
        dt.datetime(2020, 3, 12, tzinfo=dt.UTC),
        pd.Timestamp("2020-03-12 01:00:00.000000001", tz="Europe/Berlin"),
    ],
)
def test_ways_to_name_an_instant(when: object) -> None:
    """Text, numbers, dates and datetimes; without an offset they are UTC; fractions are cut."""
    assert parse_time(when) == T


@pytest.mark.parametrize(
    "when",
    ["", "now", "2020", "2020-13-01", "20200312T00", "2020-03-12-01", "1969-12-31", -1, END_S,
     float("nan"), float("inf"), None, [], dt.date(1900, 1, 1), "9" * 400, pd.NaT],
)  # fmt: skip
def test_what_is_no_instant(when: object) -> None:
    """Anything else is the caller's mistake, said in one sentence."""
    with pytest.raises(InputError, match="expected a time such as"):
        parse_time(when)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3_600, "1 h"), (86_400, "1 d"),
     (122_400, "1 d 10 h"), (90_061, "1 d 1 h 1 min 1 s")],
)  # fmt: skip
def test_durations(seconds: int, text: str) -> None:
    """Spans are written in the units that people use."""
    assert format_duration(seconds) == text
