"""Figures on a terminal: ASCII, signs and digits that mean something."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.cli.figures import MISSING, count, day, leverage, money, number, percent

PERCENTS = [
    (0.0, "0.00 %"),
    (0.0123, "1.23 %"),
    (-0.368, "-36.8 %"),
    (12.3456, "1,235 %"),
    (-0.9994, "-99.9 %"),
    (-0.99999999, "<-99.9 %"),
    (-1.0, "-100.0 %"),
    (-1.5, "-150.0 %"),
    (-0.00001, "0.00 %"),
    (None, MISSING),
    (math.nan, MISSING),
    (math.inf, MISSING),
]


@pytest.mark.parametrize(("value", "shown"), PERCENTS)
def test_a_share_is_shown_in_percent(value: float | None, shown: str) -> None:
    """Three digits or so; a loss of nearly all never reads as a loss of all."""
    assert percent(value) == shown


def test_a_gain_can_carry_its_sign() -> None:
    """Signed, except where it rounds to nothing."""
    assert percent(0.05, signed=True) == "+5.00 %"
    assert percent(0.0, signed=True) == "0.00 %"


def test_amounts_times_and_leverages_are_shown_as_people_read_them() -> None:
    """Cents where they matter, thousands apart, midnight left out."""
    assert [money(x) for x in (0.0, 0.00012345678, 5.0, -1234.5, 1e6, None)] == [
        "0.00",
        "0.000123457",
        "5.00",
        "-1,234.50",
        "1,000,000",
        MISSING,
    ]
    assert (leverage(2.9999), leverage(None), count(1096)) == ("3.000x", MISSING, "1,096")
    assert day("2020-03-12T00:00:00Z") == "2020-03-12"
    assert day("2020-03-12T08:00:00Z") == "2020-03-12 08:00"
    assert day("2020-03-12T00:01:00Z") == "2020-03-12 00:01"
    assert day("2020-03-12T08:00:15Z") == "2020-03-12 08:00:15"


@given(st.floats(), st.integers(0, 6), st.booleans())
def test_any_figure_is_shown_in_ascii_and_never_as_minus_zero(
    value: float, decimals: int, signed: bool
) -> None:
    """No figure can break a table or a copy."""
    for text in (number(value, decimals, signed=signed), percent(value), money(value)):
        assert text.isascii()
        assert text.strip("-0., %") or not text.startswith("-") or text == MISSING
