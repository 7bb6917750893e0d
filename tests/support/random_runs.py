"""Runs over random walks, as the pages and figures take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from steelyard.market import Prices
from steelyard.report.document import Block, Document
from steelyard.report.plain_frames import ReportRun
from steelyard.rules.series import Band, Costs, Fees, Reserve, Series
from steelyard.simulation.report_input import report_run
from steelyard.simulation.run import simulate
from steelyard.simulation.run_document import document_of_frames
from steelyard.simulation.runs_document import each_drawn, runs_table
from support.tokens import DAY_S, T0, token

__all__ = ["example_series", "long_run", "random_bars", "random_run", "several"]


def random_bars(bars: int = 200, *, seed: int = 1, step_s: int = DAY_S) -> Prices:
    """Open, high, low, close of a walk with a volatility of 80 % a year."""
    rng = np.random.default_rng(seed)
    steps = rng.standard_t(4, bars) * 0.8 * np.sqrt(step_s / 31_536_000) / np.sqrt(2)
    close = 7_200.0 * np.exp(np.cumsum(steps))
    opening = np.concatenate(([7_200.0], close[:-1]))
    reach = 1.0 + np.abs(rng.normal(0.0, 0.02, (2, bars))) * np.sqrt(step_s / DAY_S)
    return Prices(
        time=T0 + step_s * np.arange(bars, dtype=np.int64),
        open=opening,
        high=np.maximum(opening, close) * reach[0],
        low=np.minimum(opening, close) / reach[1],
        close=close,
        step_s=step_s,
    )


def example_series(symbol: str = "BTC3L", *, target: float = 3.0, reserve: bool = False) -> Series:
    """A band around the target, every kind of cost of a trade, and a reserve if asked for."""
    width = abs(target) / 6
    series = token(
        target,
        band=Band(abs(target) - width, abs(target) + width),
        costs=Costs(
            taker_fee_bps=5.0,
            half_spread_bps=1.0,
            impact="linear",
            impact_coefficient=4.0,
            gas_per_rebalance=0.5,
        ),
        fees=Fees(management_per_year=0.01),
        reserve=Reserve(initial_units=1.5) if reserve else None,
    )
    return replace(series, symbol=symbol)


def random_run(
    symbol: str = "BTC3L",
    *,
    target: float = 3.0,
    reserve: bool = False,
    bars: int = 200,
    seed: int = 1,
    title: str = "",
) -> ReportRun:
    """A run of ``example_series`` over ``random_bars``."""
    series = example_series(symbol, target=target, reserve=reserve)
    return report_run(simulate(series, random_bars(bars, seed=seed)), title=title)


def several(runs: Sequence[ReportRun], *blocks: Block) -> Document:
    """A document of runs: a row each, and a document of each by its symbol."""
    names = [run.facts.symbol for run in runs]
    most = each_drawn(len(runs))
    return Document(
        "Several",
        [*blocks, runs_table(runs, names)],
        members=[document_of_frames(run, most=most) for run in runs],
    )


def long_run(bars: int) -> ReportRun:
    """A run of as many minutes, its frames made up: too long to be simulated in a test."""
    short = random_run(reserve=True)
    prices = random_bars(bars, seed=2, step_s=60)
    rng = np.random.default_rng(3)
    price = prices.close
    time = prices.time.astype("datetime64[s]")
    nav = {
        "time": time,
        "price": price,
        "nav": 100.0 * (price / price[0]) ** 1.5,
        "leverage": 3.0 + rng.normal(0.0, 0.2, bars),
        "tokens": np.full(bars, 1_000.0),
        "reserve": np.linspace(5.0, 1.0, bars),
    }
    many = np.sort(rng.integers(0, bars, bars // 20))
    names = ("units", "notional", "leverage_before", "leverage_after", "nav_before", "nav_after")
    paid = ("fee", "spread", "impact", "gas", "paid_by_reserve")
    rebalances = {
        "time": time[many],
        "trigger": np.array(["launch", *["band"] * (len(many) - 1)]),
        "side": np.where(rng.random(len(many)) < 0.5, "buy", "sell"),
        "price": price[many],
        **{name: rng.gamma(2.0, 1.5, len(many)) for name in (*names, *paid)},
    }
    kinds = ("fee", "spread", "impact", "gas", "funding", "interest", "management")
    sums = {name: np.linspace(0.0, 900.0, bars) for name in (*kinds, "paid_by_reserve")}
    return ReportRun(short.facts, short.summary, nav, rebalances, {"time": time, **sums})
