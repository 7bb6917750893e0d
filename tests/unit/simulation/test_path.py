"""Inside a bar: the order of prices, the exact crossing, the jump to the next open."""

from __future__ import annotations

import math

import pytest

from steelyard.errors import InputError
from steelyard.rules.leverage import move_to_leverage
from steelyard.rules.series import Band, Costs, Daily, Fallback, Move, Reserve, Venue
from steelyard.simulation import inside_bars
from steelyard.simulation.run import simulate
from support.tokens import DAY_S, T0, bars, token


def trades(run: object) -> list[tuple[str, float]]:
    """Trigger and price of each trade after the launch."""
    frame = run.rebalances.iloc[1:]
    return list(zip(frame.trigger, frame.price, strict=True))


def test_a_long_visits_its_low_first_and_a_short_its_high() -> None:
    """The extreme that hurts comes first: the first trade of the bar is the losing one."""
    wide = bars((100, 100, 100, 100), (100, 120, 80, 100))
    long = simulate(token(band=Band(2.5, 3.5)), wide)
    assert long.rebalances.iloc[1].side == "sell"
    assert long.rebalances.iloc[1].price == pytest.approx(100 * (1 + move_to_leverage(3, 3.5)))
    short = simulate(token(-1.0, band=Band(0.8, 1.25)), wide)
    assert short.rebalances.iloc[1].side == "buy"
    assert short.rebalances.iloc[1].price == pytest.approx(100 * (1 + move_to_leverage(-1, -1.25)))


def test_a_band_is_crossed_as_often_as_the_price_goes_through_it() -> None:
    """Each rebalance starts the next way to the edge, at its own exact price."""
    step = 1 + move_to_leverage(3.0, 2.5)
    run = simulate(token(band=Band(2.5, 3.5)), bars((100,) * 4, (100, 130, 100, 130)))
    expected = [100 * step, 100 * step**2]
    assert [price for _, price in trades(run)] == pytest.approx(expected, rel=1e-14)


def test_the_edge_rule_trades_past_the_edge_back_to_it() -> None:
    """It fires edge_slack past the edge and lands on the edge."""
    series = token(band=Band(2.8, 3.2), move_to="edge", edge_slack=0.05)
    run = simulate(series, bars((100,) * 4, (100, 120, 100, 120)))
    frame = run.rebalances.iloc[1:]
    assert len(frame) > 1
    assert frame.leverage_before.tolist() == pytest.approx([2.75] * len(frame), rel=1e-13)
    assert frame.leverage_after.tolist() == pytest.approx([2.8] * len(frame), rel=1e-13)


def test_between_a_close_and_the_next_open_the_price_jumps() -> None:
    """Past its threshold at the open, a band acts at the open and not on the way."""
    run = simulate(token(band=Band(2.5, 3.5)), bars((100,) * 4, (90, 90, 90, 90)))
    assert trades(run) == [("band", 90.0)]


def test_the_earlier_crossing_comes_first() -> None:
    """A move of 8 % lies before the band's edge on the way up, and takes the trade."""
    run = simulate(
        token(band=Band(2.5, 3.5), move=Move(0.08)), bars((100,) * 4, (100, 112, 100, 112))
    )
    assert trades(run) == [("move", pytest.approx(108.0))]


def test_an_emergency_beyond_the_band_catches_a_jump() -> None:
    """At an open past both, the emergency names the rebalance and goes to the target."""
    series = token(
        band=Band(2.8, 3.2), move_to="edge", emergency_leverage=4.0, max_trade_notional=1_000.0
    )
    run = simulate(series, bars((100,) * 4, (85, 85, 85, 85)))
    assert run.rebalances.iloc[1].trigger == "emergency"
    assert run.rebalances.iloc[1].leverage_after == pytest.approx(3.0)


def test_clock_triggers_act_at_opens_only() -> None:
    """A daily reset waits for the next open; nothing accrues after the last one."""
    run = simulate(
        token(daily=Daily(120), fallback=Fallback(3 * DAY_S)),
        bars((100, 105, 95, 101), (101, 103, 99, 102), (102, 104, 100, 103)),
    )
    frame = run.rebalances.iloc[1:]
    assert frame["time"].dt.strftime("%Y-%m-%d").tolist() == ["2020-01-02", "2020-01-03"]
    assert frame.price.tolist() == [101.0, 102.0]


def test_ending_on_a_threshold_has_not_crossed_it_but_a_move_has() -> None:
    """A low that ends on the band's edge leaves it alone; on a move's threshold it acts."""
    edge = 100 * (1 + move_to_leverage(3.0, 3.5))
    down = bars((100,) * 4, (100, 100, edge, 100))
    assert trades(simulate(token(band=Band(2.5, 3.5)), down)) == []
    moved = bars((100,) * 4, (100, 105, 100, 105))
    assert trades(simulate(token(move=Move(0.05)), moved)) == [("move", 105.0)]


def test_a_leverage_on_its_edge_crosses_as_soon_as_the_price_moves_out() -> None:
    """A bar that ends on the edge, and one that starts there and goes on: it fires at the edge."""
    edge = 100 * (1 + move_to_leverage(3.0, 3.5))
    run = simulate(
        token(band=Band(2.5, 3.5)), bars((100,) * 4, (100, 100, edge, edge), (edge, edge, 92, 92))
    )
    assert trades(run) == [("band", pytest.approx(edge, rel=1e-14))]


