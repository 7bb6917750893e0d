"""The report page in a real browser, from a file, with no network.

Needs Chromium or Chrome; skipped where there is none. The page itself marks what went wrong
(``data-error`` on the root: a script's error, a broken promise, a breach of its own policy).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from steelyard.report.cost_error_chart import RulePoint, comparison_panel
from steelyard.report.html import page
from steelyard.simulation.run_document import document_of_frames
from support.browser import BROWSER, dom_of, root
from support.random_runs import random_run, several

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="needs a browser: none of chromium, google-chrome is installed"
)

HOSTILE = (
    "</script><script>document.documentElement.dataset.broken=1</script>"
    "<img src=x onerror=document.documentElement.dataset.broken=2>"
)
Load = Callable[..., str]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Open a page from a file and give back its DOM once its scripts have rested."""

    def dom(page: str, where: str = "", *, then: str = "") -> str:
        return dom_of(page, tmp_path, where, then=then)

    return dom


def shelf() -> str:
    """A page of three series."""
    runs = [random_run("BTC3L", reserve=True), random_run("BTC1S", target=-1.0), random_run("X/ 2")]
    return page(several(runs))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_charts_are_drawn(load: Load, theme: str) -> None:
    """All four, the table with its rows, and not one error."""
    run = random_run(reserve=True)
    dom = load(page(document_of_frames(run)), f"?theme={theme}")
    marks = root(dom)
    assert "data-error" not in marks
    assert marks["data-theme"] == theme
    assert marks["data-ready"] == "yes"
    assert len(re.findall(r'<div class="chart js-plotly-plot"', dom)) == 4
    assert int(marks["data-charts"]) >= 4
    rows = run.summary["rebalances"]
    assert isinstance(rows, dict)
    assert len(re.findall(r"<tr><td", dom)) == rows["clips"] + 1


def test_a_shelf_draws_nothing_until_asked(load: Load) -> None:
    """It opens on its overview; charts are drawn when a series is chosen."""
    marks = root(load(shelf()))
    assert marks["data-shown"] == ""
    assert "data-charts" not in marks
    assert "data-error" not in marks


@pytest.mark.parametrize(("link", "symbol"), [("#BTC1S", "BTC1S"), ("#X/%202", "X/ 2")])
def test_a_link_leads_to_a_series(load: Load, link: str, symbol: str) -> None:
    """``#symbol`` opens the page on it, and only its charts are drawn."""
    marks = root(load(shelf(), link))
    assert marks["data-shown"] == symbol
    assert int(marks["data-charts"]) >= 3
    assert "data-error" not in marks


def compared() -> str:
    """A page of three series that are set side by side; the third was worse in both."""
    names = ("A", "B", "X/ 2")
    costs = (0.02, 0.01, 0.3)
    runs = [random_run(name, seed=seed) for seed, name in enumerate(names, 1)]
    points = [
        RulePoint(place, name, 3.0, 0.1 * (3 - place), cost, 0.4, cost < 0.1, wiped_out=False)
        for place, (name, cost) in enumerate(zip(names, costs, strict=True))
    ]
    return page(several(runs, comparison_panel(points, 0.01)))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_comparison_opens_on_its_chart(load: Load, theme: str) -> None:
    """Error against cost is drawn at once, with every name, in either theme and without error."""
    dom = load(compared(), f"?theme={theme}")
    marks = root(dom)
    assert "data-error" not in marks
    assert (marks["data-theme"], marks["data-shown"]) == (theme, "")
    assert len(re.findall(r'<div class="chart js-plotly-plot"', dom)) == 1
    chart = dom[dom.index('data-panel="comparison"') :]
    for words in ("A", "B", "X/ 2", "exposure error, annualised", "cost, share of nav per year"):
        assert f">{words}</text>" in chart


def test_a_point_leads_to_its_series_and_the_theme_redraws_the_chart(load: Load) -> None:
    """Choosing a point opens its series; back on the overview the chart follows the theme."""
    clicks = """
    const root = document.documentElement;
    setTimeout(() => {
      const chart = document.querySelector('section[data-key=""] .chart');
      const others = chart.data.findIndex((trace) => trace.name === 'others');
      const ink = () => chart.layout.font.color;
      const before = ink();
      document.querySelector('#theme').click();
      root.dataset.recoloured = ink() !== before;
      chart.emit('plotly_click', { points: [{ customdata: chart.data[others].customdata[0] }] });
      setTimeout(() => { root.dataset.after = root.dataset.shown; }, 500);
    }, 500);
    """
    marks = root(load(compared(), "?theme=light", then=clicks))
    assert "data-error" not in marks
    assert marks["data-recoloured"] == "true"
    assert marks["data-after"] == "X/ 2"


