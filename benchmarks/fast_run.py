"""The fast run of `steelyard simulate` against the least that such a run can cost.

One year of minutes of a BTC perpetual, a 3x token that goes back to its target when leverage
leaves [2.5, 3.5] and once a day, real funding every 8 hours, 5 + 1 bps. Measured in turn, medians:

- a warm run: the whole `simulate(series, prices)`, with summary and nav columns, each run's result
  let go before the next; on closes and on paths; nothing is kept from one run to the next but the
  prices themselves. Against a bare search for the next event with NumPy, which knows a band, a
  daily reset and funding, and gives two figures;
- a cold run: the process `steelyard simulate SERIES.toml --prices FILE --json`, against a process
  that imports NumPy and the Parquet reader and loads the same columns;
- memory: what a run of some 1,000 rebalances adds at its peak, columns that it gives back
  included, against the prices that were loaded, by tracemalloc and by the process's resident size;
- beside them, without a bar: the reference, and vectorbt where it is there.

The prices are not the project's to give away: they are read from `../shared/data` or from where
STEELYARD_DATA says, and without them the benchmark says so and is skipped.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

PRICES = Path("prices") / "BTC-USDT-perp-1m.parquet"
FUNDING = Path("funding") / "BTC-USDT-perp-binance.parquet"
COLUMNS = ("time", "open", "high", "low", "close", "volume")
YEAR = 2022
MOST_CLOSE, MOST_PATH, MOST_COLD, MOST_MEMORY = 3.0, 6.0, 1.6, 3.0

SERIES = """
schema = 1
symbol = "BTC3L"
underlying = "BTC/USDT:USDT"
quote = "USDT"
target_leverage = 3.0

[[rebalance.trigger]]
when = "band"
lower = {lower}
upper = {upper}

[[rebalance.trigger]]
when = "daily"
at = "00:00"

[costs]
taker_fee_bps = 5.0
half_spread_bps = 1.0
"""

LOAD = """
import sys
import numpy
from pyarrow import parquet
with parquet.ParquetFile(sys.argv[1]) as file:
    columns = ["time", "open", "high", "low", "close", "volume"]
    loaded = [numpy.asarray(column) for column in file.read(columns=columns).columns]
print(sum(len(column) for column in loaded))
"""

RESIDENT = """
import sys
from steelyard.market import Feed, read_funding, read_prices
from steelyard.rules.series import Series
from steelyard.simulation.run import simulate

def resident(kind):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(kind)) * 1024

prices, funding = read_prices(sys.argv[1]), read_funding(sys.argv[2])
series = Series.load(sys.argv[3])
simulate(series, Feed(prices.slice(0, 5_000), funding=funding))  # what is imported late
with open("/proc/self/clear_refs", "w") as peak:
    peak.write("5")  # the peak so far was that of reading the file
before = resident("VmRSS")
run = simulate(series, Feed(prices, funding=funding))
print(resident("VmHWM") - before)
"""


class Line(NamedTuple):
    """A line of the table: what, its figure, the peer's, and the most that it may be times that."""

    name: str
    figure: float
    unit: str
    peer: float | None = None
    most: float | None = None

    @property
    def is_held(self) -> bool:
        """Whether the bar was held, where there is one."""
        return self.peer is None or self.most is None or self.figure <= self.most * self.peer

    def __str__(self) -> str:
        line = f"{self.name:50}{self.figure:9.2f} {self.unit:4}"
        if self.peer is not None:
            line += f"{self.peer:9.2f}{self.figure / self.peer:8.2f}"
        if self.most is not None:
            line += f"{self.most:7.1f}  {'held' if self.is_held else 'MISSED'}"
        return line


def search_events(price: Any, rates: Any) -> tuple[float, int]:  # noqa: ANN401 (arrays)
    """The bare search: nav of the fund at the end and trades, the launch included.

    ``rates`` has one a stretch of 480 bars; stretches end with it, days with every third. Step by
    step what the prototype's ``np_event`` does, so that neither is kinder: figures out of an array,
    impact by the square root and gas worked out at each trade, here at a rate of 0.
    """
    target, lower, upper, cost, impact, gas = np.array([3.0, 2.5, 3.5, 6e-4, 0.0, 0.0])
    cash, units, trades, bar, bars = 100_000.0, 0.0, 0, 0, len(price)
    while bar < bars:
        now = price[bar]
        if bar and bar % 480 == 479:
            cash -= units * now * rates[bar // 480]
        nav = cash + units * now
        if nav <= 0:
            break
        exposure = units * now
        is_due = bar % 1440 == 1439 or bar == 0
        if is_due or exposure < lower * nav or exposure > upper * nav:
            gap = target * nav - exposure
            traded = gap / (1 + target * cost) if gap > 0 else gap / (1 - target * cost)
            size = abs(traded)
            units += traded / now
            cash -= traded + size * (cost + impact * (size / 1e7) ** 0.5) + gas
            trades += 1
        end = min((bar + 1) // 480 * 480 + 479, bars)
        bar += 1
        if bar < end:
            stretch, borrowed = price[bar:end], cash / units
            outside = (stretch <= upper * borrowed / (1 - upper) * (1 - 1e-12)) | (
                stretch >= lower * borrowed / (1 - lower) * (1 + 1e-12)
            )
            place = int(outside.argmax())
            bar = bar + place if outside[place] else end
    return cash + units * price[-1], trades


def median_ms(peers: dict[str, Callable[[], object]], runs: int) -> dict[str, float]:
    """The median of each, taken in turn; a result is let go before the next is timed."""
    taken: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(runs):
        for name, peer in peers.items():
            start = time.perf_counter()
            result = peer()
            taken[name].append((time.perf_counter() - start) * 1e3)
            del result
    return {name: statistics.median(values) for name, values in taken.items()}


def process(*command: str) -> Callable[[], object]:
    """A whole process, from its start to its end."""
    return lambda: subprocess.run(command, check=True, capture_output=True)


def warm_lines(data: Path, runs: int, slow: int) -> list[Line]:
    """Runs in this process."""
    from steelyard.market import Feed, read_funding, read_prices
    from steelyard.rules.series import Series
    from steelyard.simulation.run import Run, simulate

    prices = read_prices(data / PRICES).between(f"{YEAR}-01-01", f"{YEAR + 1}-01-01")
    funding = read_funding(data / FUNDING)
    series = Series.loads(SERIES.format(lower=2.5, upper=3.5))
    paid = funding.rate[np.searchsorted(funding.time, prices.end_times[0], "right") :]

    def run(mode: str, engine: str = "fast") -> Run:
        return simulate(series, Feed(prices, funding=funding), intrabar=mode, engine=engine)

    bare, ours = search_events(prices.close, paid), run("close").summary
    nav, trades = ours["nav"]["final"] * 1_000, ours["rebalances"]["count"] + 1
    print(
        f"{len(prices):,} bars of {YEAR}: {trades:,} trades, nav of the fund {nav:.6f}; "
        f"by the bare search {bare[1]:,} and {bare[0]:.6f}"
    )
    warm = median_ms(
        {
            "bare": lambda: search_events(prices.close, paid),
            "close": lambda: run("close"),
            "path": lambda: run("path"),
        },
        runs,
    )
    least = warm["bare"]
    lines = [
        Line("warm run, close; the bare search", warm["close"], "ms", least, MOST_CLOSE),
        Line("warm run, path; the bare search", warm["path"], "ms", least, MOST_PATH),
    ]
    if not slow:
        return lines
    slower = median_ms(
        {mode: functools.partial(run, mode, "reference") for mode in ("close", "path")}, slow
    )
    lines += [
        Line(f"reference, {mode}; the warm run", slower[mode], "ms", warm[mode]) for mode in slower
    ]
    try:
        from reference_vs_vectorbt import make_vectorbt

        peer = make_vectorbt(prices)
    except ImportError:
        print("vectorbt is not here: left out")
        return lines
    peer()  # compiles
    theirs = median_ms({"vectorbt": peer}, slow)["vectorbt"]
    return [*lines, Line("vectorbt, close, no funding; the warm run", theirs, "ms", warm["close"])]


def cold_line(year: Path, token: Path, runs: int) -> Line:
    """Whole processes."""
    command = str(Path(sys.executable).with_name("steelyard"))
    cold = median_ms(
        {
            "load": process(sys.executable, "-c", LOAD, str(year)),
            "cold": process(command, "simulate", str(token), "--prices", str(year), "--json"),
        },
        runs,
    )
    return Line("cold process; loading the columns", cold["cold"], "ms", cold["load"], MOST_COLD)


def memory_lines(data: Path, year: Path, token: Path) -> list[Line]:
    """The prices and what a run adds to them at its peak, over the prices."""
    from steelyard.market import Feed, read_funding, read_prices
    from steelyard.rules.series import Series
    from steelyard.simulation.run import simulate

    prices, funding, series = read_prices(year), read_funding(data / FUNDING), Series.load(token)
    size = sum(getattr(prices, name).nbytes for name in COLUMNS) / 2**20
    tracemalloc.start()
    start = tracemalloc.get_traced_memory()[0]
    run = simulate(series, Feed(prices, funding=funding))
    traced = (tracemalloc.get_traced_memory()[1] - start) / 2**20
    tracemalloc.stop()
    grown = subprocess.run(
        [sys.executable, "-c", RESIDENT, str(year), str(data / FUNDING), str(token)],
        check=True,
        capture_output=True,
        text=True,
    )
    resident = int(grown.stdout) / 2**20
    name = f"prices and run, {run.summary['rebalances']['count']:,} rebalances; prices"
    return [
        Line(f"{name}, traced", size + traced, "MB", size, MOST_MEMORY),
        Line(f"{name}, resident", size + resident, "MB", size, MOST_MEMORY),
    ]


def measure(data: Path, folder: Path, runs: int, slow: int) -> list[Line]:
    """All lines of the table; a file of the year and two series are written for it."""
    import pyarrow as pa
    from pyarrow import parquet

    from steelyard.market import read_prices

    prices = read_prices(data / PRICES).between(f"{YEAR}-01-01", f"{YEAR + 1}-01-01")
    columns = {name: getattr(prices, name) for name in COLUMNS}
    columns["time"] = pa.array(columns["time"] * 1_000).cast(pa.timestamp("ms", tz="UTC"))
    year, token, narrow = (folder / name for name in ("year.parquet", "wide.toml", "narrow.toml"))
    parquet.write_table(pa.table(columns), year)
    token.write_text(SERIES.format(lower=2.5, upper=3.5), encoding="utf-8")
    narrow.write_text(SERIES.format(lower=2.85, upper=3.15), encoding="utf-8")
    return [
        *warm_lines(data, runs, slow),
        cold_line(year, token, max(5, runs // 3)),
        *memory_lines(data, year, narrow),
    ]


def main() -> int:
    """Print the table; 1 where a bar was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=31, help="runs of each (default: 31)")
    parser.add_argument(
        "--slow-runs", type=int, default=1, help="of the reference and vectorbt (default: 1)"
    )
    parser.add_argument("--json", action="store_true", help="print the lines as JSON as well")
    arguments = parser.parse_args()

    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    data = Path(os.environ.get("STEELYARD_DATA") or beside)
    if not (data / PRICES).exists() or not (data / FUNDING).exists():
        print(f"skipped: needs {PRICES} and {FUNDING} in ../shared/data or under STEELYARD_DATA")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        lines = measure(data, Path(folder), arguments.runs, arguments.slow_runs)
    print(f"{'what; its peer':50}{'figure':>9}     {'peer':>9}{'times':>8}{'bar':>7}")
    for line in lines:
        print(line)
    if arguments.json:
        print(json.dumps([line._asdict() for line in lines]))
    return 0 if all(line.is_held for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
