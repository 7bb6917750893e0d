"""Numbers as people read them: a true minus sign, thin spaces, digits that mean something.

For pages only. What a program reads goes through JSON, unrounded.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np

from steelyard.plots.frames import Floats

__all__ = [
    "MISSING",
    "column_decimals",
    "count",
    "day",
    "instant",
    "leverage",
    "money",
    "multiple",
    "number",
    "percent",
]

MISSING = "–"
_MINUS = "−"
_NEARLY_ALL = -0.9995  # from here on one decimal would round to everything
_WIDE_LEVERAGE = 100  # beyond it thousandths say nothing
_WHOLE_FROM = 10_000  # quote
_THIN = "\u202f"  # narrow and no-break: a figure never parts from its unit


def number(value: float | None, decimals: int, *, signed: bool = False) -> str:
    """``value`` with thousands separators and ``decimals`` digits; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return MISSING
    text = f"{abs(value):,.{decimals}f}"
    if not any(digit in text for digit in "123456789"):
        return text  # what rounds to zero has no sign
    if value < 0:
        return _MINUS + text
    return "+" + text if signed else text


def percent(value: float | None, *, signed: bool = False) -> str:
    """A ratio in percent, with three significant digits or so."""
    if value is None or not math.isfinite(value):
        return MISSING
    if -1.0 < value < _NEARLY_ALL:
        return f"<{_MINUS}99.9{_THIN}%"  # a loss of nearly all must not read as a loss of all
    size = abs(value) * 100
    steps = ((1_000.0, 0), (10.0, 1), (0.1, 2))
    decimals = next((digits for least, digits in steps if size >= least), 3 if size else 2)
    return number(value * 100, decimals, signed=signed) + _THIN + "%"


def money(value: float | None, quote: str = "") -> str:
    """An amount in quote: whole units from 10,000 on, cents below, three figures under one."""
    if value is None or not math.isfinite(value):
        return MISSING
    size = abs(value)
    if 0 < size < 1:
        decimals = min(2 - math.floor(math.log10(size)), 10)
    else:
        decimals = 0 if size >= _WHOLE_FROM else 2
    text = number(value, decimals)
    return f"{text}{_THIN}{quote}" if quote else text


def multiple(value: float) -> str:
    """A target leverage as it is spoken: ``3×``, ``−1×``, ``1.25×``."""
    return f"{value:.4g}".replace("-", _MINUS) + "×"


def leverage(value: float | None) -> str:
    """A leverage that was reached."""
    if value is None or not math.isfinite(value):
        return MISSING
    return number(value, 3 if abs(value) < _WIDE_LEVERAGE else 0) + "×"


def count(value: float | None) -> str:
    """A whole number."""
    return number(value, 0)


def day(seconds: int) -> str:
    """The UTC day of an instant in epoch seconds."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def instant(seconds: int) -> str:
    """An instant in epoch seconds as ISO 8601 to the second, UTC, without a zone."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def column_decimals(values: Floats) -> int:
    """Decimals for a whole column of a table: enough to tell its rows apart, and no more.

    Whole numbers from 100,000 on, cents from 100 on, then two more digits for each hundredth.
    """
    finite = np.abs(values[np.isfinite(values)])
    largest = float(finite.max()) if finite.size else 0.0
    steps = ((100_000.0, 0), (100.0, 2), (1.0, 4), (0.01, 6))
    decimals = next((digits for least, digits in steps if largest >= least), 8)
    return decimals if largest else 2
