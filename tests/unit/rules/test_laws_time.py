"""Laws of the clock: when instants fall due, which trigger is named, and what time costs."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from steelyard.rules.accruals import (
    YEAR_S,
    cash_interest,
    funding_payment,
    idle_cash_interest,
    management_fee,
    units_interest,
)
from steelyard.rules.numbers import FRACTION
from steelyard.rules.triggers import (
    Trigger,
    exceeds,
    first_trigger,
    has_moved,
    is_emergency,
    is_outside_band,
    is_volatile,
    next_instant,
)
from support.rule_cases import Rule, exact, rules, sizes, written

EPOCH_S = st.integers(0, 4_000_000_000)
EVERY_S = st.integers(1, 40_000_000)
MONEY = written("-90000", "90000", 2)
RATES = written("-0.5", "0.5", 4)
SPREADS = written("0", "0.2", 4)
SECONDS = st.integers(0, 40_000_000)


@given(EVERY_S, st.integers(0, 86_399), EPOCH_S)
def test_the_next_instant_is_the_first_after(every_s: int, anchor_s: int, after_s: int) -> None:
    """It lies after the given one, no farther than one period, and on the anchor's grid."""
    found = next_instant(every_s, anchor_s, after_s)
    assert after_s < found <= after_s + every_s
    assert (found - anchor_s) % every_s == 0


@given(EVERY_S, st.integers(0, 86_399), EPOCH_S)
def test_from_an_instant_the_next_is_one_period_later(
    every_s: int, anchor_s: int, after_s: int
) -> None:
    """An instant is not due again at itself, and none is skipped."""
    first = next_instant(every_s, anchor_s, after_s)
    assert next_instant(every_s, anchor_s, first) == first + every_s
    assert next_instant(every_s, anchor_s, first - 1) == first


@given(rules(), sizes(), written("0.5", "2", 3), st.tuples(*[st.booleans()] * 4))
def test_the_first_trigger_that_holds_names_the_rebalance(
    rule: Rule, size: Decimal, price: Decimal, due: tuple[bool, bool, bool, bool]
) -> None:
    """Emergency, band, move, volatility, interval, daily, fallback: in this order."""
    scalars = rule.of(FRACTION)
    leverage = exact(size if rule.target > 0 else -size)
    at, reference = exact(price), Fraction(1)
    holds = {
        Trigger.EMERGENCY: is_emergency(scalars, leverage),
        Trigger.BAND: is_outside_band(scalars, leverage),
        Trigger.MOVE: has_moved(scalars, at, reference),
        Trigger.VOLATILITY: due[0],
        Trigger.INTERVAL: due[1],
        Trigger.DAILY: due[2],
        Trigger.FALLBACK: due[3],
    }
    expected = next((trigger for trigger, held in holds.items() if held), Trigger.NONE)
    assert first_trigger(scalars, leverage, at, reference, *due) == expected


@given(rules(), sizes(), written("0.3", "3", 3))
def test_triggers_hold_where_the_specification_says(
    rule: Rule, size: Decimal, price: Decimal
) -> None:
    """Emergency from its leverage on; band strictly outside; move from its threshold on."""
    scalars = rule.of(FRACTION)
    leverage = exact(size if rule.target > 0 else -size)
    emergency = rule.emergency is not None and size >= rule.emergency
    assert is_emergency(scalars, leverage) == emergency
    above = rule.upper is not None and size > rule.upper + rule.slack
    below = rule.lower is not None and size < rule.lower - rule.slack
    assert is_outside_band(scalars, leverage) == (above or below)
    change = exact(price) - 1
    moved = rule.move is not None and abs(change) >= exact(rule.move)
    if rule.losing_side_only and change * leverage > 0:
        moved = False
    assert has_moved(scalars, exact(price), Fraction(1)) == moved


@given(written("0.001", "1000", 3))
def test_figures_within_1e_12_are_one(limit: Decimal) -> None:
    """Exceeding takes more than 1e-12 of the limit."""
    edge = exact(limit)
    assert not exceeds(edge * (1 + Fraction(1, 10**12)), edge)
    assert exceeds(edge * (1 + Fraction(101, 10**14)), edge)
    assert not exceeds(edge, edge)


