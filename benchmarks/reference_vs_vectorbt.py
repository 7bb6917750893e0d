"""The reference simulation against vectorbt's `Portfolio.from_order_func`, on one strategy.

A 3x token that goes back to its target when leverage leaves [2.5, 3.5] and once a day at midnight,
paying a taker fee and half a spread, over a year of minutes of a BTC perpetual (closes only). Both
run in this process, in turn, on the same prices; their navs at the end must agree to 1e-5 (exit 1
otherwise). Speed has no bar here: the reference is the oracle for what is faster, and reads like
the specification.

The prices are not the project's to give away: they are read from `../shared/data` or from where
STEELYARD_DATA says, and without them the benchmark says so and is skipped.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

BAR = 1e-5
FILE = Path("prices") / "BTC-USDT-perp-1m.parquet"
YEAR = 2022
DAY_S = 86_400

TARGET, LOWER, UPPER = 3.0, 2.5, 3.5
FEE_BPS, HALF_SPREAD_BPS = 5.0, 1.0
ASSETS = 100_000.0
# vectorbt lends no cash to a long, so it is given the loan at the start, and every nav is cash less
# the loan plus the position. A million covers 3 x 100,000 many times over.
LOAN = 1_000_000.0


class Result(NamedTuple):
    """What a peer found: nav of the whole fund at the end, and trades after the launch."""

    nav: float
    rebalances: int


def run_steelyard(prices: Any) -> Result:  # noqa: ANN401 (numpy-backed, imported late)
    """The strategy by `steelyard.simulation`, one observation a bar."""
    from steelyard.rules.series import Band, Costs, Daily, Rebalance, Series
    from steelyard.simulation.run import simulate

    series = Series(
        symbol="BTC3L",
        underlying="BTC/USDT:USDT",
        quote="USDT",
        target_leverage=TARGET,
        initial_nav=100.0,
        initial_tokens=ASSETS / 100.0,
        rebalance=Rebalance(band=Band(LOWER, UPPER), daily=Daily(0)),
        costs=Costs(taker_fee_bps=FEE_BPS, half_spread_bps=HALF_SPREAD_BPS),
    )
    run = simulate(series, prices, intrabar="close", engine="reference")
    summary = run.summary
    nav = summary["nav"]["final"] * series.initial_tokens
    return Result(nav, summary["rebalances"]["count"])


def make_vectorbt(prices: Any) -> Callable[[], Result]:  # noqa: ANN401
    """The same strategy as an order function of vectorbt, compiled by numba."""
    import pandas as pd
    import vectorbt as vbt
    from numba import njit
    from vectorbt.portfolio import nb
    from vectorbt.portfolio.enums import SizeType

    amount = SizeType.Amount

    @njit
    def order(c, due, target, lower, upper, fee, loan):  # noqa: ANN001, ANN202 (compiled)
        price = c.close[c.i, c.col]
        units = c.position_now
        nav = c.cash_now - loan + units * price
        leverage = units * price / nav
        if c.i > 0 and lower <= leverage <= upper and not due[c.i]:
            return nb.order_nb(size=np.nan)
        gap = target * nav - units * price
        # nav pays the fee, so the size has to be right after it (FORMULAS 4, SPEC's convention)
        size = gap / (price * (1.0 + target * fee * np.sign(gap)))
        return nb.order_nb(
            size=size,
            price=price,
            size_type=amount,
            fees=fee,
            raise_reject=True,
            allow_partial=False,
        )

    closes = pd.Series(prices.close)
    days = prices.end_times // DAY_S
    due = np.concatenate(([False], days[1:] > days[:-1]))
    fee = (FEE_BPS + HALF_SPREAD_BPS) / 10_000.0

    def run() -> Result:
        portfolio = vbt.Portfolio.from_order_func(
            closes, order, due, TARGET, LOWER, UPPER, fee, LOAN, init_cash=ASSETS + LOAN, freq="min"
        )
        return Result(float(portfolio.final_value()) - LOAN, int(portfolio.orders.count()) - 1)

    return run


def main() -> int:
    """Print the table; 1 where the two disagree."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="runs of each (default: 5)")
    arguments = parser.parse_args()

    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    path = Path(os.environ.get("STEELYARD_DATA") or beside) / FILE
    if not path.exists():
        print(f"skipped: needs {FILE} in ../shared/data, or in the folder STEELYARD_DATA names")
        return 0

    from steelyard.market import read_prices

    prices = read_prices(path).between(f"{YEAR}-01-01", f"{YEAR + 1}-01-01")
    bars = len(prices)
    peers = {"vectorbt": make_vectorbt(prices), "steelyard": lambda: run_steelyard(prices)}
    # the first call compiles vectorbt's loop and imports what is imported late
    results = {name: peer() for name, peer in peers.items()}
    seconds: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(arguments.runs):
        for name, peer in peers.items():
            start = time.perf_counter()
            results[name] = peer()
            seconds[name].append(time.perf_counter() - start)

    import numba
    import vectorbt

    import steelyard

    versions = {"vectorbt": vectorbt.__version__, "steelyard": steelyard.__version__}
    print(f"BTC perpetual, {YEAR}, {bars:,} one-minute closes; median of {arguments.runs} runs")
    print(f"{'':20}{'median s':>10}{'ns/bar':>10}{'final nav':>20}{'rebalances':>12}")
    for name, found in results.items():
        median = statistics.median(seconds[name])
        label = f"{name} {versions[name]}"
        print(
            f"{label:20}{median:10.3f}{median / bars * 1e9:10.0f}{found.nav:20.8f}"
            f"{found.rebalances:12,}"
        )
    ours, theirs = results["steelyard"], results["vectorbt"]
    apart = abs(ours.nav / theirs.nav - 1.0)
    agreed = apart <= BAR and ours.rebalances == theirs.rebalances
    print(
        f"Python {platform.python_version()}, numpy {np.__version__}, numba {numba.__version__}\n"
        f"bar: navs within {BAR:g} of each other, and as many rebalances; "
        f"{apart:.1e} apart; {'held' if agreed else 'MISSED'}"
    )
    return 0 if agreed else 1


if __name__ == "__main__":
    sys.exit(main())
