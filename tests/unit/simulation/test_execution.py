"""What sizes a venue takes, and how long an order is on its way."""

from __future__ import annotations

import pytest

from steelyard.errors import InputError
from steelyard.fund.state import new_state
from steelyard.market import Feed
from steelyard.rules.numbers import FLOAT
from steelyard.rules.series import Band, Costs, Daily, Execution, Interval
from steelyard.simulation.reference import Replay, member_of
from steelyard.simulation.run import simulate
from steelyard.simulation.schedule import Schedule
from support.tokens import DAY_S, T0, bars, closes, token

HOUR_S = 3_600
MINUTE_S = 60


def test_sizes_are_whole_lots_rounded_toward_zero() -> None:
    """Of 3,000 units in sevens 2,996 are bought; of 661.3 to sell at 90, 658 are sold."""
    series = token(band=Band(2.5, 3.5), execution=Execution(lot_units=7.0))
    run = simulate(series, closes(100, 90))
    assert run.rebalances.units.tolist() == pytest.approx([2_996, 658], rel=1e-14)
    assert run.rebalances.leverage_after.iloc[1] == pytest.approx(2_338 * 90 / 70_040)


def test_a_rebalance_below_the_smallest_trade_waits_and_stays_due() -> None:
    """A reset of 3,000 waits for one of 5,000: the hour after, and without being blocked."""
    series = token(daily=Daily(0), execution=Execution(min_notional=5_000.0))
    history = closes(100, 100, 100.5, 100.5, 101, 101, step_s=HOUR_S, start=T0 + 21 * HOUR_S)
    run = simulate(series, history)
    rows = run.rebalances
    assert rows.trigger.tolist() == ["launch", "daily"]
    assert rows.notional.iloc[1] == pytest.approx(6_000)
    assert run.rebalance_columns["time"].astype("int64")[1] == T0 + DAY_S + 2 * HOUR_S
    assert run.summary["rebalances"]["blocked"] == 0


def test_clips_end_where_the_next_would_be_too_small() -> None:
    """60,000 to sell in clips of 25,000: the 10,000 that are left are less than 12,000."""
    series = token(
        band=Band(2.5, 3.5),
        max_trade_notional=25_000.0,
        execution=Execution(min_notional=12_000.0),
    )
    run = simulate(series, closes(100, *[90] * 5, step_s=HOUR_S))
    assert run.rebalances.notional.tolist()[1:] == pytest.approx([25_000, 25_000])
    assert run.state.clips is None


def test_a_launch_too_small_is_refused() -> None:
    """Less than one lot, or than the smallest trade."""
    for execution in (Execution(lot_units=3_001.0), Execution(min_notional=300_001.0)):
        with pytest.raises(InputError, match="expected a first position that the venue accepts"):
            simulate(token(execution=execution), closes(100, 100))


def test_what_the_owner_closes_trades_at_any_size() -> None:
    """A wind-down of 2,996 units in lots of 7, with a smallest trade above it."""
    series = token(execution=Execution(lot_units=7.0, min_notional=250_000.0))
    run = simulate(series, Feed(closes(100, 70), wind_down=T0 + 2 * DAY_S))
    assert run.rebalances.trigger.tolist() == ["launch", "wind_down"]
    assert run.rebalances.units.tolist() == pytest.approx([2_996, 2_996])


def delayed(delay_s: int = MINUTE_S, **parts: object) -> object:
    """A band around 3x whose orders take their time."""
    return token(**{"band": Band(2.5, 3.5), **parts}, execution=Execution(delay_s=delay_s))


def test_the_decision_fixes_the_units_and_the_fill_has_its_own_price() -> None:
    """At 90 a sale of 666.67 units is decided; a minute later they are sold at 85.

    Reference and clock are those of the fill.
    """
    run = simulate(delayed(), closes(100, 90, 85, step_s=MINUTE_S))
    row = run.rebalances.iloc[1]
    assert (row.trigger, row.price, row.side) == ("band", 85.0, "sell")
    assert row.units == pytest.approx(60_000 / 90, rel=1e-14)
    assert run.rebalance_columns["time"].astype("int64")[1] == T0 + 3 * MINUTE_S
    assert row.leverage_after == pytest.approx((3_000 - 60_000 / 90) * 85 / 55_000)
    assert (run.state.reference, run.state.last_rebalance) == (85.0, T0 + 3 * MINUTE_S)
    assert run.summary["rebalances"]["count"] == 1


@pytest.mark.parametrize(("delay_s", "minute"), [(1, 3), (60, 3), (61, 4), (150, 5)])
def test_it_is_filled_at_the_first_observation_from_its_time_on(delay_s: int, minute: int) -> None:
    """The launch and the decision are at the ends of the first two minutes."""
    run = simulate(delayed(delay_s), closes(100, *[90] * 5, step_s=MINUTE_S))
    assert run.rebalance_columns["time"].astype("int64")[1] == T0 + minute * MINUTE_S


def test_the_launch_has_no_delay() -> None:
    """A token is there from its first price on."""
    run = simulate(delayed(10 * DAY_S), closes(100, 101))
    assert run.nav.leverage.iloc[0] == pytest.approx(3.0)


def test_an_order_in_flight_dies_with_the_token() -> None:
    """At 60 nothing is left: what was decided at 90 is not traded any more."""
    run = simulate(delayed(), closes(100, 90, 60, 90, step_s=MINUTE_S))
    assert run.summary["wiped_out"]["reason"] == "nav"
    assert len(run.rebalances) == 1
    assert run.state.intent is None


