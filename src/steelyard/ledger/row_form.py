"""The check that a row has the form of its kind: its names, its fields and their types.

The contents of a field are read by the annotations of the fund's records (``bodies``), which refuse
unknown keys there.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from steelyard.errors import InputError
from steelyard.ledger.event_rows import Row, check_fund
from steelyard.ledger.findings import Findings
from steelyard.ledger.fund_kinds import TELLING
from steelyard.ledger.kinds import RESERVED, check_kind_name, kind_of

__all__ = ["check_form"]

RESERVED_NAMES = frozenset(RESERVED)
TYPES = {"out": bool, "is_out": bool, "passed": list, "came": list, "books": list}
TYPE_WORDS = {bool: "true or false", list: "an array"}


def check_form(found: Findings, row: Row, body: Mapping[str, Any]) -> None:
    """Check that a row has exactly the fields of its kind, and names that a writer accepts.

    Raises:
        InputError: its fund or its kind is not a valid name.
    """
    _check_names(row.kind, row.fund)
    try:
        why = _wrong_fields(row.kind, tuple(body))
    except InputError:
        return  # a kind from a newer package
    if why is not None:
        found.books(row.seq, f"its fields are not those of its kind ({why})")
    if row.kind in TELLING:
        # values that are equal in Python, such as 0 and false, differ in a body
        for name, kind in TYPES.items():
            if name in body and type(body[name]) is not kind:
                found.books(row.seq, f"{name} is {body[name]!r:.60}, expected {TYPE_WORDS[kind]}")


@lru_cache(maxsize=256)
def _check_names(kind: str, fund: str) -> None:
    """Refuse names that no writer accepts; a line break in one would forge a line in a list.

    Raises:
        InputError: the fund or the kind is not a valid name.
    """
    check_fund(fund)
    check_kind_name(kind)


@lru_cache(maxsize=256)  # nearly all rows have the fields of one seen before
def _wrong_fields(kind_name: str, names: tuple[str, ...]) -> str | None:
    """How the fields of a body differ from those of its kind; None where they do not.

    Raises:
        InputError: there is no such kind.
    """
    kind, found = kind_of(kind_name), set(names) - RESERVED_NAMES
    unknown, missing = sorted(found - kind.allowed), sorted(kind.required - found)
    if unknown:
        return f"unknown: {', '.join(unknown)}"
    return f"missing: {', '.join(missing)}" if missing else None
