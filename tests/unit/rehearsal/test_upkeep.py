"""What the rehearsal exchange does of its own accord: funding, liquidation, deleveraging."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from steelyard.rehearsal.contracts import CONTRACTS, HOUR_MS, Contract
from steelyard.rehearsal.margin import liquidation_price, margin_of
from steelyard.rehearsal.matching import NewOrder, place
from steelyard.rehearsal.records import Holding
from steelyard.rehearsal.upkeep import deleverage, funding_rate, move, pay_funding
from support.rehearsal import NOW_MS, market_order, one_account


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=str)
def test_maintenance_has_no_step_between_tiers(contract: Contract) -> None:
    """Where one tier ends, the next one asks for the same; leverage falls as notional grows."""
    for low, high in pairwise(contract.tiers):
        assert low.cap == high.floor
        assert low.cap * low.rate - low.cum == low.cap * high.rate - high.cum
        assert low.leverage > high.leverage


@pytest.mark.parametrize("units", ["8", "-8", "0.5"])
def test_the_liquidation_price_is_where_the_margin_is_just_the_maintenance(units: str) -> None:
    """At it the position is closed, and a tick before it is not."""
    world, account, market = one_account(wallet="100000" if units != "0.5" else "10000")
    order = place(world, account, market_order(units), NOW_MS)
    price = liquidation_price(world, account, "BTCUSDT", account.wallet, account.holdings)
    side = 1 if order.units > 0 else -1
    market.mark = price
    margin = margin_of(world, account)
    assert abs(margin.balance - margin.maintenance) < Decimal("0.0001")
    tick = market.contract.tick
    move(world, market, price + side * tick, NOW_MS)
    assert account.holdings
    move(world, market, price - side * tick, NOW_MS)
    assert not account.holdings


def test_a_position_that_nothing_can_hurt_has_no_liquidation_price() -> None:
    """A long that is paid for in full is never closed."""
    world, account, _ = one_account()
    place(world, account, market_order("1"), NOW_MS)
    assert liquidation_price(world, account, "BTCUSDT", account.wallet, account.holdings) == 0


def test_a_liquidation_cancels_orders_and_leaves_no_debt() -> None:
    """Its order is the exchange's own; the fee is paid as far as there is money."""
    world, account, market = one_account()
    place(world, account, market_order("7"), NOW_MS)
    resting = NewOrder("BTCUSDT", Decimal("-0.1"), "LIMIT", "GTC", Decimal(61_000))
    rests = place(world, account, resting, NOW_MS)
    world.drain()
    move(world, market, Decimal(40_000), NOW_MS + 5)
    forced = list(account.orders.values())[-1]
    assert forced.client_id.startswith("autoclose-")
    assert (forced.cause, forced.units, forced.status) == ("LIQUIDATION", -7, "FILLED")
    assert rests.status == "CANCELED"
    assert account.wallet == 0
    assert account.incomes[-1].kind == "INSURANCE_CLEAR"
    assert account.incomes[-1].amount > 0


def test_a_liquidation_in_time_takes_its_fee_and_leaves_the_rest() -> None:
    """1.25 % of the notional, from what the account still had."""
    world, account, market = one_account()
    place(world, account, market_order("7"), NOW_MS)
    price = liquidation_price(world, account, "BTCUSDT", account.wallet, account.holdings)
    move(world, market, price - 1, NOW_MS)
    (fee,) = [one.amount for one in account.incomes if one.kind == "INSURANCE_CLEAR"]
    assert fee < 0
    assert account.wallet >= 0
    assert not account.holdings


def test_funding_is_paid_at_the_mark_each_eight_hours() -> None:
    """Longs pay what shorts get; whoever holds nothing neither pays nor gets."""
    world, account, market = one_account()
    place(world, account, market_order("-2"), NOW_MS)
    pay_funding(world, market, market.next_funding_ms - 1, NOW_MS)
    assert not market.rates
    due = market.next_funding_ms
    pay_funding(world, market, due + 8 * HOUR_MS, NOW_MS + 1)
    assert [rate for _, rate, _ in market.rates] == [Decimal("0.0001")] * 2
    paid = [one.amount for one in account.incomes if one.kind == "FUNDING_FEE"]
    assert paid == [Decimal(12), Decimal(12)]
    assert market.next_funding_ms == due + 16 * HOUR_MS


@pytest.mark.parametrize(
    ("premium", "rate"),
    [("0", "0.0001"), ("0.001", "0.0005"), ("-0.001", "-0.0005"), ("0.5", "0.02")],
)
def test_the_rate_follows_the_premium(premium: str, rate: str) -> None:
    """Premium plus interest that is clamped to 5 bps, all of it within the cap."""
    _, _, market = one_account()
    market.premium = Decimal(premium)
    assert funding_rate(market) == Decimal(rate)


def test_mark_lies_above_the_index_by_the_premium() -> None:
    """The book stays at the index; profit and margin follow the mark."""
    world, account, market = one_account()
    place(world, account, market_order("1"), NOW_MS)
    market.premium = Decimal("0.01")
    move(world, market, Decimal(60_000), NOW_MS)
    assert (market.index, market.mark) == (60_000, 60_600)
    assert margin_of(world, account).unrealised == Decimal("599.4")


def test_deleveraging_closes_a_part_without_a_fee() -> None:
    """At the bankrupt account's price, by an order that says what it is."""
    world, account, market = one_account()
    place(world, account, market_order("-2"), NOW_MS)
    wallet = account.wallet
    order = deleverage(world, account, market, Decimal("0.5"), Decimal(59_000), NOW_MS)
    assert order is not None
    assert (order.client_id, order.units, order.cause) == ("adl_autoclose", Decimal("0.5"), "ADL")
    assert account.holdings["BTCUSDT"].units == Decimal("-1.5")
    assert account.wallet == wallet + Decimal("499.7")
    everything = deleverage(world, account, market, Decimal(9), Decimal(59_000), NOW_MS)
    assert everything is not None
    assert account.holdings.get("BTCUSDT", Holding()).units == 0
    assert deleverage(world, account, market, Decimal(1), Decimal(59_000), NOW_MS) is None
