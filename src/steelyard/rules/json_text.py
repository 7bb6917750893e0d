"""The one function that writes figures as JSON, for programs and for pages.

JSON has no NaN and no infinity, so these are refused. A negative zero (``-0.0``) is written as
``0.0``, because its sign only shows the direction of the last rounding.
"""

from __future__ import annotations

import json

__all__ = ["as_json"]


def as_json(figures: object, *, compact: bool = False) -> str:
    """An object as JSON in ASCII, indented or ``compact``, with zeros that have no sign.

    Raises:
        ValueError: a figure is NaN or infinite.
    """
    shown = _unsigned_zeros(figures)
    if compact:
        return json.dumps(shown, allow_nan=False, separators=(",", ":"))
    return json.dumps(shown, allow_nan=False, indent=2)


def _unsigned_zeros(value: object) -> object:
    if isinstance(value, float):
        return value + 0.0  # this changes no float except the negative zero
    if isinstance(value, dict):
        return {key: _unsigned_zeros(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_unsigned_zeros(item) for item in value]
    return value
