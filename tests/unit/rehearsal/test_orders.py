"""The core of the rehearsal exchange: what is refused, what is filled, and what that moves."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rehearsal.matching import NewOrder, cancel, find, open_orders, place
from steelyard.rehearsal.records import Account, Holding, World
from steelyard.rehearsal.refusals import Refused
from steelyard.rehearsal.upkeep import move
from support.rehearsal import NOW_MS, market_order, one_account


def limit(units: str, price: str, tif: str = "GTC", **more: Any) -> NewOrder:
    """A limit order of BTCUSDT."""
    return NewOrder("BTCUSDT", Decimal(units), "LIMIT", tif, Decimal(price), **more)


def test_a_market_order_walks_the_book() -> None:
    """A fill for each level that it takes; cost is what they came to, and fees are apart."""
    world, account, market = one_account(wallet="1000000")
    order = place(world, account, market_order("20"), NOW_MS)
    assert (order.status, order.filled) == ("FILLED", 20)
    assert [trade.price for trade in account.trades] == [
        Decimal("60000.6"),
        Decimal("60001.8"),
        Decimal("60003.6"),
    ]
    assert account.holdings["BTCUSDT"] == Holding(Decimal(20), order.quote)
    fees = sum(trade.commission for trade in account.trades)
    assert account.wallet == 1_000_000 - fees
    assert market.taken[1] == order.quote


def test_what_is_taken_is_gone_until_the_price_moves() -> None:
    """A second order pays more; after a move the book is whole again."""
    world, account, market = one_account(wallet="1000000")
    first, second = (place(world, account, market_order("8"), NOW_MS).quote for _ in range(2))
    move(world, market, Decimal(60_000), NOW_MS)
    assert place(world, account, market_order("8"), NOW_MS).quote == first < second


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (market_order("0.0005"), -1111),
        (market_order("0"), -4003),
        (market_order("121"), -4005),
        (market_order("0.001"), -4164),
        (market_order("9"), -2019),
        (market_order("1", reduce_only=True), -2022),
        (market_order("1", position_side="LONG"), -4061),
        (market_order("1", client_id="x" * 37), -4015),
        (market_order("1", client_id="a b"), -4015),
        (NewOrder("BTCUSDT", Decimal(1), "STOP_MARKET"), -4120),
        (NewOrder("BTCUSDT", Decimal(1), "ODD"), -1116),
        (NewOrder("XYZUSDT", Decimal(1), "MARKET"), -1121),
        (limit("1", "60000", tif="ODD"), -1115),
        (limit("1", "60000.05"), -4014),
        (limit("1", "100"), -4013),
        (limit("1", "1e9"), -4002),
        (market_order("1e30"), -4005),
        (limit("1", "63000.1"), -4016),
        (limit("-1", "56999.9"), -4024),
        (limit("1", "60001", tif="GTX"), -5022),
        (limit("120", "60000.6", tif="FOK"), -5021),
    ],
)
def test_a_refusal_has_its_code_and_changes_nothing(asked: NewOrder, code: int) -> None:
    """Everything is as it was, ids that come next included."""
    world, account, _ = one_account("60000", "100000")
    before = copy.deepcopy(world)
    with pytest.raises(Refused) as refused:
        place(world, account, asked, NOW_MS)
    assert refused.value.code == code
    assert world == before


def test_an_empty_side_of_the_book_refuses_market_orders() -> None:
    """The counterparty's price is out of bounds where there is no counterparty."""
    world, account, market = one_account()
    market.taken[1] = Decimal(10**12)
    with pytest.raises(Refused, match="PERCENT_PRICE"):
        place(world, account, market_order("1"), NOW_MS)


def test_a_position_beyond_the_tier_of_its_leverage_is_refused() -> None:
    """At 125x a position of 300,000 is the largest."""
    world, account, _ = one_account(wallet="1000000")
    account.leverages["BTCUSDT"] = 125
    with pytest.raises(Refused) as refused:
        place(world, account, market_order("6"), NOW_MS)
    assert refused.value.code == -2027


