"""Costs that accrue over time: funding, interest and the management fee (SPEC 3).

A positive amount is paid by the token, a negative one is received. All amounts are in quote, except
those of ``units_interest``. Each rate is applied as simple interest over the step between two
scheduled observations, so interest compounds from one scheduled observation to the next.
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
    """Funding that the position pays at a funding instant, in quote.

    ``units`` are signed and ``rate`` is a share of notional. Longs pay a positive rate, and shorts
    earn it.
    """
    return units * price * rate


def cash_interest(cash: Num, rate: Num, borrow_spread: Num, supply_spread: Num, time_s: int) -> Num:
    """Interest paid on borrowed cash, or earned (negative) on idle cash, over ``time_s`` seconds.

    Amounts are in quote; the rate and the spreads are per year of 365 days.
    """
    if cash < 0:
        return -cash * (rate + borrow_spread) * time_s / YEAR_S
    return -cash * (rate - supply_spread) * time_s / YEAR_S


def idle_cash_interest(nav: Num, rate: Num, time_s: int) -> Num:
    """Interest earned (negative) on the whole nav of a margined position over ``time_s`` seconds.

    A perpetual or a future is held without paying its notional, so the whole nav of the fund is
    idle cash. A nav that is not positive earns nothing.
    """
    if nav > 0:
        return -nav * rate * time_s / YEAR_S
    return nav * 0


def units_interest(units: Num, rate: Num, time_s: int) -> Num:
    """Units of interest owed on borrowed units over ``time_s`` seconds, not negative.

    Borrowed units are negative; units that are held owe nothing. ``rate`` is per year of 365 days.
    """
    if units < 0:
        return -units * rate * time_s / YEAR_S
    return units * 0


def management_fee(nav: Num, rate: Num, time_s: int) -> Num:
    """The issuer's fee on ``nav`` over ``time_s`` seconds, in quote.

    ``rate`` is per year of 365 days.
    """
    return nav * rate * time_s / YEAR_S
