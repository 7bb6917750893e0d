"""From a request to its answer, without a network: limits, key, time, signature, then the call."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import parse_qsl

import orjson

from steelyard.rehearsal.calls import Call
from steelyard.rehearsal.credentials import check_signature, check_time
from steelyard.rehearsal.exchange import Exchange
from steelyard.rehearsal.records import Account
from steelyard.rehearsal.refusals import Refused
from steelyard.rehearsal.routes import ROUTES, Needs, Route, weight_of

__all__ = ["HttpAnswer", "HttpRequest", "answer"]

NOBODY = Account("")
API_KEY_LENGTH = 64


@dataclass(frozen=True)
class HttpRequest:
    """A request as it was received."""

    method: str
    path: str
    query: str = ""
    body: str = ""
    api_key: str = ""
    ip: str = "127.0.0.1"

    @cached_property
    def params(self) -> dict[str, str]:
        """The parameters of the query and of the body."""
        pairs = parse_qsl(self.query, keep_blank_values=True)
        return dict(pairs + parse_qsl(self.body, keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The answer to a request."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "application/json"


def answer(exchange: Exchange, asked: HttpRequest) -> HttpAnswer:
    """Carry a request out; its changes are stored before this returns."""
    now = exchange.advance()
    owner = None
    try:
        route = _route(asked)
        weight = weight_of(asked.path, route, asked.params)
        exchange.throttle.weigh(weight, now, asked.ip)
        account = _who(exchange, route, asked, now)
        if route.is_order:
            owner = account.name
            exchange.throttle.count_order(owner, now)
        found = route.answer(Call(exchange, account, asked.params, now))
    except Refused as refused:
        headers = exchange.throttle.headers(owner, now)
        if refused.retry_after_s is not None:
            headers["Retry-After"] = str(refused.retry_after_s)
        words = {"code": refused.code, "msg": refused.message}
        return HttpAnswer(refused.status, orjson.dumps(words), headers)
    exchange.commit()
    return HttpAnswer(200, orjson.dumps(found), exchange.throttle.headers(owner, now))


def _route(asked: HttpRequest) -> Route:
    route = ROUTES.get((asked.method, asked.path))
    if route is None:
        raise Refused("unknown_path", path=asked.path, method=asked.method)
    return route


def _who(exchange: Exchange, route: Route, asked: HttpRequest, now: int) -> Account:
    """The account of a request, whose key, time and signature are checked as the route requires."""
    if route.needs == Needs.NOTHING:
        return NOBODY
    if len(asked.api_key) != API_KEY_LENGTH:
        raise Refused("no_key")
    credential = exchange.credentials.get(asked.api_key)
    if credential is None:
        raise Refused("bad_key", ip=asked.ip)
    account = exchange.world.accounts[credential.account]
    if route.needs == Needs.SIGNATURE:
        call = Call(exchange, account, asked.params, now)
        stamp = call.needed_whole("timestamp")
        check_signature(credential, asked.query, asked.body)
        check_time(stamp, call.whole("recvWindow"), now)
    return account
