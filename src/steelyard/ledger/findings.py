"""The findings of an audit about books and rules, by the number of the row, with its counts."""

from __future__ import annotations

from typing import Literal

from steelyard.ledger.proofs import MAX_FINDINGS, Finding, Proof

__all__ = ["Findings"]

LONGEST_REASON = 400
Name = Literal["books", "rules"]


class Findings:
    """Collects the failures that an audit finds, and counts how much it checked."""

    def __init__(self) -> None:
        self._found: dict[Name, dict[int, str]] = {"books": {}, "rules": {}}
        self._counts: dict[Name, dict[str, int]] = {
            "books": {"checked": 0, "not_checked": 0},
            "rules": {"checked": 0, "not_checked": 0},
        }

    def books(self, seq: int, why: str) -> None:
        """Record that the books do not add up at this row."""
        self._name("books", seq, why)

    def rules(self, seq: int, why: str) -> None:
        """Record that the rules were not followed at this row."""
        self._name("rules", seq, why)

    def count(self, name: Name, *, checked: int = 0, not_checked: int = 0) -> None:
        """Add to the counts of what was checked, and of what could not be checked."""
        counts = self._counts[name]
        counts["checked"] += checked
        counts["not_checked"] += not_checked

    def proofs(self) -> dict[str, Proof]:
        """The two proofs, ``books`` and ``rules``."""
        made = {}
        for name, found in self._found.items():
            findings = tuple(Finding(*one) for one in sorted(found.items()))
            made[str(name)] = Proof(not findings, findings, self._counts[name])
        return made

    def _name(self, name: Name, seq: int, why: str) -> None:
        found = self._found[name]
        before = found.get(seq)
        if before is not None and len(before) < LONGEST_REASON:
            found[seq] = f"{before}; {why}"
        elif before is None and len(found) < MAX_FINDINGS:
            found[seq] = why
