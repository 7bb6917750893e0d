"""The control port: whoever rehearses moves prices, pays funding and orders faults by it.

Plain HTTP with JSON, on loopback, beside the exchange and unknown to its clients.
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
from steelyard.rehearsal.exchange import Exchange
from steelyard.rehearsal.fault_rules import FaultRules, rule_of
from steelyard.rehearsal.records import Account, Change, Market
from steelyard.rehearsal.streams import Streams
from steelyard.rehearsal.upkeep import deleverage, move, pay_funding
from steelyard.rehearsal.views import text

__all__ = ["CONTROLS", "Control"]

Given = dict[str, Any]


class Control:
    """What the control port does."""

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
            if "Origin" in request.headers:  # a page in a browser has no business here
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
        """The market that is named."""
        return self.exchange.world.markets[given["symbol"]]

    def account(self, given: Given) -> Account:
        """The account that is named."""
        return self.exchange.world.accounts[given["account"]]


def _object(body: bytes) -> Given:
    given = orjson.loads(body) if body else {}
    if not isinstance(given, dict):
        raise InputError("expected a JSON object.")
    return given


def _state(control: Control, _: Given) -> Any:  # noqa: ANN401 (JSON)
    """Everything as it is, without lag."""
    exchange = control.exchange
    now, world = exchange.now_ms(), exchange.world
    accounts = {
        name: {
            "wallet": text(account.wallet),
            "positions": {
                symbol: {"units": text(held.units), "cost": text(held.cost)}
                for symbol, held in account.holdings.items()
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
        "sockets": {"open": control.streams.there, "opened": control.streams.opened},
    }


def _price(control: Control, given: Given) -> Any:  # noqa: ANN401 (JSON)
    """Move a price, and by how much of it the mark lies above."""
    market, exchange = control.market(given), control.exchange
    if "premium" in given:
        market.premium = Decimal(str(given["premium"]))
    index = Decimal(str(given.get("price", market.index)))
    if not index.is_finite() or index <= 0:
        raise InputError(f"expected a price above 0, found {index}.")
    move(exchange.world, market, index, exchange.now_ms())
    return {"mark": text(market.mark), "index": text(market.index)}


def _funding(control: Control, given: Given) -> Any:  # noqa: ANN401 (JSON)
    """Let a funding payment fall due now, at a given rate."""
    market, exchange = control.market(given), control.exchange
    rate = Decimal(str(given["rate"]))
    now = exchange.now_ms()
    pay_funding(exchange.world, market, exchange.walked_ms, now, rate)
    return {"rate": text(rate), "mark": text(market.mark)}


def _adl(control: Control, given: Given) -> Any:  # noqa: ANN401 (JSON)
    """Deleverage an account: a part of its position is closed for another's loss."""
    market, account = control.market(given), control.account(given)
    price = Decimal(str(given.get("price", market.mark)))
    units = Decimal(str(given["units"]))
    exchange = control.exchange
    order = deleverage(exchange.world, account, market, units, price, exchange.now_ms())
    return {"order": None if order is None else order.order_id}


def _transfer(control: Control, given: Given) -> Any:  # noqa: ANN401 (JSON)
    """Pay into an account (or, below 0, out of it)."""
    account, amount = control.account(given), Decimal(str(given["amount"]))
    exchange = control.exchange
    pay(exchange.world, account, "TRANSFER", amount, exchange.now_ms())
    return {"wallet": text(account.wallet)}


def _permissions(control: Control, given: Given) -> Any:  # noqa: ANN401 (JSON)
    """Set what the account's keys may do."""
    account = control.account(given)
    known, wanted = account.permissions, given["permissions"]
    for name, value in wanted.items():
        if name not in known or not isinstance(value, bool):
            raise InputError(f"expected permissions among {', '.join(known)}, found {name}.")
    account.permissions = {**known, **wanted}
    control.exchange.world.changes.append(Change(account.name, account, "CONFIG"))
    return account.permissions


def _fault(control: Control, given: Given) -> Any:  # noqa: ANN401 (JSON)
    """Order a fault."""
    control.faults.rules.append(rule_of(given, "fault"))
    return {"faults": len(control.faults.rules)}


def _no_faults(control: Control, _: Given) -> Any:  # noqa: ANN401 (JSON)
    """Forget all faults that are still to strike, and end a ban and a lag."""
    control.faults.rules.clear()
    control.exchange.throttle.ban(0)
    control.exchange.world.lag_ms = 0
    return {"faults": 0}


def _lag(control: Control, given: Given) -> Any:  # noqa: ANN401 (JSON)
    """Let look-ups see changes later than they happen."""
    control.exchange.world.lag_ms = max(0, int(given["ms"]))
    return {"lag_ms": control.exchange.world.lag_ms}


def _clock(control: Control, given: Given) -> Any:  # noqa: ANN401 (JSON)
    """Set the exchange's clock ahead of the machine's, or (below 0) behind it."""
    control.exchange.skew_ms = int(given["skew_ms"])
    return {"time": control.exchange.now_ms()}


def _streams(control: Control, given: Given) -> Any:  # noqa: ANN401 (JSON)
    """Cut all sockets, let them be silent for a while, or let all listen keys expire."""
    exchange, streams = control.exchange, control.streams
    if given.get("expire"):
        exchange.listen_keys = {key: (who, 0) for key, (who, _) in exchange.listen_keys.items()}
    streams.silent_until_ms = exchange.now_ms() + int(given.get("silent_ms", 0))
    return {"cut": streams.cut() if given.get("cut") else 0}


def _limits(control: Control, given: Given) -> Any:  # noqa: ANN401 (JSON)
    """Set the request weight a minute and the orders of ten seconds and of a minute."""
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
"""Everything the control port does; the documentation lists it."""
