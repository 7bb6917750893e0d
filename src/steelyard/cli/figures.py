"""Figures as a terminal shows them: plain ASCII that can be copied, digits that mean something."""

from __future__ import annotations

import math

__all__ = ["MISSING", "count", "counted", "day", "leverage", "money", "number", "percent"]

MISSING = "-"
NEARLY_ALL = -0.9995


def number(value: float | None, decimals: int, *, signed: bool = False) -> str:
    """A figure with thousands separators; what is undefined is a dash, what is zero has no sign."""
    if value is None or not math.isfinite(value):
        return MISSING
    text = f"{abs(value):,.{decimals}f}"
    if not any(digit in text for digit in "123456789"):
        return text
    sign = "-" if value < 0 else "+" if signed else ""
    return sign + text


def percent(value: float | None, *, signed: bool = False) -> str:
    """A share in percent, with three significant digits or so: ``-36.8 %``."""
    if value is None or not math.isfinite(value * 100):
        return MISSING
    size = abs(value) * 100
    if -1 < value < NEARLY_ALL:
        return "<-99.9 %"  # a loss of nearly all must not read as a loss of all
    decimals = 0 if size >= 1000 else 1 if size >= 10 else 2  # noqa: PLR2004 (three digits)
    return number(value * 100, decimals, signed=signed) + " %"


def money(value: float | None) -> str:
    """An amount: whole from 100,000 on, cents below, six significant digits under one."""
    if value is None or not math.isfinite(value):
        return MISSING
    size = abs(value)
    if 0 < size < 1:
        return f"{value:.6g}"
    return number(value, 0 if size >= 100_000 else 2)  # noqa: PLR2004 (six digits)


def leverage(value: float | None) -> str:
    """A leverage: ``3.482x``."""
    return MISSING if value is None else f"{number(value, 3)}x"


def count(value: int) -> str:
    """A whole number: ``1,096``."""
    return f"{value:,}"


def counted(value: int, what: str) -> str:
    """So many of something: ``1 gap``, ``2 gaps``."""
    return f"{value:,} {what}{'' if value == 1 else 's'}"


def day(time: str) -> str:
    """An instant of ISO 8601, cut to its day where it is midnight: ``2020-03-12 08:00``."""
    clock = time.replace("T", " ").removesuffix("Z").removesuffix(":00")
    return clock.removesuffix(" 00:00")
