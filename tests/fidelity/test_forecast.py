"""KuCoin's published resets of ETH3L, November 2024, forecast from the basket before them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import steelyard as sy
from steelyard.analysis.shelf import Token
from steelyard.market import read_prices
from steelyard.rules.presets import preset
from steelyard.rules.series import Daily

RESET_S = 23 * 3600 + 55 * 60
"""The log's time of the regular rebalance; the preset has the announced 23:30."""


def test_kucoin_baskets_after_their_resets(history: Callable[[str], Path]) -> None:
    """The basket after each regular rebalance within 0.5 % of the log's.

    A shelf of KuCoin's preset, costs and all, with the basket and the leverage that the log shows
    before; asked half an hour earlier what its next reset trades if the price stays. The log's
    leverage has four digits, and the preset's costs are not KuCoin's: 0.20 % is what it comes to.
    """
    with history("logs/kucoin-ETH3L-rebalances.csv").open() as file:
        log = [row for row in csv.DictReader(file) if row["type"].startswith("regular")]
    bars = read_prices(history("prices/ETH-USDT-perp-4h.parquet"))
    chosen = preset("kucoin-3l")
    series = replace(
        chosen,
        underlying="ETH/USDT:USDT",
        rebalance=replace(chosen.rebalance, daily=Daily(RESET_S)),
    )
    assert len(log) == 3
    for row in log:
        due = int(datetime.fromisoformat(row["time_utc"]).replace(tzinfo=UTC).timestamp())
        price = float(bars.between(due - 2 * bars.step_s, due).close[-1])
        basket, leverage = float(row["basket_before"]), float(row["leverage_before_abs"])
        exposure = basket * price
        token = Token("ETH3L", series, cash=exposure / leverage - exposure, units=basket)
        shelf = sy.Shelf((token,), "ETH/USDT:USDT", price=price, time=due - 1_800)
        (flow,) = sy.forecast(shelf).present.resets
        assert (flow.time, flow.trigger) == (due, "daily")
        off = (basket + flow.units) / float(row["basket_after"]) - 1
        print(f"\n{row['time_utc']}: basket after {off:+.2%}")
        assert abs(off) <= 0.005
