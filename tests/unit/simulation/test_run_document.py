"""A run, and several of them, as pages; how these behave in a browser is tested in tests/e2e."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import steelyard as sy
from steelyard.errors import InputError
from steelyard.market import sample_prices
from steelyard.report.html import page
from steelyard.report.lines import as_text
from steelyard.report.number_format import typeset
from steelyard.report.plain_frames import ReportRun
from steelyard.rules.presets import preset
from steelyard.simulation.run import simulate
from steelyard.simulation.run_document import column_decimals, document_of_frames, run_document
from steelyard.simulation.run_notes import order_note, shared_notes
from support.random_runs import long_run, random_run, several
from support.tokens import closes

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
    """Sentence, key figures, four charts, the table's columns, risks."""
    run = random_run(reserve=True)
    shown = page(document_of_frames(run))
    text = " ".join(read(shown).text.split())
    for words in (run.facts.sentence, "max drawdown", "slope", "Risks:", run.facts.venue):
        assert " ".join(typeset(words).split()) in text
    data = island(shown)["sections"][0]
    assert [p["key"] for p in data["panels"]] == ["nav", "leverage", "costs", "reserve"]
    labels = [column["label"] for column in data["listings"][0]]
    assert labels[:6] == ["time, UTC", "trigger", "side", "units", "price", "notional"]
    assert labels[-5:] == ["fee", "spread", "impact", "gas", "paid by reserve"]
    assert len(labels) == 15


def test_several_open_on_a_table_of_all() -> None:
    """One row a series, with a link to each by its name."""
    runs = [random_run("BTC3L"), random_run("BTC 1S/x", target=-1.0)]
    elements = read(page(several(runs)))
    links = [attrs.get("href") for tag, attrs in elements.tags if tag == "a"]
    assert "#BTC3L" in links
    assert "#BTC%201S/x" in links
    sections = [a for tag, a in elements.tags if tag == "section"]
    assert [section["data-key"] for section in sections] == ["", "BTC3L", "BTC 1S/x"]
    assert ["hidden" in section for section in sections] == [False, True, True]


def test_notes_are_one_channel() -> None:
    """What the command line says is what stands on the page and below the text."""
    run = simulate(preset("oracle-3l"), sample_prices("BTC"))
    document = run_document(run)
    assert len(document.notes) == 3
    shown, text = read(page(document)).text, " ".join(as_text(document).split())
    for note in document.notes:
        assert typeset(note[1:]) in " ".join(shown.split(" "))
        assert f"Note: {note}" in text
    assert order_note(86_400) in document.notes
    assert [badge.words for badge in document.badges][1:] == [
        "no funding charged",
        "raising leverage suspended for 62 d",
    ]


def test_closes_alone_assume_no_order() -> None:
    """Daily bars assume the worst order of their extremes; where only closes count none is."""
    series, bars = preset("oracle-3l"), sample_prices("BTC").between(None, "2020-06-01")
    assert order_note(86_400) not in run_document(simulate(series, bars, intrabar="close")).notes


def test_notes_on_several_are_said_once() -> None:
    """Of all, or of those whom they concern; of many only the first are named."""
    of = {name: ["all", *(["some"] if name in "ABCDE" else [])] for name in "ABCDEF"}
    assert shared_notes(of) == ["all", "A, B, C and 2 more: some"]
    assert shared_notes({"A": ["x"], "B": []}) == ["A: x"]


def test_hostile_words_stay_words() -> None:
    """A symbol, title or sentence that looks like markup is shown, never obeyed."""
    quiet = read(page(several([random_run("A"), random_run("B")])))
    run = renamed(
        random_run(), symbol=HOSTILE, title=HOSTILE, sentence=HOSTILE, rule=HOSTILE, quote=HOSTILE,
        underlying=HOSTILE, venue=HOSTILE, costs=HOSTILE,
    )  # fmt: skip
    shown = page(several([run, random_run("B")]))
    loud = read(shown)
    assert loud.count("script") == quiet.count("script")
    assert loud.count("img") == 0
    assert not any(name.startswith("on") for _, attrs in loud.tags for name in attrs)
    assert HOSTILE in loud.text
    assert "49" not in loud.text.replace(HOSTILE, "").split()
    assert island(shown)["sections"][1]["key"] == HOSTILE


