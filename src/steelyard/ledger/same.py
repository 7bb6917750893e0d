"""The comparison of two records, with the first figure in which they differ.

Decimals must be equal to the last digit. Floats must agree within 1e-12, because another version of
the program may add in another order.
"""

from __future__ import annotations

from typing import Any

__all__ = ["CLOSE", "difference", "is_close", "shown"]

CLOSE = 1e-12


def is_close(one: Any, other: Any) -> bool:  # noqa: ANN401 (a kind of number)
    """Whether two amounts agree: floats within 1e-12, relative for amounts above one."""
    if one == other:
        return True
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= CLOSE * max(1.0, abs(one), abs(other))
    return False


def difference(expected: Any, found: Any, name: str = "") -> str | None:  # noqa: ANN401
    """The first difference of two records: ``units is 1, expected 2``; None where they agree."""
    if is_close(expected, found):
        return None
    fields = getattr(expected, "_fields", None)
    if fields is not None and type(expected) is type(found):
        parts = [(f"{name}.{each}".lstrip("."), each) for each in fields]
        pairs = [(title, getattr(expected, each), getattr(found, each)) for title, each in parts]
    elif (
        type(expected) is type(found) is tuple
        and fields is None
        and len(expected) == len(found)
        and expected
    ):
        pairs = [
            (f"{name}[{place}]", one, other)
            for place, (one, other) in enumerate(zip(expected, found, strict=True))
        ]
    else:
        return f"{name or 'value'} is {shown(found)}, expected {shown(expected)}"
    for title, one, other in pairs:
        differs = difference(one, other, title)
        if differs is not None:
            return differs
    return None


def shown(value: Any) -> str:  # noqa: ANN401 (any field)
    """A figure with all its digits, for a message."""
    if value is None:
        return "none"
    if hasattr(value, "_fields"):
        return type(value).__name__.lower()
    if isinstance(value, tuple):
        return f"{len(value)} of them" if value else "none"
    return str(value)
