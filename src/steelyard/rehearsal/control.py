"""The control port, by which a user of the rehearsal moves prices, pays funding and sets faults.

It speaks plain HTTP with JSON on loopback, beside the exchange, and its clients do not see it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
from aiohttp import web

from steelyard.errors import InputError
from steelyard.rehearsal.account_entries import pay
from steelyard.rehearsal.account_views import position_rows
from steelyard.rehearsal.exchange import QUOTE, Exchange
from steelyard.rehearsal.fault_rules import FaultRules, rule_of
from steelyard.rehearsal.records import Account, Change, Market
from steelyard.rehearsal.streams import Streams
from steelyard.rehearsal.upkeep import deleverage, move, pay_funding
from steelyard.rehearsal.views import text

__all__ = ["CONTROLS", "Control"]

Given = dict[str, Any]


class Control:
    """The control port of one exchange."""

    def __init__(self, exchange: Exchange, faults: FaultRules, streams: Streams) -> None:
        self.exchange, self.faults, self.streams = exchange, faults, streams

    def app(self) -> web.Application:
        """The application that serves it."""
        app = web.Application()
        for (method, path), act in CONTROLS.items():
            app.router.add_route(method, path, self._handler(act))
        return app

    def _handler(self, act: Callable[[Control, Given], Any]) -> Any:  # noqa: ANN401 (aiohttp's)
        async def handle(request: web.Request) -> web.Response:
            if "Origin" in request.headers:  # refuse requests from pages in a browser
                return web.json_response({"error": "no pages"}, status=403)
            body = await request.read()
            try:
                given = _object(body)
                self.exchange.advance()
                said, status = act(self, given), 200
                self.exchange.commit()
            except (InputError, ValueError, KeyError, InvalidOperation) as error:
                said, status = {"error": f"{type(error).__name__}: {error}"}, 400
            return web.json_response(body=orjson.dumps(said), status=status)

        return handle

    def market(self, given: Given) -> Market:
        """The market that the request names."""
        return self.exchange.world.markets[given["symbol"]]

    def account(self, given: Given) -> Account:
        """The account that the request names."""
        return self.exchange.world.accounts[given["account"]]


def _object(body: bytes) -> Given:
    given = orjson.loads(body) if body else {}
    if not isinstance(given, dict):
        raise InputError("expected a JSON object.")
    return given


def _state(control: Control, _: Given) -> Any:  # noqa: ANN401 (JSON)
    """The complete present state, without lag."""
    exchange = control.exchange
    now, world = exchange.now_ms(), exchange.world
    accounts = {
        name: {
            "wallet": text(account.wallet),
            "positions": {
                key: {"units": text(held.units), "cost": text(held.cost)}
                for key, held in account.holdings.items()
            },
            "orders": len(account.orders),
            "open": len(account.open_ids),
            "trades": len(account.trades),
            "risk": position_rows(world, account, now),
        }
        for name, account in world.accounts.items()
    }
    markets = {
        symbol: {"mark": text(market.mark), "index": text(market.index)}
        for symbol, market in world.markets.items()
    }
    rules = [asdict(rule) for rule in control.faults.rules]
    return {
        "time": now,
        "market_time": exchange.clock.at(now),
        "markets": markets,
        "accounts": accounts,
        "faults": rules,
        "lag_ms": world.lag_ms,
        "banned_until": exchange.throttle.banned_until_ms,
        "asked_while_banned": exchange.throttle.asked_while_banned,
        "sockets": {"open": control.streams.there, "opened": control.streams.opened},
    }


def _price(control: Control, given: Given) -> Any:  # noqa: ANN401 (JSON)
    """Move a price, and set the premium of the mark over it as a share of the price."""
    market, exchange = control.market(given), control.exchange
    if "premium" in given:
        market.premium = Decimal(str(given["premium"]))
    index = Decimal(str(given.get("price", market.index)))
    if not index.is_finite() or index <= 0:
        raise InputError(f"expected a price above 0, found {index}.")
    move(exchange.world, market, index, exchange.now_ms())
    return {"mark": text(market.mark), "index": text(market.index)}


def _funding(control: Control, given: Given) -> Any:  # noqa: ANN401 (JSON)
    """Make a funding payment fall due now, at a given rate."""
    market, exchange = control.market(given), control.exchange
    rate = Decimal(str(given["rate"]))
    now = exchange.now_ms()
    pay_funding(exchange.world, market, exchange.walked_ms, now, rate)
    return {"rate": text(rate), "mark": text(market.mark)}


def _adl(control: Control, given: Given) -> Any:  # noqa: ANN401 (JSON)
    """Deleverage an account: close part of its position because of another account's loss."""
    market, account = control.market(given), control.account(given)
    price = Decimal(str(given.get("price", market.mark)))
    units = Decimal(str(given["units"]))
    exchange, side = control.exchange, str(given.get("side", "BOTH"))
    order = deleverage(exchange.world, account, market, units, price, exchange.now_ms(), side)
    return {"order": None if order is None else order.order_id}


