"""The bill for gas as the table of docs/contracts/index.md."""

from __future__ import annotations

from support.doc_pages import REPOSITORY

PAGE = REPOSITORY / "docs" / "contracts" / "index.md"
BEGIN, END = "<!-- gas: begin -->\n", "<!-- gas: end -->\n"
COLUMNS = ("mock rate", "adapting rate", "adapting rate, composite")
HEAD = "| call | mock rate | adapting rate | with two feeds |\n|---|---|---|---|\n"


def table_of(bill: dict[str, int]) -> str:
    """One row a call of ours, with its figures for each interest model; one a peer's step."""
    rows: dict[str, dict[str, int]] = {}
    for name, gas in bill.items():
        call, _, said = name.removesuffix(")").partition(" (")
        rows.setdefault(call, {})[said] = gas
    lines = []
    for call, figures in rows.items():
        shown = [figures.get(column) for column in COLUMNS]
        cells = [figures.get("", shown[0]), *shown[1:]]
        lines.append(f"| {call} | {' | '.join(f'{gas:,}' if gas else '' for gas in cells)} |\n")
    return HEAD + "".join(lines)


def rewrite(bill: dict[str, int]) -> None:
    """Put the table of a bill into the page."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, ended, after = rest.partition(END)
    assert ended, f"{PAGE} has no place for the table"
    PAGE.write_text(before + BEGIN + table_of(bill) + END + after, encoding="utf-8", newline="\n")
