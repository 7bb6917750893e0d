"""What an answer of Binance USD-M says: every row of the table, and through ccxt as it is."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web

from steelyard.errors import Rejected, Unavailable, Unknown, VenueError
from steelyard.venues.exchange.binanceusdm import BINANCE_USDM, OUTCOMES
from steelyard.venues.exchange.client import Client, ExchangeAnswer, open_client
from steelyard.venues.exchange.session import Rehearsal
from steelyard.venues.exchange.venue import ExchangeVenue
from steelyard.venues.protocol import CallOutcome, OrderRequest
from steelyard.venues.secrets import Secrets
from support.answering_server import Asked, answering

pytestmark = pytest.mark.xdist_group("processes")

ERRORS = {
    CallOutcome.REJECTED: Rejected,
    CallOutcome.UNAVAILABLE: Unavailable,
    CallOutcome.UNKNOWN: Unknown,
}
UNKNOWN = "Unknown error, please check your request or try again later."
INTERNAL = "Internal error; unable to process your request. Please try again."
SAMPLES: list[tuple[int, int, int | None, str]] = [
    # row, HTTP status, code, message
    (0, 503, -1000, UNKNOWN),
    (0, 503, None, UNKNOWN),
    (1, 503, -1000, "Service Unavailable."),
    (2, 503, -1001, INTERNAL),
    (2, 503, None, INTERNAL),
    (3, 500, -1001, INTERNAL),
    (4, 408, -1007, "Timeout waiting for response from backend server."),
    (4, 408, None, ""),
    (5, 400, -1000, "An unknown error occurred while processing the request."),
    (5, 503, -1006, "An unexpected response was received. Execution status unknown."),
    (5, 500, -1007, "Timeout waiting for response from backend server."),
    (6, 400, -4116, "ClientOrderId is duplicated."),
    (7, 503, -1008, "Server is currently overloaded with other requests."),
    (7, 429, -1008, "Request throttled by system-level protection."),
    (8, 429, -1003, "Too many requests; current limit is 2400 requests per minute."),
    (8, 418, -1003, "Way too many requests; IP(127.0.0.1) banned until 1795955160000."),
    (8, 429, None, ""),
    (9, 400, -1015, "Too many new orders; current limit is 300 orders per TEN_SECONDS."),
    (9, 400, -1003, "Too many requests queued."),
    (10, 403, None, ""),
    (10, 451, 0, "Service unavailable from a restricted location."),
    (11, 400, -1021, "Timestamp for this request is outside of the recvWindow."),
    (11, 400, -1022, "Signature for this request is not valid."),
    (11, 401, -2014, "API-key format invalid."),
    (11, 401, -2015, "Invalid API-key, IP, or permissions for action."),
    (12, 400, -1102, "Mandatory parameter was not sent, was empty/null, or malformed."),
    (12, 400, -1111, "Precision is over the maximum defined for this asset."),
    (12, 400, -1121, "Invalid symbol."),
    (13, 404, -5000, "Path /fapi/v1/none, Method POST is invalid"),
    (13, 400, -1013, "Invalid quantity."),
    (14, 400, -2019, "Margin is insufficient."),
    (14, 400, -2022, "ReduceOnly Order is rejected."),
    (14, 400, -2013, "Order does not exist."),
    (15, 400, -4164, "Order's notional must be no smaller than 100."),
    (15, 400, -4131, "The counterparty's best price does not meet the PERCENT_PRICE filter limit."),
    (15, 400, -4061, "Order's position side does not match user's setting."),
    (16, 400, -5021, "Due to the order could not be filled immediately, it has been rejected."),
    # no row: what nobody knows is unknown, and so is what is not JSON
    (-1, 400, -9999, "Something new."),
    (-1, 400, None, ""),
    (-1, 500, None, ""),
    (-1, 502, -1001, "Something else."),
    (-1, 503, None, "Please come again."),
    (-1, 504, None, ""),
    (-1, 500, -2019, "Margin is insufficient."),
    (-1, 200, None, ""),
    (-1, 200, -2019, "Margin is insufficient."),
]


def body_of(code: int | None, message: str) -> str:
    """An answer's body: JSON where there is a code or a message, a page of HTML otherwise."""
    if code is None and not message:
        return "<html>nothing to be read</html>"
    said = {"msg": message} if code is None else {"code": code, "msg": message}
    return json.dumps(said)


def expected(row: int) -> CallOutcome:
    """The outcome that a row says; of no row unknown."""
    return OUTCOMES[row].outcome if row >= 0 else CallOutcome.UNKNOWN


def test_every_row_has_a_sample() -> None:
    """None stands in the table untested."""
    assert {row for row, *_ in SAMPLES} == {*range(-1, len(OUTCOMES))}


