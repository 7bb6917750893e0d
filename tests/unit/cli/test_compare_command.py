"""``compare``: the table, the names, the remarks and the options, inside the test's own process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from steelyard.cli.compare import SORT_KEYS
from steelyard.market import sample_prices
from steelyard.rules.presets import preset
from steelyard.simulation.compare import compare
from steelyard.simulation.comparison import SORTS

Steelyard = Callable[..., Any]

SPRING = ("--prices", "BTC", "--start", "2020-03-01", "--end", "2020-04-01")
FIRST_DAYS = ("--prices", "BTC", "--end", "2020-01-20")
SERIES = """\
symbol = "{symbol}"
underlying = "BTC"
target_leverage = 2.0

[[rebalance.trigger]]
when = "daily"
at = "00:00"
"""


def rows(text: str) -> dict[str, list[str]]:
    """The table's rows by their first word."""
    lines = text.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("token"))
    end = lines.index("", start)
    return {line.split()[0]: line.split() for line in lines[start:end]}


def test_a_person_gets_a_table_and_what_its_columns_mean(steelyard: Steelyard) -> None:
    """A row a series, the efficient ones marked; kappa explained; remarks on standard error."""
    result = steelyard("compare", "steelyard-3l", "bybit-3l", "ftx-bull", *SPRING)
    assert result.code == 0
    found = rows(result.out)
    assert list(found) == ["token", "STEELYARD-3L", "BYBIT-3L", "FTX-BULL"]
    assert found["STEELYARD-3L"][1] == "*"
    for words in ("31 bars of 24 h, 2020-03-01", "volatility", "*: efficient", "0.289", "0.564"):
        assert words in result.out
    assert "FTX-BULL: the clock is read at opens" in result.err
    assert "note: no funding was given" in result.err
    assert max(map(len, result.out.splitlines())) <= 100


@pytest.mark.parametrize(
    ("columns", "there", "missing"),
    [
        ("70", "kappa", "turnover"),
        ("100", "turnover", "difference"),
        ("120", "difference", "trades when"),
        ("170", "trades when", "carry"),
    ],
)
def test_the_table_takes_the_room_there_is(
    steelyard: Steelyard, monkeypatch: pytest.MonkeyPatch, columns: str, there: str, missing: str
) -> None:
    """Columns leave one after the other, no figure is cut, and the legend follows."""
    monkeypatch.setenv("COLUMNS", columns)
    result = steelyard("compare", "steelyard-3l", "ftx-bull", *SPRING)
    assert there in result.out
    assert missing not in result.out
    assert ("Turnover:" in result.out) == (columns != "70")
    assert "…" not in result.out
    assert max(map(len, result.out.splitlines())) <= int(columns)


