"""The contracts' pages are complete: every parameter, function, event and reason there is."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from steelyard.chain import artifact_names, load_artifact
from support.doc_pages import REPOSITORY
from support.gas_table import BEGIN, END, PAGE, table_of

PAGES = REPOSITORY / "docs" / "contracts"
GAS = REPOSITORY / "tests" / "contracts" / "gas.json"
NAMES = {
    "LeveragedToken": "leveraged-token.md",
    "Reserve": "reserve.md",
    "MorphoOracle": "morpho-oracle.md",
}
OUTSIDE = {"Lens": "lens.md", "Upkeep": "upkeep.md", "Zap": "zap.md"}
"""Of the thin contracts around the core: their parameters stand among the functions."""
REASON = re.compile(r'"([a-z]\w+: [^"]+)"')


def page(name: str) -> str:
    """The page of a contract."""
    return (PAGES / (NAMES | OUTSIDE)[name]).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands under a heading."""
    found = text.partition(f"\n## {heading}\n")[2]
    assert found, f"no heading {heading!r}"
    return found.partition("\n## ")[0]


def entries(name: str, kind: str) -> list[dict[str, Any]]:
    """The entries of a kind in a contract's ABI."""
    return [entry for entry in load_artifact(name).abi if entry["type"] == kind]


def leaves(components: list[dict[str, Any]], place: str = "") -> list[str]:
    """The paths of all fields of a struct, in their order."""
    found = []
    for field in components:
        if inner := field.get("components"):
            found += leaves(inner, f"{place}{field['name']}.")
        else:
            found.append(place + field["name"])
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_table_of_parameters_is_what_the_constructor_takes(name: str) -> None:
    """One row a parameter, in the constructor's order, with a unit and a bound."""
    (constructor,) = entries(name, "constructor")
    takes = leaves(constructor["inputs"])
    if name == "LeveragedToken":
        assert takes[:2] == ["name_", "symbol_"]
        takes = [each.removeprefix("config_.") for each in takes[2:]]
    table = section(page(name), "Parameters")
    rows = re.findall(r"^\| `(.+?)` \| (.+) \| (.+) \|$", table, re.MULTILINE)
    assert [row[0] for row in rows] == takes


@pytest.mark.parametrize("name", NAMES)
def test_every_function_and_event_is_documented(name: str) -> None:
    """Each of the ABI's is on the page, and the page has no other."""
    for kind, heading in (("function", "Functions"), ("event", "Events")):
        known = {entry["name"] for entry in entries(name, kind)}
        if not known:
            continue
        first = [line.split(" | ")[0] for line in section(page(name), heading).splitlines()]
        quoted = " ".join(cell for cell in first if cell.startswith("| `"))
        assert set(re.findall(r"`(\w+)(?:\([^`]*\))?`", quoted)) == known


@pytest.mark.parametrize("name", ["LeveragedToken", "Reserve"])
def test_every_field_of_an_event_is_documented(name: str) -> None:
    """The row of each event of ours names all its fields."""
    rows = {
        line.split("`")[1]: line
        for line in section(page(name), "Events").splitlines()
        if line.startswith("| `")
    }
    for entry in entries(name, "event"):
        if entry["name"] in rows and " as ERC-20" not in rows[entry["name"]]:
            fields = {f"`{field['name']}`" for field in entry["inputs"]}
            missing = {each for each in fields if each not in rows[entry["name"]]}
            assert not missing or entry["name"] == "OwnershipTransferred"


@pytest.mark.parametrize("name", NAMES)
def test_every_reason_is_documented(name: str) -> None:
    """Each reason string of the contract and of its modules is on its page; none is made up."""
    of = {
        each: {
            path: set(REASON.findall(source["content"]))
            for path, source in load_artifact(each).standard_json["sources"].items()
        }
        for each in NAMES
    }
    ours = {r for path, all_ in of[name].items() if path.startswith("contracts/") for r in all_}
    # a contract passes on the reasons of those that it calls
    any_of = {reason for paths in of.values() for all_ in paths.values() for reason in all_}
    documented = {
        reason
        for reason in re.findall(r"`([^`]+)`", section(page(name), "Errors"))
        if re.fullmatch(r"[a-z]\w+: .+", reason)
    }
    assert ours <= documented
    assert documented <= any_of


