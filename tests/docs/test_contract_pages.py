"""The contracts' pages are complete: every function, event, field and reason there is."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from steelyard.chain import load_artifact
from steelyard.rules.auction_plan import AuctionState
from support.doc_pages import REPOSITORY
from support.gas_table import BEGIN, END, PAGE, table_of
from support.page_figures import said

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


def test_the_least_nav_on_the_page_follows_from_the_bill() -> None:
    """Gas of an opening and a fill, over what the premium's top leaves of 0.4 of nav."""
    bill = json.loads(GAS.read_text(encoding="utf-8"))
    one_feed = {name: gas for name, gas in bill.items() if name.endswith("(mock rate)")}
    opening = max(gas for name, gas in one_feed.items() if name.startswith("long, later open"))
    fill = max(
        gas
        for name, gas in one_feed.items()
        if name.startswith(("long, second fill", "long, third fill"))
    )
    text = section(PAGE.read_text(encoding="utf-8"), "The least nav that is worth rebalancing")
    assert f"take {opening + fill:,} gas" in text
    rows = re.findall(r"^\| ([\d.]+) \| ([\d,]+) \| ([\d,]+) \|$", text, re.MULTILINE)
    assert len(rows) == 6
    for gwei, *navs in rows:
        cost = (opening + fill) * float(gwei) * 2_000 / 10**9
        told = [int(nav.replace(",", "")) for nav in navs]
        assert told == [round(cost / (0.4 * left)) for left in (0.0075, 0.0025)]
    # what danger's top leaves after the pool's fee, and after all of `start` too
    (danger,) = said("danger's top of # % is worth it for less than a quarter", page="index.md")
    assert danger * 100 - 5 > 4 * 75
    assert danger * 100 - 55 > 4 * 25


def test_who_publishes_on_the_page_follows_from_the_bill() -> None:
    """The reserve of which a 4,000th pays 24 publications of two series, by the gas price."""
    used = json.loads(GAS.read_text(encoding="utf-8"))["publish two series (mock rate)"]
    text = section(PAGE.read_text(encoding="utf-8"), "Who publishes")
    assert f"takes {used:,} gas" in text
    rows = re.findall(r"^\| ([\d.]+) \| ([\d,]+) \|$", text, re.MULTILINE)
    assert len(rows) == 6
    for gwei, least in rows:
        usd = 24 * 4_000 * used * float(gwei) * 2_000 / 10**9
        assert int(least.replace(",", "")) == round(usd)


def test_the_lens_names_every_state_and_trigger() -> None:
    """Each state of a plan and each trigger that a contract can name is on its page."""
    text = section((PAGES / "lens.md").read_text(encoding="utf-8"), "`overview`")
    for state in AuctionState:
        assert f"{state.value} {state.name.lower()}" in text


UNREACHED = {
    "factory: borrowed before": "nobody can borrow where the oracle does not exist yet",
    "leveraged_token: approve": "the factory asks the same asset before",
    "series_checks: a gift pays": "at any allowed target it takes twice the incentive",
    "v3_path: no quote": "a pool that takes a swap and asks for nothing is not Uniswap's",
}
"""Refusals that no test can bring about without a fault in another contract, and why."""


def test_every_reason_is_reached_by_a_test() -> None:
    """Each reason string of the contracts stands in a test of them, but for those listed."""
    ours = {
        reason
        for path in (REPOSITORY / "contracts").glob("*.vy")
        for reason in REASON.findall(path.read_text(encoding="utf-8"))
    }
    tests = "".join(
        path.read_text(encoding="utf-8")
        for path in (REPOSITORY / "tests" / "contracts").rglob("test_*.py")
        if "node_modules" not in path.parts
    )
    assert {each for each in ours if f'"{each}"' not in tests} == set(UNREACHED)


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
