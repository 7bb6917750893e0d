"""A run on disk: the columns that SPEC 6 names, all files or none."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from steelyard.errors import InputError, SteelyardError
from steelyard.market import Feed, sample_prices
from steelyard.report.writing import check_file, written_whole
from steelyard.rules.presets import preset
from steelyard.simulation import run_folder
from steelyard.simulation.report_input import report_run, series_facts
from steelyard.simulation.run import Run, simulate
from steelyard.simulation.run_folder import (
    FILES,
    REPEAT,
    check_folder,
    save_run,
)

TIME = pa.timestamp("us", tz="UTC")
NAV = {
    "time": TIME,
    **dict.fromkeys(("price", "nav", "leverage", "tokens", "reserve"), pa.float64()),
}
REBALANCES = {
    "time": TIME,
    "trigger": pa.string(),
    "side": pa.string(),
    **dict.fromkeys(
        (
            "units",
            "price",
            "notional",
            "leverage_before",
            "leverage_after",
            "nav_before",
            "nav_after",
            "fee",
            "spread",
            "impact",
            "gas",
            "paid_by_reserve",
        ),
        pa.float64(),
    ),
}


@pytest.fixture(scope="module")
def run() -> Run:
    """The oracle's 3x long through spring 2020."""
    return simulate(
        preset("oracle-3l"), Feed(sample_prices(), start="2020-02-01", end="2020-05-01")
    )


def test_files_have_the_columns_and_types_of_the_specification(run: Run, tmp_path: Path) -> None:
    """Names in order, figures as doubles, times as UTC timestamps."""
    save_run(run, tmp_path / "run")
    for name, expected in (("nav", NAV), ("rebalances", REBALANCES)):
        schema = pq.read_schema(tmp_path / "run" / f"{name}.parquet")
        assert dict(zip(schema.names, schema.types, strict=True)) == expected
        assert schema.names == list(expected)


def test_files_hold_the_run(run: Run, tmp_path: Path) -> None:
    """What is read back is what the run has, row by row; the summary is that of ``--json``."""
    save_run(run, tmp_path)
    nav = pq.read_table(tmp_path / "nav.parquet")
    assert nav.num_rows == run.summary["bars"] == len(run.prices)
    assert np.array_equal(nav["nav"].to_numpy(), run.nav_columns["nav"])
    assert nav["time"].to_pylist()[0].isoformat() == "2020-02-01T00:00:00+00:00"
    trades = pq.read_table(tmp_path / "rebalances.parquet")
    assert trades["trigger"].to_pylist() == run.rebalance_columns["trigger"].tolist()
    assert trades["trigger"][0].as_py() == "launch"
    assert set(trades["side"].to_pylist()) <= {"buy", "sell"}
    assert json.loads((tmp_path / "summary.json").read_text()) == run.summary
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert run.series.symbol in page


def test_pandas_reads_times_in_utc(run: Run, tmp_path: Path) -> None:
    """The frames of Python and those on disk have one clock."""
    run.save(tmp_path)
    frame = pq.read_table(tmp_path / "nav.parquet").to_pandas()
    assert str(frame["time"].dt.tz) == "UTC"
    assert (frame["time"] == run.nav["time"]).all()


def test_a_folder_is_made_with_its_parents_and_an_earlier_run_gives_way(
    run: Run, tmp_path: Path
) -> None:
    """A second run into one folder replaces the first and leaves strangers' files alone."""
    folder = tmp_path / "a" / "b"
    save_run(run, folder)
    (folder / "mine.txt").write_text("kept")
    (folder / "summary.json").write_text("old")
    save_run(run, folder)
    # flows are written only where there were any
    assert {path.name for path in folder.iterdir()} == {*FILES, *REPEAT, "mine.txt"}
    assert json.loads((folder / "summary.json").read_text()) == run.summary
    assert [path.name for path in folder.parent.iterdir()] == ["b"]


