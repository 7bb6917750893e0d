"""The contracts' page shows the committed bill for gas, and names every contract."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from steelyard.chain import artifact_names, load_artifact
from support.doc_pages import REPOSITORY
from support.gas_table import BEGIN, END, PAGE, table_of

PAGES = REPOSITORY / "docs" / "contracts"
OUTSIDE = {"Router": "router.md", "Keeper": "keeper.md", "Lens": "lens.md"}
"""The contracts around the core, each with a page of its own."""
REASON = re.compile(r'"([a-z]\w+: [^"]+)"')
GAS = REPOSITORY / "tests" / "contracts" / "gas.json"


def section(text: str, heading: str) -> str:
    """What stands under a heading."""
    found = text.partition(f"\n## {heading}\n")[2]
    assert found, f"no heading {heading!r}"
    return found.partition("\n## ")[0]


def test_every_contract_is_on_the_page() -> None:
    """The table of what there is names each artifact, and no other."""
    table = section(PAGE.read_text(encoding="utf-8"), "What there is")
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == list(artifact_names())


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