@pytest.mark.parametrize(("row", "status", "code", "message"), SAMPLES)
def test_an_answer_has_the_outcome_of_the_first_row_it_fits(
    row: int, status: int, code: int | None, message: str
) -> None:
    """By status, code and message, whatever class ccxt gives it."""
    fitting = [place for place, each in enumerate(OUTCOMES) if each.fits(status, code, message)]
    assert (fitting or [-1])[0] == row
    try:
        content = json.loads(body_of(code, message))
    except ValueError:
        content = None
    failure = BINANCE_USDM.failed(ExchangeAnswer(status, content, {}))
    assert failure is not None
    assert failure.outcome is expected(row)
    assert failure.code == ("" if code is None else str(code))


def run(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]],
    act: Callable[[Client], Awaitable[Any]],
    timeout_ms: int = 60_000,
) -> tuple[Any, Asked]:
    """What an act with a real client comes to, and what the server was asked."""

    async def ran() -> tuple[Any, Asked]:
        async with answering(answer) as (place, asked):
            client = open_client(BINANCE_USDM, Secrets("a-key", "a-secret"), place, timeout_ms)
            try:
                return await act(client), asked
            finally:
                await client.close()

    return asyncio.run(ran())


ORDER = {"symbol": "BTCUSDT", "timestamp": 1, "recvWindow": 2_000}


async def order(client: Client) -> VenueError:
    """The error of an order."""
    with pytest.raises(VenueError) as caught:
        await client.call("fapiPrivatePostOrder", ORDER)
    return caught.value


def test_ccxt_shows_every_answer_as_it_is() -> None:
    """Each sample by a real connection and unmodified ccxt: the same outcomes; each asked once."""
    waiting = list(SAMPLES)

    async def answer(_: web.Request) -> web.StreamResponse:
        _, status, code, message = waiting[0]
        return web.Response(status=status, text=body_of(code, message))

    async def act(client: Client) -> list[VenueError]:
        errors = []
        while waiting:
            errors.append(await order(client))
            client.budget.refused_until_ms = 0  # a ban of one sample is not the next one's
            waiting.pop(0)
        return errors

    errors, asked = run(answer, act)
    assert [type(each) for each in errors] == [ERRORS[expected(row)] for row, *_ in SAMPLES]
    assert len(asked) == len(SAMPLES)
    for each in errors:
        assert "a-key" not in str(each)
        assert "signature" not in str(each).lower() or "-1022" in str(each)


@pytest.mark.parametrize("fault", ["cut", "silent", "redirect"])
def test_without_an_answer_an_order_is_unknown_and_sent_once(fault: str) -> None:
    """The connection is cut, nothing comes in time, or the answer names another address."""
    until = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        if fault == "redirect":
            return web.Response(status=307, headers={"Location": "https://api.binance.com/other"})
        if fault == "cut":
            assert request.transport is not None
            request.transport.abort()
        else:
            await until.wait()
        return web.Response(text="{}")

    async def act(client: Client) -> VenueError:
        error = await order(client)
        until.set()
        return error

    error, asked = run(answer, act, timeout_ms=500 if fault == "silent" else 60_000)
    assert type(error) is Unknown
    assert [each[:2] for each in asked] == [("POST", "/fapi/v1/order")]
    assert "a-key" not in str(error)


def test_a_connection_that_is_cut_in_use_is_not_used_again_for_an_order() -> None:
    """A kept connection that the exchange has closed: the order is unknown, not sent again."""
    count = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal count
        count += 1
        if count > 1:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(text='{"serverTime": 1}', content_type="application/json")

    async def act(client: Client) -> VenueError:
        await client.call("fapiPublicGetTime", {})
        return await order(client)

    error, asked = run(answer, act)
    assert type(error) is Unknown
    assert len(asked) == 2


