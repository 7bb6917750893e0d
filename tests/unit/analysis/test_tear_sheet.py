"""A tear sheet: put together from its parts, saved as a page, and whole whatever the run was."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import steelyard as sy
from steelyard.analysis.tear_sheet import TearSheet
from steelyard.analysis.tear_sheet_statistics import GROUPS
from steelyard.errors import InputError
from steelyard.market import sample_prices
from steelyard.rules.numbers import DECIMAL
from steelyard.rules.presets import preset
from steelyard.rules.series import Daily, Reserve, Series, Venue
from steelyard.simulation.run import Run, simulate
from support.tokens import bars, closes, token

HOSTILE = "</script><img src=x onerror=alert(1)>"
CHAPTERS = ("growth", "statistics", "attribution", "tracking", "costs", "gaps", "next")


@pytest.fixture(scope="module")
def found() -> TearSheet:
    """A preset with a reserve over two and a half years."""
    return sy.tear_sheet(preset("oracle-3l"), sy.Feed(sample_prices("BTC"), start="2020-07-01"))


def with_gaps() -> Run:
    """Days that are missing in the middle, a month of them once."""
    whole = sample_prices("BTC")
    there = np.r_[0:100, 130:300, 301:500]
    columns = {
        name: getattr(whole, name)[there] for name in ("time", "open", "high", "low", "close")
    }
    return simulate(preset("oracle-3l"), replace(whole, **columns))


def pooled(target: float) -> Run:
    """Against a reserve as the counterparty."""
    series = token(
        target, daily=Daily(0), venue=Venue(kind="pool"), reserve=Reserve(initial_units=90.0)
    )
    return simulate(series, sy.Feed(sample_prices("BTC"), start="2022-01-01"))


def named(words: str) -> Run:
    """A symbol and an underlying that a page must only read."""
    series = replace(preset("kucoin-3l"), symbol=words, underlying=f"{words}/%{{x}}")
    return simulate(series, sy.Feed(sample_prices("BTC"), start="2022-06-01"))


RUNS: dict[str, Callable[[], Run]] = {
    "one bar": lambda: simulate(preset("oracle-3l"), closes(100.0)),
    "two bars": lambda: simulate(preset("oracle-3l"), closes(100.0, 101.0)),
    "wiped out on its first day": lambda: simulate(
        token(3.0), bars((100, 101, 50, 60), (60, 70, 50, 61))
    ),
    "wiped out on its second day": lambda: simulate(token(3.0), closes(100.0, 50.0, 60.0)),
    "wiped out after weeks": lambda: simulate(token(3.0), sample_prices("BTC")),
    "flat": lambda: simulate(token(3.0, daily=Daily(0)), closes(*[100.0] * 60)),
    "short": lambda: simulate(preset("oracle-1s"), sample_prices("ETH")),
    "empty reserve": lambda: simulate(
        token(3.0, daily=Daily(0), reserve=Reserve(initial_units=0.0)), sample_prices("BTC")
    ),
    "pool": lambda: pooled(2.0),
    "pool, short": lambda: pooled(-1.0),
    "gaps": with_gaps,
    "wound down": lambda: simulate(
        preset("kucoin-3l"),
        sy.Feed(sample_prices("BTC"), start="2021-01-01", wind_down="2021-03-01"),
    ),
    "decimal": lambda: simulate(
        preset("kucoin-3l"),
        sy.Feed(sample_prices("BTC"), start="2021-01-01", end="2021-02-20"),
        number=DECIMAL,
    ),
    "never trades": lambda: simulate(token(1.0), sy.Feed(sample_prices("BTC"), end="2020-03-01")),
    "beyond all bounds": lambda: simulate(
        token(3.0, daily=Daily(0)), closes(100.0, 1e6, 1e9, 1e12, 1e16)
    ),
    "hostile words": lambda: named(HOSTILE),
}


@pytest.mark.parametrize("name", RUNS)
def test_every_run_has_one(name: str, tmp_path: Path) -> None:
    """As an object, as text, as frames, as a figure and as a page, without NaN or infinity."""
    sheet = sy.tear_sheet(RUNS[name](), path=tmp_path / "page.html")
    figures = sheet.figures
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    for shown in (repr(sheet), sheet._repr_html_(), page_body(tmp_path / "page.html")):
        assert not re.search(r"\b(nan|NaN|inf|None)\b", shown)
        assert HOSTILE not in shown or shown == repr(sheet)
    assert list(sheet.table.columns) == ["token", "multiple", "underlying"]
    assert len(sheet.months) == len(figures["months"])
    assert sheet.plot().layout.title.text.endswith("tear sheet")


def page_body(path: Path) -> str:
    """What a page shows without its script: everything up to plotly.js."""
    page = path.read_text(encoding="utf-8")
    head, body = page.split("</head>", 1)
    assert "default-src 'none'" in head
    return body[: body.index("</footer>")]


def test_the_page_has_all_chapters(found: TearSheet, tmp_path: Path) -> None:
    """In their order, each with its charts and tables, and every statistic by its title."""
    found.save(tmp_path / "page.html")
    body = page_body(tmp_path / "page.html")
    assert tuple(re.findall(r'<div class="chapter" id="(\w+)"', body)) == CHAPTERS
    panels = re.findall(r'data-panel="(\w+)"', body)
    assert panels == [
        *("nav", "underwater", "distribution", "volatility", "waterfall"),
        *("slope", "r2", "error", "difference", "leverage", "costs", "reserve", "ladder"),
    ]
    for group in GROUPS.values():
        for statistic in group.values():
            assert f'<th scope="row" class="word">{statistic.title}</th>' in body
    for words in ("By month", "Prices at which it acts", "liquidation", "outside the band"):
        assert words in body


def test_months_of_the_page_are_those_of_the_object(found: TearSheet, tmp_path: Path) -> None:
    """A cell a month from the launch on, the year beside them compounding them."""
    found.save(tmp_path / "page.html")
    body = page_body(tmp_path / "page.html")
    heat = body[body.index("By month") :]
    rows = re.findall(r"<tr>\s*<th[^>]*>(\d{4})</th>(.*?)</tr>", heat, re.DOTALL)
    assert [year for year, _ in rows] == ["2020", "2021", "2022"]
    shown = [re.findall(r"<td[^>]*>([^<]*)</td>", cells) for _, cells in rows]
    assert shown[0][:6] == [""] * 6
    months = found.months["token"].to_numpy()
    of_2021 = [float(text.replace("−", "-").replace(",", "")) / 100 for text in shown[1]]
    assert of_2021[:12] == pytest.approx(months[6:18], abs=6e-4)
    assert of_2021[12] == pytest.approx(np.prod(1 + months[6:18]) - 1, abs=6e-4)


def test_months_compound_to_the_whole(found: TearSheet) -> None:
    """Of the token, of L times daily and of the underlying."""
    for name in ("token", "multiple", "underlying"):
        whole = found.statistics[name]["cumulative_return"]
        assert np.prod(1 + found.months[name]) - 1 == pytest.approx(whole)


def test_it_is_called_by_either_name(found: TearSheet) -> None:
    """``sy.tear_sheet`` and ``run.tear_sheet`` say the same, and only a path makes a file."""
    again = sy.tear_sheet(found.run)
    assert again.figures == found.figures


def test_parts_are_those_that_others_find(found: TearSheet) -> None:
    """Explanation, gaps and forecast as from their own functions."""
    run = found.run
    figures = found.figures
    assert figures["explanation"] == sy.explain(run).figures("month")
    assert figures["gaps"] == sy.gaps(run.prices, run.series).figures
    assert figures["forecast"] == sy.forecast(sy.Shelf.of_runs([run])).figures
    assert figures["summary"] == run.summary
    rolled = sy.tracking(run).rolling(30)
    assert np.array_equal(rolled["slope"], found.rolling["slope"], equal_nan=True)
    assert len(rolled) == 913 - 29


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("wiped out after weeks", "It trades nothing more: it ended on 2020-03-13."),
        ("pool", "its reserve is its counterparty"),
        ("decimal", "simulated in floats"),
    ],
)
def test_where_nothing_trades_next_it_says_why(name: str, words: str, tmp_path: Path) -> None:
    """Ended, without a market, or not in floats: no forecast, and one sentence."""
    sheet = sy.tear_sheet(RUNS[name](), path=tmp_path / "page.html")
    assert sheet.forecast is None
    assert sheet.figures["forecast"] is None
    assert words in page_body(tmp_path / "page.html")


def test_an_ideal_that_was_wiped_out_is_told() -> None:
    """Three times daily ended on 12 March 2020, the token did not: their days differ, and why."""
    run = simulate(preset("oracle-3l"), sy.Feed(sample_prices("BTC"), start="2020-03-01"))
    sheet = sy.tear_sheet(run)
    assert sheet.statistics["multiple"]["cumulative_return"] == -1.0
    assert "3x daily was wiped out on 2020-03-12, and its figures end there." in " ".join(
        repr(sheet).split()
    )
    assert sheet.figures["months"][1]["multiple"] is None


def test_a_run_that_went_on_is_refused() -> None:
    """As by ``explain``: it cannot be made again from its launch."""
    first = simulate(preset("oracle-3l"), sy.Feed(sample_prices("BTC"), end="2021-01-01"))
    on = simulate(
        preset("oracle-3l"),
        sy.Feed(sample_prices("BTC"), start="2021-01-01"),
        state=first.state,
    )
    with pytest.raises(InputError, match="from its launch"):
        sy.tear_sheet(on)


def test_a_page_is_whole_or_not_there(found: TearSheet, tmp_path: Path) -> None:
    """A folder that is not there is refused, and nothing is made."""
    with pytest.raises(InputError):
        found.save(tmp_path / "no" / "page.html")
    assert list(tmp_path.iterdir()) == []


def test_every_statistic_is_shown(found: TearSheet) -> None:
    """The groups name what is computed, once each."""
    shown = [name for group in GROUPS.values() for name in group]
    assert sorted(shown) == sorted(found.statistics["token"])


def test_it_is_drawn_without_pandas(tmp_path: Path) -> None:
    """Command and page cost no import of pandas: it takes longer than the work."""
    import subprocess
    import sys

    code = (
        "import sys; from steelyard.cli import main; "
        "main(['tearsheet', 'oracle-3l', '--prices', 'BTC', '--out', 'page.html', '--json']); "
        "assert 'pandas' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["report"] == "page.html"


def series_of(**parts: Any) -> Series:
    """A daily reset with parts of its own."""
    return token(2.0, daily=Daily(0), **parts)


def test_health_of_the_reserve_stands_beside_the_costs(tmp_path: Path) -> None:
    """With a reserve its level, what it paid and its chart; without one no word of it."""
    prices = sample_prices("BTC")
    with_one = series_of(reserve=Reserve(initial_units=1.0))
    sy.tear_sheet(
        simulate(with_one, sy.Feed(prices, start="2022-01-01")), path=tmp_path / "with.html"
    )
    sy.tear_sheet(
        simulate(series_of(), sy.Feed(prices, start="2022-01-01")), path=tmp_path / "without.html"
    )
    told, silent = page_body(tmp_path / "with.html"), page_body(tmp_path / "without.html")
    assert "The reserve is at" in told
    assert 'data-panel="reserve"' in told
    assert "The reserve is at" not in silent
    assert 'data-panel="reserve"' not in silent
