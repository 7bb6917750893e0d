"""Tracking by horizon, from histories whose figures can be done by hand."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given

import steelyard as sy
from steelyard.analysis.tracking import HORIZONS
from steelyard.errors import InputError
from steelyard.market import Prices, sample_prices
from steelyard.rules.presets import preset
from steelyard.rules.series import Band, Costs, Daily, Series
from steelyard.simulation.run import simulate
from support.strategies import MODES, histories, tokens
from support.tokens import closes, token


@given(series=tokens(), prices=histories(least=30, most=200), mode=MODES)
def test_law_one_day_is_the_summary(series: Series, prices: Prices, mode: str) -> None:
    """Slope, R2 and error of one day are those of the summary, to the last bit."""
    run = simulate(series, prices, intrabar=mode)
    if run.state.ended is not None:
        return
    day, summary = sy.tracking(run).horizon(1), run.summary["tracking"]
    assert day["slope"] == summary["slope"]
    assert day["r2"] == summary["r2"]
    assert day["error"] == summary["error_daily"]


def test_a_daily_reset_tracks_one_day_and_not_thirty() -> None:
    """Exact by the day; over a month apart by its compounding, from itself not at all."""
    rng = np.random.default_rng(1)
    prices = closes(*(100 * np.exp(np.cumsum(rng.normal(0, 0.03, 120)))))
    found = sy.tracking(simulate(token(3.0, daily=Daily(0)), prices))
    one, thirty = found.horizon(1), found.horizon(30)
    assert one["slope"] == pytest.approx(3.0)
    assert one["error"] == pytest.approx(0.0, abs=1e-12)
    assert thirty["error"] > 0.01
    assert thirty["difference"] == pytest.approx(0.0, abs=1e-12)
    assert thirty["spans"] == 120 - 30
    assert found.within(0.005) == 1.0


def test_horizons_by_hand() -> None:
    """Spans of two days on five closes: three overlapping ones, regressed by NumPy."""
    prices = closes(100, 104, 99, 101, 97)
    run = simulate(token(2.0, costs=Costs(taker_fee_bps=10.0), daily=Daily(0)), prices)
    nav, price = run.nav_columns["nav"], prices.close
    token_moves, asset_moves = nav[2:] / nav[:-2] - 1, price[2:] / price[:-2] - 1
    found = sy.tracking(run).horizon(2)
    assert found["spans"] == 3
    assert found["slope"] == pytest.approx(np.polyfit(asset_moves, token_moves, 1)[0])
    assert found["r2"] == pytest.approx(np.corrcoef(asset_moves, token_moves)[0, 1] ** 2)
    assert found["error"] == pytest.approx(np.std(token_moves - 2 * asset_moves, ddof=1))
    daily = 1 + 2 * np.diff(price) / price[:-1]
    ratios = (1 + token_moves) / (daily[1:] * daily[:-1]) - 1
    assert found["difference"] == pytest.approx(ratios.mean())


def test_days_within_by_hand() -> None:
    """Of five days whose leverage has drifted, those no farther than asked from twice the day."""
    prices = closes(100, 104, 99, 101, 97, 112)
    run = simulate(token(2.0, band=Band(1.5, 2.5)), prices)
    nav = run.nav_columns["nav"]
    apart = np.abs(np.diff(nav) / nav[:-1] - 2 * np.diff(prices.close) / prices.close[:-1])
    found, sizes = sy.tracking(run), np.sort(apart)
    assert np.all(np.diff(sizes) > 1e-5)
    for count, (size, larger) in enumerate(pairwise(sizes), 1):
        assert found.within(size * 1.001) == count / 5
        assert found.within(larger * 0.999) == count / 5


def test_what_is_undefined_is_none() -> None:
    """One day has no spread, no days have no share, and no band has no outside."""
    two = sy.tracking(simulate(token(3.0, daily=Daily(0)), closes(100, 101)))
    assert two.horizon(1) == {
        "spans": 1,
        "slope": None,
        "r2": None,
        "error": None,
        "difference": pytest.approx(0.0, abs=1e-12),
    }
    assert two.horizon(365)["spans"] == 0
    assert two.horizon(365)["difference"] is None
    one = sy.tracking(simulate(token(3.0, daily=Daily(0)), closes(100)))
    assert one.within(0.01) is None
    assert one.outside_band is None
    assert "-" in repr(one)


def test_time_outside_the_band_by_hand() -> None:
    """A band that cannot act in an outage: bars whose close leaves leverage outside it."""
    prices = closes(100, 90, 100, 100)
    series = token(3.0, band=Band(2.8, 3.2))
    outage = {"from": [int(prices.end_times[1])], "to": [int(prices.end_times[3])]}
    run = simulate(series, sy.Feed(prices, outages=outage))
    outside = (run.nav["leverage"] < 2.8) | (run.nav["leverage"] > 3.2)
    assert sy.tracking(run).outside_band == pytest.approx(outside.mean())
    assert outside.any()


def test_rolling_windows_are_horizons_of_their_days() -> None:
    """The last window is the horizon of one day on the last thirty days alone."""
    run = simulate(preset("steelyard-3l"), sy.Feed(sample_prices("BTC"), start="2022-01-01"))
    rolled = sy.tracking(run).rolling(30)
    days = run.prices.slice(len(run.prices) - 31, len(run.prices))
    nav = run.nav_columns["nav"][-31:]
    token_moves, asset_moves = np.diff(nav) / nav[:-1], np.diff(days.close) / days.close[:-1]
    last = rolled.iloc[-1]
    assert len(rolled) == len(run.prices) - 30
    assert last["slope"] == pytest.approx(np.polyfit(asset_moves, token_moves, 1)[0])
    assert last["error"] == pytest.approx(np.std(token_moves - 3 * asset_moves, ddof=1))
    reset = np.prod(1 + 3 * asset_moves)
    assert last["difference"] == pytest.approx(nav[-1] / nav[0] / reset - 1)


def test_it_is_shown_in_notebooks() -> None:
    """A table of the horizons, the figures of the text in it, and each word of its last lines."""
    feed = sy.Feed(sample_prices("BTC"), start="2022-01-01")
    tracked = sy.tracking(simulate(preset("steelyard-3l"), feed))
    shown, text = tracked._repr_html_(), repr(tracked)
    assert shown.count("<tr>") == 1 + len(HORIZONS)
    lines = text.splitlines()
    heading, *rows = lines[lines.index("Tracking by horizon, in days") + 1 :]
    for cell in (*heading.split(), rows[0].split()[2], rows[1].split()[3]):
        assert f">{cell}<" in shown
    for words in ("within 0.5", "of bars closed outside the band"):
        assert words in shown
        assert words in " ".join(text.split())


@pytest.mark.parametrize("days", [30, 7])
def test_its_figure_is_its_rolling_frame(days: int) -> None:
    """One curve a figure, over the days of the frame, in a light and a dark one."""
    found = simulate(preset("steelyard-3l"), sy.Feed(sample_prices("BTC"), start="2022-01-01"))
    tracked = sy.tracking(found)
    figure, frame = tracked.plot(days), tracked.rolling(days)
    assert len(figure.data) == len(frame.columns) == 4
    for trace, name in zip(figure.data, frame.columns, strict=True):
        assert np.asarray(trace.y) == pytest.approx(frame[name].to_numpy(), nan_ok=True)
        assert f"{days} days" in figure.layout.annotations[frame.columns.get_loc(name)].text
    assert figure.layout.paper_bgcolor != tracked.plot(days, dark=True).layout.paper_bgcolor


def test_a_history_that_is_too_short_is_not_drawn() -> None:
    """It says how many days there are."""
    found = sy.tracking(simulate(token(3.0, daily=Daily(0)), closes(100, 101, 99)))
    with pytest.raises(InputError, match="windows of 30 in a history of 2"):
        found.plot()


def test_days_after_the_end_are_left_out() -> None:
    """A token that was wiped out has no tracking from then on."""
    run = simulate(token(3.0, daily=Daily(0)), closes(100, 101, 50, 60, 70, 80))
    found = sy.tracking(run)
    assert len(found.time) == 3
    assert found.horizon(1)["spans"] == 2
    assert found.horizon(1)["difference"] is None


@pytest.mark.parametrize("days", [0, -1, 1.5, "7"])
def test_a_horizon_is_a_day_at_least(days: Any) -> None:
    """Anything less is refused, and so is what is no number of days."""
    found = sy.tracking(simulate(token(3.0, daily=Daily(0)), closes(100, 101)))
    for asked in (found.horizon, found.rolling, found.plot):
        with pytest.raises(InputError, match="expected whole days, 1 or more"):
            asked(days)


def test_what_is_no_run_is_refused() -> None:
    """A series has no history to track over."""
    with pytest.raises(InputError, match=r"run: expected what sy.simulate gives, found a Series"):
        sy.tracking(token(3.0))  # type: ignore[arg-type]
