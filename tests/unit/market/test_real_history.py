"""Real files, as downloaded: what is known of them must come out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from steelyard.market import check_report, read_funding, read_prices, read_rates
from support.tables import refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_hourly_bitcoin_misses_128_hours(history: Callable[[str], Path]) -> None:
    """The gaps of eight years of Binance hours are found: 128 hours, the longest of them 33."""
    prices = read_prices(history("prices/BTC-USDT-spot-1h.parquet"))
    report = check_report(prices)
    assert (len(prices), prices.step_s, prices.has_path) == (73_171, 3_600, True)
    assert report["gaps"]["missing_bars"] == 128
    assert report["gaps"]["longest"]["missing_s"] == 33 * 3_600
    march = prices.between("2020-03-12T23:00:00Z", "2020-03-13")
    assert march.close.tolist() == [4_800.0]


@pytest.mark.parametrize("name", ["BTC", "ETH"])
def test_minutes_of_two_years(history: Callable[[str], Path], name: str) -> None:
    """A million minutes without a gap, volumes in single precision and all."""
    prices = read_prices(history(f"prices/{name}-USDT-perp-1m.parquet"))
    assert (len(prices), prices.step_s, len(prices.gaps)) == (1_051_200, 60, 0)
    assert prices.volume is not None
    assert prices.volume.dtype == np.float64


def test_candles_of_a_real_token(history: Callable[[str], Path]) -> None:
    """FTX's own candles of its 3x token, crash of March 2020 included."""
    prices = read_prices(history("tokens/FTX-BULL-1d.csv"))
    crash = prices.between("2020-03-11", "2020-03-14")
    assert crash.close.round(1).tolist() == [6_569.5, 998.8, 1_127.6]
    assert (len(prices), prices.step_s) == (331, 86_400)


@pytest.mark.parametrize(("name", "rows"), [("BTC", 6_797), ("ETH", 4_383)])
def test_funding_of_a_real_perpetual(history: Callable[[str], Path], name: str, rows: int) -> None:
    """Funding every eight hours, of both signs, never beyond 1 %."""
    funding = read_funding(history(f"funding/{name}-USDT-perp-binance.parquet"))
    assert len(funding) == rows
    assert funding.rate.min() < 0 < funding.rate.max()
    assert np.abs(funding.rate).max() < 0.01


def test_tables_that_hold_something_else(history: Callable[[str], Path]) -> None:
    """A table of six funds, and a rate in percent: the error says which columns there are."""
    assert "'SPY'" in str(refusal(history("etf/SPY-family-adjclose-1d.csv")))
    assert "'annual_rate_percent'" in str(refusal(history("etf/IRX-1d.csv"), read_rates))


def test_daily_funds_have_weekends(history: Callable[[str], Path]) -> None:
    """A fund's days are a step of one day with a gap at each weekend and holiday."""
    import pandas as pd

    table = pd.read_csv(history("etf/SPY-family-adjclose-1d.csv"))
    prices = read_prices(table[["date", "SPY"]].rename(columns={"SPY": "close"}))
    assert (prices.step_s, len(prices)) == (86_400, 8_434)
    assert 1_600 < len(prices.gaps) < 1_900
    assert (prices.gaps.missing_s % 86_400 == 0).all()
