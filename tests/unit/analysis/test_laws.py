"""The laws of an explanation: steps are differences of runs, and they add up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import steelyard as sy
from steelyard.analysis.attribution_variants import variants
from steelyard.analysis.explanation import Explanation
from steelyard.errors import InputError
from steelyard.market import Prices, sample_prices
from steelyard.rules.presets import preset, preset_names
from steelyard.rules.series import Band, Costs, Daily, Fees, Reserve, Series, Venue
from steelyard.simulation.run import Run, simulate
from support.strategies import HOUR_S, MODES, histories, tokens
from support.tokens import DAY_S, T0, bars, closes, token

EXACT = 1e-9
"""Of initial nav, beside returns that may be many times that."""
TRADE_KINDS = ("fee", "spread", "impact", "gas")


def assert_adds_up(run: Run, found: Explanation) -> None:
    """Each period's steps are together what token and L times underlying are apart."""
    for by in (None, "month", "day"):
        columns = found.columns(by)
        steps = np.sum([columns[name] for name in found.held], axis=0)
        apart = columns["token"] - run.series.target_leverage * columns["underlying"]
        assert np.all(np.abs(steps - apart) <= EXACT * (1 + np.abs(apart)))
        assert np.all(np.abs(columns["total"] - apart) <= EXACT * (1 + np.abs(apart)))
        in_a_row = np.prod(1 + columns["token"]) - 1
        assert in_a_row == pytest.approx(run.summary["nav"]["return"], rel=EXACT, abs=EXACT)
    if run.state.ended is None:
        asset = np.prod(1 + found.columns("day")["underlying"]) - 1
        assert asset == pytest.approx(run.summary["underlying"]["return"], rel=EXACT, abs=EXACT)


@given(series=tokens(), prices=histories(), mode=MODES)
def test_law_steps_add_up(series: Series, prices: Prices, mode: str) -> None:
    """Whatever the rule, the costs and the history, wipe-outs included: to 1e-9 of initial nav."""
    run = simulate(series, prices, intrabar=mode)
    assert_adds_up(run, sy.explain(run))


def with_time(venue: str) -> tuple[Venue, dict[str, object]]:
    """A venue that charges for time, and what is given beside the prices there."""
    if venue == "perpetual":
        times = T0 + 8 * HOUR_S * np.arange(9)
        return Venue(), {"funding": {"time": times, "rate": np.full(9, 2e-4)}}
    if venue == "spot":
        charged = Venue(
            kind="spot",
            liquidation_threshold=0.95,
            rate_per_year=0.3,
            borrow_spread_per_year=0.02,
            units_borrow_rate_per_year=0.1,
        )
        return charged, {"rates": {"time": [T0 + 5 * HOUR_S], "rate": [0.5]}}
    if venue == "future":
        return Venue(kind="future", basis_per_year=0.2), {}
    return Venue(kind="pool", fee_bps=3.0, max_utilisation=0.6), {}


@given(
    series=tokens(),
    prices=histories(least=6),
    mode=MODES,
    venue=st.sampled_from(["perpetual", "spot", "future", "pool"]),
    closes_down=st.booleans(),
)
@settings(max_examples=60)
def test_law_steps_add_up_at_every_venue(
    series: Series, prices: Prices, mode: str, venue: str, *, closes_down: bool
) -> None:
    """Through funding, interest, a basis, a counterparty, flows, a split, injections, an end."""
    charged, given_beside = with_time(venue)
    reserve = series.reserve
    if venue == "pool":
        reserve = replace(reserve or Reserve(), initial_units=9_000.0)
    series = replace(series, venue=charged, reserve=reserve)
    if reserve is not None:
        fed = {"time": [T0 + 2 * HOUR_S], "quote": [500.0], "kind": ["capital"]}
        given_beside["injections"] = fed
    run = simulate(
        series,
        sy.Feed(
            prices,
            flows={"time": [T0 + HOUR_S, T0 + 3 * HOUR_S], "tokens": [200.0, -300.0]},
            splits={"time": [T0 + 2 * HOUR_S], "ratio": [10.0]},
            outages={"from": [T0 + 4 * HOUR_S], "to": [T0 + 9 * HOUR_S]},
            wind_down=min(T0 + 30 * HOUR_S, int(prices.end_times[-1])) if closes_down else None,
            **given_beside,
        ),
        intrabar=mode,
    )
    assert_adds_up(run, sy.explain(run))


