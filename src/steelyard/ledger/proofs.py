"""What ``verify`` proves of a journal: one pass over its rows, any number of checks.

The check that stands here is ``Chain``: the rows are all there, each once, in order, and as they
were written. Other packages bring checks of their own, of books and of rules; each sees every row
once, in the order of the journal, and says at the end what it found.
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
"""What a proof names; rows after that are counted only."""


class Finding(NamedTuple):
    """What does not hold: at which event, and why."""

    seq: int
    why: str


@dataclass(frozen=True)
class Proof:
    """One thing that was checked.

    Attributes:
        ok: whether it holds; None where it was not checked.
        findings: what does not hold, by number.
        counts: how much was checked, and how much could not be, by name.
    """

    ok: bool | None
    findings: tuple[Finding, ...] = ()
    counts: Mapping[str, int] | None = None

    @property
    def at(self) -> int | None:
        """The first event that does not hold."""
        return self.findings[0].seq if self.findings else None

    @property
    def why(self) -> str | None:
        """The reason there."""
        return self.findings[0].why if self.findings else None

    def as_json(self) -> dict[str, Any]:
        """The object of ``verify --json``."""
        why = "not checked" if self.ok is None else self.why
        return {"ok": self.ok, "at": self.at, "why": why, **(self.counts or {})}


class Check(Protocol):
    """Something that is proved of a journal's rows."""

    def see(self, row: Row, body: Mapping[str, Any] | None) -> None:
        """Look at the next row; ``body`` is its body as read, None where it cannot be."""

    def proofs(self) -> Mapping[str, Proof]:
        """What was found, by the name of each proof, after the last row."""


@dataclass(frozen=True)
class Verdict:
    """All that was proved of a journal, or not.

    Attributes:
        head: the number of rows that were read and the hash of the last.
        proofs: by name: ``chain``, ``books``, ``rules``.
        span: from when to when it was compared with prices, None: it was not. Without a head
            nobody can say whether there was more after that.
    """

    head: Head
    proofs: Mapping[str, Proof]
    span: tuple[str, str] | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing that was checked failed."""
        return all(proof.ok is not False for proof in self.proofs.values())

    def with_found(
        self,
        name: str,
        found: Sequence[Finding],
        span: tuple[str, str] | None = None,
        *,
        left: int = 0,
    ) -> Verdict:
        """The same verdict after a comparison that checks all of books and rules but ``left`` rows.

        Args:
            name: of the proof that the findings and these rows belong to.
            found: what does not hold by the comparison.
            span: from when to when it compared.
            left: how many rows it does not look at.
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
    """Check the chain of these rows, and whatever else ``checks`` check.

    Args:
        rows: all rows of a journal or an export, in the order in which they stand there.
        head: what a signed head says of the journal, to find a cut tail and a chain made anew.
        checks: further checks, which see each row once.
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
        # what cannot be read is not proved; what does not hold before it stays said
        proofs = {name: replace(each, ok=each.ok and None) for name, each in proofs.items()}
    return Verdict(Head(chain.count, chain.last), proofs)


class Chain:
    """The chain is whole: no row changed, missing, doubled or out of order.

    Rows are known by the number in their body. A row that is missing leaves the one after it
    without the hash that its own was made of; that one is taken as it is.
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
        """Nothing after the last row can be read."""
        self._name(self._next, why)

    def proofs(self) -> dict[str, Proof]:
        """What was found, as ``chain``."""
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
            self._name(number, f"event {number} is there more than once")
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
        """A row whose columns say something else than its body; the number that it goes by."""
        inside = [body.get(name) for name in ("seq", "time", "fund", "kind")]
        names = zip(("seq", "time", "fund", "kind"), inside, row[:4], strict=True)
        differ = [
            f"{name} is {there!r} and {said!r} in the body"
            for name, said, there in names
            if said != there
        ]
        self._name(row.seq, f"its columns are not what its body says: {'; '.join(differ)}")
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
                f"the hash of event {size} is not the head's: events up to there were written anew",
            )

    def _name(self, seq: int, why: str) -> None:
        if len(self._found) < MAX_FINDINGS:
            self._found.setdefault(seq, why)


_CHANGED = (
    "its hash is not that of its body and of the hash of event {}: one of the two was changed"
)
