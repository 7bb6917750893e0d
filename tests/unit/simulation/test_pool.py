"""A reserve as the counterparty: what tokens win it pays, what they lose it gets (SPEC 3)."""

from __future__ import annotations

import pytest
from hypothesis import event, given, settings

from steelyard.errors import InputError
from steelyard.market import Feed, Prices
from steelyard.rules.series import Band, Costs, Daily, Execution, Move, Series, Venue
from steelyard.simulation.run import simulate
from support.pools import HOUR_S, balanced, pool_token, pool_tokens, wild_bars
from support.strategies import MODES
from support.tokens import DAY_S, T0, bars, closes


@settings(max_examples=150)
@given(pool_tokens(), wild_bars(), MODES)
def test_token_and_reserve_are_worth_the_same_whatever_happens(
    series: Series, history: Prices, mode: str
) -> None:
    """Settlements, trades, the end: to the last digit, but for the costs that go to others.

    In crashes, wipe-outs and with a reserve that is used up; and after every path price and
    every trade the exposure is what the reserve can carry.
    """
    state = balanced(series, history, mode).members[0].state
    event(f"ended: {state.ended.reason if state.ended else None}")
    event(f"exhausted: {state.reserve.units == 0}")
    event(f"deleveraged: {10 in state.totals.by_trigger}")


def test_the_reserve_pays_what_the_token_wins_and_gets_what_it_loses() -> None:
    """3,000 units from 100 to 110 and back to 99: 30,000 out, 33,000 in, each at its price."""
    run = simulate(pool_token(), closes(100, 110, 99))
    assert run.nav.nav.tolist() == pytest.approx([100, 130, 97])
    after_win = 10_000 - 30_000 / 110
    assert run.nav.reserve.tolist() == pytest.approx(
        [10_000, after_win, after_win + 33_000 / 99], rel=1e-15
    )
    assert run.summary["reserve"]["settled"] == pytest.approx(3_000)
    short = simulate(pool_token(-3.0), closes(100, 110))
    assert short.nav.nav.tolist() == pytest.approx([100, 70])
    assert short.nav.reserve.iloc[-1] == pytest.approx(10_000 + 30_000 / 110)


@pytest.mark.parametrize(("fee_bps", "bought"), [(0.0, 160_000), (100.0, 160_000 / 0.992)])
def test_a_launch_is_cut_to_the_room(fee_bps: float, bought: float) -> None:
    """2,000 units at 100 carry 160,000 at 0.8, and 0.8 of what the trade itself pays in.

    It is no clip: nothing follows, and a daily reset finds no room and is blocked.
    """
    venue = Venue(kind="pool", fee_bps=fee_bps)
    run = simulate(pool_token(units=2_000, venue=venue, daily=Daily(0)), closes(100, 100))
    assert run.rebalances.notional.tolist() == pytest.approx([bought], rel=1e-14)
    assert run.state.clips is None
    assert run.summary["rebalances"]["blocked"] == 1
    assert run.summary["reserve"]["received"] == pytest.approx(bought * fee_bps / 10_000)
    assert run.summary["reserve"]["utilisation"] == pytest.approx(0.8, rel=1e-14)


def test_a_launch_without_room_is_refused() -> None:
    """An empty reserve carries nothing; a token without one has no counterparty at all."""
    with pytest.raises(InputError, match="expected a reserve that can carry a first position"):
        simulate(pool_token(units=0.0), closes(100, 100))
    with pytest.raises(InputError, match="expected a reserve, the counterparty"):
        simulate(Series("T", "BTC", "USD", 3.0, venue=Venue(kind="pool")), closes(100, 100))
    with pytest.raises(InputError, match="perpetual"):
        simulate(pool_token(), Feed(closes(100, 100), funding={"time": [T0], "rate": [0.0]}))


@pytest.mark.parametrize(
    ("target", "price", "excess"),
    # 4,000 units: at 110 the reserve has 410,000 and carries 328,000 of 330,000; at 90 it has
    # 330,000 and carries 264,000 of a short's 270,000
    [(3.0, 110, 2_000), (-3.0, 90, 6_000)],
)
def test_a_breach_is_cut_back_to_the_capacity(target: float, price: float, excess: float) -> None:
    """What is closed is the excess; it counts, and moves the reference and the clock."""
    run = simulate(pool_token(target, 4_000, move=Move(0.5)), closes(100, price))
    row = run.rebalances.iloc[-1]
    assert row.trigger == "capacity"
    assert row.side == ("sell" if target > 0 else "buy")
    assert row.notional == pytest.approx(excess, rel=1e-12)
    assert run.summary["rebalances"]["by_trigger"]["capacity"] == 1
    assert run.state.reference == price
    assert run.state.last_rebalance == T0 + 2 * DAY_S


def test_a_reserve_that_bears_the_fee_pays_it_to_itself() -> None:
    """The breach is cut back by as much as without any fee."""
    venue = Venue(kind="pool", fee_bps=100.0)
    run = simulate(pool_token(units=4_000, venue=venue, bears=("fee",)), closes(100, 110))
    assert run.rebalances.notional.tolist() == pytest.approx([300_000, 2_000], rel=1e-12)
    assert run.summary["reserve"]["paid"] == pytest.approx(run.summary["reserve"]["received"])


