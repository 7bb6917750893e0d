"""A saved run can be made again from its folder, as long as what it was made of is the same."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import steelyard as sy
from steelyard.errors import DataError, InputError
from steelyard.market import SAMPLE_NAMES, sample_prices
from steelyard.rules.numbers import DECIMAL
from steelyard.rules.presets import preset, preset_names, preset_text
from steelyard.rules.series import Reserve, Series
from steelyard.simulation.load_run import load_run, make_again
from steelyard.simulation.manifest import RECORD, SERIES
from steelyard.simulation.run import Run, simulate
from support.tokens import closes, token

SPAN = {"start": "2020-02-01", "end": "2020-07-01"}
TABLES = ("nav_columns", "rebalance_columns", "flow_columns", "cost_columns")
FILES = {
    "funding": "time,rate\n2020-02-03,0.001\n2020-03-20,-0.0005\n",
    "flows": "time,tokens\n2020-02-09,50\n2020-05-01,-20\n",
    "splits": "time,ratio\n2020-04-01,10\n",
    "outages": "from,to\n2020-03-12,2020-03-14\n",
    "injections": "time,quote,kind\n2020-03-01,1000,capital\n",
}


def assert_same(found: Run, expected: Run) -> None:
    """All tables are equal to the last bit."""
    for name in TABLES:
        ours, theirs = getattr(found, name), getattr(expected, name)
        assert list(ours) == list(theirs)
        for column, values in theirs.items():
            assert np.array_equal(ours[column], values), column
    assert found.summary == expected.summary


@pytest.mark.parametrize("chosen", preset_names())
def test_every_preset_comes_back(chosen: str, tmp_path: Path) -> None:
    """The same tables, the same summary, and the series' text word for word."""
    run = simulate(preset(chosen), sy.Feed(sample_prices("BTC"), **SPAN))
    run.save(tmp_path)
    again = make_again(tmp_path, {})
    assert_same(again.run, run)
    assert again.differs == ""
    assert (tmp_path / SERIES).read_text(encoding="utf-8") == preset_text(chosen)


@pytest.mark.parametrize(
    "way",
    [{"engine": "reference"}, {"number": DECIMAL}, {"intrabar": "close"}],
    ids=lambda way: next(iter(way)),
)
def test_the_way_it_was_made_comes_back(way: dict[str, Any], tmp_path: Path) -> None:
    """Engine, kind of number and mode are part of a run: another is not equal to the last bit."""
    run = simulate(preset("ftx-bull"), sy.Feed(sample_prices("BTC"), **SPAN), **way)
    run.save(tmp_path)
    again = make_again(tmp_path, {})
    assert again.differs == ""
    assert_same(again.run, run)


@given(
    chosen=st.sampled_from(preset_names()),
    first=st.integers(0, 900),
    bars=st.integers(2, 190),
    asset=st.sampled_from(SAMPLE_NAMES),
)
@settings(max_examples=30)
def test_any_stretch_comes_back(chosen: str, first: int, bars: int, asset: str) -> None:
    """Wherever a run begins and ends."""
    history = sample_prices(asset)
    start = int(history.time[first])
    run = simulate(preset(chosen), sy.Feed(history, start=start, end=start + bars * 86_400))
    with tempfile.TemporaryDirectory() as folder:
        run.save(folder)
        again = make_again(folder, {})
    assert again.differs == ""
    assert_same(again.run, run)


def write_bars(path: Path, **changes: float) -> None:
    """The bundled days as a file of one's own; ``close`` is added to that of one day in March."""
    prices = sample_prices("BTC")
    rows = ["time,open,high,low,close"]
    for place, time in enumerate(prices.time.tolist()):
        cells = [float(values[place]) for values in (prices.open, prices.high, prices.low)]
        close = float(prices.close[place]) + (changes.get("close", 0.0) if place == 80 else 0.0)
        rows.append(",".join(map(repr, [time, *cells, close])))
    path.write_text("\n".join(rows) + "\n")


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Path, Run]:
    """A run with all that can be given from files, and its folder."""
    write_bars(tmp_path / "bars.csv")
    files: dict[str, Any] = {}
    for option, text in FILES.items():
        files[option] = tmp_path / f"{option}.csv"
        files[option].write_text(text)
    series = preset("oracle-3l")
    bars = tmp_path / "bars.csv"
    feed = sy.Feed(bars, wind_down="2020-06-01", **files, **SPAN)
    run = simulate(series, feed, intrabar="close")
    run.save(tmp_path / "run")
    return tmp_path / "run", run


def test_all_inputs_come_back(saved: tuple[Path, Run]) -> None:
    """Funding, flows, splits, outages, injections and a wind-down, and the run's mode."""
    folder, run = saved
    assert_same(load_run(folder), run)
    inputs = json.loads((folder / RECORD).read_text())["inputs"]
    assert list(inputs) == ["prices", "funding", "injections", "flows", "splits", "outages"]
    assert inputs["funding"]["file"] == str(folder.parent / "funding.csv")
    assert {option: inputs[option]["rows"] for option in FILES} == {
        "funding": 2,
        "flows": 2,
        "splits": 1,
        "outages": 1,
        "injections": 1,
    }


