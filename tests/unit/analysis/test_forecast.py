"""A forecast is what a simulation then does, and its flows add up."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import steelyard as sy
from steelyard.analysis.forecast import forecast, ladder_moves
from steelyard.analysis.forecast_result import Forecast
from steelyard.analysis.price_path import Flow, next_reset
from steelyard.analysis.shelf import Shelf, Token
from steelyard.errors import InputError
from steelyard.market import Prices
from steelyard.report.number_format import typeset
from steelyard.rules.leverage import rebalance_demand
from steelyard.rules.presets import preset, preset_names
from steelyard.rules.series import Band, Costs, Daily, Execution, Venue
from steelyard.simulation.run import Run, simulate
from support.strategies import histories
from support.tokens import T0, bars, token

MOVES = st.floats(-0.6, 1.0).filter(lambda move: abs(move) > 1e-6)
NEAR = 1e-9


def plain(target: float, name: str, assets: float, leverage: float | None = None) -> Token:
    """A token that resets daily and costs nothing."""
    series = token(target, daily=Daily(0))
    return Token(name, series, assets=assets, leverage=leverage)


def shelf_of(*tokens: Token, price: float = 100.0) -> Shelf:
    """A shelf of tests' tokens."""
    return Shelf(tokens, "BTC", "USD", price, T0)


def one_more_bar(run: Run, move: float) -> tuple[Forecast, Run]:
    """What is forecast of a run's token for a move, and what a bar that makes the move does."""
    shelf = Shelf.of_runs([run])
    ladder = (move, 0.0, 2) if move < 0 else (0.0, move, 2)
    found = forecast(shelf, ladder=ladder)
    assert shelf.time is not None
    before, after = found.price, found.ladder[0 if move < 0 else -1].price
    bar = Prices(
        time=np.array([shelf.time]),
        open=np.array([before]),
        high=np.array([max(before, after)]),
        low=np.array([min(before, after)]),
        close=np.array([after]),
        step_s=run.prices.step_s,
    )
    return found, simulate(run.series, bar, state=run.state, intrabar="path")


def told(flow: Flow) -> tuple[Any, ...]:
    """A trade as a row of rebalances has it."""
    side = "buy" if flow.notional > 0 else "sell"
    return flow.trigger, side, abs(flow.units), flow.price, abs(flow.notional)


def rows(run: Run) -> list[tuple[Any, ...]]:
    """The trades of a run, as ``told`` has them."""
    columns = run.rebalance_columns
    kinds = ("trigger", "side", "units", "price", "notional")
    return list(zip(*(columns[kind].tolist() for kind in kinds), strict=True))


