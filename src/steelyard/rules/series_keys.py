"""Readers for the keys of a series file, with the words for their error messages.

A reader takes a value from TOML and returns the value to store, or raises ``ValueError`` with a
phrase that completes "expected ...". The keys themselves are listed in ``series_file``.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

__all__ = [
    "Reader",
    "choice",
    "choices",
    "duration",
    "file_name",
    "flag",
    "number",
    "or_word",
    "text",
    "time_of_day",
]

Reader = Callable[[object], Any]

UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
LONGEST_DURATION_S = 100 * 366 * 86_400
DURATION = re.compile(r"(\d{1,9})\s*([smhdw])")
TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
LONGEST_TEXT = 64
LONGEST_NAME = 1000


def number(allowed: str, is_allowed: Callable[[float], bool]) -> Reader:
    """A reader of finite numbers that pass ``is_allowed``, which ``allowed`` states in words."""

    def read(found: object) -> float:
        # bool is an int in Python, but `taker_fee_bps = true` is a mistake and not a fee
        if isinstance(found, bool) or not isinstance(found, int | float):
            raise ValueError(allowed)
        try:
            value = float(found)
        except OverflowError:
            raise ValueError(allowed) from None
        if not math.isfinite(value) or not is_allowed(value):
            raise ValueError(allowed)
        return value

    return read


def or_word(read: Reader, word: str) -> Reader:
    """A reader of the values that ``read`` accepts, and of one ``word``."""

    def read_either(found: object) -> Any:  # noqa: ANN401 (what the reader returns)
        if found == word:
            return word
        try:
            return read(found)
        except ValueError as error:
            raise ValueError(f'{error}, or "{word}"') from None

    return read_either


def flag(found: object) -> bool:
    """``true`` or ``false``."""
    if not isinstance(found, bool):
        raise ValueError("true or false")
    return found


def text(found: object) -> str:
    """Read a short printable string."""
    if not isinstance(found, str) or not found.strip() or not found.isprintable():
        raise ValueError("a text in quotes")
    if len(found) > LONGEST_TEXT:
        raise ValueError(f"a text of at most {LONGEST_TEXT} characters")
    return found


def file_name(found: object) -> str:
    """Read the path of a file; an empty path stands for no file."""
    if not isinstance(found, str) or not (found.isprintable() and len(found) <= LONGEST_NAME):
        raise ValueError("the name of a file in quotes")
    return found


def choice(words: Sequence[str]) -> Reader:
    """A reader of one of these words."""
    allowed = "one of " + ", ".join(f'"{word}"' for word in words)

    def read(found: object) -> str:
        if not isinstance(found, str) or found not in words:
            raise ValueError(allowed)
        return found

    return read


def choices(words: Sequence[str]) -> Reader:
    """A reader of a list of these words, each at most once."""
    allowed = "a list of different words out of " + ", ".join(f'"{word}"' for word in words)

    def read(found: object) -> tuple[str, ...]:
        if not isinstance(found, list) or not all(word in words for word in found):
            raise ValueError(allowed)
        if len(set(found)) != len(found):
            raise ValueError(allowed)
        return tuple(found)

    return read


def duration(*, zero: bool) -> Reader:
    """A reader of durations such as ``"90s"``, ``"30m"``, ``"8h"`` and ``"7d"``, in seconds.

    A duration is a whole number and a unit. ``zero`` says whether it may be zero.
    """
    sign = "" if zero else " longer than zero"
    allowed = f'a duration{sign} such as "90s", "30m", "8h" or "7d"'

    def read(found: object) -> int:
        match = DURATION.fullmatch(found.strip()) if isinstance(found, str) else None
        if match is None:
            raise ValueError(allowed)
        seconds = int(match[1]) * UNIT_S[match[2]]
        if seconds == 0 and not zero:
            raise ValueError(allowed)
        if seconds > LONGEST_DURATION_S:
            raise ValueError("a duration of at most 100 years")
        return seconds

    return read


def time_of_day(found: object) -> int:
    """Read a time of day in UTC, ``"23:30"`` or ``"23:30:15"``, in seconds after midnight."""
    if isinstance(found, dt.time) and found.tzinfo is None and not found.microsecond:
        return found.hour * 3600 + found.minute * 60 + found.second
    match = TIME_OF_DAY.fullmatch(found.strip()) if isinstance(found, str) else None
    if match is None:
        raise ValueError('a time of day in UTC such as "00:02" or "23:30:15"')
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds
