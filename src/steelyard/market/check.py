"""The report of ``steelyard data check``: a price history described in figures.

It describes what `read_prices` accepted, and nothing in it is an error: a gap or a huge move may be
real. A person who knows the market can look at both here before trusting a backtest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from steelyard.market.times import format_time

if TYPE_CHECKING:
    from steelyard.market.prices import Prices

__all__ = ["check_report"]


def check_report(prices: Prices) -> dict[str, object]:
    """Return the report on a price history as plain numbers, text and dicts, ready for JSON.

    Times are ISO 8601 UTC, durations are in seconds, and moves are fractions from close to close. A
    figure that is not defined (the end of bars without a length, the moves of a single row) is
    None.
    """
    return {
        "source": prices.source,
        "layout": prices.layout,
        "rows": len(prices),
        "start": format_time(prices.time[0]),
        "end": format_time(prices.end_times[-1]),
        "step_s": prices.step_s,
        "path": prices.has_path,
        "volume": prices.volume is not None,
        "gaps": _gaps(prices),
        "short_spacings": int((np.diff(prices.time) < prices.step_s).sum()),
        "price": {
            "first": float(prices.close[0]),
            "last": float(prices.close[-1]),
            "min": float((prices.close if prices.low is None else prices.low).min()),
            "max": float((prices.close if prices.high is None else prices.high).max()),
        },
        "moves": _moves(prices),
    }


def _gaps(prices: Prices) -> dict[str, object]:
    """Count the gaps and find the longest one; of several equal ones, the earliest."""
    gaps = prices.gaps
    if len(gaps) == 0:
        return {"count": 0, "missing_s": 0, "missing_bars": 0, "longest": None}
    longest = int(gaps.missing_s.argmax())
    row = int(gaps.rows[longest])
    return {
        "count": len(gaps),
        "missing_s": int(gaps.missing_s.sum()),
        "missing_bars": int((gaps.missing_s // prices.step_s).sum()),
        "longest": {
            "start": format_time(prices.end_times[row - 1]),
            "end": format_time(prices.time[row]),
            "missing_s": int(gaps.missing_s[longest]),
            "row": row + 1,
        },
    }


def _moves(prices: Prices) -> dict[str, object] | None:
    """Find the largest rise and the largest fall from one close to the next."""
    if len(prices) < 2:  # noqa: PLR2004 - a move takes two
        return None
    moves = prices.close[1:] / prices.close[:-1] - 1.0
    return {
        word: {
            "move": float(moves[index]),
            "time": format_time(prices.time[index + 1]),
            "row": int(index) + 2,
        }
        for word, index in (("largest_fall", moves.argmin()), ("largest_rise", moves.argmax()))
    }
