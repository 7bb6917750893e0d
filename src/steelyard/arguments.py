"""Arguments of another kind than a function takes, refused in our words.

Python itself would fail somewhere below, with the words of whatever it met there.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

from steelyard.errors import InputError

__all__ = ["path_of", "refuse_kind", "text_of"]


def path_of(name: str, given: object) -> Path:
    """The path that was given.

    Raises:
        InputError: it is no path.
    """
    if isinstance(given, bytes) or not isinstance(given, str | os.PathLike):
        refuse_kind(name, "a path", given)
    return Path(os.fsdecode(given))


def text_of(name: str, given: object) -> str:
    """The text that was given.

    Raises:
        InputError: it is none.
    """
    if not isinstance(given, str):
        refuse_kind(name, "a text", given)
    return given


def refuse_kind(name: str, expected: str, found: object) -> NoReturn:
    """Say what was expected and what was found.

    Raises:
        InputError: always.
    """
    message = f"{name}: expected {expected}, found a {type(found).__qualname__}."
    raise InputError(message, argument=name, found=found)
