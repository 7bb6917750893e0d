"""Which files are recognised as what, by the names in their headers or by their content."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from steelyard.market import read_prices
from support.tables import START_S, bars_text, file_of, packed, refusal

if TYPE_CHECKING:
    from pathlib import Path

    from steelyard.market import Prices

MS = START_S * 1_000
US = START_S * 1_000_000
BINANCE_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
    "taker_buy_quote_volume,ignore\n"
)
BINANCE_MS = (
    f"{MS},10,12,9,11,5,{MS + 59_999},50,3,2,20,0\n"
    f"{MS + 60_000},11,13,10,12,6,{MS + 119_999},50,3,2,20,0\n"
)
LAYOUTS = {
    "freqtrade": (
        (
            "date,open,high,low,close,volume\n2020-01-01 00:00:00+00:00,10,12,9,11,5\n"
            "2020-01-01 00:01:00+00:00,11,13,10,12,6\n"
        ),
        "bars",
    ),
    "ccxt": (f"{MS},10,12,9,11,5\n{MS + 60_000},11,13,10,12,6\n", "ccxt"),
    "jesse with a header": (
        f"timestamp,open,close,high,low,volume\n{MS},10,11,12,9,5\n{MS + 60_000},11,12,13,10,6\n",
        "jesse",
    ),
    "jesse without": (f"{MS},10,11,12,9,5\n{MS + 60_000},11,12,13,10,6\n", "jesse"),
    "binance without a header": (BINANCE_MS, "binance"),
    "binance with one": (BINANCE_HEADER + BINANCE_MS, "binance"),
    "binance since 2025": (
        (
            f"{US},10,12,9,11,5,{US + 59_999_999},50,3,2,20,0\n"
            f"{US + 60_000_000},11,13,10,12,6,{US + 119_999_999},50,3,2,20,0\n"
        ),
        "binance",
    ),
    "capitals, spaces, other columns": (
        (
            f"Symbol, Timestamp , OPEN,High,low,Close,Adj Close,Volume\n"
            f"X,{START_S},10,12,9,11,1,5\n"
            f"X,{START_S + 60},11,13,10,12,1,6\n"
        ),
        "bars",
    ),
    "a column of row numbers": (
        (
            f",time,open,high,low,close,volume\n0,{START_S},10,12,9,11,5\n"
            f"1,{START_S + 60},11,13,10,12,6\n"
        ),
        "bars",
    ),
}


def columns(prices: Prices) -> dict[str, list[float]]:
    """All columns, as lists."""
    parts = ("time", "open", "high", "low", "close", "volume")
    return {part: getattr(prices, part).tolist() for part in parts}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout_is_recognised(tmp_path: Path, name: str) -> None:
    """Each layout that people have lying about gives the same bars."""
    text, layout = LAYOUTS[name]
    prices = read_prices(file_of(tmp_path, text))
    assert columns(prices) == {
        "time": [START_S, START_S + 60],
        "open": [10, 11],
        "high": [12, 13],
        "low": [9, 10],
        "close": [11, 12],
        "volume": [5, 6],
    }
    assert (prices.layout, prices.step_s, prices.has_path) == (layout, 60, True)


def test_time_and_price_are_observations(tmp_path: Path) -> None:
    """`time,price` is observed at its own time: its step is 0 and nothing is added."""
    prices = read_prices(file_of(tmp_path, "time,price\n100,5\n160,6\n400,7\n"))
    assert (prices.layout, prices.step_s, prices.has_path) == ("prices", 0, False)
    assert prices.end_times.tolist() == prices.time.tolist() == [100, 160, 400]
    assert prices.close.tolist() == [5, 6, 7]
    assert len(prices.gaps) == 0


def test_closes_alone_are_bars_without_a_path(tmp_path: Path) -> None:
    """`time,close` is a bar file: it has a step and gaps, and no inside to walk."""
    prices = read_prices(file_of(tmp_path, "time,close\n0,5\n60,6\n120,6\n300,7\n"))
    assert (prices.layout, prices.step_s, prices.has_path) == ("closes", 60, False)
    assert prices.open is None
    assert prices.end_times.tolist() == [60, 120, 180, 360]
    assert list(prices.gaps) == [(3, 120)]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters(tmp_path: Path, delimiter: str) -> None:
    """Columns may be parted by semicolons, tabs or bars, as the first line shows."""
    path = file_of(tmp_path, bars_text().replace(",", delimiter))
    assert read_prices(path).close.tolist() == [11.0] * 6


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + bars_text(),
        bars_text().replace("\n", "\r\n"),
        bars_text().replace("\n", "\r"),
        bars_text() + "\n\n",
        "\n\n" + bars_text(),
        bars_text().rstrip("\n"),
        bars_text().replace(",", " , "),
        bars_text().replace(",", '","').replace("\n", '"\n"')[:-1].join(['"', ""]),
    ],
    ids=["bom", "crlf", "cr", "blank-after", "blank-before", "no-newline", "spaces", "quoted"],
)
def test_ways_of_writing_the_same(tmp_path: Path, text: str) -> None:
    """Byte order marks, line ends, blank lines, spaces and quotes change nothing."""
    prices = read_prices(file_of(tmp_path, text))
    assert prices.time.tolist() == [START_S + 60 * row for row in range(6)]
    assert prices.low is not None
    assert prices.low.tolist() == [9.0] * 6


def test_content_decides_and_not_the_name(tmp_path: Path) -> None:
    """A gzipped file needs no `.gz`, and a plain one may have it."""
    for content in (packed(bars_text()), bars_text()):
        for name in ("a.csv", "a.csv.gz", "a.parquet", "a"):
            assert len(read_prices(file_of(tmp_path, content, name))) == 6


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b,c\n1,2,3\n", ["time,price", "'a', 'b', 'c'"]),
        ("open,high,low,close\n1,2,1,2\n", ["time", "'open', 'high'"]),
        ("time,open,high,low\n1,2,3,1\n", ["close", "'time', 'open'"]),
        ("time,date,price\n1,2,3\n", ["one column for time", "'time' and 'date'"]),
        ("time,close,Close\n1,2,3\n", ["one column for close", "'close' and 'Close'"]),
        ("time,close,price\n1,2,3\n", ["not both", "'close', 'price'"]),
        ("1,2\n2,3\n", ["header", "2 columns and no header"]),
        ("1,2,3,4,5,6,7\n", ["header", "7 columns and no header"]),
        ("date,annual_rate_percent\n2020-01-01,5\n", ["time,price", "'annual_rate_percent'"]),
    ],
)
def test_unknown_columns_are_listed(tmp_path: Path, text: str, words: list[str]) -> None:
    """Columns that are missing or ambiguous: the error says what is expected and what is there."""
    message = str(refusal(file_of(tmp_path, text)))
    for word in words:
        assert word in message


def test_junk_in_a_header_is_cut_short(tmp_path: Path) -> None:
    """A header of thousands of columns does not become a message of thousands of words."""
    wide = ",".join(f"column{index}" for index in range(5_000))
    assert "and 4988 more" in str(refusal(file_of(tmp_path, wide + "\n1\n")))
