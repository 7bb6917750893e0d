"""Tokens come and go: at nav, and at the cost of who comes or goes (SPEC 5)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.errors import InputError
from steelyard.fund.creations import enter
from steelyard.fund.effects import Effect, Settled
from steelyard.fund.group import Fund
from steelyard.fund.state import Request, new_state
from steelyard.fund.terms import fund_terms
from steelyard.market import Feed, Prices
from steelyard.rules.decide import Outcome, Plan, TradeLimits, plan_trade
from steelyard.rules.flows import netted_plan
from steelyard.rules.leverage import nav_of
from steelyard.rules.numbers import FLOAT, FRACTION
from steelyard.rules.series import (
    Band,
    Costs,
    Daily,
    Execution,
    Fees,
    Reserve,
    Series,
    Venue,
)
from steelyard.rules.sizing import Payers
from steelyard.rules.triggers import Trigger
from steelyard.simulation.bar_loop import walk
from steelyard.simulation.run import simulate
from support.strategies import HOUR_S, MODES, histories, tokens
from support.tokens import DAY_S, T0, closes, token
from support.watched import Books, watched

FEW = 6


class Fair:
    """Holds nav per token against every creation and redemption, exactly."""

    def __init__(self) -> None:
        self.trades = 0

    def look(self, before: Books, effect: Effect, after: Books) -> None:
        """Watch an order."""
        if not isinstance(effect, Settled):
            return
        self.trades += 1
        price, own = effect.price, effect.cost.paid_by_nav
        # holders pay the rebalance's own part of an order, and nothing of a creation's
        assert after.nav(price) == effect.nav_before - own
        if not effect.creations:
            assert effect.nav_before == before.nav(price)
            return
        per_token = before.nav(price) / before.tokens
        assert [each.nav for each in effect.creations] == [per_token] * len(effect.creations)
        assert effect.nav_before / after.tokens == per_token
        assert effect.leverage_before == before.leverage(price)
        if effect.notional == 0:
            assert own == 0
        if effect.trigger == Trigger.FLOW:
            assert after.nav(price) / after.tokens == per_token
            assert after.leverage(price) == before.leverage(price)
            assert after.reserve == before.reserve


@settings(max_examples=60)
@given(
    tokens(roots=False),
    histories(most=10),
    MODES,
    st.lists(st.tuples(st.integers(1, 12), st.integers(-140, 900).filter(bool)), max_size=6),
)
def test_no_flow_changes_what_a_holder_has(
    series: Series, history: Prices, mode: str, drawn: list[tuple[int, int]]
) -> None:
    """Nav per token and leverage are to the last digit what they were, whoever comes or goes."""
    drawn.sort()
    flows = (
        [T0 + hour * HOUR_S - 60 for hour, _ in drawn],
        [float(number) for _, number in drawn],
    )
    fair = Fair()
    replay, member = watched(series, fair.look, flows=flows)
    for place in range(len(history)):
        walk(replay, history.slice(place, place + 1), mode, FRACTION)
        arrived = sum(int(row.tokens) for row in member.record.flows)
        assert member.state.tokens == 1000 + arrived
        if fair.trades >= FEW:
            return


@settings(max_examples=40)
@given(tokens(), histories(), MODES, st.integers(-900, 4000).filter(bool))
def test_without_costs_a_token_is_the_same_in_any_company(
    series: Series, history: Prices, mode: str, number: int
) -> None:
    """Two runs, one with a flow in the middle: the same nav and leverage per token in every bar."""
    how = replace(series.rebalance, max_trade_notional=0.0)
    series = replace(series, rebalance=how, costs=Costs(), reserve=None)
    middle = [int(history.time[len(history) // 2])]
    one = simulate(series, history, intrabar=mode)
    two = simulate(
        series, Feed(history, flows={"time": middle, "tokens": [float(number)]}), intrabar=mode
    )
    for name in ("nav", "leverage"):
        np.testing.assert_allclose(
            one.nav_columns[name], two.nav_columns[name], rtol=1e-9, atol=1e-9
        )


def test_who_comes_pays_for_the_exposure_and_who_stays_nothing() -> None:
    """500 tokens at a nav of 130 bring 165,000 of exposure: a tenth of a percent is theirs.

    The order has a row, which is no rebalance and costs the fund nothing.
    """
    series = token(costs=Costs(taker_fee_bps=10.0, gas_per_rebalance=7.0))
    history = closes(100, 110, 110)
    run = simulate(series, Feed(history, flows={"time": [T0 + DAY_S + 1], "tokens": [500.0]}))
    without = simulate(series, history)
    assert run.nav.nav.tolist() == pytest.approx(without.nav.nav.tolist(), rel=1e-15)
    assert run.nav.tokens.tolist() == [1_000, 1_500, 1_500]
    flow, row = run.flows.iloc[0], run.rebalances.iloc[1]
    exposure = run.state.units * 110 / 3
    assert (flow.tokens, flow.nav) == pytest.approx((500, without.nav.nav.iloc[1]))
    assert flow.notional == pytest.approx(exposure)
    assert flow.cost == pytest.approx(exposure * 0.001 + 7)
    assert flow.saved == 0
    assert (row.trigger, row.side, row.notional) == ("flow", "buy", pytest.approx(exposure))
    assert row.fee == row.gas == 0
    assert run.summary["costs"] == without.summary["costs"]
    assert run.summary["rebalances"] == without.summary["rebalances"]
    assert run.summary["flows"]["created"] == 500
    assert run.summary["flows"]["cost"] == pytest.approx(flow.cost)


def test_fees_go_to_the_issuer_and_in_part_to_the_reserve() -> None:
    """30 bp of what comes and 50 bp of what goes; half of it is the reserve's a day later."""
    pool = Reserve(initial_units=1_000.0, bears=(), fee_share=0.5)
    fees = Fees(creation_bps=30.0, redemption_bps=50.0)
    flows = {"time": [T0 + DAY_S + 1, T0 + DAY_S + 2], "tokens": [400.0, -200.0]}
    run = simulate(token(fees=fees, reserve=pool), Feed(closes(100, 110, 110), flows=flows))
    expected = [400 * 130 * 0.003, 200 * 130 * 0.005]
    assert run.flows.fee.tolist() == pytest.approx(expected)
    assert run.nav.reserve.tolist() == pytest.approx(
        [1_000, 1_000, 1_000 + sum(expected) / 2 / 110]
    )
    assert run.summary["reserve"]["received"] == pytest.approx(sum(expected) / 2)
    assert run.nav.nav.iloc[-1] == pytest.approx(130)


