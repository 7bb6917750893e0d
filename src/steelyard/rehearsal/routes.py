"""The requests of the exchange, their weights, and who may send them.

``docs/reference/rehearsal.md`` lists these paths too, and a test checks that both agree. A path
that is not here is answered as the exchange answers an unknown path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from steelyard.rehearsal import account_calls as own
from steelyard.rehearsal import market_calls as markets
from steelyard.rehearsal import order_calls as orders
from steelyard.rehearsal.calls import MOST_DIGITS, Call

__all__ = ["ROUTES", "Needs", "Route", "weight_of"]


class Needs(StrEnum):
    """The credentials that a request needs."""

    NOTHING = "nothing"
    KEY = "key"
    SIGNATURE = "signature"


class Route(NamedTuple):
    """The handling of one kind of request."""

    answer: Callable[[Call], Any]
    weight: int = 1
    weight_of_all: int | None = None
    """The weight without the parameter ``symbol``; None: the same."""
    needs: Needs = Needs.SIGNATURE
    is_order: bool = False


def _public(
    answer: Callable[[Call], Any], weight: int = 1, weight_of_all: int | None = None
) -> Route:
    return Route(answer, weight, weight_of_all, Needs.NOTHING)


ROUTES: Mapping[tuple[str, str], Route] = {
    ("GET", "/fapi/v1/ping"): _public(markets.ping),
    ("GET", "/fapi/v1/time"): _public(markets.server_time),
    ("GET", "/fapi/v1/exchangeInfo"): _public(markets.contracts),
    ("GET", "/fapi/v1/depth"): _public(markets.depth, 5),
    ("GET", "/fapi/v1/premiumIndex"): _public(markets.premium_index, 1, 10),
    ("GET", "/fapi/v1/fundingRate"): _public(markets.funding_rates, 0),
    ("GET", "/fapi/v1/ticker/bookTicker"): _public(markets.book_ticker, 2, 5),
    ("GET", "/fapi/v1/ticker/24hr"): _public(markets.day_tickers, 1, 40),
    ("GET", "/fapi/v1/klines"): _public(markets.candles, 5),
    ("POST", "/fapi/v1/order"): Route(orders.new_order, 0, is_order=True),
    ("GET", "/fapi/v1/order"): Route(orders.look_up),
    ("DELETE", "/fapi/v1/order"): Route(orders.cancel_order),
    ("GET", "/fapi/v1/openOrder"): Route(orders.open_order),
    ("GET", "/fapi/v1/openOrders"): Route(orders.resting, 1, 40),
    ("DELETE", "/fapi/v1/allOpenOrders"): Route(orders.cancel_all),
    ("GET", "/fapi/v1/allOrders"): Route(orders.all_orders, 5),
    ("GET", "/fapi/v1/userTrades"): Route(orders.trades, 5),
    ("GET", "/fapi/v1/forceOrders"): Route(orders.forced_orders, 20, 50),
    ("GET", "/fapi/v1/income"): Route(orders.incomes, 30),
    ("GET", "/fapi/v2/account"): Route(own.account_with_settings, 5),
    ("GET", "/fapi/v3/account"): Route(own.account, 5),
    ("GET", "/fapi/v2/balance"): Route(own.balances, 5),
    ("GET", "/fapi/v3/balance"): Route(own.balances, 5),
    ("GET", "/fapi/v2/positionRisk"): Route(own.positions_with_settings, 5),
    ("GET", "/fapi/v3/positionRisk"): Route(own.positions, 5),
    ("GET", "/fapi/v1/adlQuantile"): Route(own.adl_quantiles, 5),
    ("GET", "/fapi/v1/leverageBracket"): Route(own.brackets),
    ("GET", "/fapi/v1/commissionRate"): Route(own.commission_rate, 20),
    ("GET", "/fapi/v1/symbolConfig"): Route(own.symbol_configs, 5),
    ("GET", "/fapi/v1/accountConfig"): Route(own.account_config, 5),
    ("GET", "/fapi/v1/rateLimit/order"): Route(own.order_limits),
    ("POST", "/fapi/v1/leverage"): Route(own.set_leverage),
    ("POST", "/fapi/v1/marginType"): Route(own.set_margin_type),
    ("GET", "/fapi/v1/positionSide/dual"): Route(own.position_side, 30),
    ("POST", "/fapi/v1/positionSide/dual"): Route(own.set_position_side),
    ("GET", "/fapi/v1/multiAssetsMargin"): Route(own.assets_mode, 30),
    ("POST", "/fapi/v1/multiAssetsMargin"): Route(own.set_assets_mode),
    ("GET", "/fapi/v1/feeBurn"): Route(own.fee_burn, 30),
    ("POST", "/fapi/v1/feeBurn"): Route(own.set_fee_burn),
    ("POST", "/fapi/v1/listenKey"): Route(own.new_listen_key, needs=Needs.KEY),
    ("PUT", "/fapi/v1/listenKey"): Route(own.keep_listen_key, needs=Needs.KEY),
    ("DELETE", "/fapi/v1/listenKey"): Route(own.close_listen_key, needs=Needs.KEY),
    ("GET", "/sapi/v1/account/apiRestrictions"): Route(own.permissions),
    ("GET", "/sapi/v1/capital/config/getall"): Route(own.coins, 10),
    ("GET", "/sapi/v1/margin/allPairs"): Route(own.coins, needs=Needs.KEY),
}
LONG_LISTS = {
    "/fapi/v1/depth": (((50, 2), (100, 5), (500, 10)), 20),
    "/fapi/v1/klines": (((99, 1), (499, 2), (1_000, 5)), 10),
}
"""Weights by the number of rows requested, 500 by default: up to each number, and beyond."""


def weight_of(path: str, route: Route, params: Mapping[str, str]) -> int:
    """The weight of a request: some weigh more without a symbol, and long lists by their rows."""
    if path in LONG_LISTS:
        weights, most = LONG_LISTS[path]
        text = params.get("limit", "500")
        limit = int(text) if text.isdecimal() and len(text) < MOST_DIGITS else 500
        return next((weight for rows, weight in weights if limit <= rows), most)
    if route.weight_of_all is not None and not params.get("symbol"):
        return route.weight_of_all
    return route.weight