@pytest.mark.parametrize("name", preset_names())
@pytest.mark.parametrize("asset", ["BTC", "ETH"])
@pytest.mark.parametrize("mode", ["close", "path"])
def test_steps_add_up_for_every_preset(name: str, asset: str, mode: str) -> None:
    """On the bundled years, in which several of them are wiped out."""
    run = simulate(preset(name), sample_prices(asset), intrabar=mode)
    assert_adds_up(run, sy.explain(run))


@given(series=tokens(), prices=histories(), mode=MODES)
@settings(max_examples=40)
def test_law_each_step_is_the_difference_of_two_runs(
    series: Series, prices: Prices, mode: str
) -> None:
    """Each run can be made by ``simulate``, and what it has more than the one before is a step."""
    run = simulate(series, prices, intrabar=mode)
    found = sy.explain(run)
    lived = run.prices.slice(0, found.bars)
    before = found.target * (lived.close[-1] / run.summary["underlying"]["initial"] - 1)
    for name, variant in variants(series, {}).items():
        again = simulate(variant.series, lived, intrabar=mode)
        after = again.summary["nav"]["return"]
        assert found.steps[name] == pytest.approx(after - before, abs=EXACT * (1 + abs(before)))
        before = after
    assert before == run.summary["nav"]["return"]


@given(series=tokens(), prices=histories(), mode=MODES)
def test_law_what_a_series_does_not_have_is_no_step(
    series: Series, prices: Prices, mode: str
) -> None:
    """Such a step is exactly nothing, on every day."""
    found = sy.explain(simulate(series, prices, intrabar=mode))
    costs = series.costs
    there = {
        "fee": costs.taker_fee_bps > 0,
        "spread": costs.half_spread_bps > 0,
        "impact": costs.impact != "none",
        "gas": costs.gas_per_rebalance > 0,
        "funding": False,
        "interest": False,
        "management": series.fees.management_per_year > 0,
        "reserve": series.reserve is not None,
    }
    days = found.columns("day")
    assert all(not days[name].any() for name, has in there.items() if not has)
    assert "basis" not in days


@given(series=tokens(), prices=histories(), mode=MODES)
def test_law_trade_costs_are_what_was_paid_grown_to_the_end(
    series: Series, prices: Prices, mode: str
) -> None:
    """The steps of fee, spread, impact and gas against the sums that ``simulate`` gives.

    Where every trade lands on its destination, leverage does not depend on what trades cost, so
    a cost paid at i only lowers the nav that then grows as it does without costs, by G_i:

        (fee + spread + impact + gas) * initial assets  =  - sum of cost_i * G_i

    So together they are negative, and in size between the sums times the least and the greatest
    G. A single kind is paid on a nav between that of the run as it was and that without costs,
    which are at most E apart, E being the one's end over the other's; impact grows with the square
    of size. So it is within these bounds times E^2, and less than nothing as well.
    """
    how = replace(series.rebalance, max_trade_notional=0.0, cooldown_s=0)
    fees = Fees()
    series = replace(series, rebalance=how, reserve=None, fees=fees, venue=Venue())
    run = simulate(series, prices, intrabar=mode)
    free = simulate(variants(series, {})["rule"].series, prices, intrabar=mode)
    assume(run.state.ended is None and run.summary["rebalances"]["blocked"] == 0)
    paid, grown = run.rebalance_columns, free.rebalance_columns
    assume(len(paid["time"]) == len(grown["time"]))
    assets = series.initial_nav * series.initial_tokens
    end = float(free.nav_columns["nav"][-1])
    growth = end / grown["nav_after"]
    costs = np.sum([paid[kind] for kind in TRADE_KINDS], axis=0)
    steps = sy.explain(run).steps
    together = sum(steps[kind] for kind in TRADE_KINDS) * assets
    assert together == pytest.approx(-float(costs @ growth), rel=1e-6, abs=1e-6)
    eaten = (end / run.summary["nav"]["final"]) ** 2
    for kind in TRADE_KINDS:
        spent, size = run.summary["costs"][kind], -steps[kind] * assets
        least, most = growth.min() * spent / eaten, growth.max() * spent * eaten
        assert 0.99 * least - 1e-6 <= size <= 1.01 * most + 1e-6


