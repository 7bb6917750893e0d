"""`sy.explain(run)` of two years of minutes against one simulation of them.

A 3x token on a BTC perpetual with a band, a daily reset, real funding, 5 + 1 bps, linear impact,
gas, a management fee and a reserve, so that every step of a perpetual needs its run; the band is
so wide that it makes some 1,000 rebalances. The minutes are those of 2022, there and back, so that
the token does not die of two such years; the funding is that of its time. Medians, taken in turn;
of what explains, the run that is explained counts too. At most 15 times one simulation.

The prices are not the project's to give away: they are read from `../shared/data` or from where
STEELYARD_DATA says, and without them the benchmark says so and is skipped.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fast_run import median_ms

if TYPE_CHECKING:
    from steelyard.market import Prices

PRICES = Path("prices") / "BTC-USDT-perp-1m.parquet"
FUNDING = Path("funding") / "BTC-USDT-perp-binance.parquet"
START, END = "2022-01-01", "2023-01-01"
MOST = 15.0

SERIES = """
schema = 1
symbol = "BTC3L"
underlying = "BTC/USDT:USDT"
quote = "USDT"
target_leverage = 3.0

[[rebalance.trigger]]
when = "band"
lower = 2.72
upper = 3.32

[[rebalance.trigger]]
when = "daily"
at = "00:00"

[costs]
taker_fee_bps = 5.0
half_spread_bps = 1.0
impact = "linear"
impact_coefficient = 10.0
gas_per_rebalance = 0.1

[fees]
management_per_year = 0.01

[reserve]
initial_units = 400.0
"""


def there_and_back(year: Prices) -> Prices:
    """A year of bars followed by itself backwards."""
    import numpy as np

    ways = {"open": "close", "high": "high", "low": "low", "close": "open"}
    longer = {
        name: np.concatenate((getattr(year, name), getattr(year, other)[::-1]))
        for name, other in ways.items()
    }
    length = int(year.time[-1] - year.time[0]) + year.step_s
    time = np.concatenate((year.time, year.time + length))
    return replace(year, time=time, volume=None, **longer)


def main() -> int:
    """Print the table; 1 where the bar was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7, help="runs of each (default: 7)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON as well")
    arguments = parser.parse_args()

    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    data = Path(os.environ.get("STEELYARD_DATA") or beside)
    if not (data / PRICES).exists() or not (data / FUNDING).exists():
        print(f"skipped: needs {PRICES} and {FUNDING} in ../shared/data or under STEELYARD_DATA")
        return 0

    import steelyard as sy
    from steelyard.market import read_funding, read_prices
    from steelyard.rules.series import Series
    from steelyard.simulation.run import Run, simulate

    prices = there_and_back(read_prices(data / PRICES).between(START, END))
    funding = read_funding(data / FUNDING)
    full = Series.loads(SERIES)
    plain = Series.loads(SERIES.partition("impact =")[0])
    worst = 0.0
    print(f"{'what':42}{'simulate':>10}{'explain':>10}{'times':>8}{'bar':>7}")
    for name, series in (("fees and funding", plain), ("every cost, a reserve", full)):
        for mode in ("close", "path"):

            def run(series: Series = series, mode: str = mode) -> Run:
                return simulate(series, sy.Feed(prices, funding=funding), intrabar=mode)

            taken = median_ms(
                {"simulate": run, "explain": lambda: sy.explain(run()).figures("month")},
                arguments.runs,
            )
            times = taken["explain"] / taken["simulate"]
            worst = max(worst, times)
            count = run().summary["rebalances"]["count"]
            print(
                f"{f'{name}, {mode}, {count:,} rebalances':42}{taken['simulate']:7.1f} ms"
                f"{taken['explain']:7.1f} ms{times:8.2f}{MOST:7.1f}"
            )
    print(f"{len(prices):,} bars; {'held' if worst <= MOST else 'MISSED'}")
    if arguments.json:
        print(json.dumps({"times": worst, "most": MOST}))
    return 0 if worst <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
