"""axe-core finds no barrier on any page, wide and narrow, light and dark."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

import steelyard as sy
from support.browser import BROWSER, dom_of, root

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="needs a browser: none of chromium, google-chrome is installed"
)

RESULTS: dict[str, Callable[[sy.Feed], object]] = {
    "run": lambda feed: sy.simulate("oracle-3l", feed),
    "comparison": lambda feed: sy.compare(["oracle-3l", "ftx-bull", "kucoin-3l"], feed),
    "explanation": lambda feed: sy.explain("oracle-3l", feed),
    "tracking": lambda feed: sy.tracking(sy.simulate("oracle-3l", feed)),
    "gaps": lambda feed: sy.gaps(feed, "oracle-3l"),
    "tear sheet": lambda feed: sy.tear_sheet("oracle-3l", feed),
    "decay": lambda _: sy.decay_across({"BTC": "BTC", "ETH": "ETH"}, resamples=100),
    "forecast": lambda _: sy.forecast(
        sy.Shelf.of_series(sy.preset("oracle-3l")), price=5e4, time=0
    ),
}
LOOK = """
const rules = {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]};
window.addEventListener("load", () => axe.run(document, rules).then((found) => {
  const shown = document.createElement("pre");
  shown.id = "barriers";
  shown.textContent = JSON.stringify(found.violations.map((rule) => [
    rule.id, rule.nodes.length, rule.nodes[0].html.slice(0, 200), rule.nodes[0].failureSummary,
  ]));
  document.body.append(shown);
  document.documentElement.dataset.passed = found.passes.length;
}));
"""


def barriers(page: str, folder: Path, theme: str, width: int) -> list[object]:
    """What axe-core finds on a page: rule, number of elements, the first one, what is wrong."""
    axe = files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    dom = dom_of(page, folder, f"?theme={theme}", then=f"{axe};{LOOK}", width=width)
    shown = re.search(r'<pre id="barriers">(.*?)</pre>', dom, re.DOTALL)
    assert shown is not None, "axe-core did not finish"
    assert int(root(dom)["data-passed"]) >= 10
    found: list[object] = json.loads(html.unescape(shown[1]))
    return found


@pytest.mark.parametrize("kind", RESULTS)
def test_no_barrier_is_found(kind: str, tmp_path: Path) -> None:
    """The page of each kind of result; "best-practice" covers the order of its headings."""
    path = tmp_path / "page.html"
    sy.write_report(RESULTS[kind](sy.Feed("BTC", start="2021-01-01", end="2021-09-01")), path)
    page = path.read_text(encoding="utf-8")
    for theme, width in (("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)):
        assert barriers(page, tmp_path, theme, width) == [], (theme, width)


def test_barriers_are_found(tmp_path: Path) -> None:
    """A picture without words and a heading that skips two levels are named."""
    page = (
        '<html lang="en"><title>a</title><body><main><h1>a</h1><h4>b</h4><img src="data:,"></main>'
    )
    page += "<ul><li>c</li></ul><p>d</p></body></html>"
    named = {str(rule[0]) for rule in barriers(page, tmp_path, "light", 1440)}  # type: ignore[index]
    assert {"image-alt", "heading-order"} <= named
