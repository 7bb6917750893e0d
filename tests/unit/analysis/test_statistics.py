"""Return statistics: what means the same agrees with quantstats, and the rest with figures by hand.

quantstats reads a series without a loss and with a return above 1 as prices, and warns of ratios
that have no meaning: such series are left to the figures by hand.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import quantstats.stats as qs
from hypothesis import assume, given
from hypothesis import strategies as st

import steelyard as sy
from steelyard.analysis.benchmark_statistics import AGAINST
from steelyard.analysis.drawdowns import DRAWDOWNS, underwater
from steelyard.analysis.statistics import ALONE, DailyValues
from steelyard.analysis.tear_sheet import TearSheet, tear_sheet
from steelyard.market import Prices, sample_prices
from steelyard.rules.presets import preset, preset_names
from steelyard.rules.series import Daily, Series
from steelyard.simulation.run import simulate
from support.doc_pages import REPOSITORY
from support.strategies import MODES, histories, tokens
from support.tokens import closes, token

YEAR = 365
DAY_0 = 18_262
"""2020-01-01 in days since 1970."""


def _longest(returns: pd.Series) -> float:
    # quantstats does not see a drawdown that begins on the first day: one more day, flat, before it
    before = pd.Series([0.0], index=[returns.index[0] - pd.Timedelta(days=1)])
    found = qs.drawdown_details(qs.to_drawdown_series(pd.concat([before, returns])))
    return float(found["days"].max()) if len(found) else 0.0


THE_SAME: dict[str, Callable[[pd.Series], Any]] = {
    "cumulative_return": qs.comp,
    "annual_return": lambda r: qs.cagr(r, periods=YEAR),
    "best_day": qs.best,
    "worst_day": qs.worst,
    "best_month": lambda r: qs.best(r, aggregate="ME"),
    "worst_month": lambda r: qs.worst(r, aggregate="ME"),
    "win_rate": qs.win_rate,
    "winning_months": lambda r: qs.win_rate(r, aggregate="ME"),
    "volatility": lambda r: qs.volatility(r, periods=YEAR),
    "expected_shortfall": lambda r: qs.cvar(r, method="historical"),
    "skew": qs.skew,
    "kurtosis": qs.kurtosis,
    "sharpe": lambda r: qs.sharpe(r, periods=YEAR),
    "sortino": lambda r: qs.sortino(r, periods=YEAR),
    "omega": lambda r: qs.omega(r, periods=YEAR),
    "payoff_ratio": qs.payoff_ratio,
    "tail_ratio": qs.tail_ratio,
    "max_drawdown": qs.max_drawdown,
    "longest_drawdown_days": _longest,
    "calmar": lambda r: qs.calmar(r, periods=YEAR),
}
THE_SAME_AGAINST: dict[str, Callable[[pd.Series, pd.Series], Any]] = {
    "beta": lambda y, x: qs.greeks(y, x, periods=YEAR)["beta"],
    "alpha": lambda y, x: qs.greeks(y, x, periods=YEAR)["alpha"],
}
SCALED: dict[str, Callable[[pd.Series], Any]] = {
    # quantstats divides by n - 1
    "ulcer_index": lambda r: qs.ulcer_index(r) * math.sqrt((len(r) - 1) / len(r)),
}
SCALED_AGAINST: dict[str, Callable[[pd.Series, pd.Series], Any]] = {
    "correlation": lambda y, x: math.sqrt(qs.r_squared(y, x)),  # its square, without a sign
    "information_ratio": lambda y, x: qs.information_ratio(y, x) * math.sqrt(YEAR),  # of a day
}
OUR_OWN = {"value_at_risk", "drawdown", "time_under_water", "up_capture", "down_capture"}


def frames(values: DailyValues) -> pd.Series:
    """The returns as quantstats takes them."""
    index = pd.to_datetime(values.day[1:].astype("datetime64[D]").astype("datetime64[s]"))
    return pd.Series(values.returns, index=index)


def check(sheet: TearSheet) -> None:
    """Every statistic of each of the three curves against quantstats, to 1e-9 or both undefined."""
    asset = frames(sheet.days["underlying"])
    for name, values in sheet.days.items():
        returns, found = frames(values), sheet.statistics[name]
        for key, of in (THE_SAME | SCALED).items():
            agree(f"{name} {key}", found[key], of(returns))
        if name == "underlying":
            continue
        same = asset[: len(returns)]
        for key, against in (THE_SAME_AGAINST | SCALED_AGAINST).items():
            ours = found[key]
            ours = abs(ours) if key == "correlation" and ours is not None else ours
            agree(f"{name} {key}", ours, against(returns, same))


def agree(what: str, ours: float | None, theirs: Any) -> None:
    """To 1e-9; what is None here has no finite figure there, or the one that means nothing."""
    if ours is None:
        assert not math.isfinite(theirs) or theirs == 0, what
    else:
        assert ours == pytest.approx(float(theirs), rel=1e-9, abs=1e-9), what


def test_every_statistic_is_compared_or_told_apart() -> None:
    """None is left out: it agrees, it agrees but for a factor, or quantstats has no such figure."""
    compared = {*THE_SAME, *SCALED, *THE_SAME_AGAINST, *SCALED_AGAINST}
    assert compared | OUR_OWN == {*ALONE, *DRAWDOWNS, *AGAINST}
    assert not compared & OUR_OWN
    page = (REPOSITORY / "docs" / "reference" / "tear-sheet.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `(\w+)` \|.*\| (.*) \|$", page, re.MULTILINE))
    for name in compared | OUR_OWN:
        same = name in {*THE_SAME, *THE_SAME_AGAINST}
        assert told[name].startswith("`" if same else ("differs: ", "none")), name


@pytest.mark.parametrize("asset", ["BTC", "ETH"])
@pytest.mark.parametrize("name", preset_names())
def test_presets_on_the_bundled_sample_agree_with_quantstats(name: str, asset: str) -> None:
    """Every preset over 2020 to 2022, token, L times daily and underlying; wiped out or not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of quantstats, where a figure has no meaning
        check(tear_sheet(preset(name), sy.Feed(sample_prices(asset), start="2020-06-01")))


