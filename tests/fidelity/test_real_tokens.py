"""Tokens that really traded, replayed by their own rules on real history."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from steelyard.market import Prices
from steelyard.rules.presets import load_preset
from steelyard.rules.series import Daily, Fees, Venue
from steelyard.simulate.run import simulate
from support.tokens import token

DAY_S = 86_400
YEAR_S = 365.25 * DAY_S
# The funds' fees a year, and the spread over the bill rate that their borrowed cash costs.
FUNDS = {
    "SSO": (2.0, 0.0087),
    "UPRO": (3.0, 0.0089),
    "SH": (-1.0, 0.0089),
    "SDS": (-2.0, 0.0090),
    "SPXU": (-3.0, 0.0090),
}
BORROW_SPREAD = 0.005


def epoch(day: str) -> int:
    """Epoch seconds of a date's midnight UTC."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


def rows(path: Path) -> list[dict[str, str]]:
    """A CSV file's rows."""
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("name", "preset"), [("BULL", "ftx-bull"), ("BEAR", "ftx-bear")])
def test_ftx_tokens_of_2020(history: Callable[[str], Path], name: str, preset: str) -> None:
    """FTX's rule on hourly BTC explains the real token's days: slope near 1, R2 over 0.975."""
    run = simulate(
        load_preset(preset),
        history("prices/BTC-USDT-spot-1h.parquet"),
        start="2020-01-20",
        end="2020-12-17",
        intrabar="path",
    )
    frame = run.nav.groupby(run.nav["time"].dt.strftime("%Y-%m-%d")).nav.last()
    real = {row["date"]: float(row["close"]) for row in rows(history(f"tokens/FTX-{name}-1d.csv"))}
    days = sorted(set(real) & set(frame.index))
    assert len(days) >= 330
    simulated = np.array([frame[day] for day in days])
    traded = np.array([real[day] for day in days])
    ours, theirs = (nav[1:] / nav[:-1] - 1 for nav in (simulated, traded))
    slope = np.polyfit(ours, theirs, 1)[0]
    r2 = np.corrcoef(ours, theirs)[0, 1] ** 2
    crash = days.index("2020-03-12") - 1
    print(
        f"\n{name}: slope {slope:.3f}, R2 {r2:.3f}, 12 March {ours[crash]:+.1%} "
        f"(real {theirs[crash]:+.1%})"
    )
    assert 0.95 <= slope <= 1.06
    assert r2 >= 0.975
    if name == "BULL":
        assert abs(ours[crash] - theirs[crash]) <= 0.04


@pytest.mark.parametrize("fund", FUNDS)
def test_leveraged_funds_on_spy_since_2015(history: Callable[[str], Path], fund: str) -> None:
    """A daily reset on SPY, financed at bills plus 0.5 %, less the fund's fee, is the fund."""
    target, fee = FUNDS[fund]
    table = [
        row
        for row in rows(history("etf/SPY-family-adjclose-1d.csv"))
        if row["date"] >= "2014-12-31" and row["SPY"] and row[fund]
    ]
    times = np.array([epoch(row["date"]) for row in table], dtype=np.int64)
    spy = Prices(time=times, close=np.array([float(row["SPY"]) for row in table]), step_s=DAY_S)
    bills = [row for row in rows(history("etf/IRX-1d.csv")) if row["annual_rate_percent"]]
    rates = {
        "time": np.array([epoch(row["date"]) for row in bills], dtype=np.int64),
        "rate": np.array([float(row["annual_rate_percent"]) / 100 for row in bills]),
    }
    venue = Venue(kind="spot", liquidation_threshold=0.99, borrow_spread_per_year=BORROW_SPREAD)
    series = token(target, daily=Daily(0), venue=venue, fees=Fees(management_per_year=fee))
    ours = simulate(series, spy, rates=rates).nav_columns["nav"]
    theirs = np.array([float(row[fund]) for row in table])
    r2 = np.corrcoef(np.diff(np.log(ours)), np.diff(np.log(theirs)))[0, 1] ** 2
    years = (times[-1] - times[0]) / YEAR_S
    annual = [(nav[-1] / nav[0]) ** (1 / years) - 1 for nav in (ours, theirs)]
    print(f"\n{fund}: R2 {r2:.4f}, a year {annual[0]:+.2%} (fund {annual[1]:+.2%})")
    assert r2 >= 0.995
    assert abs(annual[0] - annual[1]) <= 0.008