def test_an_inflow_that_is_the_rebalance_makes_both_free() -> None:
    """At +10 % a 3x token wants 60,000 more; 20,000 that go bring 60,000 less: nothing is sent.

    FORMULAS 2: F = -(L - 1) A r. Neither pays anything, and the leverage is the target.
    """
    series = token(daily=Daily(0), costs=Costs(taker_fee_bps=10.0))
    launched = simulate(series, closes(100, 100)).state
    assets = nav_of(launched.cash, launched.units, 100.0)
    nav = assets + launched.units * 10
    redeemed = -2 * assets * 0.1 / nav * 1_000
    run = simulate(
        series, Feed(closes(100, 110), flows={"time": [T0 + 2 * DAY_S], "tokens": [redeemed]})
    )
    assert run.nav.leverage.iloc[1] == pytest.approx(3.0, rel=1e-9)
    assert run.nav.nav.iloc[1] == pytest.approx(nav / 1_000, rel=1e-9)
    assert run.flows.cost.iloc[0] == pytest.approx(0, abs=1e-6)
    alone = abs(run.flows.notional.iloc[0]) * 0.001
    assert run.flows.saved.iloc[0] == pytest.approx(alone, rel=1e-6)
    assert run.rebalances.notional.iloc[1:].sum() == pytest.approx(0, abs=1e-6)


