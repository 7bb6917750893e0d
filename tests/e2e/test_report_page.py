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

from steelyard.plots import report_page
from steelyard.plots.comparison import Standing
from support.browser import BROWSER, dom_of, root
from support.random_runs import random_run

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
    return report_page(runs, title="A shelf")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_charts_are_drawn(load: Load, theme: str) -> None:
    """All four, the table with its rows, and not one error."""
    run = random_run(reserve=True)
    dom = load(report_page([run], title="One"), f"?theme={theme}")
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
    runs = [random_run(name, seed=seed) for seed, name in enumerate(("A", "B", "X/ 2"), 1)]
    standings = [
        Standing(
            cost_per_year=cost,
            carry_per_year=0.0,
            turnover_per_year=20.0,
            kappa=0.4,
            unit=0.01,
            efficient=cost < 0.1,
        )
        for cost in (0.02, 0.01, 0.3)
    ]
    return report_page(runs, title="Side by side", standings=standings)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_comparison_opens_on_its_chart(load: Load, theme: str) -> None:
    """Error against cost is drawn at once, with every name, in either theme and without error."""
    dom = load(compared(), f"?theme={theme}")
    marks = root(dom)
    assert "data-error" not in marks
    assert (marks["data-theme"], marks["data-shown"]) == (theme, "")
    assert len(re.findall(r'<div class="chart js-plotly-plot"', dom)) == 1
    chart = dom[dom.index('data-panel="comparison"') :]
    for words in ("A", "B", "X/ 2", "tracking error, a year", "cost, share of nav a year"):
        assert f">{words}</text>" in chart
    assert dom.count('badge good">efficient<') == 2


def test_a_point_leads_to_its_series_and_the_theme_redraws_the_chart(load: Load) -> None:
    """Choosing a point opens its series; back on the overview the chart follows the theme."""
    clicks = """
    const root = document.documentElement;
    setTimeout(() => {
      const chart = document.querySelector('#overview .chart');
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
    """Picker, steps, filter, sorting, spans of time, legend and theme, one after the other."""
    clicks = """
    const click = (selector) => document.querySelector(selector).click();
    const root = document.documentElement;
    setTimeout(() => {
      click('.overview thead th:nth-child(3) button');
      root.dataset.first = document.querySelector('.overview tbody tr').dataset.symbol;
      click('[data-filter]:nth-child(1)');
      click('#next');
      setTimeout(() => {
        root.dataset.second = root.dataset.shown;
        const section = document.querySelector('section.series:not([hidden])');
        section.querySelector('.legend button').click();
        section.querySelectorAll('.spans button')[1].click();
        section.querySelector('.trades thead th:nth-child(6) button').click();
        root.dataset.top = section.querySelector('.trades tbody td:nth-child(6)').textContent;
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
    runs[2] = replace(runs[2], facts=replace(runs[2].facts, underlying="ETH"))
    dom = load(report_page(runs, title="A shelf"), "?theme=light", then=clicks)
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
    marks = root(load(report_page([random_run(bars=60)], title="Short"), then=measure))
    assert int(marks["data-ticks"]) > 0
    assert marks["data-cut"] == "0"


def test_hostile_words_do_nothing(load: Load) -> None:
    """In the browser too: what a symbol, a sentence or a currency says is only read."""
    run = random_run(reserve=True)
    facts = replace(
        run.facts, symbol=HOSTILE, title=HOSTILE, sentence=HOSTILE, quote=HOSTILE, rule=HOSTILE
    )
    page = report_page([replace(run, facts=facts), random_run("B")], title=HOSTILE)
    first = "document.querySelector('.series').dataset.symbol"
    script = f"location.hash = '#' + encodeURIComponent({first});"
    marks = root(load(page, then=script))
    assert "data-broken" not in marks
    assert "data-error" not in marks
    assert int(marks["data-charts"]) >= 4


def test_a_figure_that_rounds_to_zero_has_no_minus(load: Load) -> None:
    """The table of rebalances, which the page itself writes, in a column of costs received."""
    run = random_run()
    rows = {name: np.array(run.rebalances[name]) for name in run.rebalances}
    rows["fee"] = np.where(np.arange(len(rows["fee"])) % 2, -1e-9, -200.0)
    dom = load(report_page([replace(run, rebalances=rows)], title="Received"))
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
    dom = load(report_page([run], title="Wiped out"))
    assert "data-error" not in root(dom)
    assert dom.count("wiped out</text>") == 2  # the charts of nav and of leverage
