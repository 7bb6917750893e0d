"""History from an exchange into a file: candles that are closed, funding that was paid.

    exchange = open_exchange("binanceusdm")
    fetch_candles(exchange, "BTC/USDT:USDT", "1m", "btc.parquet", since="2022-01-01")

A file that is there is continued, after its last rows have been compared with what the exchange
says of them: another symbol, timeframe or exchange is refused. What has come is kept beside the
file, in ``FILE.part``, and the next run goes on from there; FILE itself is always whole, and the
same bytes however often the download was interrupted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from steelyard.errors import InputError
from steelyard.market.download.ccxt_exchange import CcxtExchange, open_exchange, timeframe_seconds
from steelyard.market.download.feeds import Candles, FundingRates, HistoryKind
from steelyard.market.download.job import Fetched, Job
from steelyard.market.download.partial import part_of
from steelyard.market.download.retrying import Asker, Patience
from steelyard.market.download.rows import file_format
from steelyard.market.times import parse_time

__all__ = [
    "Asking",
    "Fetched",
    "Patience",
    "fetch_candles",
    "fetch_funding",
    "file_format",
    "open_exchange",
    "part_of",
]

Instant = str | float | date


def _silent(_: object) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Asking:
    """How to ask, and whom to tell.

    Attributes:
        page_rows: rows to ask for at once, 2 or more; None for what ccxt knows of the exchange.
        patience: how long to go on with an exchange that does not answer.
        progress: called with the share that is done, from 0 to 1.
        remark: called with a sentence about every wait.
    """

    page_rows: int | None = None
    patience: Patience = field(default_factory=Patience)
    progress: Callable[[float], None] = _silent
    remark: Callable[[str], None] = _silent


def fetch_candles(
    exchange: CcxtExchange,
    symbol: str,
    timeframe: str,
    path: str | Path,
    *,
    since: Instant | None = None,
    until: Instant | None = None,
    asking: Asking | None = None,
) -> Fetched:
    """Write candles into a file, or add those that have closed since.

    Args:
        exchange: from `open_exchange`, or any synchronous exchange of ccxt.
        symbol: as ccxt writes it, such as ``BTC/USDT:USDT``.
        timeframe: as the exchange offers it, from seconds to weeks: ``1m``, ``4h``.
        path: ends in .csv, .csv.gz or .parquet; columns ``time,open,high,low,close,volume``.
        since: the first candle opens then or later; may be left out where the file is there.
        until: the last candle opens before; None for all that are closed by the exchange's clock.
        asking: how to ask, and whom to tell.

    Raises:
        InputError: the exchange has no such symbol or timeframe, or no candles then; the file
            holds something else, or cannot be one.
        DataError: the exchange gives candles that are none; the file is damaged.
        Unavailable: the exchange does not answer; what has come is kept.
        Rejected: it refuses.
    """
    asking = asking or Asking()
    _require(exchange, "fetchOHLCV", "candles")
    step_s = timeframe_seconds(exchange, timeframe)
    feed = Candles(exchange, symbol, timeframe, step_s, asking.page_rows)
    return _fetch(feed, path, since, until, asking)


def fetch_funding(
    exchange: CcxtExchange,
    symbol: str,
    path: str | Path,
    *,
    since: Instant | None = None,
    until: Instant | None = None,
    asking: Asking | None = None,
) -> Fetched:
    """Write the funding rates of a perpetual into a file, or add those that were paid since.

    The columns are ``time,rate``; arguments and errors are those of `fetch_candles`.
    """
    asking = asking or Asking()
    _require(exchange, "fetchFundingRateHistory", "a history of funding")
    feed = FundingRates(exchange, symbol, asking.page_rows)
    return _fetch(feed, path, since, until, asking)


def _fetch(
    feed: HistoryKind,
    path: str | Path,
    since: Instant | None,
    until: Instant | None,
    asking: Asking,
) -> Fetched:
    path = Path(path)
    file_format(path)
    if asking.page_rows is not None and asking.page_rows < 2:  # noqa: PLR2004 (one to go on from)
        message = f"page_rows: expected 2 or more; found {asking.page_rows}"
        raise InputError(message, found=asking.page_rows)
    since_s = None if since is None else parse_time(since)
    until_s = None if until is None else parse_time(until)
    ask = Asker(feed.exchange, asking.patience, asking.remark)
    return Job(feed, ask, path, asking.progress).run(since_s, until_s)


def _require(exchange: CcxtExchange, ability: str, what: str) -> None:
    # "emulated": ccxt would make it up from other data.
    if exchange.has.get(ability) is not True:
        message = f"exchange: expected one that gives {what}; {exchange.id} does not (see ccxt)"
        raise InputError(message, exchange=exchange.id)
