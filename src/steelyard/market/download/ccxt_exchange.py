"""An exchange of ccxt, opened by name; errors about a name suggest the nearest valid one.

Only public data is requested: no API key is needed or looked for.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from typing import Any, Protocol

from steelyard.errors import InputError
from steelyard.market.cell_faults import shown

__all__ = ["CcxtExchange", "Market", "find_market", "open_exchange", "timeframe_seconds"]

Market = Mapping[str, Any]

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_TIMEFRAME = re.compile(r"([1-9]\d{0,3})([smhdw])", re.ASCII)
_HOST = re.compile(r"https?://[^/]+")
_INSTALL = "python -m pip install '.[fetch]' in a clone of the project"


class CcxtExchange(Protocol):
    """The part of a synchronous ccxt exchange that is used here."""

    id: str
    has: Mapping[str, Any]
    timeframes: Mapping[str, Any] | None
    markets: Mapping[str, Market] | None
    urls: dict[str, Any]
    last_http_response: str | None
    last_response_headers: Mapping[str, str] | None

    def load_markets(self) -> object:
        """Request all markets."""

    def fetch_time(self) -> int | None:
        """Request the exchange's time, epoch ms."""

    def fetch_ohlcv(
        self, symbol: str, timeframe: str, since: int | None, limit: int | None
    ) -> list[list[Any]]:
        """Request candles from ``since`` (epoch ms) on."""

    def fetch_funding_rate_history(
        self, symbol: str, since: int | None, limit: int | None
    ) -> list[Mapping[str, Any]]:
        """Request funding rates from ``since`` (epoch ms) on."""

    def feature_value(self, symbol: str, method: str, param: str) -> object:
        """A limit of a method, as far as ccxt knows it."""

    def parse_json(self, http_response: str) -> object:
        """The content of an answer; None if it is not JSON."""


def open_exchange(
    name: str, *, api_url: str | None = None, timeout_s: float = 10.0
) -> CcxtExchange:
    """Open an exchange for its public data; no request is sent yet.

    ccxt keeps the exchange's rate limit by itself, and uses the proxy in ``HTTPS_PROXY``.

    Args:
        name: the exchange as ccxt spells it, such as ``binanceusdm``.
        api_url: replaces scheme and host in every address of the exchange, to use a mirror, a
            recording proxy or a test server. If it is None, the environment variable
            ``STEELYARD_API_URL`` is used.
        timeout_s: the longest time that one answer may take, in seconds.

    Raises:
        InputError: ccxt is not installed or knows no such exchange, or the address is not an http
            address.
    """
    try:
        import ccxt
    except ImportError as error:
        message = (
            f"fetching needs ccxt, which is not installed: {_INSTALL} ({type(error).__name__}: "
            f"{error})"
        )
        raise InputError(message, missing="ccxt") from error
    if name not in ccxt.exchanges:
        found = _did_you_mean(name, ccxt.exchanges)
        message = (
            f"exchange: expected the name of an exchange as ccxt {ccxt.__version__} spells it; "
            f"found {shown(name)}.{found}"
        )
        raise InputError(message, found=name, allowed=tuple(ccxt.exchanges))
    settings = {
        "enableRateLimit": True,
        "timeout": round(timeout_s * 1_000),
        "requests_trust_env": True,
    }
    exchange: CcxtExchange = getattr(ccxt, name)(settings)
    api_url = os.environ.get("STEELYARD_API_URL") if api_url is None else api_url
    if api_url is not None:
        exchange.urls["api"] = _moved(exchange.urls["api"], _base(api_url))
    return exchange


def find_market(exchange: CcxtExchange, symbol: str) -> Market:
    """Find a symbol among the exchange's markets, which must be loaded.

    Raises:
        InputError: the exchange has no market of that name.
    """
    markets = exchange.markets or {}
    if symbol in markets:
        return markets[symbol]
    same = [
        name
        for name, market in markets.items()
        if str(market.get("id")).upper() == symbol.upper()
        or name.partition(":")[0] == symbol.upper().partition(":")[0]
    ]
    hint = f' Did you mean "{same[0]}"?' if same else _did_you_mean(symbol, markets)
    message = (
        f"symbol: expected one of the {len(markets):,} markets of {exchange.id} as ccxt writes "
        f"them, such as {_an_example(markets)}; found {shown(symbol)}.{hint}"
    )
    raise InputError(message, found=symbol, exchange=exchange.id)


def timeframe_seconds(exchange: CcxtExchange, timeframe: str) -> int:
    """Return the length of an exchange's bar in seconds.

    Raises:
        InputError: the exchange has no such bars, or their length varies (months, years).
    """
    offered = [name for name in exchange.timeframes or () if _TIMEFRAME.fullmatch(name)]
    if timeframe in offered:
        return _seconds(timeframe)
    length = _seconds(timeframe)
    same = [name for name in offered if length and _seconds(name) == length]
    hint = f' Did you mean "{same[0]}"?' if same else ""
    message = (
        f"timeframe: expected one of {', '.join(offered)} on {exchange.id}; found "
        f"{shown(timeframe)}.{hint}"
    )
    raise InputError(message, found=timeframe, allowed=tuple(offered))


def _seconds(timeframe: str) -> int:
    """The length of a timeframe in seconds; 0 if the text is not a timeframe."""
    match = _TIMEFRAME.fullmatch(timeframe)
    return int(match[1]) * _UNITS[match[2]] if match else 0


def _an_example(markets: Mapping[str, Market]) -> str:
    for name in ("BTC/USDT:USDT", "BTC/USDT", "BTC/USD"):
        if name in markets:
            return name
    return next(iter(markets), "BTC/USDT")


def _did_you_mean(found: str, allowed: Any) -> str:  # noqa: ANN401 (any names)
    close = difflib.get_close_matches(found, list(allowed), n=1)
    return f' Did you mean "{close[0]}"?' if close else ""


def _base(api_url: str) -> str:
    if not _HOST.match(api_url):
        message = (
            "api_url: expected an address that begins with https:// or http://; found "
            f"{shown(api_url)}"
        )
        raise InputError(message, found=api_url)
    return api_url.rstrip("/")


def _moved(urls: Any, base: str) -> Any:  # noqa: ANN401 (ccxt nests addresses as it likes)
    """The same addresses with another scheme and host."""
    if isinstance(urls, Mapping):
        return {name: _moved(url, base) for name, url in urls.items()}
    return _HOST.sub(lambda _: base, urls, count=1) if isinstance(urls, str) else urls
