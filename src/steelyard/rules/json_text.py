"""Figures as JSON: the one place where they become it, for programs and for pages.

JSON knows neither NaN nor infinity, and knows a negative zero only too well: ``-0.0`` is a zero
that says on which side of it the last rounding fell, which nobody asked for.
"""

from __future__ import annotations

import json

__all__ = ["as_json"]


def as_json(figures: object, *, compact: bool = False) -> str:
    """An object as JSON in ASCII, indented or ``compact``, zeros without a sign.

    Raises:
        ValueError: a figure is not finite.
    """
    shown = _unsigned_zeros(figures)
    if compact:
        return json.dumps(shown, allow_nan=False, separators=(",", ":"))
    return json.dumps(shown, allow_nan=False, indent=2)


def _unsigned_zeros(value: object) -> object:
    if isinstance(value, float):
        return value + 0.0  # leaves every float as it is, but the negative zero
    if isinstance(value, dict):
        return {key: _unsigned_zeros(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_unsigned_zeros(item) for item in value]
    return value
