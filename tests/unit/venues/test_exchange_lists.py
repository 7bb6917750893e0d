"""The lists of an account at an exchange: whole, whatever their pages, and asked for once."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web

from steelyard.venues.exchange.binanceusdm import BINANCE_USDM
from steelyard.venues.exchange.client import open_client
from steelyard.venues.exchange.venue import ExchangeVenue
from steelyard.venues.secrets import Secrets
from support.answering_server import answering

pytestmark = pytest.mark.xdist_group("processes")

DAY_MS = 86_400_000
NOW_MS = 1_800_000_000_000
SHOWN_MS, SPAN_MS, PAGE = 180 * DAY_MS, 7 * DAY_MS, 1_000


def row(number: int, time_ms: int) -> dict[str, Any]:
    """A trade as the exchange shows it."""
    return {
        "id": number,
        "orderId": 7,
        "side": "BUY",
        "qty": "0.5",
        "price": "68000",
        "quoteQty": "34000",
        "commission": "0",
        "commissionAsset": "USDT",
        "realizedPnl": "0",
        "time": time_ms,
    }


class Account:
    """An account's trades, shown as Binance shows them: a page of a week at most."""

    def __init__(self, times: list[int]) -> None:
        self.rows = [row(number, time_ms) for number, time_ms in enumerate(sorted(times))]
        self.now_ms, self.asked = NOW_MS, 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """What the exchange says."""
        if request.path.endswith("time"):
            return web.json_response({"serverTime": self.now_ms})
        if not request.path.endswith("userTrades"):
            return web.json_response(
                {
                    "orderId": 7,
                    "clientOrderId": "x",
                    "status": "FILLED",
                    "side": "BUY",
                    "origQty": "1",
                    "executedQty": "1",
                    "updateTime": 1,
                }
            )
        self.asked += 1
        given = {name: value[0] for name, value in parse_qs(request.query_string).items()}
        start, end = int(given["startTime"]), int(given["endTime"])
        if end - start > SPAN_MS or start < self.now_ms - SHOWN_MS - 1_000:
            return web.Response(status=400, text='{"code": -4165, "msg": "Invalid time interval"}')
        shown = [each for each in self.rows if start <= each["time"] <= end]
        return web.json_response(shown[: int(given["limit"])])

    def since(self, since_ms: int) -> list[str]:
        """The truth."""
        since_ms = max(since_ms, self.now_ms - SHOWN_MS)
        shown = [each for each in self.rows if since_ms <= each["time"] <= self.now_ms]
        return [str(each["id"]) for each in sorted(shown, key=lambda each: each["time"])]


def read(account: Account, *sinces: int) -> list[tuple[list[str], int]]:
    """The ids of each list, and how many calls it took; a new trade comes before each."""

    async def ran() -> list[tuple[list[str], int]]:
        async with answering(account.answer) as (place, _):
            client = open_client(BINANCE_USDM, Secrets("a-key", "a-secret"), place, 60_000)
            venue, found = ExchangeVenue(lambda: client, "BTCUSDT", "USDT"), []
            try:
                for since_ms in sinces:
                    account.rows.append(row(len(account.rows), account.now_ms - 1))
                    before = account.asked
                    trades = (await venue.trades_since(since_ms)).value
                    found.append(([each.trade_id for each in trades], account.asked - before))
                    assert found[-1][0] == account.since(since_ms)
                    account.now_ms += 1_000
            finally:
                await venue.close()
            return found

    return asyncio.run(ran())


def test_all_there_is_is_asked_for_once() -> None:
    """A keeper reads it every few seconds before a launch.

    Later lists ask for what may have changed: the first part of a week, and the last weeks.
    """
    account = Account([NOW_MS - SHOWN_MS * part // 40 for part in range(45)])
    (_, first), (_, second), (_, third) = read(account, 0, 0, 0)
    assert first > 20
    assert second == third <= 3


def test_a_week_of_more_than_a_page_is_whole_each_time() -> None:
    """So is one whose page ends among trades of one instant."""
    begins = NOW_MS // SPAN_MS * SPAN_MS - 3 * SPAN_MS
    times = [begins + 60_000 * (number // 3) for number in range(2_500)]
    account = Account([*times, begins + SPAN_MS - 1, begins + SPAN_MS])
    read(account, 0, 0, begins + 5, begins - 5, begins + SPAN_MS, 0)


def test_a_week_that_was_read_in_part_is_read_whole_later() -> None:
    """A later list that begins earlier misses nothing."""
    times = [NOW_MS - 1_000 * 3_600 * hours for hours in range(24 * 30)]
    read(Account(times), NOW_MS - 9 * DAY_MS, NOW_MS - 20 * DAY_MS, 0)
