"""Events of a journal, and what was proved of it, as a person reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from steelyard.cli.figures import count, counted
from steelyard.cli.output import show
from steelyard.ledger.instants import time_text

if TYPE_CHECKING:
    from steelyard.ledger import Proof, Row, Verdict

__all__ = ["print_events", "print_verdict"]

MOST_LETTERS = 60
MOST_FINDINGS = 20

PROOFS = {
    "chain": "the chain is whole",
    "books": "the books add up",
    "rules": "the rules were kept",
}


def print_events(rows: Sequence[Row]) -> None:
    """Print events as a table, on standard output."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("seq", justify="right", no_wrap=True)
    for heading in ("time (UTC)", "fund", "kind"):
        table.add_column(heading, no_wrap=True)
    table.add_column("what")
    for row in rows:
        time = time_text(row.time_ms).replace("T", " ").removesuffix("Z")
        table.add_row(str(row.seq), time, row.fund, row.kind, _what(row.fields))
    if rows:
        show("", table, "")
    else:
        show("no such events")


def print_verdict(name: str, verdict: Verdict) -> None:
    """Print what was proved, on standard output."""
    table = Table.grid(padding=(0, 2))
    table.add_row("events", count(verdict.head.size))
    table.add_row("head", verdict.head.hash.hex())
    for proof_name, proof in verdict.proofs.items():
        table.add_row(proof_name, _said(proof_name, proof))
        for finding in proof.findings[:MOST_FINDINGS]:
            table.add_row("", f"event {finding.seq}: {finding.why}")
        left = len(proof.findings) - MOST_FINDINGS
        if left > 0:
            table.add_row("", f"and {counted(left, 'more event')}")
    title = f"{name}: {'all that was checked holds' if verdict.ok else 'does not hold'}"
    show("", Text(title, style="bold"), "", table, "")


def _said(name: str, proof: Proof) -> str:
    law = PROOFS.get(name, name)
    if proof.ok is None:
        return "not checked"
    if not proof.ok:
        return f"NO: expected that {law}"
    left = (proof.counts or {}).get("not_checked", 0)
    return f"yes: {law}" + (f", {count(left)} times not checked" if left else "")


def _what(fields: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_short(value)}" for name, value in fields.items())


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ".join(text.split())
    return line if len(line) <= MOST_LETTERS else f"{line[:MOST_LETTERS]}..."