def test_a_fee_that_is_paid_in_lowers_what_has_to_be_closed() -> None:
    """What is too much at 120 over 1 + 0.8 * 0.01: a share of what is closed comes in again."""
    venue = Venue(kind="pool", fee_bps=100.0)
    run = simulate(pool_token(units=4_000, venue=venue), closes(100, 120))
    launch, row = (run.rebalances.iloc[place] for place in (0, -1))
    units = launch.notional / 100
    value = (4_000 + launch.fee / 100) * 120 - units * 20
    assert row.notional == pytest.approx((units * 120 - 0.8 * value) / 1.008, rel=1e-9)
    assert row.fee == pytest.approx(row.notional * 0.01)


def test_a_breach_inside_a_bar_is_cut_back_at_the_price_that_was_visited() -> None:
    """At a high of 112 the reserve has 412,000 and carries 329,600 of 336,000."""
    run = simulate(pool_token(units=4_000), bars((100,) * 4, (100, 112, 100, 100)))
    row = run.rebalances.iloc[-1]
    assert (row.trigger, row.price) == ("capacity", 112.0)
    assert row.notional == pytest.approx(6_400)


def test_nothing_stands_above_the_capacity() -> None:
    """A breach is cut back in an outage, under a delay, below the smallest trade, off the lot."""
    series = pool_token(
        units=4_000,
        execution=Execution(lot_units=500.0, min_notional=100_000.0, delay_s=10 * DAY_S),
    )
    outages = {"from": [T0], "to": [T0 + 9 * DAY_S]}
    run = simulate(series, Feed(closes(100, 110), outages=outages))
    assert run.rebalances.notional.tolist() == pytest.approx([300_000, 2_000])


def test_a_gain_beyond_the_reserve_is_paid_with_all_it_has() -> None:
    """A short of 1,000 units wins 60,000 of a reserve worth 40,000, and is closed at 140."""
    series = pool_token(-1.0, 1_000, venue=Venue(kind="pool", max_utilisation=1.0))
    run = simulate(series, closes(100, 40, 30))
    assert run.nav.nav.tolist() == pytest.approx([100, 140, 140])
    assert run.nav.reserve.tolist() == [1_000, 0, 0]
    assert run.rebalances.trigger.tolist() == ["launch", "capacity"]
    assert run.state.units == 0
    assert run.summary["wiped_out"] is None
    assert run.summary["reserve"]["settled"] == pytest.approx(-40_000)


def test_a_loss_beyond_the_token_is_no_more_than_the_token() -> None:
    """3,000 units fall by 40: the reserve gets the 100,000 that there are, and the token ends."""
    run = simulate(pool_token(), closes(100, 60, 200))
    assert run.summary["wiped_out"]["reason"] == "nav"
    assert run.summary["nav"]["final"] == 0
    assert run.summary["reserve"]["settled"] == pytest.approx(100_000)
    assert run.nav.reserve.tolist()[1:] == pytest.approx([10_000 + 100_000 / 60] * 2)


def test_trades_pay_their_fee_into_the_reserve_and_other_costs_to_others() -> None:
    """Of 300,000 at a fee of 10 bp, beside a spread of 5: the one is income, the other is gone."""
    venue = Venue(kind="pool", fee_bps=10.0)
    costs = Costs(half_spread_bps=5.0)
    run = simulate(pool_token(venue=venue, costs=costs, band=Band(2.0, 4.0)), closes(100, 100))
    notional = run.rebalances.notional.iloc[0]
    assert notional == pytest.approx(300_000 / (1 + 3 * 0.0015))
    assert run.summary["reserve"]["received"] == pytest.approx(notional * 0.001)
    assert run.summary["costs"]["fee"] == pytest.approx(notional * 0.001)
    assert run.summary["costs"]["spread"] == pytest.approx(notional * 0.0005)


def test_an_order_in_flight_keeps_to_the_capacity() -> None:
    """Decided with room for 33,000 and filled without as much: the room there is is bought."""
    series = pool_token(
        units=3_800,
        band=Band(2.5, 3.5),
        execution=Execution(delay_s=HOUR_S),
        venue=Venue(kind="pool", max_utilisation=1.0),
    )
    run = simulate(series, closes(100, 115, 126, step_s=HOUR_S))
    row = run.rebalances.iloc[-1]
    value = (3_800 * 115 - 45_000) / 115 * 126 - 33_000
    assert row.trigger == "band"
    assert row.notional == pytest.approx(value - 3_000 * 126)
    assert row.notional < (3 * 145_000 - 345_000) / 115 * 126


@settings(max_examples=25)
@given(pool_tokens(), wild_bars(), MODES)
def test_a_run_against_a_pool_can_be_split_anywhere(
    series: Series, history: Prices, mode: str
) -> None:
    """What is settled, and up to which price, is in the state."""
    try:
        whole = simulate(series, history, intrabar=mode)
    except InputError:
        return
    for at in range(1, len(history)):
        first = simulate(series, history.slice(0, at), intrabar=mode)
        second = simulate(series, history.slice(at, len(history)), intrabar=mode, state=first.state)
        assert second.state == whole.state
