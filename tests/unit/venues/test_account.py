"""The books of an account: money is where the venue's own rules put it, to the last digit."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from steelyard.venues.account import OneWayAccount, position_of, rounded, traded

STEP = Decimal("1e-8")
LOTS = st.integers(-5_000, 5_000).filter(bool).map(lambda lots: Decimal(lots) / 1_000)
PRICES = st.integers(1, 10_000_000).map(lambda cents: Decimal(cents) / 100)
TRADES = st.lists(st.tuples(LOTS, PRICES), min_size=1, max_size=12)


def run(trades: list[tuple[Decimal, Decimal]], *, is_spot: bool = False) -> list[OneWayAccount]:
    """The account after each trade, at a commission of 5 bps."""
    account, seen = OneWayAccount(Decimal(100_000)), []
    for units, price in trades:
        quote = rounded(units * price, STEP)
        fee = rounded(abs(quote) * Decimal("0.0005"), STEP)
        before = account
        account, realised = traded(account, units, quote, fee, STEP, is_spot=is_spot)
        assert account.wallet - account.cost == before.wallet - before.cost - quote - fee
        if not is_spot:
            assert account.wallet == before.wallet + realised - fee
        seen.append(account)
    return seen


@given(TRADES, st.booleans())
def test_cash_is_wallet_less_cost_to_the_last_digit(
    trades: list[tuple[Decimal, Decimal]], is_spot: bool
) -> None:
    """Each trade moves cash by its quote and commission, whatever it opens, closes or turns."""
    account = run(trades, is_spot=is_spot)[-1]
    assert account.units == sum(units for units, _ in trades)
    assert account.wallet == rounded(account.wallet, STEP)
    assert account.cost == rounded(account.cost, STEP)


@given(TRADES)
def test_nothing_held_has_no_cost(trades: list[tuple[Decimal, Decimal]]) -> None:
    """What rounding left in the cost comes out with the last unit."""
    account = run(trades)[-1]
    if account.units != 0:
        account, _ = traded(account, -account.units, -account.units, Decimal(0), STEP)
    assert account.cost == 0
    assert position_of(account).entry_price == 0


@given(TRADES)
def test_a_position_that_is_made_smaller_keeps_its_entry_price(
    trades: list[tuple[Decimal, Decimal]],
) -> None:
    """Of each trade that only closes, to what rounding a cost can move it."""
    before = OneWayAccount(Decimal(100_000))
    for (units, _), after in zip(trades, run(trades), strict=True):
        if before.units * units < 0 and after.units * before.units > 0:
            moved = position_of(after).entry_price - position_of(before).entry_price
            assert abs(moved * after.units) <= STEP
        before = after


def test_a_turn_realises_the_old_side_and_opens_the_new_one() -> None:
    """Long 2 at 100, 5 sold at 110: 20 are realised, and a short of 3 stands at 110."""
    account = OneWayAccount(Decimal(1_000), Decimal(2), Decimal(200))
    account, realised = traded(account, Decimal(-5), Decimal(-550), Decimal(1), STEP)
    assert realised == 20
    assert account == OneWayAccount(Decimal(1_019), Decimal(-3), Decimal(-330))
    assert position_of(account).entry_price == 110


def test_on_spot_the_wallet_is_the_cash() -> None:
    """What is bought is owned: its price leaves the wallet, below zero as a loan."""
    account = OneWayAccount(Decimal(1_000))
    account, realised = traded(account, Decimal(3), Decimal(3_000), Decimal(2), STEP, is_spot=True)
    assert (account.wallet, account.units, account.cost, realised) == (-2_002, 3, 0, 0)