def test_liquidation_inside_a_bar_is_at_its_own_price() -> None:
    """A perpetual is closed where nav meets its margin; the fee comes off what is left."""
    venue = Venue(maintenance_margin=0.05, liquidation_fee=0.01)
    run = simulate(token(venue=venue), bars((100,) * 4, (100, 100, 60, 90)))
    price = 200 / (3 * 0.95)
    assert run.summary["wiped_out"]["reason"] == "liquidated"
    assert run.summary["wiped_out"]["price"] == pytest.approx(price, rel=1e-14)
    assert run.summary["nav"]["final"] == pytest.approx((0.05 - 0.01) * 3 * price, rel=1e-13)


def test_a_nav_that_is_gone_leaves_nothing_at_all() -> None:
    """At 7.7 the rounding of floats would leave 3e-14 a token, and a reserve of 1e13 times it."""
    run = simulate(token(reserve=Reserve(1.0)), bars((7.7,) * 4, (7.7, 7.7, 0.77, 7.7)))
    assert run.summary["wiped_out"]["reason"] == "nav"
    assert run.summary["nav"]["final"] == 0.0
    assert run.summary["reserve"]["level"] is None


def test_a_position_that_costs_leave_under_its_margin_ends_at_the_next_visited_price() -> None:
    """Gas of 5,000 takes leverage from 12.4 to 17.8 at the open, past a margin of 6 %."""
    venue, costs = Venue(maintenance_margin=0.06), Costs(gas_per_rebalance=5_000.0)
    series = token(venue=venue, costs=costs, daily=Daily(0), max_trade_notional=100.0)
    run = simulate(series, bars((100,) * 4, (72.5, 72.5, 72.4, 72.5)))
    assert run.rebalances.leverage_after.iloc[-1] > 1 / 0.06
    assert run.summary["wiped_out"]["price"] == 72.4


def test_a_spot_position_is_liquidated_by_its_debt() -> None:
    """Debt over collateral reaches the threshold at (L-1)/(L LT) of the launch price."""
    venue = Venue(kind="spot", liquidation_threshold=0.83)
    run = simulate(token(venue=venue), bars((100,) * 4, (100, 100, 70, 90)))
    assert run.summary["wiped_out"]["price"] == pytest.approx(100 * 2 / (3 * 0.83), rel=1e-14)


def test_a_suspended_band_is_blocked_once_a_crossing_and_keeps_its_clocks() -> None:
    """What raises leverage waits while the reserve is short; what lowers it never does."""
    pool = Reserve(initial_units=1.0, floor_ratio=0.10, resume_ratio=0.12)
    series = token(band=Band(2.5, 3.5), reserve=pool)
    up = simulate(series, bars((100,) * 4, (100, 115, 100, 115)))
    assert up.summary["rebalances"]["blocked"] == 1
    assert up.summary["rebalances"]["count"] == 0
    assert up.state.reference == 100.0
    down = simulate(series, bars((100,) * 4, (100, 100, 92, 92)))
    assert down.summary["rebalances"]["count"] == 1


def test_a_trigger_with_nothing_to_trade_does_not_judge_the_reserve() -> None:
    """A move inside a bar, inside the band of an edge rule: no suspension comes of it."""
    pool = Reserve(initial_units=200.0, floor_ratio=0.1, resume_ratio=0.2)
    band = Band(None, 3.5, delever_only=True)
    series = token(-3.0, move_to="edge", band=band, move=Move(0.25), reserve=pool)
    dip = (100, 100, 70, 100)
    run = simulate(series, bars((100,) * 4, dip, (100,) * 4, (100,) * 4))
    assert run.summary["rebalances"]["count"] == 0
    assert run.summary["reserve"]["suspended_s"] == 0


def test_two_thresholds_at_one_price_are_blocked_once() -> None:
    """An emergency just where the edge rule acts, its gas more than all nav: one rebalance."""
    costs = Costs(gas_per_rebalance=51_000.0)
    series = token(
        -3.0,
        move_to="edge",
        edge_slack=0.1,
        band=Band(2.9, 3.1),
        # the next number: a file refuses an emergency at the band, and 1e-12 makes them one price
        emergency_leverage=math.nextafter(3.2, 4.0),
        costs=costs,
    )
    run = simulate(series, bars((100,) * 4, (100, 105, 100, 100)))
    assert run.summary["rebalances"]["count"] == 0
    assert run.summary["rebalances"]["blocked"] == 1


def test_a_rule_that_never_rests_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """More rebalances between two prices than the limit is an error that names the rule."""
    monkeypatch.setattr(inside_bars, "MOST_REBALANCES", 5)
    series = token(band=Band(2.99, 3.01), costs=Costs(), move_to="edge", edge_slack=0.001)
    with pytest.raises(InputError, match='more than 5 rebalances by the rule "band"'):
        simulate(series, bars((100,) * 4, (100, 100, 80, 80)))


def test_times_inside_a_bar_are_the_bars_own() -> None:
    """Everything that happens in a bar is stamped with its opening instant."""
    run = simulate(token(band=Band(2.5, 3.5)), bars((100,) * 4, (100, 120, 80, 100)))
    assert set(run.rebalance_columns["time"][1:].astype("int64").tolist()) == {T0 + DAY_S}


@pytest.mark.parametrize("after", [50.0, 80.0])
def test_a_bar_that_visits_the_price_of_a_nav_of_zero_ends_the_token(after: float) -> None:
    """A 2x long at half its launch price has nothing left, whatever the price does next."""
    run = simulate(token(2.0), bars((100,) * 4, (100, 100, 50, after), (after, 100, after, 100)))
    assert run.summary["wiped_out"]["reason"] == "nav"
    assert run.summary["wiped_out"]["price"] == 50.0
    assert run.nav.nav.tolist()[1:] == [0.0, 0.0]