def test_flows_and_a_rebalance_are_one_order_whose_savings_are_shared() -> None:
    """A reset buys, a redemption sells: what is sent is the difference, at one fee and one gas.

    Each saves in proportion to its size; what all pay is what the order cost.
    """
    series = token(daily=Daily(0), costs=Costs(taker_fee_bps=10.0, gas_per_rebalance=9.0))
    flows = {"time": [T0 + 2 * DAY_S - 5, T0 + 2 * DAY_S], "tokens": [-100.0, 20.0]}
    run = simulate(series, Feed(closes(100, 110), flows=flows))
    row, (leaver, joiner) = run.rebalances.iloc[1], run.flows.itertuples()
    own = run.summary["rebalances"]["turnover"]
    sent = own + leaver.notional + joiner.notional
    assert row.trigger == "daily"
    assert row.notional == pytest.approx(abs(sent))
    assert row.leverage_after == pytest.approx(3.0, rel=1e-12)
    paid = row.fee + row.gas
    assert paid + leaver.cost + joiner.cost == pytest.approx(abs(sent) * 0.001 + 9)
    saved = own * 0.001 + 9 - paid
    shares = [
        saved / own,
        leaver.saved / abs(leaver.notional),
        joiner.saved / abs(joiner.notional),
    ]
    assert shares == pytest.approx([shares[0]] * 3)
    assert run.summary["costs"]["fee"] == pytest.approx(run.rebalances.fee.sum())


@pytest.mark.parametrize("redeemed", [0.0, 5_000.0])
def test_whether_a_clip_has_arrived_is_judged_by_what_it_costs_beside_flows(
    redeemed: float,
) -> None:
    """Gas of 3,000 takes leverage past 3 by itself; a redemption of the clip's size bears half.

    At 100.5 leverage is 301,500 / 101,500, below 3; the whole gas would carry it beyond, so that
    the reset sells. Alone, after a clip of 5,000, it is at 3.01; beside the flow only at 2.97.
    """
    series = token(
        daily=Daily(0), max_trade_notional=5_000.0, costs=Costs(gas_per_rebalance=3_000.0)
    )
    series = replace(series, initial_nav=103.0)
    tokens = -1_000 * redeemed / 301_500
    flows = {"time": [T0 + 2 * DAY_S], "tokens": [tokens]} if redeemed else None
    run = simulate(series, Feed(closes(100, 100.5), flows=flows))
    assert run.rebalances.leverage_before.iloc[1] == pytest.approx(301.5 / 101.5)
    after = run.rebalances.leverage_after.iloc[1]
    assert (after < 3) == (redeemed > 0)
    assert (run.state.clips is not None) == (redeemed > 0)


def beside(
    series: Series,
    tokens: tuple[float, ...],
    each: float,
    goal: float,
    nav: float,
    exposure: float,
    value: float,
) -> Plan[float]:
    """A rebalance beside creations that bring ``each`` of exposure a token; a reserve's value."""
    terms = series.terms(FLOAT)
    state = new_state(series, FLOAT)
    state.tokens, state.units, state.cash = 1_000.0, each * 1_000.0, 10_000.0 - each * 1_000.0
    asked = tuple(Request(T0, joining, 10.0, 0.0) for joining in tokens)
    entered = enter(Fund(fund_terms(series, FLOAT), state), asked, 1.0)
    plan = plan_trade(
        terms.rule,
        terms.rates,
        Payers(terms.nav_curve, terms.reserve_curve, value),
        TradeLimits(0.0, 0.0, has_room=False, room=0.0),
        Trigger.DAILY,
        goal,
        nav,
        exposure,
        suspended=False,
        sqrt=FLOAT.sqrt,
    )
    return netted_plan(plan, terms.rates, entered.flows, nav, exposure, value, FLOAT.sqrt)


