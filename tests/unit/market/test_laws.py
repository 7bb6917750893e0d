"""Laws of reading: what is written comes back, and nothing that is wrong gets through."""

from __future__ import annotations

import datetime as dt
import gzip
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.errors import DataError
from steelyard.market import read_funding, read_injections, read_prices, read_rates

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steelyard.market import Prices

PARTS = ("open", "high", "low", "close", "volume")
positive = st.floats(1e-12, 1e12, allow_subnormal=False)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder for files that examples overwrite."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@st.composite
def histories(draw: st.DrawFn) -> dict[str, list[float]]:
    """Any valid bars: 2 to 30, after March 1970 so that every epoch unit can be told."""
    count = draw(st.integers(2, 30))
    spacings = draw(st.lists(st.integers(1, 10**6), min_size=count, max_size=count))
    times = 10**8 + np.cumsum(spacings)
    rows = [sorted(draw(st.tuples(*[positive] * 4))) for _ in range(count)]
    swap = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    volume = st.floats(0, 1e15, allow_subnormal=False)
    return {
        "time": times.tolist(),
        "open": [row[1 + turned] for row, turned in zip(rows, swap, strict=True)],
        "high": [row[3] for row in rows],
        "low": [row[0] for row in rows],
        "close": [row[2 - turned] for row, turned in zip(rows, swap, strict=True)],
        "volume": [draw(volume) for _ in range(count)],
    }


