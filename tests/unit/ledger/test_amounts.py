"""Amounts as text: one text a number, and the number back from it."""

from __future__ import annotations

import math
import re
import struct
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.errors import DataError, InputError
from steelyard.ledger import amount_text, decimal_of, float_of

decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**60), max_value=10**60)
PLAIN = re.compile(r"-?(0|[1-9]\d*)(\.\d*[1-9])?")


@given(decimals)
def test_a_decimal_comes_back_to_the_last_digit(amount: Decimal) -> None:
    """Text and back changes no digit, whatever the exponent was."""
    assert decimal_of(amount_text(amount)) == amount


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_comes_back_to_the_last_bit(amount: float) -> None:
    """All bits of any float but minus zero."""
    back = float_of(amount_text(amount))
    assert struct.pack("d", back) == struct.pack("d", amount + 0.0)


@given(decimals | st.floats(allow_nan=False, allow_infinity=False) | st.integers())
def test_the_text_is_plain(amount: Decimal | float) -> None:
    """No exponent, no trailing zero, no minus zero."""
    if isinstance(amount, int) and abs(amount) > 10**400:
        return
    text = amount_text(amount)
    assert PLAIN.fullmatch(text)
    assert text != "-0"


@given(decimals)
def test_equal_numbers_have_one_text(amount: Decimal) -> None:
    """1.50 and 1.5 are one amount, and have one text."""
    sign, digits, exponent = amount.as_tuple()
    padded = Decimal((sign, (*digits, 0, 0, 0), int(exponent) - 3))
    assert padded == amount
    assert amount_text(padded) == amount_text(amount)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (Decimal("1.500"), "1.5"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.00"), "0"),
        (Decimal(100), "100"),
        (Decimal("0.000000000000000001"), "0.000000000000000001"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e22, "10000000000000000000000"),
        (1e-7, "0.0000001"),
        (100.0, "100"),
        (12, "12"),
    ],
)
def test_examples(amount: Decimal | float, text: str) -> None:
    """What people would write."""
    assert amount_text(amount) == text


@pytest.mark.parametrize(
    "amount",
    [math.nan, math.inf, Decimal("NaN"), Decimal("-Infinity"), Decimal("1E+500"), Decimal("1E-500"),
     Fraction(1, 3), True, "1", None],
)  # fmt: skip
def test_what_is_no_amount_is_refused(amount: object) -> None:
    """Not finite, too long, or of another type."""
    with pytest.raises(InputError, match="expected an amount"):
        amount_text(amount)


@pytest.mark.parametrize(
    "text",
    ["", "1e3", "1.50", "-0", "+1", "01", ".5", "5.", " 1", "1\n", "NaN", "inf", "\uff11", "1_0"],
)
def test_another_text_is_no_amount(text: str) -> None:
    """What amount_text does not write is not read either, by both readers."""
    for read in (decimal_of, float_of):
        with pytest.raises(DataError, match="plain decimal"):
            read(text)
