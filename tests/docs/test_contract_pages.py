"""The contracts' pages are complete: every function, event, field and reason there is."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from steelyard.chain import load_artifact
from support.doc_pages import REPOSITORY
from support.gas_table import BEGIN, END, PAGE, table_of

PAGES = REPOSITORY / "docs" / "contracts"
OUTSIDE = {"Router": "router.md", "Keeper": "keeper.md", "Lens": "lens.md"}
"""The contracts around the core, each with a page of its own."""
GAS = REPOSITORY / "tests" / "contracts" / "gas.json"
NAMES = {
    "LeveragedToken": "leveraged-token.md",
    "Decision": "decision.md",
    "Reserve": "reserve.md",
    "Oracle": "oracle.md",
    "Factory": "factory.md",
}
REASON = re.compile(r'"([a-z]\w+: [^"]+)"')


def page(name: str) -> str:
    """The page of a contract."""
    return (PAGES / NAMES[name]).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands under a heading."""
    found = text.partition(f"\n## {heading}\n")[2]
    assert found, f"no heading {heading!r}"
    return found.partition("\n## ")[0]


def entries(name: str, kind: str) -> list[dict[str, Any]]:
    """The entries of a kind in a contract's ABI."""
    return [entry for entry in load_artifact(name).abi if entry["type"] == kind]


@pytest.mark.parametrize("name", NAMES)
def test_every_function_and_event_is_documented(name: str) -> None:
    """Each of the ABI's is on the page, and the page has no other."""
    for kind, heading in (("function", "Functions"), ("event", "Events")):
        known = {entry["name"] for entry in entries(name, kind)}
        if known:
            rows = re.findall(r"^\| `(\w+)", section(page(name), heading), re.MULTILINE)
            assert set(rows) == known


@pytest.mark.parametrize("name", NAMES)
def test_every_field_of_an_event_is_documented(name: str) -> None:
    """The row of each event names all its fields, in their order."""
    for entry in entries(name, "event"):
        (row,) = re.findall(rf"^\| `{entry['name']}` \|.*$", page(name), re.MULTILINE)
        named = re.findall(r"`(\w+)`", row.rpartition(" | ")[2])
        assert named == [field["name"] for field in entry["inputs"]]


@pytest.mark.parametrize("name", NAMES)
def test_every_reason_is_documented(name: str) -> None:
    """Each reason string of the contract and of its modules is on its page; none is made up."""
    sources = load_artifact(name).standard_json["sources"]
    ours = {
        reason
        for path, source in sources.items()
        if path.startswith("contracts/")
        for reason in REASON.findall(source["content"])
    }
    quoted = re.findall(r"`([^`]+)`", section(page(name), "Errors"))
    assert {each for each in quoted if re.fullmatch(r"[a-z]\w+: .+", each)} == ours


def test_gas_on_the_page_is_the_committed_bill() -> None:
    """The table of the index is the bill: each call of ours and of the peers, no other figure."""
    bill = json.loads(GAS.read_text(encoding="utf-8"))
    table = table_of(bill)
    assert section(PAGE.read_text(encoding="utf-8"), "Gas").endswith(f"{BEGIN}{table}{END}")
    figures = [int(each.replace(",", "")) for each in re.findall(r"(?<=\| )[\d,]+(?= \|)", table)]
    assert sorted(figures) == sorted(bill.values())


def fields(components: list[dict[str, Any]]) -> set[str]:
    """The names of all fields of structs, however deep."""
    found = set()
    for each in components:
        inner = each.get("components", [])
        found |= {each["name"]} | fields(inner)
    return found


@pytest.mark.parametrize("name", OUTSIDE)
def test_all_of_what_is_outside_the_core_is_documented(name: str) -> None:
    """Each parameter, function, argument, event, field and reason is on its page.

    A page names no reason that the contract does not have.
    """
    text, artifact = (PAGES / OUTSIDE[name]).read_text(encoding="utf-8"), load_artifact(name)
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", text))))
    callbacks = {"on_given", "uniswapV3SwapCallback", "dry_mint", "dry_swap", "attempt"}
    wanted = set()
    for entry in artifact.abi:
        inputs = [each for each in entry["inputs"] if entry.get("name") not in callbacks]
        wanted |= {entry["name"]} if "name" in entry else set()
        wanted |= {each.removesuffix("_") for each in fields(inputs)}
        for output in entry.get("outputs", []):
            wanted |= fields(output.get("components", []))
    assert sorted(wanted - words) == []
    sources = artifact.standard_json["sources"]
    own = ("v3_path", name)
    reasons = {
        reason
        for path, source in sources.items()
        if path.removeprefix("contracts/").removesuffix(".vy") in own
        for reason in REASON.findall(source["content"])
    }
    there = {each for each in re.findall(r"`([^`]+)`", text) if re.fullmatch(r"\w+: .+", each)}
    assert reasons <= there
    assert {each for each in there if not each.endswith("…")} <= reasons


def test_trust_comes_first_and_each_contract_has_its_page() -> None:
    """The index begins with what is trusted, and links a page of each contract."""
    index = (PAGES / "index.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", index, re.MULTILINE)[0] == "What you trust"
    for name, file in (NAMES | OUTSIDE).items():
        assert f"[{name}]({file})" in index