def test_every_control_works(load: Load) -> None:
    """Picker, steps, sorting, spans of time, legend and theme, one after the other."""
    clicks = """
    const click = (selector) => document.querySelector(selector).click();
    const root = document.documentElement;
    setTimeout(() => {
      const main = document.querySelector('section.document');
      main.querySelector('thead th:nth-child(4) button').click();
      root.dataset.first = main.querySelector('tbody tr').dataset.link;
      click('#next');
      setTimeout(() => {
        root.dataset.second = root.dataset.shown;
        const section = document.querySelector('section.document:not([hidden])');
        section.querySelector('.legend button').click();
        section.querySelectorAll('.spans button')[1].click();
        section.querySelector('.listing thead th:nth-child(6) button').click();
        root.dataset.top = section.querySelector('.listing tbody td:nth-child(6)').textContent;
        click('#theme');
        setTimeout(() => {
          const charts = [...section.querySelectorAll('.chart')];
          root.dataset.ranges = new Set(charts.map((c) => String(c.layout.xaxis.range))).size;
          try { root.dataset.kept = localStorage.getItem('steelyard-theme'); } catch { /* none */ }
        }, 1000);
      }, 1000);
    }, 500);
    """
    runs = [random_run("A", seed=1), random_run("B", seed=2), random_run("C", seed=3)]
    dom = load(page(several(runs)), "?theme=light", then=clicks)
    marks = root(dom)
    assert "data-error" not in marks
    returns = {run.facts.symbol: run.summary["nav"]["return"] for run in runs}
    assert marks["data-first"] == max(returns, key=returns.__getitem__)
    assert marks["data-second"] == "A"
    largest = float(np.max(runs[0].rebalances["notional"]))
    assert float(marks["data-top"].replace(",", "")) == pytest.approx(largest, abs=0.51)
    assert marks["data-theme"] == "dark"
    assert marks["data-kept"] == "dark"
    assert marks["data-ranges"] == "1"


def test_dates_below_a_chart_are_whole(load: Load) -> None:
    """A short history has times with the day below them: two lines, and both are inside."""
    measure = """setTimeout(() => {
      const cut = [...document.querySelectorAll(".xtick text")].filter((text) =>
        text.getBoundingClientRect().bottom >
        text.closest("svg").getBoundingClientRect().bottom + 0.5);
      document.documentElement.dataset.ticks = document.querySelectorAll(".xtick text").length;
      document.documentElement.dataset.cut = cut.length;
    }, 4000);"""
    marks = root(load(page(document_of_frames(random_run(bars=60))), then=measure))
    assert int(marks["data-ticks"]) > 0
    assert marks["data-cut"] == "0"


def test_hostile_words_do_nothing(load: Load) -> None:
    """In the browser too: what a symbol, a sentence or a currency says is only read."""
    run = random_run(reserve=True)
    facts = replace(
        run.facts, symbol=HOSTILE, title=HOSTILE, sentence=HOSTILE, quote=HOSTILE, rule=HOSTILE
    )
    page_of = page(several([replace(run, facts=facts), random_run("B")]))
    first = "document.querySelectorAll('section.document')[1].dataset.key"
    script = f"location.hash = '#' + encodeURIComponent({first});"
    marks = root(load(page_of, then=script))
    assert "data-broken" not in marks
    assert "data-error" not in marks
    assert int(marks["data-charts"]) >= 4


def test_a_figure_that_rounds_to_zero_has_no_minus(load: Load) -> None:
    """The table of rebalances, which the page itself writes, in a column of costs received."""
    run = random_run()
    rows = {name: np.array(run.rebalances[name]) for name in run.rebalances}
    rows["fee"] = np.where(np.arange(len(rows["fee"])) % 2, -1e-9, -200.0)
    dom = load(page(document_of_frames(replace(run, rebalances=rows))))
    assert "data-error" not in root(dom)
    assert "−200.00</td>" in dom
    assert ">0.00</td>" in dom
    assert "−0.00</td>" not in dom


def test_gaps_in_the_data_are_drawn_as_gaps(load: Load) -> None:
    """A token that was wiped out, with no nav and no leverage from then on."""
    run = random_run()
    names = ("time", "price", "nav", "leverage", "tokens")
    nav = {name: np.array(run.nav[name]) for name in names}
    nav["nav"][100:] = 0.0
    nav["leverage"][100:] = float("nan")
    wiped = {"time": "2020-04-10T00:00:00Z", "price": 5_000.0, "reason": "nav"}
    run = replace(run, nav=nav, summary={**run.summary, "wiped_out": wiped})
    dom = load(page(document_of_frames(run)))
    assert "data-error" not in root(dom)
    assert dom.count("wiped out</text>") == 2  # the charts of nav and of leverage
