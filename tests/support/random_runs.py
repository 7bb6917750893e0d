"""Plausible random runs for pages and figures: shapes and units of the real ones, no more.

Not the simulator: it trades at closes only and its costs are rough. What is drawn of a real run
is tested end to end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from steelyard.plots import ReportRun, SeriesFacts

START = 1_577_836_800  # 2020-01-01T00:00:00Z
KINDS = ("fee", "spread", "impact", "gas", "funding", "interest", "management")


def random_run(
    symbol: str = "BTC3L",
    *,
    target: float = 3.0,
    bars: int = 1096,
    step_s: int = 86_400,
    half_width: float | None = 0.5,
    daily: bool = False,
    emergency: float | None = None,
    reserve: bool = False,
    funding: bool = False,
    volatility: float = 0.75,
    seed: int = 1,
    quote: str = "USD",
    underlying: str = "BTC/USD",
    title: str = "",
    with_costs: bool = True,
) -> ReportRun:
    """A token over a random walk, rebalanced at closes by a band, daily, or both."""
    rng = np.random.default_rng(seed)
    sigma = volatility * np.sqrt(step_s / 31_536_000)
    price = 7_200.0 * np.exp(np.cumsum(rng.standard_t(4, bars) * sigma / 1.41 + 0.4 * sigma**2))
    time = START + step_s * np.arange(bars, dtype=np.int64)
    tokens, sign = 1_000.0, np.sign(target)
    band = (abs(target) - half_width, abs(target) + half_width) if half_width else None
    paid = dict.fromkeys(KINDS, 0.0)
    relief, reserve_units = 0.0, 60_000.0 / price[0] / 5
    cash, units = 100_000.0, 0.0
    nav_column, leverage_column, reserve_column = (np.empty(bars) for _ in range(3))
    costs = {name: np.empty(bars) for name in (*KINDS, "paid_by_reserve")}
    rows: list[dict[str, Any]] = []
    wiped: dict[str, Any] | None = None
    for i in range(bars):
        p = price[i]
        if funding and units and i % max(1, 28_800 // step_s) == 0:
            flow = units * p * rng.normal(5e-5, 2e-4)
            cash -= flow
            paid["funding"] += flow
        if units:
            fee = max(cash + units * p, 0.0) * 0.01 * step_s / 31_536_000
            cash -= fee
            paid["management"] += fee
        nav = cash + units * p
        if wiped is None and nav <= 1e-9 * abs(units * p) and i:
            wiped = {"time": f"{np.datetime64(int(time[i]), 's')}Z", "price": p, "reason": "nav"}
            cash, units, nav = 0.0, 0.0, 0.0
        leverage = units * p / nav if nav > 0 else 0.0
        trigger = "launch" if i == 0 else None
        if i and wiped is None:
            if emergency and abs(leverage) >= emergency:
                trigger = "emergency"
            elif band and not band[0] <= abs(leverage) <= band[1]:
                trigger = "band"
            elif daily and time[i] // 86_400 != time[i - 1] // 86_400:
                trigger = "daily"
        if trigger:
            trade = target * nav / p - units
            notional = abs(trade) * p
            cost = {
                "fee": notional * 5e-4,
                "spread": notional * 1e-4,
                "impact": notional**1.5 * 1e-8,
                "gas": 0.5,
            }
            covered = 0.0
            if reserve:
                covered = min(sum(cost.values()) - cost["fee"], reserve_units * p)
                reserve_units -= covered / p
            net = sum(cost.values()) - covered
            units += trade
            cash -= trade * p + net
            relief += covered
            for kind, value in cost.items():
                paid[kind] += value
            after = cash + units * p
            rows.append(
                {
                    "time": time[i],
                    "trigger": trigger,
                    "side": "buy" if trade > 0 else "sell",
                    "units": abs(trade),
                    "price": p,
                    "notional": notional,
                    "leverage_before": leverage,
                    "leverage_after": units * p / after,
                    "nav_before": nav / tokens,
                    "nav_after": after / tokens,
                    **cost,
                    "paid_by_reserve": covered,
                }
            )
            nav, leverage = after, units * p / after
        nav_column[i], leverage_column[i] = nav / tokens, leverage
        reserve_column[i] = reserve_units if reserve else np.nan
        for kind in KINDS:
            costs[kind][i] = paid[kind]
        costs["paid_by_reserve"][i] = relief
    stamps = time.astype("datetime64[s]")
    nav_frame = {
        "time": stamps,
        "price": price,
        "nav": nav_column,
        "leverage": leverage_column,
        "tokens": np.full(bars, tokens),
        "reserve": reserve_column,
    }
    rebalances = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    rebalances["time"] = rebalances["time"].astype("datetime64[s]")
    triggers = [str(row["trigger"]) for row in rows[1:]]
    peak = np.maximum.accumulate(nav_column)
    summary: dict[str, Any] = {
        "schema": 1,
        "symbol": symbol,
        "start": f"{stamps[0]}Z",
        "end": f"{stamps[-1]}Z",
        "bars": bars,
        "gaps": 0,
        "intrabar": "path",
        "nav": {
            "initial": 100.0,
            "final": nav_column[-1],
            "return": nav_column[-1] / 100.0 - 1,
        },
        "underlying": {
            "initial": price[0],
            "final": price[-1],
            "return": price[-1] / price[0] - 1,
        },
        "rebalances": {
            "count": len(triggers),
            "clips": len(triggers),
            "by_trigger": {name: triggers.count(name) for name in sorted(set(triggers))},
            "blocked": 2 if reserve else 0,
            "turnover": float(rebalances["notional"][1:].sum()),
        },
        "costs": {**paid, "paid_by_reserve": relief},
        "tracking": {
            "slope": 0.994,
            "r2": 0.9871,
            "error_daily": 0.0041,
            "error": 0.191,
            "difference": -0.0312,
        },
        "leverage": {
            "min": float(leverage_column.min()),
            "max": float(leverage_column.max()),
            "mean": float(leverage_column.mean()),
        },
        "reserve": None,
        "max_drawdown": float((nav_column / peak - 1).min()),
        "wiped_out": wiped,
    }
    if reserve:
        summary["reserve"] = {
            "initial": 60_000.0 / price[0] / 5,
            "final": reserve_units,
            "min": reserve_units,
            "paid": relief,
            "received": 0.0,
            "injected": 0.0,
            "suspended_s": 86_400 * 12,
            "level": reserve_units * price[-1] / max(nav_column[-1] * tokens, 1e-9),
            "utilisation": 0.013,
            "buffer_depth": 0.021,
            "runway_days": None,
            "capacity": 125_000.0,
        }
    move = f"leverage leaves {band[0]:g} to {band[1]:g}" if band else ""
    rule = " or ".join(part for part in (move, "daily at 00:02" if daily else "") if part)
    kind = "long" if sign > 0 else "short"
    facts = SeriesFacts(
        symbol=symbol,
        title=title or f"{abs(target):g}x {kind} {underlying}",
        sentence=f"{abs(target):g}x {kind} {underlying}, back to target when {rule} (UTC).",
        rule=rule,
        underlying=underlying,
        quote=quote,
        target_leverage=target,
        venue="Perpetual contract, no maintenance margin",
        costs="fee 5 bp, half spread 1 bp, square-root impact, gas 0.50 a trade",
        lower=band[0] if band else None,
        upper=band[1] if band else None,
        emergency=emergency,
        floor_ratio=0.10 if reserve else None,
        resume_ratio=0.12 if reserve else None,
    )
    return ReportRun(facts, summary, nav_frame, rebalances, costs if with_costs else None)


@pytest.fixture(scope="session")
def make_run() -> Callable[..., ReportRun]:
    """The factory of random runs."""
    return random_run
