"""The pages of an explanation and of a forecast in a real browser, as the report page's are."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import steelyard as sy
from steelyard.market import sample_prices
from steelyard.rules.presets import preset
from support.browser import BROWSER, dom_of, root

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="needs a browser: none of chromium, google-chrome is installed"
)

HOSTILE = (
    "</script><script>document.all[0].dataset.broken=1</script>",
    "<img src=x onerror=document.all[0].dataset.broken=2>",
)
Load = Callable[..., str]


def written(kind: str, folder: Path, symbol: str = "") -> Path:
    """The page of that kind."""
    series = preset("oracle-3l")
    if symbol:
        series = replace(series, symbol=symbol)
    page = folder / "page.html"
    if kind == "explanation":
        sy.explain(
            series, sy.Feed(sample_prices("BTC"), start="2021-03-01", end="2021-06-01")
        ).save(page)
    else:
        sy.forecast(sy.Shelf.of_series(series), price=5e4, time=0).save(page)
    return page


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Open a page from a file and give back its DOM once its scripts have rested."""

    def dom(page: Path, theme: str, *, then: str = "", width: int = 1280) -> str:
        text = page.read_text(encoding="utf-8")
        return dom_of(text, tmp_path, f"?theme={theme}", then=then, width=width)

    return dom


@pytest.mark.parametrize("kind", ["explanation", "forecast"])
@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 500)])
def test_the_chart_is_drawn_under_the_bar(
    load: Load, tmp_path: Path, kind: str, theme: str, width: int
) -> None:
    """The bar of a report page, a chart, the tables, and not one error; nothing is wider."""
    then = "document.documentElement.dataset.wide = document.documentElement.scrollWidth"
    dom = load(written(kind, tmp_path), theme, then=then, width=width)
    marks = root(dom)
    assert "data-error" not in marks
    assert (marks["data-theme"], marks["data-ready"]) == (theme, "yes")
    assert '<header class="bar">' in dom
    assert 'class="chart js-plotly-plot"' in dom
    assert len(re.findall("<table>", dom)) >= 2
    assert int(marks["data-wide"]) <= width


@pytest.mark.parametrize("kind", ["explanation", "forecast"])
def test_the_button_changes_the_theme(load: Load, tmp_path: Path, kind: str) -> None:
    """Of the page and of its chart."""
    then = """
    const paper = () => document.querySelector(".chart").layout.font.color;
    const before = paper();
    document.getElementById("theme").click();
    document.documentElement.dataset.redrawn = paper() !== before;
    """
    marks = root(load(written(kind, tmp_path), "light", then=then))
    assert marks["data-theme"] == "dark"
    assert marks["data-redrawn"] == "true"
    assert "data-error" not in marks


@pytest.mark.parametrize("words", HOSTILE)
@pytest.mark.parametrize("kind", ["explanation", "forecast"])
def test_hostile_words_do_nothing(load: Load, tmp_path: Path, kind: str, words: str) -> None:
    """A symbol is text wherever it stands."""
    dom = load(written(kind, tmp_path, words), "light")
    assert "data-broken" not in root(dom)
    assert "data-error" not in root(dom)
    assert "<img src" not in dom.partition("<script")[0]
