"""Events of a journal, and what was proved of it, as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from steelyard.cli.figures import count, counted, day
from steelyard.cli.journal_lines import all_fields, line
from steelyard.cli.output import show
from steelyard.ledger.instants import time_text

if TYPE_CHECKING:
    from steelyard.ledger import Proof, Row, Verdict

__all__ = ["print_events", "print_verdict"]

MOST_FINDINGS = 20
MINUTE_MS = 60_000

PROOFS = {
    "chain": "the chain is whole",
    "books": "the books add up",
    "rules": "the rules were kept",
}


def print_events(rows: Sequence[Row], *, full: bool = False) -> None:
    """Print events as a table, on standard output: a line each, or with all their fields."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("seq", justify="right", no_wrap=True)
    for heading in ("time (UTC)", "fund", *(("kind",) if full else ())):
        table.add_column(heading, no_wrap=True)
    table.add_column("what")
    seconds = "" if any(row.time_ms % MINUTE_MS for row in rows) else ":00"
    for row in rows:
        time = time_text(row.time_ms).replace("T", " ").removesuffix("Z").removesuffix(seconds)
        if full:
            table.add_row(str(row.seq), time, row.fund, row.kind, all_fields(row.fields))
        else:
            whose = row.fund.removeprefix("price:")
            table.add_row(str(row.seq), time, whose, line(row.kind, row.fields))
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
    if verdict.span is not None:
        table.add_row("prices", f"compared from {day(verdict.span[0])} to {day(verdict.span[1])}")
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