def iso(epoch_s: int) -> str:
    """An instant without an offset."""
    return dt.datetime.fromtimestamp(epoch_s, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")


WRITINGS = {
    "s": str,
    "ms": lambda t: str(t * 1_000 + 999),
    "us": lambda t: str(t * 1_000_000 + 999_999),
    "iso": iso,
    "iso z": lambda t: iso(t) + "Z",
    "iso offset": lambda t: iso(t + 19_800) + "+05:30",
}
ORDERS = {
    "header": ("time", *PARTS),
    "any order": ("volume", "close", "date", "low", "open", "high"),
    "jesse": ("timestamp", "open", "close", "high", "low", "volume"),
    "ccxt": ("time", *PARTS),
}


def csv_text(bars: dict[str, list[float]], writing: str, order: str, end: str = "\n") -> str:
    """The bars as CSV, in this writing of time and this order of columns."""
    cells = {part: [repr(value) for value in bars[part]] for part in PARTS}
    times = [WRITINGS[writing](time) for time in bars["time"]]
    columns = [cells.get(name, times) for name in ORDERS[order]]
    lines = [] if order == "ccxt" else [",".join(ORDERS[order])]
    lines += [",".join(row) for row in zip(*columns, strict=True)]
    return end.join(lines) + end


def assert_same(prices: Prices, bars: dict[str, list[float]]) -> None:
    """Hold what was read to what was written, and step and gaps to their definition."""
    assert prices.time.tolist() == bars["time"]
    for part in PARTS:
        assert getattr(prices, part).tolist() == bars[part]
    spacings = np.diff(bars["time"]).tolist()
    assert prices.step_s == min(spacings, key=lambda size: (-spacings.count(size), size))
    assert len(prices.gaps) == sum(spacing > prices.step_s for spacing in spacings)


@given(
    bars=histories(),
    writing=st.sampled_from(sorted(WRITINGS)),
    order=st.sampled_from(sorted(ORDERS)),
    end=st.sampled_from(["\n", "\r\n", "\n\n"]),
    packs=st.booleans(),
)
def test_csv_round_trip(
    folder: Path, bars: dict[str, list[float]], writing: str, order: str, end: str, packs: bool
) -> None:
    """Any bars, in any layout, unit, order and packing, come back to the last bit."""
    content = csv_text(bars, writing, order, end).encode()
    path = folder / "round.csv"
    path.write_bytes(gzip.compress(content, 1) if packs else content)
    assert_same(read_prices(path), bars)


@given(
    bars=histories(),
    unit=st.sampled_from(["s", "ms", "us", "ns", "epoch s", "epoch ms", "epoch us", "text"]),
    options=st.fixed_dictionaries(
        {
            "compression": st.sampled_from(["none", "snappy", "zstd", "gzip"]),
            "use_dictionary": st.booleans(),
            "row_group_size": st.integers(1, 40),
            "data_page_version": st.sampled_from(["1.0", "2.0"]),
        }
    ),
)
def test_parquet_round_trip(
    folder: Path, bars: dict[str, list[float]], unit: str, options: dict[str, object]
) -> None:
    """Any bars, in any of Parquet's types for time and packings, come back to the last bit."""
    if unit == "text":
        times = pa.array([iso(time) for time in bars["time"]])
    else:
        ticks = 10 ** (3 * ["s", "ms", "us", "ns"].index(unit.removeprefix("epoch ")))
        kind = pa.int64() if "epoch" in unit else pa.timestamp(unit, "UTC")
        times = pa.array([time * ticks for time in bars["time"]], kind)
    path = folder / "round.parquet"
    pq.write_table(
        pa.table({"time": times, **{part: bars[part] for part in PARTS}}), path, **options
    )
    assert_same(read_prices(path), bars)


BAD_CELLS = [
    "nan",
    "inf",
    "-inf",
    "",
    "0",
    "-1",
    "x",
    "1e999",
    "1,5",
    "0x1",
    "'",
    "é",
    "NaT",
]


@given(
    bars=histories(),
    writing=st.sampled_from(sorted(WRITINGS)),
    data=st.data(),
)
def test_one_bad_cell_is_refused_by_row(
    folder: Path, bars: dict[str, list[float]], writing: str, data: st.DataObject
) -> None:
    """Spoil any one price of a good file in any way: it is refused, and that row is named."""
    row = data.draw(st.integers(0, len(bars["time"]) - 1))
    part = data.draw(st.sampled_from(("open", "high", "low", "close")))
    cell = data.draw(st.sampled_from(BAD_CELLS))
    lines = csv_text(bars, writing, "header").splitlines()
    cells = lines[row + 1].split(",")
    cells[ORDERS["header"].index(part)] = f'"{cell}"'
    lines[row + 1] = ",".join(cells)
    path = folder / "bad.csv"
    path.write_text("\n".join(lines))
    with pytest.raises(DataError) as caught:
        read_prices(path)
    assert caught.value.details["row"] == row + 1
    assert caught.value.details["column"] == part


@given(bars=histories(), data=st.data())
def test_bars_that_do_not_bound_are_refused_by_row(
    bars: dict[str, list[float]], data: st.DataObject
) -> None:
    """A low above, or a high below, open or close, by however little: the row is named."""
    row = data.draw(st.integers(0, len(bars["time"]) - 1))
    inner = bars[data.draw(st.sampled_from(("open", "close")))][row]
    part = data.draw(st.sampled_from(("low", "high")))
    bars[part][row] = float(np.nextafter(inner, np.inf if part == "low" else 0.0))
    with pytest.raises(DataError) as caught:
        read_prices(bars)
    assert caught.value.details["row"] == row + 1


@given(bars=histories(), writing=st.sampled_from(sorted(WRITINGS)), data=st.data())
def test_rows_out_of_place_are_refused(
    folder: Path, bars: dict[str, list[float]], writing: str, data: st.DataObject
) -> None:
    """Repeat a row, or swap two: the first row that does not come after its forerunner is named."""
    lines = csv_text(bars, writing, "header").splitlines()
    row = data.draw(st.integers(1, len(bars["time"]) - 1))
    if data.draw(st.booleans()):
        lines.insert(row + 1, lines[row])  # the row before, once more
        named = row + 1
    else:
        lines[row], lines[row + 1] = lines[row + 1], lines[row]
        named = row + 1
    path = folder / "order.csv"
    path.write_text("\n".join(lines))
    with pytest.raises(DataError) as caught:
        read_prices(path)
    assert (caught.value.details["row"], caught.value.details["column"]) == (named, "time")


@given(
    start=st.sampled_from(
        [b"", b"time,price\n", b"time,price\n1,2\n", b"time,rate\n", b"time,quote,kind\n",
         b"PAR1", b"\x1f\x8b\x08\x00", b"\xef\xbb\xbf", b"1577836800000,1,2,1,2,1\n"]
    ),
    junk=st.binary(max_size=300) | st.text(max_size=100).map(str.encode)
    | st.text("0123456789,.-+eE\"'\n\r;TZ: ", max_size=200).map(str.encode),
    end=st.sampled_from([b"", b"PAR1", b"\n"]),
    packs=st.booleans(),
)  # fmt: skip
@settings(max_examples=400)
def test_junk_gives_nothing_but_a_data_error(
    folder: Path, start: bytes, junk: bytes, end: bytes, packs: bool
) -> None:
    """Whatever bytes a file holds, every reader takes it or raises DataError, in one line."""
    content = start + junk + end
    path = folder / "junk"
    path.write_bytes(gzip.compress(content, 1) if packs else content)
    for reader in (read_prices, read_funding, read_rates, read_injections):
        message = ""
        try:
            reader(path)
        except DataError as error:
            message = str(error)
        assert "\n" not in message
        assert message.startswith(str(path)) or not message


@given(bars=histories(), where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_gives_nothing_but_a_data_error(
    folder: Path, bars: dict[str, list[float]], where: float, bit: int
) -> None:
    """One wrong bit anywhere in a Parquet or gzip file: it is refused, or the bars are valid."""
    path = folder / "flip"
    pq.write_table(pa.table(bars), path)
    for whole in (path.read_bytes(), gzip.compress(csv_text(bars, "s", "header").encode(), 1)):
        place = int(where * len(whole))
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
        with suppress(DataError):
            prices = read_prices(path)
            assert (np.diff(prices.time) > 0).all()
            assert (prices.close > 0).all()


@given(
    values=st.lists(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
        | st.dates() | st.datetimes() | st.binary(max_size=3) | st.just([1.0]),
        max_size=5,
    ),
    column=st.sampled_from(["time", "price", "close", "open"]),
)  # fmt: skip
@settings(max_examples=300)
def test_odd_objects_give_nothing_but_a_data_error(values: list[object], column: str) -> None:
    """Whatever objects a mapping holds, it is taken or refused with DataError."""
    source = {"time": list(range(len(values))), "close": [1.0] * len(values)}
    if column == "price":
        del source["close"]
    source[column] = values
    with suppress(DataError):
        read_prices(source)
