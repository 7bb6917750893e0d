"""What a second simulator found: pools, shared reserves, rolls and flows at one instant."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.market import Feed, Prices
from steelyard.rules.numbers import DECIMAL, FRACTION
from steelyard.rules.series import (
    Band,
    Costs,
    Execution,
    Fees,
    Interval,
    Move,
    Reserve,
    Series,
    Venue,
)
from steelyard.simulation.run import simulate
from steelyard.simulation.shared_reserve import simulate_several
from support.tokens import DAY_S, T0, bars, closes, token

POOL = Venue(kind="pool", max_utilisation=1.0)
HOURLY = Interval(3_600)
PRICES = st.lists(st.integers(40, 250), min_size=2, max_size=8)


def pooled(symbol: str, target: float, **parts: Any) -> Series:
    """A series against the reserve that it is given later."""
    return replace(token(target, **{"venue": POOL, **parts}), symbol=symbol)


def flows(*rows: tuple[int, float]) -> pd.DataFrame:
    """Creations and redemptions on days counted from the first."""
    return pd.DataFrame([(T0 + DAY_S * day, tokens) for day, tokens in rows]).set_axis(
        ["time", "tokens"], axis=1
    )


def at(*prices: int) -> Prices:
    """Daily closes."""
    return closes(*map(float, prices))


def test_who_lost_pays_before_who_won_is_paid() -> None:
    """A winner that comes first in line is paid in full out of what a later token loses.

    At 40 the short is owed 180,000, the reserve is worth 120,000 and the long loses its 100,000.
    """
    members = [pooled("S", -3.0), pooled("L", 3.0)]
    found = simulate_several(members, at(100, 40), reserve=Reserve(initial_units=3_000.0))
    assert [run.summary["nav"]["final"] for run in found.runs] == pytest.approx([280.0, 0.0])
    assert found.summary["reserve"]["final"] == pytest.approx(1_000.0)


def test_a_winner_gets_no_money_that_a_loser_never_had() -> None:
    """At 10 the short is owed 270,000: 30,000 in the reserve and the long's 100,000 are all."""
    members = [pooled("S", -3.0), pooled("L", 3.0)]
    found = simulate_several(members, at(100, 10), reserve=Reserve(initial_units=3_000.0))
    assert [run.summary["nav"]["final"] for run in found.runs] == pytest.approx([230.0, 0.0])
    assert found.summary["reserve"]["final"] == pytest.approx(0.0)


@settings(max_examples=40)
@given(PRICES, st.sampled_from([-2.0, 1.0, 3.0]), st.sampled_from([-3.0, -1.0, 2.0]))
def test_nothing_is_won_that_was_not_lost(prices: list[int], first: float, second: float) -> None:
    """Tokens and reserve together are worth the reserve's hold: a pool makes no money."""
    members = [
        pooled("A", first, interval=HOURLY),
        pooled("B", second, band=Band(None, abs(second) + 1, delever_only=True)),
    ]
    found = simulate_several(
        members, at(*prices), reserve=Reserve(initial_units=20_000.0), number=FRACTION
    )
    states = found.states
    held = Fraction(20_000)
    worth = Fraction(200_000) + held * prices[0]
    rows = [run.nav["reserve"].tolist() for run in found.runs]
    for place, price in enumerate(prices[1:], 1):
        # what the reserve held at the last price is worth what the price says now
        worth += Fraction(rows[0][place - 1]) * (price - prices[place - 1])
    together = states[0].reserve.units * prices[-1]
    together += sum(state.cash + state.units * prices[-1] for state in states)
    assert float(together) == pytest.approx(float(worth), rel=1e-12)


@settings(max_examples=40)
@given(PRICES, st.lists(st.integers(-300, 500).filter(bool), min_size=1, max_size=4))
def test_those_who_stay_neither_win_nor_lose_by_a_flow(prices: list[int], rows: list[int]) -> None:
    """Nav per token is exactly what it is without creations and redemptions."""
    series = token(
        2.0,
        costs=Costs(taker_fee_bps=5.0, half_spread_bps=2.0, gas_per_rebalance=3.0),
        fees=Fees(creation_bps=10.0, redemption_bps=20.0),
    )
    given_flows = flows(*[(2, float(tokens) / 2) for tokens in rows])
    history = at(*prices)
    alone = simulate(series, history, number=FRACTION).state
    along = simulate(series, Feed(history, flows=given_flows), number=FRACTION).state
    assert (alone.ended is None) == (along.ended is None)
    navs = [(s.cash + s.units * prices[-1]) / s.tokens for s in (alone, along)]
    assert navs[0] == navs[1]


def test_a_split_changes_no_value() -> None:
    """Ten tokens for one: nav per token is a tenth, all else as it was."""
    ratio = pd.DataFrame({"time": [T0 + 2 * DAY_S], "ratio": [10.0]})
    series = token(2.0, interval=HOURLY)
    plain = simulate(series, at(100, 90, 120, 110), number=FRACTION).state
    split = simulate(series, Feed(at(100, 90, 120, 110), splits=ratio), number=FRACTION).state
    assert (split.cash, split.units) == (plain.cash, plain.units)
    assert split.tokens == 10 * plain.tokens


