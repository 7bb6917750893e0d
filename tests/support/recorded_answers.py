"""Answers of the rehearsal exchange, recorded: the requests, and the file that keeps them.

A clock that stands still, a price by hand and one account, so that every answer is the same each
time. ``python tests/recorded/record.py`` writes them anew.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import tempfile
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from steelyard.rehearsal.answering import HttpRequest, answer
from steelyard.rehearsal.credentials import credentials_of
from steelyard.rehearsal.exchange import Exchange, SetUp
from steelyard.rehearsal.exchange_file import ExchangeFile
from steelyard.rehearsal.price_feeds import HandFeed
from steelyard.rehearsal.upkeep import deleverage, move, pay_funding

__all__ = ["FILE", "answers", "kept", "written"]

FILE = Path(__file__).resolve().parents[1] / "recorded" / "binanceusdm.json"
NOW_MS = 1_584_000_000_000
MINUTE_MS = 60_000
BTC = {"symbol": "BTCUSDT"}
SET_UP = SetUp((HandFeed("BTCUSDT", Decimal(60_000)),), ("main",), Decimal(100_000))
BUY = {**BTC, "side": "BUY", "type": "MARKET", "quantity": "5", "newOrderRespType": "RESULT"}
REST = {**BTC, "side": "SELL", "type": "LIMIT", "timeInForce": "GTC", "quantity": "0.05"}
REST |= {"price": "62000", "newClientOrderId": "sy-BTC3L-2-1", "newOrderRespType": "RESULT"}
MANY = {**BUY, "quantity": "100"}
NONE = {**BTC, "origClientOrderId": "none"}

Request = tuple[str, str, str, dict[str, Any]]
BEFORE: tuple[Request, ...] = (
    ("leverage", "POST", "/fapi/v1/leverage", {**BTC, "leverage": 5}),
    ("order taken", "POST", "/fapi/v1/order", {**BUY, "newClientOrderId": "sy-BTC3L-1-1"}),
    ("order that rests", "POST", "/fapi/v1/order", REST),
    ("openOrders", "GET", "/fapi/v1/openOrders", BTC),
    ("openOrder", "GET", "/fapi/v1/openOrder", {**BTC, "origClientOrderId": "sy-BTC3L-2-1"}),
    ("positionRisk with an order", "GET", "/fapi/v3/positionRisk", BTC),
    ("order cancelled", "DELETE", "/fapi/v1/order", {**BTC, "origClientOrderId": "sy-BTC3L-2-1"}),
    ("refused: no margin", "POST", "/fapi/v1/order", MANY),
    ("refused: no such order", "GET", "/fapi/v1/order", NONE),
    ("refused: out of its time", "GET", "/fapi/v3/balance", {"timestamp": NOW_MS - 60_000}),
    ("refused: no such path", "GET", "/fapi/v1/nothing", {}),
)
AFTER: tuple[Request, ...] = (
    ("order", "GET", "/fapi/v1/order", {**BTC, "origClientOrderId": "sy-BTC3L-1-1"}),
    ("allOrders", "GET", "/fapi/v1/allOrders", BTC),
    ("userTrades", "GET", "/fapi/v1/userTrades", BTC),
    ("forceOrders", "GET", "/fapi/v1/forceOrders", BTC),
    ("income", "GET", "/fapi/v1/income", {}),
    ("positionRisk 3", "GET", "/fapi/v3/positionRisk", {}),
    ("positionRisk 2", "GET", "/fapi/v2/positionRisk", {}),
    ("balance", "GET", "/fapi/v3/balance", {}),
    ("account 3", "GET", "/fapi/v3/account", {}),
    ("account 2", "GET", "/fapi/v2/account", {}),
    ("adlQuantile", "GET", "/fapi/v1/adlQuantile", {}),
    ("time", "GET", "/fapi/v1/time", {}),
    ("exchangeInfo", "GET", "/fapi/v1/exchangeInfo", {}),
    ("depth", "GET", "/fapi/v1/depth", {**BTC, "limit": 5}),
    ("premiumIndex", "GET", "/fapi/v1/premiumIndex", BTC),
    ("fundingRate", "GET", "/fapi/v1/fundingRate", BTC),
    ("bookTicker", "GET", "/fapi/v1/ticker/bookTicker", BTC),
    ("24hr", "GET", "/fapi/v1/ticker/24hr", BTC),
    ("klines", "GET", "/fapi/v1/klines", {**BTC, "interval": "1m"}),
    ("leverageBracket", "GET", "/fapi/v1/leverageBracket", BTC),
    ("commissionRate", "GET", "/fapi/v1/commissionRate", BTC),
    ("symbolConfig", "GET", "/fapi/v1/symbolConfig", BTC),
    ("accountConfig", "GET", "/fapi/v1/accountConfig", {}),
    ("rateLimit/order", "GET", "/fapi/v1/rateLimit/order", {}),
    ("positionSide/dual", "GET", "/fapi/v1/positionSide/dual", {}),
    ("multiAssetsMargin", "GET", "/fapi/v1/multiAssetsMargin", {}),
    ("feeBurn", "GET", "/fapi/v1/feeBurn", {}),
    ("apiRestrictions", "GET", "/sapi/v1/account/apiRestrictions", {}),
)


def answers() -> dict[str, Any]:
    """Ask for all of them anew: by their names, each with its request, status, limits and body."""
    found: dict[str, Any] = {}
    time = [NOW_MS]
    with (
        tempfile.TemporaryDirectory() as folder,
        closing(ExchangeFile(Path(folder) / "x.db")) as store,
    ):
        exchange = Exchange(SET_UP, store, lambda: time[0])
        found.update(_ask(exchange, each, time[0]) for each in BEFORE)
        time[0] += MINUTE_MS
        (market,) = exchange.world.markets.values()
        move(exchange.world, market, Decimal(61_000), time[0])
        pay_funding(exchange.world, market, 0, time[0], Decimal("0.0001"))
        account = exchange.world.accounts["main"]
        deleverage(exchange.world, account, market, Decimal(2), market.mark, time[0])
        exchange.commit()
        found.update(_ask(exchange, each, time[0]) for each in AFTER)
    return found


def _file(folder: str) -> ExchangeFile:
    return ExchangeFile(Path(folder) / "exchange.db")


def _ask(exchange: Exchange, request: Request, now_ms: int) -> tuple[str, dict[str, Any]]:
    name, method, path, params = request
    plain, _ = credentials_of("main", 0)
    text = urlencode({"timestamp": now_ms, **params})
    mark = hmac.new(plain.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    asked = HttpRequest(method, path, f"{text}&signature={mark}", api_key=plain.api_key)
    given = answer(exchange, asked)
    said = {"request": f"{method} {path}", "params": params, "status": given.status}
    return name, {**said, "headers": given.headers, "body": json.loads(given.body)}


def written(found: dict[str, Any]) -> str:
    """The text of the file."""
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def kept() -> Iterator[tuple[str, dict[str, Any]]]:
    """What the file keeps, by its names."""
    yield from json.loads(FILE.read_text(encoding="utf-8")).items()
