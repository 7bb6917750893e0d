"""A position in dated futures: its mark, its carry, its rolls (SPEC 3)."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.errors import InputError
from steelyard.market import Feed, Prices
from steelyard.rules.series import Band, Costs, Daily, Execution, Reserve, Series, Venue
from steelyard.simulation.run import simulate
from support.tokens import DAY_S, T0, token

YEAR_S = 365 * DAY_S


def at(day: str, hour: int = 8) -> int:
    """Epoch s of a day's hour, UTC."""
    return int(datetime.fromisoformat(day).replace(hour=hour, tzinfo=UTC).timestamp())


MARCH, JUNE, SEPTEMBER = at("2020-03-27"), at("2020-06-26"), at("2020-09-25")
ROLL = MARCH - 3 * DAY_S


def future(target: float = 3.0, basis: float = 0.1, **parts: object) -> Series:
    """A token on quarterly futures, without costs unless told."""
    venue = Venue(kind="future", basis_per_year=basis)
    return token(target, **{"venue": venue, **parts})


def seen(*prices: tuple[int, float]) -> Prices:
    """Prices at instants."""
    times, values = zip(*prices, strict=True)
    time = np.array(times, dtype=np.int64)
    return Prices(time=time, close=np.array(values, dtype=float), step_s=0)


def mark(expiry: int, time: int, basis: float = 0.1) -> float:
    """The closed form."""
    return 1 + basis * (expiry - time) / YEAR_S


@given(
    st.sampled_from([-3.0, -1.0, 1.0, 2.0, 3.0]),
    st.sampled_from([-0.2, 0.0, 0.05, 0.1]),
    st.integers(1, ROLL - T0 - 1),
)
def test_the_carry_of_a_flat_price_is_the_basis(target: float, basis: float, later_s: int) -> None:
    """A long pays the basis on its contracts for the time that went by; a short gets it."""
    run = simulate(future(target, basis), seen((T0, 100.0), (T0 + later_s, 100.0)))
    first = mark(MARCH, T0, basis)
    contracts = target * 100_000 / (100 * first)
    carried = contracts * 100 * basis * later_s / YEAR_S
    assert run.summary["nav"]["final"] * 1000 == pytest.approx(100_000 - carried, rel=1e-12)
    assert run.nav.leverage.iloc[0] == pytest.approx(target, rel=1e-15)


def test_a_roll_costs_both_legs() -> None:
    """As many contracts of the next one: each leg with its fee, its spread and its gas.

    At 120 three days before the expiry; leverage moves by the difference of the marks and by the
    costs, turnover and counts by nothing.
    """
    costs = Costs(taker_fee_bps=10.0, half_spread_bps=5.0, gas_per_rebalance=2.0)
    run = simulate(future(costs=costs), seen((T0, 100.0), (ROLL, 120.0)))
    launch, roll = (run.rebalances.iloc[place] for place in (0, 1))
    old, new = 120 * mark(MARCH, ROLL), 120 * mark(JUNE, ROLL)
    legs = launch.units * (old + new)
    assert launch.price == pytest.approx(100 * mark(MARCH, T0))
    assert (roll.trigger, roll.side, run.state.expiry) == ("roll", "buy", JUNE)
    assert roll.units == pytest.approx(launch.units)
    assert roll.price == pytest.approx(new)
    assert roll.notional == pytest.approx(legs)
    assert [roll.fee, roll.spread, roll.gas] == pytest.approx([legs * 1e-3, legs * 5e-4, 4.0])
    paid = roll.fee + roll.spread + roll.gas
    assert (roll.nav_before - roll.nav_after) * 1000 == pytest.approx(paid)
    assert roll.leverage_after == pytest.approx(launch.units * new / (roll.nav_after * 1000))
    assert run.summary["rebalances"]["count"] == run.summary["rebalances"]["clips"] == 0
    assert run.summary["rebalances"]["turnover"] == 0
    assert run.summary["costs"]["gas"] == 6.0


def test_a_short_rolls_by_selling_the_next() -> None:
    """The row's side is that of the new leg."""
    run = simulate(future(-2.0), seen((T0, 100.0), (ROLL, 100.0)))
    roll = run.rebalances.iloc[1]
    assert (roll.trigger, roll.side) == ("roll", "sell")
    assert roll.nav_after == pytest.approx(roll.nav_before, rel=1e-15)


