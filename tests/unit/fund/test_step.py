"""What a step decides and settles, told by its effects, event by event."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from steelyard.errors import InputError
from steelyard.fund.effects import (
    Blocked,
    Booked,
    Closed,
    Decided,
    Effect,
    Settled,
    Unfilled,
    Withdrawn,
)
from steelyard.fund.events import (
    NOTHING_DUE,
    Charges,
    Crossed,
    Filled,
    Inputs,
    Liquidated,
    MoneyMoved,
    Observed,
    Paused,
    Traded,
)
from steelyard.fund.group import Fund, Group
from steelyard.fund.state import new_state
from steelyard.fund.step import step
from steelyard.fund.terms import fund_terms
from steelyard.rules.numbers import FLOAT
from steelyard.rules.series import Band, Costs, Daily, Execution, Reserve, Series, Venue
from steelyard.rules.triggers import Trigger
from steelyard.simulation.fills import ModelFills
from support.fund_life import group_of
from support.tokens import DAY_S, T0, token

HOUR_S = 3_600
FREE = Charges(0.0, 0.0, 0.0, 0.0)


def see(group: Group, hour: int, price: float, **due: Any) -> list[Effect]:
    """A scheduled observation, at which the same falls due for all."""
    inputs = (Inputs(**due) if due else NOTHING_DUE,) * len(group.funds)
    return step(group, Observed(T0 + hour * HOUR_S, price, False, (), inputs))


def fill(group: Group, hour: int, price: float, part: float = 1.0, **how: Any) -> list[Effect]:
    """The venue fills a part of what is open."""
    state = group.funds[how.get("place", 0)].state
    units = state.intent.units * part
    notional = units * state.mark * price
    return step(group, Filled(T0 + hour * HOUR_S, price, units, notional, FREE, **how))


def launched(*series: Series, price: float = 100.0) -> Group:
    """Live funds whose first position is filled."""
    group = group_of(list(series or [token(band=Band(2.5, 3.5))]), FLOAT)
    see(group, 0, price)
    for place in range(len(group.funds)):
        fill(group, 0, price, place=place)
    return group


def kinds(effects: list[Effect]) -> list[type]:
    """The kinds of effects, in order."""
    return [type(effect) for effect in effects]


def test_while_an_order_is_open_nothing_is_decided() -> None:
    """Not at a scheduled observation, not at a crossing, however far the price goes."""
    group = launched()
    assert Decided in kinds(see(group, 1, 90.0))
    assert Decided not in kinds(see(group, 2, 85.0))
    crossing = Crossed(T0 + 2 * HOUR_S, 84.0, 0, Trigger.BAND)
    assert step(group, crossing) == []
    fill(group, 3, 84.0)
    assert Decided in kinds(see(group, 4, 78.0))


def test_a_pause_stops_triggers_until_it_ends() -> None:
    """Creations go on, at a crossing nothing acts, and what holds then acts at once."""
    group = launched()
    step(group, Paused(T0, True))
    assert step(group, Paused(T0, True)) == []
    assert Decided not in kinds(see(group, 1, 90.0))
    assert step(group, Crossed(T0 + HOUR_S, 90.0, 0, Trigger.BAND)) == []
    decided = see(group, 2, 90.0, flows=(10.0,))
    assert decided[-1].intent.trigger == Trigger.FLOW
    fill(group, 2, 90.0)
    step(group, Paused(T0, False))
    assert see(group, 3, 90.0)[-1].intent.trigger == Trigger.BAND


def test_a_liquidation_closes_the_fund_and_gives_back_what_was_asked_for() -> None:
    """With the cash that the venue left; a fill that comes after it moves the books all the same.

    The order's creation is given back then: nobody comes into a fund that has ended.
    """
    group = launched()
    state = group.funds[0].state
    see(group, 1, 90.0, flows=(10.0,))
    see(group, 2, 90.0, flows=(5.0,))
    effects = step(group, Liquidated(T0 + 2 * HOUR_S, 70.0, 1_234.0))
    assert kinds(effects) == [Withdrawn, Closed]
    assert (state.cash, state.units, state.ended.reason) == (1_234.0, 0.0, "liquidated")
    asked = state.intent.units
    effects = fill(group, 3, 70.0)
    assert kinds(effects) == [Settled, Withdrawn]
    assert state.units == asked
    assert state.cash == 1_234.0 - asked * 70.0
    assert (state.tokens, state.pending, state.intent) == (1_000.0, (), None)
    assert Decided not in kinds(see(group, 4, 70.0))


def test_what_the_venue_trades_by_itself_moves_the_books_and_leaves_the_order() -> None:
    """A part is deleveraged while an order is open: the order stays, and is filled after it."""
    group = launched()
    state = group.funds[0].state
    see(group, 1, 90.0)
    intent, units, cash = state.intent, state.units, state.cash
    assert kinds(step(group, Traded(T0 + HOUR_S, 90.0, -100.0, -9_000.0, FREE))) == [Settled]
    assert (state.units, state.cash, state.intent) == (units - 100.0, cash + 9_000.0, intent)
    assert state.totals.turnover == 0
    fill(group, 1, 90.0)
    assert state.intent is None


def test_money_that_the_venue_moves_is_booked_as_it_was_paid() -> None:
    """Funding and interest count among the fund's costs; what is booked is the venue's figure."""
    group = launched()
    state = group.funds[0].state
    cash = state.cash
    for what, amount in (("funding", -3.0), ("interest", 1.0), ("other", 0.5)):
        effects = step(group, MoneyMoved(T0 + HOUR_S, 90.0, what, amount))
        assert kinds(effects) == [Booked]
    assert state.cash == cash - 1.5
    assert (state.totals.funding, state.totals.interest) == (3.0, -1.0)


def test_a_partial_final_fill_goes_on_as_clips_and_counts_once() -> None:
    """A third is filled; the next observation decides the rest, in the same rebalance."""
    group = launched()
    state = group.funds[0].state
    see(group, 1, 90.0)
    fill(group, 1, 90.0, 1 / 3)
    assert state.clips.destination == 3.0
    rest = see(group, 2, 90.0)[-1].intent
    assert not rest.counts
    fill(group, 2, 90.0)
    assert group.funds[0].leverage(90.0) == pytest.approx(3.0)
    assert state.totals.by_trigger == {Trigger.BAND: 1}
    assert state.totals.clips == 2
    assert state.clips is None
    assert Decided not in kinds(see(group, 3, 90.0))


def test_pieces_add_up_and_the_last_ends_the_order() -> None:
    """Two pieces and a last word of nothing: what is left goes on as clips."""
    group = launched()
    state = group.funds[0].state
    asked = see(group, 1, 90.0)[-1].intent.units
    fill(group, 1, 90.0, 0.5, final=False)
    assert state.intent.units == asked * 0.5
    assert state.intent.is_rest
    fill(group, 1, 90.0, 0.5, final=False)
    effects = fill(group, 1, 90.0, 0.0, why="cancelled")
    assert kinds(effects) == [Unfilled]
    assert state.intent is None
    assert state.clips.trigger == Trigger.BAND


@pytest.mark.parametrize("pieces", [1, 3])
def test_a_whole_fill_ends_an_order_in_any_number_of_pieces(pieces: int) -> None:
    """Also where the venue does not say that the last piece was the last."""
    group = launched()
    see(group, 1, 90.0)
    for left in range(pieces, 0, -1):
        fill(group, 1, 90.0, 1 / left, final=False)
    assert group.funds[0].state.intent is None
    assert group.funds[0].leverage(90.0) == pytest.approx(3.0)


def test_what_made_it_due_stays_due_until_something_is_filled() -> None:
    """A rejected reset is decided again at the next observation; a filled one is not."""
    group = launched(token(daily=Daily(0)))
    state = group.funds[0].state
    assert see(group, 25, 110.0)[-1].intent.trigger == Trigger.DAILY
    fill(group, 25, 110.0, 0.0, why="rejected")
    assert state.next_daily == T0 + DAY_S
    assert see(group, 26, 110.0)[-1].intent.trigger == Trigger.DAILY
    fill(group, 26, 110.0, 0.25, goes_on=False)
    assert state.next_daily == T0 + 2 * DAY_S
    assert Decided not in kinds(see(group, 27, 110.0))


def test_a_better_fill_is_a_gain_of_whoever_pays_the_cost() -> None:
    """The spread of 50 is negative, and the reserve bears it: it gets 50, the fund nothing."""
    pool = Reserve(initial_units=200.0, bears=("spread",))
    group = launched(token(band=Band(2.5, 3.5), reserve=pool))
    state = group.funds[0].state
    intent = see(group, 1, 90.0)[-1].intent
    cash, held = state.cash, state.reserve.units
    charges = Charges(7.0, -50.0, 0.0, 0.0)
    step(group, Filled(T0, 90.0, intent.units, intent.units * 90.0, charges))
    assert state.cash == pytest.approx(cash - intent.units * 90.0 - 7.0)
    assert state.reserve.units == pytest.approx(held + 50 / 90)


def test_more_than_was_asked_for_is_settled_and_creates_no_more_tokens() -> None:
    """The venue fills twice the order: ten tokens were asked for, and ten are created."""
    group = launched()
    state = group.funds[0].state
    asked = see(group, 1, 100.0, flows=(10.0,))[-1].intent.units
    held = state.units
    fill(group, 1, 100.0, 2.0)
    assert state.tokens == 1_010.0
    assert state.units == pytest.approx(held + 2 * asked)
    assert group.funds[0].nav(100.0) == pytest.approx(101_000.0)


def test_an_order_that_comes_to_nothing_may_still_cost_something() -> None:
    """Gas of 3 is paid for a transaction that fails; the order is at its end."""
    group = launched()
    state = group.funds[0].state
    see(group, 1, 90.0)
    cash = state.cash
    charges = Charges(0.0, 0.0, 0.0, 3.0)
    effects = step(group, Filled(T0, 90.0, 0.0, 0.0, charges, why="reverted"))
    assert kinds(effects) == [Settled, Unfilled]
    assert state.cash == cash - 3.0
    assert (state.totals.clips, state.totals.turnover, state.intent) == (0, 0.0, None)


def test_a_wind_down_that_is_filled_short_goes_on_until_all_is_closed() -> None:
    """The rest is ordered at the next observation, and the fund ends with its last unit."""
    group = launched()
    state = group.funds[0].state
    see(group, 1, 100.0, ends=True)
    fill(group, 1, 100.0, 0.9)
    assert state.ended is None
    see(group, 2, 100.0, ends=True)
    fill(group, 2, 100.0)
    assert state.ended.reason == "wind_down"
    assert state.cash == pytest.approx(100_000.0)


def test_requests_wait_in_order_and_a_redemption_counts_those_before_it() -> None:
    """With 900 of 1,000 tokens on their way out, another 200 cannot be redeemed."""
    group = launched()
    see(group, 1, 100.0, flows=(-900.0,))
    with pytest.raises(InputError, match="expected fewer redemptions than the 100 tokens"):
        see(group, 2, 100.0, flows=(-200.0,))


def test_a_split_makes_more_tokens_of_a_request_too() -> None:
    """Ten tokens that are asked for are twenty after two for one, and bring as much."""
    group = launched()
    state = group.funds[0].state
    see(group, 1, 100.0, flows=(10.0,))
    see(group, 2, 100.0, splits=(2.0,))
    fill(group, 2, 100.0)
    assert state.tokens == 2_020.0
    assert group.funds[0].nav(100.0) == pytest.approx(101_000.0)


def test_creations_that_cancel_need_no_venue() -> None:
    """Ten come, ten go: the order is of nothing, and is settled by itself."""
    group = launched(token())
    effects = see(group, 1, 100.0, flows=(10.0, -10.0))
    assert kinds(effects)[-1] == Settled
    assert group.funds[0].state.intent is None


def test_a_fund_without_nav_decides_nothing() -> None:
    """At a nav of zero there is no leverage: it waits for its venue, or for a better price."""
    group = launched(token(2.0, band=Band(1.5, 2.5), emergency_leverage=4.0))
    assert Decided not in kinds(see(group, 1, 50.0, flows=(10.0,)))
    assert Decided not in kinds(see(group, 2, 40.0))
    assert len(group.funds[0].state.pending) == 1


def test_another_fund_counts_the_reserve_less_what_an_open_order_takes() -> None:
    """Two funds, gas of 60 each, a reserve of 90 quote: the second is planned to get 30."""
    pool = Reserve(initial_units=1.0, bears=("gas",), floor_ratio=0.0, resume_ratio=0.0)
    costs = Costs(gas_per_rebalance=60.0)
    one, two = (
        replace(token(band=Band(2.5, 3.5), costs=costs, reserve=pool), symbol=symbol)
        for symbol in ("ONE", "TWO")
    )
    group = launched(one, two)
    first, second = (effect.intent for effect in see(group, 1, 90.0) if type(effect) is Decided)
    assert first.cost.paid_by_reserve == pytest.approx(60.0)
    assert second.cost.paid_by_reserve == pytest.approx(30.0)
    fill(group, 1, 90.0, 0.0, why="rejected")
    again = see(group, 2, 90.0)[-1].intent
    assert again.cost.paid_by_reserve == pytest.approx(60.0)


def test_a_roll_is_told_whole() -> None:
    """A fund holds one future at a time: a part of a roll is refused, with both figures."""
    series = token(venue=Venue(kind="future", roll_days=3.0, basis_per_year=0.05))
    group = launched(series)
    hours = 24 * 88
    assert see(group, hours, 100.0)[-1].intent.trigger == Trigger.ROLL
    with pytest.raises(InputError, match=r"expected a roll of all .* found a roll of"):
        fill(group, hours, 100.0, 0.5)
    fill(group, hours, 100.0, 0.0, why="rejected")
    assert see(group, hours + 1, 100.0)[-1].intent.trigger == Trigger.ROLL
    fill(group, hours + 1, 100.0)
    assert Decided not in kinds(see(group, hours + 2, 100.0))


class Refusing(ModelFills):
    """A simulated venue that refuses every order after the launch."""

    as_planned = False

    def fill(self, group: Group, fund: Fund, time: int, price: float) -> Filled:
        """Nothing, and why."""
        if fund.state.intent.trigger == Trigger.LAUNCH:
            return super().fill(group, fund, time, price)
        return Filled(time, price, 0.0, 0.0, FREE, why="capacity")


@pytest.mark.parametrize("delay_s", [0, HOUR_S])
def test_a_fill_model_may_refuse(delay_s: int) -> None:
    """Nothing moves, it counts as blocked, and what made it due asks again."""
    series = token(band=Band(2.5, 3.5), execution=Execution(delay_s=delay_s))
    state = new_state(series, FLOAT)
    group = Group([Fund(fund_terms(series, FLOAT), state)], Refusing())
    see(group, 0, 100.0)
    cash = state.cash
    effects = [*see(group, 1, 90.0), *see(group, 2, 90.0), *see(group, 3, 90.0)]
    assert kinds(effects).count(Decided) >= 2
    assert Blocked not in kinds(effects)
    assert state.cash == cash
    assert state.totals.blocked == kinds(effects).count(Unfilled)
