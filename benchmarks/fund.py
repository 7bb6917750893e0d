"""What the fund's core costs a backtest: this source against an older one, in one run.

The strategy of `fast_run.py` over its year of minutes (the fast run, on closes and on paths) and
over its first weeks (the reference). One process loads this source and another the older one; both
are asked for the same runs in turn, and say what processor time each took. Medians; the bare search
of `fast_run.py` is run by both, so that each source's ratio to it is shown.

    python benchmarks/fund.py --older ../older-checkout/src

Run by hand: without an older source, or without the prices, it says so and is skipped.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np

MOST_FAST, MOST_REFERENCE = 1.2, 1.3
REFERENCE_BARS = 30_000
FAST = ("bare", "close", "path")
REFERENCE = ("reference close", "reference path")


def jobs(data: Path) -> dict[str, Callable[[], object]]:
    """What a worker can be asked for, on the source that it imports."""
    from fast_run import FUNDING, PRICES, SERIES, YEAR, search_events

    from steelyard import market
    from steelyard.market import read_funding, read_prices
    from steelyard.rules.series import Series
    from steelyard.simulation.run import simulate

    prices = read_prices(data / PRICES).between(f"{YEAR}-01-01", f"{YEAR + 1}-01-01")
    funding = read_funding(data / FUNDING)
    series = Series.loads(SERIES.format(lower=2.5, upper=3.5))
    paid = funding.rate[np.searchsorted(funding.time, prices.end_times[0], "right") :]
    few = prices.slice(0, REFERENCE_BARS)

    def run(bars: object, mode: str, engine: str = "fast") -> object:
        if hasattr(market, "Feed"):
            feed = market.Feed(bars, funding=funding)
            return simulate(series, feed, intrabar=mode, engine=engine)
        # an older source has no feeds
        return simulate(series, bars, funding=funding, intrabar=mode, engine=engine)

    made: dict[str, Callable[[], object]] = {"bare": lambda: search_events(prices.close, paid)}
    for mode in ("close", "path"):
        made[mode] = lambda mode=mode: run(prices, mode)
        made[f"reference {mode}"] = lambda mode=mode: run(few, mode, "reference")
    return made


def work(data: Path) -> None:
    """Answer each job that is asked for with the milliseconds of processor time that it took."""
    made = jobs(data)
    print("ready", flush=True)
    for asked in sys.stdin:
        job = made[asked.strip()]
        start = time.process_time()
        result = job()
        print((time.process_time() - start) * 1e3, flush=True)
        del result


class Worker:
    """A process on one source."""

    def __init__(self, source: Path, data: Path) -> None:
        command = [sys.executable, str(Path(__file__).resolve()), "--work", str(data)]
        self.process = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": str(source)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._read()

    def take(self, job: str) -> float:
        """Have a job done; its milliseconds."""
        asked: IO[str] | None = self.process.stdin
        assert asked is not None  # noqa: S101 (it has a pipe)
        asked.write(f"{job}\n")
        asked.flush()
        return float(self._read())

    def end(self) -> None:
        """Let it go."""
        self.process.communicate()

    def _read(self) -> str:
        told: IO[str] | None = self.process.stdout
        assert told is not None  # noqa: S101 (it has a pipe)
        return told.readline()


def measure(older: Path, data: Path, runs: int, slow: int) -> dict[str, tuple[float, float]]:
    """The medians of each job by the older source and by this one, taken in turn."""
    workers = [Worker(source, data) for source in (older, Path(__file__).parents[1] / "src")]
    found = {}
    for names, times in ((FAST, runs), (REFERENCE, slow)):
        taken: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in names}
        for turn in range(times + 1):
            for name in names:
                # the other way round each time, so that neither always comes after the other
                for place in (0, 1) if turn % 2 else (1, 0):
                    figure = workers[place].take(name)
                    if turn:  # the first one imports
                        taken[name][place].append(figure)
        for name, (before, after) in taken.items():
            found[name] = statistics.median(before), statistics.median(after)
    for worker in workers:
        worker.end()
    return found


def main() -> int:
    """Print the table; 1 where a bar was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--older", type=Path, help="the src folder of an older checkout")
    parser.add_argument("--runs", type=int, default=41, help="fast runs of each (default: 41)")
    parser.add_argument("--slow-runs", type=int, default=9, help="of the reference (default: 9)")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work is not None:
        work(arguments.work)
        return 0
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    data = Path(os.environ.get("STEELYARD_DATA") or beside)
    if arguments.older is None or not (data / "prices").is_dir():
        print("skipped: needs --older SRC, and prices in ../shared/data or under STEELYARD_DATA")
        return 0
    found = measure(arguments.older.resolve(), data, arguments.runs, arguments.slow_runs)
    print(f"{'processor time, ms':24}{'older':>9}{'this':>9}{'times':>8}{'bar':>7}")
    is_held = True
    for name, (before, after) in found.items():
        line = f"{name:24}{before:9.2f}{after:9.2f}{after / before:8.3f}"
        if name != "bare":
            most = MOST_REFERENCE if name in REFERENCE else MOST_FAST
            is_held &= after <= most * before
            line += f"{most:7.1f}  {'held' if after <= most * before else 'MISSED'}"
        print(line)
    for name in ("close", "path"):
        ratios = (found[name][place] / found["bare"][place] for place in (0, 1))
        print(f"{name + ' over the bare search':24}" + "".join(f"{each:9.2f}" for each in ratios))
    return 0 if is_held else 1


if __name__ == "__main__":
    sys.exit(main())
