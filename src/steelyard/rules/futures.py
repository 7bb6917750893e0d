"""Dated futures: their expiry, their roll date and their mark (SPEC 3).

Quarterly contracts expire on the last Friday of March, June, September and December at 08:00 UTC.
The mark is the underlying's price times ``1 + basis * years to expiry``. Positions and leverage are
valued at the mark.
"""

from __future__ import annotations

from steelyard.rules.accruals import DAY_S, YEAR_S
from steelyard.rules.numbers import Num

__all__ = ["DAY_S", "contract_at", "mark_factor", "next_expiry"]

EXPIRY_HOUR_S = 8 * 3_600
MONTHS_A_QUARTER = 3
FRIDAY = 1
"""The epoch's first day, 1 January 1970, was a Thursday: day 1 was a Friday."""


def next_expiry(time: int) -> int:
    """The first quarterly expiry after ``time`` (both epoch s)."""
    year, month = _month_of(time // DAY_S)
    quarter = (month - 1) // MONTHS_A_QUARTER
    while True:
        # the day before the first day of the next quarter is the last day of this one
        months = 12 * year + MONTHS_A_QUARTER * (quarter + 1)
        last_day = _first_day(months // 12, months % 12 + 1) - 1
        expiry = (last_day - (last_day - FRIDAY) % 7) * DAY_S + EXPIRY_HOUR_S
        if expiry > time:
            return expiry
        quarter += 1


def contract_at(time: int, roll_s: int) -> int:
    """The expiry of the contract to hold at ``time``: the first whose roll is still ahead.

    A contract is rolled ``roll_s`` seconds before it expires, and is no longer held from that
    instant on. All times are epoch seconds.
    """
    return next_expiry(time + roll_s)


def mark_factor(basis_per_year: Num, expiry: int, time: int) -> Num:
    """The mark divided by the underlying's price; from the expiry onward it is 1."""
    left_s = expiry - time
    if left_s < 0:
        left_s = 0
    return 1 + basis_per_year * left_s / YEAR_S


def _first_day(year: int, month: int) -> int:
    """Days from the epoch to the first of a month (Gregorian calendar)."""
    # years begin in March here, so that the leap day is the last day of a year
    if month <= 2:  # noqa: PLR2004 (January and February)
        year -= 1
        month += 12
    leap_days = year // 4 - year // 100 + year // 400
    return 365 * year + leap_days + (153 * (month - 3) + 2) // 5 - 719_468


def _month_of(day: int) -> tuple[int, int]:
    """Year and month of a day counted from the epoch."""
    year = 1970 + day // 366
    while _first_day(year + 1, 1) <= day:
        year += 1
    month = 1
    while month < 12 and _first_day(year, month + 1) <= day:  # noqa: PLR2004 (months of a year)
        month += 1
    return year, month
