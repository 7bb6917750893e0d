"""The contracts' page shows the committed bill for gas, and names every contract."""

from __future__ import annotations

import json
import re

from steelyard.chain import artifact_names
from support.doc_pages import REPOSITORY
from support.gas_table import BEGIN, END, PAGE, table_of

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