@pytest.mark.parametrize("target", [3.0, -2.0])
def test_costs_of_time_agree_with_what_was_paid(target: float) -> None:
    """Funding, interest and management of a daily reset: the sign of their sums, and their size.

    Within the least and greatest growth of nav from a payment to the end, times what costs have
    eaten, as for trades; five percent more because they are taken from cash, so that until the
    next reset leverage is a little higher.
    """
    prices = sample_prices("BTC").between("2020-07-01", "2020-09-01")
    times = int(prices.time[0]) + 8 * HOUR_S * np.arange(180)
    funded = token(
        target, daily=Daily(0), costs=Costs(taker_fee_bps=5.0), fees=Fees(management_per_year=0.05)
    )
    spot = replace(
        funded,
        venue=Venue(kind="spot", liquidation_threshold=0.99, rate_per_year=0.2)
        if target > 0
        else Venue(kind="spot", liquidation_threshold=0.99, units_borrow_rate_per_year=0.2),
    )
    funding = {"time": times, "rate": np.full(180, 3e-4)}
    for series, kinds, beside in (
        (funded, ("funding", "management"), {"funding": funding}),
        (spot, ("interest", "management"), {}),
    ):
        run = simulate(series, sy.Feed(prices, **beside), intrabar="close")
        found = sy.explain(run)
        nav, assets = run.nav_columns["nav"], 100_000.0
        growth = nav[-1] / nav
        eaten = (found.held["rule"][-1] / nav[-1]) ** 2
        for kind in kinds:
            spent, size = run.summary["costs"][kind], -found.steps[kind] * assets
            assert np.sign(size) == np.sign(spent) != 0
            assert growth.min() / eaten / 1.05 <= size / spent <= growth.max() * eaten * 1.05


def test_a_daily_reset_without_costs_only_compounds() -> None:
    """Compounding is the product of days less L times the whole, and nothing else is there."""
    prices = closes(100, 104, 99, 97, 108)
    found = sy.explain(simulate(token(3.0, daily=Daily(0)), prices))
    days = np.diff(prices.close) / prices.close[:-1]
    expected = np.prod(1 + 3 * days) - 1 - 3 * 0.08
    assert found.steps["compounding"] == pytest.approx(expected, abs=1e-12)
    assert sum(map(abs, found.steps.values())) == abs(found.steps["compounding"])
    assert found.columns("day")["compounding"] == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("by", ["day", "month"])
def test_a_period_after_a_wipe_out_of_the_daily_reset_starts_anew(by: str) -> None:
    """A day of -40 % ends the reset of 3x; what a band has delevered lives, month after month."""
    rises = np.where(np.arange(70) % 2, 1.02, 0.99)
    rises[1] = 0.6
    ends = 100 * np.cumprod(rises)
    begins = np.concatenate(([100.0], ends[:-1]))
    rows = [(a, max(a, b), min(a, b), b) for a, b in zip(begins, ends, strict=True)]
    found = sy.explain(simulate(token(3.0, band=Band(2.5, 3.5)), bars(*rows)))
    columns, marks = found.columns(by), found._marks(by)
    assert found.run.summary["wiped_out"] is None
    assert found.held["compounding"][-1] == 0
    later = [place for place, start in enumerate(marks[:-1]) if start > 2]
    assert later
    for place in later:
        start, end = marks[place], marks[place + 1]
        days = found.asset[start + 1 : end + 1] / found.asset[start:end] - 1
        anew = np.prod(1 + 3 * days) - 1
        wanted = anew - columns["multiple"][place]
        assert columns["compounding"][place] == pytest.approx(wanted, abs=1e-12)
    assert found.columns()["compounding"][0] == -1 - 3 * found.columns()["underlying"][0]


def test_months_of_the_shelf_after_march_2020_are_not_l_times_the_month() -> None:
    """The daily reset of 3x died on 12 March 2020; until now April compounded by minus 3x April."""
    months = sy.explain(preset("bybit-3l"), sample_prices("BTC")).months
    april = months.loc["2020-04-01"]
    assert april["compounding"] == pytest.approx(0.1202, abs=5e-5)
    assert april["multiple"] == pytest.approx(1.0307, abs=5e-5)
    assert april["token"] == pytest.approx(1.0419, abs=5e-5)


