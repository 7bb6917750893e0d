"""A price as Uniswap v3 writes it: the square root of raw token1 per raw token0, times 2**96."""

from __future__ import annotations

from fractions import Fraction
from math import floor, isqrt, log

Q96 = 1 << 96
MIN_TICK, MAX_TICK = -887_272, 887_272
SPACING = {100: 1, 500: 10, 3_000: 60, 10_000: 200}
"""Ticks between two usable ones, by the pool's fee in millionths."""


def sqrt_price_of(ratio: Fraction) -> int:
    """The square root price of a raw ratio token1 / token0, rounded down."""
    return isqrt((ratio.numerator << 192) // ratio.denominator)


def ratio_of(sqrt_price: int) -> Fraction:
    """The raw ratio token1 / token0 of a square root price, exact."""
    return Fraction(sqrt_price, Q96) ** 2


def ratio_of_tick(tick: float) -> Fraction:
    """The raw ratio at a tick, to the precision of a float."""
    return Fraction(1.0001**tick)


def usable_range(tick: int, fee: int, width: float | None) -> tuple[int, int]:
    """The usable ticks a factor of 1 + width below and above a tick; None: the full range."""
    spacing = SPACING[fee]
    if width is None:
        return -(MAX_TICK // spacing) * spacing, MAX_TICK // spacing * spacing
    reach = log(1 + width) / log(1.0001)
    low = floor((tick - reach) / spacing) * spacing
    high = -floor(-(tick + reach) / spacing) * spacing
    return low, high
