"""Files as the libraries and exchanges that people get them from write them: all the same bars."""

from __future__ import annotations

import json
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather

from steelyard.market import Prices, read_prices
from support.tables import bars_text, file_of, refusal

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = Path(__file__).parent / "strangers"
PARTS = ("time", "open", "high", "low", "close", "volume")


def pandas_of(name: str) -> pd.DataFrame:
    """A frame as a library returned it."""
    return pd.read_parquet(FILES / name)


STRANGERS: dict[str, tuple[Callable[[], object], str, str]] = {
    "freqtrade feather": (lambda: FILES / "BTC_USDT-1h.feather", "bars", "BTC-USDT"),
    "freqtrade json": (lambda: FILES / "BTC_USDT-1h.json", "ccxt", "BTC-USDT"),
    "freqtrade jsongz": (lambda: FILES / "BTC_USDT-1h.json.gz", "ccxt", "BTC-USDT"),
    "Binance pattern": (lambda: str(FILES / "BTCUSDT-1h-*.zip"), "binance", "BTCUSDT"),
    "Binance list": (
        lambda: [FILES / f"BTCUSDT-1h-{year}.zip" for year in (2025, 2024)],
        "binance",
        "BTCUSDT",
    ),
    "yfinance frame": (lambda: pandas_of("yfinance.parquet"), "bars", "BTC-USD"),
    "yfinance frame by ticker": (
        lambda: pandas_of("yfinance.parquet").swaplevel(axis=1),
        "bars",
        "BTC-USD",
    ),
    "yfinance csv": (lambda: FILES / "yfinance.csv", "bars", "BTC-USD"),
    "ccxt rows": (lambda: json.loads((FILES / "ccxt.json").read_text()), "ccxt", ""),
    "ccxt json": (lambda: FILES / "ccxt.json", "ccxt", ""),
    "ccxt csv": (lambda: FILES / "ccxt.csv", "ccxt", ""),
    "newest first": (lambda: FILES / "newest_first.csv", "bars", "BTC/USDT"),
    "decimal comma": (lambda: FILES / "decimal_comma.csv", "bars", ""),
    "nanoseconds": (lambda: FILES / "nanoseconds.csv", "bars", ""),
    "polars lazy": (lambda: pl.scan_parquet(FILES / "polars.parquet"), "bars", ""),
    "decimal128": (lambda: FILES / "decimals.parquet", "bars", ""),
}


def same(found: Prices, wanted: Prices, parts: tuple[str, ...] = PARTS) -> None:
    """Both hold the same bars, to the last bit."""
    for part in parts:
        assert np.array_equal(getattr(found, part), getattr(wanted, part)), part
    assert found.step_s == wanted.step_s


@pytest.mark.parametrize("stranger", STRANGERS)
def test_strangers_files_read_right(stranger: str) -> None:
    """Each library's file reads to the same bars, and names its market where it says one."""
    source, layout, symbol = STRANGERS[stranger]
    found = read_prices(source())
    # Yahoo's volumes are whole numbers
    parts = PARTS[:-1] if stranger.startswith("yfinance") else PARTS
    same(found, read_prices(FILES / "bars.csv"), parts)
    assert (found.layout, found.symbol) == (layout, symbol)


@pytest.mark.parametrize("name", ["close", "BTC-USD", None, "price"])
def test_a_pandas_series_holds_closes(name: str | None) -> None:
    """A Series whose index holds times is closes of bars, or prices where it is called so."""
    frame = pandas_of("yfinance.parquet")["Close"]["BTC-USD"].rename(name)
    found, wanted = read_prices(frame), read_prices(FILES / "bars.csv")
    assert np.array_equal(found.close, wanted.close)
    assert np.array_equal(found.time, wanted.time)
    assert found.layout == ("prices" if name == "price" else "closes")


# --- Laws -------------------------------------------------------------------------------------

CENTS = st.integers(1, 10**9)
TICKS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
Rows = list[tuple[int, list[Decimal]]]


@st.composite
def bars(draw: st.DrawFn) -> Rows:
    """Bars of any step, prices in cents; three or more, so that newest first can be told."""
    start = draw(st.integers(10**9, 2 * 10**9))
    step = draw(st.sampled_from([60, 3_600, 86_400]))
    rows: Rows = []
    for number in range(draw(st.integers(3, 12))):
        low, *inner, high = sorted(draw(st.lists(CENTS, min_size=4, max_size=4)))
        cents = (inner[0], high, low, inner[1], draw(CENTS))
        rows.append((start + number * step, [Decimal(one) / 100 for one in cents]))
    return rows


