"""Documents of a journal's events and of its verification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from steelyard.cli.journal_lines import all_fields, line
from steelyard.ledger.instants import time_text
from steelyard.report.document import Column, Document, Fact, KeyFigures, Paragraph, Table, TableRow
from steelyard.report.number_format import count, counted, day

if TYPE_CHECKING:
    from steelyard.ledger import Proof, Row, Verdict

__all__ = ["events_document", "printable", "said", "verdict_document"]

MOST_FINDINGS = 20
MINUTE_MS = 60_000

PROOFS = {
    "chain": "the chain is whole",
    "books": "the books add up",
    "rules": "the rules were kept",
}


def events_document(rows: Sequence[Row], *, full: bool = False) -> Document:
    """Events as a table: one line each, or with all their fields."""
    columns = [Column("seq"), Column("time (UTC)", words=True), Column("fund", words=True)]
    columns += [*([Column("kind", words=True)] if full else []), Column("what", words=True)]
    seconds = "" if any(row.time_ms % MINUTE_MS for row in rows) else ":00"
    shown = []
    for row in rows:
        time = time_text(row.time_ms).replace("T", " ").removesuffix("Z").removesuffix(seconds)
        if full:
            words = [row.fund, row.kind, all_fields(row.fields)]
        else:
            words = [row.fund.removeprefix("price:"), line(row.kind, row.fields)]
        shown.append(TableRow([str(row.seq), time, *map(printable, words)]))
    return Document("", [Table("", columns, shown) if rows else Paragraph("no events match")])


def verdict_document(name: str, verdict: Verdict) -> Document:
    """The result of each check of a journal."""
    told = [("events", count(verdict.head.size)), ("head", verdict.head.hash.hex())]
    for proof_name, proof in verdict.proofs.items():
        told.append((proof_name, said(proof_name, proof)))
        told += [
            ("", f"event {finding.seq}: {printable(finding.why)}")
            for finding in proof.findings[:MOST_FINDINGS]
        ]
        left = len(proof.findings) - MOST_FINDINGS
        if left > 0:
            told.append(("", f"and {counted(left, 'more event')}"))
    if verdict.span is not None:
        told.append(("prices", f"compared from {day(verdict.span[0])} to {day(verdict.span[1])}"))
    facts = [Fact(label, words) for label, words in told]
    title = f"{name}: {'all that was checked holds' if verdict.ok else 'does not hold'}"
    return Document(title, [KeyFigures("", facts, "terms")])


def printable(words: str) -> str:
    """Text of a journal with control characters escaped, so that they do not affect a terminal."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in words)


def said(name: str, proof: Proof) -> str:
    """The result of one proof, in words."""
    law = PROOFS.get(name, name)
    if proof.ok is None:
        return "not checked"
    if not proof.ok:
        return f"NO: expected that {law}"
    left = (proof.counts or {}).get("not_checked", 0)
    return f"yes: {law}" + (f", {count(left)} times not checked" if left else "")
