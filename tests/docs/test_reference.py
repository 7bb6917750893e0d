"""The reference pages are complete: every key, default, field, column and argument there is."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import steelyard
from steelyard.analysis import shelf_file
from steelyard.analysis.attribution import explain
from steelyard.analysis.attribution_variants import STEPS
from steelyard.analysis.decay import decay_across
from steelyard.analysis.decay_found import DecayAcross
from steelyard.analysis.explanation import Explanation
from steelyard.analysis.forecast import forecast
from steelyard.analysis.forecast_result import Forecast
from steelyard.analysis.gaps import gaps
from steelyard.analysis.shelf import Shelf
from steelyard.analysis.tear_sheet import TearSheet, tear_sheet
from steelyard.analysis.tracking import Tracking
from steelyard.errors import InputError
from steelyard.market import Feed
from steelyard.report.shown_result import Shown
from steelyard.rules import series_file
from steelyard.rules.series import Series
from steelyard.simulation.compare import compare
from steelyard.simulation.comparison import SORTS, Comparison
from steelyard.simulation.load_run import load_run
from steelyard.simulation.one_or_several import simulate
from steelyard.simulation.run import Run
from support.doc_pages import REPOSITORY
from support.tokens import DAY_S, T0, closes

REFERENCE = REPOSITORY / "docs" / "reference"
SERIES_PAGE = (REFERENCE / "series-file.md").read_text(encoding="utf-8")
OUTPUT_PAGE = (REFERENCE / "output.md").read_text(encoding="utf-8")
FORECAST_PAGE = (REFERENCE / "forecast.md").read_text(encoding="utf-8")
COMPARISON_PAGE = (REFERENCE / "comparison.md").read_text(encoding="utf-8")
EXPLANATION_PAGE = (REFERENCE / "explanation.md").read_text(encoding="utf-8")
TEAR_SHEET_PAGE = (REFERENCE / "tear-sheet.md").read_text(encoding="utf-8")
DECAY_PAGE = (REFERENCE / "decay.md").read_text(encoding="utf-8")
PYTHON_PAGE = (REFERENCE / "python.md").read_text(encoding="utf-8")

LEAST = 'symbol = "T"\nunderlying = "BTC"\ntarget_leverage = 3.0\n'
# What a trigger cannot do without, so that the others' defaults can be tried.
NEEDED = {
    "band": "lower = 2.0\nupper = 4.0\n",
    "move": "threshold = 0.1\n",
    "volatility": 'window = "24h"\nannualised = 1.0\n',
    "interval": 'every = "8h"\n',
    "daily": 'at = "00:02"\n',
    "fallback": 'after = "24h"\n',
}


def rows(page: str, heading: str) -> dict[str, list[str]]:
    """The table under a heading: first cell, without its quotes -> the other cells."""
    section = page.partition(f"\n{heading}\n")[2]
    assert section, f"no heading {heading!r}"
    section = re.split(r"\n#+ ", section)[0]
    table = {}
    for line in section.splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            table[cells[0].strip("`")] = cells[1:]
    return table


def sections() -> dict[str, tuple[str, set[str]]]:
    """Each heading of the series page: the TOML that opens its table, and the keys it must have."""
    kinds = series_file.VENUES
    shared = set.intersection(*map(set, kinds.values()))
    found = {
        "## The token": ("", {"schema", *series_file.ROOT}),
        "## [rebalance]": ("[rebalance]\n", set(series_file.REBALANCE)),
        "## [venue]": ("[venue]\n", {"kind"} | shared),
        "## [costs]": ("[costs]\n", set(series_file.COSTS)),
        "## [execution]": ("[execution]\n", set(series_file.EXECUTION)),
        "## [fees]": ("[fees]\n", set(series_file.FEES)),
        "## [reserve]": ("[reserve]\n", set(series_file.RESERVE)),
    }
    for kind, (_, readers) in series_file.TRIGGERS.items():
        opened = f'[[rebalance.trigger]]\nwhen = "{kind}"\n'
        found[f'### when = "{kind}"'] = (opened, set(readers))
    for kind, readers in kinds.items():
        found[f'### kind = "{kind}"'] = (f'[venue]\nkind = "{kind}"\n', set(readers) - shared)
    return found


@pytest.mark.parametrize("heading", sections())
def test_every_key_of_a_series_file_is_documented(heading: str) -> None:
    """The table under each heading has the keys that the reader knows there, and no other."""
    assert set(rows(SERIES_PAGE, heading)) == sections()[heading][1]


@pytest.mark.parametrize("heading", sections())
def test_documented_defaults_are_what_a_file_without_the_key_means(heading: str) -> None:
    """Writing a documented default into a file changes nothing; what is required is missed."""
    opened, _ = sections()[heading]
    kind = heading.removeprefix('### when = "').removesuffix('"')
    # the token's own keys come before any table
    head, table = ("", LEAST) if not opened else (LEAST, opened + NEEDED.get(kind, ""))
    plain = Series.loads(head + table)
    for key, (default, *_) in rows(SERIES_PAGE, heading).items():
        if default == "required":
            lines = table.splitlines(keepends=True)
            without = "".join(line for line in lines if not line.startswith(f"{key} "))
            with pytest.raises(InputError, match=rf"{key}: expected the key, found nothing"):
                Series.loads(head + without)
        else:
            given = f"{key} = {default.strip('`')}\n"
            assert Series.loads(head + table + given) == plain, key


@pytest.fixture(scope="module")
def run() -> Run:
    """A run with a reserve that ends in a wipe-out, so that every figure is there."""
    return simulate(Series.loads(f"{LEAST}[reserve]\n"), closes(100.0, 90.0, 50.0, 60.0))


def flat(figures: dict[str, Any], place: str = "") -> set[str]:
    """The paths of all fields, a table of fields among them by the paths of its own."""
    found: set[str] = set()
    for name, value in figures.items():
        if isinstance(value, dict) and name != "by_trigger":
            found |= flat(value, f"{place}{name}.")
        else:
            found.add(place + name)
    return found


@pytest.fixture(scope="module")
def closed() -> Run:
    """A run against a pool, with a creation and a redemption, that is wound down."""
    pool = f'{LEAST}[venue]\nkind = "pool"\n[reserve]\ninitial_units = 9000\n'
    flows = {"time": [T0 + 2 * DAY_S, T0 + 3 * DAY_S], "tokens": [10.0, -5.0]}
    prices = closes(100.0, 101.0, 102.0, 103.0)
    return simulate(Series.loads(pool), Feed(prices, flows=flows, wind_down=T0 + 4 * DAY_S))


def test_every_field_of_the_summary_is_documented(run: Run, closed: Run) -> None:
    """The page lists what the summary may hold, and nothing else."""
    parents = {"reserve", "wiped_out", "wound_down", "flows"}
    documented = set(rows(OUTPUT_PAGE, "## The summary")) - parents
    assert documented == (flat(run.summary) | flat(closed.summary)) - parents


def test_every_column_of_flows_is_documented(closed: Run, tmp_path: Path) -> None:
    """The page lists the columns, in their order."""
    closed.save(tmp_path / "out")
    columns = pq.read_schema(tmp_path / "out" / "flows.parquet").names
    assert list(rows(OUTPUT_PAGE, "## flows.parquet")) == columns


def test_every_column_of_suspensions_is_documented(tmp_path: Path) -> None:
    """The page lists the columns, in their order."""
    series = Series.loads(f"{LEAST}[reserve]\ninitial_units = 0\n")
    simulate(series, closes(100.0, 101.0, 102.0)).save(tmp_path / "out")
    columns = pq.read_schema(tmp_path / "out" / "suspensions.parquet").names
    assert list(rows(OUTPUT_PAGE, "## suspensions.parquet")) == columns


@pytest.mark.parametrize("name", ["nav.parquet", "rebalances.parquet"])
def test_every_column_of_the_files_is_documented(run: Run, tmp_path: Path, name: str) -> None:
    """The page lists the columns that a file has, in their order."""
    run.save(tmp_path / "out")
    written = pq.read_schema(tmp_path / "out" / name).names
    assert list(rows(OUTPUT_PAGE, f"## {name}")) == written


def test_every_field_of_a_run_that_can_be_repeated_is_documented(tmp_path: Path) -> None:
    """The page lists the fields of ``run.json`` and of an input, in their order."""
    simulate(Series.loads(LEAST), closes(100.0, 105.0, 90.0)).save(tmp_path)
    record = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    inputs = [f"inputs.{name}" for name in record["inputs"]["prices"]]
    assert list(rows(OUTPUT_PAGE, "## series.toml and run.json")) == [*record, *inputs]


def test_every_figure_of_a_comparison_is_documented() -> None:
    """The object of ``compare --json``, a series in it, and the table that is sorted by."""
    found = compare([Series.loads(LEAST)], closes(100.0, 105.0, 90.0))
    (entry,) = found.figures["series"]
    one_series = flat({**entry, "summary": None}) | {"worst_day"}
    assert list(rows(COMPARISON_PAGE, "## The object")) == [*found.figures, "sort", "report"]
    assert set(rows(COMPARISON_PAGE, "## A series")) == one_series
    columns = rows(COMPARISON_PAGE, "## The table")
    assert list(columns) == ["name", *found.table.columns]
    assert {name for name, cells in columns.items() if cells[-1]} == set(SORTS)
    for name, cells in columns.items():
        assert SORTS.get(name, False) == (cells[-1] == "greatest")


def test_every_figure_of_an_explanation_is_documented() -> None:
    """The object of ``explain --json``, its steps, a horizon and a period, in their order."""
    found = explain(Series.loads(LEAST), closes(100.0, 105.0, 90.0))
    figures = found.figures("day")
    whole = {"steps": None, "tracking": None, "report": None}
    assert set(rows(EXPLANATION_PAGE, "## The object")) == flat({**figures, **whole})
    assert list(rows(EXPLANATION_PAGE, "## The steps")) == list(STEPS)
    assert set(figures["steps"]) == set(STEPS) - {"basis"}
    tracking = figures["tracking"]
    horizon = {f"horizons.{name}" for name in tracking["horizons"]["7"]}
    assert set(rows(EXPLANATION_PAGE, "## Tracking")) == set(tracking) | horizon
    assert set(rows(EXPLANATION_PAGE, "## A period")) == set(figures["periods"][0])
    columns = set(found.columns("day")) - set(found.steps)
    assert columns == set(figures["periods"][0]) - {"steps"}


def test_every_figure_of_a_tear_sheet_is_documented() -> None:
    """The object of ``tearsheet --json``, its statistics and a month, in their order."""
    found = tear_sheet(Series.loads(LEAST), closes(100.0, 105.0, 90.0))
    figures = found.figures
    assert list(rows(TEAR_SHEET_PAGE, "## The object")) == [*figures, "report"]
    assert list(rows(TEAR_SHEET_PAGE, "## Statistics")) == list(figures["statistics"]["token"])
    assert list(rows(TEAR_SHEET_PAGE, "## A month")) == list(figures["months"][0])


def test_every_key_of_a_shelf_file_is_documented() -> None:
    """The tables have the keys that the reader knows, in their order."""
    assert list(rows(FORECAST_PAGE, "## The shelf")) == ["schema", *shelf_file.ROOT, "token"]
    assert list(rows(FORECAST_PAGE, "### A token")) == list(shelf_file.TOKEN)


def test_every_figure_of_a_forecast_is_documented() -> None:
    """The object of ``forecast --json``, and the objects in it."""
    series = Series.loads(LEAST + '[[rebalance.trigger]]\nwhen = "band"\nlower = 2\nupper = 4\n')
    found = forecast(Shelf.of_series(series), price=100.0, time=T0, daily_volume=1e9, impact=1.0)
    figures = found.figures
    top = list(rows(FORECAST_PAGE, "## The object"))
    inner = [f"feedback.{name}" for name in figures["feedback"]]
    assert [name for name in top if name not in inner] == [*figures, "report"]
    assert set(inner) <= set(top)
    for heading, objects in (
        ("## A token of the forecast", figures["tokens"]),
        ("## A price of the ladder", figures["ladder"]),
        ("## A trade on the way", figures["trades"]),
        ("## A worst move", gaps(closes(100.0, 90.0)).figures),
    ):
        assert list(rows(FORECAST_PAGE, heading)) == list(objects[0])


def test_every_figure_of_a_comparison_of_decay_is_documented() -> None:
    """The object of ``decay --json``, an asset and a pair in it, and the frame of windows."""
    prices = closes(100.0, 105.0, 90.0, 95.0, 100.0, 98.0)
    found = decay_across({"A": prices, "B": prices}, window_days=2, block_days=4)
    figures = found.figures
    for heading, names in (
        ("## The object", [*figures, "report"]),
        ("## An asset", figures["assets"][0]),
        ("## A pair", figures["pairs"][0]),
        ("## A window", found.windows.columns),
    ):
        assert list(rows(DECAY_PAGE, heading)) == list(names)


def test_every_public_name_and_argument_is_documented() -> None:
    """The Python page names all that `steelyard` exports, and what `simulate` and a run take."""
    for name in steelyard.__all__:
        assert f"`{name}`" in PYTHON_PAGE or f"`sy.{name}`" in PYTHON_PAGE, name
    functions = (simulate, compare, explain, tear_sheet, decay_across, forecast, gaps, load_run)
    for function in functions:
        documented = list(rows(PYTHON_PAGE, f"## {function.__name__}"))
        assert documented == list(inspect.signature(function).parameters)
    taken = list(inspect.signature(Feed).parameters)
    documented = list(rows(PYTHON_PAGE, "## Feed"))
    assert documented[: len(taken)] == taken
    public = {name for name in {*vars(Feed), *Feed.__dataclass_fields__} if name[0] != "_"}
    assert set(documented) == public
    for kind in (Comparison, Explanation, Tracking, TearSheet, DecayAcross, Forecast):
        names = {*vars(Shown), *vars(kind), *kind.__dataclass_fields__}
        named = {name for name in names if not name.startswith("_")}
        assert set(rows(PYTHON_PAGE, f"## {kind.__name__}")) == named
    found = {*vars(Run), *Run.__dataclass_fields__}
    attributes = {name for name in found if not name.startswith("_")}
    assert set(rows(PYTHON_PAGE, "## Run")) == attributes