def test_of_several_sizes_that_land_beside_flows_the_smallest_is_sent() -> None:
    """Large flows the other way: with what they save, a sale many times the gap would land too.

    Its costs would take the whole nav, so to try it would block what a small sale does.
    """
    costs = Costs(
        taker_fee_bps=100.0,
        impact="square_root",
        impact_coefficient=2_000.0,
        daily_volume=1e6,
        gas_per_rebalance=8_000.0,
    )
    series = token(2.0, costs=costs, reserve=Reserve(initial_units=1.0, bears=("gas",)))
    nav, exposure, goal = 15_600.0, 155_000.0, 9.5
    plan = beside(series, (230.0, -115.0, 470.0, -230.0), 66.6, goal, nav, exposure, 1e6)
    assert plan.outcome == Outcome.TRADE
    assert -2 * (exposure - goal * nav) < plan.notional < 0
    left = nav - plan.cost.paid_by_nav
    assert (exposure + plan.notional) / left == pytest.approx(goal, rel=1e-12)


def test_where_no_size_lands_beside_flows_it_is_the_one_it_has_alone() -> None:
    """Half of each unit sold is lost, which from 6x never lands at 3x, beside flows or alone.

    The reserve's 400 are worth a sale of 800; what nav paid beyond would raise leverage.
    """
    costs = Costs(half_spread_bps=5_000.0)
    reserve = Reserve(initial_units=1.0, bears=("spread",))
    plan = beside(
        token(3.0, costs=costs, reserve=reserve), (200.0,), 100.0, 3.0, 10_000.0, 60_000.0, 400.0
    )
    assert plan.outcome == Outcome.TRADE
    assert plan.notional == pytest.approx(-800)
    assert plan.cost.spread < 400


def test_parties_come_one_after_the_other_at_one_nav() -> None:
    """Three of one instant: each finds the nav that the first found."""
    flows = {"time": [T0 + DAY_S + 9] * 3, "tokens": [500.0, -300.0, 20.0]}
    run = simulate(token(), Feed(closes(100, 110), flows=flows))
    assert run.flows.nav.tolist() == pytest.approx([130] * 3, rel=1e-15)
    assert run.flows.notional.tolist() == pytest.approx([165_000, -99_000, 6_600])
    assert run.rebalances.notional.iloc[1] == pytest.approx(72_600)
    assert run.nav.tokens.iloc[-1] == 1_220


def test_with_a_delay_a_redemption_goes_out_with_the_rebalance() -> None:
    """One order holds both; it fills a day later, and the redemption at the nav that is then."""
    series = token(
        daily=Daily(0),
        costs=Costs(taker_fee_bps=10.0),
        execution=Execution(delay_s=HOUR_S),
    )
    flows = {"time": [T0 + 2 * DAY_S], "tokens": [-100.0]}
    run = simulate(series, Feed(closes(100, 110, 121), flows=flows))
    assert run.rebalances.trigger.tolist() == ["launch", "daily"]
    assert run.rebalance_columns["time"].astype("int64").tolist() == [T0 + DAY_S, T0 + 3 * DAY_S]
    row, flow = run.rebalances.iloc[1], run.flows.iloc[0]
    launched = simulate(series, closes(100, 110, 121)).nav.nav.iloc[1]
    held = run.rebalances.units.iloc[0]
    assert flow.nav == pytest.approx(launched + held * 11 / 1_000)
    assert run.nav.tokens.tolist() == [1_000, 1_000, 900]
    assert flow.saved > 0
    assert row.fee + flow.cost == pytest.approx(row.notional * 0.001)


