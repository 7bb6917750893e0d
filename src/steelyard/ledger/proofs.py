"""The proofs of ``verify``: one pass over the rows of a journal, with any number of checks.

This module contains the check ``Chain``: all rows are present, each once, in order and unchanged.
Other packages add checks of books and rules. Each check sees every row once, in the order of the
journal, and reports its findings at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, NamedTuple, Protocol

from steelyard.errors import DataError
from steelyard.ledger.canonical_json import parsed
from steelyard.ledger.event_rows import GENESIS, Head, Row, link
from steelyard.ledger.store import Damaged

__all__ = ["MAX_FINDINGS", "Chain", "Check", "Finding", "Proof", "Verdict", "verify_rows"]

MAX_FINDINGS = 1_000
"""The most findings that a proof lists; further ones are only counted."""


class Finding(NamedTuple):
    """A failure: the number of the event, and the reason."""

    seq: int
    why: str


@dataclass(frozen=True)
class Proof:
    """The result of one check.

    Attributes:
        ok: whether the check passed; None where it was not made.
        findings: the failures, by the number of the event.
        counts: by name, how much was checked and how much could not be checked.
    """

    ok: bool | None
    findings: tuple[Finding, ...] = ()
    counts: Mapping[str, int] | None = None

    @property
    def at(self) -> int | None:
        """The number of the first event that fails; None where none does."""
        return self.findings[0].seq if self.findings else None

    @property
    def why(self) -> str | None:
        """The reason of the first failure."""
        return self.findings[0].why if self.findings else None

    def as_json(self) -> dict[str, Any]:
        """The object of ``verify --json``."""
        why = "not checked" if self.ok is None else self.why
        return {"ok": self.ok, "at": self.at, "why": why, **(self.counts or {})}


class Check(Protocol):
    """A check of a journal's rows."""

    def see(self, row: Row, body: Mapping[str, Any] | None) -> None:
        """Check the next row; ``body`` is its parsed body, or None where it cannot be read."""

    def proofs(self) -> Mapping[str, Proof]:
        """The proofs by name, after the last row."""


@dataclass(frozen=True)
class Verdict:
    """The results of all checks of a journal.

    Attributes:
        head: the number of rows that were read, and the hash of the last one.
        proofs: the proofs by name: ``chain``, ``books``, ``rules``.
        span: the time span over which the journal was compared with prices; None where it was not.
            Without a signed head nobody can know whether there were rows after it.
    """

    head: Head
    proofs: Mapping[str, Proof]
    span: tuple[str, str] | None = None

    @property
    def ok(self) -> bool:
        """Whether no check failed."""
        return all(proof.ok is not False for proof in self.proofs.values())

    def with_found(
        self,
        name: str,
        found: Sequence[Finding],
        span: tuple[str, str] | None = None,
        *,
        left: int = 0,
    ) -> Verdict:
        """The verdict after a comparison that checks all of books and rules except ``left`` rows.

        Args:
            name: the name of the proof that the findings and these rows belong to.
            found: the failures that the comparison found.
            span: the time span of the comparison.
            left: the number of rows that it does not check.
        """
        proofs = dict(self.proofs)
        for each in ("books", "rules"):
            proof = proofs[each]
            findings = (*proof.findings, *(found if each == name else ()))
            counts = {**(proof.counts or {}), "not_checked": left if each == name else 0}
            proofs[each] = Proof(not findings, tuple(sorted(findings)), counts)
        return Verdict(self.head, proofs, span)

    def as_json(self) -> dict[str, Any]:
        """The object of ``verify --json``."""
        proofs = {name: proof.as_json() for name, proof in self.proofs.items()}
        told = {"schema": 1, "events": self.head.size, "head": self.head.hash.hex(), **proofs}
        if self.span is not None:
            told["compared"] = dict(zip(("from", "to"), self.span, strict=True))
        return told


def verify_rows(
    rows: Iterable[Row], *, head: Head | None = None, checks: Sequence[Check] = ()
) -> Verdict:
    """Check the chain of these rows, and make further checks.

    Args:
        rows: all rows of a journal or an export, in their order.
        head: the head in a signed head, with which a cut tail or a rewritten chain is found.
        checks: further checks, each of which sees every row once.
    """
    chain = Chain(head)
    everyone = (chain, *checks)
    is_read = True
    try:
        for row in rows:
            try:
                body = parsed(row.body)
            except DataError:
                body = None
            for check in everyone:
                check.see(row, body)
    except Damaged as error:
        chain.stop(str(error))
        is_read = False
    proofs = {name: Proof(None) for name in ("chain", "books", "rules")}
    for check in everyone:
        proofs.update(check.proofs())
    if not is_read:
        # rows that cannot be read are not proved, but failures before them are still reported
        proofs = {name: replace(each, ok=each.ok and None) for name, each in proofs.items()}
    return Verdict(Head(chain.count, chain.last), proofs)