@pytest.mark.parametrize("option", FILES)
def test_an_input_that_has_changed_is_refused(saved: tuple[Path, Run], option: str) -> None:
    """One figure is enough, and the message names the input and its file."""
    folder, _ = saved
    file = folder.parent / f"{option}.csv"
    changed = {"outages": "2020-03-15", "injections": "1001", "splits": "11", "flows": "51"}
    last = {"outages": "2020-03-14", "injections": "1000", "splits": "10", "flows": "50"}
    text = FILES[option].replace(last.get(option, "0.001"), changed.get(option, "0.0011"))
    assert text != FILES[option]
    file.write_text(text)
    with pytest.raises(DataError, match=rf"{option}: expected the \d rows .* {file} has changed"):
        load_run(folder)


@pytest.mark.parametrize("option", ["prices", *FILES])
def test_an_input_that_has_moved_can_be_named(saved: tuple[Path, Run], option: str) -> None:
    """Missing it is refused with what to do; the file under its new name is taken."""
    folder, run = saved
    old = folder.parent / ("bars.csv" if option == "prices" else f"{option}.csv")
    new = old.rename(folder.parent / "moved.csv")
    with pytest.raises(DataError, match=rf"{old}, which does not exist: .* --{option} FILE"):
        load_run(folder)
    assert_same(load_run(folder, **{option: new}), run)


def test_prices_that_have_changed_are_refused(saved: tuple[Path, Run]) -> None:
    """A close that is a hair apart, and a file under another name too."""
    folder, _ = saved
    write_bars(folder.parent / "bars.csv", close=1e-9)
    with pytest.raises(DataError, match=r"prices: expected the 151 rows .* with different figures"):
        load_run(folder)
    with pytest.raises(DataError, match="prices: expected the 151 rows"):
        load_run(folder, prices=sample_prices("ETH"))


def test_a_file_that_has_grown_or_changed_its_format_is_the_same(
    saved: tuple[Path, Run],
) -> None:
    """An input is what the run read in it: rows after its end and the format do not count."""
    folder, run = saved
    bars = folder.parent / "bars.csv"
    with bars.open("a") as file:
        file.write(f"{sample_prices('BTC').time[-1] + 86_400},1.0,1.0,1.0,1.0\n")
    assert_same(load_run(folder), run)
    assert_same(load_run(folder, prices=sample_prices("BTC")), run)


def test_a_frame_has_to_be_named(tmp_path: Path) -> None:
    """What was no file is asked for, and taken from any source."""
    bars = closes(100.0, 105.0, 90.0, 95.0)
    run = simulate(preset("bybit-3l"), bars)
    run.save(tmp_path)
    with pytest.raises(DataError, match="a frame, which a folder does not store"):
        load_run(tmp_path)
    assert_same(load_run(tmp_path, prices=bars), run)


def test_a_book_comes_back(tmp_path: Path) -> None:
    """A series that trades on a book finds it where it was, and nowhere else."""
    (tmp_path / "book.csv").write_text("bps_from_mid,bid_notional,ask_notional\n1,1e7,1e7\n")
    text = preset_text("bybit-3l").replace("[costs]", '[costs]\nimpact = "book"\nbook = "book.csv"')
    (tmp_path / "series.toml").write_text(text)
    run = simulate(Series.load(tmp_path / "series.toml"), sy.Feed(sample_prices("BTC"), **SPAN))
    run.save(tmp_path / "run")
    assert run.summary["costs"]["impact"] > 0
    assert_same(load_run(tmp_path / "run"), run)
    (tmp_path / "book.csv").write_text("bps_from_mid,bid_notional,ask_notional\n2,1e7,1e7\n")
    with pytest.raises(DataError, match="book: expected the 1 rows"):
        load_run(tmp_path / "run")
    (tmp_path / "book.csv").unlink()
    with pytest.raises(DataError, match=r"book: .* put it back, or name it in Python"):
        load_run(tmp_path / "run")


