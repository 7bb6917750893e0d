"""Formatting of figures for people: significant digits only, in ASCII that can be copied.

Terminals, plain text and pages use the same rules; pages additionally replace signs by typographic
ones (``typeset``). Figures for programs are written as JSON and are not rounded.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

__all__ = [
    "MISSING",
    "amount",
    "count",
    "counted",
    "day",
    "instant",
    "leverage",
    "moment",
    "money",
    "multiple",
    "number",
    "percent",
    "points",
    "typeset",
]

MISSING = "-"
NEARLY_ALL = -0.9995
"""Losses below this would be rounded to a total loss with one decimal."""
MOST = 1e4
"""Shares of this size and more are shown in scientific notation."""
WIDE_LEVERAGE = 100
"""Leverages of this size and more are shown without decimals."""
FOUR_DIGITS = 100

MINUS = re.compile(r"(?<![\w.])-(?=[\d.])")
TIMES = re.compile(r"(?<=\d)x(?!\w)")


def number(value: float | None, decimals: int, *, signed: bool = False) -> str:
    """A figure with thousands separators; an undefined one is a dash, and zero has no sign."""
    if value is None or not math.isfinite(value):
        return MISSING
    text = f"{abs(value):,.{decimals}f}"
    if not any(digit in text for digit in "123456789"):
        return text
    sign = "-" if value < 0 else "+" if signed else ""
    return sign + text


def percent(value: float | None, *, signed: bool = False) -> str:
    """A share in percent, with about three significant digits: ``-36.8 %``."""
    if value is None or not math.isfinite(value * 100):
        return MISSING
    if -1 < value < NEARLY_ALL:
        return "<-99.9 %"  # a loss of nearly all must not read as a loss of all
    size = abs(value) * 100
    if abs(value) >= MOST:
        return f"{value * 100:{'+' if signed else ''}.1e} %"
    decimals = 0 if size >= 1000 else 1 if size >= 10 else 2  # noqa: PLR2004 (three digits)
    return number(value * 100, decimals, signed=signed) + " %"


def points(share: float | None, decimals: int = 2) -> str:
    """A share in percentage points, signed: ``-12.34``; a share of exactly zero is ``0``."""
    if share is None:
        return MISSING
    return "0" if share == 0 else number(share * 100, decimals, signed=True)


def money(value: float | None, quote: str = "") -> str:
    """An amount: no decimals from 100,000 on, two below, six significant digits below 1."""
    if value is None or not math.isfinite(value):
        return MISSING
    size = abs(value)
    whole = size >= 100_000  # noqa: PLR2004 (six digits)
    text = f"{value:.6g}" if 0 < size < 1 else number(value, 0 if whole else 2)
    return f"{text} {quote}" if quote else text


def amount(value: float, *, signed: bool = False) -> str:
    """An amount in short form, with about four digits: ``11.36M``, ``-125.7k``; zero is a dash."""
    if value == 0:
        return MISSING
    size, letter = abs(value), ""
    for least, name in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if size >= least:
            size, letter = size / least, name
            break
    decimals = 1 if size >= FOUR_DIGITS else 2
    return number(math.copysign(size, value), decimals, signed=signed) + letter


def multiple(value: float, *, signed: bool = False) -> str:
    """A target leverage: ``3x``, ``-1x``, ``1.25x``."""
    return f"{value:{'+' if signed else ''}.4g}x"


def leverage(value: float | None) -> str:
    """A measured leverage: ``3.482x``."""
    if value is None or not math.isfinite(value):
        return MISSING
    return number(value, 3 if abs(value) < WIDE_LEVERAGE else 0) + "x"


def count(value: float | None) -> str:
    """A whole number: ``1,096``."""
    return number(value, 0)


def counted(value: int, what: str) -> str:
    """A number with a noun: ``1 gap``, ``2 gaps``."""
    return f"{value:,} {what}{'' if value == 1 else 's'}"


def day(time: str) -> str:
    """An ISO 8601 instant, shortened to its day if it is midnight: ``2020-03-12 08:00``."""
    clock = time.replace("T", " ").removesuffix("Z").removesuffix(":00")
    return clock.removesuffix(" 00:00")


def instant(seconds: int) -> str:
    """An instant in epoch seconds as ISO 8601 to the second, UTC, without a zone."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def moment(seconds: int) -> str:
    """An instant in epoch seconds, in the format of ``day``."""
    return day(instant(seconds))


def typeset(text: str) -> str:
    """The text with typographic minus and times signs, and with units that do not wrap."""
    if text == MISSING:
        return "–"
    return TIMES.sub("×", MINUS.sub("−", text)).replace(" %", "\u202f%")
