"""The page of a tear sheet in a real browser, from a file, with no network."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import steelyard as sy
from steelyard.market import sample_prices
from steelyard.rules.presets import preset
from steelyard.rules.series import Series
from support.browser import BROWSER, dom_of, root
from support.tokens import closes, token

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="needs a browser: none of chromium, google-chrome is installed"
)

SCRIPT = "</script><script>document.all[0].dataset.broken=1</script>"
IMAGE = "<img src=x onerror=document.all[0].dataset.broken=2>"
Load = Callable[..., str]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Make the page of a series, open it and give back its DOM once its scripts have rested."""

    def dom(series: Series, prices: object, where: str = "", *, then: str = "") -> str:
        sy.tear_sheet(series, prices, path=tmp_path / "sheet.html")
        page = (tmp_path / "sheet.html").read_text(encoding="utf-8")
        return dom_of(page, tmp_path, where, then=then)

    return dom


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_charts_are_drawn(load: Load, theme: str) -> None:
    """Each panel has its chart and its legend, in either theme, without one error."""
    dom = load(preset("oracle-3l"), sample_prices("BTC"), f"?theme={theme}")
    marks = root(dom)
    assert "data-error" not in marks
    assert (marks["data-theme"], marks["data-ready"]) == (theme, "yes")
    panels = re.findall(r'data-panel="(\w+)"', dom)
    assert len(panels) == 13
    assert len(re.findall(r'<div class="chart js-plotly-plot"', dom)) == len(panels)
    assert dom.count('class="legend"') == len(panels)


def test_a_span_of_time_moves_the_charts_that_have_one(load: Load) -> None:
    """A year chosen above is the range of all charts over time; the others keep theirs."""
    clicks = """
    setTimeout(() => {
      const chart = (key) => document.querySelector(`[data-panel="${key}"] .chart`);
      const before = String(chart("ladder").layout.xaxis.range);
      const drawn = String(chart("waterfall").layout.xaxis.range);
      document.querySelectorAll(".spans button")[2].click();
      setTimeout(() => {
        const root = document.documentElement;
        const timed = ["nav", "underwater", "volatility", "slope", "leverage", "costs"];
        const ranges = new Set(timed.map((key) => String(chart(key).layout.xaxis.range)));
        root.dataset.ranges = ranges.size;
        root.dataset.range = [...ranges][0];
        root.dataset.kept = String(chart("ladder").layout.xaxis.range) === before
          && String(chart("waterfall").layout.xaxis.range) === drawn;
      }, 1500);
    }, 500);
    """
    marks = root(load(preset("oracle-3l"), sample_prices("BTC"), then=clicks))
    assert "data-error" not in marks
    assert marks["data-ranges"] == "1"
    assert marks["data-range"].startswith("2021-01-01")
    assert marks["data-kept"] == "true"


def test_a_chapter_is_linked(load: Load) -> None:
    """A link of the chapters leads there and leaves the page as it is."""
    clicks = """
    document.documentElement.style.scrollBehavior = "auto"; // nothing glides in a test
    setTimeout(() => {
      document.querySelector('.way a[href="#gaps"]').click();
      setTimeout(() => {
        const root = document.documentElement;
        root.dataset.top = Math.round(document.getElementById("gaps").getBoundingClientRect().top);
        root.dataset.charts = document.querySelectorAll(".js-plotly-plot").length;
      }, 1500);
    }, 2500);
    """
    marks = root(load(preset("oracle-1s"), sample_prices("BTC"), then=clicks))
    assert "data-error" not in marks
    assert 0 <= int(marks["data-top"]) < 2000
    assert marks["data-shown"] == ""
    assert int(marks["data-charts"]) >= 12


@pytest.mark.parametrize(
    "prices", [(100.0,), (100.0, 101.0), (100.0, 50.0, 60.0), (100.0,) * 40], ids=len
)
def test_few_days_draw_what_they_have(load: Load, prices: tuple[float, ...]) -> None:
    """One bar, two, a wipe-out, flat days: no chart fails for want of anything."""
    marks = root(load(token(3.0), closes(*prices)))
    assert "data-error" not in marks
    assert marks["data-ready"] == "yes"


@pytest.mark.parametrize("words", [SCRIPT, IMAGE])
def test_hostile_words_do_nothing(load: Load, words: str) -> None:
    """What a symbol, an underlying or a currency says is only read."""
    series = replace(preset("oracle-3l"), symbol=words, underlying=words, quote=words)
    marks = root(load(series, sample_prices("BTC")))
    assert "data-broken" not in marks
    assert "data-error" not in marks
    assert marks["data-ready"] == "yes"
