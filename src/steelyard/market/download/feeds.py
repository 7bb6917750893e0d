"""What can be asked for, candles and funding rates: how, and what a row of each must be.

A row is a tuple that begins with its time in whole epoch seconds; the columns are named in
``header``. Rows come back in order of time, each once, and fit to be read by `read_prices` or
`read_funding`: what those would refuse is refused here, before it gets into a file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from steelyard.errors import DataError, InputError
from steelyard.market.download.asking import BadAnswer
from steelyard.market.download.exchange import Exchange, Market
from steelyard.market.faults import shown
from steelyard.market.times import DAY_S, END_S, format_time

__all__ = ["Candles", "Feed", "FundingRates", "Row", "first_day_after"]

Row = tuple[Any, ...]
_Refusal = Callable[[Row, str], DataError]

_CANDLE = ("time", "open", "high", "low", "close", "volume")
_LARGEST_RATE = 1.0
_DAYS = 50  # few enough for one page of any exchange
_FEWEST_ROWS = 100  # the smallest page that an exchange in ccxt gives
_FUNDING_S = 3_600  # the shortest interval that an exchange in ccxt funds at


class Feed(Protocol):
    """One kind of history of one symbol.

    Attributes:
        header: names of the columns, ``time`` first.
        least: rows that a file of it must have.
        what: its name for messages, in the plural.
    """

    header: ClassVar[tuple[str, ...]]
    least: ClassVar[int]
    what: ClassVar[str]

    @property
    def exchange(self) -> Exchange:
        """From ccxt, its markets loaded."""

    @property
    def symbol(self) -> str:
        """As ccxt writes it."""

    @property
    def step_s(self) -> int:
        """Rows are never closer than this, in seconds."""

    @property
    def page_s(self) -> int:
        """A span that fits on one page: where an answer is empty, it holds nothing."""

    def check(self, market: Market) -> None:
        """Raise InputError where a market has no such history."""

    def final_before(self, now_s: int) -> int:
        """The instant before which rows can change no more."""

    def fetch(self, since_s: int) -> list[Row]:
        """Ask once for the rows from an instant on; the exchange decides how many."""


@dataclass(frozen=True)
class Candles:
    """Bars of a symbol, stamped with their opening instants.

    Attributes:
        exchange: from ccxt, its markets loaded.
        symbol: as ccxt writes it.
        timeframe: as ccxt writes it.
        step_s: its length in seconds.
        page_rows: how many to ask for at once; None for what ccxt takes for the best.
    """

    exchange: Exchange
    symbol: str
    timeframe: str
    step_s: int
    page_rows: int | None = None

    header: ClassVar[tuple[str, ...]] = _CANDLE
    least: ClassVar[int] = 2  # a bar's length is read off the spacing of two
    what: ClassVar[str] = "candles"

    @property
    def page_s(self) -> int:
        """A span that fits on one page: where an answer is empty, it holds nothing."""
        return self.step_s * min(_FEWEST_ROWS, self.page_rows or _FEWEST_ROWS)

    def check(self, market: Market) -> None:
        """Every market has candles."""

    def final_before(self, now_s: int) -> int:
        """The instant before which candles that open are closed by now."""
        return now_s - self.step_s + 1

    def fetch(self, since_s: int) -> list[Row]:
        """Ask once for the candles from an instant on.

        Raises:
            DataError: a candle is none, contradicts another or is off the timeframe's grid.
        """
        limit = self.page_rows or _known_limit(self.exchange, self.symbol, "fetchOHLCV")
        answer = self.exchange.fetch_ohlcv(self.symbol, self.timeframe, _since_ms(since_s), limit)
        _refuse_dropped(self.exchange, answer)
        rows = _ordered([self._row(candle) for candle in answer], since_s, self._refused)
        for row in rows:
            if (row[0] - rows[0][0]) % self.step_s:
                raise self._refused(row, f"a candle every {self.timeframe}")
        return rows

    def _row(self, candle: Sequence[Any]) -> Row:
        row: Row = (_seconds(candle[0]), *map(_number, candle[1:6]))
        _, start, high, low, end, volume = row
        prices = (start, high, low, end)
        if not all(price is not None and 0 < price < math.inf for price in prices):
            raise self._refused(row, "finite prices above 0")
        if not (low <= min(start, end) and max(start, end) <= high):
            raise self._refused(row, "a low and a high that bound open and close")
        if volume is None or not 0 <= volume < math.inf:
            raise self._refused(row, "a finite volume, 0 or more")
        return row

    def _refused(self, row: Row, expected: str) -> DataError:
        return _refusal(self.exchange, self.symbol, "candle", row, expected)


@dataclass(frozen=True)
class FundingRates:
    """Funding of a perpetual: what a long paid a short, as a fraction of notional, and when.

    Attributes:
        exchange: from ccxt, its markets loaded.
        symbol: as ccxt writes it.
        page_rows: how many to ask for at once; None for what ccxt takes for the best.
    """

    exchange: Exchange
    symbol: str
    page_rows: int | None = None

    header: ClassVar[tuple[str, ...]] = ("time", "rate")
    least: ClassVar[int] = 1
    what: ClassVar[str] = "funding rates"

    @property
    def step_s(self) -> int:
        """A second: intervals change, so that nothing is known of the next one."""
        return 1

    @property
    def page_s(self) -> int:
        """A span that fits on one page: where an answer is empty, it holds nothing."""
        return _FUNDING_S * min(_FEWEST_ROWS, self.page_rows or _FEWEST_ROWS)

    def check(self, market: Market) -> None:
        """Raise InputError where a market is no perpetual."""
        if not market.get("swap"):
            message = (
                f"symbol: expected a perpetual, which alone pays funding, such as BTC/USDT:USDT; "
                f"found {self.symbol} of {self.exchange.id}, a {market.get('type')} market"
            )
            raise InputError(message, found=self.symbol, exchange=self.exchange.id)

    def final_before(self, now_s: int) -> int:
        """The instant before which rates have been paid: some exchanges list the next one too."""
        return now_s + 1

    def fetch(self, since_s: int) -> list[Row]:
        """Ask once for the rates from an instant on.

        Raises:
            DataError: a rate is none, or contradicts another of the same second.
        """
        limit = self.page_rows or _known_limit(
            self.exchange, self.symbol, "fetchFundingRateHistory"
        )
        answer = self.exchange.fetch_funding_rate_history(self.symbol, _since_ms(since_s), limit)
        _refuse_dropped(self.exchange, answer)
        rows = [self._row(entry) for entry in answer]
        return _ordered(rows, since_s, self._refused)

    def _row(self, entry: Any) -> Row:  # noqa: ANN401 (ccxt's own)
        row: Row = (_seconds(entry["timestamp"]), _number(entry["fundingRate"]))
        if row[1] is None or not abs(row[1]) <= _LARGEST_RATE:
            raise self._refused(row, "a finite rate as a fraction, from -1 to 1")
        return row

    def _refused(self, row: Row, expected: str) -> DataError:
        return _refusal(self.exchange, self.symbol, "funding rate", row, expected)


def first_day_after(exchange: Exchange, symbol: str, instant_s: int) -> int:
    """Ask where the history goes on: one candle a day finds it in few questions.

    Returns:
        an instant before which nothing follows ``instant_s``: the opening of the first day that
        reaches past it, or, where there is none in fifty days, the end of these.
    """
    # A day's candle need not open at midnight UTC, but one that holds the instant is not older.
    since_s = max(0, instant_s - DAY_S)
    answer = exchange.fetch_ohlcv(symbol, "1d", _since_ms(since_s), _DAYS)
    _refuse_dropped(exchange, answer)
    days = (_seconds(candle[0]) for candle in answer)
    return min((day for day in days if day > since_s), default=since_s + _DAYS * DAY_S)


def _known_limit(exchange: Exchange, symbol: str, method: str) -> int | None:
    """How many rows ccxt knows the exchange to give at once.

    More must not be asked for: some then answer with the last rows of the span, not the first.
    """
    limit = exchange.feature_value(symbol, method, "limit")
    return limit if isinstance(limit, int) and limit > 0 else None


def _refuse_dropped(exchange: Exchange, answer: Sequence[object]) -> None:
    """Refuse an answer of which ccxt kept nothing.

    It drops rows without a time and rows from before the time asked for, and what is left would
    look as if there were no history.
    """
    if answer or exchange.last_http_response is None:
        return
    raw = exchange.parse_json(exchange.last_http_response)
    if isinstance(raw, list) and raw:
        raise BadAnswer(f"{exchange.id} answered with {len(raw)} rows, none of them asked for")


def _since_ms(since_s: int) -> int:
    # One earlier than wanted: to some exchanges "since" means after, and then nothing is missed.
    return max(0, since_s * 1_000 - 1)


def _seconds(stamp_ms: Any) -> int:  # noqa: ANN401 (ccxt's own)
    seconds = int(stamp_ms) // 1_000
    if not 0 <= seconds < END_S:
        raise ValueError(f"{stamp_ms!r} is no time in milliseconds")
    return seconds


def _number(value: Any) -> float | None:  # noqa: ANN401 (ccxt's own)
    return None if value is None else float(value)


def _ordered(rows: list[Row], since_s: int, refused: _Refusal) -> list[Row]:
    """The rows from an instant on in order of time, each once."""
    kept: list[Row] = []
    for row in sorted((row for row in rows if row[0] >= since_s), key=lambda row: row[0]):
        if kept and kept[-1][0] == row[0]:
            if kept[-1] != row:
                raise refused(row, f"{_cells(kept[-1])} as elsewhere in the same answer")
            continue
        kept.append(row)
    return kept


def _cells(row: Row) -> str:
    return ", ".join(shown(value) for value in row[1:])


def _refusal(exchange: Exchange, symbol: str, what: str, row: Row, expected: str) -> DataError:
    return DataError(
        f"{exchange.id} {symbol}: {what} of {format_time(row[0])}: expected {expected}; found "
        f"{_cells(row)}",
        exchange=exchange.id,
        symbol=symbol,
        time=row[0],
        expected=expected,
        found=row[1:],
    )
