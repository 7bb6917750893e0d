"""Rules side by side: figures by hand, the closed forms, the frontier, what goes with whom."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import steelyard as sy
from steelyard.market import Prices
from steelyard.rules.optimal_band import EDGE_PRODUCT, PERIODIC_PRODUCT, RESET_PRODUCT
from steelyard.rules.series import Band, Costs, Daily, Interval, Reserve, Venue
from steelyard.simulation.compare import compare
from steelyard.simulation.compared_series import efficient
from steelyard.simulation.comparison import SORTS, Comparison
from steelyard.simulation.run import simulate
from support.random_runs import random_bars
from support.tokens import T0, closes, token

DAY_YEARS = 1 / 365
SPOT = Venue(kind="spot", rate_per_year=0.05)
TEN_BPS = Costs(taker_fee_bps=7.0, half_spread_bps=3.0)


def walk(minutes: int, sigma: float, seed: int) -> Prices:
    """A geometric random walk without drift, a close a minute."""
    rng = np.random.default_rng(seed)
    years = 60 / 31_536_000
    steps = rng.normal(-(sigma**2) * years / 2, sigma * np.sqrt(years), minutes)
    time = T0 + 60 * np.arange(minutes, dtype=np.int64)
    return Prices(time=time, close=1e4 * np.exp(np.cumsum(steps)), step_s=60)


def test_kappa_is_the_closed_form_of_each_rule() -> None:
    """On a random walk of minutes: edge 0.289, reset 0.408, by the clock 0.564, within 5 %.

    Chance alone moves each by 3 % or so from one half-year to the next.
    """
    rules = {
        "edge": token(band=Band(2.9, 3.1), move_to="edge", edge_slack=1e-6, costs=TEN_BPS),
        "reset": token(band=Band(2.85, 3.15), costs=TEN_BPS),
        "clock": token(interval=Interval(1_800), costs=TEN_BPS),
    }
    found = compare(rules, walk(260_000, 0.8, seed=0), intrabar="close")
    assert found.volatility == pytest.approx(0.8, rel=0.01)
    expected = {"edge": EDGE_PRODUCT, "reset": RESET_PRODUCT, "clock": PERIODIC_PRODUCT}
    assert dict(found.table["kappa"]) == pytest.approx(expected, rel=0.05)
    assert found.entries[0].proportional_cost == pytest.approx(0.001, rel=1e-12)


def test_figures_by_hand() -> None:
    """A 2x token after a day of 10 %: it trades a sixth of nav, less what the trade costs."""
    series = token(2.0, daily=Daily(0), costs=TEN_BPS)
    found = compare([series], closes(100.0, 110.0, 110.0))
    (entry,) = found.entries
    # launch: 2 nav of notional leave nav at n = 1 / (1 + 2c); then 2 - 11/6 of the nav is bought
    turned = 1 / 6 / 1.002
    assert entry.turnover_per_year == pytest.approx(turned / (2 * DAY_YEARS), rel=1e-12)
    assert entry.cost_per_year == pytest.approx(0.001 * turned / (2 * DAY_YEARS), rel=1e-12)
    assert entry.carry_per_year == 0
    assert found.volatility == pytest.approx(np.sqrt(0.01 / (2 * DAY_YEARS)), rel=1e-12)
    error = found.table.loc["TEST", "error"]
    unit = 0.001 * found.volatility**3 * 4
    assert entry.kappa == pytest.approx(error * entry.cost_per_year / unit, rel=1e-12)
    assert entry.worst_day is not None
    assert entry.worst_day[0] == "2020-01-01"


def test_figures_are_those_of_the_trades_and_the_bars() -> None:
    """Cost, turnover and carry, added up once more from the frames of a run."""
    series = token(band=Band(2.7, 3.3), costs=Costs(5.0, 1.0, gas_per_rebalance=2.0), venue=SPOT)
    prices = random_bars(400)
    (entry,) = compare([series], prices).entries
    run = simulate(series, prices)
    years = 399 * DAY_YEARS
    trades = run.rebalances[run.rebalances.trigger != "launch"]
    assets = trades.nav_before * series.initial_tokens
    paid = trades[["fee", "spread", "impact", "gas"]].sum(axis=1)
    assert entry.cost_per_year == pytest.approx((paid / assets).sum() / years, rel=1e-12)
    assert entry.turnover_per_year == pytest.approx(
        (trades.notional / assets).sum() / years, rel=1e-12
    )
    interest = run.costs.interest.diff() / (run.nav.nav * series.initial_tokens)
    assert entry.carry_per_year == pytest.approx(interest.sum() / years, rel=1e-12)
    assert entry.run.summary == run.summary


places = st.integers(0, 4) | st.floats(0, 1e6)


@given(st.lists(st.tuples(places, places), max_size=12))
def test_the_frontier_is_what_no_other_dominates(points: list[tuple[float, float]]) -> None:
    """Against every pair, looked at one by one; of equals all are on it or none is."""
    found = efficient(points)
    for mark, (error, cost) in zip(found, points, strict=True):
        beaten = any(e <= error and c <= cost and (e < error or c < cost) for e, c in points)
        assert mark is not beaten


def test_each_target_has_a_frontier_of_its_own() -> None:
    """A 1x short is closer and cheaper than any 3x long, and bars none."""
    kinds = {
        "3x": token(daily=Daily(0), costs=TEN_BPS),
        "-1x": token(-1.0, daily=Daily(0), costs=TEN_BPS),
        "3x, dear": token(daily=Daily(0), costs=Costs(taker_fee_bps=20.0)),
    }
    found = compare(kinds, random_bars())
    table = found.table
    figures = ["error", "cost_per_year"]
    assert (table.loc["-1x", figures] < table.loc["3x", figures]).all()
    assert list(table.efficient) == [True, True, False]


def test_a_token_that_is_wiped_out_is_no_choice() -> None:
    """It never traded, so it cost least; it is not efficient, has no kappa, and bars no other."""
    kinds = {"gone": token(), "kept": token(band=Band(2.0, 4.0), costs=TEN_BPS)}
    prices = closes(1.0, 0.9, 0.8, 0.7, 0.65, 0.6, 0.62)
    found = compare(kinds, prices)
    gone, kept = found.entries
    assert found.table.loc["gone", "wiped_out"] is not None
    assert (gone.cost_per_year, gone.kappa, gone.efficient) == (0, None, False)
    assert kept.efficient
    assert kept.kappa is not None


def test_what_is_undefined_is_none_and_goes_last() -> None:
    """Without costs there is no kappa; with a target of 1 neither."""
    kinds = {
        "free": token(daily=Daily(0)),
        "paid": token(daily=Daily(0), costs=TEN_BPS),
        "one": token(1.0, daily=Daily(0), costs=TEN_BPS),
    }
    found = compare(kinds, random_bars()).sorted_by("kappa")
    assert [entry.kappa is None for entry in found.entries] == [False, True, True]
    assert np.isnan(found.table.loc["free", "kappa"])
    lone = compare([token()], closes(1.0))
    assert lone.volatility is None
    assert lone.entries[0].cost_per_year is None
    assert not lone.entries[0].efficient


@pytest.mark.parametrize("key", SORTS)
def test_sorting_puts_the_best_first(key: str) -> None:
    """The least error, cost or trading; the greatest return; nothing is lost."""
    series = [
        replace(token(band=Band(3 - width, 3 + width), costs=TEN_BPS), symbol=f"W{width}")
        for width in (0.5, 0.2, 0.9)
    ]
    found = compare(series, random_bars())
    ordered = found.sorted_by(key)
    values = [entry.row[key] for entry in ordered.entries]
    assert values == sorted(values, reverse=SORTS[key])
    assert set(ordered.runs) == set(found.runs)
    assert list(ordered.table.index) == [entry.name for entry in ordered.entries]


def test_an_unknown_key_is_refused() -> None:
    """With those that there are."""
    found = compare([token()], closes(1.0, 1.1))
    with pytest.raises(sy.InputError, match=r"expected one of name, error, .*, found 'beauty'"):
        found.sorted_by("beauty")


def table_of(**paid: float) -> pd.DataFrame:
    """A value that comes into force at the start."""
    return pd.DataFrame({"time": [T0 + 86_400], **{name: [value] for name, value in paid.items()}})


def test_each_option_goes_to_the_series_that_it_fits() -> None:
    """Perpetuals pay funding, spot pays rates, a reserve takes injections; none is refused."""
    kinds = {
        "perpetual": token(daily=Daily(0)),
        "spot": token(daily=Daily(0), venue=SPOT),
        "pooled": token(daily=Daily(0), reserve=Reserve(10.0)),
    }
    given_all = {
        "funding": table_of(rate=0.001),
        "rates": table_of(rate=0.5),
        "injections": table_of(quote=50.0).assign(kind="capital"),
    }
    prices = random_bars(20)
    found = compare(kinds, sy.Feed(prices, **given_all))
    fitting = {"perpetual": ["funding"], "spot": ["rates"], "pooled": ["funding", "injections"]}
    for name, options in fitting.items():
        feed = sy.Feed(prices, **{key: given_all[key] for key in options})
        alone = simulate(kinds[name], feed)
        assert found.runs[name].summary == alone.summary
    for name, option in (("spot", "funding"), ("pooled", "rates"), ("perpetual", "injections")):
        with pytest.raises(sy.InputError, match=f"{option}: expected at least one series with"):
            compare([kinds[name]], sy.Feed(prices, **{option: given_all[option]}))


def test_names_tell_series_apart() -> None:
    """By their symbols, the second of one with its number; or as the caller calls them."""
    same = [token(), token(2.0), token(1.0)]
    prices = closes(1.0, 1.1)
    assert list(compare(same, prices).runs) == ["TEST", "TEST (2)", "TEST (3)"]
    assert list(compare({"a": same[0], "b": same[0]}, prices).runs) == ["a", "b"]
    with pytest.raises(sy.InputError, match="at least one series"):
        compare([], prices)


def test_progress_counts_the_bars_of_all_series() -> None:
    """Never back, and within what there is to do."""
    steps: list[int] = []
    compare([token(), token(2.0)], random_bars(3_000), progress=steps.append)
    assert steps == sorted(steps)
    assert 3_000 <= steps[-1] <= 6_000


def test_a_comparison_can_be_read_and_saved(tmp_path: object) -> None:
    """In a notebook it says who is efficient; a page that cannot be written is refused."""
    found = sy.compare([token(daily=Daily(0))], closes(1.0, 1.1, 1.2))
    assert isinstance(found, Comparison)
    assert repr(found).endswith("efficient: TEST>")
    with pytest.raises(sy.InputError, match="expected a file to write"):
        found.save(f"{tmp_path}/nowhere/page.html")
    found.save(f"{tmp_path}/page.html")
