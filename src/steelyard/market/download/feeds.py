"""What can be asked for, candles and funding rates: how, and what a row of each must be.

A row is a tuple that begins with its time in whole epoch seconds; the columns are named in
``header``. Rows come back in order of time, each once, and fit to be read by `read_prices` or
`read_funding`: what those would refuse is refused here, before it gets into a file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from steelyard.errors import DataError, InputError
from steelyard.market.download.answers import (
    Row,
    known_limit,
    number,
    ordered,
    refusal,
    refuse_dropped,
    seconds,
    since_ms,
)
from steelyard.market.download.ccxt_exchange import CcxtExchange, Market
from steelyard.market.times import DAY_S

__all__ = ["Candles", "FundingRates", "HistoryKind", "first_day_after"]

_CANDLE = ("time", "open", "high", "low", "close", "volume")
_LARGEST_RATE = 1.0
_DAYS = 50  # few enough for one page of any exchange
_FEWEST_ROWS = 100  # the smallest page that an exchange in ccxt gives
_FUNDING_S = 3_600  # the shortest interval that an exchange in ccxt funds at


class HistoryKind(Protocol):
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
    def exchange(self) -> CcxtExchange:
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

    exchange: CcxtExchange
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
        return self.step_s * min(_FEWEST_ROWS, self._limit() or _FEWEST_ROWS)

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
        answer = self.exchange.fetch_ohlcv(
            self.symbol, self.timeframe, since_ms(since_s), self._limit()
        )
        refuse_dropped(self.exchange, answer)
        rows = ordered([self._row(candle) for candle in answer], since_s, self._refused)
        for row in rows:
            if (row[0] - rows[0][0]) % self.step_s:
                raise self._refused(row, f"a candle every {self.timeframe}")
        return rows

    def _limit(self) -> int | None:
        return self.page_rows or known_limit(self.exchange, self.symbol, "fetchOHLCV")

    def _row(self, candle: Sequence[Any]) -> Row:
        row: Row = (seconds(candle[0]), *map(number, candle[1:6]))
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
        return refusal(self.exchange, self.symbol, "candle", row, expected)


@dataclass(frozen=True)
class FundingRates:
    """Funding of a perpetual: what a long paid a short, as a fraction of notional, and when.

    Attributes:
        exchange: from ccxt, its markets loaded.
        symbol: as ccxt writes it.
        page_rows: how many to ask for at once; None for what ccxt takes for the best.
    """

    exchange: CcxtExchange
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
        return _FUNDING_S * min(_FEWEST_ROWS, self._limit() or _FEWEST_ROWS)

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
        answer = self.exchange.fetch_funding_rate_history(
            self.symbol, since_ms(since_s), self._limit()
        )
        refuse_dropped(self.exchange, answer)
        rows = [self._row(entry) for entry in answer]
        return ordered(rows, since_s, self._refused)

    def _limit(self) -> int | None:
        method = "fetchFundingRateHistory"
        return self.page_rows or known_limit(self.exchange, self.symbol, method)

    def _row(self, entry: Any) -> Row:  # noqa: ANN401 (ccxt's own)
        row: Row = (seconds(entry["timestamp"]), number(entry["fundingRate"]))
        if row[1] is None or not abs(row[1]) <= _LARGEST_RATE:
            raise self._refused(row, "a finite rate as a fraction, from -1 to 1")
        return row

    def _refused(self, row: Row, expected: str) -> DataError:
        return refusal(self.exchange, self.symbol, "funding rate", row, expected)


def first_day_after(exchange: CcxtExchange, symbol: str, instant_s: int) -> int:
    """Ask where the history goes on: one candle a day finds it in few questions.

    Returns:
        an instant before which nothing follows ``instant_s``: the opening of the first day that
        reaches past it, or, where there is none in fifty days, the end of these.
    """
    # A day's candle need not open at midnight UTC, but one that holds the instant is not older.
    since_s = max(0, instant_s - DAY_S)
    answer = exchange.fetch_ohlcv(symbol, "1d", since_ms(since_s), _DAYS)
    refuse_dropped(exchange, answer)
    days = (seconds(candle[0]) for candle in answer)
    return min((day for day in days if day > since_s), default=since_s + _DAYS * DAY_S)
