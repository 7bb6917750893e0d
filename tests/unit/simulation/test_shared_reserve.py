"""Several series on one reserve: who is served, who gives way, and that no money is made."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

import steelyard as sy
from steelyard.errors import InputError
from steelyard.market import Feed, Prices
from steelyard.rules.series import Band, Costs, Daily, Reserve, Series, Venue
from steelyard.simulation.run import simulate
from steelyard.simulation.shared_reserve import simulate_several
from support.pools import balanced_series, pool_tokens, wild_bars
from support.strategies import MODES, histories, tokens
from support.tokens import DAY_S, T0, bars, closes, token

COLUMNS = ("nav_columns", "rebalance_columns", "cost_columns", "flow_columns")
AMPLE = Reserve(initial_units=1e6, bears=(), floor_ratio=0.001, resume_ratio=0.002)


def named(symbol: str, target: float = 3.0, **parts: Any) -> Series:
    """A token without a reserve of its own."""
    return replace(token(target, **parts), symbol=symbol)


def pooled(symbol: str, target: float = 3.0, **parts: Any) -> Series:
    """The same against a reserve as its counterparty."""
    return named(symbol, target, **{"venue": Venue(kind="pool"), **parts})


@st.composite
def several_series(draw: st.DrawFn) -> list[Series]:
    """Two or three tokens, some of which have the reserve as their counterparty."""
    members = draw(st.lists(pool_tokens(), min_size=2, max_size=3))
    others = draw(st.sampled_from([0, 1]))
    return [*members[others:], *(replace(each, venue=Venue()) for each in members[:others])]


@settings(max_examples=150)
@given(several_series(), wild_bars(), MODES)
def test_tokens_and_their_reserve_are_worth_the_same_whatever_happens(
    members: list[Series], history: Prices, mode: str
) -> None:
    """Every settlement and trade of every token, to the last digit, but for what others get.

    And after every step the net exposure is what the reserve can carry.
    """
    found = balanced_series(members, members[0].reserve, history, mode)
    event(f"exhausted: {found.group.reserve.units == 0}")
    event(f"ended: {sum(member.state.ended is not None for member in found.members)}")


@settings(max_examples=60)
@given(st.one_of(tokens(), pool_tokens()), st.one_of(histories(), wild_bars()), MODES)
def test_one_series_on_a_shared_reserve_is_a_run(
    series: Series, history: Prices, mode: str
) -> None:
    """The same rows, sums and figures, bit for bit."""
    assume(series.reserve is not None)
    try:
        alone = simulate(series, history, intrabar=mode, engine="reference")
    except InputError:
        return
    alike = replace(series, reserve=None)
    found = simulate_several([alike], history, reserve=series.reserve, intrabar=mode)
    assert found.runs[0].summary == alone.summary
    assert found.summary["reserve"] == alone.summary["reserve"]
    assert found.states[0] == alone.state
    for columns in COLUMNS:
        for name, expected in getattr(alone, columns).items():
            np.testing.assert_array_equal(getattr(found.runs[0], columns)[name], expected)


def test_where_the_reserve_runs_dry_the_earlier_is_served_first() -> None:
    """Two launches of 300 of spread each and a reserve of 400: the second gets the 100 left."""
    costs = Costs(half_spread_bps=10.0)
    pool = Reserve(initial_units=4.0, bears=("spread",))
    members = [named("A", costs=costs), named("B", costs=costs)]
    for order in (members, members[::-1]):
        found = simulate_several(order, closes(100, 100), reserve=pool)
        paid = [run.rebalances.paid_by_reserve.iloc[0] for run in found.runs]
        # what the reserve does not pay is nav's, and a smaller launch
        assert paid == pytest.approx([300, 100])
        assert found.runs[0].series.symbol == order[0].symbol
        assert found.summary["reserve"]["final"] == 0
        assert found.summary["reserve"]["paid"] == pytest.approx(400)


def test_the_level_is_judged_by_the_nav_of_all() -> None:
    """15,000 of reserve are 15 % of one token's nav and 7.5 % of both: a floor of 10 % forbids."""
    pool = Reserve(initial_units=150.0, bears=("spread",))
    long, other = named("A", band=Band(2.5, 3.5)), named("B", 1.0)
    both = simulate_several([long, other], closes(100, 115, 115), reserve=pool)
    assert both.runs[0].summary["rebalances"]["blocked"] == 2
    assert both.summary["reserve"]["level"] == pytest.approx(17_250 / (145_000 + 115_000))
    assert both.summary["reserve"]["suspended_s"] > 0
    alone = simulate_several([long], closes(100, 115, 115), reserve=pool)
    assert alone.runs[0].summary["rebalances"]["blocked"] == 0


