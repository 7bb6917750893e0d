"""The figure of a notebook."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from steelyard.report.figure import run_figure
from steelyard.report.palette import DARK, LIGHT
from support.random_runs import random_run


def test_all_panels_share_one_time_axis() -> None:
    """Four panels with a reserve, three without, stacked without overlap."""
    for reserve, panels in ((True, 4), (False, 3)):
        figure = run_figure(random_run(reserve=reserve)).to_plotly_json()
        layout = figure["layout"]
        domains = [layout[f"yaxis{n if n > 1 else ''}"]["domain"] for n in range(1, panels + 1)]
        assert f"yaxis{panels + 1}" not in layout
        edges = [edge for domain in reversed(domains) for edge in domain]
        assert edges == sorted(edges)
        assert edges[0] == pytest.approx(0.0, abs=1e-9)
        assert {trace.get("xaxis", "x") for trace in figure["data"]} == {"x"}


@pytest.mark.parametrize(("dark", "palette"), [(False, LIGHT), (True, DARK)])
def test_it_comes_light_and_dark(dark: bool, palette: dict[str, str]) -> None:
    """No abstract colour is left in what plotly gets."""
    figure = run_figure(random_run(reserve=True), dark=dark)
    assert figure.layout.paper_bgcolor == palette["card"]
    assert '"$' not in json.dumps(figure.to_plotly_json(), default=str)


def test_a_symbol_is_text() -> None:
    """What looks like a tag in a symbol is shown, not read."""
    run = random_run()
    figure = run_figure(replace(run, facts=replace(run.facts, symbol="<b>&")))
    assert figure.layout.title.text.startswith("&lt;b&gt;&amp;:")
