"""The kinds of number that the rules run on, each with its own conversion and square root.

A figure that a person wrote (``0.1``) is converted exactly, to ``Decimal("0.1")`` or
``Fraction(1, 10)``, and not to the nearest binary float.

The books of a live fund are kept in ``DECIMAL18``. Its precision is 50 digits, and each amount is
rounded to 18 places (half-even) before it moves. Balances are never rounded, so they are exact sums
of amounts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction
from typing import Generic, TypeVar

__all__ = ["DECIMAL", "DECIMAL18", "FLOAT", "FRACTION", "Num", "Number", "sqrt_fraction_down"]

Num = TypeVar("Num", float, Decimal, Fraction)

SQRT_SCALE = 10**40
EIGHTEEN_PLACES = Decimal("1e-18")
LIVE_CONTEXT = Context(prec=50, rounding=ROUND_HALF_EVEN)


def sqrt_fraction_down(x: Fraction) -> Fraction:
    """The square root of ``x`` to 1e-40, rounded down: ``s <= sqrt(x) < s + 1e-40``.

    Raises:
        ValueError: ``x`` is negative.
    """
    # floor(sqrt(y)) equals floor(sqrt(floor(y))), so the integer root is exact here
    return Fraction(math.isqrt(x.numerator * SQRT_SCALE * SQRT_SCALE // x.denominator), SQRT_SCALE)


def _decimal(x: object) -> Decimal:
    if isinstance(x, Fraction):
        return Decimal(x.numerator) / Decimal(x.denominator)
    return Decimal(str(x))


def _fraction(x: object) -> Fraction:
    return x if isinstance(x, Fraction) else Fraction(str(x))


def _to_18_places(amount: Decimal) -> Decimal:
    return amount.quantize(EIGHTEEN_PLACES, ROUND_HALF_EVEN)


def _as_it_is(amount: Num) -> Num:
    return amount


@dataclass(frozen=True)
class Number(Generic[Num]):
    """A kind of number: its name, its conversion from a written figure, and its square root."""

    name: str
    of: Callable[[object], Num]
    sqrt: Callable[[Num], Num]
    round_amount: Callable[[Num], Num] | None = None
    """How an amount is rounded before it moves between accounts; None where it is not rounded."""
    amount: Callable[[Num], Num] = field(init=False, repr=False, compare=False)
    """The amount that moves between accounts: rounded where this kind of number rounds."""

    def __post_init__(self) -> None:
        # this saves one call at each accrual, compared with a method that decides every time
        object.__setattr__(self, "amount", self.round_amount or _as_it_is)

    def moved(self, before: Num, after: Num) -> Num:
        """The balance after the amount from ``before`` to ``after`` was rounded and moved."""
        if self.round_amount is None:
            return after
        return before + self.round_amount(after - before)

    def context(self) -> AbstractContextManager[object]:
        """The arithmetic context for books that are kept in this kind of number."""
        return localcontext(LIVE_CONTEXT) if self.round_amount is not None else nullcontext()


FLOAT: Number[float] = Number("float", float, math.sqrt)  # type: ignore[arg-type]  # figures only
DECIMAL: Number[Decimal] = Number("decimal", _decimal, Decimal.sqrt)
DECIMAL18: Number[Decimal] = Number("decimal18", _decimal, Decimal.sqrt, _to_18_places)
FRACTION: Number[Fraction] = Number("fraction", _fraction, sqrt_fraction_down)
