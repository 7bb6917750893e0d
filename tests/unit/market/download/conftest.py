"""A server that speaks as an exchange does, and ccxt's own class for that exchange, led to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from steelyard.market.fetch import Asking, Fetched, Patience, fetch_candles, open_exchange
from support.exchange_server import ExchangeServer, serving

BTC = "BTC/USDT:USDT"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ExchangeServer]:
    """An exchange on loopback."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as server:
        yield server


@pytest.fixture
def exchange(server: ExchangeServer) -> Any:
    """The exchange as ccxt has it; its limit on requests is lifted, or tests would take minutes."""
    exchange = open_exchange("binanceusdm", api_url=server.url, timeout_s=2.0)
    exchange.rateLimit = 0
    return exchange


class Quick(Asking):
    """Asks in a hurry, and remembers what it was told."""

    def __init__(self, *, retries: int = 3, page_rows: int | None = None) -> None:
        self.shares: list[float] = []
        self.remarks: list[str] = []
        patience = Patience(retries, first_wait_s=0.01, longest_wait_s=5.0)
        super().__init__(page_rows, patience, self.shares.append, self.remarks.append)


@pytest.fixture
def quick() -> Quick:
    """How tests ask."""
    return Quick()


@pytest.fixture
def fetch(exchange: Any, tmp_path: Path, quick: Quick) -> Callable[..., Fetched]:
    """Fetch hours of BTC from 2024 on into ``btc.csv``, unless said otherwise."""

    def run(**other: Any) -> Fetched:
        given = {
            "exchange": exchange,
            "symbol": BTC,
            "timeframe": "1h",
            "path": tmp_path / "btc.csv",
            "since": "2024-01-01",
            "asking": quick,
        }
        return fetch_candles(**{**given, **other})

    return run