def test_while_an_order_is_in_flight_nothing_else_is_decided() -> None:
    """An emergency at 80 waits for the fill of the band's order, and is tested after it."""
    series = delayed(2 * HOUR_S, emergency_leverage=4.5)
    run = simulate(series, closes(100, 90, 80, 80, 80, 80, 80, step_s=HOUR_S))
    rows = run.rebalances.iloc[1:]
    assert rows.trigger.tolist() == ["band", "emergency"]
    assert run.rebalance_columns["time"].astype("int64")[1:].tolist() == [
        T0 + 4 * HOUR_S,
        T0 + 7 * HOUR_S,
    ]
    assert rows.leverage_after.iloc[1] == pytest.approx(3.0)


def test_inside_bars_an_order_waits_for_an_open() -> None:
    """Decided at the crossing, filled at the next bar's open; in between only the venue acts."""
    history = bars((100,) * 4, (100, 100, 80, 85), (84, 84, 84, 84), step_s=MINUTE_S)
    run = simulate(delayed(emergency_leverage=4.5), history)
    rows = run.rebalances.iloc[1:]
    assert rows.trigger.tolist() == ["band"]
    assert rows.price.tolist() == [84.0]
    crossing = 100 * (1 - 1 / 15)
    nav = 100_000 - 3_000 * (100 - crossing)
    assert rows.units.iloc[0] == pytest.approx(0.5 * nav / crossing)


def test_what_was_due_at_the_decision_is_used_up_by_the_fill() -> None:
    """An interval of two hours with a delay of three: one order at a time, none is made up for."""
    series = token(interval=Interval(2 * HOUR_S), execution=Execution(delay_s=3 * HOUR_S))
    run = simulate(series, closes(100, *range(101, 110), step_s=HOUR_S))
    # launched at 1 h; due at 2, decided there, filled at 5; due at 4, decided at 6, filled at 9
    times = run.rebalance_columns["time"].astype("int64")[1:] - T0
    assert (times // HOUR_S).tolist() == [5, 9]
    assert run.rebalances.units.iloc[1] == pytest.approx((3 * 103_000 - 303_000) / 101)


def test_a_lowering_order_never_turns_the_position_round() -> None:
    """A fund that was deleveraged to less than what is on its way out sells what it holds."""
    number, series = FLOAT, delayed()
    state = new_state(series, number)
    replay = Replay([member_of(series, number, Schedule(number), state)])
    for minute, price in enumerate((100.0, 90.0)):
        replay.observe(T0 + minute * MINUTE_S, price)
    assert state.intent is not None
    assert state.intent.units == pytest.approx(-2_000 / 3)
    state.cash, state.units = state.cash + 2_767 * 90.0, 233.0
    replay.observe(T0 + 2 * MINUTE_S, 90.0)
    assert state.units == 0
    row = replay.members[0].record.trades[-1]
    assert row.trigger == "band"
    assert row.units == pytest.approx(233)


def test_a_redemption_during_an_order_waits_for_the_next_one() -> None:
    """Asked for at the fill of the band's order, it goes out a minute later, at its price."""
    flows = {"time": [T0 + 3 * MINUTE_S], "tokens": [-100.0]}
    history = closes(100, 90, 90, 91, 92, 93, step_s=MINUTE_S)
    run = simulate(delayed(), Feed(history, flows=flows))
    assert run.rebalances.trigger.tolist() == ["launch", "band", "flow"]
    stamps = run.rebalance_columns["time"].astype("int64") - T0
    # decided once the band's order is filled, and filled a minute after that
    assert (stamps // MINUTE_S).tolist() == [1, 3, 5]
    assert run.flows.nav.iloc[0] == pytest.approx(run.nav.nav.iloc[4])
    assert run.nav.tokens.tolist() == [1_000, 1_000, 1_000, 1_000, 900, 900]


def test_a_wind_down_gives_back_what_waits_for_an_order() -> None:
    """A redemption that is on its way when the token is closed is not carried out apart."""
    flows = {"time": [T0 + 2 * MINUTE_S], "tokens": [-100.0]}
    series = token(execution=Execution(delay_s=MINUTE_S * 5))
    history = closes(100, 100, 100, 100, step_s=MINUTE_S)
    run = simulate(series, Feed(history, flows=flows, wind_down=T0 + 3 * MINUTE_S))
    assert run.state.ended.reason == "wind_down"
    assert run.nav.tokens.iloc[-1] == 1_000
    assert run.state.pending == ()


def test_an_order_whose_costs_take_all_of_nav_is_dropped_and_counted() -> None:
    """At 67.15 the nav that is left is less than the gas: nothing moves, and the token lives on."""
    series = delayed(costs=Costs(gas_per_rebalance=1_500.0))
    run = simulate(series, closes(100, 90, 67.15, step_s=MINUTE_S))
    assert len(run.rebalances) == 1
    assert run.summary["rebalances"]["blocked"] == 1
    assert run.state.intent is None
    assert run.summary["wiped_out"] is None


def test_clips_with_a_delay_follow_one_another() -> None:
    """Each clip is decided after the fill of the one before, and they count as one."""
    series = delayed(HOUR_S, max_trade_notional=25_000.0)
    run = simulate(series, closes(100, *[90] * 8, step_s=HOUR_S))
    times = run.rebalance_columns["time"].astype("int64")[1:] - T0
    assert (times // HOUR_S).tolist() == [3, 5, 7]
    assert run.rebalances.notional.tolist()[1:] == pytest.approx([25_000, 25_000, 10_000])
    assert run.summary["rebalances"]["count"] == 1
