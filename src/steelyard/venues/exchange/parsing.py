"""Parsing of an exchange's answers; an unexpected answer has an unknown outcome."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from steelyard.errors import Unknown

__all__ = ["amount_of", "amount_text", "readable"]

UNREADABLE = (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError)


@contextlib.contextmanager
def readable() -> Iterator[None]:
    """Turn any error of the parsing inside the block into ``Unknown``: the answer is unexpected."""
    try:
        yield
    except UNREADABLE as error:
        raise Unknown(f"the answer cannot be read ({type(error).__name__})") from error


def amount_of(found: object) -> Decimal:
    """An amount exactly as the exchange wrote it.

    Raises:
        ValueError: it is not an amount.
    """
    if not isinstance(found, str | int | Decimal) or isinstance(found, bool):
        raise ValueError("an amount")
    try:
        amount = Decimal(found)
    except InvalidOperation as error:
        raise ValueError("an amount") from error
    if not amount.is_finite():
        raise ValueError("a finite amount")
    return amount


def amount_text(amount: Decimal) -> str:
    """An amount as it is sent, without trailing zeros, which would count as too many places."""
    text = f"{amount:zf}"
    return text.rstrip("0").rstrip(".") if "." in text else text