def test_a_long_and_a_short_of_one_size_are_nothing_to_their_reserve() -> None:
    """What one wins the other loses: a reserve far too small for either carries both."""
    members = [pooled("A", 1.0), pooled("B", -1.0)]
    ample = simulate_several(members, closes(100, 100), reserve=AMPLE)
    for state in ample.states:
        state.reserve.units = 10.0
    run = simulate_several(
        members, closes(130, 70, start=T0 + 5 * DAY_S), reserve=AMPLE, states=ample.states
    )
    assert [each.nav.nav.iloc[-1] for each in run.runs] == pytest.approx([70, 130])
    assert run.runs[0].nav.reserve.tolist() == pytest.approx([10, 10])
    assert [len(each.rebalances) for each in run.runs] == [0, 0]
    assert run.summary["reserve"]["utilisation"] == 0


@pytest.mark.parametrize("turned", [False, True])
def test_losers_pay_in_before_winners_are_paid(turned: bool) -> None:
    """The order of the command line is no reason to leave a winner without a loser's money."""
    members = [pooled("A", 1.0), pooled("B", -1.0)]
    if turned:
        members.reverse()
    states = simulate_several(members, closes(100, 100), reserve=AMPLE).states
    for state in states:
        state.reserve.units = 10.0
    bar = bars((150, 150, 60, 60), start=T0 + 5 * DAY_S)
    run = simulate_several(members, bar, reserve=AMPLE, states=states, intrabar="path")
    navs = {each.series.symbol: each.nav.nav.iloc[-1] for each in run.runs}
    assert navs == pytest.approx({"A": 60, "B": 140})
    assert run.runs[0].nav.reserve.iloc[-1] == pytest.approx(10)


def test_what_a_wiped_out_token_owes_is_not_paid_to_a_winner() -> None:
    """A 3x long loses 120 of its 100 at 60: the winning short and the reserve share the 100."""
    members = [pooled("A", 3.0), pooled("B", -3.0)]
    states = simulate_several(members, closes(100, 100), reserve=AMPLE).states
    for state in states:
        state.reserve.units = 0.0
    run = simulate_several(members, closes(60, start=T0 + 5 * DAY_S), reserve=AMPLE, states=states)
    assert run.runs[0].summary["wiped_out"]["reason"] == "nav"
    assert [each.nav.nav.iloc[-1] for each in run.runs] == pytest.approx([0, 200])
    assert run.states[0].reserve.units == 0


@pytest.mark.parametrize("fee_bps", [0.0, 100.0])
def test_the_heavier_side_gives_way_in_proportion(fee_bps: float) -> None:
    """Longs of 2 and of 1 against a short of 1: what is too much is closed 2 : 1, no short."""
    venue = Venue(kind="pool", fee_bps=fee_bps)
    # the short comes first, so that the reserve has to carry no more than the net
    members = [
        pooled("C", -1.0, venue=venue),
        pooled("A", 2.0, venue=venue),
        pooled("B", 1.0, venue=venue),
    ]
    pool = replace(AMPLE, initial_units=2_530.0)
    found = simulate_several(members, closes(100, 130), reserve=pool)
    rows = [run.rebalances for run in found.runs]
    exposures = [float(each.notional.iloc[0]) * 1.3 for each in rows]
    assert [each.trigger.tolist()[1:] for each in rows] == [[], ["capacity"], ["capacity"]]
    closed = [float(each.notional.iloc[-1]) for each in rows[1:]]
    assert closed[0] / closed[1] == pytest.approx(exposures[1] / exposures[2])
    left = exposures[1] + exposures[2] - exposures[0] - sum(closed)
    value = float(found.runs[0].nav.reserve.iloc[-1]) * 130
    assert left == pytest.approx(0.8 * value, rel=1e-12)
    assert found.summary["reserve"]["utilisation"] == pytest.approx(0.8, rel=1e-12)


