"""Hedge mode, isolated margin and multi-asset mode of the rehearsal exchange: what the sums are."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from steelyard.rehearsal.account_entries import pay
from steelyard.rehearsal.account_views import account_view, balance_views, position_rows
from steelyard.rehearsal.margin import isolated_of, liquidation_price, margin_of
from steelyard.rehearsal.matching import NewOrder, place
from steelyard.rehearsal.records import Account, Market, World
from steelyard.rehearsal.refusals import Refused
from steelyard.rehearsal.upkeep import deleverage, move, pay_funding
from support.rehearsal import NOW_MS, market_order, one_account

LONG, SHORT = "BTCUSDT:LONG", "BTCUSDT:SHORT"
TURNED = [
    *((739, "LONG", 55_771), (-900, "LONG", 48_350), (-711, "LONG", 57_363)),
    *((-287, "LONG", 58_170), (585, "LONG", 68_129), (1, "LONG", 48_000)),
    *((273, "LONG", 62_107), (-278, "LONG", 49_886)),
]
"""The last order turns a long round whose margin has been lost: it was filled without any."""


def isolated(wallet: str = "100000") -> tuple[World, Account, Market]:
    """One account whose BTCUSDT has a margin of its own, at 5x."""
    world, account, market = one_account(wallet=wallet)
    account.isolated.append("BTCUSDT")
    return world, account, market


def hedged(wallet: str = "100000") -> tuple[World, Account, Market]:
    """One account in hedge mode, at 5x."""
    world, account, market = one_account(wallet=wallet)
    account.is_hedge = True
    return world, account, market


def side(units: str, name: str, **more: object) -> NewOrder:
    """A market order of one side."""
    return market_order(units, position_side=name, **more)


# -- isolated margin -------------------------------------------------------------------------------


def test_the_initial_margin_is_set_apart_and_given_back() -> None:
    """A fifth of what was bought; half of it when half is sold, and nothing is left at the end."""
    world, account, _ = isolated()
    order = place(world, account, market_order("1"), NOW_MS)
    assert account.holdings["BTCUSDT"].margin == order.quote / 5
    wallet = account.wallet
    crossed = margin_of(world, account)
    assert crossed.wallet == crossed.available == wallet - order.quote / 5
    assert (crossed.unrealised, crossed.positions_initial, crossed.maintenance) == (0, 0, 0)
    place(world, account, market_order("-0.5"), NOW_MS)
    assert account.holdings["BTCUSDT"].margin == order.quote / 10
    turned = place(world, account, market_order("-1"), NOW_MS)
    assert account.holdings["BTCUSDT"].margin == -turned.quote / 2 / 5
    place(world, account, market_order("0.5"), NOW_MS)
    assert account.holdings == {}
    assert margin_of(world, account).wallet == account.wallet


def test_its_own_margin_is_told() -> None:
    """In the position, and taken out of what is crossed and available."""
    world, account, market = isolated()
    order = place(world, account, market_order("1"), NOW_MS)
    move(world, market, Decimal(61_000), NOW_MS)
    (row,) = position_rows(world, account, NOW_MS)
    apart, profit = order.quote / 5, 61_000 - order.quote
    assert Decimal(row["isolatedWallet"]) == apart
    assert Decimal(row["isolatedMargin"]) == apart + profit
    (told,) = balance_views(world, account, NOW_MS, "USDT")
    assert Decimal(told["balance"]) == account.wallet
    assert Decimal(told["crossWalletBalance"]) == Decimal(told["availableBalance"])
    assert Decimal(told["availableBalance"]) == account.wallet - apart
    view = account_view(world, account, NOW_MS, "USDT")
    assert Decimal(view["totalMarginBalance"]) == account.wallet + profit
    assert Decimal(view["totalInitialMargin"]) == Decimal(61_000) / 5
    assert Decimal(view["totalCrossUnPnl"]) == 0


@pytest.mark.parametrize("units", ["1", "-1", "8"])
def test_it_is_closed_by_its_own_margin_and_loses_no_more(units: str) -> None:
    """At its liquidation price; the rest of the wallet is as it was however far the price goes."""
    world, account, market = isolated("1000000")
    place(world, account, market_order(units), NOW_MS)
    held = account.holdings["BTCUSDT"]
    price = liquidation_price(world, account, "BTCUSDT", account.wallet, account.holdings)
    market.mark = price
    own = isolated_of(world, account)
    assert abs(own.balance - own.maintenance) < Decimal("0.0001")
    way = 1 if held.units > 0 else -1
    move(world, market, price + way * market.contract.tick, NOW_MS)
    assert account.holdings
    rest = account.wallet - held.margin
    move(world, market, price * (1 - way * Decimal("0.2")), NOW_MS)
    assert account.holdings == {}
    assert account.wallet == rest


def test_funding_is_paid_out_of_its_own_margin() -> None:
    """Wallet and margin move by the same."""
    world, account, market = isolated()
    place(world, account, market_order("1"), NOW_MS)
    wallet, margin = account.wallet, account.holdings["BTCUSDT"].margin
    pay_funding(world, market, 0, NOW_MS, Decimal("0.001"))
    assert account.wallet == wallet - 60
    assert account.holdings["BTCUSDT"].margin == margin - 60


def test_what_is_set_apart_must_be_there() -> None:
    """At 5x, a fifth of the position and its fee."""
    world, account, _ = isolated("12000")
    with pytest.raises(Refused) as refused:
        place(world, account, market_order("1"), NOW_MS)
    assert refused.value.code == -2019
    place(world, account, market_order("0.9"), NOW_MS)


def test_an_order_that_turns_the_position_needs_margin_too() -> None:
    """What the closed part has lost is gone, and the opened one may not be set apart from it."""
    world, account, market = isolated("12500")
    place(world, account, market_order("1"), NOW_MS)
    move(world, market, Decimal(49_000), NOW_MS)
    with pytest.raises(Refused) as refused:
        place(world, account, market_order("-1.9"), NOW_MS)
    assert refused.value.code == -2019
    place(world, account, market_order("-1"), NOW_MS)
    assert account.holdings == {}


# -- hedge mode ------------------------------------------------------------------------------------


def test_both_sides_are_held_and_told_apart() -> None:
    """Each with its units, its profit and its margin."""
    world, account, market = hedged()
    place(world, account, side("1", "LONG"), NOW_MS)
    place(world, account, side("-0.4", "SHORT"), NOW_MS)
    move(world, market, Decimal(61_000), NOW_MS)
    rows = {row["positionSide"]: row for row in position_rows(world, account, NOW_MS)}
    assert {name: row["positionAmt"] for name, row in rows.items()} == {
        "LONG": "1",
        "SHORT": "-0.4",
    }
    assert (
        Decimal(rows["LONG"]["unRealizedProfit"]) > 0 > Decimal(rows["SHORT"]["unRealizedProfit"])
    )
    margin = margin_of(world, account)
    assert margin.positions_initial == Decimal(61_000) * Decimal("1.4") / 5
    assert {trade.position_side for trade in account.trades} == {"LONG", "SHORT"}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (market_order("1"), -4061),
        (side("1", "ODD"), -4060),
        (side("-1", "LONG", reduce_only=True), -1106),
        (side("-3", "LONG"), -2022),
        (side("1", "SHORT"), -2022),
    ],
)
def test_what_does_not_fit_hedge_mode_is_refused(asked: NewOrder, code: int) -> None:
    """An order that closes is never cut, and never turns a side round."""
    world, account, _ = hedged()
    place(world, account, side("2", "LONG"), NOW_MS)
    with pytest.raises(Refused) as refused:
        place(world, account, asked, NOW_MS)
    assert refused.value.code == code


def test_an_order_that_closes_is_reduce_only() -> None:
    """It needs no margin, and a side that is closed is gone."""
    world, account, _ = hedged()
    place(world, account, side("2", "LONG"), NOW_MS)
    place(world, account, side("-2", "SHORT"), NOW_MS)
    order = place(world, account, side("2", "SHORT"), NOW_MS)
    assert order.reduce_only
    assert set(account.holdings) == {LONG}


@pytest.mark.parametrize(("long", "short"), [("7", "-1"), ("1", "-7")])
def test_the_liquidation_price_counts_both_sides(long: str, short: str) -> None:
    """At it the margin is just the maintenance of both; a tick further both are closed."""
    world, account, market = hedged()
    place(world, account, side(long, "LONG"), NOW_MS)
    place(world, account, side(short, "SHORT"), NOW_MS)
    key, way = (LONG, -1) if abs(Decimal(long)) > abs(Decimal(short)) else (SHORT, 1)
    price = liquidation_price(world, account, key, account.wallet, account.holdings)
    move(world, market, price - way * market.contract.tick, NOW_MS)
    assert len(account.holdings) == 2
    move(world, market, price + way * market.contract.tick, NOW_MS)
    assert key not in account.holdings


def test_a_side_is_deleveraged_alone() -> None:
    """The other one stays."""
    world, account, market = hedged()
    place(world, account, side("1", "LONG"), NOW_MS)
    place(world, account, side("-1", "SHORT"), NOW_MS)
    deleverage(world, account, market, Decimal("0.4"), Decimal(60_000), NOW_MS, "SHORT")
    assert account.holdings[SHORT].units == Decimal("-0.6")
    assert account.holdings[LONG].units == 1


# -- multi-asset mode ------------------------------------------------------------------------------


def test_other_assets_are_margin_in_multi_asset_mode_alone() -> None:
    """At the index and less a share; what is no collateral counts for nothing."""
    world, account, _ = one_account()
    for asset, amount in (("BTC", "1"), ("BNFCR", "500"), ("ODD", "9")):
        pay(world, account, "TRANSFER", Decimal(amount), NOW_MS, asset=asset)
    assert margin_of(world, account).available == 100_000
    account.is_multi_asset = True
    assert margin_of(world, account).available == 100_000 + 57_000 + 500
    place(world, account, market_order("12"), NOW_MS)
    told = {row["asset"]: row["balance"] for row in balance_views(world, account, NOW_MS, "USDT")}
    assert told == {
        "USDT": f"{account.wallet:zf}",
        "BTC": "1",
        "BNFCR": "500",
        "ODD": "9",
    }


@example(TURNED, False, True)
@given(
    st.lists(
        st.tuples(
            st.integers(-900, 900).filter(bool),
            st.sampled_from(["LONG", "SHORT"]),
            st.integers(48_000, 72_000),
        ),
        max_size=12,
    ),
    st.booleans(),
    st.booleans(),
)
def test_the_books_add_up_in_every_mode(
    orders: list[tuple[int, str, int]], is_hedge: bool, is_isolated: bool
) -> None:
    """The wallet is its movements, and what is set apart is never more than it."""
    world, account, market = one_account(wallet="30000")
    account.is_hedge = is_hedge
    if is_isolated:
        account.isolated.append("BTCUSDT")
    for lots, name, price in orders:
        move(world, market, Decimal(price), NOW_MS)
        try:
            units = str(Decimal(lots) / 1_000)
            asked = side(units, name) if is_hedge else market_order(units)
            place(world, account, asked, NOW_MS)
        except Refused:
            continue
    assert account.wallet == 30_000 + sum(income.amount for income in account.incomes)
    for key, held in account.holdings.items():
        trades = [
            one
            for one in account.trades
            if key in {one.symbol, f"{one.symbol}:{one.position_side}"}
        ]
        assert held.units == sum(one.units for one in trades)
        assert held.margin >= 0
        assert (held.margin > 0) == is_isolated
    assert account.wallet >= sum(held.margin for held in account.holdings.values())