def test_an_id_is_free_again_once_its_order_has_filled() -> None:
    """It is refused only while an order of it is open; a look-up finds the newest."""
    world, account, _ = one_account()
    first = place(world, account, market_order("0.1", client_id="sy-1"), NOW_MS)
    second = place(world, account, limit("0.1", "59000", client_id="sy-1"), NOW_MS)
    assert find(account, "BTCUSDT", None, "sy-1", NOW_MS) is second
    assert find(account, "BTCUSDT", first.order_id, None, NOW_MS) is first
    with pytest.raises(Refused) as refused:
        place(world, account, market_order("0.1", client_id="sy-1"), NOW_MS)
    assert refused.value.code == -4116
    cancel(world, account, second, NOW_MS)
    place(world, account, market_order("0.1", client_id="sy-1"), NOW_MS)


def test_a_reduce_only_order_is_cut_to_the_position() -> None:
    """It never turns the position round, and needs no least notional."""
    world, account, _ = one_account()
    place(world, account, market_order("0.002"), NOW_MS)
    order = place(world, account, market_order("-5", reduce_only=True), NOW_MS)
    assert (order.units, order.status) == (Decimal("-0.002"), "FILLED")
    assert account.holdings == {}


def test_immediate_or_cancel_expires_what_it_does_not_get() -> None:
    """A part is filled, the order is ended, nothing rests."""
    world, account, _ = one_account(wallet="1000000")
    order = place(world, account, limit("20", "60001.8", tif="IOC"), NOW_MS)
    assert order.status == "EXPIRED"
    assert 0 < order.filled < 20
    assert open_orders(account, None, NOW_MS) == []


def test_an_order_that_rests_fills_as_maker_at_its_own_price() -> None:
    """Once the book crosses it; a cancelled one does not, and cannot be cancelled again."""
    world, account, market = one_account()
    kept = place(world, account, limit("0.1", "59000"), NOW_MS)
    gone = place(world, account, limit("0.1", "59000"), NOW_MS)
    assert open_orders(account, "BTCUSDT", NOW_MS) == [kept, gone]
    cancel(world, account, gone, NOW_MS)
    with pytest.raises(Refused) as refused:
        cancel(world, account, gone, NOW_MS)
    assert refused.value.code == -2011
    move(world, market, Decimal(58_900), NOW_MS + 1)
    (trade,) = account.trades
    assert (kept.status, gone.status) == ("FILLED", "CANCELED")
    assert (trade.price, trade.is_maker, trade.commission) == (59_000, True, Decimal("1.18"))


def test_lag_hides_what_happened_until_it_is_over() -> None:
    """An order that filled is not found at first, whatever its id; afterwards it is."""
    world, account, _ = one_account()
    world.lag_ms = 500
    order = place(world, account, market_order("1", client_id="a"), NOW_MS)
    assert find(account, "BTCUSDT", None, "a", NOW_MS + 499) is None
    assert find(account, "BTCUSDT", None, "a", NOW_MS + 500) is order
    assert account.holdings["BTCUSDT"].units == 1


units_of_orders = st.lists(
    st.tuples(st.integers(-2_000, 2_000).filter(bool), st.integers(50_000, 70_000), st.booleans()),
    min_size=1,
    max_size=12,
)


@given(units_of_orders)
def test_the_books_add_up(orders: list[tuple[int, int, bool]]) -> None:
    """Whatever is ordered: wallet = its movements, position = its trades, cash = what they cost."""
    world, account, market = one_account()
    started = account.wallet
    for lots, price, reduce_only in orders:
        move(world, market, Decimal(price), NOW_MS)
        try:
            place(
                world,
                account,
                market_order(str(Decimal(lots) / 1_000), reduce_only=reduce_only),
                NOW_MS,
            )
        except Refused:
            continue
    _check_books(world, account, started)


def _check_books(world: World, account: Account, started: Decimal) -> None:
    held = account.holdings.get("BTCUSDT", Holding())
    trades = account.trades
    assert account.wallet == started + sum(income.amount for income in account.incomes)
    assert held.units == sum(trade.units for trade in trades)
    fees = sum(
        (income.amount for income in account.incomes if income.kind == "INSURANCE_CLEAR"),
        Decimal(0),
    )
    paid = sum(trade.quote + trade.commission for trade in trades)
    assert account.wallet - held.cost == started - paid + fees
    numbers = [change.record for change in world.changes if change.record in trades]
    assert len(numbers) >= len(trades)
