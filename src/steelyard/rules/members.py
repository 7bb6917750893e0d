"""Members of an enum as plain attributes of their class, which is how Python 3.12 keeps them.

Python 3.11 calls a descriptor each time one is named: a rule that names three of them would spend
more on that than on its arithmetic.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TypeVar

__all__ = ["plain_members"]

Kind = TypeVar("Kind", bound=type[IntEnum])


def plain_members(kind: Kind) -> Kind:
    """A class decorator; the members, their names and values stay what they are."""
    for name, member in kind.__members__.items():
        type.__setattr__(kind, name, member)
    return kind
