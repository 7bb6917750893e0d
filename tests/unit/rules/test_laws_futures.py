"""Laws of dated futures: when they expire, which one is held, and what it is worth.

The calendar here is Python's own; the rules count days by themselves.
"""

from __future__ import annotations

import calendar
from bisect import bisect_right
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rules.futures import contract_at, mark_factor, next_expiry
from support.rule_cases import NUMBERS, exact, written

if TYPE_CHECKING:
    from steelyard.rules.numbers import Number

DAY_S = 86_400
YEAR_S = 365 * DAY_S
END_S = 7_258_118_400
"""2200-01-01T00:00:00Z."""
INSTANTS = st.integers(0, END_S - 1)
ROLLS_S = st.integers(0, 90 * DAY_S)


def last_friday(year: int, month: int) -> int:
    """08:00 UTC on a month's last Friday, in epoch s."""
    fridays = [week[calendar.FRIDAY] for week in calendar.monthcalendar(year, month)]
    return int(datetime(year, month, max(fridays), 8, tzinfo=UTC).timestamp())


EXPIRIES = [last_friday(year, month) for year in range(1970, 2201) for month in (3, 6, 9, 12)]


def test_every_expiry_is_a_last_friday_at_eight() -> None:
    """From 1970 to 2199, one after the other: none is skipped and none is made up."""
    found, time = [], 0
    while (time := next_expiry(time)) < END_S:
        found.append(time)
    assert found == [expiry for expiry in EXPIRIES if expiry < END_S]


@given(INSTANTS)
def test_the_next_expiry_is_the_first_after_an_instant(time: int) -> None:
    """At any second of the calendar."""
    assert next_expiry(time) == EXPIRIES[bisect_right(EXPIRIES, time)]


@pytest.mark.parametrize("before_s", [1, 0])
@given(st.sampled_from(EXPIRIES[:-4]))
def test_at_its_expiry_a_contract_is_over(before_s: int, expiry: int) -> None:
    """The second before it is the next to expire; at the instant itself the one after it is."""
    following = EXPIRIES[EXPIRIES.index(expiry) + 1]
    assert next_expiry(expiry - before_s) == (expiry if before_s else following)


@given(st.sampled_from(EXPIRIES[:-4]), ROLLS_S)
def test_a_contract_is_held_up_to_its_roll(expiry: int, roll_s: int) -> None:
    """One second before the roll it is the one to hold, from the roll on it is not."""
    assert contract_at(expiry - roll_s - 1, roll_s) == expiry
    assert contract_at(expiry - roll_s, roll_s) > expiry


@given(INSTANTS, ROLLS_S)
def test_the_contract_to_hold_is_the_first_that_is_not_to_be_rolled_yet(
    time: int, roll_s: int
) -> None:
    """More than the roll's time is left of it, and of the one before it is not."""
    held = contract_at(time, roll_s)
    assert held - roll_s > time
    assert EXPIRIES[EXPIRIES.index(held) - 1] - roll_s <= time or held == EXPIRIES[0]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
@given(written("-0.5", "2", 4), st.sampled_from(EXPIRIES), st.integers(1, 2 * YEAR_S))
def test_the_mark_is_one_plus_the_basis_for_the_time_left(
    number: Number[Any], basis: Decimal, expiry: int, left_s: int
) -> None:
    """``1 + basis * years`` with years of 365 days, the same on each kind of number."""
    expected = 1 + exact(basis) * Fraction(left_s, YEAR_S)
    found = mark_factor(number.of(basis), expiry, expiry - left_s)
    assert abs(Fraction(found) - expected) <= Fraction(1, 10**14) * max(1, abs(expected))
    if number.name == "fraction":
        assert found == expected


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
@given(written("-0.5", "2", 4), st.sampled_from(EXPIRIES), st.integers(0, 2 * YEAR_S))
def test_from_its_expiry_on_a_contract_is_worth_the_price(
    number: Number[Any], basis: Decimal, expiry: int, late_s: int
) -> None:
    """Exactly 1, however late and whatever the basis."""
    assert mark_factor(number.of(basis), expiry, expiry + late_s) == 1