def test_a_folder_can_be_read_by_whom_the_mask_allows(run: Run, tmp_path: Path) -> None:
    """Temporary names are private; what takes their place has the usual rights."""
    before = os.umask(0o022)
    try:
        save_run(run, tmp_path / "run")
        with written_whole(tmp_path / "page") as stage:
            stage.write_text("x")
    finally:
        os.umask(before)
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "page").stat().st_mode & 0o777 == 0o644
    for name in (*FILES, *REPEAT):
        assert (tmp_path / "run" / name).stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("exists", [True, False])
def test_where_writing_fails_nothing_is_left(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, exists: bool
) -> None:
    """A disk that fills up half way leaves the folder as it was."""
    folder = tmp_path / "run" if exists else tmp_path / "a" / "b" / "run"
    if exists:
        folder.mkdir()
        (folder / "summary.json").write_text("old")

    def fill_up(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_folder, "_write_parquet", fill_up)
    with pytest.raises(SteelyardError, match="cannot be written: No space left") as caught:
        save_run(run, folder)
    assert caught.value.exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == (["run"] if exists else [])
    if exists:
        assert [path.name for path in folder.iterdir()] == ["summary.json"]
        assert (folder / "summary.json").read_text() == "old"


def test_a_place_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    """A file, a file on the way, a link that leads nowhere, a name that is too long."""
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    check_folder(tmp_path / "new" / "folder")
    for name, found in (
        ("file", "it is a file"),
        ("file/run", "file is a file"),
        ("link", "a link that leads nowhere"),
        ("n" * 300, "cannot be reached: File name too long"),
    ):
        with pytest.raises(InputError, match=found):
            check_folder(tmp_path / name)
    assert {path.name for path in tmp_path.iterdir()} == {"file", "link"}


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A folder, or a file in a folder that is not there."""
    check_file(tmp_path / "page.html")
    with pytest.raises(InputError, match="it is a folder"):
        check_file(tmp_path)
    with pytest.raises(InputError, match="there is no folder"):
        check_file(tmp_path / "a" / "page.html")
    with pytest.raises(InputError, match="cannot be reached"):
        check_file(tmp_path / ("n" * 300))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_the_right_to_write_is_refused(tmp_path: Path) -> None:
    """The message names the folder that forbids it."""
    tmp_path.chmod(0o555)
    with pytest.raises(InputError, match="may not be written to"):
        check_folder(tmp_path / "run")
    with pytest.raises(InputError, match="may not be written to"):
        check_file(tmp_path / "page.html")


def test_a_file_that_is_not_finished_does_not_appear(tmp_path: Path) -> None:
    """An error while writing leaves the earlier file, and no other."""
    page = tmp_path / "page.html"
    page.write_text("old")

    def write_half() -> None:
        with written_whole(page) as stage:
            stage.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert page.read_text() == "old"
    assert list(tmp_path.iterdir()) == [page]


def test_a_run_is_handed_to_the_page_with_its_thresholds(run: Run) -> None:
    """Band, floor and words of the series; the frames of the run, not copies."""
    facts = report_run(run).facts
    assert (facts.lower, facts.upper, facts.emergency) == (2.5, 3.5, None)
    assert (facts.floor_ratio, facts.resume_ratio) == (0.10, 0.12)
    assert facts.rule == "outside 2.5-3.5, 24 h fallback"
    assert facts.sentence.startswith("ORACLE-3L aims at 3x long")
    assert facts.title == "3x long BTC/USDT:USDT"
    assert report_run(run, title="T").facts.title == "T"
    assert report_run(run).nav is run.nav_columns
    assert report_run(run).costs is run.cost_columns
    bull = series_facts(preset("ftx-bull"))
    assert (bull.lower, bull.upper, bull.floor_ratio) == (None, 4.0, None)
    assert series_facts(preset("kucoin-3l")).upper is None
    assert series_facts(preset("index-2x")).emergency == 2.6


def test_a_run_can_be_plotted(run: Run) -> None:
    """``run.plot()`` gives a figure with traces."""
    assert len(run.plot().data) > 3
