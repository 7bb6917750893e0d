"""``tearsheet``: the table, the object, the page and the options, inside the test's own process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from steelyard.analysis.tear_sheet import tear_sheet
from steelyard.analysis.tear_sheet_statistics import GROUPS
from steelyard.market import Feed, sample_prices
from steelyard.rules.presets import preset

Steelyard = Callable[..., Any]

SPRING = ("--prices", "BTC", "--start", "2021-03-01", "--end", "2021-06-01")


def test_a_person_gets_every_statistic(steelyard: Steelyard) -> None:
    """A row each with token, L times daily and underlying, and which days they are of."""
    result = steelyard("tearsheet", "oracle-3l", *SPRING)
    assert result.code == 0
    lines = result.out.splitlines()
    for group in GROUPS.values():
        for statistic in group.values():
            (line,) = [line for line in lines if line.startswith(f"{statistic.title}  ")]
            assert line.rstrip().endswith(statistic.meaning)
    words = " ".join(result.out.split())
    assert "ORACLE-3L 3x daily BTC" in words
    assert "The statistics cover the returns of 91 UTC days from 2021-03-02 to 2021-05-31" in words
    assert "note: no funding was given" in result.err
    assert max(map(len, lines)) <= 100


def test_the_object_is_that_of_python(steelyard: Steelyard) -> None:
    """Standard output is one object, its figures those of the library."""
    result = steelyard("tearsheet", "oracle-3l", *SPRING, "--json")
    series = preset("oracle-3l")
    again = tear_sheet(series, Feed(sample_prices("BTC"), start="2021-03-01", end="2021-06-01"))
    assert json.loads(result.out) == {**again.figures, "report": None}


def test_a_page_is_written_and_named(steelyard: Steelyard, tmp_path: Path) -> None:
    """In the folder that is there; a folder that is not is wrong usage before any work."""
    result = steelyard("tearsheet", "oracle-3l", *SPRING, "--out", "sheet.html")
    assert result.code == 0
    assert "wrote sheet.html" in result.err
    assert "tear sheet" in (tmp_path / "sheet.html").read_text(encoding="utf-8")
    assert steelyard("tearsheet", "oracle-3l", *SPRING, "--out", "no/sheet.html").code == 2


def test_options_of_explain_are_taken(steelyard: Steelyard, tmp_path: Path) -> None:
    """Funding, flows, splits, outages and a wind-down, from files."""
    (tmp_path / "funding.csv").write_text("time,rate\n2021-03-02,0.001\n2021-03-09,0.001\n")
    (tmp_path / "flows.csv").write_text("time,tokens\n2021-03-03,50\n")
    (tmp_path / "splits.csv").write_text("time,ratio\n2021-03-04,10\n")
    (tmp_path / "outages.csv").write_text("from,to\n2021-03-05,2021-03-08\n")
    result = steelyard(
        *("tearsheet", "kucoin-3l", *SPRING, "--funding", "funding.csv", "--flows", "flows.csv"),
        *("--splits", "splits.csv", "--outages", "outages.csv", "--wind-down", "2021-04-01"),
        *("--intrabar", "close", "--json"),
    )
    assert result.code == 0
    figures = json.loads(result.out)
    assert figures["explanation"]["steps"]["funding"]["return"] < 0
    assert figures["explanation"]["ended"] == "2021-04-01T00:00:00Z"
    assert figures["summary"]["flows"]["created"] == 50
    assert figures["last_day"] == "2021-03-31"
    assert figures["forecast"] is None
