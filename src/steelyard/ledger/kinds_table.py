"""The registered kinds as a table for the documentation; a test compares the page with it."""

from __future__ import annotations

from collections.abc import Mapping

from steelyard.ledger.kinds import Kind, all_kinds

__all__ = ["kinds_table"]


def kinds_table() -> str:
    """A Markdown table with one row for each kind: name, meaning and fields.

    Fields that may be missing are marked as optional in italics.
    """
    lines = ["| kind | meaning | fields |", "|---|---|---|"]
    lines += [_line(kind) for kind in sorted(all_kinds(), key=lambda kind: kind.name)]
    return "\n".join(lines)


def _line(kind: Kind) -> str:
    fields = [*_fields(kind.fields, ""), *_fields(kind.optional, "*optional:* ")]
    return f"| `{kind.name}` | {kind.meaning} | {'; '.join(fields)} |"


def _fields(fields: Mapping[str, str], before: str) -> list[str]:
    return [f"{before}`{name}`, {meaning}" for name, meaning in fields.items()]
