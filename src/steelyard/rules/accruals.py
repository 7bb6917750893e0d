"""What time costs: funding, interest and the management fee (SPEC 3; positive = paid).

All are simple over the step between two scheduled observations, so they compound at the clock.
"""

from __future__ import annotations

from steelyard.rules.numbers import Num

__all__ = [
    "DAY_S",
    "WEEK_S",
    "YEAR_S",
    "cash_interest",
    "funding_payment",
    "idle_cash_interest",
    "management_fee",
    "units_interest",
]

DAY_S = 86_400
WEEK_S = 7 * DAY_S
YEAR_S = 31_536_000
"""Seconds in the year of 365 days that every rate per year is counted on."""


def funding_payment(units: Num, price: Num, rate: Num) -> Num:
    """What the position pays at a funding instant: longs pay a positive rate, shorts earn it."""
    return units * price * rate


def cash_interest(cash: Num, rate: Num, borrow_spread: Num, supply_spread: Num, time_s: int) -> Num:
    """Interest paid on borrowed cash, or (negative) earned on idle cash, over ``time_s`` s."""
    if cash < 0:
        return -cash * (rate + borrow_spread) * time_s / YEAR_S
    return -cash * (rate - supply_spread) * time_s / YEAR_S


def idle_cash_interest(nav: Num, rate: Num, time_s: int) -> Num:
    """Interest earned (negative) beside a margined position, on all of nav, over ``time_s`` s.

    A perpetual or a future takes no money to hold: what a fund is worth lies idle beside it.
    """
    if nav > 0:
        return -nav * rate * time_s / YEAR_S
    return nav * 0


def units_interest(units: Num, rate: Num, time_s: int) -> Num:
    """Units by which a borrowed (negative) position grows over ``time_s`` seconds, not negative."""
    if units < 0:
        return -units * rate * time_s / YEAR_S
    return units * 0


def management_fee(nav: Num, rate: Num, time_s: int) -> Num:
    """The issuer's fee on net asset value over ``time_s`` seconds."""
    return nav * rate * time_s / YEAR_S
