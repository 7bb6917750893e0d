"""An exchange on loopback that speaks the public REST of Binance USD-M: real HTTP for real ccxt.

It serves a history that is a function of time, so that any part of it can be foretold, on a clock
that stands still. Faults are served on request: `Answer` objects put into `ExchangeServer.faults`
take the places of the next answers on history (klines and funding).
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from steelyard.market import format_time

__all__ = ["HOUR_S", "SINCE_S", "Answer", "Asked", "ExchangeServer", "serving"]

SINCE_S = 1_704_067_200
"""2024-01-01T00:00:00Z."""
HOUR_S = 3_600
STEPS = {"1m": 60, "5m": 300, "1h": HOUR_S, "4h": 4 * HOUR_S, "1d": 86_400, "1w": 604_800}
MARKETS = (("BTC", "USDT"), ("ETH", "USDT"), ("BTC", "USDC"))


@dataclass
class Answer:
    """What the server says instead of the truth.

    Attributes:
        status: of HTTP; 0 cuts the connection without a word.
        body: text as it is.
        headers: beside the usual.
        wait_s: before it answers.
        cut: bytes of the body that never come.
    """

    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    wait_s: float = 0.0
    cut: int = 0


@dataclass
class Asked:
    """A request: what for, with which parameters, and when by `time.monotonic`."""

    what: str
    params: dict[str, str]
    at: float


class ExchangeServer(ThreadingHTTPServer):
    """The exchange.

    Attributes:
        now_s: its clock.
        listed_s: there is nothing before.
        delisted_s: there is nothing from then on.
        gaps: spans (from, to) without candles.
        page_rows: rows that an answer holds at most, whatever is asked for.
        windowed: whether an answer ends ``limit`` bars after ``startTime``, as it does on many
            exchanges, or looks on until it has rows, as Binance does.
        twist: changes the rows of an answer before it is sent.
        before: called before each answer on history, with how many there were.
        faults: come first; None stands for the truth.
        asked: all requests so far.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.now_s = SINCE_S + 10 * 86_400
        self.listed_s = SINCE_S
        self.delisted_s = 1 << 40
        self.gaps: list[tuple[int, int]] = []
        self.page_rows = 200
        self.windowed = False
        self.twist: Callable[[list[Any]], list[Any]] = list
        self.before: Callable[[int], None] = lambda _: None
        self.faults: deque[Answer | None] = deque()
        self.asked: list[Asked] = []

    @property
    def url(self) -> str:
        """For ``--api-url``."""
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def history_asked(self) -> list[Asked]:
        """The requests on history."""
        return [asked for asked in self.asked if asked.what in {"klines", "fundingRate"}]

    def there(self, time_s: int) -> bool:
        """Whether there is history at an instant."""
        return self.listed_s <= time_s < min(self.delisted_s, self.now_s + 1) and not any(
            start <= time_s < end for start, end in self.gaps
        )

    def candle(self, symbol: str, step_s: int, time_s: int) -> list[Any]:
        """A candle as the exchange sends it; one that is not closed yet will be another."""
        closed = time_s + step_s <= self.now_s
        return list(_candle(symbol, step_s, time_s, 0 if closed else self.now_s))

    def funding(self, symbol: str, time_s: int) -> dict[str, Any]:
        """A funding rate as the exchange sends it, a few milliseconds late as they are."""
        dice = random.Random(f"{symbol} {time_s}")  # noqa: S311
        stamp = time_s * 1_000 + dice.randrange(9)
        rate = f"{dice.gauss(0.0001, 0.0001):.8f}"
        return {"symbol": symbol, "fundingTime": stamp, "fundingRate": rate, "markPrice": "1"}

    def expected_csv(self, symbol: str, step_s: int, start_s: int, end_s: int) -> str:
        """What a file of candles must hold."""
        lines = ["time,open,high,low,close,volume"]
        for time_s in range(-(-start_s // step_s) * step_s, min(end_s, self.now_s), step_s):
            if self.there(time_s) and time_s + step_s <= self.now_s:
                cells = self.candle(symbol, step_s, time_s)[1:6]
                numbers = (repr(float(cell)) for cell in cells)
                lines.append(",".join((format_time(time_s), *numbers)))
        return "\n".join(lines) + "\n"

    def expected_funding_csv(self, symbol: str, start_s: int, end_s: int) -> str:
        """What a file of funding must hold."""
        lines = ["time,rate"]
        for time_s in range(-(-start_s // 28_800) * 28_800, min(end_s, self.now_s + 1), 28_800):
            if self.there(time_s):
                rate = float(self.funding(symbol, time_s)["fundingRate"])
                lines.append(f"{format_time(time_s)},{rate!r}")
        return "\n".join(lines) + "\n"

    def answer(self, what: str, params: dict[str, str]) -> Any:
        """The truth."""
        if what == "time":
            return {"serverTime": self.now_s * 1_000}
        if what == "exchangeInfo":
            return {"symbols": [_market(base, quote) for base, quote in MARKETS]}
        step_s = STEPS[params["interval"]] if what == "klines" else 28_800
        start_s = -(-int(params.get("startTime", 0)) // (step_s * 1_000)) * step_s
        limit = min(int(params.get("limit", 500 if what == "klines" else 100)), self.page_rows)
        end_s = start_s + limit * step_s if self.windowed else min(self.delisted_s, self.now_s + 1)
        rows: list[Any] = []
        for time_s in range(max(start_s, self.listed_s), end_s, step_s):
            if len(rows) == limit:
                break
            if self._shown(step_s, time_s) if what == "klines" else self.there(time_s):
                rows.append(
                    self.candle(params["symbol"], step_s, time_s)
                    if what == "klines"
                    else self.funding(params["symbol"], time_s)
                )
        return self.twist(rows)

    def _shown(self, step_s: int, time_s: int) -> bool:
        """A longer candle is there where anything in it is."""
        inside = range(time_s, time_s + step_s, HOUR_S) if step_s > HOUR_S else (time_s,)
        return any(map(self.there, inside))


class _Handler(BaseHTTPRequestHandler):
    server: ExchangeServer
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: two would each wait for the other end's delayed word.
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer, or serve a fault."""
        split = urlsplit(self.path)
        what = split.path.removeprefix("/fapi/v1/")
        params = dict(parse_qsl(split.query))
        self.server.asked.append(Asked(what, params, time.monotonic()))
        fault = None
        if what in {"klines", "fundingRate"}:
            self.server.before(len(self.server.history_asked))
            fault = self.server.faults.popleft() if self.server.faults else None
        if fault is None:
            fault = Answer(body=json.dumps(self.server.answer(what, params)))
        self._send(fault)

    def _send(self, answer: Answer) -> None:
        time.sleep(answer.wait_s)
        body = answer.body.encode()
        try:
            if answer.status:
                self.send_response(answer.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body[: len(body) - answer.cut])
                self.wfile.flush()
            self.close_connection = answer.status == 0 or answer.cut > 0
        except OSError:
            self.close_connection = True  # the client has gone: killed, or out of patience

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@cache
def _candle(symbol: str, step_s: int, time_s: int, now_s: int) -> tuple[Any, ...]:
    dice = random.Random(f"{symbol} {step_s} {time_s} {now_s}")  # noqa: S311
    start, end = dice.uniform(90, 110), dice.uniform(90, 110)
    high, low = max(start, end) + dice.uniform(0, 5), min(start, end) - dice.uniform(0, 5)
    prices = [f"{price:.2f}" for price in (start, high, low, end)]
    last_ms = (time_s + step_s) * 1_000 - 1
    rest = [last_ms, "1.0", 7, "0.5", "0.5", "0"]
    return (time_s * 1_000, *prices, f"{dice.uniform(0, 1_000):.3f}", *rest)


def _market(base: str, quote: str) -> dict[str, Any]:
    return {
        "symbol": f"{base}{quote}",
        "pair": f"{base}{quote}",
        "contractType": "PERPETUAL",
        "deliveryDate": 4133404800000,
        "onboardDate": 1569398400000,
        "status": "TRADING",
        "baseAsset": base,
        "quoteAsset": quote,
        "marginAsset": quote,
        "pricePrecision": 2,
        "quantityPrecision": 3,
        "filters": [],
    }


@contextmanager
def serving() -> Iterator[ExchangeServer]:
    """A server of one's own."""
    with ExchangeServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
