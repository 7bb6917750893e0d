"""``explain``: the tables, the object, the page and the options, inside the test's own process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from steelyard.analysis.attribution import explain
from steelyard.market import Feed, sample_prices
from steelyard.rules.presets import preset

Steelyard = Callable[..., Any]

SPRING = ("--prices", "BTC", "--start", "2021-03-01", "--end", "2021-06-01")


def test_a_person_gets_steps_that_add_up(steelyard: Steelyard) -> None:
    """The points of the rows between the first and the last are what these two are apart."""
    result = steelyard("explain", "oracle-3l", *SPRING)
    assert result.code == 0
    lines = result.out.splitlines()
    first = next(place for place, line in enumerate(lines) if line.startswith("3x BTC"))
    ends = (place for place, line in enumerate(lines) if line.startswith("ORACLE-3L "))
    last = next(place for place in ends if place > first)
    shares = [
        float(next(cell for cell in line.split()[1:] if "." in cell and cell[0] in "+-"))
        for line in lines[first : last + 1]
        if not line.startswith(" ")  # where words are wrapped
    ]
    assert sum(shares[:-1]) == pytest.approx(shares[-1], abs=0.005 * len(shares))
    for words in ("never rebalanced", "variance decay", "365", "percentage points of 3x the"):
        assert words in " ".join(result.out.split())
    assert "note: no funding was given" in result.err
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize(("by", "rows"), [("month", 3), ("day", 92)])
def test_periods_are_rows(steelyard: Steelyard, by: str, rows: int) -> None:
    """A row each, however narrow the terminal: what does not fit is summed up as others."""
    result = steelyard("explain", "oracle-3l", *SPRING, "--by", by)
    assert result.code == 0
    assert sum(line.startswith("2021-0") for line in result.out.splitlines()) == rows
    assert max(map(len, result.out.splitlines())) <= 100


def test_the_object_is_that_of_python(steelyard: Steelyard) -> None:
    """Standard output is one object, its figures those of the library."""
    result = steelyard("explain", "oracle-3l", *SPRING, "--by", "month", "--json")
    series = preset("oracle-3l")
    again = explain(series, Feed(sample_prices("BTC"), start="2021-03-01", end="2021-06-01"))
    assert json.loads(result.out) == {**again.figures("month"), "report": None}


def test_a_page_is_written_and_named(steelyard: Steelyard, tmp_path: Path) -> None:
    """In the folder that is there; a folder that is not is wrong usage before any work."""
    result = steelyard("explain", "oracle-3l", *SPRING, "--out", "why.html")
    assert result.code == 0
    assert "wrote why.html" in result.err
    assert "waterfall" in (tmp_path / "why.html").read_text(encoding="utf-8")
    assert steelyard("explain", "oracle-3l", *SPRING, "--out", "no/why.html").code == 2


def test_options_of_simulate_are_taken(steelyard: Steelyard, tmp_path: Path) -> None:
    """Funding, flows, splits, outages and a wind-down, from files."""
    (tmp_path / "funding.csv").write_text("time,rate\n2021-03-02,0.001\n2021-03-09,0.001\n")
    (tmp_path / "flows.csv").write_text("time,tokens\n2021-03-03,50\n")
    (tmp_path / "splits.csv").write_text("time,ratio\n2021-03-04,10\n")
    (tmp_path / "outages.csv").write_text("from,to\n2021-03-05,2021-03-08\n")
    result = steelyard(
        *("explain", "kucoin-3l", *SPRING, "--funding", "funding.csv", "--flows", "flows.csv"),
        *("--splits", "splits.csv", "--outages", "outages.csv", "--wind-down", "2021-04-01"),
        *("--intrabar", "close", "--json"),
    )
    assert result.code == 0
    figures = json.loads(result.out)
    assert figures["steps"]["funding"]["return"] < 0
    assert figures["ended"] == "2021-04-01T00:00:00Z"
    assert figures["end"] == "2021-03-31T00:00:00Z"
    assert figures["intrabar"] == "close"


def test_what_cannot_be_is_refused(steelyard: Steelyard) -> None:
    """A folder of a run is no series; a span that ends before it begins is wrong usage."""
    assert steelyard("explain", "no-such", "--prices", "BTC").code == 3
    span = ("--start", "2021-03-01", "--end", "2021-01-01")
    assert steelyard("explain", "oracle-3l", "--prices", "BTC", *span).code == 2


def test_a_folder_of_simulate_is_explained(steelyard: Steelyard, tmp_path: Path) -> None:
    """The same words as of the series with the same options, and no note that it differs."""
    (tmp_path / "funding.csv").write_text("time,rate\n2021-03-02,0.001\n2021-03-09,0.001\n")
    given = ("kucoin-3l", *SPRING, "--funding", "funding.csv", "--wind-down", "2021-05-01")
    assert steelyard("simulate", *given, "--out", "run").code == 0
    straight = steelyard("explain", *given, "--by", "month")
    result = steelyard("explain", "run", "--by", "month")
    assert (result.code, result.out, result.err) == (0, straight.out, straight.err)
    (tmp_path / "funding.csv").rename(tmp_path / "moved.csv")
    missing = steelyard("explain", "run")
    assert missing.code == 3
    assert "name the file with --funding FILE" in missing.err
    assert steelyard("explain", "run", "--funding", "moved.csv", "--json").code == 0
    assert steelyard("explain", "run", "--funding", "moved.csv", "--prices", "ETH").code == 3


def test_a_folder_that_comes_out_otherwise_is_explained_with_a_note(
    steelyard: Steelyard, tmp_path: Path
) -> None:
    """What another run left there is told before what this one gives."""
    assert steelyard("simulate", "oracle-3l", *SPRING, "--out", "run").code == 0
    assert steelyard("simulate", "oracle-3l", *SPRING[:2], "--out", "other").code == 0
    (tmp_path / "other" / "nav.parquet").replace(tmp_path / "run" / "nav.parquet")
    result = steelyard("explain", "run")
    assert result.code == 0
    assert "nav.parquet has 1,096 rows as saved and 92 now" in result.err


def test_what_a_folder_says_is_not_said_twice(steelyard: Steelyard, tmp_path: Path) -> None:
    """A span or a mode beside a folder is wrong usage, and so is a series without prices."""
    assert steelyard("simulate", "oracle-3l", *SPRING, "--out", "run").code == 0
    for option in (("--start", "2021-03-01"), ("--intrabar", "close"), ("--wind-down", "2021-04")):
        result = steelyard("explain", "run", *option)
        assert result.code == 2
        assert f"{option[0]}: expected it with a series file only" in result.err
    result = steelyard("explain", "oracle-3l")
    assert result.code == 2
    assert "Missing option '--prices'" in result.err
    misspelt = steelyard("explain", "rnu")
    assert misspelt.code == 3
    assert "rnu: expected a series file or the name of a preset, found neither" in misspelt.err
    (tmp_path / "empty").mkdir()
    assert steelyard("explain", "empty").code == 3