@pytest.mark.parametrize("tokens_left", [0.0, -1.0])
def test_redeeming_all_tokens_is_refused(tokens_left: float) -> None:
    """That would be a wind-down, and says so."""
    flows = {"time": [T0 + DAY_S + 1], "tokens": [tokens_left - 1_000]}
    with pytest.raises(InputError, match=r"flows: expected fewer redemptions .* wind it down"):
        simulate(token(), Feed(closes(100, 110), flows=flows))


def test_a_flow_in_a_gap_comes_at_the_first_observation_after_it() -> None:
    """And at that price; up to the launch nobody can come."""
    history = closes(100, 110, 110, 120)
    gap = Prices(time=history.time[[0, 1, 3]], close=history.close[[0, 1, 3]], step_s=DAY_S)
    times = [T0, T0 + DAY_S, T0 + 2 * DAY_S + 1, T0 + 3 * DAY_S]
    run = simulate(token(), Feed(gap, flows={"time": times, "tokens": [1.0, 2.0, 4.0, 8.0]}))
    assert run.nav.tokens.tolist() == [1_000, 1_000, 1_012]
    assert run.flows.nav.tolist() == pytest.approx([160, 160])
    stamps = run.flow_columns["time"].astype("int64").tolist()
    assert stamps == [T0 + 4 * DAY_S] * 2


def test_a_run_with_flows_can_be_split_anywhere() -> None:
    """Each creation comes once, whichever run it falls into."""
    history = closes(100, 110, 104, 120, 118)
    flows = {
        "time": [T0 + day * DAY_S for day in range(1, 6)],
        "tokens": [5.0, 10.0, -7.0, 3.0, 1.0],
    }
    series = token(band=Band(2.8, 3.2), costs=Costs(taker_fee_bps=10.0))
    whole = simulate(series, Feed(history, flows=flows))
    for at in range(1, 5):
        first = simulate(series, Feed(history.slice(0, at), flows=flows))
        second = simulate(series, Feed(history.slice(at, 5), flows=flows), state=first.state)
        assert second.state == whole.state
        joined = np.concatenate([first.flow_columns["cost"], second.flow_columns["cost"]])
        np.testing.assert_array_equal(joined, whole.flow_columns["cost"])


def test_flows_that_end_with_the_token_are_still_written() -> None:
    """Who redeems in the order whose costs end the token is away with its own by then."""
    series = token(
        band=Band(2.5, 3.5),
        costs=Costs(taker_fee_bps=1_000.0),
        execution=Execution(delay_s=60),
        venue=Venue(maintenance_margin=0.05),
    )
    flows = {"time": [T0 + 2 * 60], "tokens": [-10.0]}
    run = simulate(series, Feed(closes(100, 90, 70.5, 70.5, step_s=60), flows=flows))
    assert run.rebalances.trigger.iloc[-1] == "band"
    assert run.summary["wiped_out"]["reason"] == "liquidated"
    assert run.summary["flows"]["redeemed"] == 10
    assert run.nav.tokens.iloc[-1] == 990


def test_flows_are_saved_where_there_are_any(tmp_path: Path) -> None:
    """A file of its own, which gives way to a later run without."""
    flows = {"time": [T0 + DAY_S + 1], "tokens": [5.0]}
    simulate(token(), Feed(closes(100, 110), flows=flows)).save(tmp_path)
    table = pq.read_table(tmp_path / "flows.parquet").to_pydict()
    assert table["tokens"] == [5.0]
    assert table["notional"] == pytest.approx([1_650.0])
    simulate(token(), closes(100, 110)).save(tmp_path)
    assert not (tmp_path / "flows.parquet").exists()


def test_units_are_exact_on_fractions() -> None:
    """A third more tokens is a third more of everything."""
    run = simulate(
        token(initial_tokens=900.0),
        Feed(closes(100, 110), flows={"time": [T0 + DAY_S + 1], "tokens": [300.0]}),
        number=FRACTION,
    )
    assert run.state.units == Fraction(2_700) * 4 / 3
    assert run.state.cash == Fraction(-180_000) * 4 / 3
