"""``docs/reference/rehearsal.md`` lists all requests, faults, rules and refusals there are."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields

from steelyard.rehearsal.control import CONTROLS
from steelyard.rehearsal.fault_rules import FAULTS, Rule, rule_of
from steelyard.rehearsal.refusals import REFUSALS
from steelyard.rehearsal.routes import ROUTES
from support.doc_pages import REPOSITORY

PAGE = (REPOSITORY / "docs" / "reference" / "rehearsal.md").read_text(encoding="utf-8")
FIRST_CELLS = re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)


def test_every_request_is_on_the_page_and_no_other() -> None:
    """With its path as the server knows it."""
    told = {cell for cell in FIRST_CELLS if re.match(r"\w+ s?f?api/", cell)}
    assert told == {f"{method} {path[1:]}" for method, path in ROUTES}


def test_every_control_is_on_the_page_and_no_other() -> None:
    """The control port does nothing that is not said."""
    told = {cell for cell in FIRST_CELLS if re.match(r"\w+ /", cell)}
    assert told == {f"{method} {path}" for method, path in CONTROLS}


def test_every_fault_is_on_the_page_and_says_whether_the_request_is_carried_out() -> None:
    """By the table of the server, but for those that depend on the time."""
    told = dict(re.findall(r"^\| `(\w+)` \| (yes|no|when it arrives) \|", PAGE, re.MULTILINE))
    assert set(told) == set(FAULTS)
    for name, word in told.items():
        if name not in {"ban", "held"}:
            assert word == ("yes" if FAULTS[name].is_carried_out else "no"), name


def test_every_key_of_a_rule_is_on_the_page_and_the_example_is_read() -> None:
    """As a file says it."""
    keys = {one.name for one in fields(Rule) if one.init}
    assert keys <= set(FIRST_CELLS)
    text = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert text is not None
    assert len([rule_of(row, "page") for row in tomllib.loads(text[1])["fault"]]) == 2


def test_every_code_of_a_refusal_is_on_the_page_and_no_other() -> None:
    """Faults have codes of their own."""
    (paragraph,) = re.findall(r"^Refusals are .*?\n\n", PAGE, re.MULTILINE | re.DOTALL)
    told = {int(code) for code in re.findall(r"-\d{4}", paragraph)}
    assert told == {words.code for words in REFUSALS.values()}