@pytest.mark.parametrize("name", OUTSIDE)
def test_what_is_outside_the_core_is_documented_too(name: str) -> None:
    """Each parameter, function, event, field of one, and reason of its own is on its page."""
    text, own = page(name), load_artifact(name).standard_json["sources"][f"contracts/{name}.vy"]
    quoted = " ".join(re.findall(r"`([^`]+)`", text))
    words = set(re.findall(r"\w+", quoted))
    wanted = {entry["name"] for kind in ("function", "event") for entry in entries(name, kind)}
    wanted |= {field["name"] for entry in entries(name, "event") for field in entry["inputs"]}
    for entry in entries(name, "constructor"):
        wanted |= {field["name"].removesuffix("_") for field in entry["inputs"]}
    assert sorted(wanted - words) == []
    reasons = {each for each in REASON.findall(own["content"]) if each.startswith(name.lower())}
    assert {each for each in reasons if f"`{each}`" not in text} == set()


def test_gas_on_the_page_is_the_committed_bill() -> None:
    """The table of the index is the bill: each call of ours and of the peers, no other figure."""
    bill = json.loads(GAS.read_text(encoding="utf-8"))
    table = table_of(bill)
    assert section(PAGE.read_text(encoding="utf-8"), "Gas").endswith(f"{BEGIN}{table}{END}")
    figures = [int(each.replace(",", "")) for each in re.findall(r"(?<=\| )[\d,]+(?= \|)", table)]
    assert sorted(figures) == sorted(bill.values())


def test_trust_comes_first_and_each_contract_has_its_page() -> None:
    """The index begins with what is trusted, and links a page of each contract."""
    index = (PAGES / "index.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", index, re.MULTILINE)
    assert headings[:2] == ["What you trust", "What is not audited"]
    pages = NAMES | OUTSIDE
    assert sorted(pages) == list(artifact_names())
    for name, file in pages.items():
        assert f"[{name}]({file})" in index


ATTACKS = REPOSITORY / "tests" / "contracts" / "attacks"
INCIDENTS = REPOSITORY / "tests" / "contracts" / "test_incidents.py"


def docstrings(path: Path) -> dict[str, str]:
    """The tests in a file, each with its docstring."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    found = [each for each in body if isinstance(each, ast.FunctionDef)]
    return {each.name: ast.get_docstring(each) or "" for each in found if each.name[:5] == "test_"}


def test_every_attack_is_on_the_page_with_its_test() -> None:
    """The page names each test of an attack, and none that there is not."""
    named = set(re.findall(r"`(test_\w+)`", section_before("attacks.md", "## Incidents")))
    there = {name for path in ATTACKS.glob("test_*.py") for name in docstrings(path)}
    assert named == there


def section_before(file: str, heading: str) -> str:
    """What stands on a page before a heading."""
    text = (PAGES / file).read_text(encoding="utf-8")
    assert f"\n{heading}\n" in text
    return text.partition(f"\n{heading}\n")[0]


@pytest.mark.parametrize(
    "path", [*sorted(ATTACKS.glob("test_*.py")), INCIDENTS], ids=lambda path: path.stem
)
def test_every_attack_and_incident_says_scenario_and_property(path: Path) -> None:
    """The docstring of each test has both words, in this order."""
    told = docstrings(path)
    assert told
    form = re.compile(r"Scenario: .+Property: .+", re.DOTALL)
    assert [name for name, text in told.items() if not form.search(text)] == []


def test_every_incident_that_is_listed_has_its_test() -> None:
    """The list at the top of the incidents names tests that there are, and no other."""
    text = ast.get_docstring(ast.parse(INCIDENTS.read_text(encoding="utf-8"))) or ""
    named = set(re.findall(r"`(test_\w+)`", text))
    files = [INCIDENTS, *ATTACKS.glob("test_*.py")]
    assert named
    assert named <= {name for path in files for name in docstrings(path)}