def test_a_trade_that_the_reserve_bears_is_one_after_which_capacity_holds() -> None:
    """A perpetual's gas of 2,000 leaves the pool's token with more than the reserve can carry.

    The reserve has 1,255 units after the launches; at 100.4 it carries 100,482 of 100,400, and
    1,600 less after the perpetual's reset.
    """
    gas = Costs(gas_per_rebalance=2_000.0)
    members = [pooled("A", 1.0), named("B", daily=Daily(0), costs=gas)]
    pool = replace(AMPLE, initial_units=1_275.0, bears=("gas",))
    found = simulate_several(members, closes(100, 100.4), reserve=pool)
    row = found.runs[0].rebalances.iloc[-1]
    assert row.trigger == "capacity"
    assert row.notional == pytest.approx(100_400 - 0.8 * (1_255 * 100.4 - 400 - 2_000))


def test_a_token_that_costs_put_above_its_limit_gives_way_at_once() -> None:
    """Who closes because of its own limit costs the reserve 2,000: now another is too large.

    After the launches the reserve is worth 96,000; A closes whole, which leaves 94,000. Of 75,500
    B closes what lies above 80 % of that less its own 2,000 of gas.
    """
    gas = Costs(gas_per_rebalance=2_000.0)
    strict = Venue(kind="pool", max_utilisation=0.3)
    members = [pooled("A", 1.0, venue=strict, costs=gas), pooled("B", 1.0, costs=gas)]
    members = [
        replace(each, initial_nav=nav) for each, nav in zip(members, (0.5, 75.5), strict=True)
    ]
    pool = replace(AMPLE, initial_units=1_000.0, bears=("gas",))
    found = simulate_several(members, closes(100), reserve=pool)
    rows = [run.rebalances for run in found.runs]
    assert [each.trigger.tolist() for each in rows] == [["launch", "capacity"]] * 2
    closed = [float(each.notional.iloc[1]) for each in rows]
    assert closed == pytest.approx([500, 75_500 - 0.8 * (94_000 - 2_000)])


def test_a_long_that_its_own_cut_ends_turns_the_weight_to_the_shorts() -> None:
    """The other long, over the capacity a moment before, keeps what it has.

    At 70 the reserve is worth 125,000, of which the perpetual's reset takes 54,000. The longs are
    then 6,200 above the 56,800 that it carries, but the first dies of the gas of its share, and
    without it the short is as much too large.
    """
    spread = Costs(half_spread_bps=3_000.0)
    perpetual = named("P", 3.0, daily=Daily(0), costs=spread)
    dying = replace(pooled("A", 3.0, costs=Costs(gas_per_rebalance=7_000.0)), initial_nav=67.0)
    members = [perpetual, pooled("S", -1.0), dying, replace(pooled("B", 1.0), initial_nav=10.0)]
    pool = replace(AMPLE, initial_units=2_300.0, bears=("spread",))
    found = simulate_several(members, closes(100, 70), reserve=pool)
    _, short, ended, other = (run.rebalances for run in found.runs)
    assert found.states[2].ended is not None
    assert ended.notional.iloc[1] == pytest.approx(6_200 * 1_800 / 1_900)
    assert other.trigger.tolist() == ["launch"]
    assert short.trigger.tolist() == ["launch", "capacity"]
    assert short.notional.iloc[1] == pytest.approx(6_200)


def test_what_an_end_inside_a_bar_leaves_too_large_is_cut_back_there() -> None:
    """A long that is gone at 66 2/3 no longer offsets the short, which the reserve cannot carry.

    There 3,000 units are 200,000, 60,000 of which went to the short beyond what the long lost;
    4,800 units sold are 320,000.
    """
    venue = Venue(kind="pool", max_utilisation=1.0)
    members = [pooled("L", 3.0, venue=venue), pooled("S", -3.0, venue=venue)]
    members[1] = replace(members[1], initial_nav=160.0)
    pool = replace(AMPLE, initial_units=3_000.0)
    found = simulate_several(members, bars((100,) * 4, (100, 100, 60, 60)), reserve=pool)
    first = found.runs[1].rebalances.iloc[1]
    assert found.states[0].ended is not None
    assert first.trigger == "capacity"
    assert first.price == pytest.approx(200 / 3)
    assert first.notional == pytest.approx(320_000 - 140_000)


