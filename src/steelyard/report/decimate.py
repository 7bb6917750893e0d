"""Downsampling of long runs for charts, without losing any extreme value.

Law: the smallest and the greatest value of every series, and its first and last value, are among
the points kept. In between, each bucket of neighbouring bars contributes the bars at which a series
is smallest or greatest in that bucket, so that a chart looks as if every bar were drawn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from steelyard.report.plain_frames import Floats, Ints

__all__ = ["keep_extremes", "keep_notable"]


def keep_extremes(series: Sequence[Floats], most: int) -> Ints:
    """Ascending indices of at most ``most`` rows that include the extremes of all series.

    Args:
        series: arrays of shape (rows,), all of one length; NaN is never an extreme.
        most: largest number of rows to keep, at least ``2 + 2 * len(series)``.
    """
    rows = len(series[0])
    if rows <= most:
        return np.arange(rows)
    buckets = max(1, (most - 2) // (2 * len(series)))
    edges = np.linspace(0, rows, buckets + 1).astype(np.int64)
    picks = [np.array([0, rows - 1])]
    for values in series:
        low = np.where(np.isnan(values), np.inf, values)
        high = np.where(np.isnan(values), -np.inf, values)
        spans = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
        picks.append(np.array([a + int(low[a:b].argmin()) for a, b in spans]))
        picks.append(np.array([a + int(high[a:b].argmax()) for a, b in spans]))
    return np.unique(np.concatenate(picks))


def keep_notable(sizes: Floats, always: Ints, most: int) -> Ints:
    """Ascending indices of ``most`` rows: required, largest, and spread over all rows.

    Half of the room goes to the largest rows of all. These alone would cluster where the fund was
    large, so the other half is spread: the remaining rows are divided into that many stretches, and
    the largest row of each stretch is kept.

    Args:
        sizes: size of each row, shape (rows,); NaN counts as smallest.
        always: indices that must not be dropped while there is room.
        most: number of rows to keep.
    """
    if len(sizes) <= most:
        return np.arange(len(sizes))
    rank = np.where(np.isnan(sizes), -np.inf, np.abs(sizes))
    rank[always] = np.inf
    order = np.argsort(-rank, kind="stable")
    first = order[: max((most + 1) // 2, min(len(always), most))]
    rest = np.delete(np.arange(len(sizes)), first)
    stretches = most - len(first)
    spread = [s[rank[s].argmax()] for s in np.array_split(rest, stretches)] if stretches else []
    return np.sort(np.append(first, np.array(spread, dtype=np.int64)))
