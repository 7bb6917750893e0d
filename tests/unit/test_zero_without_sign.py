"""A zero is printed without a minus, wherever a figure becomes text.

In Python that is the ``z`` of a format (``f"{x:+z.2f}"``): a figure that rounds to zero loses the
minus that it had. JSON goes through ``rules.json_text``.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from steelyard.analysis.tear_sheet_statistics import statistic_cell
from steelyard.report.daily_panels import Curve, rolling_panel
from steelyard.report.html import island
from steelyard.report.ladder import LadderData, ladder_panel
from steelyard.report.number_format import leverage, money, number, percent, points
from steelyard.rules.json_text import as_json
from support.doc_numbers import signed_zeros

SOURCE = Path(__file__).resolve().parents[2] / "src" / "steelyard"
NOTHING = (-0.0, -1e-12, np.float64(-1e-12), -0.004)


def unguarded(source: str) -> Iterator[str]:
    """The formats that may print a negative zero, each with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            spec = ast.unparse(node.format_spec).removeprefix("f").strip("'\"")
            if spec[-1:] in ("f", "%") and "z" not in spec and not _is_size(node.value):
                yield f"{node.lineno}: {ast.unparse(node.value)}:{spec}"


def _is_size(value: ast.expr) -> bool:
    """Whether it is ``abs(...)``, or that times a number."""
    if isinstance(value, ast.BinOp) and isinstance(value.right, ast.Constant):
        value = value.left
    return isinstance(value, ast.Call) and ast.unparse(value.func) == "abs"


def test_every_format_with_decimals_takes_the_sign_off_a_zero() -> None:
    """``z`` stands in each format of a fixed number of decimals, but that of a size."""
    files = sorted(SOURCE.rglob("*.py"))
    assert len(files) > 150
    found = [
        f"{path.relative_to(SOURCE)}:{each}"
        for path in files
        for each in unguarded(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "noticed"),
    [
        ('f"{x:.2f}"', 1), ('f"{x:+,.{n}f}"', 1), ('f"{x:.1%}"', 1), ('f"{x:{s},.2f}"', 1),
        ('f"{x:z.2f}"', 0), ('f"{x:+z,.{n}f}"', 0), ('f"{abs(x) * 100:.2f}"', 0), ('f"{n:,}"', 0),
    ],
)  # fmt: skip
def test_a_format_without_it_is_noticed(line: str, noticed: int) -> None:
    """With a sign or not, of fixed decimals or of percent."""
    assert len(list(unguarded(line))) == noticed


def test_plotly_is_never_asked_for_a_plus_in_what_it_rounds() -> None:
    """Its formats take the sign off a zero by themselves, but not where they ask for a plus."""
    asked = [
        f"{path.name}:{number}"
        for path in sorted(SOURCE.rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if ":+" in line.partition("%{")[2].partition("}")[0]
    ]
    assert asked == []


@pytest.mark.parametrize("value", NOTHING)
def test_no_word_says_a_negative_zero(value: float) -> None:
    """Of the functions that make text of figures: terminal, page, explanation and tear sheet."""
    share = value / 100
    told = [
        number(value, 0), number(value, 2), number(value, 2, signed=True), percent(share),
        percent(share, signed=True), percent(value / 1e4, signed=True), leverage(share),
        points(share), points(share, 0),
        *(statistic_cell(share, kind) for kind in ("days", "number", "percent", "share")),
    ]  # fmt: skip
    assert [text for text in told if signed_zeros(text)] == []
    assert number(value, 2, signed=True) == "0.00"
    assert money(-0.0) == "0.00"


def test_what_is_not_zero_keeps_its_sign() -> None:
    """A unit of the last place is a figure."""
    assert number(-0.006, 2) == "-0.01"
    assert number(0.006, 2, signed=True) == "+0.01"
    assert points(-0.00006) == "-0.01"
    assert points(0.0) == "0"


def test_json_has_no_negative_zero() -> None:
    """Anywhere in an object, and every other figure keeps its bits."""
    figures_ = {"a": -0.0, "b": [1, -0.0, {"c": (-0.0, -1e-300)}], "d": np.float64(-0.0), "e": None}
    text = as_json(figures_)
    assert "-0.0" not in text
    assert json.loads(text) == {"a": 0, "b": [1, 0, {"c": [0, -1e-300]}], "d": 0, "e": None}
    assert island({"x": [-0.0]}) == '{"x":[0.0]}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_json({"a": float("nan")})


def test_charts_have_no_negative_zero() -> None:
    """What a pointer is told of a bar that rounds to nothing."""
    data = LadderData(
        title="t",
        quote="USDT",
        underlying="BTC",
        present=100.0,
        prices=[90.0, 110.0],
        on_the_way=[-0.2, -1_234.4],
        at_resets=[0.0, 0.1],
    )
    for trace in ladder_panel(data).traces:
        assert signed_zeros(" ".join(trace["customdata"])) == []
    curve = Curve("difference", np.array([0, 1]), np.array([-1e-9, 0.1]), "$nav")
    panel = rolling_panel("difference", "t", "c", [curve], tickformat="+.2~%")
    assert panel is not None
    assert panel.traces[0]["hovertemplate"].startswith("%{y:.2~%}")