@given(
    st.lists(written("-0.3", "0.3", 3), max_size=6),
    st.sampled_from([3600, 86_400]),
    st.sampled_from(["0.5", "0.999", "1.001", "2"]),
)
def test_volatility_is_annualised_over_its_window(
    returns: list[Decimal], window_s: int, times: str
) -> None:
    """sqrt(sum r^2 * 365 days / window) >= level, from two returns on."""
    squares = sum((exact(r) ** 2 for r in returns), Fraction(0))
    realised = FRACTION.sqrt(squares * 365 * 86_400 / window_s)
    assume(realised > 0)
    found = is_volatile(squares, len(returns), window_s, realised * exact(times))
    assert found == (len(returns) >= 2 and exact(times) < 1)


def test_a_volatility_on_its_level_has_reached_it() -> None:
    """Two moves of 5 % in 9,855 seconds are 400 % a year: at that level it acts, above it not."""
    squares = 2 * Fraction(1, 20) ** 2
    assert is_volatile(squares, 2, 9855, Fraction(4))
    assert not is_volatile(squares, 2, 9855, Fraction(4001, 1000))


# -- what time costs: positive is paid -------------------------------------------------------------


@given(MONEY, RATES, SPREADS, SPREADS, SECONDS, SECONDS)
def test_accruals_over_two_steps_are_the_accrual_over_both(
    amount: Decimal,
    rate: Decimal,
    borrow: Decimal,
    supply: Decimal,
    first_s: int,
    second_s: int,
) -> None:
    """Simple within a clock step: interest, units' interest and fee are linear in time."""
    money = exact(amount)
    terms = (exact(rate), exact(borrow), exact(supply))
    both = first_s + second_s
    steps = (first_s, second_s)
    paid = [cash_interest(money, *terms, step) for step in steps]
    assert sum(paid) == cash_interest(money, *terms, both)
    earned = [idle_cash_interest(money, exact(rate), step) for step in steps]
    assert sum(earned) == idle_cash_interest(money, exact(rate), both)
    grown = [units_interest(money, exact(borrow), step) for step in steps]
    assert sum(grown) == units_interest(money, exact(borrow), both)
    fees = [management_fee(money, exact(borrow), step) for step in steps]
    assert sum(fees) == management_fee(money, exact(borrow), both)


@given(written("0.01", "90000", 2), RATES, SPREADS, SPREADS)
def test_a_year_costs_the_yearly_rate(
    amount: Decimal, rate: Decimal, borrow: Decimal, supply: Decimal
) -> None:
    """Debt pays rate + borrow spread, idle cash earns rate - supply spread, on 365 days."""
    money = exact(amount)
    terms = (exact(rate), exact(borrow), exact(supply))
    assert YEAR_S == 365 * 86_400
    assert cash_interest(-money, *terms, YEAR_S) == money * exact(rate + borrow)
    assert cash_interest(money, *terms, YEAR_S) == -money * exact(rate - supply)
    assert idle_cash_interest(money, exact(rate), YEAR_S) == -money * exact(rate)
    assert idle_cash_interest(-money, exact(rate), YEAR_S) == 0
    assert units_interest(-money, exact(borrow), YEAR_S) == money * exact(borrow)
    assert units_interest(money, exact(borrow), YEAR_S) == 0
    assert management_fee(money, exact(supply), YEAR_S) == money * exact(supply)


@given(written("-900", "900", 3), written("0.01", "70000", 2), RATES)
def test_funding_is_paid_by_one_side_to_the_other(
    units: Decimal, price: Decimal, rate: Decimal
) -> None:
    """A long pays what a short of the same size earns: units * price * rate."""
    args = (exact(price), exact(rate))
    paid = funding_payment(exact(units), *args)
    assert paid == -funding_payment(-exact(units), *args)
    assert paid == exact(units) * exact(price) * exact(rate)


@pytest.mark.parametrize("amount", ["-5", "0", "5"])
def test_no_time_costs_nothing(amount: str) -> None:
    """Two observations at one instant accrue nothing between them."""
    money, rate = exact(amount), Fraction(1, 10)
    assert cash_interest(money, rate, rate, rate, 0) == 0
    assert idle_cash_interest(money, rate, 0) == 0
    assert units_interest(money, rate, 0) == 0
    assert management_fee(money, rate, 0) == 0
