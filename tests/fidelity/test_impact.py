"""Impact as it was: recorded order books, and the storms of 2022 minute by minute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from steelyard.market import Feed, parse_time, read_book, read_prices
from steelyard.rules.presets import preset
from steelyard.rules.series import Costs
from steelyard.simulation.run import simulate

SLIPPAGE = "books/binance-slippage-1s-2024-08-08.parquet"
TOP = "books/binance-top20-10s-2024-08-08.parquet"
SIZES = (500_000, 1_000_000, 2_000_000, 5_000_000)
STORMS = (("2022-05-09", "2022-05-14"), ("2022-06-12", "2022-06-19"), ("2022-11-07", "2022-11-11"))


def errors(rows: pd.DataFrame, without: tuple[str, ...] = ()) -> dict[int, np.ndarray]:
    """By size: what walking the books of some rows costs less what was published, in bps."""
    found: dict[int, list[float]] = {size: [] for size in SIZES}
    kept = [name for name in rows.columns if not name.startswith(without)] if without else rows
    for place in range(len(rows)):
        row = rows.iloc[[place]]
        book = read_book(row[list(kept)])
        for size in SIZES:
            for order, side in (("buy", 1), ("sell", -1)):
                cost = book.cost(side * size)
                if cost is not None:
                    published = row[f"{order}_slip_bps_{size}"].iloc[0]
                    found[size].append(cost / size * 1e4 - published)
    return {size: np.array(values) for size, values in found.items()}


def test_a_book_of_published_costs_costs_what_was_published(history: Callable[[str], Path]) -> None:
    """Orders of $500k to $5M cost the figures of the file, to 1e-9 of them, whenever recorded."""
    rows = pd.read_parquet(history(SLIPPAGE)).iloc[::25]
    for size, off in errors(rows).items():
        assert len(off) == 2 * len(rows)
        assert np.abs(off).max() < 1e-8, size


def test_a_book_of_depths_alone_is_near(history: Callable[[str], Path]) -> None:
    """What rests up to 5, 10, 25 bps says less: the median miss is below 1 bp, at each size."""
    rows = pd.read_parquet(history(SLIPPAGE)).iloc[::10]
    for size, off in errors(rows, ("buy_slip", "sell_slip")).items():
        print(f"${size:,}: median miss {np.median(np.abs(off)):.2f} bps")
        assert np.median(np.abs(off)) < 1.0


def test_a_size_that_was_left_out_is_between_its_neighbours(history: Callable[[str], Path]) -> None:
    """Without the costs of $1M the book, straight between $500k and $2M, is 2.5 bps off at most."""
    rows = pd.read_parquet(history(SLIPPAGE)).iloc[::10]
    off = errors(rows, ("buy_slip_bps_1000000", "sell_slip_bps_1000000"))[1_000_000]
    print(f"$1M left out: median miss {np.median(np.abs(off)):.2f} bps, never cheaper")
    assert np.median(np.abs(off)) < 1.0
    assert np.abs(off).max() < 2.5
    # costs are convex, so a straight line lies above them
    assert off.min() > -1e-6


def test_the_best_prices_cost_what_was_published_at_that_second(
    history: Callable[[str], Path],
) -> None:
    """Two records of one second, $10k: the same order; 20 prices rarely hold $100k."""
    rows = pd.read_parquet(history(SLIPPAGE))
    compared = []
    for (venue, symbol), group in rows.groupby(["venue", "symbol"]):
        for place in range(5, len(group), 20):
            row = group.iloc[place]
            when = int(row.time.timestamp())
            book = read_book(history(TOP), venue=venue, symbol=symbol, time=when)
            for order, side in (("buy", 1), ("sell", -1)):
                cost = book.cost(side * 10_000)
                if book.time == when and cost is not None:
                    compared.append((cost, row[f"{order}_slip_bps_10000"]))
    assert compared, "no second is in both files at the rows looked at"
    found, published = np.array(compared).T
    ratio = found / published
    print(f"{len(ratio)} orders, ratio {np.quantile(ratio, [0, 0.5, 1])}")
    assert 0.5 < np.median(ratio) < 2


def test_storms_cost_more_than_calm(history: Callable[[str], Path]) -> None:
    """Realised impact on the minutes of 2022: per traded million the storms' trades cost more.

    Luna, Celsius and FTX against all other days of the year.
    """
    bars = read_prices(history("prices/BTC-USDT-perp-1m.parquet"))
    market = Costs(impact="square_root", impact_coefficient="realised", daily_volume="file")
    series = replace(preset("oracle-3l"), costs=market, initial_tokens=100_000.0, reserve=None)
    run = simulate(series, Feed(bars, start="2022-04-15", end="2022-12-01"), intrabar="close")
    trades = run.rebalance_columns
    stamps = trades["time"].astype("datetime64[s]").astype(np.int64)[1:]
    size, impact = trades["notional"][1:], trades["impact"][1:]
    storm = np.zeros(len(stamps), bool)
    for start, end in STORMS:
        storm |= (stamps >= parse_time(start)) & (stamps < parse_time(end))
    # what a trade of one size costs: the law takes its own size out
    steep = impact / size**1.5
    stormy, calm = np.median(steep[storm]), np.median(steep[~storm])
    print(
        f"{storm.sum()} trades in storms, {(~storm).sum()} beside: a trade of one size costs "
        f"{stormy / calm:.2f} times as much"
    )
    assert storm.sum() > 10
    assert stormy > 1.2 * calm
