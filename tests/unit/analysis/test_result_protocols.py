"""An explanation as frames, as text, as a figure and as a page."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import steelyard as sy
from steelyard.analysis.explanation import Explanation
from steelyard.market import sample_prices
from steelyard.rules.presets import preset
from steelyard.rules.series import Series
from steelyard.simulation.run import Run


@pytest.fixture(scope="module")
def found() -> Explanation:
    """A preset with costs and a reserve over half a year."""
    series = preset("oracle-3l")
    return sy.explain(series, sy.Feed(sample_prices("BTC"), start="2021-01-01", end="2021-07-01"))


def test_it_is_called_by_either_name(found: Explanation) -> None:
    """``sy.explain`` and ``run.explain`` say the same."""
    again = sy.explain(found.run)
    assert again.steps == found.steps
    assert isinstance(found.run, Run)


def test_the_table_adds_up(found: Explanation) -> None:
    """From the first row to the last through the steps, in both columns."""
    table = found.table
    assert list(table.index) == ["multiple", *found.held, "token"]
    assert table[:-1].sum().to_numpy() == pytest.approx(table.loc["token"].to_numpy())
    assert table.loc["token", "return"] == found.run.summary["nav"]["return"]


def test_frames_have_a_row_a_period(found: Explanation) -> None:
    """Six months, and a day for each bar; their first days are UTC."""
    assert list(found.months.index.strftime("%Y-%m")) == [f"2021-0{month}" for month in range(1, 7)]
    assert len(found.days) == 181
    assert str(found.days.index.tz) == "UTC"
    assert found.months["assets"].iloc[0] == 100_000.0


def test_figures_are_plain(found: Explanation) -> None:
    """Nothing but what JSON knows, and the periods that were asked for."""
    import json

    figures = found.figures("day")
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    assert len(figures["periods"]) == 181
    assert found.figures()["periods"] == []


def test_quote_is_the_share_of_what_the_fund_had(found: Explanation) -> None:
    """Of the life and of each month: a return times the nav of the fund at its start."""
    figures = found.figures("month")
    assert figures["assets"] == 100_000.0
    assert len({period["assets"] for period in figures["periods"]}) == 6
    for told in (figures, *figures["periods"]):
        pairs = (told["multiple"], told["total"], *told["steps"].values())
        assert any(pair["return"] for pair in pairs)
        for pair in pairs:
            assert pair["quote"] == pair["return"] * told["assets"]


def test_text_and_html_show_every_step(found: Explanation) -> None:
    """In a terminal and in a notebook."""
    html = found._repr_html_()
    for name in ("compounding", "rule", "fee", "spread", "management", "reserve"):
        assert f"\n{name}" in repr(found)
        assert f">{name}<" in html
    assert "interest" not in repr(found)


def test_the_waterfall_ends_where_the_token_does(found: Explanation) -> None:
    """Bars from L times the underlying through each step that is there."""
    figure = found.plot()
    (trace,) = figure.data
    assert sum(trace.y[:-1]) == pytest.approx(trace.y[-1])
    assert trace.y[-1] == pytest.approx(100 * found.run.summary["nav"]["return"])
    assert list(trace.measure) == ["absolute", *["relative"] * (len(trace.y) - 2), "total"]
    assert figure.layout.paper_bgcolor != found.plot(dark=True).layout.paper_bgcolor


class Tags(HTMLParser):
    """The text of a page outside its scripts, and its scripts' addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.addresses: list[str] = []
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where it is, and what it would fetch."""
        self.inside = tag
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        """Keep what a person reads."""
        if self.inside not in ("script", "style"):
            self.words.append(data)


def test_the_page_needs_nothing_and_says_everything(found: Explanation, tmp_path: Path) -> None:
    """No address, the steps in a table, and a symbol that is markup stays a word."""
    series = replace(found.run.series, symbol="<b>&X")
    odd = replace(found, run=replace(found.run, series=series))
    page = tmp_path / "page.html"
    odd.save(page)
    tags = Tags()
    text = page.read_text(encoding="utf-8")
    tags.feed(text)
    words = " ".join(tags.words)
    assert [to for to in tags.addresses if not to.startswith(("data:", "#"))] == []
    assert "<b>&X: where the return went" in words
    assert "<b>&X" not in text.partition("<script>")[0].replace("&lt;b&gt;&amp;X", "")
    for word in ("compounding", "reserve", "2021-06", "never rebalanced", "365"):
        assert word in words
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_series_that_only_resets_is_shown_too() -> None:
    """Steps of nothing are left out, compounding and the rule are always there."""
    plain = Series.loads(
        'symbol = "R"\nunderlying = "BTC"\ntarget_leverage = 3.0\n'
        '[[rebalance.trigger]]\nwhen = "daily"\nat = "00:00"\n[costs]\ntaker_fee_bps = 0.0\n'
        "half_spread_bps = 0.0\n"
    )
    found = sy.explain(plain, sy.Feed(sample_prices("BTC"), end="2020-02-01"), intrabar="close")
    assert "fee" not in repr(found)
    assert "rule" in repr(found)
    assert np.isfinite(found.plot().data[0].y).all()
