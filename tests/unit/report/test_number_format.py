"""Figures as people read them: ASCII, signs and digits that mean something."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.report.number_format import (
    MISSING,
    amount,
    count,
    day,
    instant,
    leverage,
    moment,
    money,
    multiple,
    number,
    percent,
    points,
)

PERCENTS = [
    (0.0, "0.00 %"),
    (0.0123, "1.23 %"),
    (-0.368, "-36.8 %"),
    (12.3456, "1,235 %"),
    (-0.9994, "-99.9 %"),
    (-0.99999999, "<-99.9 %"),
    (-1.0, "-100.0 %"),
    (-1.5, "-150.0 %"),
    (123_456.0, "1.2e+07 %"),
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


@given(st.floats(min_value=1e-12, max_value=0.9999))
def test_a_loss_of_almost_everything_is_not_shown_as_everything(left: float) -> None:
    """A token that still has something is never said to have lost 100 %."""
    assert "-100" not in percent(left - 1.0)


def test_a_target_is_written_as_it_is_spoken() -> None:
    """``3x``, ``-1x``: no trailing zeros; with a sign where it is asked for."""
    assert [multiple(target) for target in (3.0, -1.0, 1.25)] == ["3x", "-1x", "1.25x"]
    assert multiple(3.0, signed=True) == "+3x"
    assert leverage(123.4) == "123x"


def test_an_instant_is_utc() -> None:
    """Whatever the machine's time zone; midnight is left out where people read it."""
    assert instant(1_584_000_000) == "2020-03-12T08:00:00"
    assert moment(1_584_000_000) == "2020-03-12 08:00"
    assert moment(1_583_971_200) == "2020-03-12"


def test_amounts_in_few_letters() -> None:
    """Four digits; nothing is a dash."""
    shown = [amount(x, signed=True) for x in (11_360_000, -125_700, 0, 5e9)]
    assert shown == ["+11.36M", "-125.7k", MISSING, "+5.00B"]
    assert money(5.0, "USDT") == "5.00 USDT"


def test_points_are_hundredths_with_a_sign() -> None:
    """A step of nothing is nothing, and one that rounds to it has no sign."""
    assert [points(x) for x in (0.0, -1e-9, 0.1234, None)] == ["0", "0.00", "+12.34", MISSING]
    assert points(-0.0499, 0) == "-5"


@given(st.floats(), st.integers(0, 6), st.booleans())
def test_any_figure_is_shown_in_ascii_and_never_as_minus_zero(
    value: float, decimals: int, signed: bool
) -> None:
    """No figure can break a table or a copy."""
    for text in (number(value, decimals, signed=signed), percent(value), money(value)):
        assert text.isascii()
        assert text.strip("-0., %") or not text.startswith("-") or text == MISSING