@pytest.mark.parametrize(("time", "rolled"), [(ROLL - 1, False), (ROLL, True), (ROLL + 60, True)])
def test_it_is_rolled_at_the_first_observation_from_its_instant_on(time: int, rolled: bool) -> None:
    """Three days before the expiry, to the second."""
    run = simulate(future(), seen((T0, 100.0), (time, 100.0)))
    assert ("roll" in run.rebalances.trigger.tolist()) == rolled
    assert run.state.expiry == (JUNE if rolled else MARCH)


def test_several_expiries_in_a_gap_are_one_roll() -> None:
    """From its expiry on a contract is worth the price; what is bought is the one to hold now."""
    late = at("2020-07-01")
    run = simulate(future(), seen((T0, 100.0), (late, 90.0), (late + DAY_S, 90.0)))
    contracts = run.rebalances.units.iloc[0]
    assert run.rebalances.trigger.tolist() == ["launch", "roll"]
    assert run.state.expiry == SEPTEMBER
    nav = 100_000 + contracts * (90 - 100 * mark(MARCH, T0))
    assert run.nav.nav.iloc[1] * 1000 == pytest.approx(nav)
    assert run.rebalances.notional.iloc[1] == pytest.approx(
        contracts * 90 * (1 + mark(SEPTEMBER, late))
    )
    carried = contracts * 90 * 0.1 * DAY_S / YEAR_S
    assert run.nav.nav.iloc[2] * 1000 == pytest.approx(nav - carried)


def test_in_an_outage_nothing_is_rolled() -> None:
    """The contract expires at the price, and is replaced once the keeper is back."""
    back = at("2020-04-10")
    outages = {"from": [ROLL - DAY_S], "to": [back]}
    times = [T0, ROLL, MARCH, MARCH + 5 * DAY_S, back]
    run = simulate(future(), Feed(seen(*((time, 100.0) for time in times)), outages=outages))
    contracts = run.rebalances.units.iloc[0]
    assert run.rebalances.trigger.tolist() == ["launch", "roll"]
    assert run.rebalance_columns["time"].astype("int64").tolist() == [T0, back]
    expired = 100_000 - contracts * 100 * (mark(MARCH, T0) - 1)
    assert (run.nav.nav.iloc[2:] * 1000).tolist() == pytest.approx([expired] * 3)


def test_a_reserve_bears_both_legs_as_far_as_it_reaches() -> None:
    """Gas of 300 a leg: the launch and the first leg are paid, of the second 100 are left."""
    pool = Reserve(initial_units=7.0, bears=("gas",), floor_ratio=0.001, resume_ratio=0.002)
    costs = Costs(gas_per_rebalance=300.0)
    run = simulate(future(reserve=pool, costs=costs), seen((T0, 100.0), (ROLL, 100.0)))
    assert run.rebalances.paid_by_reserve.tolist() == [300.0, 400.0]
    roll = run.rebalances.iloc[1]
    assert (roll.nav_before - roll.nav_after) * 1000 == pytest.approx(200)
    assert run.summary["reserve"]["final"] == 0


def test_leverage_and_lots_are_those_of_the_contracts() -> None:
    """Whole contracts at their mark, and a band that looks at what they are worth."""
    series = future(band=Band(2.5, 3.5), execution=Execution(lot_units=10.0))
    run = simulate(series, seen((T0, 100.0), (T0 + DAY_S, 90.0)))
    launch, band = (run.rebalances.iloc[place] for place in (0, 1))
    assert launch.units == pytest.approx(10 * (300_000 // (1_000 * mark(MARCH, T0))))
    cash = 100_000 - launch.notional
    marked = 90 * mark(MARCH, T0 + DAY_S)
    assert band.leverage_before == pytest.approx(
        launch.units * marked / (cash + launch.units * marked)
    )
    assert (band.trigger, band.side) == ("band", "sell")
    assert band.price == pytest.approx(marked)
    assert band.units / 10 == pytest.approx(round(band.units / 10), rel=1e-12)


def test_a_roll_comes_before_a_rebalance_of_the_same_observation() -> None:
    """The daily reset lands on the target with the next contract's mark."""
    run = simulate(future(daily=Daily(8 * 3600)), seen((T0, 100.0), (ROLL, 120.0)))
    assert run.rebalances.trigger.tolist() == ["launch", "roll", "daily"]
    assert run.rebalances.leverage_after.iloc[-1] == pytest.approx(3.0, rel=1e-14)


def test_a_future_pays_no_funding() -> None:
    """Funding is a perpetual's."""
    with pytest.raises(InputError, match="perpetual"):
        simulate(future(), Feed(seen((T0, 100.0)), funding={"time": [T0], "rate": [0.0]}))