def test_carry_is_shown_where_there_is_any(
    steelyard: Steelyard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that has a management fee pays it whatever its rule."""
    monkeypatch.setenv("COLUMNS", "150")
    assert "Carry:" in steelyard("compare", "oracle-3l", "ftx-bull", *SPRING).out


def test_json_is_one_object_and_equals_python(steelyard: Steelyard) -> None:
    """``--json`` prints the figures of ``sy.compare``, and what was done with them."""
    result = steelyard(
        "compare", "ftx-bull", "bybit-3l", *SPRING, "--json", "--sort", "cost_per_year"
    )
    found = compare(
        [preset("ftx-bull"), preset("bybit-3l")],
        sample_prices("BTC").between("2020-03-01", "2020-04-01"),
    ).sorted_by("cost_per_year")
    assert json.loads(result.out) == {**found.figures, "sort": "cost_per_year", "report": None}
    assert [each["name"] for each in found.figures["series"]] == ["BYBIT-3L", "FTX-BULL"]


def test_the_keys_are_those_of_the_library() -> None:
    """Help lists them without loading it."""
    assert tuple(SORTS) == SORT_KEYS


def names(result: Any) -> list[str]:
    """What the series are called in the JSON."""
    return [each["name"] for each in json.loads(result.out)["series"]]


def test_series_of_one_symbol_are_told_apart_by_their_files(
    steelyard: Steelyard, tmp_path: Path
) -> None:
    """By the file's name, and where that is the same too, by all of its path."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        for file in ("a", "b"):
            (tmp_path / folder / f"{file}.toml").write_text(SERIES.format(symbol="T"))
    (tmp_path / "other.toml").write_text(SERIES.format(symbol="U"))
    files = ["one/a.toml", "one/b.toml", "other.toml"]
    assert names(steelyard("compare", *files, *FIRST_DAYS, "--json")) == ["T (a)", "T (b)", "U"]
    files = ["one/a.toml", "two/a.toml"]
    assert names(steelyard("compare", *files, *FIRST_DAYS, "--json")) == [
        "T (one/a.toml)",
        "T (two/a.toml)",
    ]
    result = steelyard("compare", *files, *FIRST_DAYS, "--out", "page.html")
    assert result.code == 0
    assert 'data-key="T (one/a.toml)"' in (tmp_path / "page.html").read_text()


def test_options_go_to_those_whom_they_fit(steelyard: Steelyard, tmp_path: Path) -> None:
    """A perpetual, one with a reserve, and borrowed spot: all three files in one comparison."""
    (tmp_path / "funding.csv").write_text("time,rate\n2020-01-05,0.001\n")
    (tmp_path / "rates.csv").write_text("time,rate\n2020-01-05,0.5\n")
    (tmp_path / "in.csv").write_text("time,quote,kind\n2020-01-05,1000,capital\n")
    files = ("--funding", "funding.csv", "--rates", "rates.csv", "--injections", "in.csv")
    result = steelyard(
        "compare", "ftx-bull", "oracle-3l", "toros-3l", *FIRST_DAYS, *files, "--json"
    )
    perpetual, pooled, spot = (each["summary"] for each in json.loads(result.out)["series"])
    assert perpetual["costs"]["funding"] > 0 == perpetual["costs"]["interest"]
    assert spot["costs"]["interest"] > 0 == spot["costs"]["funding"]
    assert pooled["reserve"]["injected"] == 1000
    assert "no funding was given" not in result.err


USAGE = [
    (["ftx-bull", "ftx-bull"], "ftx-bull is named twice"),
    (["ftx-bull", "--sort", "beauty"], "'beauty' is not one of 'name', 'error'"),
    (["ftx-bull", "--out", "nowhere/page.html"], "there is no folder nowhere"),
    (["ftx-bull", "--out", "."], "it is a folder"),
    (["ftx-bull", "--start", "2021-01-01", "--end", "2020-01-01"], "a time after --start"),
    ([], "Missing argument"),
]


@pytest.mark.parametrize(("arguments", "said"), USAGE)
def test_wrong_usage_is_exit_code_2(
    steelyard: Steelyard, tmp_path: Path, arguments: list[str], said: str
) -> None:
    """Before anything is run or written."""
    result = steelyard("compare", *arguments, "--prices", "BTC")
    assert (result.code, result.out) == (2, "")
    assert said in result.err
    assert list(tmp_path.iterdir()) == []


WRONG = [
    (["ftx-bull", "ftx-bul"], "ftx-bul: expected a series file or the name of a preset"),
    (["ftx-bull", "nothing.toml"], "nothing.toml: "),
    (["ftx-bull", "bybit-3l", "--rates", "r.csv"], "rates: expected at least one series with"),
    (["toros-3l", "--funding", "f.csv"], "funding: expected at least one series with"),
    (["ftx-bull", "--funding", "nothing.csv"], "nothing.csv: expected a CSV file"),
    (["ftx-bull", "--start", "2030-01-01"], "expected prices from 2030-01-01"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG)
def test_wrong_files_are_exit_code_3(
    steelyard: Steelyard, tmp_path: Path, arguments: list[str], said: str
) -> None:
    """One sentence, nothing on standard output, nothing written."""
    result = steelyard("compare", *arguments, "--prices", "BTC", "--out", "page.html")
    assert (result.code, result.out) == (3, "")
    assert said in result.err
    assert len(result.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
