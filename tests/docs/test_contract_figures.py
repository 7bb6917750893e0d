"""What the contracts' pages measure names the test that measures it, and that test holds it.

A test that measures a figure reads it from the page, or is refused by it (`support.page_figures`).
Here it is held that no figure of an attack stands without such a test.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import NamedTuple

import pytest

from support.doc_pages import REPOSITORY
from support.page_figures import PAGES, page_text, said

TESTS = REPOSITORY / "tests" / "contracts"
ATTACKS = (PAGES / "attacks.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r"^## (.+)$", ATTACKS, re.MULTILINE)
CONTRACTS = REPOSITORY / "contracts"
MEASURED = re.compile(r"\d (?:USD|%|basis points|rounds|clips|fills)")
"""How a measured figure ends."""


class Function(NamedTuple):
    """A test: the file that it is in, and whether it holds figures to a page."""

    file: str
    holds: bool


@cache
def functions() -> dict[str, Function]:
    """All tests of the contracts, by name."""
    found = {}
    for path in TESTS.rglob("test_*.py"):
        if "node_modules" in path.parts:
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                calls = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
                found[node.name] = Function(path.name, bool(calls & {"stated", "said"}))
    return found


def section(heading: str) -> str:
    """What stands under a heading of the page of attacks."""
    return ATTACKS.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def named_in(text: str) -> list[str]:
    """The tests that a text names."""
    return re.findall(r"`(test_\w+)`", text)


def meant_in(text: str) -> list[str]:
    """The tests that a text names, or all of a file where it names that and none of its tests."""
    files = re.findall(r"`(?:tests/[\w/]+/)?(test_\w+\.py)`", text)
    named = named_in(text)
    open_ = [file for file in files if all(functions()[name].file != file for name in named)]
    return [*named, *(name for name, each in functions().items() if each.file in open_)]


@pytest.mark.parametrize("page", sorted(path.name for path in PAGES.glob("*.md")))
def test_each_test_that_a_page_names_exists(page: str) -> None:
    """Each is a test of the contracts, in a file that the page names as well."""
    text = page_text(page)
    files = set(re.findall(r"`(?:tests/[\w/]+/)?(test_\w+\.py)`", text))
    known = functions()
    for name in named_in(text):
        assert name in known, name
        assert known[name].file in files, name


def test_each_attack_with_a_figure_names_a_test_that_holds_it() -> None:
    """Each row of an attack names its test; one that says a figure, a test that holds it."""
    rows = 0
    for heading in SECTIONS:
        tests: list[str] = []
        for line in section(heading).splitlines():
            if not re.match(r"\| (?!attack |from |-)", line) or "test_" not in section(heading):
                continue
            *cells, proof = (cell.strip() for cell in line.strip("|").split("|"))
            if proof.strip() != "the same":
                tests = named_in(proof)
            if heading == "Takers":
                tests = named_in(section(heading))
            rows += 1
            assert tests, f"no test: {line}"
            if MEASURED.search(" ".join(cells[1:])) or heading == "Takers":
                assert any(functions()[name].holds for name in tests), line
    assert rows > 40, "the tables were not understood"


@pytest.mark.parametrize("heading", SECTIONS)
def test_each_paragraph_with_a_figure_is_closed_by_its_test(heading: str) -> None:
    """Outside the tables a measured figure's paragraph, or its section's last, names the test."""
    paragraphs = [each for each in section(heading).strip().split("\n\n") if each[0] != "|"]
    closing = meant_in(paragraphs[-1]) if paragraphs else []
    for each in paragraphs:
        if MEASURED.search(each):
            tests = [*meant_in(each), *closing]
            assert any(functions()[name].holds for name in tests), each


def test_how_the_contracts_are_cut_is_as_the_page_says() -> None:
    """A module has at most its lines, the token 500, and configurations their words."""
    (most,) = said("A module has at most # lines", page="testing.md")
    for path in CONTRACTS.glob("*.vy"):
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if path.stem == "LeveragedToken":
            assert lines <= 500
        elif path.stem.islower():
            assert lines <= most, path.name
    words = {"series_words": "twelve words", "oracle_words": "in four"}
    for name, told in words.items():
        source = (CONTRACTS / f"{name}.vy").read_text(encoding="utf-8")
        (count,) = re.findall(r"WORDS: constant\(uint256\) = (\d+)", source)
        assert {"12": "twelve", "4": "four"}[count] in told
        assert f"{told} (`contracts/{name}.vy`)" in page_text("testing.md")
    word, byte = said("Each word of code costs a launch # gas, # a byte", page="testing.md")
    assert word == 32 * byte
