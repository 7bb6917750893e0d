"""Tokens that really traded, replayed by their own rules on real history."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from steelyard.market import Feed, Prices
from steelyard.rules.presets import preset
from steelyard.rules.series import Costs, Daily, Fees, Series, Venue
from steelyard.simulation.run import simulate
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
FUND_PER_UNIT = 0.003
"""Largest yearly log difference of a fund from ours, per unit borrowed."""


def epoch(day: str) -> int:
    """Epoch seconds of a date's midnight UTC."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


def rows(path: Path) -> list[dict[str, str]]:
    """A CSV file's rows."""
    with path.open() as file:
        return list(csv.DictReader(file))


STALE = ("2020-04-01", "2020-04-10")
"""Of FTX's tokens CoinMarketCap repeated old quotes on these days."""
FTX_FEE = 0.1095
"""A year of 0.03 % a day."""
# At 20, 30 and 40 bp of trading cost, with fee and funding: how far the real token ended from it.
LEVELS = {"BULL": (-0.198, -0.155, -0.110), "BEAR": (-0.242, -0.156, -0.060)}
BARE = {"BULL": -0.569, "BEAR": -0.073}
PER_UNIT = 0.13
"""Largest yearly log difference per unit borrowed, of the variants at 20 to 40 bp."""


def log_gap(ours: np.ndarray, theirs: np.ndarray, target: float, years: float) -> float:
    """The yearly log difference of the real token from ours, per unit borrowed.

    A daily reset earns ``L u - (L - 1) f``, f what financing and all other drag cost: so this is
    in the unit of a yearly rate. R2 of daily returns does not see it.
    """
    return float(np.log(theirs[-1] / theirs[0] / (ours[-1] / ours[0])) / years / abs(target - 1))


def ftx_days(
    history: Callable[[str], Path], name: str, series: Series, funding: Path | None = None
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The days of a token of FTX, its closes by our rules on hourly BTC, and those that it had."""
    run = simulate(
        series,
        Feed(
            history("prices/BTC-USDT-spot-1h.parquet"),
            funding=funding,
            start="2020-01-20",
            end="2020-12-17",
        ),
        intrabar="path",
    )
    frame = run.nav.groupby(run.nav["time"].dt.strftime("%Y-%m-%d")).nav.last()
    real = {row["date"]: float(row["close"]) for row in rows(history(f"tokens/FTX-{name}-1d.csv"))}
    days = sorted(set(real) & set(frame.index))
    assert len(days) >= 330
    return days, np.array([frame[day] for day in days]), np.array([real[day] for day in days])


@pytest.mark.parametrize(("name", "chosen"), [("BULL", "ftx-bull"), ("BEAR", "ftx-bear")])
def test_ftx_tokens_of_2020(history: Callable[[str], Path], name: str, chosen: str) -> None:
    """FTX's rule on hourly BTC explains the real token's days: slope near 1, R2 over 0.975."""
    days, simulated, traded = ftx_days(history, name, preset(chosen))
    ours, theirs = (nav[1:] / nav[:-1] - 1 for nav in (simulated, traded))
    slope = np.polyfit(ours, theirs, 1)[0]
    r2 = np.corrcoef(ours, theirs)[0, 1] ** 2
    fresh = np.array([not STALE[0] <= day <= STALE[1] for day in days[1:]])
    r2_fresh = np.corrcoef(ours[fresh], theirs[fresh])[0, 1] ** 2
    crash = days.index("2020-03-12") - 1
    print(
        f"\n{name}: slope {slope:.3f}, R2 {r2:.3f}, without stale quotes {r2_fresh:.3f}, "
        f"12 March {ours[crash]:+.1%} (real {theirs[crash]:+.1%})"
    )
    assert 0.95 <= slope <= 1.06
    assert r2 >= 0.975
    assert r2_fresh >= 0.988
    if name == "BULL":
        assert abs(ours[crash] - theirs[crash]) <= 0.04


@pytest.mark.parametrize(("name", "chosen"), [("BULL", "ftx-bull"), ("BEAR", "ftx-bear")])
def test_the_level_of_ftx_tokens(history: Callable[[str], Path], name: str, chosen: str) -> None:
    """Of the preset the level is far off; with fee, funding and 20 to 40 bp it comes near.

    Funding is that of Binance, as FTX's own is not at hand.
    """
    bare = preset(chosen)
    _, simulated, traded = ftx_days(history, name, bare)
    off = traded[-1] / traded[0] / (simulated[-1] / simulated[0]) - 1
    years = (len(traded) - 1) / 365
    gap = log_gap(simulated, traded, bare.target_leverage, years)
    print(f"\n{name}: real {traded[-1] / traded[0] - 1:+.1%}, ", end="")
    print(f"preset {simulated[-1] / simulated[0] - 1:+.1%}: {off:+.1%}, {gap:+.3f} a year and unit")
    assert off == pytest.approx(BARE[name], abs=0.002)
    funding = history("funding/BTC-USDT-perp-binance.parquet")
    for bps, level in zip((20, 30, 40), LEVELS[name], strict=True):
        variant = replace(
            bare,
            fees=Fees(management_per_year=FTX_FEE),
            costs=Costs(taker_fee_bps=float(bps)),
        )
        _, simulated, traded = ftx_days(history, name, variant, funding)
        off = traded[-1] / traded[0] / (simulated[-1] / simulated[0]) - 1
        gap = log_gap(simulated, traded, bare.target_leverage, years)
        print(f"{name}, {bps} bp: {off:+.1%}, {gap:+.3f} a year and unit")
        assert off == pytest.approx(level, abs=0.002)
        assert abs(gap) <= PER_UNIT


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
    ours = simulate(series, Feed(spy, rates=rates)).nav_columns["nav"]
    theirs = np.array([float(row[fund]) for row in table])
    r2 = np.corrcoef(np.diff(np.log(ours)), np.diff(np.log(theirs)))[0, 1] ** 2
    years = (times[-1] - times[0]) / YEAR_S
    annual = [(nav[-1] / nav[0]) ** (1 / years) - 1 for nav in (ours, theirs)]
    gap = log_gap(ours, theirs, target, years)
    # what no rule and no financing would give: its days fit as well, its level does not
    plain = np.cumprod(np.concatenate(([1.0], 1 + target * np.diff(spy.close) / spy.close[:-1])))
    plain_r2 = np.corrcoef(np.diff(np.log(plain)), np.diff(np.log(theirs)))[0, 1] ** 2
    plain_gap = log_gap(plain, theirs, target, years)
    print(f"\n{fund}: R2 {r2:.4f}, a year {annual[0]:+.2%} (fund {annual[1]:+.2%})")
    print(f"{fund}: {gap:+.4f} a year and unit; plain: R2 {plain_r2:.4f}, {plain_gap:+.4f}")
    assert r2 >= 0.995
    assert abs(annual[0] - annual[1]) <= 0.008
    assert plain_r2 >= 0.995
    assert abs(gap) <= FUND_PER_UNIT < abs(plain_gap)
