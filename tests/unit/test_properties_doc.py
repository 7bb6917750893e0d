"""``docs/PROPERTIES.md`` names tests that exist, numbers its laws once, and forgets none."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import NamedTuple

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENT = REPOSITORY / "docs" / "PROPERTIES.md"


class Law(NamedTuple):
    """A row of the document: its number, its sentence, its tests and the file they are in."""

    number: str
    sentence: str
    tests: tuple[str, ...]
    file: Path


def read_laws() -> list[Law]:
    """The rows of all tables; "in ``file``" stands for a file beside the section's own."""
    laws = []
    usual = REPOSITORY
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        named = re.findall(r"`(tests/[\w/]+\.py)`", line)
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            usual = REPOSITORY / named[-1] if named else usual
        elif re.fullmatch(r"[A-Z]\d+", cells[0]):
            number, *sentence, proof = cells
            other = re.findall(r"in `([\w/]+\.py)`", proof)
            file = usual
            if other:
                file = REPOSITORY / other[-1] if "/" in other[-1] else usual.parent / other[-1]
            tests = tuple(re.findall(r"`(test_\w+)`", proof))
            laws.append(Law(number, "|".join(sentence), tests, file))
    return laws


def names_of_tests_in(file: Path) -> set[str]:
    """The names of the tests that a file defines."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = (node.name for node in tree.body if isinstance(node, ast.FunctionDef))
    return {name for name in names if name.startswith("test_")}


LAWS = read_laws()


@pytest.mark.parametrize("law", LAWS, ids=[law.number for law in LAWS])
def test_a_law_names_tests_that_exist(law: Law) -> None:
    """Each row has a sentence and at least one test, and each test is in the file that is named."""
    assert law.sentence.endswith(".")
    assert law.tests, f"{law.number} names no test"
    assert law.file.is_file(), f"{law.number}: there is no {law.file.relative_to(REPOSITORY)}"
    assert set(law.tests) <= names_of_tests_in(law.file)


def test_laws_are_numbered_in_order() -> None:
    """Within each section upward and each number once, so that it can be cited for good."""
    assert len(LAWS) > 50, "the tables were not understood"
    for letter in {law.number[0] for law in LAWS}:
        numbers = [int(law.number[1:]) for law in LAWS if law.number[0] == letter]
        assert numbers == sorted(set(numbers))


def test_each_law_of_the_rules_stands_in_the_document() -> None:
    """A test in a file of laws that the document does not name is a law without a sentence."""
    named = {(law.file.name, test) for law in LAWS for test in law.tests}
    for file in (REPOSITORY / "tests" / "unit" / "rules").glob("test_laws_*.py"):
        for test in names_of_tests_in(file):
            assert (file.name, test) in named