def test_a_token_that_its_roll_ends_leaves_no_breach_behind() -> None:
    """What the reserve bears of the roll is more than it could spare beside its own token.

    1,265 units are left after the launches. At 100.4 it owes its token 400, and the roll takes two
    gases of 1,000: it carries 80 % of 124,606.
    """
    ends = Costs(taker_fee_bps=2_000.0, gas_per_rebalance=1_000.0)
    members = [pooled("A", 1.0), named("F", -3.0, venue=Venue(kind="future"), costs=ends)]
    pool = replace(AMPLE, initial_units=1_275.0, bears=("gas",))
    found = simulate_several(members, closes(100, 100.4, step_s=100 * DAY_S), reserve=pool)
    assert found.states[1].ended is not None
    row = found.runs[0].rebalances.iloc[-1]
    assert row.trigger == "capacity"
    assert row.notional == pytest.approx(100_400 - 0.8 * 124_606)


def test_inside_a_bar_the_earliest_threshold_acts_whosever_it_is() -> None:
    """A tight band trades at its own price on the way to a wide one's."""
    members = [named("A", band=Band(2.5, 4.0)), named("B", band=Band(2.9, 3.1))]
    history = bars((100,) * 4, (100, 100, 88, 88))
    found = simulate_several(members, history, reserve=AMPLE, intrabar="path")
    for place, member in enumerate(members):
        alone = simulate(member, history, intrabar="path")
        np.testing.assert_allclose(
            found.runs[place].rebalance_columns["price"],
            alone.rebalance_columns["price"],
            rtol=1e-12,
        )


@pytest.mark.parametrize(("tokens_short", "side"), [(2_000.0, "sell"), (4_000.0, "buy")])
def test_the_path_of_a_bar_is_that_of_the_assets_together(tokens_short: float, side: str) -> None:
    """A 3x long of 100,000 and a 1x short of less or more than three times that."""
    members = [
        named("A", band=Band(2.9, 3.1)),
        named("B", -1.0, initial_tokens=tokens_short),
    ]
    history = bars((100,) * 4, (100, 110, 90, 100))
    found = simulate_several(members, history, reserve=AMPLE, intrabar="path")
    assert found.runs[0].rebalances.side.iloc[1] == side


@settings(max_examples=20)
@given(several_series(), wild_bars(), MODES)
def test_a_run_of_several_can_be_split_anywhere(
    members: list[Series], history: Prices, mode: str
) -> None:
    """Two runs joined by their states are one, and go on sharing one reserve."""
    reserve = members[0].reserve
    each = [replace(one, symbol=f"T{i}", reserve=None) for i, one in enumerate(members)]
    try:
        whole = simulate_several(each, history, reserve=reserve, intrabar=mode)
    except InputError:
        return
    at = len(history) // 2
    first = simulate_several(each, history.slice(0, at), reserve=reserve, intrabar=mode)
    kept = [state.copy() for state in first.states]
    second = simulate_several(
        each,
        history.slice(at, len(history)),
        reserve=reserve,
        intrabar=mode,
        states=first.states,
    )
    assert second.states == whole.states
    assert first.states == kept
    assert len({id(state.reserve) for state in second.states}) == 1


def test_what_is_given_by_symbol_is_that_series_own() -> None:
    """Flows, splits and a wind-down of the one leave the other as it would have been."""
    members = [named("A", daily=Daily(0)), named("B", 2.0, daily=Daily(0))]
    history = closes(100, 110, 105, 108)
    at = T0 + 2 * DAY_S
    found = simulate_several(
        members,
        Feed(
            history,
            flows={"A": {"time": [at], "tokens": [50.0]}},
            splits={"A": {"time": [at], "ratio": [2.0]}},
            wind_down={"A": T0 + 4 * DAY_S},
        ),
        reserve=AMPLE,
    )
    assert found.runs[0].nav.tokens.iloc[-1] == 2_050
    assert "wound_down" in found.runs[0].summary
    alone = simulate(members[1], history)
    assert found.runs[1].nav.nav.tolist() == alone.nav.nav.tolist()
    assert "wound_down" not in found.runs[1].summary


