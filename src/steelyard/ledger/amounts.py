"""Amounts as text: each number has exactly one decimal string, which converts back exactly.

The text is a plain decimal: a minus sign where the number is negative, digits without leading
zeros, and after a decimal point digits without trailing zeros. There is no exponent, no plus sign
and no negative zero. A ``Decimal`` is written with all its digits. A float is written as the
shortest text that converts back to the same bits. Only the sign of zero is lost, and no sum or
product of amounts depends on it.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal

from steelyard.errors import DataError, InputError

__all__ = ["MAX_DIGITS", "amount_text", "decimal_of", "float_of"]

MAX_DIGITS = 400
"""The most digits of an amount: the smallest positive float has 326, and more would be a
mistake."""

MOST_LETTERS = 2 * MAX_DIGITS + 3
"""The most characters of an amount as text: digits before and after the point, point and sign."""

SURE_LETTERS = 15
"""The number of decimal digits that any float preserves."""

_is_amount = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?", re.ASCII).fullmatch


def amount_text(amount: object) -> str:
    """The decimal string of an amount, which is a Decimal, a float or an integer.

    Raises:
        InputError: the amount is not finite, is of another type, or is longer than MAX_DIGITS.
    """
    if isinstance(amount, Decimal):
        number = amount
    elif isinstance(amount, float):
        number = Decimal(repr(float(amount)))
    elif isinstance(amount, int) and not isinstance(amount, bool):
        return str(int(amount))
    else:
        message = (
            f"expected an amount as Decimal, float or int, found {type(amount).__name__} "
            f"{amount!r}. A Fraction, for example, has no decimal string."
        )
        raise InputError(message, found=amount)
    if not number.is_finite():
        raise InputError(f"expected an amount that is finite, found {number}.", found=amount)
    if not number:
        return "0"
    if abs(number.adjusted()) > MAX_DIGITS or len(number.as_tuple().digits) > MAX_DIGITS:
        message = f"expected an amount of at most {MAX_DIGITS} digits, found {number:.6e}."
        raise InputError(message, found=amount)
    text = f"{number:zf}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def decimal_of(text: str) -> Decimal:
    """The Decimal that ``amount_text`` wrote as ``text``, with all its digits.

    Raises:
        DataError: ``text`` is not such a text.
    """
    if type(text) is not str or not _is_amount(text) or text == "-0" or len(text) > MOST_LETTERS:
        raise _no_amount(text)
    return Decimal(text)


def float_of(text: str) -> float:
    """The float that ``amount_text`` wrote as ``text``, with the same bits.

    Raises:
        DataError: ``text`` is not such a text.
    """
    if type(text) is not str or not _is_amount(text) or text == "-0" or len(text) > MOST_LETTERS:
        raise _no_amount(text)
    number = float(text)
    if len(text) > SURE_LETTERS and repr(number) != text and not _is_own_text(number, text):
        raise _no_amount(text)
    return number


def _is_own_text(number: float, text: str) -> bool:
    """Whether ``text`` is the text of this float, since other digits would be another amount."""
    return not math.isinf(number) and amount_text(number) == text


def _no_amount(text: object) -> DataError:
    message = (
        f'expected an amount as a plain decimal such as "-12.5", found {text!r:.80}. It may have '
        "no exponent, trailing zeros or negative zero, and no digits beyond its kind of number."
    )
    return DataError(message, found=text)