def assert_same(found: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> None:
    """Equal words and, to 1e-9, equal figures."""
    assert [row[:2] for row in found] == [row[:2] for row in expected]
    for one, other in zip(found, expected, strict=True):
        assert one[2:] == pytest.approx(other[2:], rel=NEAR)


@pytest.mark.parametrize("name", preset_names())
@settings(max_examples=25)
@given(history=histories(), move=MOVES)
def test_it_is_what_a_simulation_then_does(name: str, history: Prices, move: float) -> None:
    """Scenario: a preset after any history, then one bar in which the price goes somewhere.

    Property: the trades on the way are those of the bar, in its order, for all presets; where the
    bar has no other way in it they are all of its trades, and it ends where it is said to end.
    """
    run = simulate(preset(name), history, intrabar="path")
    assume(run.summary["wiped_out"] is None)
    found, then = one_more_bar(run, move)
    flows = found.falling if move < 0 else found.rising
    ends = [flow for flow in flows if flow.trigger == "liquidation"]
    trades = [told(flow) for flow in flows if flow.trigger != "liquidation"]
    made = rows(then)
    assert_same(trades, made[: len(trades)])
    if (move < 0) == (run.series.target_leverage < 0):
        assert_same(trades, made)
    if ends:
        ended = then.summary["wiped_out"]
        assert ended is not None
        assert ended["price"] == pytest.approx(ends[0].price, rel=NEAR)


@pytest.mark.parametrize("name", preset_names())
@settings(max_examples=25)
@given(history=histories(), move=st.floats(0.0, 0.4))
def test_resets_are_what_a_simulation_does_at_them(name: str, history: Prices, move: float) -> None:
    """Scenario: the price goes the token's way, and stands there at its next scheduled instant.

    Property: the scheduled observation there trades what the forecast says, or as it says nothing.
    """
    series = preset(name)
    run = simulate(series, history, intrabar="path")
    assume(run.summary["wiped_out"] is None)
    found, then = one_more_bar(run, math.copysign(move, series.target_leverage) or 1e-3)
    rung = found.ladder[0 if found.ladder[0].move < 0 else -1]
    assume(then.summary["wiped_out"] is None)
    due = next_reset(series, then.state)
    if due is None:
        assert rung.resets == ()
        return
    there = bars((rung.price,) * 4, start=due, step_s=60)
    made = rows(simulate(series, there, state=then.state))
    assert_same([told(flow) for flow in rung.resets], made)
    assert {flow.time for flow in rung.resets} <= {due}


@given(history=histories(), move=MOVES, steps=st.integers(3, 40), data=st.data())
def test_the_ladder_does_not_change_what_is_traded(
    history: Prices, move: float, steps: int, data: st.DataObject
) -> None:
    """However many prices are looked at on the way, the trades are those of one way."""
    series = preset(data.draw(st.sampled_from(preset_names())))
    run = simulate(series, history)
    assume(run.summary["wiped_out"] is None)
    shelf = Shelf.of_runs([run])
    ends = (move, 0.0) if move < 0 else (0.0, move)
    once, often = (forecast(shelf, ladder=(*ends, count)) for count in (2, steps))
    for one, other in ((once.falling, often.falling), (once.rising, often.rising)):
        assert_same([told(flow) for flow in one], [told(flow) for flow in other])


@given(
    st.lists(
        st.tuples(st.sampled_from([-3.0, -1.0, 0.5, 2.0, 3.0]), st.floats(1e3, 1e9)),
        min_size=1,
        max_size=6,
    ),
    st.floats(-0.3, 0.3).filter(lambda move: abs(move) > 1e-4),
)
def test_resets_from_the_target_are_the_sum_of_demands(
    funds: list[tuple[float, float]], move: float
) -> None:
    """FORMULAS 2: tokens at their targets trade ``sum A L (L-1) r``, whatever each of them is."""
    tokens = [plain(target, f"T{place}", assets) for place, (target, assets) in enumerate(funds)]
    ladder = (move, 0.0, 2) if move < 0 else (0.0, move, 2)
    rung = forecast(shelf_of(*tokens), ladder=ladder).ladder[0 if move < 0 else -1]
    demands = [rebalance_demand(assets, target, move, 0.0) for target, assets in funds]
    size = sum(abs(demand) for demand in demands) + 1e-6 * sum(assets for _, assets in funds)
    assert rung.net == pytest.approx(math.fsum(demands), abs=1e-9 * size)


@given(st.lists(st.sampled_from(preset_names()), min_size=2, max_size=5), MOVES)
def test_a_shelf_trades_what_its_tokens_trade(names: list[str], move: float) -> None:
    """Each rung is the sum of the rungs of the tokens alone."""
    tokens = [
        Token(f"T{place}", preset(name), assets=1e6 * (place + 1))
        for place, name in enumerate(names)
    ]
    ends = (move, 0.0, 5) if move < 0 else (0.0, move, 5)
    shelf = Shelf(tuple(tokens), "BTC/USDT:USDT", "USDT", 5e4, T0)
    together = forecast(shelf, ladder=ends)
    alone = [
        forecast(Shelf((one,), shelf.underlying, "USDT", 5e4, T0), ladder=ends) for one in tokens
    ]
    for place, rung in enumerate(together.ladder):
        for kind in ("bought", "sold", "reset_bought", "reset_sold", "net", "units"):
            parts = [getattr(one.ladder[place], kind) for one in alone]
            assert getattr(rung, kind) == pytest.approx(math.fsum(parts), rel=1e-9, abs=1e-3)


@given(st.sampled_from(preset_names()), st.floats(0.8, 1.2))
def test_a_threshold_is_where_the_first_trade_is(name: str, drift: float) -> None:
    """Of the prices that are told, the nearest on each side is where the walk first trades."""
    series = preset(name)
    leverage = series.target_leverage * drift
    one = Token("T", series, assets=1e6, leverage=leverage)
    found = forecast(Shelf((one,), series.underlying, "USDT", 5e4, T0), ladder=(-0.99, 9.0, 3))
    (outlook,) = found.tokens
    for side, way in (("below", found.falling), ("above", found.rising)):
        met = outlook.nearest(side)
        first = way[len(outlook.now) :][:1]
        if met is None:
            assert first == ()
        elif not outlook.now:
            assert first[0].trigger == met.trigger
            assert first[0].price == pytest.approx(met.price, rel=NEAR)


def test_trades_are_in_price_order_and_summed_up() -> None:
    """From the highest price to the lowest; what was bought and sold counts from the present on."""
    band = Band(2.0, 4.0)
    tokens = [
        Token(f"T{place}", token(3.0, band=band), assets=1e6, leverage=leverage)
        for place, leverage in enumerate((2.8, 3.0, 3.3))
    ]
    found = forecast(shelf_of(*tokens), ladder=(-0.3, 0.5, 9))
    trades = found.trades
    assert list(trades.price) == sorted(trades.price, reverse=True)
    falling = trades[trades.move < 0]
    assert len(falling) >= 3
    assert list(falling.sold_so_far) == pytest.approx(list(falling.notional.cumsum()))
    assert set(falling.side) == {"sell"}
    rising = trades[trades.move > 0][::-1]
    assert list(rising.bought_so_far) == pytest.approx(list(rising.notional.cumsum()))


def test_what_holds_already_is_traded_at_once() -> None:
    """A token that stands outside its band trades at the present price, on both ways once."""
    outside = Token("T", token(3.0, band=Band(2.5, 3.5)), assets=1e6, leverage=3.8)
    found = forecast(shelf_of(outside), ladder=(-0.01, 0.01, 3))
    assert [flow.trigger for flow in found.tokens[0].now] == ["band"]
    assert [rung.sold for rung in found.ladder] == pytest.approx([800_000.0] * 3)
    assert len(found.trades) == 1


def test_a_liquidation_is_a_flow() -> None:
    """What the venue closes is sold on the way, whole, at the price of the liquidation."""
    margin = Venue(maintenance_margin=0.01)
    found = forecast(
        shelf_of(Token("T", token(3.0, venue=margin), assets=1e6)), ladder=(-0.5, 0.0, 2)
    )
    (flow,) = found.falling
    assert flow.trigger == "liquidation"
    assert flow.price == pytest.approx(200 / (3 * 0.99))
    assert flow.price == found.tokens[0].liquidation
    assert flow.units == -30_000.0
    assert found.ladder[0].sold == pytest.approx(30_000 * flow.price)


def test_the_feedback_is_that_of_formula_8() -> None:
    """A shock grows to ``r / (1 - iota sum A L (L-1))``; at 1 there is no answer but a warning."""
    shelf = shelf_of(plain(3.0, "A", 1e6), plain(-1.0, "B", 2e6))
    demand = 6e6 + 4e6
    found = forecast(shelf, impact=100.0, daily_volume=1e9, ladder=(-0.1, 0.1, 3))
    gain = 100 / 1e4 / 1e6 * demand
    assert found.feedback is not None
    assert found.feedback.demand == pytest.approx(demand)
    assert found.feedback.gain == pytest.approx(gain)
    assert found.feedback.amplification == pytest.approx(1 / (1 - gain))
    assert found.feedback.unstable_from == pytest.approx(1_000)
    assert found.ladder[0].amplified_move == pytest.approx(-0.1 / (1 - gain))
    assert found.ladder[0].share_of_volume == pytest.approx(-0.1 * demand / 1e9)
    wild = forecast(shelf, impact=1_000.0)
    assert wild.feedback is not None
    assert wild.feedback.amplification is None
    assert wild.ladder[0].amplified_move is None
    assert forecast(shelf).feedback is None


def test_shares_of_a_book_are_of_the_side_that_is_taken() -> None:
    """Sales take bids and purchases asks; a book that holds less has no cost."""
    book = {"bps_from_mid": [1.0, 5.0], "bid_notional": [4e5, 6e5], "ask_notional": [1e5, 1e5]}
    found = forecast(shelf_of(plain(3.0, "A", 1e6)), book=book, ladder=(-0.1, 0.1, 3))
    fall, _, rise = found.ladder
    assert fall.share_of_book == pytest.approx(-0.6)
    assert rise.share_of_book == pytest.approx(3.0)
    assert fall.book_cost == pytest.approx((4e5 * 1 + 2e5 * 5) / 1e4)
    assert rise.book_cost is None


def test_the_side_not_to_be_on_is_said_with_figures() -> None:
    """Long where more is sold into the fall; what stays is told apart; and nothing is nothing."""
    found = forecast(shelf_of(plain(3.0, "A", 1e6)), daily_volume=1e8)
    assert "If BTC stays at 100, tokens trade nothing at their next resets." in found.words
    assert "A fall of 20.0 % makes them sell 1,200,000 USD" in found.words
    assert "1.2 % of a day's volume" in found.words
    assert "The flow adds to the move in both directions" in found.words
    leaning = forecast(shelf_of(plain(3.0, "A", 1e6, 3.5)))
    assert "tokens sell 500,000 USD" in leaning.words
    assert "this flow moves against longs" in leaning.words
    still = forecast(shelf_of(Token("T", token(3.0), assets=1e6)), ladder=(-0.1, 0.1, 3))
    assert "The flow of the tokens does not add to any move of the ladder." in still.words


def test_a_delay_and_a_future_are_shown_where_they_are_decided() -> None:
    """An order on its way is its decision; a future's flow is in units of the underlying."""
    slow = token(3.0, band=Band(2.0, 4.0), execution=Execution(delay_s=60))
    quick = token(3.0, band=Band(2.0, 4.0))
    first, second = (forecast(shelf_of(Token("T", each, assets=1e6))) for each in (slow, quick))
    assert first.falling == second.falling != ()
    future = token(3.0, band=Band(2.0, 4.0), venue=Venue(kind="future", basis_per_year=0.1))
    (flow, *_) = forecast(shelf_of(Token("T", future, assets=1e6))).falling
    assert flow.price == pytest.approx(second.falling[0].price)
    assert flow.notional == pytest.approx(second.falling[0].notional)


def test_frames_json_and_notebooks() -> None:
    """Everything can be looked at: JSON without NaN, a frame each, a repr, HTML, a figure."""
    tokens = [
        Token("<A>", token(3.0, band=Band(2.0, 4.0), costs=Costs(taker_fee_bps=5)), assets=1e6),
        plain(-1.0, "B", 1e6),
    ]
    found = sy.forecast(shelf_of(*tokens), daily_volume=1e9, impact=1.0)
    figures = json.loads(json.dumps(found.figures, allow_nan=False))
    assert list(figures["ladder"][0])[:-1] == list(found.ladder_table.columns)
    assert len(figures["trades"]) == len(found.trades)
    assert sum(len(rung["resets"]) for rung in figures["ladder"]) == len(found.resets)
    assert list(found.token_table.index) == ["<A>", "B"]
    assert repr(found).startswith("<Forecast of 2 tokens on BTC at 100, 2020-01-01")
    assert "<table" in found._repr_html_()
    assert len(found.plot().data) == 3
    assert "<Shelf of BTC: <A>, B>" in repr(found.shelf)


def test_the_page_holds_everything_and_nothing_of_a_stranger(tmp_path: Any) -> None:
    """One file that asks the network for nothing; names are text."""
    found = forecast(shelf_of(plain(3.0, "<script>x</script>", 1e6)))
    found.save(tmp_path / "flow.html")
    page = (tmp_path / "flow.html").read_text(encoding="utf-8")
    assert typeset(found.words).split(":")[0] in page
    assert "<script>x" not in page
    assert "default-src 'none'" in page


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"ladder": (0.2, -0.2, 5)}, "ladder"),
        ({"ladder": (-1.0, 0.2, 5)}, "ladder"),
        ({"ladder": (-0.1, 0.2, 1)}, "ladder"),
        ({"ladder": "x"}, "ladder"),
        ({"daily_volume": 0.0}, "daily_volume"),
        ({"impact": float("nan")}, "impact"),
        ({"price": -1.0}, "price"),
        ({"time": "yesterday"}, "time"),
        ({"time": T0 - 1}, "last rebalance"),
    ],
)
def test_wrong_arguments_are_refused(options: dict[str, Any], word: str) -> None:
    """Each message names what is wrong."""
    with pytest.raises(InputError, match=word):
        forecast(shelf_of(Token("T", token(3.0), assets=1.0, last_rebalance=T0)), **options)


