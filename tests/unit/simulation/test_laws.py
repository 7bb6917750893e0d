"""What every run of every token must keep (docs/PROPERTIES.md, Simulation)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from steelyard.errors import InputError
from steelyard.fund.effects import Effect, Settled
from steelyard.fund.state import new_state
from steelyard.market import Feed, Prices
from steelyard.rules.costs import TradeCost
from steelyard.rules.leverage import nav_of
from steelyard.rules.numbers import DECIMAL, FLOAT, FRACTION, Number
from steelyard.rules.series import Daily, Fallback, Series
from steelyard.simulation.bar_loop import walk
from steelyard.simulation.reference import Replay, member_of
from steelyard.simulation.run import simulate
from steelyard.simulation.schedule import Schedule
from support.strategies import HOUR_S, MODES, histories, tokens
from support.tokens import DAY_S, T0, closes, token
from support.watched import Books, watched

FEW = 6
"""Trades after which exact numbers are long enough: each crossing price triples their digits."""


class Watched:
    """What a replay traded, each trade in its own kind of number, and where that left the token."""

    def __init__(self, series: Series, number: Number, **events: object) -> None:
        self.replay, member = watched(series, self.look, number, **events)
        self.state = member.state
        self.exact = number is FRACTION
        self.seen: list[tuple] = []

    def look(self, before: Books, effect: Effect, after: Books) -> None:
        """Keep a trade."""
        if not isinstance(effect, Settled):
            return
        nav_before, nav_after = before.nav(effect.price), after.nav(effect.price)
        moved = nav_before, nav_after, before.reserve, after.reserve
        self.seen.append((effect.notional, effect.price, effect.cost, *moved))

    def over(self, bars: Prices, mode: str, number: Number) -> None:
        """Live through bars, for FEW trades where numbers are exact."""
        for place in range(len(bars)):
            walk(self.replay, bars.slice(place, place + 1), mode, number)
            if self.exact and len(self.seen) >= FEW:
                return


def watch(
    series: Series, bars: Prices, mode: str, number: Number = FRACTION, **events: object
) -> Watched:
    """Run a series and keep every trade exactly."""
    kept = Watched(series, number, **events)
    kept.over(bars, mode, number)
    return kept


def gross(cost: TradeCost) -> object:
    """The sum of the kinds."""
    return cost.fee + cost.spread + cost.impact + cost.gas


@settings(max_examples=40)
@given(tokens(roots=False), histories(most=12), MODES)
def test_books_balance_exactly(series: Series, bars: Prices, mode: str) -> None:
    """Cash, units and reserve are what they were plus what moved, to the last digit."""
    funding = ([int(bars.time[1])], [0.001])
    replay = watch(series, bars, mode, funding=funding)
    state, sums = replay.state, replay.state.totals
    assume(state.ended is None)
    traded = sum(row[0] for row in replay.seen)
    paid = sum(gross(row[2]) - row[2].paid_by_reserve for row in replay.seen)
    start = Fraction(100) * 1000
    assert state.cash == start - traded - paid - sums.funding - sums.interest - sums.management
    assert state.units == sum(row[0] / row[1] for row in replay.seen)
    given_away = sum(row[5] - row[6] for row in replay.seen)
    pool = Fraction(str(series.reserve.initial_units)) if series.reserve else 0
    assert state.reserve.units + given_away >= pool


@settings(max_examples=40)
@given(tokens(roots=False), histories(most=12), MODES)
def test_nav_changes_by_the_costs_that_the_reserve_did_not_pay(
    series: Series, bars: Prices, mode: str
) -> None:
    """At each trade nav and reserve fall by exactly the parts of its cost that they paid."""
    for _, price, cost, before, after, reserve, left in watch(series, bars, mode).seen:
        assert before - after == gross(cost) - cost.paid_by_reserve
        assert (reserve - left) * price == cost.paid_by_reserve
        assert 0 <= cost.paid_by_reserve <= gross(cost)


@given(tokens(), histories(), MODES)
def test_books_balance_in_floats(series: Series, bars: Prices, mode: str) -> None:
    """The same to 1e-12 of the turnover, with any impact."""
    replay = watch(series, bars, mode, FLOAT)
    scale = 1e5 + sum(abs(row[0]) for row in replay.seen)
    for _, _, cost, before, after, *_ in replay.seen:
        assert abs(before - after - cost.paid_by_nav) <= 1e-12 * scale
        assert abs(gross(cost) - cost.paid_by_reserve - cost.paid_by_nav) <= 1e-12 * scale


@given(tokens(), histories(least=3), MODES, st.data())
def test_a_run_can_be_split_anywhere(
    series: Series, bars: Prices, mode: str, data: st.DataObject
) -> None:
    """Two runs joined by their state are one run: the same trades and bars, bit for bit."""
    at = data.draw(st.integers(1, len(bars) - 1))
    funding = {"time": bars.time[::5], "rate": np.full(len(bars.time[::5]), 1e-4)}
    # what the fast run accrues over many bars at once rounds by where they begin: test_fast.py
    how = {"intrabar": mode, "engine": "reference"}
    whole = simulate(series, Feed(bars, funding=funding), **how)
    first = simulate(series, Feed(bars.slice(0, at), funding=funding), **how)
    rest = Feed(bars.slice(at, len(bars)), funding=funding)
    second = simulate(series, rest, **how, state=first.state)
    for columns in ("nav_columns", "rebalance_columns", "cost_columns"):
        one, two, both = (getattr(run, columns) for run in (first, second, whole))
        for name, expected in both.items():
            joined = np.concatenate([one[name], two[name]])
            if columns == "cost_columns" and name != "time":
                # sums of sums may round differently
                np.testing.assert_allclose(joined, expected, rtol=1e-12, atol=1e-9)
            else:
                np.testing.assert_array_equal(joined, expected)
    assert second.state == whole.state


def test_going_on_from_a_state_leaves_it_as_it_was() -> None:
    """A state can be used twice."""
    history = closes(100, 110, 90, 105)
    first = simulate(token(daily=Daily(0)), history.slice(0, 2))
    kept = first.state.copy()
    simulate(token(daily=Daily(0)), history.slice(2, 4), state=first.state)
    assert first.state == kept


def test_a_state_does_not_live_through_the_same_bar_twice() -> None:
    """Bars that the state has seen are refused."""
    history = closes(100, 110, 90)
    first = simulate(token(daily=Daily(0)), history)
    with pytest.raises(InputError, match="expected bars after 2020-01-04T00:00:00Z"):
        simulate(token(daily=Daily(0)), history.slice(2, 3), state=first.state)


@given(st.sampled_from([-2, -1, 2, 3]), st.lists(st.integers(-200, 200), min_size=1, max_size=20))
def test_the_frictionless_daily_reset_compounds_exactly(target: int, per_mille: list[int]) -> None:
    """Nav is the product of 1 + L r over the days, to the last digit."""
    prices = [Fraction(100)]
    for change in per_mille:
        prices.append(prices[-1] * (1 + Fraction(change, 1000)))
    series = token(float(target), daily=Daily(0))
    state = new_state(series, FRACTION)
    replay = Replay([member_of(series, FRACTION, Schedule(FRACTION), state)])
    for day, price in enumerate(prices):
        replay.observe(T0 + (day + 1) * DAY_S, price)
    expected = Fraction(100)
    for before, after in pairwise(prices):
        expected *= 1 + target * (after / before - 1)
    assert nav_of(state.cash, state.units, prices[-1]) / state.tokens == expected


@given(tokens().filter(lambda series: series.target_leverage != 1.0), histories(), MODES)
def test_a_fallback_is_never_late(series: Series, bars: Prices, mode: str) -> None:
    """A rebalance follows the one before at the first bar after its time, or sooner."""
    how = replace(
        series.rebalance, move_to="target", max_trade_notional=0.0, fallback=Fallback(20 * HOUR_S)
    )
    costs = replace(series.costs, gas_per_rebalance=0.0)
    run = simulate(replace(series, rebalance=how, costs=costs, reserve=None), bars, intrabar=mode)
    at = run.rebalance_columns["time"].astype("int64")
    ended = run.state.ended
    until = run.state.time if ended is None else ended.time
    assert np.all(np.diff(np.append(at, until)) <= 21 * HOUR_S)


@settings(max_examples=30)
@given(tokens(), histories(most=10), MODES)
def test_the_three_kinds_of_number_tell_one_story(series: Series, bars: Prices, mode: str) -> None:
    """Float, Decimal and Fraction make the same trades, and navs that agree."""
    at = simulate(series, bars, intrabar=mode).rebalance_columns["time"].astype("int64")
    upto = len(bars) if len(at) <= FEW else int(np.searchsorted(bars.time, at[FEW])) - 1
    assume(upto > 0)
    short = bars.slice(0, upto)
    first = simulate(series, short, intrabar=mode)
    for number in (DECIMAL, FRACTION):
        run = simulate(series, short, intrabar=mode, number=number)
        for name in ("time", "trigger", "side"):
            np.testing.assert_array_equal(
                run.rebalance_columns[name], first.rebalance_columns[name]
            )
        np.testing.assert_allclose(
            run.nav_columns["nav"], first.nav_columns["nav"], rtol=1e-10, atol=1e-10
        )
        assert run.summary["rebalances"]["count"] == first.summary["rebalances"]["count"]
        assert run.summary["rebalances"]["blocked"] == first.summary["rebalances"]["blocked"]


@given(tokens(), histories(), MODES)
def test_twice_the_tokens_is_the_same_token(series: Series, bars: Prices, mode: str) -> None:
    """Without gas, impact, clips and reserve a fund's size changes nothing per token."""
    how = replace(series.rebalance, max_trade_notional=0.0)
    costs = replace(series.costs, impact="none", gas_per_rebalance=0.0)
    small = replace(series, rebalance=how, costs=costs, reserve=None)
    large = replace(small, initial_tokens=2 * small.initial_tokens)
    one, two = (simulate(s, bars, intrabar=mode) for s in (small, large))
    np.testing.assert_array_equal(one.nav_columns["nav"], two.nav_columns["nav"])
    assert two.summary["rebalances"]["turnover"] == 2 * one.summary["rebalances"]["turnover"]


@given(tokens(), histories(), MODES)
def test_rows_agree_with_sums(series: Series, bars: Prices, mode: str) -> None:
    """The summary's sums are those of the rows, and its counts those of the triggers."""
    run = simulate(series, bars, intrabar=mode)
    rows, costs = run.rebalance_columns, run.summary["costs"]
    for kind in ("fee", "spread", "impact", "gas", "paid_by_reserve"):
        assert costs[kind] == pytest.approx(float(rows[kind].sum()), rel=1e-12, abs=1e-9)
        assert run.cost_columns[kind][-1] == pytest.approx(costs[kind], rel=1e-12, abs=1e-9)
    rebalances = run.summary["rebalances"]
    assert rebalances["clips"] == len(rows["time"]) - 1
    assert rebalances["turnover"] == pytest.approx(float(rows["notional"][1:].sum()), rel=1e-12)
    assert rebalances["count"] == sum(rebalances["by_trigger"].values()) <= rebalances["clips"]
    assert list(rebalances["by_trigger"]) == list(series.rebalance.trigger_names)
