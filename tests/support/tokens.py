"""Small tokens and histories for tests: a few figures in, a series or prices out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from steelyard.market import Prices
from steelyard.rules.series import Costs, Rebalance, Series

DAY_S = 86_400
T0 = 1_577_836_800
"""2020-01-01T00:00:00Z."""


def token(target: float = 3.0, *, costs: Costs | None = None, **parts: object) -> Series:
    """A series without costs, with the given rebalance fields and any other part of a series."""
    rebalance = {
        name: parts.pop(name) for name in list(parts) if name in Rebalance.__dataclass_fields__
    }
    plain = Series(symbol="TEST", underlying="BTC", quote="USD", target_leverage=target)
    return replace(plain, rebalance=Rebalance(**rebalance), costs=costs or Costs(), **parts)


def closes(*prices: float, step_s: int = DAY_S, start: int = T0) -> Prices:
    """Bars that have nothing but a close."""
    time = start + step_s * np.arange(len(prices), dtype=np.int64)
    return Prices(time=time, close=np.array(prices, dtype=float), step_s=step_s)


def bars(*rows: tuple[float, float, float, float], step_s: int = DAY_S, start: int = T0) -> Prices:
    """Bars of open, high, low, close."""
    opening, high, low, close = (
        np.array(column, dtype=float) for column in zip(*rows, strict=True)
    )
    time = start + step_s * np.arange(len(rows), dtype=np.int64)
    return Prices(time=time, open=opening, high=high, low=low, close=close, step_s=step_s)


def observed(*prices: float, step_s: int = DAY_S, start: int = T0) -> Prices:
    """Prices at instants, to whose times nothing is added."""
    return replace(closes(*prices, step_s=step_s, start=start), step_s=0)
