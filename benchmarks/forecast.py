"""How long the forecast of a shelf of 1,000 tokens takes, against its tokens' triggers alone.

The shelf holds every preset some seventy times, at different assets and leverages. It is forecast
over the default ladder, 17 prices from -20 % to +20 %, with every trade on the way and at resets.
Beside it, as the least that could be asked: each token's trigger prices in closed form. The bar:
a second by the clock for the whole forecast (exit 1 above it); the processor's time, which does not
grow with whatever else the machine does, is shown beside it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import steelyard as sy
from steelyard.analysis.price_path import PricePath
from steelyard.analysis.shelf import Token
from steelyard.rules.presets import preset, preset_names

BAR_S = 1.0
PRICE = 60_000.0
NOW = 1_730_923_200


def shelf(tokens: int) -> sy.Shelf:
    """Presets in turn, at leverages from 3 % below their targets to 3 % above."""
    series = [preset(name) for name in preset_names()]
    made = []
    for place in range(tokens):
        one = series[place % len(series)]
        drift = 1 + 0.01 * (place % 7 - 3)
        made.append(
            Token(
                f"T{place}",
                one,
                assets=1e6 * (1 + place % 11),
                leverage=drift * one.target_leverage,
            )
        )
    return sy.Shelf(tuple(made), "BTC/USDT:USDT", price=PRICE, time=NOW)


def main() -> int:
    """Print the table; 1 where the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=1_000, help="tokens (default: 1000)")
    parser.add_argument("--runs", type=int, default=5, help="forecasts timed (default: 5)")
    parser.add_argument("--no-bar", action="store_true", help="measure only, never fail")
    arguments = parser.parse_args()

    many = shelf(arguments.tokens)
    found = sy.forecast(many)
    trades = len(found.falling) + len(found.rising) + sum(len(r.resets) for r in found.ladder)
    times: dict[str, list[float]] = {"triggers alone": [], "forecast": []}
    clock: dict[str, list[float]] = {name: [] for name in times}

    def timed(name: str, work: Callable[[], object]) -> None:
        start, began = time.process_time(), time.perf_counter()
        work()
        times[name].append(time.process_time() - start)
        clock[name].append(time.perf_counter() - began)

    for _ in range(arguments.runs):
        timed(
            "triggers alone",
            lambda: [PricePath(token, PRICE, NOW).thresholds() for token in many.tokens],
        )
        timed("forecast", lambda: sy.forecast(many))

    print(f"{arguments.tokens:,} tokens, {len(found.ladder)} prices, {trades:,} trades")
    print(f"{'':16}{'median s':>10}{'fastest s':>11}{'processor s':>13}")
    for name, values in clock.items():
        spent = statistics.median(times[name])
        print(f"{name:16}{statistics.median(values):10.3f}{min(values):11.3f}{spent:13.3f}")
    passed = statistics.median(clock["forecast"]) <= BAR_S
    print(f"bar: {BAR_S:g} s for the forecast; {'held' if passed else 'MISSED'}")
    return 0 if passed or arguments.no_bar else 1


if __name__ == "__main__":
    sys.exit(main())
