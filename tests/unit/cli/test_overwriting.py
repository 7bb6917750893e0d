"""What a command may write over: its own results, never an input, anything else by ``--force``."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from steelyard.rules.presets import preset_text

Steelyard = Callable[..., Any]

BOOK = "bps_from_mid,bid_notional,ask_notional\n1,1000000,1000000\n5,2000000,2000000\n"
ON_A_BOOK = (
    'symbol = "T"\nunderlying = "BTC"\ntarget_leverage = 3.0\n'
    '[[rebalance.trigger]]\nwhen = "daily"\nat = "00:00"\n'
    '[costs]\nimpact = "book"\nbook = "book.csv"\n'
)
SHORT = ("--start", "2020-01-01", "--end", "2020-03-01")


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """A folder with files that somebody needs: prices, a book, series."""
    sample = resources.files("steelyard.market") / "sample" / "btc_usd_daily.csv"
    (tmp_path / "p.csv").write_bytes(sample.read_bytes())
    (tmp_path / "book.csv").write_text(BOOK)
    (tmp_path / "s.toml").write_text(preset_text("ftx-bull"))
    (tmp_path / "on-a-book.toml").write_text(ON_A_BOOK)
    (tmp_path / "shelf.toml").write_text(
        'price = 100\ntime = 2024-01-01\n[[token]]\nseries = "s.toml"\nassets = 1e6\n'
    )
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "p.csv").symlink_to(tmp_path / "p.csv")
    os.link(tmp_path / "p.csv", tmp_path / "hard.csv")
    return tmp_path


RUN = ("simulate", "s.toml", "--prices", "p.csv", *SHORT)
OVER_AN_INPUT = [
    ("compare", "ftx-bull", "s.toml", "--prices", "p.csv", "--out", "p.csv"),
    ("compare", "ftx-bull", "s.toml", "--prices", "p.csv", "--out", "s.toml"),
    ("compare", "ftx-bull", "s.toml", "--prices", "p.csv", "--out", "links/../p.csv"),
    ("compare", "ftx-bull", "s.toml", "--prices", "p.csv", "--out", "links/p.csv"),
    ("compare", "ftx-bull", "s.toml", "--prices", "links/p.csv", "--out", "p.csv"),
    ("compare", "ftx-bull", "s.toml", "--prices", "p.csv", "--out", "hard.csv"),
    ("compare", "ftx-bull", "on-a-book.toml", "--prices", "p.csv", "--out", "book.csv"),
    ("data", "book", "book.csv", "--out", "book.csv"),
    ("decay", "x=p.csv", "BTC", "--out", "p.csv"),
    ("explain", "s.toml", "--prices", "p.csv", "--out", "p.csv"),
    ("tearsheet", "s.toml", "--prices", "p.csv", "--out", "s.toml"),
    ("forecast", "shelf.toml", "--out", "s.toml"),
    ("forecast", "shelf.toml", "--out", "shelf.toml"),
    ("forecast", "ftx-bull", "--price", "100", "--book", "book.csv", "--out", "book.csv"),
]


@pytest.mark.parametrize("line", OVER_AN_INPUT, ids=" ".join)
@pytest.mark.parametrize("force", [(), ("--force",)], ids=["", "force"])
def test_no_command_writes_over_its_input(
    steelyard: Steelyard, inputs: Path, line: tuple[str, ...], force: tuple[str, ...]
) -> None:
    """By whatever name the input is reached, and with ``--force`` too: usage, nothing changed."""
    before = contents(inputs)
    result = steelyard(*line, *force)
    assert (result.code, result.out) == (2, "")
    assert "Invalid value for --out" in result.err
    assert ("found its input" if force else "expected") in result.err
    assert contents(inputs) == before


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["", "force"])
def test_a_run_is_not_saved_over_its_prices(
    steelyard: Steelyard, inputs: Path, force: tuple[str, ...]
) -> None:
    """A folder in which an input has the name of one of a run's files is no place for the run."""
    place = inputs / "run"
    place.mkdir()
    (place / "series.toml").write_text(preset_text("ftx-bull"))
    line = ("simulate", "run/series.toml", "--prices", "p.csv", *SHORT, "--out", "run", *force)
    result = steelyard(*line)
    assert result.code == 2
    assert [path.name for path in place.iterdir()] == ["series.toml"]


def test_a_saved_run_is_explained_over_nothing_that_it_was_made_of(
    steelyard: Steelyard, inputs: Path
) -> None:
    """``explain DIR`` reads the folder's tables and the files that ``run.json`` names."""
    assert steelyard(*RUN, "--out", "run").code == 0
    for out in ("p.csv", "run/nav.parquet", "run/run.json", "run/series.toml"):
        before = (inputs / out).read_bytes()
        assert steelyard("explain", "run", "--out", out, "--force").code == 2
        assert (inputs / out).read_bytes() == before
    assert steelyard("explain", "run", "--out", "run/report.html").code == 0


FOREIGN = [
    (("compare", "ftx-bull", "kucoin-3l", "--prices", "BTC", *SHORT, "--out", "mine"), "mine"),
    (("data", "book", "book.csv", "--out", "mine"), "mine"),
    ((*RUN, "--out", "."), "report.html"),
    ((*RUN, "--out", "."), "nav.parquet"),
    (("series", "new", "mine"), "mine"),
]


@pytest.mark.parametrize(("line", "name"), FOREIGN, ids=str)
def test_what_steelyard_did_not_write_needs_force(
    steelyard: Steelyard, inputs: Path, line: tuple[str, ...], name: str
) -> None:
    """A file that is there stays as it is, unless ``--force`` says otherwise."""
    (inputs / name).write_text("precious")
    before = contents(inputs)
    result = steelyard(*line)
    assert (result.code, result.out) == (2, "")
    assert "--force" in result.err
    assert contents(inputs) == before
    assert steelyard(*line, "--force").code == 0
    assert (inputs / name).read_bytes() != b"precious"


def test_a_page_and_a_run_of_ours_are_written_anew(steelyard: Steelyard, inputs: Path) -> None:
    """A page gives way to a page, a run's folder to a later run, an empty file to anything."""
    page = ("compare", "ftx-bull", "kucoin-3l", "--prices", "BTC", *SHORT, "--out", "page.html")
    (inputs / "page.html").touch()
    assert steelyard(*page).code == 0
    assert steelyard(*page).code == 0
    assert steelyard(*RUN, "--out", "run").code == 0
    assert steelyard(*RUN, "--out", "run").code == 0
    assert steelyard("series", "new", "page.html").code == 2  # no page would come of it
    (inputs / "run" / "summary.json").write_text('{"schema": 1}')
    assert steelyard(*RUN, "--out", "run").code == 2


def test_a_device_is_no_place_for_a_result(steelyard: Steelyard, inputs: Path) -> None:
    """A page would take the place of what stands there, not go through it."""
    os.mkfifo(inputs / "pipe")
    line = ("compare", "ftx-bull", "kucoin-3l", "--prices", "BTC", "--out", "pipe", "--force")
    assert steelyard(*line).code == 2
    assert (inputs / "pipe").is_fifo()


def contents(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, by its path."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