def test_a_token_that_ends_leaves_the_others_running() -> None:
    """Its nav counts no more, and the reserve goes on serving."""
    members = [pooled("A", 3.0), pooled("B", -0.5, daily=Daily(0))]
    found = simulate_several(members, closes(100, 60, 61, 62), reserve=AMPLE)
    assert found.runs[0].summary["wiped_out"]["reason"] == "nav"
    assert found.runs[1].summary["rebalances"]["count"] == 3
    assert found.runs[1].summary["wiped_out"] is None


def test_several_are_saved_as_folders_and_one_page(tmp_path: Path) -> None:
    """A folder a series with its tables and figures; summary and page of all beside them."""
    members = [named("BTC3L"), named("BTC/1S", -1.0)]
    flows = {"BTC3L": {"time": [T0 + DAY_S + 1], "tokens": [5.0]}}
    found = simulate_several(members, Feed(closes(100, 110), flows=flows), reserve=AMPLE)
    found.save(tmp_path / "out")
    found.save(tmp_path / "out")
    files = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*")}
    assert files == {
        "BTC3L/nav.parquet",
        "BTC3L/rebalances.parquet",
        "BTC3L/flows.parquet",
        "BTC3L/summary.json",
        "BTC_1S/nav.parquet",
        "BTC_1S/rebalances.parquet",
        "BTC_1S/summary.json",
        "summary.json",
        "report.html",
    }
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary == found.summary
    assert [each["symbol"] for each in summary["series"]] == ["BTC3L", "BTC/1S"]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert all(member.symbol in page for member in members)
    assert "BTC3L" in repr(found)


@pytest.mark.parametrize(
    ("members", "options", "expected"),
    [
        ([], {}, "expected at least one series"),
        ([named("A"), named("A")], {}, "different symbols"),
        ([named("A"), replace(named("B"), underlying="ETH")], {}, "expected the underlying of A"),
        ([named("A", reserve=AMPLE)], {}, "without a reserve of its own"),
        ([named("A")], {"flows": {"B": {"time": [T0], "tokens": [1.0]}}}, "found B"),
        ([pooled("A")], {"funding": {"time": [T0], "rate": [0.0]}}, "at least one series with"),
        (["a.toml"], {}, "a.toml: expected a series file"),
        ([1.5], {}, "expected what Series.load gives"),
        ("a.toml", {}, "series: expected a list of series, found a str"),
    ],
)
def test_series_that_do_not_go_together_are_refused(
    members: list[Any], options: dict[str, Any], expected: str
) -> None:
    """In one sentence, before anything runs."""
    with pytest.raises(InputError, match=expected):
        simulate_several(members, Feed(closes(100, 110), **options), reserve=AMPLE)


def test_funding_is_paid_by_the_perpetuals_among_them() -> None:
    """What fits one series is not refused because it does not fit another."""
    members = [named("A"), pooled("B")]
    funding = {"time": [T0 + 90_000], "rate": [0.01]}
    found = simulate_several(members, Feed(closes(100, 100), funding=funding), reserve=AMPLE)
    assert [run.summary["costs"]["funding"] for run in found.runs] == pytest.approx([3_000, 0])


def test_several_series_are_one_call_of_simulate() -> None:
    """A list needs a reserve, and a reserve a list: the message asks for what is missing."""
    members, prices = [named("A"), named("B")], closes(100, 110)
    run = sy.simulate(members, prices, reserve=AMPLE)
    assert run.summary == simulate_several(members, prices, reserve=AMPLE).summary
    on = sy.simulate(members, closes(100, 110, 120).slice(2, 3), reserve=AMPLE, state=run.states)
    assert len(on.runs[0].prices) == 1
    with pytest.raises(InputError, match="several series: expected reserve="):
        sy.simulate(members, prices)
    with pytest.raises(InputError, match="series: expected a list of series, found a Series"):
        sy.simulate(members[0], prices, reserve=AMPLE)
    flows = {"time": [T0 + DAY_S], "tokens": [1.0]}
    with pytest.raises(InputError, match="flows: expected a mapping by symbol"):
        sy.simulate(members, Feed(prices, flows=flows), reserve=AMPLE)