@given(series=tokens(), prices=histories(least=24 * 5, most=24 * 20), mode=MODES)
def test_law_random_tokens_agree_with_quantstats(series: Series, prices: Prices, mode: str) -> None:
    """Days of random tokens over random hours."""
    sheet = sy.tear_sheet(simulate(series, prices, intrabar=mode))
    for values in sheet.days.values():
        returns = values.returns
        # neither prices to quantstats, nor days that differ by rounding only
        assume(len(returns) > 3 and returns.min() < 0 < returns.max() and returns.std() > 1e-6)
        assume(len(np.unique(values.value)) == len(values.value))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(sheet)


@given(
    moves=st.lists(st.floats(-1.0, 10.0), max_size=40),
    skipped=st.lists(st.integers(1, 40), max_size=40),
)
def test_law_what_is_undefined_is_none(moves: list[float], skipped: list[int]) -> None:
    """Whatever the days, wiped out, flat, one or none: each figure is finite or None."""
    growth = [1 + move for move in moves]
    if 0.0 in growth:
        growth = growth[: growth.index(0.0) + 1]
    value = 100 * np.cumprod([1.0, *growth])
    assume(np.isfinite(value).all() and (value[:-1] > 1e-290).all())
    steps = [*skipped, *[1] * len(growth)][: len(growth)]
    values = DailyValues(DAY_0 + np.cumsum([0, *steps]), value)
    asset = np.linspace(-0.5, 0.5, len(growth))
    figures = [of(values) for of in (ALONE | DRAWDOWNS).values()]
    figures += [of(values.returns, asset) for of in AGAINST.values()]
    figures += [of(asset, values.returns) for of in AGAINST.values()]
    assert all(figure is None or math.isfinite(figure) for figure in figures)
    assert all(figure is None or type(figure) is float for figure in figures)


def daily(*values: float) -> DailyValues:
    """A value a day from 2020-01-01 on."""
    return DailyValues(DAY_0 + np.arange(len(values)), np.array(values, dtype=float))


def test_a_wipe_out_by_hand() -> None:
    """100, 120, 60, nothing: all is lost, at once and in any year, and no ratio is infinite."""
    values = daily(100.0, 120.0, 60.0, 0.0)
    assert ALONE["cumulative_return"](values) == -1.0
    assert ALONE["annual_return"](values) == -1.0
    assert DRAWDOWNS["max_drawdown"](values) == -1.0
    assert DRAWDOWNS["calmar"](values) == -1.0
    assert DRAWDOWNS["longest_drawdown_days"](values) == 2.0
    assert DRAWDOWNS["time_under_water"](values) == pytest.approx(2 / 3)
    assert DRAWDOWNS["ulcer_index"](values) == pytest.approx(math.sqrt((0.25 + 1) / 3))
    assert ALONE["win_rate"](values) == pytest.approx(1 / 3)
    assert ALONE["payoff_ratio"](values) == pytest.approx(0.2 / 0.75)
    assert ALONE["omega"](values) == pytest.approx(0.2 / 1.5)


