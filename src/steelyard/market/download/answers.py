"""Conversion of ccxt's answers to rows of numbers, in order and each once, or to an error.

ccxt converts the answers of all exchanges to one form, but lets values through that it cannot read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from steelyard.errors import DataError
from steelyard.market.cell_faults import shown
from steelyard.market.download.ccxt_exchange import CcxtExchange
from steelyard.market.download.retrying import BadAnswer
from steelyard.market.times import END_S, format_time

__all__ = [
    "Row",
    "known_limit",
    "number",
    "ordered",
    "refusal",
    "refuse_dropped",
    "seconds",
    "since_ms",
]

Row = tuple[Any, ...]
"""A time in whole epoch seconds, followed by the values of that time."""
_Refusal = Callable[[Row, str], DataError]


def known_limit(exchange: CcxtExchange, symbol: str, method: str) -> int | None:
    """The largest number of rows that the exchange returns at once, as far as ccxt knows.

    A request must not ask for more: some exchanges then return the last rows of the span, not the
    first.
    """
    limit = exchange.feature_value(symbol, method, "limit")
    return limit if isinstance(limit, int) and limit > 0 else None


def refuse_dropped(exchange: CcxtExchange, answer: Sequence[object]) -> None:
    """Raise if the exchange returned rows of which ccxt kept none.

    ccxt drops rows without a time and rows from before the requested time. The empty answer would
    look as if there were no history.
    """
    if answer or exchange.last_http_response is None:
        return
    raw = exchange.parse_json(exchange.last_http_response)
    if isinstance(raw, list) and raw:
        raise BadAnswer(f"{exchange.id} answered with {len(raw)} rows, none of them asked for")


def since_ms(since_s: int) -> int:
    """The ``since`` of a request, in epoch ms, that returns the rows from an instant on."""
    # One millisecond earlier than wanted: some exchanges exclude ``since`` itself, and would
    # otherwise leave the first row out.
    return max(0, since_s * 1_000 - 1)


def seconds(stamp_ms: Any) -> int:  # noqa: ANN401 (ccxt's own)
    """A timestamp of ccxt (epoch ms) in whole seconds, cut.

    Raises:
        TypeError, ValueError: it is not a time in milliseconds.
    """
    epoch_s = int(stamp_ms) // 1_000
    if not 0 <= epoch_s < END_S:
        raise ValueError(f"{stamp_ms!r} is no time in milliseconds")
    return epoch_s


def number(value: Any) -> float | None:  # noqa: ANN401 (ccxt's own)
    """A number of ccxt as a float; None if the exchange gave none."""
    return None if value is None else float(value)


def ordered(rows: list[Row], since_s: int, refused: _Refusal) -> list[Row]:
    """The rows from an instant on, in order of time, each once."""
    kept: list[Row] = []
    for row in sorted((row for row in rows if row[0] >= since_s), key=lambda row: row[0]):
        if kept and kept[-1][0] == row[0]:
            if kept[-1] != row:
                raise refused(row, f"{_cells(kept[-1])} as elsewhere in the same answer")
            continue
        kept.append(row)
    return kept


def refusal(exchange: CcxtExchange, symbol: str, what: str, row: Row, expected: str) -> DataError:
    """The error for a row whose values are impossible in a history."""
    return DataError(
        f"{exchange.id} {symbol}: {what} of {format_time(row[0])}: expected {expected}; found "
        f"{_cells(row)}",
        exchange=exchange.id,
        symbol=symbol,
        time=row[0],
        expected=expected,
        found=row[1:],
    )


def _cells(row: Row) -> str:
    return ", ".join(shown(value) for value in row[1:])