def test_any_kind_of_number_is_a_number() -> None:
    """A price as NumPy or pandas has it, whole or of single precision, and JSON of it."""
    shelf = shelf_of(Token("T", token(3.0, daily=Daily(0)), assets=1e6, last_rebalance=T0))
    plain = forecast(shelf, time=T0, price=64.0, daily_volume=1024.0, impact=2.0)
    for kind in (int, np.int64, np.float32, np.float64):
        found = forecast(shelf, time=T0, price=kind(64), daily_volume=kind(1024), impact=kind(2))
        assert json.dumps(found.figures) == json.dumps(plain.figures)


def test_a_shelf_without_price_or_worth_is_refused() -> None:
    """No price, a token that is worth nothing at it, and what is no shelf at all."""
    with pytest.raises(InputError, match="expected the price of BTC"):
        forecast(Shelf((plain(3.0, "A", 1.0),), "BTC", "USD"))
    with pytest.raises(InputError, match="A: expected books with a nav above 0, found -100"):
        forecast(shelf_of(Token("A", token(3.0), cash=-200.0, units=1.0)))
    with pytest.raises(InputError, match=r"positions: expected a Shelf, the path of its file"):
        forecast(5)  # type: ignore[arg-type]


def test_positions_are_a_shelf_a_file_runs_or_series(tmp_path: Path) -> None:
    """Each is the shelf that it stands for."""
    run = sy.simulate("oracle-3l", "BTC")
    of_run = forecast(run).figures
    assert of_run == forecast([run]).figures == forecast(Shelf.of_runs([run])).figures
    now = {"price": 50_000.0, "time": 0}
    of_series = forecast(["oracle-3l", "oracle-1s"], **now).figures
    assert of_series == forecast(Shelf.of_series("oracle-3l", "oracle-1s"), **now).figures
    text = '[[token]]\nseries = "oracle-3l"\nassets = 1e6\n'
    (tmp_path / "shelf.toml").write_text(text)
    path = tmp_path / "shelf.toml"
    assert forecast(path, **now).figures == forecast(Shelf.load(path), **now).figures


def test_a_ladder_has_the_present_in_it() -> None:
    """Rounding does not hide the present price, and the ends are what was asked for."""
    moves = ladder_moves((-0.2, 0.2, 17))
    assert moves[8] == 0.0
    assert (moves[0], moves[-1], len(moves)) == (-0.2, 0.2, 17)
    found = forecast(shelf_of(plain(3.0, "A", 1e6)), ladder=(0.1, 0.2, 2))
    assert [rung.move for rung in found.ladder] == pytest.approx([0.1, 0.2])
    assert found.present.price == 100.0
