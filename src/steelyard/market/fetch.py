"""Downloads from an exchange into a file: closed candles, and funding that was paid.

    exchange = open_exchange("binanceusdm")
    fetch_candles(exchange, "BTC/USDT:USDT", "1m", "btc.parquet", since="2022-01-01")

An existing file is continued, after its last rows have been compared with those of the exchange: a
file of another symbol, timeframe or exchange is refused. Rows that have been downloaded are kept
beside the file, in ``FILE.part``, and the next run continues from there. FILE itself is always
complete, and its bytes do not depend on how often the download was interrupted.
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
    """Do nothing."""


@dataclass(frozen=True)
class Asking:
    """How requests are made, and who is told about them.

    Attributes:
        page_rows: number of rows to request at once, 2 or more; None for the limit that ccxt knows.
        patience: how often and how long to retry when the exchange does not answer.
        progress: called with the share that is done, from 0 to 1.
        remark: called with a sentence about every pause.
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
    """Write candles into a new file, or add those that have closed since to an existing file.

    Args:
        exchange: from `open_exchange`, or any synchronous exchange of ccxt.
        symbol: the symbol as ccxt writes it, such as ``BTC/USDT:USDT``.
        timeframe: a timeframe that the exchange offers, from seconds to weeks: ``1m``, ``4h``.
        path: path of the file, which ends in .csv, .csv.gz or .parquet and has the columns
            ``time,open,high,low,close,volume``.
        since: candles open at or after this time; it may be left out if the file exists.
        until: candles open before this time; None for all that are closed by the exchange's clock.
        asking: how requests are made, and who is told about them.

    Raises:
        InputError: the exchange has no such symbol or timeframe, or no candles in that time; the
            file holds something else, or its name has no known ending.
        DataError: the exchange returns invalid candles, or the file is damaged.
        Unavailable: the exchange does not answer; what was downloaded is kept.
        Rejected: the exchange refuses the request.
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
    """Write the funding rates of a perpetual into a file, or add newer ones to an existing file.

    The columns are ``time,rate``; the arguments and errors are those of `fetch_candles`.
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
    # The value "emulated" means that ccxt would compute the data from other data.
    if exchange.has.get(ability) is not True:
        message = f"exchange: expected one that gives {what}; {exchange.id} does not (see ccxt)"
        raise InputError(message, exchange=exchange.id)