def test_numbers_that_json_lacks_do_not_break_it() -> None:
    """NaN and infinity in frames and summary become gaps and dashes."""
    run = random_run(reserve=True)
    names = ("time", "price", "nav", "leverage", "tokens", "reserve")
    nav = {name: np.array(run.nav[name]) for name in names}
    for name in names[2:]:
        nav[name] = nav[name].copy()
        nav[name][[5, -1]] = np.nan, np.inf
    infinite = {**dict(run.summary["tracking"]), "slope": float("inf"), "r2": float("nan")}  # type: ignore[call-overload]
    infinite["error"] = None
    summary = {**run.summary, "tracking": infinite, "max_drawdown": None}
    shown = page(document_of_frames(replace(run, nav=nav, summary=summary)))
    assert island(shown)["sections"]
    assert not {"nan", "inf", "None"} & set(read(shown).text.split())


def test_a_wiped_out_token_is_called_so() -> None:
    """When, at what price and why: beside its name, among the figures, and in a sentence."""
    run = simulate(preset("ftx-bull"), closes(*[100.0] * 3, 40.0, 30.0))
    assert run.summary["wiped_out"] is not None
    document = run_document(run)
    assert "wiped out" in [badge.words for badge in document.badges]
    (note,) = (note for note in document.notes if "flat from then on" in note)
    assert "at a price of 40.00" in note
    assert "wiped out" in as_text(document)


def test_a_million_bars_make_a_page_of_a_size_that_opens() -> None:
    """Under eight million bytes, and it says what it was drawn from."""
    shown = page(document_of_frames(long_run(1_000_000)))
    assert len(shown.encode()) < 8_000_000
    text = read(shown).text
    assert "of 1,000,000 bars" in text
    assert "2,000 of 50,000 trades" in text


def test_a_page_of_many_stays_of_that_size() -> None:
    """Thirty series of three years of days share the space."""
    run = random_run(bars=1_096, reserve=True)
    runs = [renamed(run, symbol=f"S{i}") for i in range(30)]
    assert len(page(several(runs)).encode()) < 8_000_000


def test_a_page_is_the_same_each_time() -> None:
    """Nothing in it depends on the clock or on chance."""
    one, other = (page(document_of_frames(random_run())) for _ in range(2))
    assert one == other


def test_two_series_of_one_name_are_refused() -> None:
    """A link could not lead to both."""
    with pytest.raises(InputError, match="found 'BTC3L' twice"):
        page(several([random_run(), random_run()]))


@pytest.mark.parametrize(
    ("largest", "decimals"), [(0.0, 2), (2.5e6, 0), (512.0, 2), (41.8, 4), (0.4, 6), (1e-9, 8)]
)
def test_a_column_has_one_number_of_decimals(largest: float, decimals: int) -> None:
    """A listing's column lines up, and shows no more digits than tell its rows apart."""
    assert column_decimals(np.array([0.0, -largest, math.nan])) == decimals


def test_a_notebook_shows_the_figures(tmp_path: Path) -> None:
    """Tables without scripts or styles; the page is that of ``sy.write_report``."""
    run = simulate(preset("ftx-bull"), sy.Feed(sample_prices("BTC"), end="2020-03-01"))
    html = run._repr_html_()
    assert "<script" not in html
    assert "<style" not in html
    assert "token return" in html
    sy.write_report(run, tmp_path / "run.html")
    run.save(tmp_path / "run")
    saved = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert (tmp_path / "run.html").read_text(encoding="utf-8") == saved
