"""The report on a history, and the history that comes with the program."""

from __future__ import annotations

import json

import pytest

from steelyard.errors import InputError
from steelyard.market import SAMPLE_NAMES, check_report, read_prices, sample_prices


def test_report_on_bars() -> None:
    """Every figure of the report, on a history small enough to count."""
    prices = read_prices(
        {
            "time": [0, 60, 120, 300, 360, 720, 750],
            "open": [10.0, 10, 10, 10, 10, 10, 10],
            "high": [12.0, 12, 30, 12, 12, 12, 12],
            "low": [9.0, 9, 9, 1, 9, 9, 9],
            "close": [10.0, 11, 10, 10, 9, 12, 12],
        }
    )
    report = check_report(prices)
    assert json.loads(json.dumps(report)) == report
    assert report == {
        "source": "frame",
        "layout": "bars",
        "rows": 7,
        "start": "1970-01-01T00:00:00Z",
        "end": "1970-01-01T00:13:30Z",
        "step_s": 60,
        "path": True,
        "volume": False,
        "gaps": {
            "count": 2,
            "missing_s": 420,
            "missing_bars": 7,
            "longest": {
                "start": "1970-01-01T00:07:00Z",
                "end": "1970-01-01T00:12:00Z",
                "missing_s": 300,
                "row": 6,
            },
        },
        "short_spacings": 1,
        "price": {"first": 10.0, "last": 12.0, "min": 1.0, "max": 30.0},
        "moves": {
            "largest_fall": {
                "move": 9 / 10 - 1,
                "time": "1970-01-01T00:06:00Z",
                "row": 5,
            },
            "largest_rise": {"move": 12 / 9 - 1, "time": "1970-01-01T00:12:00Z", "row": 6},
        },
    }


def test_report_on_one_observation() -> None:
    """What is not defined is null: no gaps without a length, no moves in one row."""
    report = check_report(read_prices({"time": [5], "price": [2.5]}))
    assert report["moves"] is None
    assert report["gaps"] == {"count": 0, "missing_s": 0, "missing_bars": 0, "longest": None}
    assert report["start"] == report["end"] == "1970-01-01T00:00:05Z"
    assert report["path"] is False


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_sample_is_three_whole_years(name: str) -> None:
    """The bundled history is daily bars of 2020 to 2022, whole, with the crash of March 2020."""
    prices = sample_prices(name)
    report = check_report(prices)
    assert (report["rows"], report["step_s"], report["path"]) == (1_096, 86_400, True)
    assert (report["start"], report["end"]) == ("2020-01-01T00:00:00Z", "2023-01-01T00:00:00Z")
    assert len(prices.gaps) == 0
    assert prices.source == f"{name.lower()}_usd_daily.csv"
    assert report["moves"]["largest_fall"]["time"] == "2020-03-12T00:00:00Z"
    assert report["moves"]["largest_fall"]["move"] < -0.3


def test_sample_says_what_there_is() -> None:
    """A name that is not bundled is refused with those that are."""
    with pytest.raises(InputError, match="expected BTC or ETH"):
        sample_prices("DOGE")
