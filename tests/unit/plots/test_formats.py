"""Numbers as people read them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.plots import formats


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00 %"),
        (0.0123, "1.23 %"),
        (-0.412, "−41.2 %"),
        (12.3456, "1,235 %"),
        (0.00042, "0.042 %"),
        (-0.99951, "<−99.9 %"),
        (-1.0, "−100.0 %"),
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "–"),
    ],
)
def test_a_percentage_has_about_three_figures(value: float | None, text: str) -> None:
    """It has a true minus sign, thousands separators, and a dash where there is no number."""
    assert formats.percent(value).replace("\u202f", " ") == text


@given(st.floats(min_value=1e-12, max_value=0.9999))
def test_a_loss_of_almost_everything_is_not_shown_as_everything(left: float) -> None:
    """A token that still has something is never said to have lost 100 %."""
    assert "−100" not in formats.percent(left - 1.0)


def test_a_gain_may_be_asked_to_carry_its_sign() -> None:
    """Signed figures show their plus; what rounds to zero has no sign at all."""
    assert formats.percent(0.5, signed=True) == "+50.0\u202f%"
    assert formats.number(-0.0004, 2, signed=True) == "0.00"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1_234_567.891, "1,234,568 USD"),
        (9_999.5, "9,999.50 USD"),
        (-12.0, "−12.00 USD"),
        (0.123911, "0.124 USD"),
        (0.0000123911, "0.0000124 USD"),
        (0.0, "0.00 USD"),
        (None, "–"),
    ],
)
def test_money_has_the_digits_that_matter(value: float | None, text: str) -> None:
    """Whole units when large, cents in between, three figures below one."""
    assert formats.money(value, "USD").replace("\u202f", " ") == text


@pytest.mark.parametrize(
    ("largest", "decimals"), [(0.0, 2), (2.5e6, 0), (512.0, 2), (41.8, 4), (0.4, 6), (1e-9, 8)]
)
def test_a_column_has_one_number_of_decimals(largest: float, decimals: int) -> None:
    """A table's column lines up, and shows no more digits than tell its rows apart."""
    assert formats.column_decimals(np.array([0.0, -largest, math.nan])) == decimals


def test_a_target_is_written_as_it_is_spoken() -> None:
    """``3×``, ``−1×``: no trailing zeros, a true minus sign."""
    assert [formats.multiple(target) for target in (3.0, -1.0, 1.25)] == ["3×", "−1×", "1.25×"]


def test_an_instant_is_utc() -> None:
    """Whatever the machine's time zone."""
    assert formats.instant(1_584_000_000) == "2020-03-12T08:00:00"
    assert formats.day(1_584_000_000) == "2020-03-12"