def test_the_reserve_gives_back_what_it_bears() -> None:
    """Where it pays all that trades cost and never suspends, it gives back just that."""
    costs = Costs(taker_fee_bps=10.0, half_spread_bps=5.0)
    rich = Reserve(initial_units=1e6, bears=("fee", "spread"))
    prices = closes(100, 110, 90, 95, 105)
    found = sy.explain(simulate(token(3.0, daily=Daily(0), costs=costs, reserve=rich), prices))
    steps = found.steps
    assert steps["reserve"] == pytest.approx(-steps["fee"] - steps["spread"], rel=1e-9)
    assert steps["reserve"] > 0


@pytest.mark.parametrize("target", [3.0, -1.0, -3.0])
def test_a_position_left_alone_is_l_times_the_underlying(target: float) -> None:
    """Until it is liquidated, when it says so and is worth nothing from then on."""
    gentle = sy.explain(simulate(token(target, daily=Daily(0)), closes(100, 105, 98, 103)))
    life = gentle.columns()
    assert life["unrebalanced"] == pytest.approx(life["multiple"], abs=1e-12)
    assert gentle.unrebalanced.ended is None
    slide = [100 * (1 - 0.12 * np.sign(target)) ** day for day in range(12)]
    ended = sy.explain(simulate(token(target, daily=Daily(0)), closes(*slide)))
    assert ended.unrebalanced.ended is not None
    assert ended.columns()["unrebalanced"][0] == -1.0


def test_variance_predicts_what_a_daily_reset_compounds_to() -> None:
    """Small days are nearly those of a continuous reset, so that little is left."""
    rng = np.random.default_rng(5)
    prices = closes(*(100 * np.exp(np.cumsum(rng.normal(0, 0.01, 300)))))
    life = sy.explain(simulate(token(3.0, daily=Daily(0)), prices)).columns()
    logs = np.diff(np.log(np.concatenate(([prices.close[0]], prices.close))))
    assert life["variance"] == pytest.approx(logs @ logs)
    assert abs(life["left"]) < 0.05 * abs(life["predicted"])


def test_a_run_that_did_not_start_at_its_launch_is_refused() -> None:
    """The runs beside it would have to be made from a beginning that is not there."""
    series, prices = token(3.0, daily=Daily(0)), closes(100, 101, 102, 103)
    first = simulate(series, sy.Feed(prices, end=T0 + 2 * DAY_S))
    later = simulate(series, sy.Feed(prices, start=T0 + 2 * DAY_S), state=first.state)
    with pytest.raises(InputError, match="continued from a state"):
        sy.explain(later)


def test_a_run_is_explained_as_one_makes_it() -> None:
    """Given a run, or the series and prices of which it was made: the same figures."""
    series, prices = token(3.0, daily=Daily(0)), closes(100, 101, 99, 103)
    run = simulate(series, sy.Feed(prices, end=T0 + 3 * DAY_S))
    assert (
        sy.explain(run).figures()
        == sy.explain(series, sy.Feed(prices, end=T0 + 3 * DAY_S)).figures()
    )


@pytest.mark.parametrize("function", [sy.explain, sy.tear_sheet])
def test_what_is_given_beside_a_run_is_refused(function: Callable[..., object]) -> None:
    """A run has its own prices and options: others would say nothing about it, and seem to."""
    prices = closes(100, 101)
    run = simulate(token(3.0, daily=Daily(0)), prices)
    with pytest.raises(InputError, match="expected no feed together with a run, which has its own"):
        function(run, prices)
    with pytest.raises(InputError, match="expected no intrabar together with a run"):
        function(run, intrabar="close")


def test_a_run_beside_it_that_cannot_be_made_is_named() -> None:
    """A launch whose costs the reserve bears may be impossible without it."""
    series = token(
        3.0,
        daily=Daily(0),
        costs=Costs(gas_per_rebalance=200_000.0),
        reserve=Reserve(initial_units=1e6, bears=("gas",)),
    )
    run = simulate(series, closes(100, 101))
    with pytest.raises(InputError, match="the run up to the step 'management'"):
        sy.explain(run)


@pytest.mark.parametrize("by", ["week", "DAY", 3])
def test_other_periods_are_refused(by: str) -> None:
    """Days and months are what there is."""
    found = sy.explain(simulate(token(3.0, daily=Daily(0)), closes(100, 101)))
    with pytest.raises(InputError, match="expected one of day, month"):
        found.columns(by)
