"""The loop over all bars, which the reference engine observes one after another."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from steelyard.market import Prices
from steelyard.rules.numbers import Num, Number
from steelyard.simulation.reference import Replay

__all__ = ["walk"]

PROGRESS_EVERY = 2_048


def walk(
    replay: Replay[Num],
    bars: Prices,
    intrabar: str,
    number: Number[Num],
    progress: Callable[[int], None] | None = None,
) -> None:
    """Run a replay through the bars, in one of the two intrabar modes."""
    way = _walk_path if intrabar == "path" else _walk_close
    way(replay, bars, number, progress)


def _walk_close(
    replay: Replay[Num],
    bars: Prices,
    number: Number[Num],
    progress: Callable[[int], None] | None,
) -> None:
    """Observe each bar once, at its close and at the time of its end."""
    of = number.of
    columns = zip(bars.end_times.tolist(), bars.close.tolist(), strict=True)
    for done, (time, close) in enumerate(columns):
        replay.bar = done
        price = of(close)
        replay.observe(time, price)
        replay.mark(price)
        if progress is not None and done % PROGRESS_EVERY == 0:
            progress(done)


def _walk_path(
    replay: Replay[Num],
    bars: Prices,
    number: Number[Num],
    progress: Callable[[int], None] | None,
) -> None:
    """Visit each bar's open, the extreme that hurts first, the other extreme, and the close."""
    of = number.of
    falls = replay.fears_falls
    first, second = (bars.low, bars.high) if falls else (bars.high, bars.low)
    visits = (bars.open, first, second, bars.close)
    lists = [np.asarray(column).tolist() for column in visits]
    rows = zip(bars.time.tolist(), *lists, strict=True)
    for done, (time, *visited) in enumerate(rows):
        replay.bar = done
        opening, hurting, other, close = (of(price) for price in visited)
        replay.observe(time, opening)
        replay.travel(time, opening, hurting)
        replay.travel(time, hurting, other)
        replay.travel(time, other, close)
        replay.mark(close)
        if progress is not None and done % PROGRESS_EVERY == 0:
            progress(done)
