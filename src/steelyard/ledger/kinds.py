"""The kinds of event that a journal may hold: a table to which packages add their kinds.

A package registers its kinds when it is imported. A writer refuses an event whose kind is not in
the table, or whose fields are not those of its kind, because undocumented data could not be
understood later. A reader does not use the table, so a program that knows fewer kinds can still
read a journal and verify its chain.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from steelyard.errors import InputError

__all__ = [
    "RESERVED",
    "Kind",
    "all_kinds",
    "check_fields",
    "check_kind_name",
    "kind_of",
    "register_kind",
]

RESERVED = ("seq", "time", "fund", "kind")
"""The names that every body holds besides the fields of its kind."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)


@dataclass(frozen=True)
class Kind:
    """A kind of event.

    Attributes:
        name: its name in lower case, such as ``mark``.
        meaning: one sentence about what happened.
        fields: the fields that each event of the kind has, with their meanings.
        optional: the fields that an event of the kind may have, with their meanings.
    """

    name: str
    meaning: str
    fields: Mapping[str, str]
    optional: Mapping[str, str] = field(default_factory=dict)
    required: frozenset[str] = field(init=False, repr=False, compare=False)
    allowed: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "required", frozenset(self.fields))
        object.__setattr__(self, "allowed", frozenset(self.fields) | frozenset(self.optional))


_KINDS: dict[str, Kind] = {}


def register_kind(kind: Kind) -> Kind:
    """Add a kind to the table; adding the same kind again has no effect.

    Raises:
        InputError: a name is not in lower-case ASCII, a field has a name that every body uses, or
            another kind of this name is registered.
    """
    for name in (kind.name, *kind.allowed):
        check_kind_name(name)
    taken = sorted(kind.allowed & set(RESERVED))
    if taken:
        message = (
            f"kind {kind.name}: every body has seq, time, fund and kind already; give the field "
            f"{taken[0]} another name."
        )
        raise InputError(message, kind=kind.name, found=taken)
    known = _KINDS.setdefault(kind.name, kind)
    if known != kind:
        message = (
            f"kind {kind.name}: another kind of this name is registered ({known.meaning}): give "
            "one of them another name."
        )
        raise InputError(message, kind=kind.name)
    return known


def check_kind_name(name: str) -> None:
    """Refuse a text that cannot be the name of a kind or of a field.

    Raises:
        InputError: it is not in lower-case ASCII.
    """
    if not _NAME.fullmatch(name):
        message = (
            f"kind: expected names such as nav_before (lower-case letters, digits and _, at most "
            f"63), found {name!r:.80}."
        )
        raise InputError(message, found=name)


def kind_of(name: str) -> Kind:
    """The kind of this name.

    Raises:
        InputError: no kind of this name is registered.
    """
    try:
        return _KINDS[name]
    except (KeyError, TypeError):
        close = difflib.get_close_matches(str(name), _KINDS, n=1)
        hint = f' Did you mean "{close[0]}"?' if close else ""
        message = (
            f"kind: expected one of {', '.join(_KINDS)}, found {name!r}.{hint} A new kind is "
            "registered with register_kind before an event of it is written."
        )
        raise InputError(message, found=name, allowed=list(_KINDS)) from None


def all_kinds() -> tuple[Kind, ...]:
    """All registered kinds, in the order of their registration."""
    return tuple(_KINDS.values())


def check_fields(kind: Kind, names: set[str]) -> None:
    """Refuse an event whose fields are not those of its kind.

    Raises:
        InputError: a field is missing or unknown.
    """
    missing, unknown = sorted(kind.required - names), sorted(names - kind.allowed)
    if missing:
        message = (
            f"kind {kind.name}: expected the fields {', '.join(sorted(kind.required))}, found none "
            f"named {', '.join(missing)}."
        )
        raise InputError(message, kind=kind.name, missing=missing)
    if unknown:
        message = (
            f"kind {kind.name}: expected only the fields "
            f"{', '.join(sorted(kind.allowed)) or '(none)'}, found {', '.join(unknown)} too."
        )
        raise InputError(message, kind=kind.name, unknown=unknown)


register_kind(
    Kind(
        "series",
        "A fund begins, with the exact text of its series file.",
        {
            "text": "the series file (TOML)",
            "number": "the kind of number that the books are kept in: decimal18, decimal or float",
        },
        {
            "intrabar": "close or path; null where prices are observed by the clock",
            "venue": "model where fills follow the series' own costs; null where a venue fills",
            "shared": "the name and terms of the reserve that it shares; null where it shares none",
            "book": "the order book for its costs, as columns; null for none",
            "program": "the version of the program that wrote it",
            "stated": "the series as data, where its text does not describe it fully; else null",
        },
    )
)
register_kind(
    Kind(
        "version",
        "Another version of the program continues a fund, with its whole state.",
        {"program": "the version of the program", "state": "the state from which it continues"},
    )
)
