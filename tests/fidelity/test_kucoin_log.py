"""KuCoin's published rebalances of ETH3L, November 2024, replayed from prices and flows alone."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from steelyard.market import Feed, read_prices
from steelyard.rules.presets import preset
from steelyard.rules.series import Daily
from steelyard.simulation.run import simulate
from support.tokens import DAY_S

RESET_S = 23 * 3600 + 55 * 60
"""The log's time of the regular rebalance; the preset has the announced 23:30."""


def test_kucoin_eth3l_from_flows_and_prices(history: Callable[[str], Path]) -> None:
    """Leverage before each regular rebalance within 1.5 % of the log's, the basket after in 0.5 %.

    The token is KuCoin's preset, costs and all, reset at the log's 23:55. It starts once, from the
    basket and the leverage that the log shows before its first rebalance; so the first leverage is
    given, and all else is found: from there on the token is told 4-hour closes and flows, each as
    the share of tokens by which the log's basket changed at unchanged leverage. What happened at
    23:45 and 23:55 happens at the day's last close. With the log rounding leverage to 1e-4, and
    closes five minutes later than its prices, 0.41 % and 0.45 % are what it comes to.
    """
    with history("logs/kucoin-ETH3L-rebalances.csv").open() as file:
        log = list(csv.DictReader(file))[::-1]
    regular = [row for row in log if row["type"].startswith("regular")]
    bars = read_prices(history("prices/ETH-USDT-perp-4h.parquet"))
    first_day = epoch(regular[0]) // DAY_S * DAY_S
    # from the last bar but one of the first day: launched at its close, four hours before the reset
    bars = bars.between(first_day + DAY_S - 2 * bars.step_s, epoch(log[-1]))
    chosen = preset("kucoin-3l")
    series = replace(
        chosen,
        symbol="ETH3L",
        underlying="ETH/USDT:USDT",
        rebalance=replace(chosen.rebalance, daily=Daily(RESET_S)),
    )
    state = simulate(series, bars.slice(0, 1), intrabar="close").state
    state.units = float(regular[0]["basket_before"])
    at_reset = state.units * float(bars.close[1])
    state.cash = at_reset / float(regular[0]["leverage_before_abs"]) - at_reset
    run = simulate(
        series,
        Feed(bars.slice(1, len(bars)), flows=flows(log, series.initial_tokens)),
        intrabar="close",
        state=state,
    )

    rows = run.rebalances[run.rebalances.trigger == "daily"]
    assert len(rows) == len(regular) == 3
    # rows of nav are stamped with their bar's opening, trades with its close
    held = run.nav[(run.nav.time + timedelta(seconds=bars.step_s)).isin(rows.time)]
    baskets = held.leverage * held.nav * held.tokens / held.price
    leverage_off, basket_off = (
        np.array(ours) / [float(row[name]) for row in regular] - 1
        for ours, name in (
            (rows.leverage_before, "leverage_before_abs"),
            (baskets, "basket_after"),
        )
    )
    for row, *off in zip(regular, leverage_off, basket_off, strict=True):
        print(f"\n{row['time_utc']}: leverage before {off[0]:+.2%}, basket after {off[1]:+.2%}")
    assert np.abs(leverage_off).max() <= 0.015
    assert np.abs(basket_off).max() <= 0.005


def epoch(row: dict[str, str]) -> int:
    """Epoch seconds of a row of the log."""
    return int(datetime.fromisoformat(row["time_utc"]).replace(tzinfo=UTC).timestamp())


def flows(log: list[dict[str, str]], tokens: float) -> dict[str, list[float]]:
    """The log's flows in tokens: leverage is unchanged, so tokens go with the basket."""
    table: dict[str, list[float]] = {"time": [], "tokens": []}
    for row in log:
        if row["type"].startswith("flow"):
            share = float(row["basket_after"]) / float(row["basket_before"]) - 1
            table["time"].append(epoch(row))
            table["tokens"].append(tokens * share)
            tokens += tokens * share
    return table
