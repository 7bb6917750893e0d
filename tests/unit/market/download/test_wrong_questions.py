"""What cannot be had is refused before anything is downloaded, with what was meant instead."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from steelyard.errors import InputError
from steelyard.market.fetch import Asking, Fetched, fetch_funding, open_exchange
from support.exchange_server import SINCE_S, ExchangeServer


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("binanceusd", ' Did you mean "binanceusdm"?'),
        ("kukoin", ' Did you mean "kucoin"?'),
        ("binance-usdm", ' Did you mean "binanceusdm"?'),
        ("", "found an empty cell."),
        ("__class__", "found '__class__'."),
        ("async_support", "found 'async_support'."),
    ],
)
def test_an_unknown_exchange(name: str, meant: str) -> None:
    """Only what ccxt lists is an exchange; a misspelt one gets a suggestion."""
    with pytest.raises(InputError, match="expected the name of an exchange as ccxt") as caught:
        open_exchange(name)
    assert str(caught.value).endswith(meant)


def test_without_ccxt(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is the command that installs it."""
    monkeypatch.setitem(sys.modules, "ccxt", None)
    with pytest.raises(InputError, match=r"python -m pip install '\.\[fetch\]' in a clone"):
        open_exchange("binanceusdm")


@pytest.mark.parametrize(
    ("symbol", "meant"),
    [
        ("BTC/USDT", "BTC/USDT:USDT"),
        ("BTCUSDT", "BTC/USDT:USDT"),
        ("btc/usdt:usdt", "BTC/USDT:USDT"),
        ("ETH/USDT:USD", "ETH/USDT:USDT"),
        ("EHT/USDT:USDT", "ETH/USDT:USDT"),
    ],
)
def test_an_unknown_symbol(
    fetch: Callable[..., Fetched], tmp_path: Path, symbol: str, meant: str
) -> None:
    """Spot for perpetual, the exchange's own spelling, a typing error: what was meant is said."""
    with pytest.raises(InputError, match="expected one of the 3 markets of binanceusdm") as caught:
        fetch(symbol=symbol)
    assert str(caught.value).endswith(f'Did you mean "{meant}"?')
    assert list(tmp_path.iterdir()) == []


def test_a_symbol_like_no_other(fetch: Callable[..., Fetched]) -> None:
    """Where nothing is near, an example shows how symbols are written."""
    with pytest.raises(InputError, match=r"such as BTC/USDT:USDT; found 'XYZ'\.$"):
        fetch(symbol="XYZ")


@pytest.mark.parametrize(
    ("timeframe", "hint"),
    [
        ("60m", ' Did you mean "1h"?'),
        ("7d", ' Did you mean "1w"?'),
        ("24h", ' Did you mean "1d"?'),
        ("1M", "found '1M'."),
        ("1H", "found '1H'."),
        ("2m", "found '2m'."),
        ("0m", "found '0m'."),
        ("hourly", "found 'hourly'."),
    ],
)
def test_an_unknown_timeframe(
    server: ExchangeServer, fetch: Callable[..., Fetched], timeframe: str, hint: str
) -> None:
    """Bars of one length that the exchange has; months are not of one length."""
    with pytest.raises(InputError, match=r"expected one of 1s, 1m, 3m, .*, 1w on") as caught:
        fetch(timeframe=timeframe)
    assert str(caught.value).endswith(hint)
    assert server.asked == [], "said before anything is asked for"


@pytest.mark.parametrize("name", ["btc", "btc.json", "btc.gz", ".csv", "btc.feather", "csv"])
def test_an_unknown_format(
    server: ExchangeServer, fetch: Callable[..., Fetched], tmp_path: Path, name: str
) -> None:
    """The file's name says its format."""
    with pytest.raises(InputError, match=r"ends in \.csv, \.csv\.gz or \.parquet"):
        fetch(path=tmp_path / name)
    assert server.asked == []


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ({"since": None}, "expected --since"),
        ({"until": "2024-01-01"}, "expected a start before the end"),
        ({"since": "2024-01-12"}, "expected a start before the end"),
        ({"since": "2024-01-10T23:30:00Z"}, "expected a start before the end"),
        ({"since": "2024-01-10T22:30:00Z"}, "expected 2 candles or more"),
        ({"since": "2023-01-01", "until": "2023-03-01"}, "expected 2 candles or more"),
        ({"since": "yesterday"}, "expected a time such as"),
    ],
)
def test_a_span_without_candles(
    fetch: Callable[..., Fetched], tmp_path: Path, span: dict[str, Any], expected: str
) -> None:
    """A file is never empty, nor so short that its bars have no length."""
    with pytest.raises(InputError, match=expected):
        fetch(**span)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(fetch: Callable[..., Fetched], tmp_path: Path) -> None:
    """One sentence."""
    with pytest.raises(InputError, match="expected a file that can be written; found: No such"):
        fetch(path=tmp_path / "nowhere" / "btc.csv")


@pytest.mark.parametrize("page_rows", [1, 0, -5])
def test_a_page_holds_two_rows_at_least(fetch: Callable[..., Fetched], page_rows: int) -> None:
    """One to go on from, and one that is new."""
    with pytest.raises(InputError, match="page_rows: expected 2 or more"):
        fetch(asking=Asking(page_rows))


@pytest.mark.parametrize("url", ["api.example.org", "ftp://example.org", "http://", ""])
def test_an_address_that_is_none(url: str) -> None:
    """It begins with the protocol."""
    with pytest.raises(InputError, match="api_url: expected an address"):
        open_exchange("binanceusdm", api_url=url)


def test_an_address_takes_the_place_of_every_host() -> None:
    """Paths stay: a proxy sees what the exchange would."""
    exchange = open_exchange("binanceusdm", api_url="https://mirror.example.org/binance/")
    assert exchange.urls["api"]["fapiPublic"] == "https://mirror.example.org/binance/fapi/v1"
    assert all(
        url.startswith("https://mirror.example.org/binance/")
        for url in exchange.urls["api"].values()
    )
    kraken = open_exchange("krakenfutures", api_url="http://one.example.org")
    assert "kraken.com" not in str(kraken.urls["api"])


def test_funding_is_of_perpetuals(exchange: Any, tmp_path: Path) -> None:
    """Another market pays none."""
    exchange.load_markets()
    market = exchange.markets["ETH/USDT:USDT"]
    market["swap"], market["type"] = False, "spot"
    with pytest.raises(InputError, match=r"expected a perpetual, .* a spot market"):
        fetch_funding(exchange, "ETH/USDT:USDT", tmp_path / "f.csv", since="2024-01-01")


def test_an_exchange_without_such_a_history(tmp_path: Path) -> None:
    """Ccxt says which exchange gives what."""
    with pytest.raises(InputError, match="gives a history of funding; bitstamp does not"):
        fetch_funding(open_exchange("bitstamp"), "BTC/USD", tmp_path / "f.csv", since=SINCE_S)