def test_flows_that_cancel_send_no_order() -> None:
    """Who comes and who goes at one instant with the same exposure pays no gas, and has no row."""
    series = token(3.0, costs=Costs(gas_per_rebalance=400.0))
    run = simulate(series, Feed(at(103, 97, 101), flows=flows((2, 8.157), (2, -8.157))))
    assert run.rebalances["trigger"].tolist() == ["launch"]
    assert run.flows["cost"].tolist() == pytest.approx([0.0, 0.0])


def test_a_roll_comes_before_the_flows_of_its_instant() -> None:
    """The contracts that are held are rolled, all of them; then tokens go at the nav that is left.

    29 June 2020 is past the roll of the June contract, and a redemption is due with it.
    """
    day = (1_593_388_800 - T0) // DAY_S
    series = token(
        2.0, venue=Venue(kind="future", basis_per_year=0.1), costs=Costs(taker_fee_bps=10.0)
    )
    history = closes(100.0, 100.0, step_s=60 * DAY_S, start=T0 + (day - 120) * DAY_S)
    run = simulate(series, Feed(history, flows=flows((day, -250.0))))
    launch, roll, flow = (row for _, row in run.rebalances.iterrows())
    assert (roll["trigger"], flow["trigger"]) == ("roll", "flow")
    assert roll["units"] == pytest.approx(launch["units"])
    assert flow["units"] == pytest.approx(launch["units"] / 4)
    assert run.flows["nav"].iloc[0] == pytest.approx(roll["nav_after"])


def test_an_order_in_flight_holds_up_no_roll() -> None:
    """A contract that nears its expiry is rolled while a rebalance is on its way."""
    series = token(
        2.0,
        interval=Interval(DAY_S),
        venue=Venue(kind="future", basis_per_year=0.1),
        execution=Execution(delay_s=300 * DAY_S),
    )
    run = simulate(series, closes(*[100.0, 110.0, 105.0, 110.0], step_s=30 * DAY_S))
    assert "roll" in run.rebalances["trigger"].tolist()


def test_room_that_is_only_rounding_is_no_room() -> None:
    """After a cut to the capacity nothing is bought back for the sake of the last digits."""
    series = pooled(
        "P",
        0.5,
        venue=Venue(kind="pool", max_utilisation=1.0, fee_bps=10.0),
        interval=HOURLY,
        costs=Costs(taker_fee_bps=5.0, gas_per_rebalance=400.0),
        reserve=Reserve(initial_units=101.0, bears=()),
    )
    prices = [100.0, 102.2, 113.6, 112.8, 112.9, 118.3, 121.7, 127.7]
    run = simulate(series, closes(*prices))
    assert run.rebalances["notional"].min() > 1e-3
    assert "capacity" in run.rebalances["trigger"].tolist()


def test_the_capacity_counts_what_other_tokens_take_from_the_reserve() -> None:
    """A perpetual whose costs the shared reserve bears can breach a pool's capacity."""
    members = [
        pooled("P", 1.0),
        replace(token(3.0, costs=Costs(half_spread_bps=100.0)), symbol="Q"),
    ]
    found = simulate_several(members, at(100, 100), reserve=Reserve(initial_units=1_010.0))
    run = found.runs[0]
    assert run.rebalances["trigger"].tolist() == ["launch", "capacity"]
    # cut at once, at the launch of the other
    assert run.rebalances["time"].iloc[1] == run.rebalances["time"].iloc[0]


def test_tokens_whose_thresholds_lie_at_one_price_all_act_there() -> None:
    """Two series of one rule trade at one price inside a bar: neither waits for the next open."""
    members = [replace(token(2.0, move=Move(0.1)), symbol=symbol) for symbol in "AB"]
    history = bars((100.0, 105.0, 95.0, 100.0), (100.0, 115.0, 99.0, 101.0))
    found = simulate_several(members, history, reserve=Reserve(initial_units=5_000.0))
    moves = [run.rebalances["price"].tolist() for run in found.runs]
    assert moves[0] == moves[1]
    assert moves[0][1] == pytest.approx(110.0)


def test_several_without_a_side_fears_a_rise() -> None:
    """Targets that cancel are not long together: the high comes first, as is written."""
    members = [pooled("A", 2.0, move=Move(0.1)), pooled("B", -2.0)]
    history = bars((100.0, 100.0, 100.0, 100.0), (100.0, 112.0, 88.0, 100.0))
    found = simulate_several(members, history, reserve=Reserve(initial_units=9_000.0))
    assert found.runs[0].rebalances["price"].iloc[1] == pytest.approx(110.0)


def test_a_pool_can_be_computed_in_decimals() -> None:
    """The reserve's health is figured for any kind of number."""
    series = pooled("P", 2.0, interval=HOURLY, reserve=Reserve(initial_units=5_000.0))
    run = simulate(series, at(100, 110, 90), number=DECIMAL)
    assert run.summary["reserve"]["utilisation"] > 0
