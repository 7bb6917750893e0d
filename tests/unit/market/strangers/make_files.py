"""Write the strangers' files beside this script, with the libraries that people get them from.

    python -m venv strangers && strangers/bin/pip install freqtrade yfinance ccxt polars pyarrow
    strangers/bin/python tests/unit/market/strangers/make_files.py

Tests read the files and need none of these libraries. The bars are made up: 48 hours around the
new year of 2025, when Binance's files went from milliseconds to microseconds. What Yahoo would
answer is made of the same bars, and yfinance shapes its frame of it as it does of any answer.
"""

from __future__ import annotations

import csv
import io
import json
import random
import zipfile
from decimal import Decimal
from pathlib import Path

import ccxt
import pandas as pd
import polars as pl
import pyarrow as pa
import yfinance
from freqtrade.data.history import get_datahandler
from freqtrade.enums import CandleType
from pyarrow import parquet
from yfinance.data import YfData

HERE = Path(__file__).parent
START_MS, HOUR_MS, ROWS = 1_735_603_200_000, 3_600_000, 48  # from 2024-12-31
NEW_YEAR_MS = 1_735_689_600_000
PARTS = ("open", "high", "low", "close", "volume")


def bars() -> list[tuple[int, str, str, str, str, str]]:
    """Time in milliseconds, and the figures as text, as an exchange writes them."""
    chance, cents, rows = random.Random(12), 9_325_017, []  # noqa: S311 (made-up prices)
    for hour in range(ROWS):
        opened, cents = cents, cents + chance.randint(-60_000, 60_000)
        high = max(opened, cents) + chance.randint(0, 20_000)
        low = min(opened, cents) - chance.randint(0, 20_000)
        figures = (str(Decimal(value) / 100) for value in (opened, high, low, cents))
        volume = str(Decimal(chance.randint(1, 10**9)) / 10**5)
        rows.append((START_MS + hour * HOUR_MS, *figures, volume))
    return rows


BARS = bars()
FRAME = pd.DataFrame(
    {
        "date": pd.to_datetime([row[0] for row in BARS], unit="ms", utc=True),
        **{part: [float(row[place]) for row in BARS] for place, part in enumerate(PARTS, 1)},
    }
)


def expected() -> None:
    """Write what all the others must read as."""
    with (HERE / "bars.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["time", *PARTS])
        writer.writerows((row[0] // 1_000, *row[1:]) for row in BARS)


def freqtrade_files() -> None:
    """Write what freqtrade's three kinds of store hold."""
    for kind in ("feather", "json", "jsongz"):
        get_datahandler(HERE, kind).ohlcv_store("BTC/USDT", "1h", FRAME.copy(), CandleType.SPOT)


def binance_files() -> None:
    """Write archives as data.binance.vision has them: twelve columns without a header."""
    for year, ticks in ((2024, 1), (2025, 1_000)):
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        for row in BARS:
            if (row[0] < NEW_YEAR_MS) == (year == 2024):
                ends = (row[0] + HOUR_MS) * ticks - 1
                writer.writerow([row[0] * ticks, *row[1:], ends, "0", 0, "0", "0", 0])
        name = f"BTCUSDT-1h-{year}"
        info = zipfile.ZipInfo(f"{name}.csv", (2025, 2, 1, 0, 0, 0))
        with zipfile.ZipFile(HERE / f"{name}.zip", "w") as archive:
            archive.writestr(info, text.getvalue(), zipfile.ZIP_DEFLATED)


class Answer:
    """What Yahoo would answer about these bars."""

    status_code = 200

    def __init__(self) -> None:
        quote = {part: [float(row[n]) for row in BARS] for n, part in enumerate(PARTS, 1)}
        meta = {
            "currency": "USD",
            "symbol": "BTC-USD",
            "exchangeName": "CCC",
            "instrumentType": "CRYPTOCURRENCY",
            "exchangeTimezoneName": "UTC",
            "timezone": "UTC",
            "gmtoffset": 0,
            "dataGranularity": "1h",
            "validRanges": ["1d", "5d"],
            "priceHint": 2,
            "currentTradingPeriod": {
                name: {"timezone": "UTC", "start": 0, "end": 1, "gmtoffset": 0}
                for name in ("pre", "regular", "post")
            },
            "tradingPeriods": [
                [{"timezone": "UTC", "start": start, "end": start + 86_400, "gmtoffset": 0}]
                for start in (START_MS // 1_000, NEW_YEAR_MS // 1_000)
            ],
        }
        chart = {"meta": meta, "timestamp": [row[0] // 1_000 for row in BARS]}
        chart["indicators"] = {"quote": [quote]}
        self.content = {"chart": {"result": [chart], "error": None}}
        self.text = json.dumps(self.content)

    def json(self) -> dict[str, object]:
        """Return the answer."""
        return self.content


def yfinance_files() -> None:
    """Write the frame of ``yfinance.download`` as CSV, as pandas does, and as Parquet."""
    YfData.get = YfData.cache_get = lambda *_args, **_options: Answer()
    frame = yfinance.download(
        "BTC-USD",
        start="2024-12-31",
        end="2025-01-02",
        interval="1h",
        auto_adjust=True,
        progress=False,
        threads=False,
    )
    frame.to_csv(HERE / "yfinance.csv")
    frame.to_parquet(HERE / "yfinance.parquet")


def ccxt_files() -> None:
    """Write rows as ccxt's ``fetch_ohlcv`` returns them, out of an answer of Binance."""
    answer = [[row[0], *row[1:], row[0] + HOUR_MS - 1, "0", 0, "0", "0", "0"] for row in BARS]
    rows = ccxt.binance().parse_ohlcvs(answer)
    (HERE / "ccxt.json").write_text(json.dumps(rows))
    with (HERE / "ccxt.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def other_files() -> None:
    """Write what people make of bars with pandas, polars and Arrow."""
    newest_first = FRAME.iloc[::-1].assign(symbol="BTC/USDT")
    newest_first.to_csv(HERE / "newest_first.csv", index=False, date_format="%Y-%m-%d %H:%M:%S")
    FRAME.to_csv(
        HERE / "decimal_comma.csv",
        sep=";",
        decimal=",",
        index=False,
        date_format="%Y-%m-%d %H:%M:%S",
    )
    epochs = FRAME["date"].astype("datetime64[ns, UTC]").astype("int64")
    FRAME.assign(date=epochs).to_csv(HERE / "nanoseconds.csv", index=False)
    pl.from_pandas(FRAME).write_parquet(HERE / "polars.parquet")
    columns = {part: [Decimal(row[n]) for row in BARS] for n, part in enumerate(PARTS, 1)}
    decimals = {part: pa.array(values, pa.decimal128(38, 10)) for part, values in columns.items()}
    times = pa.array([row[0] for row in BARS], pa.timestamp("ms"))
    parquet.write_table(pa.table({"time": times, **decimals}), HERE / "decimals.parquet")


if __name__ == "__main__":
    expected()
    freqtrade_files()
    binance_files()
    yfinance_files()
    ccxt_files()
    other_files()