@pytest.mark.parametrize("why", ["refused", "certificate"])
def test_a_connection_that_was_never_made_has_sent_nothing(why: str) -> None:
    """Nobody listens, or a stranger answers: the order is unavailable."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(text="{}")

    async def ran() -> VenueError:
        async with answering(answer) as (place, asked), answering(answer) as (stranger, _):
            port = place.port
            if why == "refused":
                with socket.socket() as free:
                    free.bind(("127.0.0.1", 0))
                    port = free.getsockname()[1]
            other = Rehearsal(port, stranger.authority)
            client = open_client(BINANCE_USDM, Secrets("a-key", "a-secret"), other)
            try:
                return await order(client)
            finally:
                await client.close()
                assert asked == []

    assert type(asyncio.run(ran())) is Unavailable


FILLED = {
    "orderId": 7,
    "clientOrderId": "sy-BTC3L-1-1",
    "status": "FILLED",
    "side": "BUY",
    "origQty": "0.500",
    "executedQty": "0.500",
    "updateTime": 5,
}


@pytest.mark.parametrize("missing", ["", "orderId", "status", "executedQty", "side"])
def test_an_order_without_its_id_or_status_is_unknown(missing: str) -> None:
    """A 200 proves nothing by itself; what was sent has the stamp and amounts of the request."""

    async def answer(_: web.Request) -> web.StreamResponse:
        said = {name: each for name, each in FILLED.items() if name != missing}
        return web.json_response(said)

    async def act(client: Client) -> Any:
        venue = ExchangeVenue(lambda: client, "BTCUSDT", "USDT")
        units, limit = Decimal("0.500"), Decimal("68000.100000000000000000")
        request = OrderRequest("sy-BTC3L-1-1", units, limit, False, 123_456, 2_000)
        try:
            return await venue.place(request)
        except VenueError as error:
            return error

    found, asked = run(answer, act)
    if missing:
        assert type(found) is Unknown
    else:
        assert (found.order_id, found.filled) == ("7", Decimal("0.500"))
    ((_, _, sent),) = asked
    for part in ("timestamp=123456", "recvWindow=2000", "quantity=0.5&", "price=68000.1&"):
        assert part in sent + "&"


NOW_MS = 1_000_000_000_000
TRADE = {
    "id": 1,
    "orderId": 7,
    "side": "BUY",
    "qty": "0.5",
    "price": "68000",
    "quoteQty": "34000",
    "commission": "0",
    "commissionAsset": "USDT",
    "realizedPnl": "0",
}


@pytest.mark.parametrize(("age_ms", "is_lost"), [(1_000, False), (86_400_000, True)])
def test_a_trade_whose_order_is_not_shown_yet_is_nobody_elses(age_ms: int, is_lost: bool) -> None:
    """A look-up may lag behind the trades: the list is unknown until the order's id is shown.

    An order that is forgotten for good, as after 90 days, is one without an id of the fund's.
    """
    asked_for: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("time"):
            return web.json_response({"serverTime": NOW_MS})
        if request.path.endswith("userTrades"):
            return web.json_response([{**TRADE, "time": NOW_MS - age_ms}])
        asked_for.append(request.path)
        if len(asked_for) == 1:
            text = json.dumps({"code": -2013, "msg": "Order does not exist."})
            return web.Response(status=400, text=text)
        return web.json_response({**FILLED, "clientOrderId": "sy-BTC3L-1-1"})

    async def act(client: Client) -> list[Any]:
        venue = ExchangeVenue(lambda: client, "BTCUSDT", "USDT")
        found: list[Any] = []
        for _ in range(2):
            try:
                found.append((await venue.trades_since(NOW_MS - 90_000_000)).value[0].client_id)
            except VenueError as error:
                found.append(type(error))
        return found

    found, _ = run(answer, act)
    assert found == (["order-7", "order-7"] if is_lost else [Unknown, "sy-BTC3L-1-1"])


def test_before_a_ban_has_ended_nothing_is_sent() -> None:
    """By the exchange's own clock; the error says until when."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("time"):
            return web.json_response({"serverTime": 1_000_000_000_000})
        text = json.dumps({"code": -1003, "msg": "IP banned until 1000000060000."})
        return web.Response(status=418, text=text)

    async def act(client: Client) -> list[VenueError]:
        venue = ExchangeVenue(lambda: client, "BTCUSDT", "USDT")
        await venue.time()
        errors = [await order(client), await order(client)]
        with pytest.raises(Unavailable) as caught:
            await venue.look_up("sy-BTC3L-1-1")
        return [*errors, caught.value]

    errors, asked = run(answer, act)
    assert [type(each) for each in errors] == [Unavailable] * 3
    assert {each.details["until_ms"] for each in errors} == {1_000_000_060_000}
    assert len(asked) == 2


def test_a_tenth_of_the_limit_is_kept_for_what_lowers() -> None:
    """From nine tenths on an order that raises is not sent; one that only lowers is."""

    async def answer(request: web.Request) -> web.StreamResponse:
        headers = {"X-MBX-USED-WEIGHT-1M": "2160"}
        if request.path.endswith("time"):
            return web.json_response({"serverTime": 1_000_000_000_000}, headers=headers)
        return web.json_response(FILLED, headers=headers)

    async def act(client: Client) -> Any:
        venue = ExchangeVenue(lambda: client, "BTCUSDT", "USDT")
        stamp = await venue.time()
        raising = OrderRequest("sy-BTC3L-1-1", Decimal("0.5"), None, False, stamp, 2_000)
        lowering = OrderRequest("sy-BTC3L-1-1", Decimal("0.5"), None, True, stamp, 2_000)
        with pytest.raises(Unavailable) as caught:
            await venue.place(raising)
        return caught.value, await venue.place(lowering)

    (error, state), asked = run(answer, act)
    assert error.details["until_ms"] % 60_000 == 0
    assert state.filled == Decimal("0.500")
    assert len(asked) == 2


def test_an_order_is_never_sent_again_by_ccxt() -> None:
    """Its own repeating stays off: after an unknown outcome it would move the position twice."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=503, text=body_of(-1000, UNKNOWN))

    async def act(client: Client) -> Any:
        assert client._ccxt.options["maxRetriesOnFailure"] == 0
        return await order(client)

    error, asked = run(answer, act)
    assert type(error) is Unknown
    assert len(asked) == 1
