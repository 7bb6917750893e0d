"""Answers of an exchange that lies, floods or is at its limit, through unmodified ccxt.

Each of these was an attack that got through once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from steelyard.errors import Unavailable, Unknown, VenueError
from steelyard.venues.exchange.binanceusdm import BINANCE_USDM
from steelyard.venues.exchange.client import open_client
from steelyard.venues.exchange.venue import ExchangeVenue
from steelyard.venues.protocol import Mark
from steelyard.venues.secrets import Secrets
from support.answering_server import Asked, answering

pytestmark = pytest.mark.xdist_group("processes")

NOW_MS = 1_800_000_000_000
HOUR_MS = 3_600_000
HUGE = "1e99999999999999999999"
"""JSON, and a number that no Decimal holds."""
PAGE = 1_000
HMAC = Secrets("a-key-of-an-account", "a-secret-of-an-account")


def pem() -> str:
    """A new Ed25519 key."""
    made = Ed25519PrivateKey.generate()
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode().strip()


def run(
    answer: Callable[[web.Request], web.Response],
    act: Callable[[ExchangeVenue], Awaitable[Any]],
    secrets: Secrets = HMAC,
) -> tuple[Any, Asked]:
    """What an act with a real venue comes to; the exchange's clock stands still."""

    async def answered(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("time"):
            return web.json_response({"serverTime": NOW_MS})
        return answer(request)

    async def ran() -> tuple[Any, Asked]:
        async with answering(answered) as (place, asked):
            client = open_client(BINANCE_USDM, secrets, place, 60_000)
            venue = ExchangeVenue(lambda: client, "BTCUSDT", "USDT")
            try:
                return await act(venue), asked
            finally:
                await venue.close()

    return asyncio.run(ran())


def test_a_number_that_no_decimal_holds_ends_no_stream() -> None:
    """It is an answer that cannot be read: the next mark is told all the same."""
    marks = [HUGE, '"68000"']

    def answer(_: web.Request) -> web.Response:
        price = marks.pop(0)
        text = f'{{"markPrice": {price}, "indexPrice": "68000", "time": {NOW_MS}}}'
        return web.Response(text=text, content_type="application/json")

    async def act(venue: ExchangeVenue) -> Any:
        async for heard in venue.stream():
            return heard
        return None

    heard, _ = run(answer, act)
    assert heard == Mark(Decimal(68_000), NOW_MS, Decimal(68_000))
    assert marks == []


@pytest.mark.parametrize(
    ("message", "after"),
    [("IP banned until 9999999999999.", ""), ("Too many requests.", "9999999")],
)
def test_a_ban_that_outlasts_any_is_none_for_ever(message: str, after: str) -> None:
    """A wrong instant does not silence a keeper for longer than the longest ban."""

    def answer(_: web.Request) -> web.Response:
        text = json.dumps({"code": -1003, "msg": message})
        return web.Response(status=418, text=text, headers={"Retry-After": after} if after else {})

    async def act(venue: ExchangeVenue) -> Any:
        with pytest.raises(Unavailable) as caught:
            await venue.position()
        return caught.value.details["until_ms"]

    until_ms, _ = run(answer, act)
    assert NOW_MS < until_ms <= NOW_MS + 4 * 86_400_000


@pytest.mark.parametrize("secrets", [HMAC, Secrets("a-key-of-an-account", pem())])
def test_an_error_that_repeats_the_request_shows_no_signature(secrets: Secrets) -> None:
    """An exchange may say what it did not like: key and signature are left out of it."""
    signatures: list[str] = []

    def answer(request: web.Request) -> web.Response:
        *_, signature = request.query_string.partition("signature=")
        raw = request.raw_path.partition("signature=")[2]
        signatures.extend((signature, raw))
        key = request.headers["X-MBX-APIKEY"]
        text = json.dumps({"code": -1022, "msg": f"no: {signature} {raw} {key}"})
        return web.Response(status=400, text=text)

    async def act(venue: ExchangeVenue) -> Any:
        with pytest.raises(VenueError) as caught:
            await venue.position()
        return str(caught.value)

    said, _ = run(answer, act, secrets)
    assert all(len(each) >= 64 for each in signatures)
    assert not any(each[:20] in said for each in signatures)
    assert secrets.key not in said
    assert "***" in said


def test_funding_that_is_listed_late_is_not_left_out() -> None:
    """It is dated back to the hour, and asked for by the time at which it was charged."""
    due_ms = NOW_MS // HOUR_MS * HOUR_MS
    charged_ms = due_ms + 30_000
    row = {
        "incomeType": "FUNDING_FEE",
        "tranId": 5,
        "asset": "USDT",
        "income": "-12.5",
        "time": charged_ms,
    }

    def answer(_: web.Request) -> web.Response:
        return web.json_response([row])

    async def act(venue: ExchangeVenue) -> Any:
        found = [(await venue.movements_since(ms)).value for ms in (charged_ms, charged_ms + 1)]
        return [[(each.amount, each.time_ms) for each in every] for every in found]

    assert run(answer, act)[0] == [[(Decimal("-12.5"), due_ms)], []]


@pytest.mark.parametrize("count", [PAGE, PAGE + 1, 2 * PAGE, 2 * PAGE + 7])
def test_an_order_of_more_trades_than_a_page_at_one_instant_is_whole(count: int) -> None:
    """One large order is filled by all who rest in its way at once."""
    instant = NOW_MS - 5_000
    times = [instant - 1, *[instant] * count, instant + 1, instant + 2]
    rows = [
        {
            "id": number,
            "orderId": 7,
            "side": "SELL",
            "qty": "0.1",
            "price": "68000",
            "quoteQty": "6800",
            "commission": "3.4",
            "commissionAsset": "USDT",
            "realizedPnl": "0",
            "time": time_ms,
        }
        for number, time_ms in enumerate(times, 100)
    ]

    def answer(request: web.Request) -> web.Response:
        given = request.query
        if request.path.endswith("order"):
            said = {"orderId": 7, "clientOrderId": "x", "status": "FILLED", "side": "SELL"}
            amounts = {"origQty": "1", "executedQty": "1", "updateTime": NOW_MS}
            return web.json_response({**said, **amounts})
        if "fromId" in given:
            assert "startTime" not in given
            shown = [each for each in rows if int(str(each["id"])) >= int(given["fromId"])]
        else:
            start, end = int(given["startTime"]), int(given["endTime"])
            shown = [each for each in rows if start <= int(str(each["time"])) <= end]
        return web.json_response(shown[: int(given["limit"])])

    async def act(venue: ExchangeVenue) -> Any:
        return [each.trade_id for each in (await venue.trades_since(NOW_MS - 60_000)).value]

    assert run(answer, act)[0] == [str(row["id"]) for row in rows]


def test_a_list_of_trades_that_repeats_itself_is_not_asked_for_without_end() -> None:
    """An exchange that takes no notice of where the list is to go on."""
    row = {"id": 7, "orderId": 7, "time": NOW_MS - 5_000}

    def answer(_: web.Request) -> web.Response:
        return web.json_response([row] * PAGE)

    async def act(venue: ExchangeVenue) -> Any:
        with pytest.raises(Unknown):
            await venue.trades_since(NOW_MS - 5_000)

    assert len(run(answer, act)[1]) <= 4


@pytest.mark.parametrize("body", ["{}", '""', "0", '{"positions": []}'])
@pytest.mark.parametrize("what", ["position", "balance"])
def test_an_answer_that_is_no_list_does_not_say_that_nothing_is_held(what: str, body: str) -> None:
    """It is unknown, whatever it is."""

    def answer(_: web.Request) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    async def act(venue: ExchangeVenue) -> Any:
        with pytest.raises(Unknown):
            await getattr(venue, what)()

    run(answer, act)
