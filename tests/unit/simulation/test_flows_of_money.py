"""Accruals, the reserve and its health, over a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

import steelyard as sy
from steelyard.errors import InputError
from steelyard.market import Feed, read_funding
from steelyard.rules.accruals import YEAR_S
from steelyard.rules.series import Band, Costs, Daily, Fees, Reserve, Venue
from steelyard.simulation.run import simulate
from steelyard.simulation.shared_reserve import simulate_several
from support.tokens import DAY_S, T0, closes, token


def test_funding_is_paid_at_the_first_observation_at_or_after_its_instant() -> None:
    """A long pays a positive rate on notional; instants up to the launch are skipped."""
    funding = {"time": [T0 + DAY_S, T0 + DAY_S + 3600, T0 + 3 * DAY_S], "rate": [0.5, 0.01, 0.02]}
    run = simulate(token(), Feed(closes(100, 100, 110), funding=read_funding(funding, high=True)))
    # units 3,000: 0.01 at the close of day 2 (100), 0.02 at that of day 3 (110)
    assert run.summary["costs"]["funding"] == pytest.approx(3_000 * (100 * 0.01 + 110 * 0.02))
    assert run.summary["nav"]["final"] == pytest.approx(130 - 3 * (1 + 2.2))
    assert run.costs.funding.tolist() == pytest.approx([0, 3_000, 9_600])


def test_a_short_earns_positive_funding() -> None:
    """What longs pay, shorts receive."""
    funding = {"time": [T0 + 2 * DAY_S], "rate": [0.01]}
    run = simulate(token(-1.0), Feed(closes(100, 100), funding=funding))
    assert run.summary["costs"]["funding"] == pytest.approx(-1_000)


def test_interest_on_borrowed_cash_follows_the_rates() -> None:
    """Each rate from its time on, plus the spread, on the debt: simple within a step."""
    venue = Venue(kind="spot", liquidation_threshold=0.95, borrow_spread_per_year=0.01)
    rates = {"time": [T0, T0 + DAY_S + DAY_S // 2], "rate": [0.04, 0.08]}
    run = simulate(token(venue=venue), Feed(closes(100, 100), rates=rates))
    owed = 200_000 * (0.05 * 43_200 + 0.09 * 43_200) / YEAR_S
    assert run.summary["costs"]["interest"] == pytest.approx(owed, rel=1e-12)
    assert run.summary["nav"]["final"] == pytest.approx(100 - owed / 1000, rel=1e-12)


def test_borrowed_units_grow_and_idle_cash_earns() -> None:
    """A short pays its lender in units and earns on its cash."""
    venue = Venue(
        kind="spot",
        rate_per_year=0.05,
        supply_spread_per_year=0.01,
        units_borrow_rate_per_year=0.02,
    )
    run = simulate(token(-1.0, venue=venue), closes(100, 100))
    expected = 100_000 * 0.02 * DAY_S / YEAR_S - 200_000 * 0.04 * DAY_S / YEAR_S
    assert run.summary["costs"]["interest"] == pytest.approx(expected, rel=1e-12)
    assert run.state.units == pytest.approx(-1_000 * (1 + 0.02 * DAY_S / YEAR_S), rel=1e-15)


@pytest.mark.parametrize("target", [3.0, -1.0])
def test_idle_cash_beside_a_perpetual_is_all_of_nav(target: float) -> None:
    """After funding, before the management fee, whichever way the position points."""
    venue, fees = Venue(cash_rate_per_year=0.05), Fees(management_per_year=0.02)
    run = simulate(
        token(target, venue=venue, fees=fees),
        sy.Feed(closes(100, 100), funding={"time": [T0 + 2 * DAY_S], "rate": [0.001]}),
    )
    funding = 100_000 * target * 0.001
    earned = (100_000 - funding) * 0.05 * DAY_S / YEAR_S
    fee = (100_000 - funding + earned) * 0.02 * DAY_S / YEAR_S
    assert run.summary["costs"]["interest"] == pytest.approx(-earned, rel=1e-12)
    assert run.summary["nav"]["final"] == pytest.approx(
        100 + (earned - funding - fee) / 1000, rel=1e-12
    )


def test_idle_cash_beside_a_future_follows_the_rates() -> None:
    """A file of rates replaces the series' own; a series without one earns nothing."""
    rates = {"time": [T0, T0 + DAY_S + DAY_S // 2], "rate": [0.04, 0.08]}
    future = Venue(kind="future", cash_rate_per_year=0.01)
    run = simulate(token(venue=future), sy.Feed(closes(100, 100), rates=rates))
    earned = 100_000 * (0.04 + 0.08) * 43_200 / YEAR_S
    assert run.summary["costs"]["interest"] == pytest.approx(-earned, rel=1e-12)
    with pytest.raises(InputError, match=r"cash_rate_per_year, found \"perpetual\""):
        simulate(token(), sy.Feed(closes(100, 100), rates=rates))


def test_what_idle_cash_earned_is_a_step_of_its_own() -> None:
    """The explanation names it as interest, and it is what the run without it lacks."""
    earning = token(venue=Venue(cash_rate_per_year=0.05))
    prices = closes(100, 104, 99, 103, 98, 101)
    run, without = simulate(earning, prices), simulate(token(), prices)
    gained = (run.summary["nav"]["final"] - without.summary["nav"]["final"]) / 100
    assert sy.explain(run).steps["interest"] == pytest.approx(gained, rel=1e-9)
    assert gained == pytest.approx(0.05 * 5 / 365, rel=0.1)


def test_management_is_taken_from_cash_and_shared_with_the_reserve() -> None:
    """The fee is on nav; the reserve gets its share at the next allocation, in units."""
    pool = Reserve(initial_units=200.0, fee_share=0.5, allocation_every_s=2 * DAY_S)
    series = token(fees=Fees(management_per_year=0.0365), reserve=pool)
    run = simulate(series, closes(100, 100, 100, 100))
    day = 100_000 * 0.0365 / 365
    first_two = day + (100_000 - day) * 0.0365 / 365
    assert run.summary["reserve"]["received"] == pytest.approx(first_two / 2, rel=1e-12)
    assert run.summary["reserve"]["final"] == pytest.approx(200 + first_two / 200, rel=1e-12)
    assert run.nav.reserve.tolist()[:2] == [200.0, 200.0]


def test_the_reserve_pays_down_to_its_last_unit_and_holders_the_rest() -> None:
    """Spread of 10 bp on a launch of 300,000 costs 300; a reserve worth 100 leaves 200 to nav."""
    pool = Reserve(initial_units=1.0, bears=("spread",))
    run = simulate(token(costs=Costs(half_spread_bps=10.0), reserve=pool), closes(100, 100))
    launch = run.rebalances.iloc[0]
    assert launch.paid_by_reserve == 100.0
    assert run.summary["reserve"]["final"] == 0.0
    assert launch.nav_after == pytest.approx(100 - (launch.spread - 100) / 1000)
    assert launch.leverage_after == pytest.approx(3.0, rel=1e-14)


def test_suspension_at_the_floor_and_resumption_by_injection() -> None:
    """The story of a short reserve: up-trades blocked, an injection, then the band acts again."""
    pool = Reserve(initial_units=95.0, floor_ratio=0.10, resume_ratio=0.12)
    series = token(band=Band(2.5, 3.5), reserve=pool)
    history = closes(100, 115, 116, 117, 118)
    without = simulate(series, history)
    assert without.summary["rebalances"]["count"] == 0
    assert without.summary["rebalances"]["blocked"] == 4
    assert without.summary["reserve"]["suspended_s"] == 4 * DAY_S
    capital = {"time": [T0 + 4 * DAY_S], "quote": [20_000.0], "kind": ["capital"]}
    injected = simulate(series, Feed(history, injections=capital))
    assert injected.summary["rebalances"]["count"] == 1
    assert injected.summary["rebalances"]["blocked"] == 2
    assert injected.summary["reserve"]["injected"] == 20_000.0
    assert injected.summary["reserve"]["suspended_s"] == 3 * DAY_S


def test_resumption_by_fees() -> None:
    """Management fees allocated to the reserve lift it over its resume ratio."""
    pool = Reserve(initial_units=99.0, fee_share=1.0, floor_ratio=0.10, resume_ratio=0.12)
    fees = Fees(management_per_year=0.9)
    run = simulate(
        token(daily=Daily(0), fees=fees, reserve=pool), closes(*[100 + i % 2 for i in range(20)])
    )
    assert run.summary["reserve"]["suspended_s"] > 0
    assert not run.state.reserve.suspended
    assert run.summary["rebalances"]["by_trigger"]["daily"] > 0


def test_suspension_never_blocks_what_lowers_leverage() -> None:
    """With an empty reserve under its floor, a falling token still deleverages."""
    series = token(band=Band(2.5, 3.5), reserve=Reserve(initial_units=0.0))
    run = simulate(series, closes(100, 90))
    assert run.summary["rebalances"]["count"] == 1
    assert run.summary["rebalances"]["blocked"] == 0


def test_a_level_that_stands_at_the_floor_is_not_below_it() -> None:
    """A 1x token and its reserve of a tenth move together; rounding is no reason to suspend."""
    run = simulate(token(1.0, reserve=Reserve(initial_units=100.0)), closes(100, 75.1, 80.6, 130.2))
    assert run.summary["reserve"]["suspended_s"] == 0


def test_a_suspension_lasts_up_to_the_observation_that_ends_the_token() -> None:
    """The day before a liquidation was a suspended day as well."""
    series = token(reserve=Reserve(initial_units=0.0))
    run = simulate(series, closes(100, 100, 50))
    assert run.summary["wiped_out"]["reason"] == "nav"
    assert run.summary["reserve"]["suspended_s"] == 2 * DAY_S


def test_suspensions_are_recorded_from_one_observation_to_another() -> None:
    """The level is judged at each observation, and the end of the token ends the last span."""
    pool = Reserve(initial_units=95.0, floor_ratio=0.10, resume_ratio=0.10)
    # 1x and its reserve move together, so only what is paid in lifts the level
    paid_in = {"time": [T0 + 3 * DAY_S], "quote": [1_000.0], "kind": ["capital"]}
    run = simulate(token(1.0, reserve=pool), Feed(closes(*[100.0] * 5), injections=paid_in))
    ends = run.suspension_columns
    assert ends["from"].astype(int).tolist() == [T0 + DAY_S]
    assert ends["to"].astype(int).tolist() == [T0 + 3 * DAY_S]
    assert run.suspensions["from"].dt.tz is not None
    ended = simulate(token(reserve=Reserve(initial_units=0.0)), closes(100, 100, 100, 50))
    assert ended.suspension_columns["to"].astype(int).tolist() == [T0 + 4 * DAY_S]
    assert len(simulate(token(), closes(100, 50)).suspensions) == 0


def test_a_shared_reserve_has_one_record_of_its_suspensions() -> None:
    """Every token on it tells the same, also one that has ended before."""
    scarce = Reserve(initial_units=50.0, floor_ratio=0.10, resume_ratio=0.12)
    members = [replace(token(target), symbol=f"T{target:g}") for target in (3.0, -1.0)]
    found = simulate_several(members, closes(100, 60, 60, 60, 60), reserve=scarce)
    ended, lives = found.runs
    assert ended.summary["wiped_out"] is not None
    assert lives.summary["wiped_out"] is None
    ends = [run.suspension_columns for run in found.runs]
    assert ends[0]["from"].tolist() == ends[1]["from"].tolist()
    assert ends[0]["to"].tolist() == ends[1]["to"].tolist()
    spent = (ends[0]["to"] - ends[0]["from"]).astype(int).sum()
    assert spent == found.summary["reserve"]["suspended_s"] > 0


def test_health_at_the_end() -> None:
    """Level, buffer, utilisation, runway and capacity, from figures that can be done by hand."""
    pool = Reserve(initial_units=200.0, bears=("spread",))
    series = token(daily=Daily(0), costs=Costs(half_spread_bps=10.0), reserve=pool)
    run = simulate(series, closes(100, 110, 110))
    health, trades = run.summary["reserve"], run.rebalances
    value = run.nav.reserve.iloc[-1] * 110
    total = run.nav.nav.iloc[-1] * 1000
    paid = trades.paid_by_reserve.sum()
    assert health["level"] == pytest.approx(value / total)
    assert health["buffer_depth"] == pytest.approx(value / total - 0.1)
    assert health["utilisation"] == 0.0
    assert health["runway_days"] == pytest.approx((value - 0.1 * total) / (paid / 2))
    assert health["capacity"] == pytest.approx((value - 0.1 * total) / 0.001)
    assert health["paid"] == pytest.approx(paid)


def test_utilisation_is_of_the_value_a_day_before_the_end() -> None:
    """In close mode a row of nav.parquet is marked at its bar's end, and counts from there."""
    pool = Reserve(initial_units=200.0, bears=("spread",))
    series = token(daily=Daily(0), costs=Costs(half_spread_bps=10.0), reserve=pool)
    run = simulate(series, closes(100, 110, 120, 130))
    rows, trades = run.nav, run.rebalances
    a_day_before = rows.reserve.iloc[-2] * 120
    paid = trades.paid_by_reserve.iloc[-1]
    assert paid > 0
    assert run.summary["reserve"]["utilisation"] == pytest.approx(paid / a_day_before)


def test_health_of_a_token_that_ended_is_that_of_the_last_bar() -> None:
    """The trailing day and month are counted back from the run's end, not from the wipe-out."""
    pool = Reserve(initial_units=200.0, bears=("spread",))
    venue = Venue(maintenance_margin=0.1)
    series = token(costs=Costs(half_spread_bps=10.0), reserve=pool, venue=venue)
    run = simulate(series, closes(100, 70, *[70] * 40))
    assert run.summary["wiped_out"]["reason"] == "liquidated"
    assert run.summary["reserve"]["utilisation"] == 0.0
    assert run.summary["reserve"]["runway_days"] is None


@pytest.mark.parametrize(
    ("option", "series", "expected"),
    [
        ("funding", token(venue=Venue(kind="spot")), 'venue.kind = "perpetual"'),
        ("rates", token(), 'venue.kind = "spot"'),
        ("injections", token(), r"a table \[reserve\]"),
    ],
)
def test_an_option_that_does_not_fit_the_series_is_refused(
    option: str, series: object, expected: str
) -> None:
    """Funding for a spot token, rates for a perpetual, injections without a reserve."""
    table = {"time": [T0], "rate": [0.01], "quote": [1.0], "kind": ["capital"]}
    columns = ("time", "quote", "kind") if option == "injections" else ("time", "rate")
    given = {option: {name: table[name] for name in columns}}
    with pytest.raises(InputError, match=expected):
        simulate(series, Feed(closes(100, 100), **given))