def test_an_impact_that_follows_the_market_has_its_history(tmp_path: Path) -> None:
    """What lay before the start is part of what the run read."""
    hours = np.arange(200) * 3_600
    wave = 100.0 + 5.0 * np.sin(hours / 20_000.0)
    text = preset_text("bybit-3l").replace(
        "[costs]",
        '[costs]\nimpact = "square_root"\nimpact_coefficient = "realised"\ndaily_volume = 1e8',
    )
    run = simulate(Series.loads(text), sy.Feed({"time": hours, "price": wave}, start=360_000))
    run.save(tmp_path)
    assert_same(load_run(tmp_path, prices={"time": hours, "price": wave}), run)
    other = np.where(hours == 354_000 // 3_600 * 3_600, wave + 1.0, wave)
    assert (other != wave).sum() == 1
    with pytest.raises(DataError, match="with different figures"):
        load_run(tmp_path, prices={"time": hours, "price": other})


def test_a_run_that_comes_out_otherwise_says_so(saved: tuple[Path, Run]) -> None:
    """One bit in a table that was saved is told, with its place and both versions."""
    folder, run = saved
    table = pq.read_table(folder / "nav.parquet")
    nav = table["nav"].to_numpy().copy()
    nav[70] = np.nextafter(nav[70], np.inf)
    place = table.schema.get_field_index("nav")
    pq.write_table(table.set_column(place, "nav", pa.array(nav)), folder / "nav.parquet")
    record = json.loads((folder / RECORD).read_text())
    (folder / RECORD).write_text(json.dumps({**record, "steelyard": "0.0.9"}))
    with pytest.warns(UserWarning, match=r"differs in 1 of 151 rows, from 2020-04-11T00:00:00Z"):
        again = load_run(folder)
    assert_same(again, run)
    assert "version 0.0.9, this is" in make_again(folder, {}).differs


def test_a_series_that_was_changed_in_its_folder_says_so(tmp_path: Path) -> None:
    """Another rule gives other tables; one that reads what the run never did is refused."""
    simulate(preset("bybit-3l"), sy.Feed(sample_prices("BTC"), **SPAN)).save(tmp_path)
    text = (tmp_path / SERIES).read_text(encoding="utf-8")
    (tmp_path / SERIES).write_text(text.replace("upper = 4.0", "upper = 3.5"))
    with pytest.warns(UserWarning, match="the run is not the one that was saved: nav"):
        load_run(tmp_path)
    (tmp_path / "book.csv").write_text("bps_from_mid,bid_notional,ask_notional\n1,1e7,1e7\n")
    book = '[costs]\nimpact = "book"\nbook = "book.csv"'
    (tmp_path / SERIES).write_text(text.replace("[costs]", book))
    with pytest.raises(InputError, match=r"series\.toml: .* had no book"):
        load_run(tmp_path)
    (tmp_path / SERIES).unlink()
    with pytest.raises(InputError, match=r"series\.toml: .* cannot be read"):
        load_run(tmp_path)


def test_what_cannot_be_made_again_says_so(tmp_path: Path) -> None:
    """A series made in Python, a run that went on, several series, none: refused with a reason."""
    first = simulate(preset("bybit-3l"), closes(100.0, 105.0))
    made = token()
    changed = replace(preset("bybit-3l"), initial_nav=50.0)
    bars = closes(100.0, 105.0, 90.0, 95.0)
    for name, run in (
        ("made", simulate(made, bars)),
        ("changed", simulate(changed, bars)),
        ("went on", simulate(preset("bybit-3l"), bars.slice(2, 4), state=first.state)),
    ):
        first.save(tmp_path / name)  # what an earlier run left is not that run's
        run.save(tmp_path / name)
        with pytest.raises(InputError, match="a run that cannot be made again"):
            load_run(tmp_path / name)
    tokens = [Series.loads(preset_text(name)) for name in ("bybit-3l", "bybit-3s")]
    sy.simulate(tokens, bars, reserve=Reserve()).save(tmp_path / "several")
    with pytest.raises(InputError, match="several series on one reserve"):
        load_run(tmp_path / "several")
    (tmp_path / "empty").mkdir()
    for name in ("empty", "nowhere"):
        with pytest.raises(InputError, match="found no files of a run"):
            load_run(tmp_path / name)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"schema": 2}, "schema 2"),
        ({"engine": "slow"}, "engine 'slow'"),
        ({"intrabar": None}, "intrabar None"),
        ({"number": ["float"]}, "number"),
        ({"inputs": {}}, "inputs {}"),
        ({"inputs": {"prices": {"rows": "1"}}}, "inputs"),
        ({"start": 0}, "start 0"),
    ],
)
def test_a_record_that_is_wrong_is_refused(
    saved: tuple[Path, Run], changes: dict[str, Any], found: str
) -> None:
    """Anything may stand in a file: what was never written is named, not tried."""
    folder, _ = saved
    record = json.loads((folder / RECORD).read_text())
    (folder / RECORD).write_text(json.dumps({**record, **changes}))
    with pytest.raises(
        InputError, match=r"run\.json: expected the file that simulate --out wrote"
    ) as caught:
        load_run(folder)
    assert found in str(caught.value)
    (folder / RECORD).write_text("{")
    with pytest.raises(InputError, match="text that is not JSON"):
        load_run(folder)


def test_an_option_that_the_run_had_not_is_refused(tmp_path: Path) -> None:
    """It would be another run."""
    simulate(preset("bybit-3l"), sy.Feed(sample_prices("BTC"), **SPAN)).save(tmp_path)
    with pytest.raises(InputError, match="funding: expected one of prices"):
        load_run(tmp_path, funding={"time": [0], "rate": [0.1]})
