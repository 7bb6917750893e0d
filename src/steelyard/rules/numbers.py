"""The three kinds of number that the rules run on, each with its own conversion and square root.

A figure that a person wrote (``0.1``) becomes exactly that figure: ``Decimal("0.1")`` and
``Fraction(1, 10)``, not the binary float nearest to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Generic, TypeVar

__all__ = ["DECIMAL", "FLOAT", "FRACTION", "Num", "Number", "sqrt_fraction_down"]

Num = TypeVar("Num", float, Decimal, Fraction)

SQRT_SCALE = 10**40


def sqrt_fraction_down(x: Fraction) -> Fraction:
    """The square root of ``x`` to 1e-40, rounded down: ``s <= sqrt(x) < s + 1e-40``.

    Raises:
        ValueError: where ``x`` is negative.
    """
    # floor(sqrt(y)) equals floor(sqrt(floor(y))), so the integer root is exact here
    return Fraction(math.isqrt(x.numerator * SQRT_SCALE * SQRT_SCALE // x.denominator), SQRT_SCALE)


def _decimal(x: object) -> Decimal:
    if isinstance(x, Fraction):
        return Decimal(x.numerator) / Decimal(x.denominator)
    return Decimal(str(x))


def _fraction(x: object) -> Fraction:
    return x if isinstance(x, Fraction) else Fraction(str(x))


@dataclass(frozen=True)
class Number(Generic[Num]):
    """A kind of number: its name, how a written figure becomes one, and its square root."""

    name: str
    of: Callable[[object], Num]
    sqrt: Callable[[Num], Num]


FLOAT: Number[float] = Number("float", float, math.sqrt)  # type: ignore[arg-type]  # figures only
DECIMAL: Number[Decimal] = Number("decimal", _decimal, Decimal.sqrt)
FRACTION: Number[Fraction] = Number("fraction", _fraction, sqrt_fraction_down)
