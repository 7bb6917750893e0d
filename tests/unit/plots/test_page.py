"""The report page as a document; how it behaves in a browser is tested in tests/e2e."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from steelyard.errors import InputError
from steelyard.plots import ReportRun, report_page
from support.random_runs import long_run, random_run

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u2028&amp;'\"{{7*7}}"


class Elements(HTMLParser):
    """Tags with their attributes, and the text of the page outside scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.island = ""
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the tag; mind where what follows belongs."""
        self.tags.append((tag, dict(attrs)))
        if tag in {"script", "style"}:
            self._inside = "island" if dict(attrs).get("id") == "report-data" else tag

    def handle_endtag(self, tag: str) -> None:
        """Leave a script or a style."""
        if tag in {"script", "style"}:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        """Keep what is read as data or as text."""
        if self._inside == "island":
            self.island += data
        elif not self._inside:
            self.text += data

    def count(self, tag: str) -> int:
        """How many elements of that kind there are."""
        return sum(name == tag for name, _ in self.tags)


def read(page: str) -> Elements:
    """The page, parsed."""
    elements = Elements()
    elements.feed(page)
    return elements


def island(page: str) -> Any:
    """The page's data, read as strictly as a browser's JSON.parse reads it."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return json.loads(read(page).island, parse_constant=refuse)


def renamed(run: ReportRun, **facts: str) -> ReportRun:
    """The run under other words."""
    return replace(run, facts=replace(run.facts, **facts))


def test_a_page_of_one_run_has_all_its_parts() -> None:
    """Sentence, key figures, four charts, the table's columns, risks, source."""
    run = random_run(reserve=True)
    page = report_page([run], title="One run", source="A public table.")
    text = " ".join(read(page).text.split())
    for words in (run.facts.sentence, "Max drawdown", "Slope", "Risks.", "A public table."):
        assert words in text
    data = island(page)["runs"][0]
    assert [p["key"] for p in data["panels"]] == ["nav", "leverage", "costs", "reserve"]
    labels = [column["label"] for column in data["table"]]
    assert labels[:6] == ["time, UTC", "trigger", "side", "units", "price", "notional"]
    assert labels[-5:] == ["fee", "spread", "impact", "gas", "paid by reserve"]
    assert len(labels) == 15


def test_a_shelf_opens_on_an_overview() -> None:
    """One row a series, with a link to each by its symbol."""
    runs = [random_run("BTC3L"), random_run("BTC 1S/x", target=-1.0)]
    elements = read(report_page(runs, title="A shelf"))
    links = [attrs.get("href") for tag, attrs in elements.tags if tag == "a"]
    assert "#BTC3L" in links
    assert "#BTC%201S/x" in links
    sections = [a for tag, a in elements.tags if tag == "section" and a.get("class") == "series"]
    assert [section["data-symbol"] for section in sections] == ["BTC3L", "BTC 1S/x"]


def test_the_page_says_in_which_order_a_day_was_walked() -> None:
    """Daily bars assume the worst order; closes alone assume none, and say nothing."""
    run = random_run()
    said = "These runs assume the worst order"
    assert f"Daily bars say how far the price went inside a day, not in which order. {said}" in (
        report_page([run], title="t")
    )
    closes = replace(run, summary={**run.summary, "intrabar": "close"})
    assert said not in report_page([closes], title="t")


def test_notes_of_the_caller_stand_above() -> None:
    """As text."""
    assert "Mind &lt;this&gt;." in report_page([random_run()], title="t", notes=["Mind <this>."])


def test_nothing_is_asked_of_the_network() -> None:
    """No element names an address, and the policy forbids what a script might try."""
    elements = read(report_page([random_run()], title="t"))
    for tag, attrs in elements.tags:
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            value = attrs.get(name) or ""
            assert not re.match(r"(https?:)?//", value), (tag, value)
    policies = [a["content"] for _, a in elements.tags if "http-equiv" in a]
    assert len(policies) == 1
    assert "default-src 'none'" in str(policies[0])


def test_hostile_words_stay_words() -> None:
    """A symbol, title, note or source that looks like markup is shown, never obeyed."""
    quiet = read(
        report_page([random_run("A"), random_run("B")], title="t", notes=["n"], source="s")
    )
    run = renamed(
        random_run(), symbol=HOSTILE, title=HOSTILE, sentence=HOSTILE, rule=HOSTILE, quote=HOSTILE,
        underlying=HOSTILE, venue=HOSTILE, costs=HOSTILE,
    )  # fmt: skip
    page = report_page([run, random_run("B")], title=HOSTILE, notes=[HOSTILE], source=HOSTILE)
    loud = read(page)
    assert loud.count("script") == quiet.count("script")
    assert loud.count("img") == 0
    assert not any(name.startswith("on") for _, attrs in loud.tags for name in attrs)
    assert HOSTILE in loud.text
    assert "49" not in loud.text.replace(HOSTILE, "").split()
    assert island(page)["runs"][0]["symbol"] == HOSTILE


def test_numbers_that_json_lacks_do_not_break_it() -> None:
    """NaN and infinity in frames and summary become gaps and dashes."""
    run = random_run(reserve=True)
    names = ("time", "price", "nav", "leverage", "tokens", "reserve")
    nav = {name: np.array(run.nav[name]) for name in names}
    for name in names[2:]:
        nav[name] = nav[name].copy()
        nav[name][[5, -1]] = np.nan, np.inf
    infinite = {"slope": float("inf"), "r2": float("nan"), "error": None}
    summary = {**run.summary, "tracking": infinite, "max_drawdown": None}
    page = report_page([replace(run, nav=nav, summary=summary)], title="t")
    assert island(page)["runs"]
    assert not {"nan", "inf", "None"} & set(read(page).text.split())


def test_a_wiped_out_token_is_called_so() -> None:
    """When, at what price and why, in a sentence."""
    run = random_run()
    wiped = {"time": "2020-03-12T10:30:00Z", "price": 5_000.0, "reason": "liquidated"}
    page = report_page([replace(run, summary={**run.summary, "wiped_out": wiped})], title="t")
    said = "Wiped out on 2020-03-12 10:30:00 UTC at a price of 5,000.00: the venue liquidated it."
    assert said in page


def test_a_million_bars_make_a_page_of_a_size_that_opens() -> None:
    """Under eight million bytes, and it says what it was drawn from."""
    page = report_page([long_run(1_000_000)], title="t")
    assert len(page.encode()) < 8_000_000
    text = read(page).text
    assert "of 1,000,000 bars" in text
    assert "2,000 of 50,000 trades" in text


def test_a_shelf_of_many_stays_of_that_size() -> None:
    """Thirty series of three years of days share the space."""
    run = random_run(bars=1_096, reserve=True)
    runs = [renamed(run, symbol=f"S{i}") for i in range(30)]
    assert len(report_page(runs, title="t").encode()) < 8_000_000


def test_a_page_is_the_same_each_time() -> None:
    """Nothing in it depends on the clock or on chance."""
    assert report_page([random_run()], title="t") == report_page([random_run()], title="t")


def test_unclear_requests_are_refused() -> None:
    """No runs; two series under one symbol, to which a link could not lead."""
    with pytest.raises(InputError, match="at least one run"):
        report_page([], title="t")
    with pytest.raises(InputError, match="'BTC3L' is there twice"):
        report_page([random_run(), random_run()], title="t")
