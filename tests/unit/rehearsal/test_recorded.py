"""The recorded answers: they are what the exchange answers now, and ccxt reads each of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import ccxt
import pytest

from support.recorded_answers import FILE, answers, kept, written

KEPT = dict(kept())
PAIR = "BTC/USDT:USDT"


@pytest.fixture(scope="module")
def client() -> Any:
    """An unmodified ccxt that knows the recorded contract; it asks nobody."""
    made = ccxt.binanceusdm()
    made.set_markets([made.parse_market(KEPT["exchangeInfo"]["body"]["symbols"][0])])
    made.options["leverageBrackets"] = {PAIR: [["0", "0.004"], ["300000", "0.005"]]}
    return made


def test_they_are_what_the_exchange_answers_now() -> None:
    """To the last digit; ``python tests/recorded/record.py`` writes them anew."""
    assert FILE.read_text(encoding="utf-8") == written(answers())


def body(name: str) -> Any:
    """A recorded answer."""
    return KEPT[name]["body"]


def first(name: str) -> Any:
    """The first row of a recorded list."""
    return body(name)[0]


def of_kind(kind: str) -> Any:
    """The first movement of money of a kind."""
    return next(row for row in body("income") if row["incomeType"] == kind)


FORCED = {"baseValue", "contractSize"}
STOPS = {"stopLossPrice", "takeProfitPrice"}
ORDER = {*STOPS, "fee", "stopPrice", "triggerPrice"}
UNFILLED = {*ORDER, "average", "lastTradeTimestamp"}
BOOK_ONLY = {"average", "baseVolume", "change", "close", "high", "indexPrice", "last", "low"}
BOOK_ONLY |= {"markPrice", "open", "percentage", "previousClose", "quoteVolume", "vwap"}
DAY_ONLY = {"ask", "askVolume", "bid", "bidVolume", "indexPrice", "markPrice", "previousClose"}
NEXT = {"Datetime", "Rate", "Timestamp"}
FUNDING = {"interval", *(f"{when}Funding{what}" for when in ("next", "previous") for what in NEXT)}
ENTRY = {"account", "after", "before", "fee", "referenceAccount", "referenceId", "status"}
EMPTY: dict[str, tuple[Callable[[Any, Any], dict[str, Any]], set[str]]] = {
    "order taken": (lambda c, m: c.parse_order(body("order taken"), m), ORDER),
    "order that rests": (lambda c, m: c.parse_order(body("order that rests"), m), UNFILLED),
    "order cancelled": (lambda c, m: c.parse_order(body("order cancelled"), m), UNFILLED),
    "order": (lambda c, m: c.parse_order(body("order"), m), ORDER),
    "openOrder": (lambda c, m: c.parse_order(body("openOrder"), m), UNFILLED),
    "openOrders": (lambda c, m: c.parse_order(first("openOrders"), m), UNFILLED),
    "allOrders": (lambda c, m: c.parse_order(first("allOrders"), m), ORDER),
    "forceOrders": (lambda c, m: c.parse_liquidation(first("forceOrders"), m), FORCED),
    "userTrades": (lambda c, m: c.parse_trade(first("userTrades"), m), {"type"}),
    "income": (lambda c, m: c.parse_income(of_kind("FUNDING_FEE"), m), set()),
    "income as a ledger": (lambda c, _: c.parse_ledger_entry(of_kind("TRANSFER")), ENTRY),
    "positionRisk 3": (
        lambda c, m: c.parse_position_risk(first("positionRisk 3"), m),
        {*STOPS, "id", "leverage"},
    ),
    "positionRisk 2": (
        lambda c, m: c.parse_position_risk(first("positionRisk 2"), m),
        {*STOPS, "id"},
    ),
    "account 3": (
        lambda c, _: c.parse_account_positions(body("account 3"))[0],
        {
            "entryPrice",
            "id",
            "initialMarginPercentage",
            "leverage",
            "liquidationPrice",
            "markPrice",
        },
    ),
    "account 2": (
        lambda c, _: c.parse_account_positions(body("account 2"))[0],
        {"id", "markPrice", "notional"},
    ),
    "balance": (lambda c, _: c.parse_balance_custom(body("balance"), "linear")["USDT"], set()),
    "account 3's balance": (
        lambda c, _: c.parse_balance_custom(body("account 3"), "linear")["USDT"],
        set(),
    ),
    "depth": (lambda c, _: c.parse_order_book(body("depth"), PAIR, body("depth")["T"]), {"nonce"}),
    "premiumIndex": (lambda c, m: c.parse_funding_rate(body("premiumIndex"), m), FUNDING),
    "bookTicker": (lambda c, m: c.parse_ticker(body("bookTicker"), m), BOOK_ONLY),
    "24hr": (lambda c, m: c.parse_ticker(body("24hr"), m), DAY_ONLY),
    "leverageBracket": (
        lambda c, m: c.parse_market_leverage_tiers(first("leverageBracket"), m)[0],
        set(),
    ),
    "commissionRate": (
        lambda c, m: c.parse_trading_fee(body("commissionRate"), m),
        {"percentage", "tierBased"},
    ),
    "symbolConfig": (lambda c, m: c.parse_leverage(first("symbolConfig"), m), set()),
    "symbolConfig's mode": (lambda c, m: c.parse_margin_mode(first("symbolConfig"), m), set()),
    "exchangeInfo": (
        lambda c, _: c.parse_market(body("exchangeInfo")["symbols"][0]),
        {"expiry", "expiryDatetime", "optionType", "strike"},
    ),
}
"""How ccxt reads each answer, and which of its fields stay empty: Binance does not tell them."""


@pytest.mark.parametrize("name", EMPTY)
def test_ccxt_finds_each_field_that_it_looks_for(client: Any, name: str) -> None:
    """A field that was called otherwise, or was left out, would be one more that is empty."""
    read, empty = EMPTY[name]
    found = read(client, client.market(PAIR))
    assert {field for field, value in found.items() if value is None} == empty


def test_ccxt_reads_the_amounts_that_were_answered(client: Any) -> None:
    """Sizes, prices, fees and profits, each in the field that it is meant for."""
    market = client.market(PAIR)
    order = client.parse_order(body("order taken"), market)
    trade = client.parse_trade(first("userTrades"), market)
    assert (order["filled"], order["remaining"], order["status"]) == (5, 0, "closed")
    assert order["cost"] == float(body("order taken")["cumQuote"]) == trade["cost"]
    assert trade["fee"] == {"currency": "USDT", "cost": float(first("userTrades")["commission"])}
    position = client.parse_position_risk(first("positionRisk 3"), market)
    assert (position["contracts"], position["side"], position["notional"]) == (3, "long", 183_000)
    assert position["initialMargin"] == 183_000 / 5
    assert client.parse_income(of_kind("FUNDING_FEE"), market)["amount"] == -5 * 61_000 * 0.0001
    lost = client.parse_liquidation(first("forceOrders"), market)
    assert (lost["contracts"], lost["side"], lost["price"]) == (2, "sell", 61_000)
    (candle,) = [client.parse_ohlcv(row, market) for row in body("klines")[:1]]
    assert candle[1:] == [60_000, 60_000, 60_000, 60_000, 5]


def test_ccxt_names_each_refusal(client: Any) -> None:
    """By the class that it has for the code."""
    names = {
        "refused: no margin": "InsufficientFunds",
        "refused: no such order": "OrderNotFound",
        "refused: out of its time": "InvalidNonce",
        "refused: no such path": "ExchangeError",
    }
    for name, error in names.items():
        kept_one = KEPT[name]
        text = json.dumps(kept_one["body"])
        url = f"https://fapi.binance.com{kept_one['request'].split()[1]}"
        with pytest.raises(ccxt.BaseError) as raised:
            client.handle_errors(
                kept_one["status"], "", url, "GET", {}, text, kept_one["body"], {}, ""
            )
        assert type(raised.value).__name__ == error