def columns_of(rows: Rows, ticks: int = 1) -> dict[str, list[Any]]:
    """The same by column."""
    times = {"time": [time * ticks for time, _ in rows]}
    return times | {part: [row[n] for _, row in rows] for n, part in enumerate(PARTS[1:])}


def csv_of(rows: Rows, ticks: int, mark: str, decimal: str) -> str:
    """Text with a header, delimited by one mark and with another before fractions."""
    lines = [mark.join(PARTS)]
    for time, figures in rows:
        lines.append(mark.join([str(time * ticks), *(f"{x:.2f}" for x in figures)]))
    return "\n".join(lines).replace(".", decimal) + "\n"


def written(rows: Rows, way: str, ticks: int, folder: Path) -> object:
    """The bars in one of the ways in which people have them."""
    columns = columns_of(rows, ticks)
    floats = {"time": columns["time"]} | {p: [float(x) for x in columns[p]] for p in PARTS[1:]}
    if way == "comma":
        return file_of(folder, csv_of(rows, ticks, ",", "."), "a.csv")
    if way == "semicolon":
        return file_of(folder, csv_of(rows, ticks, ";", ","), "b.csv")
    if way == "json":
        matrix = [list(row) for row in zip(*floats.values(), strict=True)]
        return file_of(folder, json.dumps(matrix), "c.json")
    if way == "objects":
        return file_of(folder, json.dumps(pd.DataFrame(floats).to_dict("records")), "d.json")
    if way == "feather":
        feather.write_feather(pa.table(floats), str(folder / "e.feather"), chunksize=2)
        return folder / "e.feather"
    if way == "zip":
        with zipfile.ZipFile(folder / "f.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("f.csv", csv_of(rows, ticks, ",", "."))
        return folder / "f.zip"
    if way == "two files":
        half = len(rows) // 2
        file_of(folder, csv_of(rows[:half], ticks, ",", "."), "g2.csv")
        file_of(folder, csv_of(rows[half:], 1, ";", ","), "g1.csv")
        return str(folder / "g?.csv")
    if way == "lazy":
        return pl.DataFrame(floats).lazy()
    if way == "tickers":
        return pd.concat({"BTC-USD": pd.DataFrame(floats)}, axis=1)
    return columns  # Python's Decimals


WAYS = ("comma", "semicolon", "json", "objects", "feather", "zip", "lazy", "tickers", "decimals")


@settings(max_examples=60)
@given(
    rows=bars(), way=st.sampled_from(WAYS), unit=st.sampled_from(list(TICKS)), turn=st.booleans()
)
def test_any_layout_of_the_same_bars_reads_to_the_same_prices(
    tmp_path_factory: pytest.TempPathFactory, rows: Rows, way: str, unit: str, turn: bool
) -> None:
    """Whatever they are written as, oldest or newest first, the same bars are the same Prices."""
    times = {"time": [time for time, _ in rows]}
    floats = {p: [float(str(row[n])) for _, row in rows] for n, p in enumerate(PARTS[1:])}
    wanted = read_prices(times | floats)
    folder = tmp_path_factory.mktemp("ways")
    found = read_prices(written(rows[::-1] if turn else rows, way, TICKS[unit], folder))
    same(found, wanted)
    assert not found.close.flags.writeable


@settings(max_examples=30)
@given(rows=bars(), unit=st.sampled_from(list(TICKS)))
def test_bars_in_two_files_read_as_in_one(
    tmp_path_factory: pytest.TempPathFactory, rows: Rows, unit: str
) -> None:
    """Two files of different units and marks, named in the wrong order, join to the same Prices."""
    folder = tmp_path_factory.mktemp("two")
    found = read_prices(written(rows, "two files", TICKS[unit], folder))
    same(found, read_prices(written(rows, "comma", 1, folder)))


@given(
    st.lists(
        st.decimals(min_value="0.000001", max_value="99999999", places=10), min_size=2, max_size=9
    )
)
def test_decimal_columns_are_the_floats_of_their_text(values: list[Decimal]) -> None:
    """Arrow's decimals and Python's give the float that their text gives, to the last bit."""
    wanted = [float(str(value)) for value in values]
    times = list(range(len(values)))
    arrow = pa.table({"time": times, "price": pa.array(values, pa.decimal128(38, 10))})
    assert read_prices(arrow).close.tolist() == wanted
    assert read_prices({"time": times, "price": values}).close.tolist() == wanted


# --- Refusals ---------------------------------------------------------------------------------


def two_csv_zip(folder: Path) -> Path:
    """An archive of two files."""
    with zipfile.ZipFile(folder / "two.zip", "w") as archive:
        archive.writestr("a.csv", bars_text())
        archive.writestr("b.csv", bars_text())
    return folder / "two.zip"


def test_an_archive_of_two_files_is_refused(tmp_path: Path) -> None:
    """Which of them is meant cannot be told."""
    assert "2 files" in str(refusal(two_csv_zip(tmp_path)))


def test_the_line_of_a_bad_row_in_an_archive_is_named(tmp_path: Path) -> None:
    """As in a plain file."""
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("a.csv", bars_text(rows=3) + "1577837100,10,12,9,-1\n")
    assert "row 4 (line 5), close" in str(refusal(tmp_path / "bad.zip"))


def test_files_that_overlap_are_refused(tmp_path: Path) -> None:
    """A month that is there twice is not counted twice; the files are named."""
    file_of(tmp_path, bars_text(rows=6), "a.csv")
    file_of(tmp_path, bars_text(rows=4), "b.csv")
    message = str(refusal(str(tmp_path / "*.csv")))
    assert "overlap" in message
    assert "a.csv" in message
    assert "b.csv" in message


def test_files_of_two_markets_are_refused(tmp_path: Path) -> None:
    """A pattern that takes in another asset's files would join them into one history."""
    file_of(tmp_path, bars_text(), "BTCUSDT-1m.csv")
    later = bars_text().replace("15778", "16778")
    file_of(tmp_path, later, "ETHUSDT-1m.csv")
    assert "one market" in str(refusal(str(tmp_path / "*.csv")))


def test_files_of_other_columns_are_refused(tmp_path: Path) -> None:
    """Closes do not go on where bars end."""
    file_of(tmp_path, bars_text(), "a.csv")
    file_of(tmp_path, "time,close\n1677836800,10\n1677836860,11\n", "b.csv")
    assert "same columns" in str(refusal(str(tmp_path / "*.csv")))


def test_a_pattern_that_nothing_matches_is_refused(tmp_path: Path) -> None:
    """And it is said to be a pattern; a file of that very name wins over it."""
    assert "match this pattern" in str(refusal(str(tmp_path / "x*.csv")))
    name = file_of(tmp_path, bars_text(rows=3), "x[1]*.csv")
    assert len(read_prices(str(name))) == 3


def test_a_frame_of_two_tickers_is_refused() -> None:
    """With the call that chooses one."""
    frame = pandas_of("yfinance.parquet")
    both = pd.concat([frame, frame.rename(columns={"BTC-USD": "ETH-USD"})], axis=1)
    message = str(refusal(both))
    assert "frame.xs('BTC-USD', axis=1, level=1)" in message
    same(read_prices(both.xs("BTC-USD", axis=1, level=1)), read_prices(frame))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("time;close\n1577836800;10,5\n1577836860;1.234,5\n", "row 2 (line 3), close"),
        ("time;close\n1577836800;10,5\n1577836860;10.5\n", "row 1 (line 2), close"),
        ("time;close\n1577836800;1,234.5\n1577836860;10.5\n", "row 1 (line 2), close"),
        ("time,close\n3,1\n2,1\n1,1\n1,1\n", "row 4 (line 5), time"),
        ("time,close\n4,1\n3,1\n2,1\n3,1\n", "since the rows above are newest first"),
        ("[[1577836800,1,1,1,1,1],[1577836860,1]]", "6 cells in row 2"),
        ("[[1577836800,10,12,9,11,1],[15778", "after row"),
        ("[1,2,3]", "begins with 1"),
        ("[]", "empty list"),
        ('[{"time": 1, "price": 5}, [1, 2]]', "an object in row 2"),
        ('[{"time": 1, "price": 5}, {"time": 2}]', "row 2, price"),
        ("Price,Close,Close\nTicker,A,B\nDate,,\n2024-01-01,1,2\n", "one ticker"),
    ],
)
def test_what_is_nearly_one_of_these_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """A mark of thousands, a row out of order, JSON that breaks off: the place is named."""
    assert words in str(refusal(file_of(tmp_path, text)))


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BTCUSDT-1m-2025-01.zip", "BTCUSDT"),
        ("eth_usd_daily.csv", "ETH-USD"),
        ("SOL_USDT_USDT-1h-futures.feather", "SOL-USDT"),
        ("btc-1m.parquet", "BTC"),
        ("bitcoin.csv", "BITCOIN"),
        ("Bitstamp_ETHUSD_1h.csv", "ETHUSD"),
        ("prices.csv", ""),
        ("link.csv", ""),
        ("near-the-end.csv", ""),
        ("eth-vs-btc.csv", ""),
        ("2024_usd.csv", ""),
    ],
)
def test_a_file_name_that_plainly_names_an_asset(tmp_path: Path, name: str, symbol: str) -> None:
    """Names it; a word that could be another, or two assets, name none."""
    path = file_of(tmp_path, bars_text(), name)
    assert read_prices(path).symbol == symbol
