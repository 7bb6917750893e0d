"""The keeper is dead for a while: nothing triggers, what is due waits, the venue does not."""

from __future__ import annotations

import pytest

from steelyard.market import Feed, sample_prices
from steelyard.rules.series import Band, Costs, Daily, Fallback, Interval, Move, Venue, Volatility
from steelyard.simulation.run import simulate
from support.tokens import DAY_S, T0, bars, closes, token

HOUR_S = 3_600
EVERY_TRIGGER = {
    "band": Band(2.5, 3.5),
    "move": Move(0.02),
    "volatility": Volatility(6 * HOUR_S, 0.2),
    "interval": Interval(2 * HOUR_S),
    "daily": Daily(0),
    "fallback": Fallback(2 * HOUR_S),
    "emergency_leverage": 4.0,
}


def out(first_h: float, last_h: float) -> dict[str, list[int]]:
    """An outage from one hour after the start to another."""
    return {"from": [T0 + int(first_h * HOUR_S)], "to": [T0 + int(last_h * HOUR_S)]}


@pytest.mark.parametrize("intrabar", ["close", "path"])
def test_nothing_triggers_in_an_outage(intrabar: str) -> None:
    """Whatever the trigger, at the clock and inside bars; the first thing after it is a trade."""
    rows = [(100,) * 4, *[(100, 104, 90, 92), (92, 99, 88, 97)] * 3, (97,) * 4]
    history = bars(*rows, step_s=HOUR_S)
    # closes carry their bars' ends
    shift = HOUR_S if intrabar == "close" else 0
    series = token(**EVERY_TRIGGER)
    run = simulate(series, Feed(history, outages=out(2, 7)), intrabar=intrabar)
    times = run.rebalance_columns["time"].astype("int64")
    assert not ((times >= T0 + 2 * HOUR_S) & (times < T0 + 7 * HOUR_S)).any()
    assert T0 + 7 * HOUR_S in times
    without = simulate(series, history, intrabar=intrabar)
    assert len(without.rebalances) > len(run.rebalances) + 5 - shift // HOUR_S


def test_what_fell_due_in_an_outage_is_due_after_it() -> None:
    """The midnight that was missed is made up for at the first observation from its end on."""
    history = closes(100, *[110] * 6, step_s=HOUR_S, start=T0 + 21 * HOUR_S)
    run = simulate(token(daily=Daily(0)), Feed(history, outages=out(23, 26)))
    assert run.rebalances.trigger.tolist() == ["launch", "daily"]
    assert run.rebalance_columns["time"].astype("int64")[1] == T0 + 26 * HOUR_S


def test_several_instants_in_an_outage_are_one() -> None:
    """Of four intervals that were missed one rebalance is made."""
    history = closes(*range(100, 112), step_s=HOUR_S)
    run = simulate(token(interval=Interval(2 * HOUR_S)), Feed(history, outages=out(1.5, 9)))
    times = run.rebalance_columns["time"].astype("int64")[1:] - T0
    assert (times // HOUR_S).tolist() == [9, 10, 12]


def test_the_venue_liquidates_in_an_outage() -> None:
    """At the exact price inside a bar, as ever."""
    series = token(venue=Venue(maintenance_margin=0.05), **EVERY_TRIGGER)
    history = bars((100,) * 4, (100, 100, 60, 90), step_s=HOUR_S)
    run = simulate(series, Feed(history, outages=out(0.5, 9)))
    assert run.summary["wiped_out"]["reason"] == "liquidated"
    assert run.summary["wiped_out"]["price"] == pytest.approx(200_000 / (3_000 * 0.95))
    assert len(run.rebalances) == 1


def test_clips_wait_for_the_end_of_an_outage() -> None:
    """The first goes out before it, the next after it."""
    series = token(band=Band(2.5, 3.5), max_trade_notional=25_000.0)
    run = simulate(series, Feed(closes(100, *[90] * 7, step_s=HOUR_S), outages=out(2.5, 6)))
    times = run.rebalance_columns["time"].astype("int64")[1:] - T0
    assert (times // HOUR_S).tolist() == [2, 6, 7]


def test_an_outage_ends_before_its_last_instant() -> None:
    """From the one instant on, up to before the other."""
    history = closes(100, 90, 90, 90, step_s=HOUR_S)
    for last, expected in ((2, 2), (2.001, 3), (3, 3)):
        run = simulate(token(band=Band(2.5, 3.5)), Feed(history, outages=out(1.5, last)))
        assert run.rebalance_columns["time"].astype("int64")[1] == T0 + expected * HOUR_S
    run = simulate(token(band=Band(2.5, 3.5)), Feed(history, outages=out(2, 2.5)))
    assert run.rebalance_columns["time"].astype("int64")[1] == T0 + 3 * HOUR_S


def test_time_goes_on_costing_in_an_outage() -> None:
    """Funding and what else accrues is paid as ever."""
    funding = {"time": [T0 + 2 * HOUR_S, T0 + 3 * HOUR_S], "rate": [0.01, 0.02]}
    history = closes(100, 100, 100, 100, step_s=HOUR_S)
    run = simulate(token(), Feed(history, funding=funding, outages=out(1.5, 9)))
    assert run.summary["costs"]["funding"] == pytest.approx(300_000 * 0.03)


def test_a_longer_outage_in_the_crash_of_march_2020_costs_more() -> None:
    """A 2x long on BTC: none, one day and two days from 12 March on.

    It kept 32 of 100 with its keeper alive, 26 with a day without it; on the second day it would
    have been liquidated.
    """
    series = token(
        2.0,
        band=Band(1.7, 2.5),
        costs=Costs(taker_fee_bps=5.0, half_spread_bps=1.0),
        venue=Venue(maintenance_margin=0.005),
    )
    crash = 1_583_971_200  # 2020-03-12T00:00:00Z
    left = []
    for days in (0, 1, 2):
        outages = {"from": [crash], "to": [crash + days * DAY_S]} if days else None
        run = simulate(
            series,
            Feed(sample_prices("BTC"), start="2020-02-01", end="2020-04-15", outages=outages),
        )
        left.append(run.summary["nav"]["final"])
        assert (run.summary["wiped_out"] is not None) == (days == 2)
    assert left == sorted(left, reverse=True)
    assert left == pytest.approx([32.2, 26.5, 0.33], rel=0.02)
