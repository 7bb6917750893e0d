"""``docs/RUNBOOK.md`` has an entry for each alarm that a keeper can set."""

from __future__ import annotations

import re

import steelyard.keeper  # noqa: F401 (its kinds are registered)
from steelyard.ledger.kinds import all_kinds
from support.doc_pages import REPOSITORY

ALARM = re.compile(r'\.alarm\(\s*(?:event\.)?now_ms,\s*"(\w+)"')
TOLD = re.compile(r'\.publish\(\s*f?"([^"]*)",\s*is_alarm=True')
"""An alarm that is a row of its own kind; its line begins with its name."""


def test_every_alarm_has_an_entry_and_every_entry_an_alarm() -> None:
    """Nobody looks an alarm up in vain."""
    files = (REPOSITORY / "src" / "steelyard" / "keeper").glob("*.py")
    source = [file.read_text(encoding="utf-8") for file in files]
    alarms = {name for text in source for name in ALARM.findall(text)}
    rows = {line.partition(":")[0] for text in source for line in TOLD.findall(text)}
    assert rows <= {kind.name for kind in all_kinds()}
    assert len(rows) == sum(text.count("is_alarm=True") for text in source)
    alarms |= rows
    page = (REPOSITORY / "docs" / "RUNBOOK.md").read_text(encoding="utf-8")
    assert len(alarms) > 3
    assert set(re.findall(r"^## (\w+)$", page, re.MULTILINE)) == alarms