class Chain:
    """The check that no row of the chain is changed, missing, duplicated or out of order.

    Rows are identified by the number in their body. Where a row is missing, the hash of the next
    row cannot be checked, so it is accepted as it is.
    """

    def __init__(self, head: Head | None = None) -> None:
        self.count = 0
        self.last = GENESIS
        self._next = 1
        self._head = head
        self._at_head = GENESIS if head is not None and head.size == 0 else None
        self._gaps: list[tuple[int, int]] = []
        self._kept: dict[int, bytes] = {}
        self._found: dict[int, str] = {}

    def see(self, row: Row, body: Mapping[str, Any] | None) -> None:
        """Look at the next row."""
        self.count += 1
        number = row.seq
        if body is None:
            self._name(number, "its body is not canonical JSON: it was changed")
        elif (body.get("seq"), body.get("time"), body.get("fund"), body.get("kind")) != row[:4]:
            number = self._other_columns(row, body)
        if self._head is not None and number == self._head.size:
            self._at_head = row.hash
        if number == self._next:
            if sha256(self.last + row.body).digest() != row.hash:  # link(), once a row
                self._name(number, _CHANGED.format(number - 1))
            self.last = row.hash
            self._next += 1
        else:
            self._see_out_of_order(number, row)

    def stop(self, why: str) -> None:
        """Record that nothing after the last row can be read."""
        self._name(self._next, why)

    def proofs(self) -> dict[str, Proof]:
        """The proof ``chain``."""
        for first, last in self._gaps:
            which = f"event {first} is" if first == last else f"events {first} to {last} are"
            self._name(first, f"{which} missing")
        self._compare_head()
        found = tuple(Finding(*one) for one in sorted(self._found.items()))
        return {"chain": Proof(not found, found)}

    def _see_out_of_order(self, number: int, row: Row) -> None:
        if len(self._found) + len(self._gaps) >= MAX_FINDINGS:
            return
        if number > self._next:
            self._gaps.append((self._next, number - 1))
            self._kept[self._next - 1] = self.last
            self.last = row.hash
            self._next = number + 1
            return
        gap = next((gap for gap in self._gaps if gap[0] <= number <= gap[1]), None)
        if gap is None:
            self._name(number, f"event {number} is present more than once")
            return
        self._gaps.remove(gap)
        parts = [(gap[0], number - 1), (number + 1, gap[1])]
        self._gaps += [(first, last) for first, last in parts if first <= last]
        self._name(number, f"event {number} is out of order: it stands after {self._next - 1}")
        before = self._kept.get(number - 1)
        if before is not None and link(before, row.body) != row.hash:
            self._name(number, _CHANGED.format(number - 1))
        self._kept[number] = row.hash

    def _other_columns(self, row: Row, body: Mapping[str, Any]) -> int:
        """Compare the columns of a row with its body; returns the number of the row."""
        inside = [body.get(name) for name in ("seq", "time", "fund", "kind")]
        names = zip(("seq", "time", "fund", "kind"), inside, row[:4], strict=True)
        differ = [
            f"{name} is {there!r} and {said!r} in the body"
            for name, said, there in names
            if said != there
        ]
        self._name(row.seq, f"its columns differ from its body: {'; '.join(differ)}")
        return inside[0] if type(inside[0]) is int else row.seq

    def _compare_head(self) -> None:
        if self._head is None:
            return
        size, end = self._head.size, self._next - 1
        if size > end:
            self._name(
                end + 1,
                f"the head says {size} events and the journal ends after {end}: its tail was cut "
                "off",
            )
        elif self._at_head != self._head.hash:
            self._name(
                size,
                f"the hash of event {size} is not the head's: the events up to it were rewritten",
            )

    def _name(self, seq: int, why: str) -> None:
        if len(self._found) < MAX_FINDINGS:
            self._found.setdefault(seq, why)


_CHANGED = "its hash does not match its body and the hash of event {}: one of the two was changed"
