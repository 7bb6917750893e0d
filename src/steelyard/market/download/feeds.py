"""The two kinds of history that can be downloaded, candles and funding rates, and their rows.

A row is a tuple that begins with its time in whole epoch seconds; ``header`` names the columns.
Rows are returned in order of time, each once, and valid for `read_prices` or `read_funding`: what
those would refuse is refused here, before it is written to a file.
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
_FEWEST_ROWS = 100  # the smallest page of any exchange in ccxt
_FUNDING_S = 3_600  # the shortest funding interval of any exchange in ccxt


class HistoryKind(Protocol):
    """One kind of history of one symbol.

    Attributes:
        header: names of the columns, ``time`` first.
        least: the smallest number of rows that a file of it must have.
        what: its name in messages, in the plural.
    """

    header: ClassVar[tuple[str, ...]]
    least: ClassVar[int]
    what: ClassVar[str]

    @property
    def exchange(self) -> CcxtExchange:
        """An exchange of ccxt with its markets loaded."""

    @property
    def symbol(self) -> str:
        """The symbol as ccxt writes it."""

    @property
    def step_s(self) -> int:
        """The smallest distance between two rows, in seconds."""

    @property
    def page_s(self) -> int:
        """A span in seconds that fits on one page; if the answer is empty, the span has no rows."""

    def check(self, market: Market) -> None:
        """Raise InputError if a market has no such history."""

    def final_before(self, now_s: int) -> int:
        """The instant before which rows cannot change any more, epoch seconds."""

    def fetch(self, since_s: int) -> list[Row]:
        """Request the rows from an instant on, once; the exchange decides how many it returns."""


@dataclass(frozen=True)
class Candles:
    """Bars of a symbol, stamped with their opening instants.

    Attributes:
        exchange: an exchange of ccxt with its markets loaded.
        symbol: the symbol as ccxt writes it.
        timeframe: the timeframe as ccxt writes it.
        step_s: length of the timeframe in seconds.
        page_rows: how many rows to request at once; None for the limit that ccxt knows.
    """

    exchange: CcxtExchange
    symbol: str
    timeframe: str
    step_s: int
    page_rows: int | None = None

    header: ClassVar[tuple[str, ...]] = _CANDLE
    least: ClassVar[int] = 2  # the length of a bar is the distance between two
    what: ClassVar[str] = "candles"

    @property
    def page_s(self) -> int:
        """A span in seconds that fits on one page; if the answer is empty, the span has no rows."""
        return self.step_s * min(_FEWEST_ROWS, self._limit() or _FEWEST_ROWS)

    def check(self, market: Market) -> None:
        """Accept every market: all markets have candles."""

    def final_before(self, now_s: int) -> int:
        """The instant before which every candle that opens is closed by now, epoch seconds."""
        return now_s - self.step_s + 1

    def fetch(self, since_s: int) -> list[Row]:
        """Request the candles from an instant on, once.

        Raises:
            DataError: a candle is invalid, contradicts another one, or is off the timeframe's grid.
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
    """Funding of a perpetual: the fraction of notional that longs paid to shorts, and when.

    Attributes:
        exchange: an exchange of ccxt with its markets loaded.
        symbol: the symbol as ccxt writes it.
        page_rows: how many rows to request at once; None for the limit that ccxt knows.
    """

    exchange: CcxtExchange
    symbol: str
    page_rows: int | None = None

    header: ClassVar[tuple[str, ...]] = ("time", "rate")
    least: ClassVar[int] = 1
    what: ClassVar[str] = "funding rates"

    @property
    def step_s(self) -> int:
        """One second: funding intervals change, so the next one cannot be predicted."""
        return 1

    @property
    def page_s(self) -> int:
        """A span in seconds that fits on one page; if the answer is empty, the span has no rows."""
        return _FUNDING_S * min(_FEWEST_ROWS, self._limit() or _FEWEST_ROWS)

    def check(self, market: Market) -> None:
        """Raise InputError if a market is not a perpetual."""
        if not market.get("swap"):
            message = (
                f"symbol: expected a perpetual, which alone pays funding, such as BTC/USDT:USDT; "
                f"found {self.symbol} of {self.exchange.id}, a {market.get('type')} market"
            )
            raise InputError(message, found=self.symbol, exchange=self.exchange.id)

    def final_before(self, now_s: int) -> int:
        """The instant up to which rates have been paid; some exchanges also list the next one."""
        return now_s + 1

    def fetch(self, since_s: int) -> list[Row]:
        """Request the rates from an instant on, once.

        Raises:
            DataError: a rate is invalid, or contradicts another one of the same second.
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
    """Find where the history continues: daily candles need few requests for that.

    Returns:
        Epoch seconds before which nothing follows ``instant_s``: the opening of the first day that
        ends after it, or, if fifty days hold no candle, the end of these days.
    """
    # A daily candle need not open at midnight UTC, but the one that contains the instant is not
    # older.
    since_s = max(0, instant_s - DAY_S)
    answer = exchange.fetch_ohlcv(symbol, "1d", since_ms(since_s), _DAYS)
    refuse_dropped(exchange, answer)
    days = (seconds(candle[0]) for candle in answer)
    return min((day for day in days if day > since_s), default=since_s + _DAYS * DAY_S)
