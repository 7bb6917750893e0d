"""The owner closes the token: the position is sold, and nav stays what is left."""

from __future__ import annotations

import pytest

from steelyard.market import Feed
from steelyard.rules.series import Band, Costs, Daily, Fees
from steelyard.simulation.run import simulate
from support.tokens import DAY_S, T0, bars, closes, token

END = T0 + 3 * DAY_S


def test_a_wind_down_sells_all_and_keeps_what_is_left() -> None:
    """3,000 units at 120, less a tenth of a percent; from then on nothing moves nav."""
    series = token(costs=Costs(taker_fee_bps=10.0), fees=Fees(management_per_year=0.5))
    run = simulate(series, Feed(closes(100, 110, 120, 60, 300), wind_down=END))
    row = run.rebalances.iloc[-1]
    assert (row.trigger, row.side, row.price) == ("wind_down", "sell", 120.0)
    assert row.fee == pytest.approx(row.notional * 0.001)
    assert row.leverage_after == pytest.approx(0, abs=1e-12)
    assert (row.nav_before - row.nav_after) * 1000 == pytest.approx(row.fee)
    assert run.nav.nav.tolist()[2:] == [pytest.approx(row.nav_after)] * 3
    assert run.nav.leverage.tolist()[2:] == [0, 0, 0]
    assert run.summary["wiped_out"] is None
    assert run.summary["wound_down"] == {
        "time": "2020-01-04T00:00:00Z",
        "price": 120.0,
        "nav": pytest.approx(row.nav_after),
    }
    assert run.summary["rebalances"]["count"] == run.summary["rebalances"]["clips"] == 0
    assert run.summary["rebalances"]["turnover"] == 0
    assert run.summary["costs"]["fee"] == pytest.approx(run.rebalances.fee.sum())


def test_a_short_is_bought_back() -> None:
    """And what it owes is paid."""
    run = simulate(token(-1.0), Feed(closes(100, 110, 120), wind_down=END))
    assert run.rebalances.side.tolist() == ["sell", "buy"]
    assert run.nav.nav.iloc[-1] == pytest.approx(80)


def test_it_comes_at_the_first_observation_from_its_time_on() -> None:
    """At the clock, never inside a bar; before its triggers, after its flows."""
    history = bars((100,) * 4, (100, 120, 90, 110), (115, 130, 80, 100))
    flows = {"time": [T0 + 2 * DAY_S], "tokens": [500.0]}
    series = token(band=Band(2.0, 4.0), daily=Daily(0))
    run = simulate(series, Feed(history, wind_down=T0 + DAY_S + 1, flows=flows))
    assert run.rebalances.trigger.tolist()[-2:] == ["flow", "wind_down"]
    assert run.rebalances.price.tolist()[-2:] == [115.0, 115.0]
    assert run.nav.tokens.iloc[-1] == 1_500
    assert run.state.units == 0


def test_tracking_is_taken_up_to_there() -> None:
    """What the price does afterwards is no error of the token."""
    prices = [100, 104, 99, 103, 107]
    short = simulate(token(daily=Daily(0)), Feed(closes(*prices), wind_down=T0 + 5 * DAY_S))
    long = simulate(
        token(daily=Daily(0)), Feed(closes(*prices, 50, 200, 3), wind_down=T0 + 5 * DAY_S)
    )
    assert long.summary["tracking"] == short.summary["tracking"]
    assert long.summary["nav"] == short.summary["nav"]


def test_an_outage_or_an_order_in_flight_does_not_stop_it() -> None:
    """The owner acts, not the keeper."""
    outages = {"from": [T0], "to": [T0 + 9 * DAY_S]}
    run = simulate(token(), Feed(closes(100, 110, 120), wind_down=END, outages=outages))
    assert run.rebalances.trigger.tolist() == ["launch", "wind_down"]


def test_a_wind_down_that_costs_more_than_nav_leaves_nothing() -> None:
    """Gas above what is there: holders get nothing, and owe nothing."""
    series = token(costs=Costs(gas_per_rebalance=3_000.0))
    run = simulate(series, Feed(closes(100, 67, 67), wind_down=T0 + 2 * DAY_S))
    assert run.summary["nav"]["final"] == 0
    assert run.summary["wiped_out"]["reason"] == "nav"


def test_a_token_that_is_closed_stays_closed_in_a_later_run() -> None:
    """Its state is that of its end."""
    history = closes(100, 110, 120, 130)
    first = simulate(token(), Feed(history.slice(0, 3), wind_down=END))
    second = simulate(token(), Feed(history.slice(3, 4), wind_down=END), state=first.state)
    assert second.nav.nav.tolist() == pytest.approx([160])
    assert len(second.rebalances) == 0