def test_value_at_risk_and_its_shortfall_by_hand() -> None:
    """Of 21 days the second worst is the 5 % quantile; the two worst are the shortfall."""
    returns = np.array([-0.2, -0.1, *np.linspace(0.0, 0.18, 19)])
    values = daily(*(100 * np.cumprod([1.0, *(1 + returns)])))
    assert ALONE["value_at_risk"](values) == pytest.approx(-0.1)
    assert ALONE["expected_shortfall"](values) == pytest.approx(-0.15)


def test_capture_by_hand() -> None:
    """Twice the rise on days that rose, three times the fall on days that fell."""
    asset = np.array([0.01, -0.02, 0.03, 0.0])
    found = np.array([0.02, -0.06, 0.06, 0.5])
    assert AGAINST["up_capture"](found, asset) == pytest.approx(2.0)
    assert AGAINST["down_capture"](found, asset) == pytest.approx(3.0)
    assert AGAINST["up_capture"](found[1:2], asset[1:2]) is None


def test_the_sign_of_a_correlation_is_kept() -> None:
    """Of a short it is below zero, as its beta is."""
    asset = np.array([0.01, -0.02, 0.03, 0.004])
    assert AGAINST["correlation"](-asset, asset) == pytest.approx(-1.0)
    assert AGAINST["beta"](-asset, asset) == pytest.approx(-1.0)


def test_days_without_bars_are_days_of_the_year_all_the_same() -> None:
    """A doubling in two days that lie a year apart is a doubling a year; one in a row is not."""
    apart = DailyValues(DAY_0 + np.array([0, 1, 365]), np.array([100.0, 150.0, 200.0]))
    assert ALONE["annual_return"](apart) == pytest.approx(1.0)
    below = DailyValues(DAY_0 + np.array([0, 1, 11, 12]), np.array([100.0, 90.0, 95.0, 101.0]))
    assert DRAWDOWNS["longest_drawdown_days"](below) == 11.0


def test_flat_days_have_no_ratios() -> None:
    """Neither of nothing over nothing nor of rounding over rounding."""
    flat = daily(*[100.0] * 10)
    assert ALONE["volatility"](flat) == 0.0
    assert DRAWDOWNS["longest_drawdown_days"](flat) == 0.0
    same = daily(*(100 * 1.01 ** np.arange(50)))
    for values in (flat, same):
        for name in ("sharpe", "sortino", "skew", "kurtosis", "omega", "payoff_ratio"):
            assert ALONE[name](values) is None, name
        assert DRAWDOWNS["calmar"](values) is None
        assert (
            AGAINST["correlation"](values.returns, np.linspace(0, 1, len(values.returns))) is None
        )


def test_one_day_and_none() -> None:
    """A single day has a return and no spread; a run that has none has nothing."""
    one = {name: of(daily(100.0, 90.0)) for name, of in (ALONE | DRAWDOWNS).items()}
    assert one["cumulative_return"] == one["worst_day"] == pytest.approx(-0.1)
    assert one["volatility"] is None
    assert one["sharpe"] is None
    for values in (daily(100.0), daily()):
        assert all(of(values) is None for of in (ALONE | DRAWDOWNS).values())
    rich = daily(1.0, 1e300)
    assert ALONE["annual_return"](rich) is None, "more than a float can hold"


def test_returns_are_those_of_tracking() -> None:
    """The same days, the same values: beta is the slope of one day, and it starts after launch."""
    run = simulate(preset("steelyard-3l"), sy.Feed(sample_prices("BTC"), start="2021-01-01"))
    sheet, tracked = sy.tear_sheet(run), sy.tracking(run)
    nav = tracked.nav
    assert np.array_equal(sheet.days["token"].returns, nav[1:] / nav[:-1] - 1)
    assert sheet.statistics["token"]["beta"] == tracked.horizon(1)["slope"]
    assert sheet.figures["first_day"] == "2021-01-02"
    assert sheet.figures["days"] == tracked.figures["days"] == len(run.prices) - 1


def test_l_times_daily_ends_with_a_day_that_takes_all() -> None:
    """Three times a fall of 40 %: gone on the third day, whatever the token itself did."""
    prices = closes(100.0, 110.0, 66.0, 70.0, 71.0)
    sheet = sy.tear_sheet(simulate(token(1.0, daily=Daily(0)), prices))
    assert len(sheet.days["multiple"].returns) == 4
    run = simulate(token(3.0), closes(100.0, 101.0, 100.0, 60.0, 61.0), intrabar="close")
    values = sy.tear_sheet(run).days
    assert values["multiple"].returns[-1] == -1.0
    assert values["token"].returns[-1] == -1.0
    assert len(values["multiple"].returns) == len(values["token"].returns) == 3


def test_the_underwater_curve_by_hand() -> None:
    """Share below the highest so far, the first day on top."""
    assert underwater(daily(100, 80, 120, 90)) == pytest.approx([0.0, -0.2, 0.0, -0.25])
