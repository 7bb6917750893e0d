"""Reading an exchange's answers: what is not what was expected is unknown, and says nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from steelyard.errors import Unknown

__all__ = ["amount_of", "amount_text", "readable"]

UNREADABLE = (KeyError, IndexError, TypeError, ValueError, AttributeError, ArithmeticError)


@contextlib.contextmanager
def readable() -> Iterator[None]:
    """What is done to an answer here can fail only because it is not what was expected."""
    try:
        yield
    except UNREADABLE as error:
        raise Unknown(f"the answer cannot be read ({type(error).__name__})") from error


def amount_of(found: object) -> Decimal:
    """An amount as it was written.

    Raises:
        ValueError: it is none.
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
    """An amount as it is sent: zeros at its end would count as places that are too many."""
    text = f"{amount:zf}"
    return text.rstrip("0").rstrip(".") if "." in text else text