def _transfer(control: Control, given: Given) -> Any:  # noqa: ANN401 (JSON)
    """Transfer an amount into an account (negative: out of it)."""
    account, amount = control.account(given), Decimal(str(given["amount"]))
    exchange, asset = control.exchange, str(given.get("asset", QUOTE))
    other = "" if asset == QUOTE else asset
    pay(exchange.world, account, "TRANSFER", amount, exchange.now_ms(), asset=other)
    return {"wallet": text(account.wallet if asset == QUOTE else account.assets[asset])}


def _permissions(control: Control, given: Given) -> Any:  # noqa: ANN401 (JSON)
    """Set the permissions of the account's keys."""
    account = control.account(given)
    known, wanted = account.permissions, given["permissions"]
    for name, value in wanted.items():
        if name not in known or not isinstance(value, bool):
            raise InputError(f"expected permissions among {', '.join(known)}, found {name}.")
    account.permissions = {**known, **wanted}
    control.exchange.world.changes.append(Change(account.name, account, "CONFIG"))
    return account.permissions


def _fault(control: Control, given: Given) -> Any:  # noqa: ANN401 (JSON)
    """Add the rule of a fault."""
    control.faults.rules.append(rule_of(given, "fault"))
    return {"faults": len(control.faults.rules)}


def _no_faults(control: Control, _: Given) -> Any:  # noqa: ANN401 (JSON)
    """Remove all rules of faults, and end a ban and a lag."""
    control.faults.rules.clear()
    control.exchange.throttle.ban(0)
    control.exchange.world.lag_ms = 0
    return {"faults": 0}


def _lag(control: Control, given: Given) -> Any:  # noqa: ANN401 (JSON)
    """Set how much later than it happens look-ups show a change."""
    control.exchange.world.lag_ms = max(0, int(given["ms"]))
    return {"lag_ms": control.exchange.world.lag_ms}


def _clock(control: Control, given: Given) -> Any:  # noqa: ANN401 (JSON)
    """Set the exchange's clock ahead of the machine's (negative: behind it)."""
    control.exchange.skew_ms = int(given["skew_ms"])
    return {"time": control.exchange.now_ms()}


def _streams(control: Control, given: Given) -> Any:  # noqa: ANN401 (JSON)
    """Cut all sockets, silence them for a while, or expire all listen keys."""
    exchange, streams = control.exchange, control.streams
    if given.get("expire"):
        exchange.listen_keys = {key: (who, 0) for key, (who, _) in exchange.listen_keys.items()}
    streams.silent_until_ms = exchange.now_ms() + int(given.get("silent_ms", 0))
    return {"cut": streams.cut() if given.get("cut") else 0}


def _limits(control: Control, given: Given) -> Any:  # noqa: ANN401 (JSON)
    """Set the limits: request weight per minute, and orders per ten seconds and per minute."""
    throttle = control.exchange.throttle
    for name in ("weight_limit", "orders_per_ten_seconds", "orders_per_minute"):
        setattr(throttle, name, int(given.get(name, getattr(throttle, name))))
    return {"rateLimits": throttle.rate_limits()}


CONTROLS: dict[tuple[str, str], Callable[[Control, Given], Any]] = {
    ("GET", "/state"): _state,
    ("POST", "/price"): _price,
    ("POST", "/funding"): _funding,
    ("POST", "/adl"): _adl,
    ("POST", "/transfer"): _transfer,
    ("POST", "/permissions"): _permissions,
    ("POST", "/fault"): _fault,
    ("DELETE", "/fault"): _no_faults,
    ("POST", "/lag"): _lag,
    ("POST", "/clock"): _clock,
    ("POST", "/streams"): _streams,
    ("POST", "/limits"): _limits,
}
"""All actions of the control port; the documentation lists them."""
